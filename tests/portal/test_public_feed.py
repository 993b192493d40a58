"""The public entities of the directory: what their establishments ask, their services, their lines at Chorus Pro."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.platform.test_controls import faults
from tests.platform.world import TOWN, World, document
from tests.portal.feed_rows import HALL, SHOP, place, taxed, unit
from tests.portal.test_feeds import Town, empty, here

from estafette.directory import DirectoryLine
from estafette.formats import read
from estafette.portal import directory_upkeep, extracts, holdings
from estafette.portal.feed_files import Feed
from estafette.portal.feeding import Feeding, Report

__all__ = ["empty", "here"]

HEADER = "siret,code,nom,etat,engagement,service,engagement_ou_service,moa,moa_uniquement,mise_en_paiement"
SIRET = f"{HALL}00014"


def told(town: Town, *rows: str) -> Report:
    """Chorus Pro has told these rows."""
    file = town.folder / "entities.csv"
    file.write_text("\n".join((HEADER, *rows)) + "\n")
    return town.feeding.load(file, Feed.CHORUS_PRO)


def asks(siret: str = SIRET, *, only_works: str = "N") -> str:
    """Give the row of an establishment that asks for a service, and takes invoices of works or of works only."""
    return f"{siret},,,,N,O,N,O,{only_works},O"


def lines(town: Town) -> dict[str, tuple[str, DirectoryLine]]:
    """Return the lines of the public entity that count: the last of each address, and where it leads today."""
    return {line.address: (line.matricule, line) for line in town.lines(HALL) if line.nature == "D"}


@pytest.fixture
def hall(here: Town) -> Town:
    """Give a directory with an entity that the national register takes for a private one, and its establishment."""
    here.load(Feed.TAX, taxed(HALL))
    here.load(Feed.STOCK, unit(HALL))
    here.load(Feed.STOCK, place(SIRET))
    assert [line.matricule for line in here.lines(HALL)] == ["9998"]
    return here


def test_an_entity_and_its_services(hall: Town) -> None:
    """It is public, its default line is gone, its establishment and its service are received by Chorus Pro; once."""
    rows = (asks(), f"{SIRET},VOIRIE,Service de la voirie,A,O,,,,,")
    assert (told(hall, *rows).changed, hall.unit(HALL).entity_type) == (2, "P")
    assert {address: matricule for address, (matricule, _line) in lines(hall).items()} == {
        f"{HALL}_{SIRET}": "9999",
        f"{HALL}_{SIRET}_VOIRIE": "9999",
    }
    held = hall.place(SIRET)
    assert held.public_flags == (False, True, False, True, False, True)
    with hall.database.read() as connection:
        code = holdings.routing_code_of(connection, SIRET, "VOIRIE")
    assert code is not None and (code.name, code.commitment_required) == ("Service de la voirie", True)
    changes = hall.changes()
    again = told(hall, *rows, "")
    assert (again.same, again.changed, hall.changes()) == (2, 0, changes)
    hall.load(Feed.DAILY, unit(HALL, "MAIRIE", dateDernierTraitementUniteLegale="2026-09-02T10:00:00"))
    assert hall.unit(HALL).entity_type == "P", "what Chorus Pro says is not undone by the national register"


def test_one_letter_in_a_large_file(hall: Town) -> None:
    """A file of the same size that says otherwise in its middle is another file."""
    padding = [f"{number:014},,,,N,O,N,O,N,O" for number in range(60_000)]
    told(hall, *padding, asks(), *padding)
    assert told(hall, *padding, asks(), *padding).already_loaded
    report = told(hall, *padding, asks(only_works="O"), *padding)
    assert (report.already_loaded, report.changed) == (False, 1)
    assert hall.place(SIRET).is_contracting_authority_only


def test_a_service_closed_by_mistake(hall: Town) -> None:
    """Open again the same day, before its line ended, it keeps it."""
    rows = [f"{SIRET},VOIRIE,Voirie,{state},N,,,,," for state in "AIA"]
    told(hall, asks(), rows[0])
    told(hall, rows[1])
    told(hall, rows[2], "")
    assert lines(hall)[f"{HALL}_{SIRET}_VOIRIE"][1].end is None


def test_works_only_and_back(hall: Town) -> None:
    """An establishment that only takes invoices of works is over, and its services; later it has its lines again."""
    service = f"{SIRET},VOIRIE,Voirie,A,N,,,,,"
    told(hall, asks(), service)
    told(hall, asks(only_works="O"), service)
    assert {line.effective_end for _matricule, line in lines(hall).values()} == {hall.today}
    stopped, hall.today = hall.today, hall.today.replace(day=hall.today.day + 5)
    told(hall, asks(), service)
    found = [(line.start, line.end) for line in hall.lines(HALL) if line.nature == "D"]
    assert found == [(stopped, stopped), (hall.today, None)] * 2


def test_a_service_that_closes(hall: Town) -> None:
    """Its line is over the next day (DT-5-2), that of the establishment goes on."""
    told(hall, asks(), f"{SIRET},VOIRIE,Voirie,A,N,,,,,")
    told(hall, f"{SIRET},VOIRIE,Voirie,I,N,,,,,")
    held = lines(hall)
    assert held[f"{HALL}_{SIRET}"][1].end is None
    assert held[f"{HALL}_{SIRET}_VOIRIE"][1].end == hall.today.replace(day=hall.today.day + 1)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("1,,,,N,N,N,N,N,N", "siret"),
        (f"{SIRET},,,I,N,N,N,N,N,N", "etat"),
        (f"{SIRET},,,,N,N,N,N,,N", "moa_uniquement"),
        (f"{SIRET},,,,N,1,N,N,N,N", "service"),
        (f"{SIRET},A B,Nom,A,N,,,,,", "code"),
        (f"{SIRET},A,,A,N,,,,,", "nom"),
        (f"{SIRET},A,Nom,X,N,,,,,", "etat"),
        (f"{SIRET},A,Nom,A,,,,,,", "engagement"),
        (f"{SIRET},A,Nom,A,N,O,,,,", "service"),
        (f"{SIRET},A,Nom,A,N", "*"),
        (f"{SHOP}00017,,,,N,N,N,N,N,N", "siret"),
        (f"{SIRET},A,Nom,A,N,,,,,", "siret"),
    ],
)
def test_rows_that_are_refused(hall: Town, row: str, field: str) -> None:
    """A row says which of its columns is wrong, what was seen and what is expected; the others are taken."""
    report = told(hall, row, asks())
    assert [(reject["line"], reject["field"]) for reject in report.first_rejects] == [(2, field)]
    assert all(report.first_rejects[0][language] for language in ("fr", "en"))
    assert report.changed == 1


def test_a_file_of_another_kind(hall: Town) -> None:
    """A header that lacks columns names them."""
    file = hall.folder / "x.csv"
    file.write_text(f"siret,code\n{SIRET},A\n")
    with pytest.raises(Exception, match="missing columns: nom, etat, engagement"):
        hall.feeding.load(file, Feed.CHORUS_PRO)


def test_what_an_entity_comes_to_ask_is_asked_of_invoices(own_world: World, tmp_path: Path) -> None:
    """Once Chorus Pro says that an establishment wants a service, an invoice without one is rejected by platforms."""
    world, siret, number = own_world, "40000000600009", own_world.number()
    sample = read(document("public", number))
    buyer = replace(sample.buyer, identifiers=tuple(one for one in sample.buyer.identifiers if one.scheme == "0009"))
    terms = {"buyer": buyer, "purchase_order_reference": "E-1"}
    world.deposit(document("public", number, **terms))
    assert world.statuses(TOWN, number) == "202 203"
    actor, file = world.running["portal"].actor, tmp_path / "entities.csv"
    file.write_text(f"{HEADER}\n{siret},,,,N,O,N,N,N,O\n")
    Feeding(actor.database, clock=actor.clock, rejects=tmp_path).load(file, Feed.CHORUS_PRO)
    asyncio.run(directory_upkeep.visit_of(actor, lambda connection: extracts.publish(world.hall, connection))())
    world.work()
    later = world.number()
    world.deposit(document("public", later, **terms))
    assert faults(world, later) == [("REJ_CONT_B2G", "BR-FR-CPRO-11", "BT-46")]
