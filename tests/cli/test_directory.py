"""`estafette directory load`: whoever holds the portal's data feeds its directory, and hears of every row refused."""

import json
import subprocess
import sys
from contextlib import closing, suppress
from datetime import date
from pathlib import Path

import pytest
from tests.portal.feed_rows import MILL, SHOP, place, taxed, unit, written
from typer.testing import CliRunner, Result

from estafette.cli import app
from estafette.portal import holdings
from estafette.store.database import DRIVER, open_database
from estafette.values.limits import FEED_CHUNK_ROWS

STORES = ("platform", "portal")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder with a portal in it."""
    (tmp_path / "portal").mkdir()
    open_database(tmp_path / "portal" / "records.sqlite", STORES, threaded=False).close()
    return tmp_path


def run(data: Path, *words: str, code: int = 0) -> Result:
    """Run the verb; return what it says."""
    done = CliRunner().invoke(app, ["directory", "load", *words, "--data", str(data)])
    assert done.exit_code == code, done.output
    return done


def test_three_feeds(data: Path) -> None:
    """A company enters by the national register and is shown by the tax register; the counts are told in JSON."""
    units = written(data / "units.csv", [unit(SHOP), unit(MILL)])
    shops = written(data / "shops.csv", [place(f"{SHOP}00017")])
    taxable = written(data / "tax.csv", [taxed(SHOP)])
    first, second = json.loads(run(data, "sirene-stock", str(units), str(shops), "--json").stdout)
    assert [(one["rows"], one["added"], one["rejected"]) for one in (first, second)] == [(2, 2, 0), (1, 1, 0)]
    run(data, "tax", str(taxable))
    opened = open_database(data / "portal" / "records.sqlite", STORES, threaded=False)
    with opened.read() as connection:
        (line,) = holdings.lines_of_unit(connection, SHOP)
    opened.close()
    assert (line.matricule, line.start <= date.today()) == ("9998", True)  # noqa: DTZ011
    assert "déjà chargé / already loaded" in run(data, "tax", str(taxable)).stdout


def test_rows_refused(data: Path) -> None:
    """Exit code 1; each row with its line, column, what was seen and expected; all of them in a file."""
    file = written(data / "units.csv", [unit(SHOP), unit(MILL) | {"siren": "30000000X"}])
    done = run(data, "sirene-stock", str(file), code=1)
    assert "units.csv:3  siren  '30000000X'  9 chiffres attendus / 9 digits expected" in done.stderr
    kept = next((data / "portal" / "rejects").iterdir())
    assert str(kept) in done.stderr.replace("\n", "")
    assert json.loads(kept.read_text())["line"] == 3


def test_a_dry_run(data: Path) -> None:
    """Nothing is written, and the same is counted."""
    file = written(data / "units.csv", [unit(SHOP)])
    for _time in range(2):
        (report,) = json.loads(run(data, "sirene-stock", str(file), "--dry-run", "--json").stdout)
        assert (report["added"], report["already_loaded"]) == (1, False)


def test_what_cannot_be(data: Path, tmp_path: Path) -> None:
    """An unknown feed, no file, another kind of file, no portal: one line that says so, exit code 2."""
    file = written(data / "units.csv", [unit(SHOP)])
    (data / "other.csv").write_text("a,b\n1,2\n")
    for words, said in (
        (("sirene", str(file)), "sirene-stock, sirene-daily, tax"),
        (("tax", str(data / "none.csv")), "introuvable / not found"),
        (("tax", str(data / "other.csv")), "siren, statut, date_effet"),
    ):
        lines = run(data, *words, code=2).stderr.splitlines()
        assert len(lines) == 1 and said in lines[0]
    assert "estafette up" in run(tmp_path / "nowhere", "tax", str(file), code=2).stderr


@pytest.mark.kill
def test_killed_and_begun_again(data: Path) -> None:
    """Killed with rows behind it and rows to come, a load goes on where it was: the directory is that of one load."""
    rows = 2 * FEED_CHUNK_ROWS + 1
    file = written(data / "units.csv", (unit(f"{100_000_000 + number}") for number in range(rows)))
    records = data / "portal" / "records.sqlite"
    command = [sys.executable, "-m", "estafette", "directory", "load", "sirene-stock", str(file), "--data", str(data)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None and not one(records, "SELECT max(line) FROM feed_load"):
        with suppress(subprocess.TimeoutExpired):
            running.wait(0.01)
    running.kill()
    running.wait()
    before = one(records, "SELECT count(*) FROM legal_unit")
    (report,) = json.loads(run(data, "sirene-stock", str(file), "--json").stdout)
    assert before in (FEED_CHUNK_ROWS, 2 * FEED_CHUNK_ROWS, rows)
    assert (report["added"], report["already_loaded"]) == (rows - before, before == rows)
    assert one(records, "SELECT count(*) FROM legal_unit") == rows
    assert one(records, "SELECT count(DISTINCT siren) FROM legal_unit") == rows


def one(records: Path, query: str) -> int:
    """Return one number of the store, zero where there is none."""
    with closing(DRIVER.connect(f"file:{records}?mode=ro", uri=True)) as connection:
        return int(connection.execute(query).fetchone()[0] or 0)
