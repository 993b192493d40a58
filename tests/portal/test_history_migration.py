"""A directory of before its history was kept is as it was, and its versions are told by the moment they were made."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from tests.postgresql import shared

from estafette.portal import holdings
from estafette.portal.register import Register, Source
from estafette.portal.tables import directory_change
from estafette.store import migrating
from estafette.store.columns import Instant
from estafette.store.database import Database, open_database

BEFORE, MONDAY, TUESDAY = (datetime(2026, 9, day, 8, tzinfo=UTC) for day in (6, 7, 8))
SIREN, SIRET = "100000009", "10000000900017"


def former(connection: sa.Connection, called: str, /, **row: Any) -> None:
    """A row of a table as it was."""
    moments = {"recorded_at", "defined_at"}
    days = {"start", "end", "registered_from"}
    kinds = {key: Instant() if key in moments else sa.Date() if key in days else sa.String() for key in row}
    kinds |= {"instance": sa.Integer()}
    table = sa.Table(called, sa.MetaData(), *(sa.Column(key, kinds[key]) for key in row))
    connection.execute(table.insert().values(**row))


def opened(where: Path | str) -> Database:
    """Open a store of the portal of before, with a few entries, brought to the version of the code."""
    database = open_database(where, ())
    history = migrating.configuration()
    with database.begin() as connection:
        history.attributes["connection"] = connection
        command.upgrade(history, "portal_reporting")
        former(
            connection, "legal_unit", siren=SIREN, instance=1, name="N", entity_type="A", status="A", diffusion="O",
            recorded_at=MONDAY,
        )  # fmt: skip
        former(
            connection, "establishment", siret=SIRET, instance=2, name="N", kind="P", status="A", diffusion="O",
            recorded_at=MONDAY,
        )  # fmt: skip
        former(
            connection, "receiving_platform", matricule="0003", instance=3, platform_type="PDP", name="P",
            application_code="PA0003", registered_from=date(2025, 1, 1), recorded_at=MONDAY,
        )  # fmt: skip
        line = {"nature": "D", "address": SIREN, "siren": SIREN, "start": date(2026, 9, 1), "matricule": "0003"}
        former(connection, "directory_line", **line, instance=4, defined_at=MONDAY)
        former(connection, "directory_line", **line, instance=5, end=date(2027, 1, 1), defined_at=TUESDAY)
    database.close()
    return open_database(where, ("portal",))


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_what_was_held_is_as_it_was(tmp_path: Path, engine: str) -> None:
    """Each entry is there, known since its moment; the versions of a line follow each other."""
    database = opened(tmp_path / "records.sqlite" if engine == "sqlite" else shared().url(shared().fresh()))
    with database.read() as connection:
        assert holdings.legal_unit_of(connection, SIREN, known=BEFORE) is None
        unit = holdings.legal_unit_of(connection, SIREN)
        assert unit is not None
        assert (unit.name, unit.is_taxable) == ("N", True)
        assert holdings.establishment_of(connection, SIRET) is not None
        assert [one.matricule for one in holdings.platforms(connection)] == ["0003"]
        ends = [
            held.end if (held := holdings.line_at(connection, SIREN, on=date(2026, 9, 9), known=known)) else "none"
            for known in (BEFORE, MONDAY, TUESDAY, None)
        ]
        assert ends == ["none", None, date(2027, 1, 1), date(2027, 1, 1)]
    with database.begin() as connection:
        register = Register(connection, at=TUESDAY, source=Source.OPENING, author="PPF")
        assert register.change() == 3
        assert connection.execute(sa.select(directory_change.c.id).order_by("id")).scalars().all() == [1, 2, 3]
    database.close()
