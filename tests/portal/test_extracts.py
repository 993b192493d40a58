"""Extracts of the directory and the copies made of them: whatever changed, however they come, copies say the same."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import event, select

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode, resolve
from estafette.exchange import presence
from estafette.exchange.actor import Actor
from estafette.formats import flow_archive
from estafette.formats.directory import Header, Presence, read_export
from estafette.formats.directory_writing import portions
from estafette.formats.envelope import FlowName
from estafette.formats.xml import Unreadable
from estafette.invoice.model import Identifier
from estafette.platform import mirror_extracts
from estafette.platform.mirror import Mirror
from estafette.platform.mirror_tables import (
    is_current,
    mirror_establishment,
    mirror_line,
    mirror_platform,
    mirror_routing_code,
    mirror_unit,
)
from estafette.portal import extracts, holdings
from estafette.portal.journal import CHANGE, INSTANCE
from estafette.portal.register import Register, Source
from estafette.store import sqlite
from estafette.store.database import Database, open_database
from estafette.store.documents import Documents
from estafette.store.packs import FolderPacks
from estafette.store.worker import Worker
from estafette.values.moments import PARIS, paris_day

SCHEMA = (
    Path(__file__).parents[2] / "../shared/schemas/dgfip-v3.2/0-Annuaire/consultation/Annuaire_Consultation_F14.xsd"
)
START = date(2026, 10, 23)
"""Three days before the hour that autumn repeats."""
SIRENS = ("100000009", "200000008")
SIRETS = tuple(f"{siren}{rank:05}" for siren in SIRENS for rank in (17, 25))
MATRICULES = ("0003", "0005", "9998")


def at_one(day: date) -> datetime:
    """Return the hour of an extract of a day."""
    return datetime(day.year, day.month, day.day, 1, tzinfo=PARIS)


# ------------------------------------------------------------------------------------------------- a portal, and copies


@dataclass
class Extract:
    """An extract as it travels: one archive a file, under names of the portal's."""

    header: Header
    archives: list[tuple[FlowName, bytes]]
    files: list[bytes]


@dataclass
class Portal:
    """The directory of a portal, changed day by day, and the extracts that left."""

    database: Database
    bytes_max: int = 10**9
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**6)))

    def change(self, day: date, *changes: Any) -> None:
        """The directory was changed on a day, in one message."""
        with self.database.begin() as connection:
            register = Register(connection, at=at_one(day), source=Source.OPENING, author="PPF")
            for change in changes:
                _tell(register, change)

    def reached(self) -> dict[str, int]:
        """Return the last change and version."""
        with self.database.read() as connection:
            return {
                "to_change": extracts._last(connection, CHANGE), "to_instance": extracts._last(connection, INSTANCE)
            }  # fmt: skip

    def full(self, at: datetime) -> Extract:
        """Return the whole directory as it is."""
        return self._extract({"is_full": True, "produced_at": at, "previous_at": None, **self.reached()})

    def differential(self, before: dict[str, int], previous: datetime, at: datetime) -> Extract:
        """Return what changed."""
        after = {"after_change": before["to_change"], "after_instance": before["to_instance"]}
        return self._extract({"is_full": False, "produced_at": at, "previous_at": previous, **after, **self.reached()})

    def _extract(self, extract: dict[str, Any]) -> Extract:
        header = Header(extract["produced_at"], extract["previous_at"], is_full=extract["is_full"])
        made = Extract(header, [], [])
        with self.database.read() as connection:
            for portion in portions(header, extracts.contents(connection, extract), bytes_max=self.bytes_max):
                with portion.file, BytesIO() as packed:
                    flow_archive.pack_file(str(portion.name), portion.file, portion.size, packed)
                    name = FlowName.numbered(
                        "FFE1435A", application_code="PA0003", emitter="PPF001", number=next(self.numbers)
                    )
                    made.archives.append((name, packed.getvalue()))
                    portion.file.seek(0)
                    made.files.append(portion.file.read())
        return made


def _tell(register: Register, change: Any) -> None:
    kinds: dict[type[Any], Any] = {
        LegalUnit: register.put_unit,
        Establishment: register.put_establishment,
        RoutingCode: register.put_routing_code,
        ReceivingPlatform: register.put_platform,
    }
    if isinstance(change, DirectoryLine):
        (register.mask if change.nature == "M" else register.define)(change)
    else:
        kinds[type(change)](change)


@dataclass
class Copy:
    """A platform's copy of the directory."""

    actor: Actor

    def take(self, *archives: tuple[FlowName, bytes]) -> None:
        """These flows came, one after the other."""
        for name, data in archives:
            portions = asyncio.run(mirror_extracts.prepare(self.actor, flow_archive.unpack(name.archive, data)))
            sha256 = self.actor.documents.put(data)
            with self.actor.database.begin() as connection:
                mirror_extracts.record(self.actor, connection, name, sha256, portions)

    def state(self) -> mirror_extracts.State:
        """Tell how old it is."""
        with self.actor.database.read() as connection:
            return mirror_extracts.state(connection)

    def rows(self, on: date) -> dict[str, list[tuple[Any, ...]]]:
        """Return all it says from a day on."""
        tables = (mirror_unit, mirror_establishment, mirror_routing_code, mirror_platform)
        with self.actor.database.read() as connection:
            held = {
                table.name: sorted(
                    tuple(row[1:]) for row in connection.execute(select(table).where(is_current(table))).all()
                )
                for table in tables
            }
            lines = connection.execute(select(mirror_line).where(is_current(mirror_line))).mappings().all()
        held["mirror_line"] = sorted(
            tuple(str(value) for name, value in row.items() if name != "generation")
            for row in lines
            if row["nature"] == "D" and (row["end"] is None or (row["end"] > on and row["end"] > row["start"]))
        )
        return held

    def went(self, address: str, on: date) -> tuple[str, str | None]:
        """Return where an invoice to an address goes."""
        with self.actor.database.read() as connection:
            found = Mirror().resolve(connection, Identifier(address, "0225"), on=on)
        return found.outcome.value, found.matricule


def goes(portal: Portal, address: str, on: date) -> tuple[str, str | None]:
    """Return where an invoice to an address goes by the portal itself."""
    with portal.database.read() as connection:
        unit = holdings.legal_unit_of(connection, address[:9])
        shown = unit is not None and unit.status == "A" and (unit.is_taxable or unit.entity_type == "P")
        gone = {one.matricule for one in holdings.platforms(connection) if not one.is_registered(on)}
        lines = holdings.lines(connection, address)
        found = resolve(address, "0225", lines, on=on, legal_unit_known=shown, unregistered=gone)
    return found.outcome.value, found.matricule


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give an empty store of each room, made once."""
    folder = tmp_path_factory.mktemp("templates")
    for branch in ("portal", "platform"):
        open_database(folder / branch, (branch,)).close()
    return {branch: folder / branch for branch in ("portal", "platform")}


class House:
    """Where a portal and its copies live for one example."""

    def __init__(self, templates: dict[str, Path], folder: Path) -> None:
        self._templates, self._folder, self._count = templates, folder, 0
        self._opened: list[Database] = []

    def portal(self, **more: Any) -> Portal:
        """Return an empty directory, the platforms in it."""
        portal = Portal(self._open("portal"), **more)
        names = {"0003": "PDP", "0005": "PDP", "9998": "NA"}
        portal.change(
            START,
            *(
                ReceivingPlatform(matricule=one, name=one, platform_type=kind, registered_from=date(2026, 1, 1))
                for one, kind in names.items()
            ),
        )
        return portal

    def copy(self) -> Copy:
        """Return an empty copy."""
        database = self._open("platform")
        documents = Documents(database, FolderPacks(self._folder / f"documents-{self._count}"))
        now = lambda: datetime(2026, 10, 24, tzinfo=UTC)  # noqa: E731
        key = Ed25519PrivateKey.generate()
        worker = Worker(database, now)
        alone = presence.Presence(database, worker, now, "all")
        return Copy(Actor("a", "0003", self._folder, database, documents, key, worker, now, alone))

    def _open(self, branch: str) -> Database:
        self._count += 1
        file = self._folder / f"{branch}-{self._count}"
        shutil.copy(self._templates[branch], file)
        database = Database(sqlite.open_engine(file), threaded=False)
        self._opened.append(database)
        return database

    def close(self) -> None:
        """Let go of everything."""
        for database in self._opened:
            database.close()


@pytest.fixture
def house(templates: dict[str, Path], tmp_path: Path) -> Iterator[House]:
    """Give a place for a portal and its copies."""
    made = House(templates, tmp_path)
    yield made
    made.close()


# ----------------------------------------------------------------------------------------------------------- properties

offsets = st.integers(0, 4)
units = st.builds(
    LegalUnit, siren=st.sampled_from(SIRENS), name=st.sampled_from(["A & B", "Épicerie"]),
    status=st.sampled_from("AAAI"), is_taxable=st.sampled_from([True, True, False]), diffusion=st.sampled_from("OP"),
)  # fmt: skip
shops = st.builds(
    Establishment, siret=st.sampled_from(SIRETS), name=st.just("Magasin"), status=st.sampled_from("AAI"),
    diffusion=st.sampled_from("OP"), line_1=st.sampled_from([None, "2 rue du Port"]),
)  # fmt: skip
codes = st.builds(
    RoutingCode, siret=st.sampled_from(SIRETS), code=st.sampled_from(["ACHATS", "VOIRIE"]), name=st.just("Service"),
    status=st.sampled_from("AAI"), line_1=st.sampled_from([None, "3 rue du Port"]),
)  # fmt: skip
places: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.builds(lambda siren: {"siren": siren}, st.sampled_from(SIRENS)),
    st.builds(lambda siren: {"siren": siren, "suffix": "X"}, st.sampled_from(SIRENS)),
    st.builds(lambda siret: {"siren": siret[:9], "siret": siret}, st.sampled_from(SIRETS)),
    st.builds(lambda siret: {"siren": siret[:9], "siret": siret, "routing_code": "ACHATS"}, st.sampled_from(SIRETS)),
)
lines = st.builds(
    lambda place, matricule, start, length, nature: DirectoryLine(
        **place,
        matricule=matricule,
        start=START + timedelta(days=start),
        end=START + timedelta(days=start + length) if length else None,
        nature=nature,
    ),
    places, st.sampled_from(MATRICULES), offsets, st.sampled_from([0, 0, 1, 3]), st.sampled_from("DDDM"),
)  # fmt: skip
ends = st.builds(
    lambda matricule, after: ReceivingPlatform(
        matricule=matricule, name=matricule, registered_from=date(2026, 1, 1),
        registered_until=START + timedelta(days=after),
    ),
    st.sampled_from(["0003", "0005"]), offsets,
)  # fmt: skip
daily = st.lists(st.one_of(units, units, shops, codes, lines, lines, lines, ends), max_size=8)
histories = st.lists(daily, min_size=2, max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, size=st.sampled_from([10**9, 900]), disorder=st.randoms(use_true_random=False))
def test_copies_converge(templates: dict[str, Path], history: list[list[Any]], size: int, disorder: Any) -> None:
    """The full extract of the last day, or that of the first and the differentials, twice, in any order: one copy."""
    with TemporaryDirectory() as folder:
        house = House(templates, Path(folder))
        portal = house.portal(bytes_max=size)
        portal.change(START, *history[0])
        first = portal.full(at_one(START))
        sent, before, previous = list(first.archives), portal.reached(), at_one(START)
        for day, changes in enumerate(history[1:], 1):
            portal.change(START + timedelta(days=day - 1), *changes)
            moment = at_one(START + timedelta(days=day))
            made = portal.differential(before, previous, moment)
            sent += made.archives
            before, previous = portal.reached(), moment
        today = paris_day(previous)
        late, followed, confused = house.copy(), house.copy(), house.copy()
        late.take(*portal.full(previous).archives)
        followed.take(*sent)
        muddle = [*sent, *disorder.sample(sent, len(sent))]
        disorder.shuffle(muddle)
        confused.take(*muddle)
        assert followed.rows(today) == late.rows(today)
        assert confused.rows(today) == late.rows(today)
        for address in _addresses():
            for on in (today + timedelta(days=after) for after in range(6)):
                assert late.went(address, on) == followed.went(address, on) == goes(portal, address, on)
        house.close()


def _addresses() -> list[str]:
    endings = ("", "_X", *(f"_{siret}" for siret in SIRETS), *(f"_{siret}_ACHATS" for siret in SIRETS))
    return [f"{siren}{ending}" for siren in SIRENS for ending in endings if siren in ending or len(ending) < 5]


# ------------------------------------------------------------------------------------------------------------- by hand

UNIT = LegalUnit(siren=SIRENS[0], name="Atelier")
LINE = DirectoryLine(siren=SIRENS[0], matricule="0003", start=date(2026, 9, 1))


def motives(extract: Extract) -> list[tuple[str, str]]:
    """Return what an extract says of lines: the suffix and the motive."""
    entries = [one for file in extract.files for one in read_export(BytesIO(file))[1]]
    return [(one.entry.suffix or "", one.motive) for one in entries if isinstance(one.entry, DirectoryLine)]


def line(suffix: str, start: date, end: date | None = None, nature: str = "D") -> DirectoryLine:
    """Return a line of the unit."""
    return DirectoryLine(
        siren=UNIT.siren, suffix=suffix, matricule="0003", start=start, end=end, effective_end=end, nature=nature
    )


def test_motives(house: House) -> None:
    """A full extract has what is in force (C) and to come (V); a differential what is new, takes effect or ceases."""
    portal, day = house.portal(), START + timedelta(days=1)
    past, ending = line("PAST", date(2026, 9, 1), START), line("ENDING", date(2026, 9, 1), day)
    held, starting, coming = line("HELD", date(2026, 9, 1)), line("STARTING", day), line("COMING", day + timedelta(9))
    dropped = line("DROPPED", day + timedelta(9))
    portal.change(START, UNIT, past, ending, held, starting, coming, dropped)
    full, before = portal.full(at_one(START)), portal.reached()
    assert motives(full) == [
        ("COMING", "V"), ("DROPPED", "V"), ("ENDING", "C"), ("HELD", "C"), ("STARTING", "V"),
    ]  # fmt: skip
    portal.change(START, line("DROPPED", dropped.start, nature="M"), line("NEW", date(2026, 9, 1)))
    differential = portal.differential(before, at_one(START), at_one(day))
    assert motives(differential) == [("DROPPED", "N"), ("ENDING", "S"), ("NEW", "N"), ("STARTING", "P")]
    again = portal.differential(portal.reached(), at_one(day), at_one(day) + timedelta(hours=1))
    assert motives(again) == [], "what turns on a day is told once"


def test_what_belongs_to_a_unit_that_leaves_leaves_with_it(house: House) -> None:
    """A unit that is taxable no more takes its establishments and codes out of the copies; they come back with it."""
    portal, copy = house.portal(), house.copy()
    shop = Establishment(siret=SIRETS[0], name="Magasin")
    portal.change(START, UNIT, shop, RoutingCode(siret=SIRETS[0], code="ACHATS", name="Achats"))
    copy.take(*portal.full(at_one(START)).archives)
    seen = []
    for day, taxable in ((1, False), (2, True)):
        before, previous = portal.reached(), at_one(START + timedelta(days=day - 1))
        change = LegalUnit(siren=SIRENS[0], name="Atelier", is_taxable=taxable)
        portal.change(START + timedelta(days=day), change)
        copy.take(*portal.differential(before, previous, at_one(START + timedelta(days=day))).archives)
        rows = copy.rows(START)
        seen.append([len(rows[name]) for name in ("mirror_unit", "mirror_establishment", "mirror_routing_code")])
    assert seen == [[0, 0, 0], [1, 1, 1]]


@pytest.mark.skipif(not SCHEMA.exists(), reason="the schemas of the State are not beside the repository")
def test_every_file_follows_the_schema_and_the_limit(house: House) -> None:
    """Each file of an extract is valid by itself and no larger than allowed, the last is marked, none is lost."""
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    portal = house.portal(bytes_max=2500)
    suffixes = [f"S{number:02}" for number in range(30)]
    portal.change(START, UNIT, *(line(suffix, date(2026, 9, 1)) for suffix in suffixes))
    made = portal.full(at_one(START))
    assert len(made.files) > 3
    for file in made.files:
        assert len(file) <= 2500
        schema.assertValid(etree.fromstring(file))
    assert [suffix for suffix, _motive in motives(made)] == suffixes
    before = portal.reached()
    schema.assertValid(etree.fromstring(portal.differential(before, at_one(START), at_one(START)).files[0]))


def test_a_platform_whose_registration_ends(house: House) -> None:
    """It is inactive from that day on (DT-6-2): the differential of the day says so, and copies keep it."""
    portal, copy, until = house.portal(), house.copy(), START + timedelta(days=1)
    portal.change(START, UNIT, line("A", date(2026, 9, 1)), ReceivingPlatform(
        matricule="0003", name="0003", registered_from=date(2026, 1, 1), registered_until=until
    ))  # fmt: skip
    copy.take(*portal.full(at_one(START)).archives)
    told = portal.differential(portal.reached(), at_one(START), at_one(until))
    copy.take(*told.archives)
    entries = [one for file in told.files for one in read_export(BytesIO(file))[1]]
    (said,) = [one for one in entries if isinstance(one.entry, ReceivingPlatform)]
    assert (said.motive, getattr(said.entry, "status", "")) == ("S", "I")
    with copy.actor.database.read() as connection:
        kept = connection.execute(select(mirror_platform.c.status).where(mirror_platform.c.matricule == "0003"))
        assert kept.scalars().all() == ["I"]
    assert copy.went(f"{UNIT.siren}_A", until)[0] == "grace"


def test_what_was_never_shown_is_not_told_of(house: House) -> None:
    """A unit that is not taxable, its places and services, are told of to nobody, even as what has left."""
    portal = house.portal()
    before = portal.reached()
    unseen = LegalUnit(siren=SIRENS[1], name="Particulier", is_taxable=False)
    shop = Establishment(siret=SIRETS[2], name="Chez lui")
    code = RoutingCode(siret=shop.siret, code="ACHATS", name="Service")
    portal.change(START, unseen, shop, code)
    brief = LegalUnit(siren=SIRENS[0], name="Brève")
    portal.change(START, brief, LegalUnit(siren=SIRENS[0], name="Brève", status="I"))
    made = portal.differential(before, at_one(START), at_one(START + timedelta(days=1)))
    assert [one.entry for file in made.files for one in read_export(BytesIO(file))[1]] == []
    portal.change(START, LegalUnit(siren=SIRENS[1], name="Particulier"))
    later = portal.differential(before, at_one(START), at_one(START + timedelta(days=1)))
    told = [(type(one.entry).__name__, one.motive) for file in later.files for one in read_export(BytesIO(file))[1]]
    assert told == [("LegalUnit", "P"), ("Establishment", "P"), ("RoutingCode", "P")]


def a_week(portal: Portal) -> list[Extract]:
    """Return a full extract and the differentials of three days, a line more each day."""
    portal.change(START, UNIT, line("D0", START))
    made, before = [portal.full(at_one(START))], portal.reached()
    for day in (1, 2, 3):
        portal.change(START + timedelta(days=day - 1), line(f"D{day}", START + timedelta(days=day)))
        at = at_one(START + timedelta(days=day))
        made.append(portal.differential(before, at - timedelta(days=1), at))
        before = portal.reached()
    return made


def test_a_lost_day(house: House) -> None:
    """After a lost differential the others are held and said to be; the missing one, or the next full, lets them in."""
    portal, copy, other = house.portal(), house.copy(), house.copy()
    full, first, second, third = a_week(portal)
    for one in (copy, other):
        one.take(*full.archives, *first.archives, *third.archives)
        assert one.went(f"{UNIT.siren}_D3", START + timedelta(days=5))[0] == "unknown address"
        assert one.state() == mirror_extracts.State(
            at_one(START + timedelta(days=1)), 1, at_one(START + timedelta(days=1)), 0
        )
    copy.take(*second.archives)
    other.take(*portal.full(at_one(START + timedelta(days=9))).archives)
    for one in (copy, other):
        assert one.went(f"{UNIT.siren}_D2", START + timedelta(days=5))[0] == "platform"
        assert one.went(f"{UNIT.siren}_D3", START + timedelta(days=5))[0] == "platform"
        assert one.state().held == 0
    assert other.state().as_of == at_one(START + timedelta(days=9))


def test_a_full_extract_counts_once_it_is_whole(house: House) -> None:
    """Until its last file has come nothing of a full extract is seen; a differential that follows it waits for it."""
    portal, copy = house.portal(), house.copy()
    portal.change(START, UNIT, line("D0", START))
    copy.take(*portal.full(at_one(START)).archives)
    portal.bytes_max = 900
    before = portal.reached()
    portal.change(START, *(line(f"N{number}", START) for number in range(5)))
    whole = portal.full(at_one(START + timedelta(days=1)))
    *some, last = reversed(whole.archives)
    copy.take(*some)
    assert copy.went(f"{UNIT.siren}_N1", START)[0] == "unknown address"
    assert copy.state().arriving == 1
    late = portal.differential(portal.reached(), at_one(START + timedelta(days=1)), at_one(START + timedelta(days=2)))
    copy.take(*late.archives)
    assert copy.state().held == 1
    copy.take(last)
    assert copy.went(f"{UNIT.siren}_N1", START)[0] == "platform"
    assert copy.state() == mirror_extracts.State(at_one(START + timedelta(days=2)), 0, None, 0)
    assert before != portal.reached()


def test_an_address_that_changes_platform_at_midnight_in_paris(house: House) -> None:
    """The line that ends and the one that begins meet at midnight in Paris, in summer and in winter time."""
    turn = date(2026, 10, 25)
    portal, copy = house.portal(), house.copy()
    old, new = line("A", START, turn), line("A", turn)
    portal.change(START, UNIT, old, DirectoryLine(
        siren=UNIT.siren, suffix="A", matricule="0005", start=new.start
    ))  # fmt: skip
    copy.take(*portal.full(at_one(START)).archives)
    for moment, matricule in (
        (datetime(2026, 10, 24, 21, 59, 59, tzinfo=UTC), "0003"),
        (datetime(2026, 10, 24, 22, 0, 0, tzinfo=UTC), "0005"),
    ):
        assert copy.went(f"{UNIT.siren}_A", paris_day(moment)) == ("platform", matricule)


def test_a_damaged_file_leaves_the_copy_as_it_was(house: House) -> None:
    """A file that breaks off in the middle is refused; what it would replace stays, and the next extract is taken."""
    portal, copy = house.portal(), house.copy()
    portal.change(START, UNIT, line("D0", START))
    copy.take(*portal.full(at_one(START)).archives)
    whole = portal.full(at_one(START + timedelta(days=1)))
    with pytest.raises(Unreadable):
        asyncio.run(mirror_extracts.prepare(copy.actor, iter([("F14.xml", whole.files[0][:-40])])))
    assert copy.went(f"{UNIT.siren}_D0", START)[0] == "platform"
    copy.take(*whole.archives)
    assert copy.state().as_of == at_one(START + timedelta(days=1))


def test_a_file_that_tells_no_number(house: House) -> None:
    """An extract whose file is called otherwise is taken as the whole of it: the texts give no name."""
    portal, copy = house.portal(), house.copy()
    portal.change(START, UNIT, line("D0", START))
    full = portal.full(at_one(START))
    name = full.archives[0][0]
    copy.take((name, flow_archive.pack({"annuaire.xml": full.files[0]})))
    assert copy.went(f"{UNIT.siren}_D0", START)[0] == "platform"


def test_what_is_told_again_is_not_written_again(house: House) -> None:
    """On the day that millions of lines take effect, a copy that has them writes none of them."""
    portal, copy, day = house.portal(), house.copy(), START + timedelta(days=1)
    portal.change(START, UNIT, *(line(f"D{number}", day) for number in range(3)))
    copy.take(*portal.full(at_one(START)).archives)
    told = portal.differential(portal.reached(), at_one(START), at_one(day))
    assert [motive for _suffix, motive in motives(told)] == ["P"] * 3
    written: list[str] = []
    event.listen(
        copy.actor.database.engine, "before_cursor_execute", lambda _c, _k, text, *_: written.append(text.strip())
    )
    copy.take(*told.archives)
    assert copy.state().as_of == at_one(day)
    assert not [text for text in written if "mirror_line" in text and not text.startswith("SELECT")]


def test_a_flow_of_several_files(house: House) -> None:
    """The files of one flow are numbered as they come; the last of those that tell no number ends the extract."""
    portal, copy = house.portal(bytes_max=900), house.copy()
    portal.change(START, UNIT, *(line(f"D{number}", START) for number in range(4)))
    full = portal.full(at_one(START))
    given = 0

    def files() -> Iterator[tuple[str, bytes]]:
        nonlocal given
        for at, file in enumerate(full.files):
            given += 1
            yield f"annuaire{at}.xml", file

    waiting = files()
    portions = asyncio.run(mirror_extracts.prepare(copy.actor, waiting))
    assert len(portions) == given == len(full.files) > 2
    assert [portion.is_last for portion in portions] == [False] * (given - 1) + [True]
    assert [portion.number for portion in portions] == list(range(1, given + 1))


def test_memory_is_that_of_some_entries() -> None:
    """However many entries an extract has, those read before its first file is given are a file's and a few more."""
    read = 0

    def many() -> Iterator[Presence]:
        nonlocal read
        for number in range(50_000):
            read += 1
            yield Presence(DirectoryLine(siren=f"{number:09}", matricule="0003", start=START))

    made = portions(Header(at_one(START)), many(), bytes_max=100_000)
    first = next(made)
    assert read == first.entries + 1
    first.file.close()
