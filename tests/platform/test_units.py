"""A document of several sellers crosses the circuit as one invoice and reaches the State as several."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.platform.world import BUYER, SELLER, World, opened, service

from estafette.formats import flux1
from estafette.platform.flows import Deposit
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
