"""A document of several sellers crosses the circuit as one invoice and reaches the State as several."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from tests.platform.world import BUYER, SELLER, World, opened, service

from estafette.formats import flux1, read
from estafette.invoice.model import Totals
from estafette.platform import declarations, envelopes
from estafette.platform.flows import Deposit
from estafette.platform.tables import declaration
from estafette.portal import authority

CORPUS = Path(__file__).parents[2] / "../shared/corpus/xp-z12-014-v1.3/Facture_Sous_Ligne_et_Multi-Vendeur"


def test_multi_vendor_document(own_world: World) -> None:
    """The official document of two sellers is one delivery and two declarations, each accepted under its own number."""
    if not CORPUS.exists():
        pytest.skip("the official documents are not there")
    world = own_world
    partner = {"siren": "111111118", "name": "Vendeur XXX", "entity_type": "A"}
    authority.load(world.hall, units=[partner], lines=[])
    world.work()
    (file,) = CORPUS.glob("Multi-Vendeur/UC10_*_UBL_*.xml")
    world.put(SELLER, Deposit("UBL", file.name), file.read_bytes())
    world.work()
    number, other = "F202600004", "111111118_F202600004"
    assert world.statuses(BUYER, number) == "202 203"
    told = world.view(SELLER, number).declarations
    assert [(row["status"], row["seller_siren"], row["state"]) for row in told] == [
        ("200", SELLER, "receivable"),
        ("200", "111111118", "receivable"),
        (None, SELLER, "accepted"),
        (None, "111111118", "accepted"),
    ]
    assert (world.told(number), world.told(other)) == ("F1 200", "F1 200")
    world.answer(BUYER, number, "210", reason="TX_TVA_ERR", comment="Taux attendu : 20 %")
    assert (world.told(number), world.told(other)) == ("F1 200 210", "F1 200 210")


def test_files_of_one_name(own_world: World) -> None:
    """Two numbers that differ by a character that no file name has: the data of both reach the State."""
    world = own_world
    for number in ("N/1", "N-1"):
        world.leave(service(number))
    world.work()
    assert [(row["file_name"], row["state"]) for row in (world.declaration(SELLER, "N/1"),)] == [
        (world.declaration(SELLER, "N-1")["file_name"], "accepted")
    ]
    assert [world.told(number) for number in ("N/1", "N-1")] == ["F1 200", "F1 200"]


def test_data_against_the_schema_go_alone(own_world: World) -> None:
    """Data that the State's schema would refuse leave in an envelope of their own: those beside them are accepted."""
    world, home = own_world, own_world.home(SELLER).home
    world.deposit(service("N1"))
    good, bad = read(service("N2")), replace(read(service("N3")), totals=Totals(), vat_breakdown=())
    with home.actor.database.begin() as connection:
        for document in (good, bad):
            declarations.declare_invoice(home, connection, dict(world.row(SELLER, "N1")), document)
    world.work()
    rows = world.rows("platform-a", select(declaration).where(declaration.c.object_id.in_(("N2", "N3"))))
    sent = {row["object_id"]: row for row in rows}
    assert (sent["N2"]["state"], sent["N3"]["state"]) == ("accepted", "irreceivable")
    assert sent["N3"]["details"][0]["reason"] == "IRR_SYNTAX"
    assert sent["N2"]["flow_name"] != sent["N3"]["flow_name"]


def test_more_than_one_envelope_holds(own_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is owed at once leaves in as many envelopes as it takes: nothing waits for what comes later."""
    world, home = own_world, own_world.home(SELLER).home
    world.deposit(service("N1"))
    monkeypatch.setattr(envelopes, "lot", lambda _flow, _today: 2)
    numbers = [f"M{number}" for number in range(5)]
    with home.actor.database.begin() as connection:
        for number in numbers:
            declarations.declare_invoice(home, connection, dict(world.row(SELLER, "N1")), read(service(number)))
    world.work()
    rows = world.rows("platform-a", select(declaration).where(declaration.c.object_id.in_(numbers)))
    assert [row["state"] for row in rows] == ["accepted"] * 5
    assert len({row["flow_name"] for row in rows}) == 3


@pytest.mark.parametrize(
    ("moment", "profile"),
    [
        (datetime(2027, 8, 31, 21, 0, tzinfo=UTC), flux1.Profile.BASE),
        (datetime(2027, 8, 31, 22, 0, tzinfo=UTC), flux1.Profile.FULL),
    ],
    ids=["an hour before", "that midnight"],
)
def test_profile_of_the_day(moment: datetime, profile: flux1.Profile) -> None:
    """Data are of the profile BASE until the midnight of Paris that begins 1 September 2027, then FULL."""
    with opened() as world:
        world.clock.now = moment
        world.deposit(service("P1", issue_date=date(2027, 8, 31)))
        row = world.declaration(SELLER, "P1")
        assert (row["file_name"].split("_")[0], row["state"]) == (profile.value, "accepted")


def test_answer_about_unnamed_data(own_world: World) -> None:
    """The portal's answer by default values finds the declaration by the file that it names."""
    world = own_world
    platform = world.platform("platform-a")
    put = platform.home.actor.documents.put
    platform.home.actor.documents.put = lambda data: put(  # type: ignore[method-assign]
        data.replace(b'schemeID="0002">100000009', b'schemeID="0009">100000009')
        if b"einvoicingextract" in data
        else data
    )
    world.deposit(service("U1"))
    row = world.declaration(SELLER, "U1")
    assert row["state"] == "rejected"
    assert "G1.114" in {detail["rule"] for detail in row["details"]}
