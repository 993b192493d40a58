"""An invoice is deposited: judged, numbered once, routed, declared; what is rejected goes nowhere else."""

from datetime import timedelta

import pytest
from tests.platform.world import (
    BUYER,
    DIRECT,
    SELLER,
    TODAY,
    TOWN,
    UNREACHABLE,
    World,
    document,
    party,
    service,
)

from estafette.exchange.messages import Kind
from estafette.formats import read
from estafette.invoice.model import Identifier


def rejected(world: World, number: str) -> tuple[str, list[str], list[str]]:
    """Return the life cycle of a rejected invoice, its reasons and the rules behind them; nothing else left it."""
    (message,) = world.messages(SELLER, number)
    explained = world.row(SELLER, number)["explanation"]["faults"]
    assert world.row(SELLER, number)["standing"] == "rejected"
    assert world.crossed(Kind.INVOICE, "0005") == []
    assert world.invoices(BUYER, number) == []
    assert [fault["fr"] and fault["en"] for fault in explained].count("") == 0
    rules = [note.content_code for detail in message.details for note in detail.notes]
    assert rules == [fault["rule"][:30] for fault in explained]
    return message.status, list(message.reason_codes), rules


def test_nominal(world: World) -> None:
    """A good invoice is submitted, sent, received, made available; the data and the status reach the administration."""
    number = world.number()
    flow = world.deposit(service(number), tracking_id=number)
    assert world.flow(SELLER, flow)["acknowledgement"] == "Ok"
    assert world.statuses(SELLER, number) == "200 201 202 203"
    assert world.statuses(BUYER, number) == "202 203"
    assert world.owed(SELLER, number) == "200:receivable F1:accepted"
    assert world.told(number) == "F1 200"


@pytest.mark.parametrize("sample", ["service", "service-cii", "service-10", "goods", "credit-note"])
def test_the_customer_has_the_very_bytes(world: World, sample: str) -> None:
    """Whatever the syntax and the kind, what the customer is given is what the supplier deposited."""
    number = world.number()
    data = document(sample, number)
    world.deposit(data)
    assert world.home(BUYER).original(BUYER, world.row(BUYER, number)["id"]) == ("facture.xml", data)
    assert world.told(number) == "F1 200"


def test_rejected_by_the_rules(world: World) -> None:
    """Each rule broken is told, under its reason code, to the supplier and the portal; the customer knows nothing."""
    number = world.number()
    bad = service(number).replace(b">2400.00<", b">2500.00<").replace(b"#AAB#", b"#AAA#")
    flow = world.deposit(bad)
    assert world.flow(SELLER, flow)["acknowledgement"] == "Ok", "the file could be taken: the invoice is what is bad"
    status, reasons, rules = rejected(world, number)
    assert status == "213"
    assert {rule.partition("_")[0] for rule in rules} == {"BR-CO-15", "BR-FR-05"}
    assert len(reasons) == len(rules)
    assert (world.owed(SELLER, number), world.told(number)) == ("213:receivable", "213")


def test_same_number_with_other_content(world: World) -> None:
    """The second invoice under a number is a duplicate; the first lives on as it was."""
    number = world.number()
    world.deposit(service(number))
    before = world.statuses(SELLER, number)
    world.deposit(document("service-10", number))
    first, second = world.invoices(SELLER, number)
    assert (first["standing"], second["standing"]) == ("live", "rejected")
    view = world.home(SELLER).invoice(SELLER, second["id"])
    assert view is not None
    assert [(event["status"], event["reasons"][0]["reason"]) for event in view.events] == [("213", "DOUBLON")]
    assert view.row["explanation"]["faults"][0]["rule"] == "BR-FR-CO-02"
    kept = world.home(SELLER).invoice(SELLER, first["id"])
    assert kept is not None
    assert " ".join(event["status"] for event in kept.events) == before
    assert len(world.invoices(BUYER, number)) == 1


def test_a_duplicate_does_not_undo_the_first_for_the_administration(world: World) -> None:
    """What the administration holds of the first invoice still counts after a duplicate was rejected."""
    number = world.number()
    world.deposit(service(number))
    world.deposit(document("service-10", number))
    world.answer(BUYER, number, "205")
    (row, _second) = world.invoices(SELLER, number)
    view = world.home(SELLER).invoice(SELLER, row["id"])
    assert view is not None
    assert [one["state"] for one in view.declarations] == ["receivable", "accepted"]
    assert "213" not in world.told(number)


def test_a_bad_copy_does_not_undo_the_first_for_the_administration(world: World) -> None:
    """A bad invoice under a number already had is rejected for its faults, and the first still counts."""
    number = world.number()
    world.deposit(service(number))
    world.deposit(service(number).replace(b">2400.00<", b">2500.00<"))
    assert [row["standing"] for row in world.invoices(SELLER, number)] == ["live", "rejected"]
    assert world.told(number) == "F1 200"


def test_nobody_undoes_the_invoice_of_another(world: World) -> None:
    """An invoice deposited in the name of another company is rejected, and that company's own still counts."""
    number = world.number()
    world.deposit(service(number, seller=party(DIRECT)), by=DIRECT)
    world.deposit(service(number, seller=party(DIRECT)))
    assert world.row(SELLER, number)["standing"] == "rejected"
    assert (world.owed(SELLER, number), world.told(number)) == ("", "F1 200")


def test_number_free_after_a_rejection(world: World) -> None:
    """A number that was only ever rejected is free: corrected, the invoice goes its way."""
    number = world.number()
    world.deposit(service(number).replace(b">2400.00<", b">2500.00<"))
    world.deposit(service(number))
    bad, good = world.invoices(SELLER, number)
    assert (bad["standing"], good["standing"]) == ("rejected", "live")
    assert world.statuses(BUYER, number) == "202 203"
    assert world.told(number) == "F1 213 200"


def test_same_number_another_year(world: World) -> None:
    """A number is unique in a calendar year: the next year it is another invoice."""
    number = world.number()
    world.deposit(service(number))
    world.deposit(service(number, issue_date=TODAY.replace(year=2025)))
    assert [row["standing"] for row in world.invoices(SELLER, number)] == ["live", "live"]


def test_same_file_again(world: World) -> None:
    """The same bytes deposited again are a technical duplicate, and nothing happens twice."""
    number = world.number()
    first = world.deposit(service(number))
    again = world.flow(SELLER, world.deposit(service(number)))
    assert again["acknowledgement"] == "Error"
    assert again["details"][0]["reasonCode"] == "AlreadyExistingFlow"
    assert first in again["details"][0]["reasonMessage"]
    assert world.statuses(SELLER, number) == "200 201 202 203"


@pytest.mark.parametrize("done", [True, False])
def test_same_deposit_repeated(world: World, done: bool) -> None:
    """The same bytes under the same tracking identifier are one deposit, before it was judged and after."""
    number = world.number()
    deposit = world.deposit if done else world.leave
    first = deposit(service(number), tracking_id=number)
    assert world.deposit(service(number), tracking_id=number) == first
    assert world.flow(SELLER, first)["acknowledgement"] == "Ok"
    assert world.statuses(SELLER, number) == "200 201 202 203"


def test_customer_without_a_platform(world: World) -> None:
    """The invoice is submitted but not transmitted; its data are due all the same, and it can be collected."""
    number = world.number()
    world.deposit(service(number, buyer=party(UNREACHABLE)))
    assert world.statuses(SELLER, number) == "200:NON_TRANSMISE"
    assert world.row(SELLER, number)["standing"] == "undelivered"
    assert [message.kind for message in world.wire.crossed if message.kind is Kind.INVOICE] == []
    assert (world.owed(SELLER, number), world.told(number)) == ("200:receivable F1:accepted", "F1 200")


def test_address_unknown(world: World) -> None:
    """The customer is known but not at that address: rejected, the term to correct is named."""
    number = world.number()
    world.deposit(service(number, buyer=party(BUYER, address=f"{BUYER}_ACHATS")))
    assert rejected(world, number) == ("213", ["REJ_ADR"], ["EST-ADDRESS"])
    fault = world.row(SELLER, number)["explanation"]["faults"][0]
    assert fault["terms"] == "BT-49"
    assert f"{BUYER}_ACHATS" in fault["fr"]
    assert world.told(number) == "213"


def test_customer_not_in_the_directory(world: World) -> None:
    """The sale is outside e-invoicing: said to the supplier, no data and no status go out."""
    number = world.number()
    world.deposit(service(number, buyer=party("800000002")))
    row = world.row(SELLER, number)
    assert row["standing"] == "reportable"
    assert "annuaire" in row["explanation"]["fr"]
    assert "directory" in row["explanation"]["en"]
    assert (world.statuses(SELLER, number), world.owed(SELLER, number), world.told(number)) == ("", "", "")
    assert world.wire.crossed == []


def test_depositor_is_not_the_seller(world: World) -> None:
    """Nobody deposits in the name of another: rejected, the seller's term is named."""
    number = world.number()
    world.deposit(service(number, seller=party("500000005")))
    row = world.row(SELLER, number)
    assert row["standing"] == "rejected"
    assert [(fault["reason"], fault["terms"]) for fault in row["explanation"]["faults"]] == [("REJ_COH", "BT-30")]
    assert world.owed(SELLER, number) == "", "the State would take it for an invoice of that company"
    assert world.statuses(SELLER, number) == "213:REJ_COH"
    assert world.invoices(BUYER, number) == []


def test_date_in_the_future(world: World) -> None:
    """An invoice of tomorrow is rejected today; one of today is not."""
    tomorrow, today = world.number(), world.number()
    world.deposit(service(tomorrow, issue_date=TODAY + timedelta(days=1)))
    assert rejected(world, tomorrow) == ("213", ["REJ_COH"], ["BR-FR-CO-01"])
    world.deposit(service(today, issue_date=TODAY))
    assert world.statuses(BUYER, today) == "202 203"


@pytest.mark.parametrize(
    ("good", "bad"),
    [("20260914</udt", "20261399</udt"), ("<ram:ID>NUMBER</ram:ID>", "<ram:ID/>")],
    ids=["impossible date", "no number"],
)
def test_invoice_that_cannot_be_named(world: World, good: str, bad: str) -> None:
    """An invoice whose number or date cannot be read has no life cycle: the file is refused, and why is told."""
    number = world.number()
    data = document("service-cii", number).decode()
    good = good.replace("NUMBER", number)
    assert good in data
    flow = world.flow(SELLER, world.deposit(data.replace(good, bad, 1).encode()))
    assert flow["acknowledgement"] == "Error"
    assert flow["details"][0]["reasonCode"] == "InvalidSchema"
    assert flow["details"][0]["reasonMessage"].startswith("IRR_SYNTAX: ")
    assert world.wire.crossed == []


def test_self_billed(world: World) -> None:
    """A self-billed invoice is deposited by its buyer and goes to the seller, by the seller's address (BT-34)."""
    number = world.number()
    world.deposit(service(number, type_code="389"), by=BUYER)
    assert world.row(BUYER, number)["side"] == "issued"
    assert world.row(SELLER, number)["side"] == "received"
    assert world.statuses(BUYER, number) == "200 201 202 203"
    assert world.statuses(SELLER, number) == "202 203"
    assert world.told(number) == "F1 200"


def test_self_billed_by_its_seller(world: World) -> None:
    """The seller may not deposit what the buyer draws up."""
    number = world.number()
    world.deposit(service(number, type_code="389"))
    fault = world.row(SELLER, number)["explanation"]["faults"][0]
    assert (fault["reason"], fault["terms"]) == ("REJ_COH", "BT-47")


def test_public_buyer(world: World) -> None:
    """An invoice to a town goes to Chorus Pro, which the portal answers for."""
    number = world.number()
    world.deposit(document("public", number))
    assert [message.recipient for message in world.wire.crossed if message.kind is Kind.INVOICE] == ["9999"]
    assert world.statuses(SELLER, number) == "200 201 202 203"
    assert world.statuses(TOWN, number) == "202 203"
    world.answer(TOWN, number, "210", reason="TX_TVA_ERR", comment="Taux attendu : 20 %")
    assert world.statuses(SELLER, number) == "200 201 202 203 210:TX_TVA_ERR"
    assert world.told(number) == "F1 200 210"


def test_to_a_company_on_the_portal(world: World) -> None:
    """A company that uses the portal directly receives and answers as any other."""
    number = world.number()
    world.deposit(service(number, buyer=party(DIRECT)))
    assert world.statuses(DIRECT, number) == "202 203"
    world.answer(DIRECT, number, "205")
    assert world.statuses(SELLER, number) == "200 201 202 203 205"
    assert world.told(number) == "F1 200"


def test_from_a_company_on_the_portal(world: World) -> None:
    """A company that uses the portal directly issues as any other; its data go through the same controls."""
    number = world.number()
    world.deposit(service(number, seller=party(DIRECT)), by=DIRECT)
    assert world.statuses(DIRECT, number) == "200 201 202 203"
    assert world.owed(DIRECT, number) == "200:receivable F1:accepted"
    assert world.told(number) == "F1 200"


def test_between_two_companies_of_the_portal(world: World) -> None:
    """Both sides on the same platform: each has its own delivery and its own life cycle."""
    number = world.number()
    public = read(document("public", number)).buyer
    world.deposit(document("public", number, seller=party(DIRECT), buyer=public), by=DIRECT)
    assert world.statuses(DIRECT, number) == "200 201 202 203"
    assert world.statuses(TOWN, number) == "202 203"
    world.answer(TOWN, number, "204")
    assert world.statuses(DIRECT, number) == "200 201 202 203 204"


def test_sent_only_once_delivered(own_world: World) -> None:
    """201 says that the other platform has the invoice: not before it answers."""
    world, number = own_world, "F1"
    world.wire.down.add("0005")
    world.leave(service(number))
    assert world.work_with_troubles() == ["platform-a: 0005 is down"]
    assert world.statuses(SELLER, number) == "200"
    assert world.told(number) == "F1 200", "the administration does not wait for the customer's platform"
    world.wire.down.clear()
    world.pass_by(hours=1)
    world.work()
    assert world.statuses(SELLER, number) == "200 201 202 203"


@pytest.mark.parametrize("treatment", ["B2C", "B2CINT", "B2BINT", "OUTOFSCOPE"])
def test_outside_e_invoicing(world: World, treatment: str) -> None:
    """What the supplier says is outside e-invoicing is kept and neither sent nor declared."""
    number = world.number()
    notes = tuple(
        note if note.subject_code != "BAR" else type(note)(treatment, "BAR") for note in read(service(number)).notes
    )
    world.deposit(service(number, notes=notes))
    if world.row(SELLER, number)["standing"] != "rejected":  # the rules of that treatment may ask for more
        standing = "archived" if treatment == "OUTOFSCOPE" else "reportable"
        assert world.row(SELLER, number)["standing"] == standing
        assert world.statuses(SELLER, number) == ""
    assert world.crossed(Kind.INVOICE, "0005") == []
    assert "F1" not in world.told(number)


def test_archived_only(world: World) -> None:
    """A document deposited to be archived is kept, and nothing is said of it to anyone."""
    number = world.number()
    world.deposit(service(number), processing_rule="ArchiveOnly")
    assert world.row(SELLER, number)["standing"] == "archived"
    assert (world.statuses(SELLER, number), world.told(number), world.wire.crossed) == ("", "", [])


def test_address_scheme(world: World) -> None:
    """An address of another scheme than that of the directory is none of its addresses."""
    number = world.number()
    buyer = party(BUYER)
    elsewhere = {name: getattr(buyer, name) for name in type(buyer).__struct_fields__}
    elsewhere["electronic_address"] = Identifier(BUYER, "0009")
    world.deposit(service(number, buyer=type(buyer)(**elsewhere)))
    assert world.row(SELLER, number)["standing"] == "rejected"
    assert world.invoices(BUYER, number) == []
