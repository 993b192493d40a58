"""Every change of the directory goes through the register, and what was known at a moment never changes."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Connection, event, select
from tests.postgresql import shared

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.directory.readings import Readings
from estafette.portal import holdings, register
from estafette.portal.register import INSTANCE, Decision, Register, Source
from estafette.portal.tables import directory_change, directory_line, legal_unit
from estafette.store import sequences
from estafette.store.database import Database, open_database
from estafette.values.moments import paris_day

NOW = datetime(2026, 9, 15, 9, 0, tzinfo=UTC)
TODAY = date(2026, 9, 15)
DAY = timedelta(days=1)
SIREN, SIRET, PUBLIC, HALL = "100000009", "10000000900017", "200000008", "20000000800017"
FLAGS = dict.fromkeys(
    (
        "commitment_required",
        "service_required",
        "commitment_or_service_required",
        "is_contracting_authority",
        "is_contracting_authority_only",
        "manages_payment_status",
    ),
    False,
)


class Directory:
    """A directory in a store, and the clock of those who change it."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, NOW

    def change(self, source: Source, author: str, work: Callable[[Register], Any]) -> Any:
        """Do the work in one change, a second after the one before it."""
        self.now += timedelta(seconds=1)
        with self.database.begin() as connection:
            return work(Register(connection, at=self.now, source=source, author=author, message="flow"))

    def told(self, *work: Callable[[Register], Any]) -> None:
        """An authority has stated this."""
        for one in work:
            self.change(Source.OPENING, "PPF", one)

    def ask(self, author: str, work: Callable[[Register], Decision]) -> Decision:
        """A platform asks; what is refused leaves no change behind."""

        def asked(register: Register) -> Decision:
            decision = work(register)
            assert (decision.instance is None) == bool(decision.faults)
            assert not (decision.faults and register.has_changed)
            return decision

        decision: Decision = self.change(Source.UPDATE, author, asked)
        return decision

    def read(self, question: Callable[[Connection], Any]) -> Any:
        """Ask the directory."""
        with self.database.read() as connection:
            return question(connection)

    def line(self, address: str, on: date, known: datetime | None = None) -> DirectoryLine | None:
        """Give the line of an address on a day, as known at a moment."""
        line: DirectoryLine | None = self.read(lambda one: holdings.line_at(one, address, on=on, known=known))
        return line


@pytest.fixture(params=["sqlite", "postgresql"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Directory]:
    """A directory with two platforms, a private unit and a public one."""
    database = open_database(_where(request.param, tmp_path), ("portal",))
    yield begun(Directory(database))
    database.close()


def _where(engine: str, folder: Path) -> Path | str:
    if engine == "sqlite":
        return folder / "records.sqlite"
    return shared().url(shared().fresh("portal", lambda name: open_database(shared().url(name), ("portal",)).close()))


def begun(directory: Directory) -> Directory:
    """Tell the directory of its first entries."""
    directory.told(
        lambda register: [register.put_platform(platform(matricule)) for matricule in ("0003", "0005", "9998", "9999")],
        lambda register: register.put_unit(LegalUnit(siren=SIREN, name="Atelier")),
        lambda register: register.put_establishment(Establishment(siret=SIRET, name="Atelier")),
        lambda register: register.put_unit(LegalUnit(siren=PUBLIC, name="Ville", entity_type="P", is_taxable=False)),
        lambda register: register.put_establishment(Establishment(siret=HALL, name="Mairie", **FLAGS)),
    )
    return directory


def platform(matricule: str, until: date | None = None) -> ReceivingPlatform:
    """A platform, registered since 2025."""
    return ReceivingPlatform(
        matricule=matricule, name=f"P{matricule}", registered_from=date(2025, 1, 1), registered_until=until
    )


def line(matricule: str = "0003", **more: Any) -> DirectoryLine:
    """A line of the unit from tomorrow on."""
    return DirectoryLine(**({"siren": SIREN, "matricule": matricule, "start": TODAY + DAY} | more))


def test_what_was_true_as_it_was_known(directory: Directory) -> None:
    """A line defined, then closed: what it was on a day can be asked as of any moment, and who did it."""
    defined = directory.ask("0003", lambda register: register.define(line()))
    before = directory.now
    end = TODAY + 30 * DAY
    assert defined.instance is not None
    closed = directory.ask("0003", lambda register: register.close(defined.instance or 0, end))
    assert closed.faults == ()
    assert directory.line(SIREN, end) is None
    known = directory.line(SIREN, end, known=before)
    assert known is not None
    assert (known.instance, known.end) == (defined.instance, None)
    assert directory.line(SIREN, end, known=before - timedelta(seconds=1)) is None
    assert directory.line(SIREN, TODAY) is None
    history = directory.read(lambda one: list(holdings.versions(one, DirectoryLine, directory_line.c.address == SIREN)))
    assert [(version.author, version.source, version.message) for version in history] == [
        ("0003", "f13", "flow"),
        ("0003", "f13", "flow"),
    ]
    assert history[0].replaced_at == history[1].recorded_at == history[1].entry.defined_at
    assert history[1].replaced_at is None


def test_twice_is_once(directory: Directory) -> None:
    """What is already so is accepted again, and no version, no change is written."""
    decisions = [directory.ask("0003", lambda register: register.define(line())) for _ in range(2)]
    assert decisions[0] == decisions[1]
    unit = LegalUnit(siren=SIREN, name="Atelier")
    changes = directory.read(lambda one: one.execute(select(directory_change.c.id)).scalars().all())
    directory.told(lambda register: register.put_unit(unit))
    assert directory.read(lambda one: one.execute(select(directory_change.c.id)).scalars().all()) == changes
    assert len(directory.read(lambda one: one.execute(select(directory_line)).all())) == 1


def test_a_mask_hides_and_can_be_lifted(directory: Directory) -> None:
    """A line masked before it starts resolves no more; defined again, it does."""
    asked = line(suffix="A")
    address, day = asked.address, asked.start
    directory.ask("0003", lambda register: register.define(asked))
    masked = directory.ask("0003", lambda register: register.mask(asked))
    assert masked.faults == ()
    assert directory.line(address, day) is None
    assert [one.nature for one in directory.read(lambda one: holdings.lines(one, address))] == ["M"]
    directory.ask("0003", lambda register: register.define(asked))
    assert directory.line(address, day) is not None


def test_a_platform_change_at_midnight(directory: Directory) -> None:
    """Right before, at and after midnight in Paris, an address leads to the one platform, then to the other."""
    day = TODAY + 10 * DAY
    directory.told(lambda register: register.define(line("0005", start=date(2026, 9, 1))))
    held = directory.line(SIREN, day)
    assert held is not None
    directory.ask("0003", lambda register: register.close(held.instance, day))
    directory.ask("0003", lambda register: register.define(line(start=day)))
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=2)  # summer time in Paris
    moments = (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(microseconds=1))
    found = [directory.line(SIREN, paris_day(moment)) for moment in moments]
    assert [one.matricule if one else None for one in found] == ["0005", "0003", "0003"]


def test_the_default_line(directory: Directory) -> None:
    """A taxable unit has its default line, which gives way to the platform it chooses; a public one has Chorus Pro."""
    directory.change(Source.TAX, "DGFIP", lambda register: register.give_default(SIREN))
    default = directory.line(SIREN, TODAY)
    assert default is not None
    assert default.matricule == "9998"
    assert directory.change(Source.TAX, "DGFIP", lambda register: register.give_default(SIREN)) is None
    directory.ask("0003", lambda register: register.define(line(start=TODAY + 2 * DAY)))
    found = [directory.line(SIREN, TODAY + ahead * DAY) for ahead in range(4)]
    assert [one.matricule if one else None for one in found] == ["9998", "9998", "0003", "0003"]
    directory.change(Source.CHORUS_PRO, "9999", lambda register: register.give_default(PUBLIC, HALL))
    assert directory.change(Source.CHORUS_PRO, "9999", lambda register: register.give_default(PUBLIC)) is None
    hall = directory.line(f"{PUBLIC}_{HALL}", TODAY)
    assert hall is not None
    assert hall.matricule == "9999"
    give = lambda register: register.give_default(PUBLIC, HALL, "VOIRIE")  # noqa: E731 — asked twice
    assert directory.change(Source.CHORUS_PRO, "9999", give) is None, "no such service yet"
    service = RoutingCode(siret=HALL, code="VOIRIE", name="Voirie")
    directory.change(Source.CHORUS_PRO, "9999", lambda register: register.put_routing_code(service))
    assert directory.change(Source.CHORUS_PRO, "9999", give) is not None


def test_a_unit_that_is_no_longer_taxable(directory: Directory) -> None:
    """Its lines in force say when they stopped, those to come are masked; its history stays (directory.md §6)."""
    directory.told(lambda register: register.define(line("0005", start=date(2026, 9, 1))))
    directory.ask("0003", lambda register: register.define(line(suffix="A")))
    directory.change(
        Source.TAX,
        "DGFIP",
        lambda register: register.put_unit(LegalUnit(siren=SIREN, name="Atelier", is_taxable=False)),
    )
    lines = directory.read(lambda one: holdings.lines_of_unit(one, SIREN))
    assert [(one.nature, one.end, one.effective_end) for one in lines] == [("D", None, TODAY), ("M", None, None)]
    refused = directory.ask("0003", lambda register: register.define(line(suffix="B")))
    assert [fault.rule for fault in refused.faults] == ["G1.96"]
    assert directory.change(Source.TAX, "DGFIP", lambda register: register.give_default(SIREN)) is None
    closed = directory.ask("0003", lambda register: register.close(lines[0].instance, TODAY + 5 * DAY))
    assert closed.faults == ()
    kept = directory.line(SIREN, TODAY)
    assert kept is not None
    assert (kept.end, kept.effective_end) == (TODAY + 5 * DAY, TODAY)


def test_a_platform_that_is_lost(directory: Directory) -> None:
    """Its lines say when it stops as soon as it is known; those to start later are masked that day; another is not."""
    directory.told(lambda register: register.define(line("0005", start=date(2026, 9, 1))))
    directory.ask("0005", lambda register: register.define(line("0005", suffix="LATE", start=TODAY + 40 * DAY)))
    directory.ask("0003", lambda register: register.define(line(suffix="OTHER")))
    lost = TODAY + 20 * DAY
    tell(directory, platform("0005", lost))
    of_it = directory.read(lambda one: holdings.lines_of_platform(one, "0005"))
    assert {one.address: (one.nature, one.effective_end) for one in of_it} == {
        SIREN: ("D", lost),
        f"{SIREN}_LATE": ("D", None),
    }
    assert lapse(directory, "0005") is False
    directory.now = datetime(lost.year, lost.month, lost.day, tzinfo=UTC) - timedelta(hours=2, seconds=2)
    assert lapse(directory, "0005") is False, "a second before midnight in Paris"
    assert lapse(directory, "0005") is True
    late = directory.read(lambda one: holdings.lines(one, f"{SIREN}_LATE"))
    assert [one.nature for one in late] == ["M"]
    assert [one.nature for one in directory.read(lambda one: holdings.lines_of_platform(one, "0003"))] == ["D"]
    taken = directory.ask("0003", lambda register: register.close(of_it[-1].instance, lost + 3 * DAY))
    assert taken.faults == (), "the next platform closes what the lost one left (G1.94)"


def test_a_registration_that_is_put_off(directory: Directory) -> None:
    """Renewed before its end, a platform has its lines as they were."""
    directory.told(lambda register: register.define(line("0005", start=date(2026, 9, 1))))
    agreed = TODAY + 60 * DAY
    directory.told(lambda register: register.define(line("0005", suffix="A", start=date(2026, 9, 1), end=agreed)))
    tell(directory, platform("0005", TODAY + 20 * DAY))
    tell(directory, platform("0005"))
    held = directory.read(lambda one: holdings.lines_of_platform(one, "0005"))
    assert {one.address: one.effective_end for one in held} == {SIREN: None, f"{SIREN}_A": agreed}


@pytest.mark.parametrize("at_once", [1, 2, 10])
def test_lines_are_settled_so_many_at_a_time(
    directory: Directory, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """In slices or at once, the lines of a platform say the same: when its registration ends, later, and no longer."""
    monkeypatch.setattr(register, "LINES_AT_ONCE", at_once)
    agreed, ends = TODAY + 30 * DAY, [None, TODAY + 5 * DAY, TODAY + 30 * DAY, None, TODAY + 60 * DAY]
    for place, end in enumerate(ends):
        start = TODAY + 50 * DAY if place == 4 else date(2026, 9, 1)
        told = line("0005", suffix=f"S{place}", start=start, end=end)
        directory.told(lambda one, told=told: one.define(told))
    first, later = TODAY + 10 * DAY, TODAY + 40 * DAY
    seen = []
    for former, until in ((None, first), (first, later), (later, None)):
        tell(directory, platform("0005", until))
        slices = settled(directory, "0005", former)
        assert len(ends) / at_once <= slices + 1 <= 2 * len(ends) / at_once + 2, "each line, and its new version"
        held = directory.read(lambda one: holdings.lines_of_platform(one, "0005"))
        seen.append([one.effective_end for one in sorted(held, key=lambda one: one.address)])
    assert seen == [
        [first, ends[1], first, first, ends[4]],
        [later, ends[1], agreed, later, ends[4]],
        [None, ends[1], agreed, None, ends[4]],
    ]


def settled(directory: Directory, matricule: str, former: date | None) -> int:
    """The lines of a platform are settled, to the last; return in how many slices."""
    after: int | None = 0
    slices = 0
    while after is not None:

        def go_on(one: Register, after: int = after) -> int | None:
            one.settle_lines(matricule, former=former, after=after)
            return one.unsettled

        after = directory.change(Source.REGISTRATION, "PPF", go_on)
        slices += 1
    return slices


def tell(directory: Directory, told: ReceivingPlatform) -> None:
    """The registration service has told of a platform."""
    directory.change(Source.REGISTRATION, "DGFIP", lambda register: register.put_platform(told))


def lapse(directory: Directory, matricule: str) -> bool:
    """The day of the end of a registration may have come; tell whether a line of its platform is masked."""
    directory.change(Source.REGISTRATION, "PPF", lambda register: register.settle_lines(matricule))
    lines = directory.read(lambda one: holdings.lines_of_platform(one, matricule))
    return any(one.nature == "M" for one in lines)


def test_a_routing_code_that_ends(directory: Directory) -> None:
    """The lines of a routing code that is inactive can no longer be addressed (DT-5-2)."""
    code = RoutingCode(siret=SIRET, code="A", name="Achats")
    directory.ask("0003", lambda register: register.put_routing_code(code))
    asked = line(siret=SIRET, routing_code="A")
    directory.ask("0003", lambda register: register.define(asked))
    ended = RoutingCode(siret=SIRET, code="A", name="Achats", status="I")
    directory.ask("0003", lambda register: register.put_routing_code(ended))
    assert directory.line(asked.address, asked.start) is None
    refused = directory.ask("0003", lambda register: register.define(line(siret=SIRET, routing_code="A", end=None)))
    assert [fault.rule for fault in refused.faults] == ["G1.92"]


def test_an_establishment_that_takes_works_only(directory: Directory) -> None:
    """A public establishment that becomes a contracting authority only has its lines stopped (directory.md §6)."""
    directory.change(Source.CHORUS_PRO, "9999", lambda register: register.give_default(PUBLIC, HALL))
    changed = Establishment(siret=HALL, name="Mairie", **{**FLAGS, "is_contracting_authority_only": True})
    directory.change(Source.CHORUS_PRO, "9999", lambda register: register.put_establishment(changed))
    held = directory.line(f"{PUBLIC}_{HALL}", TODAY)
    assert held is not None
    assert held.effective_end == TODAY
    code = RoutingCode(siret=HALL, code="VOIRIE", name="Voirie")
    directory.change(Source.CHORUS_PRO, "9999", lambda register: register.put_routing_code(code))
    given = directory.change(Source.CHORUS_PRO, "9999", lambda register: register.give_default(PUBLIC, HALL, "VOIRIE"))
    assert given is None


def test_the_readings_are_chosen(directory: Directory) -> None:
    """Who opens the register says how what the texts leave open is read."""

    def by_note_85(register: Register) -> Decision:
        register.readings = Readings(takes_fictive_lines=True)
        return register.define(line("9998"))

    assert directory.ask("0003", by_note_85).faults == ()


def test_versions_of_a_unit(directory: Directory) -> None:
    """A unit renamed has both names, each in its time."""
    before = directory.now
    directory.told(lambda register: register.put_unit(LegalUnit(siren=SIREN, name="Atelier du Nord")))
    known = directory.read(lambda one: holdings.legal_unit_of(one, SIREN, known=before))
    assert known.name == "Atelier"
    assert directory.read(lambda one: holdings.legal_unit_of(one, SIREN)).name == "Atelier du Nord"
    assert directory.read(lambda one: holdings.by_instance(one, LegalUnit, known.instance)) == known


def test_a_clock_that_goes_back(directory: Directory) -> None:
    """A change is never recorded before the one that precedes it: what was known stays known."""
    directory.ask("0003", lambda register: register.define(line()))
    known = directory.now
    directory.now -= timedelta(hours=1)
    directory.ask("0003", lambda register: register.define(line(suffix="A")))
    moments = directory.read(lambda one: one.execute(select(directory_change.c.recorded_at)).scalars().all())
    assert moments == sorted(moments)
    assert directory.line(SIREN, TODAY + DAY, known=known) is not None


def test_numbers_for_a_load(directory: Directory) -> None:
    """Whoever loads by the million has as many numbers as asked, after those drawn and before those to come."""
    with directory.database.begin() as connection:
        first = sequences.draw(connection, INSTANCE)
        numbers = sequences.reserve(connection, INSTANCE, 1000)
        assert (numbers[0], len(numbers)) == (first + 1, 1000)
        assert sequences.draw(connection, INSTANCE) == first + 1001


def test_every_look_up_is_one_by_an_index(tmp_path: Path) -> None:
    """No question about one thing reads a table through: eleven million lines cost one probe."""
    database = open_database(tmp_path / "records.sqlite", ("portal",))
    asked: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _k, text, given, *_: asked.append((text, given)))
    with database.read() as connection:
        for known in (None, NOW):
            holdings.line_at(connection, SIREN, on=TODAY, known=known)
            holdings.lines(connection, SIREN, known=known)
            holdings.lines_of_unit(connection, SIREN, known=known)
            holdings.lines_of_establishment(connection, SIRET, known=known)
            holdings.lines_of_platform(connection, "0003", known=known)
            holdings.legal_unit_of(connection, SIREN, known=known)
            holdings.establishment_of(connection, SIRET, known=known)
            holdings.establishments_of(connection, SIREN, known=known)
            holdings.routing_code_of(connection, SIRET, "A", known=known)
            holdings.routing_codes_of(connection, SIRET, known=known)
        list(holdings.versions(connection, LegalUnit, legal_unit.c.siren == SIREN))
        questions = asked[:]
        plans = [
            row.detail
            for text, given in questions
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)
        ]
    database.close()
    assert len(questions) == 22, "its beginning too"
    assert not [plan for plan in plans if plan.startswith("SCAN")]
    assert [plan for plan in plans if "directory_line_address" in plan]


class Life(RuleBasedStateMachine):
    """Any changes, by anyone, in any order: what is accepted keeps the directory sound, and the past stays."""

    database: Database
    count = 0

    def __init__(self) -> None:
        super().__init__()
        Life.count += 1
        self.siren = f"{300000000 + Life.count}"
        self.directory = Directory(self.database)
        with self.database.read() as connection:
            last = connection.execute(select(directory_change.c.recorded_at).order_by(directory_change.c.id.desc()))
            self.directory.now = max(NOW, last.scalars().first() or NOW)
        self.past: list[tuple[datetime, list[DirectoryLine]]] = []
        self.told(LegalUnit(siren=self.siren, name="N"))
        for matricule in ("0003", "0005"):
            self.platform(matricule, None)

    @property
    def today(self) -> date:
        """The day it is."""
        return paris_day(self.directory.now)

    def told(self, unit: LegalUnit) -> None:
        """The tax register says this."""
        self.directory.change(Source.TAX, "DGFIP", lambda register: register.put_unit(unit))

    def lines(self, known: datetime | None = None) -> list[DirectoryLine]:
        """The lines of the unit."""
        lines: list[DirectoryLine] = self.directory.read(
            lambda one: holdings.lines_of_unit(one, self.siren, known=known)
        )
        return lines

    @rule(
        author=st.sampled_from(["0003", "0005"]),
        matricule=st.sampled_from(["0003", "0005"]),
        ahead=st.integers(-2, 6),
        length=st.one_of(st.none(), st.integers(1, 6)),
        suffix=st.sampled_from([None, "A"]),
    )
    def define(self, author: str, matricule: str, ahead: int, length: int | None, suffix: str | None) -> None:
        """A platform defines a line."""
        start = self.today + ahead * DAY
        end = start + length * DAY if length else None
        asked = DirectoryLine(siren=self.siren, matricule=matricule, suffix=suffix, start=start, end=end)
        self.directory.ask(author, lambda register: register.define(asked))

    @precondition(lambda self: self.lines())
    @rule(author=st.sampled_from(["0003", "0005"]), data=st.data(), ahead=st.one_of(st.none(), st.integers(-1, 8)))
    def change(self, author: str, data: st.DataObject, ahead: int | None) -> None:
        """A platform masks or closes a line that is there."""
        held = data.draw(st.sampled_from(self.lines()))
        if ahead is None:
            self.directory.ask(author, lambda register: register.mask(held))
        else:
            self.directory.ask(author, lambda register: register.close(held.instance, self.today + ahead * DAY))

    @rule(is_taxable=st.booleans())
    def tax(self, *, is_taxable: bool) -> None:
        """The unit is taxable, or no longer."""
        self.told(LegalUnit(siren=self.siren, name="N", is_taxable=is_taxable))
        self.directory.change(Source.TAX, "DGFIP", lambda register: register.give_default(self.siren))

    @rule(matricule=st.sampled_from(["0003", "0005"]), ahead=st.one_of(st.none(), st.integers(-1, 4)))
    def platform(self, matricule: str, ahead: int | None) -> None:
        """A platform is registered, or until a day."""
        until = None if ahead is None else self.today + ahead * DAY
        tell(self.directory, platform(matricule, until))
        lapse(self.directory, matricule)

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        """Time passes; what is known now is remembered."""
        self.past.append((self.directory.now, self.lines()))
        self.directory.now += timedelta(hours=hours)

    @invariant()
    def no_two_lines_overlap(self) -> None:
        """Two definitions of one address have no day in common (G1.86)."""
        held = [one for one in self.lines() if one.nature == "D"]
        for at, one in enumerate(held):
            assert not [other for other in held[at + 1 :] if other.address == one.address and other.overlaps(one)]

    @invariant()
    def a_mask_never_resolves(self) -> None:
        """An address resolves to a definition that counts and covers the day, never to a masked line."""
        for one in self.lines():
            found = self.directory.line(one.address, one.start)
            assert (found is not None and found.instance == one.instance) == (one.nature == "D")

    @invariant()
    def the_past_stays(self) -> None:
        """What was known at a moment is what was read then."""
        for moment, known in self.past[-3:] + self.past[:1]:
            assert self.lines(known=moment) == known


def test_the_life_of_a_directory(tmp_path: Path) -> None:
    """Whatever is asked and in whatever order."""
    Life.database = open_database(tmp_path / "records.sqlite", ("portal",))
    run_state_machine_as_test(Life, settings=settings(max_examples=10, stateful_step_count=20, deadline=None))
    Life.database.close()
