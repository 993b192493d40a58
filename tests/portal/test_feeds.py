"""The feeds of the directory: who enters it, who leaves it, whatever a file is and wherever its load was cut short."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.portal.feed_rows import HALL, LATER, MILL, PERSON, SHOP, place, taxed, unit, written
from tests.postgresql import shared

from estafette.directory import DirectoryLine, Establishment, ReceivingPlatform
from estafette.portal import feed_files, feeding, holdings
from estafette.portal.feed_files import Feed, WrongFile
from estafette.portal.feeding import Feeding, Report
from estafette.portal.register import Register, Source
from estafette.portal.tables import directory_change, directory_line
from estafette.store.database import Database, open_database
from estafette.values.limits import FEED_ROW_BYTES_MAX

TODAY = date(2026, 9, 3)
STORES = ("platform", "portal")


class Town:
    """A directory and its feeds, on a day that may be changed."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder, self.today = database, folder, TODAY
        self.feeding = Feeding(database, clock=self.clock, rejects=folder / "rejects")
        self._files = 0

    def clock(self) -> datetime:
        """Return noon of the day it is."""
        return datetime(self.today.year, self.today.month, self.today.day, 10, tzinfo=UTC)

    def load(self, feed: Feed, *rows: dict[str, str], **asked: Any) -> Report:
        """Load rows as a new file."""
        self._files += 1
        return self.feeding.load(written(self.folder / f"{self._files}.csv", rows), feed, **asked)

    def unit(self, siren: str) -> Any:
        """Return a legal unit."""
        with self.database.read() as connection:
            return holdings.legal_unit_of(connection, siren)

    def place(self, siret: str) -> Any:
        """Return an establishment."""
        with self.database.read() as connection:
            return holdings.establishment_of(connection, siret)

    def lines(self, siren: str) -> list[DirectoryLine]:
        """Return the lines of a unit, as they count."""
        with self.database.read() as connection:
            return holdings.lines_of_unit(connection, siren)

    def changes(self) -> int:
        """Count the changes of the directory."""
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(directory_change)).scalar_one()

    def define(self, **line: Any) -> int | None:
        """A platform has a line."""
        with self.database.begin() as connection:
            register = Register(connection, at=self.clock(), source=Source.OPENING, author="PPF")
            platform = ReceivingPlatform(matricule="0003", name="Relais", registered_from=date(2024, 1, 1))
            register.put_platform(platform)
            return register.define(DirectoryLine(matricule="0003", **line)).instance

    def put(self, one: Establishment) -> None:
        """Chorus Pro says what an establishment asks."""
        with self.database.begin() as connection:
            Register(connection, at=self.clock(), source=Source.CHORUS_PRO, author="9999").put_establishment(one)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store with its tables, to be copied."""
    file = tmp_path_factory.mktemp("empty") / "records.sqlite"
    open_database(file, STORES, threaded=False).close()
    return file


@pytest.fixture
def here(tmp_path: Path, empty: Path) -> Iterator[Town]:
    """Give an empty directory where the engine does not matter."""
    database = open_database(Path(shutil.copy(empty, tmp_path)), STORES, threaded=False)
    yield Town(database, tmp_path)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path: Path, empty: Path) -> Iterator[Town]:
    """Give an empty directory, on each engine."""
    where: Path | str = Path(shutil.copy(empty, tmp_path))
    if request.param == "postgresql":
        where = shared().url(shared().fresh("feeds", lambda name: open_database(shared().url(name), STORES).close()))
    database = open_database(where, STORES, threaded=False)
    yield Town(database, tmp_path)
    database.close()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part of a load is two rows (FEED_CHUNK_ROWS)."""
    monkeypatch.setattr(feeding, "FEED_CHUNK_ROWS", 2)


# --------------------------------------------------------------------------------------------------------- who is there


def test_a_company_is_known_then_shown(town: Town) -> None:
    """The national register makes it known; the tax register has it shown, under its default line, from that day."""
    assert town.load(Feed.STOCK, unit(SHOP, "ÉPICERIE")).added == 1
    assert (town.unit(SHOP).name, town.unit(SHOP).is_taxable, town.lines(SHOP)) == ("ÉPICERIE", False, [])
    assert town.load(Feed.TAX, taxed(SHOP)).added == 1
    (line,) = town.lines(SHOP)
    assert town.unit(SHOP).is_taxable
    assert (line.address, line.matricule, line.start, line.end) == (SHOP, "9998", TODAY, None)


def test_the_tax_register_may_come_first(here: Town) -> None:
    """What it says of a unit that is not known yet is kept until it is."""
    here.load(Feed.TAX, taxed(SHOP), taxed(MILL, "N"))
    assert here.unit(SHOP) is None
    here.load(Feed.STOCK, unit(SHOP), unit(MILL))
    assert [line.matricule for line in here.lines(SHOP)] == ["9998"]
    assert (here.unit(MILL).is_taxable, here.lines(MILL)) == (False, [])


def test_a_line_that_is_there_needs_no_default(here: Town) -> None:
    """A unit that a platform has an address for gets no default one beside it."""
    here.load(Feed.STOCK, unit(SHOP))
    here.define(siren=SHOP, start=date(2026, 1, 1))
    here.load(Feed.TAX, taxed(SHOP))
    assert [line.matricule for line in here.lines(SHOP)] == ["0003"]


def test_a_public_entity(here: Town) -> None:
    """A public entity is there whether taxable or not, and its lines come from Chorus Pro."""
    here.load(Feed.STOCK, unit(HALL, categorieJuridiqueUniteLegale="7210"))
    assert (here.unit(HALL).entity_type, here.lines(HALL)) == ("P", [])
    here.load(Feed.TAX, taxed(HALL))
    assert here.lines(HALL) == []


def test_what_ceased_before_it_was_known(here: Town) -> None:
    """A unit or an establishment that ceased and never was in the directory does not enter it."""
    report = here.load(Feed.STOCK, unit(SHOP, etatAdministratifUniteLegale="C"), unit(MILL))
    assert (report.added, report.passed, here.unit(SHOP)) == (1, 1, None)
    siret = f"{MILL}00017"
    assert here.load(Feed.STOCK, place(siret, etatAdministratifEtablissement="F")).passed == 1
    assert here.place(siret) is None


def test_an_establishment(town: Town) -> None:
    """It bears its unit's name where it has none, and follows it when that changes; its own name stays."""
    town.load(Feed.STOCK, unit(SHOP, "ÉPICERIE"))
    own = place(f"{SHOP}00025", enseigne1Etablissement="LA RÉSERVE", etablissementSiege="false")
    town.load(Feed.STOCK, place(f"{SHOP}00017"), own)
    held = town.place(f"{SHOP}00017")
    assert (held.name, held.kind, held.line_1, held.postal_code, held.country) == (
        "ÉPICERIE", "P", "8 RUE DU MAIL", "69002", "FR",
    )  # fmt: skip
    town.load(Feed.DAILY, unit(SHOP, "ÉPICERIE FINE", dateDernierTraitementUniteLegale=LATER))
    names = [town.place(f"{SHOP}{nic}").name for nic in ("00017", "00025")]
    assert names == ["ÉPICERIE FINE", "LA RÉSERVE"]


def test_an_establishment_of_nobody(here: Town) -> None:
    """An active establishment of an unknown unit is refused, and says what to load first."""
    report = here.load(Feed.STOCK, place(f"{SHOP}00017"))
    assert [(row["line"], row["field"], row["seen"]) for row in report.first_rejects] == [(2, "siret", f"{SHOP}00017")]


def test_what_chorus_pro_says_stays(here: Town) -> None:
    """The national register leaves alone what a public establishment asks of invoices."""
    siret = f"{HALL}00014"
    here.load(Feed.STOCK, unit(HALL, categorieJuridiqueUniteLegale="7210"))
    here.load(Feed.STOCK, place(siret))
    flags = dict.fromkeys(
        ("commitment_required", "service_required", "commitment_or_service_required", "is_contracting_authority",
         "is_contracting_authority_only", "manages_payment_status"), False,
    )  # fmt: skip
    here.put(replace(here.place(siret), **flags | {"service_required": True}))
    later = {"dateDernierTraitementEtablissement": LATER, "libelleVoieEtablissement": "NEUVE"}
    assert here.load(Feed.DAILY, place(siret, **later)).changed == 1
    assert (here.place(siret).line_1, here.place(siret).service_required) == ("8 RUE NEUVE", True)


# ------------------------------------------------------------------------------------------------------------ leaving


def shown(town: Town, *, end: date | None = None) -> None:
    """A company is shown, with a line in force and one to come, on a platform."""
    town.load(Feed.STOCK, unit(SHOP))
    town.load(Feed.STOCK, place(f"{SHOP}00017"))
    town.define(siren=SHOP, start=date(2026, 1, 1), end=end)
    town.define(siren=SHOP, siret=f"{SHOP}00017", start=date(2026, 12, 1))
    town.load(Feed.TAX, taxed(SHOP))


def test_a_unit_ceases(town: Town) -> None:
    """Its line in force ends today, the one to come is masked; nothing is lost of its history."""
    shown(town)
    ceased = {"etatAdministratifUniteLegale": "C", "dateDernierTraitementUniteLegale": LATER}
    town.load(Feed.DAILY, unit(SHOP, "", **ceased | {"denominationUniteLegale": ""}))
    now, later = town.lines(SHOP)
    assert (town.unit(SHOP).status, town.unit(SHOP).name) == ("I", f"Société {SHOP}")
    assert (now.end, now.effective_end, later.nature) == (None, TODAY, "M")
    with town.database.read() as connection:
        versions = connection.execute(select(func.count()).select_from(directory_line)).scalar_one()
    assert versions == 4


def test_a_unit_comes_back(here: Town) -> None:
    """A unit that ceased and is active again has its default line again."""
    here.load(Feed.TAX, taxed(SHOP))
    here.load(Feed.STOCK, unit(SHOP))
    stop = {"etatAdministratifUniteLegale": "C", "dateDernierTraitementUniteLegale": LATER}
    here.load(Feed.DAILY, unit(SHOP, **stop))
    assert here.lines(SHOP)[0].effective_end == TODAY
    here.today = date(2026, 9, 10)
    here.load(Feed.DAILY, unit(SHOP, dateDernierTraitementUniteLegale="2026-09-09T10:00:00"))
    before, after = here.lines(SHOP)
    assert (before.end, after.matricule, after.start, after.end) == (TODAY, "9998", here.today, None)
    here.load(Feed.TAX, taxed(SHOP, "N", "2026-09-10"))
    here.today = date(2026, 9, 12)
    here.load(Feed.TAX, taxed(SHOP, "A", "2026-09-12"))
    assert [line.end for line in here.lines(SHOP)] == [TODAY, date(2026, 9, 10), None]


def test_an_establishment_closes(here: Town) -> None:
    """Its own lines end or are masked, those of the unit stay."""
    shown(here)
    closed = {"etatAdministratifEtablissement": "F", "dateDernierTraitementEtablissement": LATER}
    here.load(Feed.DAILY, place(f"{SHOP}00017", **closed))
    now, later = here.lines(SHOP)
    assert (now.effective_end, later.nature, here.unit(SHOP).status) == (None, "M", "A")


def test_no_longer_taxable(town: Town) -> None:
    """A loss to come is kept, and applied on its day; the lines in force end then, those to come are masked."""
    shown(town)
    town.load(Feed.TAX, taxed(SHOP, "N", "2026-09-20"))
    assert town.unit(SHOP).is_taxable and town.feeding.settle() == 0
    town.today = date(2026, 9, 20)
    assert town.feeding.settle() == 1
    now, later = town.lines(SHOP)
    assert (town.unit(SHOP).is_taxable, now.effective_end, later.nature) == (False, town.today, "M")
    assert town.feeding.settle() == 0


def test_changes_of_the_tax_register_in_any_order(here: Town) -> None:
    """What holds today is what the latest day that has come says, whichever row came last."""
    here.load(Feed.STOCK, unit(SHOP), unit(MILL))
    here.load(Feed.TAX, taxed(SHOP, "N", "2026-08-01"), taxed(MILL, "A", "2026-08-01"))
    here.load(Feed.TAX, taxed(SHOP, "A", "2026-01-01"), taxed(MILL, "N", "2026-01-01"))
    assert (here.unit(SHOP).is_taxable, here.unit(MILL).is_taxable) == (False, True)
    here.load(Feed.TAX, taxed(MILL, "N", "2026-08-01"))
    assert not here.unit(MILL).is_taxable


# ------------------------------------------------------------------------------------------------------ twice is once


def test_twice_is_once(town: Town) -> None:
    """A file is loaded once; its rows in another file change nothing, and are no change of the directory."""
    rows = [unit(SHOP), unit(MILL)]
    file = written(town.folder / "stock.csv", rows)
    town.load(Feed.TAX, taxed(SHOP))
    assert town.feeding.load(file, Feed.STOCK).added == 2
    before = town.changes()
    assert town.feeding.load(file, Feed.STOCK).already_loaded
    again = town.load(Feed.STOCK, *reversed(rows))
    assert (again.same, again.changed, again.added) == (2, 0, 0)
    assert town.load(Feed.TAX, taxed(SHOP), taxed(SHOP)).same == 2
    assert town.changes() == before


def test_late_and_out_of_order(town: Town) -> None:
    """What is older than what is known changes nothing: a daily file after a later one, or after the stock."""
    town.load(Feed.STOCK, unit(SHOP, "STOCK"))
    old = unit(SHOP, "OLD", dateDernierTraitementUniteLegale="2026-08-01T00:00:00")
    assert town.load(Feed.DAILY, old).passed == 1
    town.load(Feed.DAILY, unit(SHOP, "NEW", dateDernierTraitementUniteLegale=LATER))
    between = unit(SHOP, "BETWEEN", dateDernierTraitementUniteLegale="2026-09-01T10:00:00")
    assert town.load(Feed.DAILY, between).passed == 1
    assert town.load(Feed.STOCK, unit(SHOP, "STOCK AGAIN")).passed == 1
    assert town.unit(SHOP).name == "NEW"


class Killed(Exception):
    """The process is gone."""


@pytest.mark.usefixtures("small")
def test_a_load_that_is_cut_short_goes_on(town: Town) -> None:
    """Killed after any part, a load goes on after it; the directory and the refused rows are those of one load."""
    sirens = [f"{number:09}" for number in range(100000000, 100000009)]
    rows = [unit(siren) for siren in sirens]
    rows[3]["statutDiffusionUniteLegale"] = rows[6]["statutDiffusionUniteLegale"] = "?"
    file = written(town.folder / "stock.csv", rows)

    def kill(_report: Report) -> None:
        raise Killed

    for _part in range(3):
        with pytest.raises(Killed):
            town.feeding.load(file, Feed.STOCK, say=kill)
    (rejects,) = (town.folder / "rejects").iterdir()
    with rejects.open("a") as stream:
        stream.write('{"line": 8, "fie')  # the machine stopped there
    last = town.feeding.load(file, Feed.STOCK)
    assert (last.resumed_after, last.rows, last.share) == (7, 3, 1.0)
    assert [town.unit(siren) is not None for siren in sirens].count(True) == 7
    kept = [json.loads(line) for line in Path(str(last.rejects)).read_text().splitlines()]
    assert [row["line"] for row in kept] == [5, 8]
    assert town.feeding.load(file, Feed.STOCK).already_loaded


def test_a_dry_run_writes_nothing(here: Town) -> None:
    """It counts what would be done, and the file may then be loaded."""
    file = written(here.folder / "stock.csv", [unit(SHOP), unit(MILL) | {"siren": "x"}])
    dry = here.feeding.load(file, Feed.STOCK, is_dry=True)
    assert (dry.added, dry.rejected, dry.rejects, here.unit(SHOP), here.changes()) == (1, 1, None, None, 0)
    assert here.feeding.load(file, Feed.STOCK).added == 1


# ------------------------------------------------------------------------------------------------------ kinds of files


def zipped(file: Path, *names: str) -> Path:
    """Put a file in an archive, under these names."""
    archive = file.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            made.write(file, name)
    return archive


def test_a_zip(here: Town) -> None:
    """The files of data.gouv.fr are zipped; several in one archive are refused."""
    file = written(here.folder / "StockUniteLegale_utf8.csv", [unit(SHOP), unit(MILL)])
    assert here.feeding.load(zipped(file, file.name), Feed.STOCK).added == 2
    with pytest.raises(WrongFile, match="un seul fichier"):
        here.feeding.load(zipped(file, "a.csv", "b.csv"), Feed.STOCK)


def answer(*rows: dict[str, str]) -> dict[str, Any]:
    """Give an answer of the API with these units."""
    outer = ("siren", "statutDiffusionUniteLegale", "dateDernierTraitementUniteLegale")
    return {
        "header": {"statut": 200},
        "unitesLegales": [
            {name: row[name] for name in outer} | {"periodesUniteLegale": [{"dateFin": None, **row}]} for row in rows
        ],
    }


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(answer(unit(SHOP), unit(MILL))),
        json.dumps(answer(unit(SHOP), unit(MILL)), indent=2),
        json.dumps(answer(unit(SHOP))) + "\n\n" + json.dumps(answer(unit(MILL))) + "\n",
    ],
    ids=["one answer", "indented", "an answer a line"],
)
def test_answers_of_the_api(here: Town, text: str) -> None:
    """A day of changes is what the API answered, a page a line or alone."""
    file = here.folder / "day.json"
    file.write_text(text)
    assert here.feeding.load(file, Feed.DAILY).added == 2


BAD: dict[str, tuple[bytes, int, str]] = {
    "too few columns": (b"100000009,O\n", 3, "*"),
    "not UTF-8": (b"100000009,O,A,5710,\xe9picerie,,,,,,,2026-01-01\n", 3, "*"),
    "without end": (b"9" * 70_000 + b"\n", 3, "*"),
    "an open quote": (b'100000009,O,A,5710,"EPICERIE,,,,,,,2026-01-01\n', 3, "*"),
    "an unknown state": (b"100000009,O,Z,5710,EPICERIE,,,,,,,2026-01-01\n", 3, "etatAdministratifUniteLegale"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_line_harms_no_other(here: Town, case: str) -> None:
    """The lines around a bad one are loaded; it is told with its number and kept."""
    raw, line, field = BAD[case]
    file = written(here.folder / "stock.csv", [unit(MILL), unit(PERSON)])
    head, first, second = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(head + first + raw + second)
    report = here.feeding.load(file, Feed.STOCK)
    assert (report.added, report.rejected) == (2, 1)
    assert [(row["line"], row["field"]) for row in report.first_rejects] == [(line, field)]
    assert json.loads(Path(str(report.rejects)).read_text())["fr"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"siren,nom\n1,2\n", b"{", b'{"unitesLegales": 3}', b"[]", b"PK\x05\x06" + bytes(18)],
    ids=["empty", "binary", "other columns", "half", "other answer", "a list", "empty archive"],
)
@pytest.mark.parametrize("feed", list(Feed))
def test_a_file_that_is_none(here: Town, feed: Feed, content: bytes) -> None:
    """A file of another kind is refused before anything is written."""
    file = here.folder / "some.csv"
    file.write_bytes(content)
    with pytest.raises(WrongFile):
        here.feeding.load(file, feed)
    assert here.changes() == 0


def test_semicolons_and_a_mark(here: Town) -> None:
    """A file of a spreadsheet is read too."""
    file = here.folder / "tax.csv"
    file.write_text("\ufeffsiren;statut;date_effet\r\n100000009;A;2026-01-01\r\n", newline="")
    assert here.feeding.load(file, Feed.TAX).added == 1


def test_the_longest_row(here: Town) -> None:
    """A row of the longest is taken, one byte more is not."""
    file = written(here.folder / "stock.csv", [unit(SHOP), unit(MILL)])
    head, *rows = file.read_bytes().splitlines(keepends=True)
    long = [row.replace(b",5710,", b",5710" + b"0" * (FEED_ROW_BYTES_MAX + more - len(row)) + b",")
            for more, row in enumerate(rows)]  # fmt: skip
    assert [len(row) - FEED_ROW_BYTES_MAX for row in long] == [0, 1]
    file.write_bytes(head + b"".join(long))
    report = here.feeding.load(file, Feed.STOCK)
    assert (report.added, [row["line"] for row in report.first_rejects]) == (1, [3])


@pytest.mark.parametrize(("name", "text"), [("FEED_LINE_BYTES_MAX", "{}"), ("FEED_ANSWER_BYTES_MAX", "{\n}")])
def test_the_longest_answer(here: Town, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """An answer of the longest is taken, on one line or several; one byte more is not."""
    monkeypatch.setattr(feed_files, name, 1000)
    inner = json.dumps(answer(unit(SHOP)))[1:-1]
    for more, is_taken in ((0, True), (1, False)):
        file = here.folder / f"{name}{more}.json"
        room = " " * (1000 + more - len(inner) - len(text))
        file.write_text(text.replace("}", f"{inner}{room}}}"))
        if is_taken:
            assert here.feeding.load(file, Feed.DAILY).rows == 1
        else:
            with pytest.raises(WrongFile):
                here.feeding.load(file, Feed.DAILY)


def test_memory_is_that_of_a_part(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the file, no more rows are held at once than one part has."""
    monkeypatch.setattr(feeding, "FEED_CHUNK_ROWS", 50)
    file = written(here.folder / "stock.csv", (unit(f"{number:09}") for number in range(1000)))
    sizes: list[int] = []
    apply: Callable[..., Any] = feeding.feeds.apply

    def counted(register: Register, feed: Feed, chunk: list[Any]) -> Any:
        sizes.append(len(chunk))
        return apply(register, feed, chunk)

    monkeypatch.setattr(feeding.feeds, "apply", counted)
    assert here.feeding.load(file, Feed.STOCK).added == 1000
    assert sizes == [50] * 20
