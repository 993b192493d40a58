"""The parties answer an invoice: what the life cycle allows is set, told to the other side, to the State when due."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.platform.world import BUYER, DIRECT, SELLER, TODAY, TOWN, World, collected, document, party, service

from estafette.formats import cdar, flux1, read
from estafette.formats.status_message import Detail, Role, StatusMessage
from estafette.lifecycle.messages import InvoiceReference, between_platforms, company_party
from estafette.platform.answers import Answer, NotAllowed
from estafette.platform.flows import Deposit

FULL = collected(("20", "2400"))


def delivered(world: World, sample: str = "service", **terms: object) -> str:
    """An invoice is at its customer's; returns its number."""
    number = world.number()
    world.deposit(document(sample, number, **terms))
    return number


def refusal(world: World, siren: str, number: str, status: str, **said: object) -> NotAllowed:
    """Return why a status is not allowed; nothing was set."""
    before = world.statuses(siren, number)
    with pytest.raises(NotAllowed) as refused:
        world.say(siren, number, status, **said)
    assert refused.value.refusal.fr
    assert refused.value.refusal.en
    assert world.statuses(siren, number) == before
    return refused.value


def test_the_whole_life(world: World) -> None:
    """Every answer is in the life cycle of both sides; the State is told of the obligatory ones alone."""
    number = delivered(world)
    world.answer(BUYER, number, "204")
    world.answer(BUYER, number, "207", reason="TX_TVA_ERR", action="NIN")
    world.answer(BUYER, number, "208", reason="JUSTIF_ABS", comment="Bon de livraison attendu")
    world.answer(SELLER, number, "209")
    world.answer(BUYER, number, "205")
    world.answer(BUYER, number, "211", amounts=((None, FULL[0][1]),))
    world.answer(SELLER, number, "212", amounts=FULL)
    treated = "204 207:TX_TVA_ERR 208:JUSTIF_ABS 209 205 211 212"
    assert world.statuses(SELLER, number) == f"200 201 202 203 {treated}"
    assert world.statuses(BUYER, number) == f"202 203 {treated}"
    assert world.told(number) == "F1 200 212"
    assert world.owed(SELLER, number) == "200:receivable F1:accepted 212:receivable"
    assert world.owed(BUYER, number) == ""


def test_refused(world: World) -> None:
    """A refusal is told to the State by the customer's platform, and ends what the State counts."""
    number = delivered(world, "service-10")
    world.answer(BUYER, number, "210", reason="TX_TVA_ERR", comment="Taux attendu : 20 %")
    assert world.statuses(SELLER, number) == "200 201 202 203 210:TX_TVA_ERR"
    assert (world.owed(BUYER, number), world.told(number)) == ("210:receivable", "F1 200 210")
    refused = refusal(world, SELLER, number, "212", amounts=collected(("10", "2200")))
    assert refused.refusal.code == "REJ_INC"
    assert world.told(number) == "F1 200 210"


def test_refused_twice(world: World) -> None:
    """A refusal is said once."""
    number = delivered(world)
    world.answer(BUYER, number, "210", reason="TX_TVA_ERR", comment="Taux faux")
    again = refusal(world, BUYER, number, "210", reason="TX_TVA_ERR", comment="Taux faux")
    assert again.refusal.code == "REJ_INC"


@pytest.mark.parametrize(
    ("status", "said", "code", "rule"),
    [
        ("210", {"reason": "QTE_ERR", "comment": "Quantité"}, "REJ_RG", "BR-FR-CDV-CL-09"),
        ("210", {"comment": "Sans motif"}, "REJ_RG", "G7.08"),
        ("210", {"reason": "TX_TVA_ERR"}, "REJ_RG", "G7.25"),
        ("207", {}, "REJ_RG", "G7.08"),
        ("207", {"reason": "TX_TVA_ERR", "action": "XXX"}, "REJ_RG", "BR-FR-CDV-CL-10"),
        ("212", {"amounts": FULL}, "REJ_HAB", "G7.01"),
        ("299", {}, "REJ_INEX", "G7.09"),
        ("250", {}, "REJ_INEX", "G7.09"),
    ],
)
def test_not_allowed_to_the_customer(world: World, status: str, said: dict[str, object], code: str, rule: str) -> None:
    """What the customer may not say is refused before anything is written, with the rule, in both languages."""
    refused = refusal(world, BUYER, delivered(world), status, **said)
    assert (refused.refusal.code, refused.refusal.rule) == (code, rule)


@pytest.mark.parametrize(
    ("amounts", "rule"),
    [
        ((), "BR-FR-CDV-14"),
        (((None, FULL[0][1]),), "P1.18"),
        (collected(("19", "2400")), "G1.24"),
        (collected(("20", "-2400")), "P1.17"),
    ],
)
def test_collection_that_cannot_be_told(world: World, amounts: tuple[object, ...], rule: str) -> None:
    """A collection says an amount for each VAT rate; one taken back says why."""
    refused = refusal(world, SELLER, delivered(world), "212", amounts=amounts)
    assert (refused.refusal.code, refused.refusal.rule) == ("REJ_ENCAISSEMENT", rule)


def test_collected_in_parts(world: World) -> None:
    """Parts of a collection, the same amount twice and a part taken back all count, each once."""
    number = delivered(world)
    for amount in ("800", "800", "800"):
        world.answer(SELLER, number, "212", amounts=collected(("20", amount)))
    world.answer(SELLER, number, "212", amounts=collected(("20", "-800")), comment="Chèque sans provision")
    assert world.statuses(BUYER, number) == "202 203 212 212 212 212"
    assert world.told(number) == "F1 200 212 212 212 212"
    told = "SELECT data FROM status_event WHERE number = :number AND status = 212 ORDER BY set_at"
    data = [str(row["data"]) for row in world.sql("administration", told, number=number)]
    assert ["-800" in one for one in data] == [False, False, False, True]


@pytest.mark.parametrize("amounts", [[("20", "2400.01")], [("10", "100")], [("20", "-2400.01")]])
def test_collected_beyond_the_invoice_is_refused(world: World, amounts: list[tuple[str, str]]) -> None:
    """More than the invoice, or at a rate it has not: a typing error would be declared as tax."""
    number = delivered(world)
    with pytest.raises(NotAllowed, match="REJ_ENCAISSEMENT"):
        world.answer(SELLER, number, "212", amounts=collected(*amounts))
    assert world.told(number) == "F1 200"


@pytest.mark.parametrize(
    ("sample", "terms", "owed"),
    [
        ("service", {}, True),
        ("service-cii", {}, True),
        ("service", {"vat_point_code": "3"}, False),
        ("service-cii", {"vat_point_code": "3"}, False),
        ("service", {"vat_point_code": "35"}, False),
        ("service", {"vat_point_code": "432"}, True),
        ("goods", {}, False),
        ("service", {"type_code": "386"}, True),
    ],
    ids=["service", "service CII", "debits", "debits CII", "on delivery", "on payment", "goods", "deposit"],
)
def test_collection_owed_to_the_state(world: World, sample: str, terms: dict[str, object], owed: bool) -> None:
    """The State hears of a collection only where VAT falls due on it; the customer always does."""
    number = delivered(world, sample, **terms)
    assert world.statuses(SELLER, number) == "200 201 202 203", world.row(SELLER, number)["explanation"]
    world.answer(SELLER, number, "212", amounts=FULL)
    assert world.statuses(BUYER, number) == "202 203 212"
    assert world.told(number) == ("F1 200 212" if owed else "F1 200")


def test_long_number(world: World) -> None:
    """A number too long for the portal is shortened in the data and in every status alike, and answers find it back."""
    number = f"FACTURE-2026-09-{world.number('')}/B"
    short = flux1.portal_number(number)
    assert len(short) == 20
    world.deposit(service(number))
    world.answer(BUYER, number, "205")
    world.answer(SELLER, number, "212", amounts=FULL)
    assert world.owed(SELLER, number) == "200:receivable F1:accepted 212:receivable"
    assert (world.told(short), world.told(number)) == ("F1 200 212", "")
    assert world.statuses(BUYER, number) == "202 203 205 212", "between platforms the number is whole"


def test_long_number_once_the_portal_takes_it(own_world: World) -> None:
    """From 2027 the portal takes 35 characters: nothing is shortened any more, by either platform."""
    world, number, day = own_world, "FACTURE-2027-02-000001/B", TODAY.replace(year=2027, month=2)
    world.pass_by(days=160)
    world.deposit(service(number, issue_date=day))
    world.answer(BUYER, number, "210", reason="TX_TVA_ERR", comment="Taux faux")
    assert world.owed(SELLER, number) == "200:receivable F1:accepted"
    assert world.told(number) == "F1 200 210"


def test_tenants_do_not_see_each_other(world: World) -> None:
    """Two companies of one platform see and change what is theirs, and nothing else."""
    number = world.number()
    flow = world.deposit(service(number, buyer=party(DIRECT)), tracking_id=number)
    portal = world.home(DIRECT)
    row = world.row(DIRECT, number)
    assert portal.invoice(TOWN, row["id"]) is None
    with pytest.raises(KeyError):
        portal.original(TOWN, row["id"])
    with pytest.raises(KeyError):
        portal.answer(TOWN, row["id"], Answer("205"))
    given = [one["id"] for one in portal.search(DIRECT, {"flow_direction": ["In"]}, 100)]
    assert given
    assert not {one["id"] for one in portal.search(TOWN, {"flow_direction": ["In"]}, 100)} & set(given)
    assert portal.flow(TOWN, given[0]) is None
    assert row["id"] not in {one["id"] for one in portal.invoices(TOWN, "received")}
    assert world.home(SELLER).flow("500000005", flow) is None


def test_same_bytes_of_two_tenants(world: World) -> None:
    """What one company deposited does not show in another's answers, be it the very same file."""
    number = world.number()
    data = service(number, seller=party(DIRECT))
    world.deposit(data, by=DIRECT)
    other = world.deposit(data, by=TOWN)
    assert world.flow(TOWN, other)["acknowledgement"] == "Ok", "not a duplicate: TOWN never had it"
    assert world.statuses(TOWN, number) == "213:REJ_COH"


# --------------------------------------------------------------------------------------- statuses written by software


def written(number: str, status: str, role: Role, *, identifier: str, seller: str = SELLER, **said: object) -> bytes:
    """Write a status as a company's software does."""
    moment = datetime(TODAY.year, TODAY.month, TODAY.day, 10, tzinfo=UTC)
    message: StatusMessage = between_platforms(
        status,
        identifier=identifier,
        invoice=InvoiceReference(
            number=number, type_code="380", issue_date=TODAY - timedelta(days=1), seller_siren=seller
        ),
        issuer=company_party(role, BUYER if role is Role.BUYER else SELLER),
        recipients=[company_party(Role.SELLER, SELLER, address=SELLER)],
        set_at=moment,
        issued_at=moment,
        **said,  # type: ignore[arg-type]
    )
    return cdar.write(message)


def put(world: World, siren: str, data: bytes) -> tuple[str, list[str]]:
    """Deposit a status; return its acknowledgement and the reasons of it."""
    flow = world.put(siren, Deposit("CDAR", "statut.xml"), data)
    world.work()
    row = world.flow(siren, flow)
    return row["acknowledgement"], [detail["reasonCode"] for detail in row["details"]]


def test_status_by_software(world: World) -> None:
    """A status deposited as a CDAR is set under its own identifier and reaches the other side."""
    number = delivered(world)
    assert put(world, BUYER, written(number, "205", Role.BUYER, identifier=f"{number}-205")) == ("Ok", [])
    assert world.statuses(SELLER, number) == "200 201 202 203 205"
    assert f"{number}-205" in {event["message_id"] for event in world.view(SELLER, number).events}


def test_status_by_software_twice(world: World) -> None:
    """The same status deposited again, byte for byte or only by its identifier, is set once."""
    number = delivered(world)
    first = written(number, "205", Role.BUYER, identifier=f"{number}-205")
    put(world, BUYER, first)
    assert put(world, BUYER, first) == ("Error", ["AlreadyExistingFlow"])
    assert put(world, BUYER, first.replace(b"<ram:ID>", b"<ram:ID >")) == ("Ok", [])
    assert world.statuses(SELLER, number) == "200 201 202 203 205"


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("210", (), "InvoiceLCRuleError"),
        ("210", (Detail(reason_code="QTE_ERR"),), "InvoiceLCRuleError"),
        ("212", (), "InvoiceLCAccessDenied"),
        ("202", (), "InvoiceLCAccessDenied"),
    ],
)
def test_status_by_software_not_allowed(world: World, status: str, details: tuple[Detail, ...], reason: str) -> None:
    """A status that may not be set is refused in the acknowledgement, by the published reason."""
    number = delivered(world)
    data = written(number, status, Role.BUYER, identifier=f"{number}-x", details=details)
    assert put(world, BUYER, data) == ("Error", [reason])
    assert world.statuses(SELLER, number) == "200 201 202 203"


def test_status_of_an_unknown_invoice(world: World) -> None:
    """A status of an invoice that the company does not have is refused; another's invoice is as unknown."""
    number = delivered(world)
    for siren, about in ((BUYER, "NOBODY"), (DIRECT, number)):
        data = written(about, "205", Role.BUYER, identifier=f"{about}-{siren}")
        assert put(world, siren, data) == ("Error", ["InvoiceLCRuleError"])
    assert world.statuses(SELLER, number) == "200 201 202 203"


def test_collected_though_not_transmitted(world: World) -> None:
    """An invoice that reached nobody is collected all the same, and the State hears of it."""
    number = world.number()
    world.deposit(service(number, buyer=party("700000003")))
    world.answer(SELLER, number, "212", amounts=FULL)
    assert world.statuses(SELLER, number) == "200:NON_TRANSMISE 212"
    assert world.told(number) == "F1 200 212"


def test_rejected_invoice_is_answered_by_nobody(world: World) -> None:
    """A rejected invoice is over: neither side may say anything more."""
    number = world.number()
    world.deposit(service(number).replace(b">2400.00<", b">2500.00<"))
    assert world.view(SELLER, number).possible == ()
    assert refusal(world, SELLER, number, "212", amounts=FULL).refusal.code == "REJ_INC"


def test_what_is_offered(world: World) -> None:
    """The desk offers each side what it may say now, and all of it can be said."""
    number = delivered(world)
    offered = {status.code for status in world.view(BUYER, number).possible}
    assert {"204", "205", "206", "207", "208", "210", "211"} <= offered
    assert "212" not in offered
    assert "212" in {status.code for status in world.view(SELLER, number).possible}
    assert read(service(number)).number == number
