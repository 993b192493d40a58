"""The copy of the directory: all that an export carries, nothing of the one before, nothing that is withheld."""

from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.formats.directory import Header, Presence, write, write_export
from estafette.formats.directory_entries import Entry
from estafette.formats.xml import Unreadable
from estafette.platform.mirror import Mirror
from estafette.platform.mirror_loading import ROWS_AT_ONCE
from estafette.platform.mirror_tables import mirror_establishment, mirror_line, mirror_routing_code, mirror_unit
from estafette.store.database import Database, open_database

PRODUCED = datetime(2026, 9, 1, 1, 0, tzinfo=UTC)
SIREN, SIRET = "100000009", "10000000900017"
UNIT = LegalUnit(siren=SIREN, name="Épicerie Noël", diffusion="P")
SHOP = Establishment(
    siret=SIRET, name="Épicerie Noël", diffusion="P", line_1="12 rue Cachée", city="Nantes", postal_code="44000"
)
DESK = RoutingCode(siret=SIRET, code="COMPTA", name="Comptabilité", line_1="12 rue Cachée", city="Nantes")
HALL = Establishment(
    siret="40000000600009", name="Mairie", line_2="2 place", commitment_required=False, service_required=True,
    commitment_or_service_required=False, is_contracting_authority=True, is_contracting_authority_only=False,
    manages_payment_status=True,
)  # fmt: skip
PLATFORM = ReceivingPlatform(matricule="0003", name="Relais", registered_from=date(2024, 1, 1), trade_name="R")
LINE = DirectoryLine(
    siren=SIREN, siret=SIRET, routing_code="COMPTA", matricule="0003", start=date(2024, 1, 1), instance=1
)
WHOLE: tuple[Entry, ...] = (UNIT, SHOP, HALL, DESK, PLATFORM, LINE)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Give an empty store of a platform."""
    return open_database(tmp_path / "records.sqlite", ("platform",), threaded=False)


def load(database: Database, *entries: Entry) -> None:
    """The copy is these entries."""
    with database.begin() as connection:
        Mirror().load(connection, write(entries, produced_at=PRODUCED))


def rows(database: Database, table: Table) -> list[dict[str, object]]:
    """Return what a table of the copy holds."""
    with database.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def test_all_that_an_export_carries_is_kept(database: Database) -> None:
    """Units, establishments with their flags, routing codes, platforms and lines are as they were sent."""
    load(database, *WHOLE)
    (unit,) = rows(database, mirror_unit)
    assert unit == {
        "siren": SIREN, "name": "Épicerie Noël", "entity_type": "A", "status": "A", "diffusion": "P",
        "folded_name": "epicerie noel", "generation": 1, "instance": 0,
    }  # fmt: skip
    shop, hall = rows(database, mirror_establishment)
    assert (shop["siren"], shop["line_1"], shop["service_required"]) == (SIREN, "12 rue Cachée", None)
    assert (hall["service_required"], hall["commitment_required"], hall["manages_payment_status"]) == (
        True, False, True,
    )  # fmt: skip
    (line,) = rows(database, mirror_line)
    assert (line["address"], line["routing"]) == (f"{SIREN}_{SIRET}_COMPTA", "COMPTA")


def test_what_is_withheld_cannot_be_looked_for(database: Database) -> None:
    """The street of a partly diffusible establishment is searched neither by it nor by its routing codes."""
    load(database, *WHOLE)
    shop, hall = rows(database, mirror_establishment)
    assert (shop["folded_street"], hall["folded_street"]) == ("", "2 place")
    (desk,) = rows(database, mirror_routing_code)
    assert (desk["folded_street"], desk["diffusion"], desk["folded_city"]) == ("", "P", "nantes")


def test_the_copy_before_is_forgotten(database: Database) -> None:
    """What the next export does not name is no longer there."""
    load(database, *WHOLE)
    load(database, HALL)
    assert rows(database, mirror_unit) == []
    assert [one["siret"] for one in rows(database, mirror_establishment)] == [HALL.siret]


def test_more_than_one_statement_holds(database: Database) -> None:
    """Entries past the size of one statement are all there, each once."""
    count = 2 * ROWS_AT_ONCE + 1
    lines = [
        DirectoryLine(siren=SIREN, suffix=f"S{number}", matricule="0003", start=date(2024, 1, 1), instance=number)
        for number in range(1, count + 1)
    ]
    load(database, *lines)
    with database.read() as connection:
        assert connection.execute(select(func.count(mirror_line.c.address.distinct()))).scalar_one() == count


def test_a_reader_sees_one_copy_or_the_other(database: Database) -> None:
    """While a load is under way, and when it fails, readers have the copy as it was."""
    load(database, *WHOLE)
    stream = BytesIO()
    write_export(stream, Header(PRODUCED), (Presence(HALL) for _ in range(1)))
    damaged = stream.getvalue()[:-20]
    with pytest.raises(Unreadable), database.begin() as connection:
        Mirror().load(connection, damaged)
    assert len(rows(database, mirror_line)) == 1
    with database.begin() as connection:
        Mirror().load(connection, write([HALL], produced_at=PRODUCED))
        assert len(rows(database, mirror_line)) == 1
    assert rows(database, mirror_line) == []
