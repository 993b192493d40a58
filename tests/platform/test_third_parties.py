"""Third parties speak through the account of the party they stand for; what they say in confidence stays there."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.platform.world import BUYER, SELLER, TODAY, World, document, service

from estafette.formats import cdar
from estafette.formats.status_message import Attachment, Characteristic, Detail, Identifier, Note, Party, StatusMessage
from estafette.lifecycle.messages import InvoiceReference, between_platforms, company_party
from estafette.platform.flows import Deposit
from estafette.rules import check

ACCOUNT = (
    Characteristic(type_code="CBB", term="BT-84", name="IBAN", value="FR7610057190010000000000102", changed=True),
    Characteristic(type_code="CBB", term="BT-85", name="Titulaire", value="FACTOR SA", changed=True),
)
FACTOR = company_party("DL", "500000005", name="Factor SA", address="500000005")


def written(number: str, status: str, issuer: Party, *, set_at: datetime, **more: object) -> StatusMessage:
    """A status as a software writes it."""
    about = InvoiceReference(number=number, type_code="380", issue_date=TODAY - timedelta(days=1), seller_siren=SELLER)
    return between_platforms(
        status,
        identifier=f"{number}-{status}-{issuer.role}-{set_at:%H%M%S}",
        invoice=about,
        issuer=issuer,
        recipients=[company_party("BY", BUYER, address=BUYER)],
        set_at=set_at,
        issued_at=set_at,
        **more,  # type: ignore[arg-type]
    )


def put(world: World, siren: str, message: StatusMessage) -> str:
    """The status is deposited; returns its acknowledgement."""
    flow = world.put(siren, Deposit("CDAR", "statut.xml"), cdar.write(message))
    world.work()
    return str(world.flow(siren, flow)["acknowledgement"])


def delivered(world: World) -> str:
    """An invoice is at its customer's; returns its number."""
    number = world.number("T")
    world.deposit(service(number))
    return number


def heard(world: World, siren: str, number: str) -> StatusMessage:
    """The last status that a company was given of an invoice, which the official rules accept."""
    data = world.home(siren).document(world.view(siren, number).events[-1]["sha256"])
    assert check(data).findings == ()
    return cdar.read(data)


def test_factored(world: World) -> None:
    """The factor that joins after the invoice is told to the buyer, with the account to pay, under its own name."""
    number = delivered(world)
    message = written(number, "225", FACTOR, set_at=world.clock(), details=(Detail(characteristics=ACCOUNT),))
    assert put(world, SELLER, message) == "Ok"
    told = heard(world, BUYER, number)
    assert (told.status, told.issuer, told.object_status_code) == ("225", FACTOR, "5")
    assert [datum.value for datum in told.characteristics("CBB")] == [datum.value for datum in ACCOUNT]
    assert world.told(number) == "F1 200"


def test_factored_in_confidence(world: World) -> None:
    """A confidential factoring never leaves the seller's platform, nor does its end."""
    number = delivered(world)
    world.wire.reset()
    for status in ("226", "228"):
        assert put(world, SELLER, written(number, status, FACTOR, set_at=world.clock())) == "Ok"
    assert world.statuses(SELLER, number) == "200 201 202 203 226 228"
    assert world.statuses(BUYER, number) == "202 203"
    assert world.wire.crossed == []
    assert put(world, SELLER, written(number, "228", FACTOR, set_at=world.clock())) == "Ok"
    heard(world, SELLER, number)


def test_a_confidence_that_another_platform_betrays(world: World) -> None:
    """A confidential status that another platform sends all the same is not shown to the buyer."""
    number = delivered(world)
    confidential = written(number, "226", FACTOR, set_at=world.clock())
    cancelled = written(number, "220", company_party("SE", SELLER), set_at=world.clock())
    for message in (confidential, cancelled):
        world.receive("0003", "0005", cdar.write(message))
    world.work()
    assert world.statuses(BUYER, number) == "202 203 220"


def test_endorsed(world: World) -> None:
    """The head of a group endorses (214) at the buyer's, and both sides hear who did."""
    number = delivered(world)
    head = Party("SR", (Identifier("500000005", "0002"),), "Mandataire")
    assert put(world, BUYER, written(number, "214", head, set_at=world.clock())) == "Ok"
    for siren in (SELLER, BUYER):
        assert heard(world, siren, number).issuer == head


@pytest.mark.parametrize(("siren", "role"), [(BUYER, "SE"), (BUYER, "DL"), (SELLER, "BY"), (SELLER, "PR")])
def test_nobody_speaks_for_the_other_side(world: World, siren: str, role: str) -> None:
    """A role that is not of the account's side is taken as the account's own, and judged so."""
    number = delivered(world)
    status = "211" if siren == BUYER else "220"
    put(world, siren, written(number, status, company_party(role, siren), set_at=world.clock()))
    seen = world.view(siren, number).events[-1]
    assert (seen["status"], seen["emitter_role"]) == (status, "BY" if siren == BUYER else "SE")


def test_the_moment_is_the_author_s(world: World) -> None:
    """A status says when it was set, not when it was deposited; a moment that cannot be is replaced."""
    number = delivered(world)
    said = world.clock().replace(microsecond=0)
    world.pass_by(hours=3)
    issuer = company_party("BY", BUYER, name="Maison Tilleul")
    for status, moment in (("205", said), ("204", said - timedelta(days=30)), ("207", said + timedelta(days=30))):
        details = (Detail(reason_code="PU_ERR"),) if status == "207" else ()
        assert put(world, BUYER, written(number, status, issuer, set_at=moment, details=details)) == "Ok"
    told = {message.status: message.set_at for message in world.messages(SELLER, number)}
    assert told["205"] == said.astimezone(UTC)
    assert all(said < told[status] <= world.clock() for status in ("204", "207"))
    assert world.statuses(SELLER, number).endswith("205 204 207:PU_ERR")


def test_documents_go_with_a_completion(world: World) -> None:
    """What completes a suspended invoice reaches the buyer."""
    number = delivered(world)
    world.answer(BUYER, number, "208", reason="JUSTIF_ABS", comment="Bon de livraison ?")
    proof = Attachment(b"%PDF-1.7 bon de livraison", "bon.pdf", "application/pdf")
    issuer = company_party("SE", SELLER, name="Atelier Caravelle")
    assert put(world, SELLER, written(number, "209", issuer, set_at=world.clock(), attachments=(proof,))) == "Ok"
    assert heard(world, BUYER, number).attachments == (proof,)


def test_a_refusal_in_the_words_of_its_reason(world: World) -> None:
    """A software's refusal needs no comment between platforms; the portal, which does, is given the reason's words."""
    number = delivered(world)
    issuer = company_party("BY", BUYER, name="Maison Tilleul")
    details = (Detail(reason_code="TX_TVA_ERR", reason="Taux de 10 % attendu"),)
    assert put(world, BUYER, written(number, "210", issuer, set_at=world.clock(), details=details)) == "Ok"
    assert world.told(number) == "F1 200 210"
    assert heard(world, SELLER, number).details[0].notes == (Note("Taux de 10 % attendu"),)


def test_a_refusal_is_final(world: World) -> None:
    """Nothing more is answered once refused, even what was suspended before."""
    number = delivered(world)
    world.answer(BUYER, number, "208", reason="JUSTIF_ABS", comment="Bon de livraison ?")
    world.answer(BUYER, number, "210", reason="TX_TVA_ERR", comment="Taux faux")
    issuer = company_party("BY", BUYER)
    for status in ("204", "205", "207"):
        details = (Detail(reason_code="PU_ERR"),) if status == "207" else ()
        assert put(world, BUYER, written(number, status, issuer, set_at=world.clock(), details=details)) == "Error"
    assert put(world, SELLER, written(number, "209", company_party("SE", SELLER), set_at=world.clock())) == "Error"
    assert world.statuses(SELLER, number) == "200 201 202 203 208:JUSTIF_ABS 210:TX_TVA_ERR"


def test_a_credit_note_is_collected_without_a_cause(world: World) -> None:
    """The collection of a credit note is negative by nature; the portal is told of which credit note."""
    number = world.number("T")
    world.deposit(document("credit-note", number))
    total = world.row(SELLER, number)["total_with_vat"]
    (rate,) = {part.rate for part in world.view(SELLER, number).invoice.vat_breakdown}
    world.answer(SELLER, number, "212", amounts=((rate, -total),))
    assert heard(world, BUYER, number).comments == (f"Avoir {number}",)
