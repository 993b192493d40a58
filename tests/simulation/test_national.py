"""A made-up directory is the same for the same seed, sound, of national shape; it is loaded whole or not at all."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from stdnum.fr import siren, siret
from tests import postgresql

from estafette.portal import bulk, extract_contents, holdings
from estafette.portal.tables import directory_line, legal_unit
from estafette.simulation.national import CODE, COLUMNS, ESTABLISHMENT, LINE, UNIT, Shape, directory
from estafette.store.database import Database, open_database

SHAPE = Shape(lines=3000, masked=0.05)
AT = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give an empty store of a portal on each engine."""
    if request.param == "sqlite":
        opened = open_database(tmp_path / "records.sqlite", ("portal",), threaded=False)
    else:
        server = postgresql.shared()
        opened = open_database(server.url(server.fresh(), "portal"), ("portal",), threaded=False)
    yield opened
    opened.close()


def test_the_same_seed_gives_the_same_directory() -> None:
    """Two runs agree row by row; another seed gives another directory."""
    assert list(directory(SHAPE)) == list(directory(SHAPE))
    assert list(directory(SHAPE)) != list(directory(Shape(lines=3000, seed=2)))


def test_it_is_sound_and_has_the_shape_of_a_country() -> None:
    """Numbers have their keys and their order; every grain, default, public, past, coming and masked line is there."""
    rows: dict[str, list[Any]] = {}
    for table, row in directory(SHAPE):
        rows.setdefault(table, []).append(dict(zip(COLUMNS[table], row, strict=True)))
    units = [row["siren"] for row in rows[UNIT]]
    assert all(map(siren.is_valid, units))
    assert units == sorted(set(units))
    shops = [row["siret"] for row in rows[ESTABLISHMENT]]
    assert all(map(siret.is_valid, shops))
    assert {row["siret"] for row in rows[CODE]} <= set(shops)
    lines = rows[LINE]
    grains = {(row["siret"] is None, row["routing"] is None, row["suffix"] is None) for row in lines}
    assert len(grains) == 4
    assert {"9998", "9999"} <= {row["matricule"] for row in lines}
    assert {row["nature"] for row in lines} == {"D", "M"}
    assert any(row["start"] > SHAPE.today for row in lines)
    assert any(row["end"] and row["end"] <= SHAPE.today for row in lines)


def test_loaded_it_is_what_an_extract_shows(database: Database) -> None:
    """Every line that counts is in the directory, a masked one is not in force, and nothing is loaded over it."""
    rows = list(directory(SHAPE))
    counts = bulk.load(database, iter(rows), COLUMNS, at=AT, author="PPF")
    assert counts[LINE] == sum(table == LINE for table, _row in rows)
    told = [dict(zip(COLUMNS[LINE], row, strict=True)) for table, row in rows if table == LINE]
    expected = {
        (row["address"], row["start"])
        for row in told
        if row["nature"] == "D" and not row["known_until"] and (row["end"] is None or row["end"] > SHAPE.today)
    }
    with database.read() as connection:
        shown = list(extract_contents.full(connection, change=1, day=SHAPE.today))
        lines = [one.entry for one in shown if hasattr(one.entry, "matricule") and hasattr(one.entry, "start")]
        assert {(line.address, line.start) for line in lines} == expected
        held = next(row for row in told if row["nature"] == "D" and row["end"] is None and row["start"] < SHAPE.today)
        found = holdings.line_at(connection, held["address"], on=SHAPE.today)
        assert found is not None
        assert found.matricule == held["matricule"]
    with pytest.raises(bulk.NotEmpty):
        bulk.load(database, iter(rows), COLUMNS, at=AT, author="PPF")


def test_a_load_that_dies_is_done_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a load that died had written is no part of the next one."""
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 500)

    def dying() -> Iterator[tuple[str, Any]]:
        for number, row in enumerate(directory(SHAPE)):
            if number == 2000:
                raise OSError("the disk is full")
            yield row

    with pytest.raises(OSError, match="full"):
        bulk.load(database, dying(), COLUMNS, at=AT, author="PPF")
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(legal_unit)).scalar_one() > 0
    small = Shape(lines=100)
    counts = bulk.load(database, directory(small), COLUMNS, at=AT, author="PPF")
    with database.read() as connection:
        held = connection.execute(select(func.count()).select_from(directory_line)).scalar_one()
    assert held == counts[LINE]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_engine_plans_by_what_was_loaded(database: Database) -> None:
    """At once: a plan made for empty tables never ends on a country's directory. SQLite plans by the indexes alone."""
    bulk.load(database, directory(SHAPE), COLUMNS, at=AT, author="PPF")
    with database.read() as connection:
        known = "SELECT count(DISTINCT tablename) FROM pg_stats WHERE tablename IN ('legal_unit', 'directory_line')"
        assert connection.exec_driver_sql(known).scalar() == 2
