"""Each object of a flow is controlled by itself: one that is rejected harms only itself, and its platform knows why."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.platform.world import BUYER, SELLER, TODAY, World, collected, document, party, service
from tests.portal.envelopes import (
    CII,
    DETAILS,
    STATUSES,
    UBL,
    acknowledgement,
    answer,
    answers,
    data_file,
    reasons,
    send,
    status,
    status_file,
)

from estafette.formats import flux1, read
from estafette.formats.status_message import Characteristic, Detail, Identifier, Party, Role
from estafette.formats.xml import Syntax
from estafette.invoice.model import Identifier as InvoiceIdentifier
from estafette.lifecycle.messages import refusals_of
from estafette.portal import authority
from estafette.portal.tables import obligatory_status
from estafette.values.moments import second_text


def test_accepted(world: World) -> None:
    """Good data are answered by 250, alone, and are told to the administration."""
    number = world.number("E")
    name = send(world, dict([data_file(number)]))
    assert acknowledgement(world, name).status == "500"
    message = answer(world, number)
    assert (message.status, message.details) == ("250", ())
    assert (message.seller_siren, message.object_day) == (SELLER, TODAY - timedelta(days=1))
    assert world.told(number) == "F1"


def test_one_bad_object_among_good_ones(world: World) -> None:
    """One object that breaks a rule is rejected; its neighbours are accepted."""
    first, bad, last = (world.number("E") for _ in range(3))
    files = dict(data_file(number) for number in (first, bad, last))
    files = {name: data.replace(b">S1<", b">Z9<") if bad in name else data for name, data in files.items()}
    assert acknowledgement(world, send(world, files)).status == "500"
    assert [answer(world, number).status for number in (first, bad, last)] == ["250", "251", "250"]
    assert {code for code, _rule in reasons(answer(world, bad))} == {"REJ_SEMAN"}
    assert [world.told(number) for number in (first, bad, last)] == ["F1", "", "F1"]


def test_data_already_had(world: World) -> None:
    """The data of an invoice are taken once by seller, number and year, whatever the flow and the platform."""
    number = world.number("E")
    send(world, dict([data_file(number)]))
    send(world, dict([data_file(number)]), by="platform-a")
    first, second = answers(world, number)
    assert (first.status, second.status) == ("250", "251")
    assert reasons(second) == [("REJ_UNI", "G1.45")]
    assert second.details[0].notes[0].subject_code == "BT-1, BT-2, BT-30"
    assert world.told(number) == "F1"


def test_data_twice_in_one_flow(world: World) -> None:
    """Two files of one flow for the same invoice: the first is taken, the second is not."""
    number = world.number("E")
    name, data = data_file(number)
    send(world, {name: data, name.replace(".xml", "-2.xml"): data})
    assert [message.status for message in answers(world, number)] == ["250", "251"]


def test_number_of_another_year(world: World) -> None:
    """The same number of another year is another invoice."""
    number = world.number("E")
    send(world, dict([data_file(number)]))
    send(world, dict([data_file(number, issue_date=TODAY.replace(year=2025))]))
    assert [message.status for message in answers(world, number)] == ["250", "250"]


def test_rejected_data_do_not_count(world: World) -> None:
    """Data rejected leave the number free: corrected, they are taken."""
    number = world.number("E")
    name, data = data_file(number)
    send(world, {name: data.replace(b">S1<", b">Z9<")})
    send(world, {name: data})
    assert [message.status for message in answers(world, number)] == ["251", "250"]
    assert world.told(number) == "F1"


@pytest.mark.parametrize(("side", "term"), [("seller", "BT-30"), ("buyer", "BT-47")])
def test_unknown_party(world: World, side: str, term: str) -> None:
    """A seller or a buyer that the directory does not know makes the data incoherent."""
    number = world.number("E")
    send(world, dict([data_file(number, **{side: party("800000002")})]))
    message = answer(world, number)
    assert reasons(message) == [("REJ_COH", "G1.63")]
    assert message.details[0].notes[0].subject_code == term
    assert "800000002" in message.comments[0]


def test_a_party_that_is_not_taxable(own_world: World) -> None:
    """A private unit that the national register has and the tax register has not is in no directory (G1.63)."""
    world, number = own_world, own_world.number("E")
    unit = {"siren": "800000002", "name": "Association", "entity_type": "A", "is_taxable": False}
    authority.load(world.hall, units=[unit])
    world.work()
    send(world, dict([data_file(number, buyer=party("800000002"))]))
    assert reasons(answer(world, number)) == [("REJ_COH", "G1.63")]


def test_dated_after_the_control(world: World) -> None:
    """An invoice of tomorrow is rejected (G1.07); one of today is not."""
    late, today = world.number("E"), world.number("E")
    files = [data_file(late, issue_date=TODAY + timedelta(days=1)), data_file(today, issue_date=TODAY)]
    send(world, dict(files))
    assert reasons(answer(world, late)) == [("REJ_COH", "G1.07")]
    assert answer(world, today).status == "250"


def test_unknown_vat_group(world: World) -> None:
    """The VAT group of the seller is in the directory, or the data are rejected (G1.101)."""
    seller = read(service("MODEL")).seller
    for group, expected in (("999999998", [("REJ_COH", "G1.101")]), (BUYER, [])):
        number = world.number("E")
        parts = {name: getattr(seller, name) for name in seller.__struct_fields__}
        parts["identifiers"] = (InvoiceIdentifier(group, "0231"),)
        send(world, dict([data_file(number, seller=type(seller)(**parts))]))
        assert reasons(answer(world, number)) == expected


def test_a_status_in_test_mode(world: World) -> None:
    """A message in test mode (P1.13) is controlled as any other, and nothing comes of it."""
    number = world.number("E")
    good, bad = status(number, "210", test=True), status(number, "207", test=True)
    assert acknowledgement(world, send(world, dict(map(status_file, (good, bad))), STATUSES)).status == "500"
    assert (answers(world, good.identifier), answer(world, bad.identifier).status) == ([], "601")
    assert world.told(number) == ""


def test_every_fault_is_told(world: World) -> None:
    """An object with several faults is answered once, one detail for each."""
    number = world.number("E")
    name, data = data_file(number, buyer=party("800000002"))
    send(world, {name: data.replace(b">S1<", b">Z9<")})
    assert {code for code, _rule in reasons(answer(world, number))} == {"REJ_SEMAN", "REJ_COH"}


def test_rejected_data_as_the_platform_sees_them(world: World) -> None:
    """The platform sees its data rejected, and why, beside the invoice, which itself goes on."""
    number = world.number()
    send(world, dict([data_file(number)]))
    world.deposit(service(number))
    row = world.declaration(SELLER, number)
    assert row["state"] == "rejected"
    assert (row["details"][0]["reason"], row["details"][0]["rule"]) == ("REJ_UNI", "G1.45")
    assert "déjà transmise" in row["details"][0]["fr"]
    assert world.statuses(SELLER, number) == "200 201 202 203"


def test_data_in_cii(world: World) -> None:
    """Data in CII are the same data."""
    number = world.number("E")
    invoice = read(document("service-cii", number))
    send(world, dict([flux1.build(invoice, profile=flux1.Profile.BASE, syntax=Syntax.CII)]), CII)
    assert answer(world, number).status == "250"
    assert world.told(number) == "F1"


# ------------------------------------------------------------------------------------------------------------ statuses


def test_a_status_is_accepted_by_silence(world: World) -> None:
    """A good status is answered by nothing but the acknowledgement of its flow."""
    number = world.number("E")
    message = status(number, "200")
    assert acknowledgement(world, send(world, dict([status_file(message)]), STATUSES)).status == "500"
    assert answers(world, message.identifier) == []
    assert world.told(number) == "200"


def test_another_status_under_the_same_identifier(world: World) -> None:
    """The same message again is nothing again; another status under its identifier (MDT-4) is rejected, not lost."""
    first, other = world.number("E"), world.number("E")
    message = status(first, "200")
    files = dict([status_file(message)])
    for _time in range(2):
        send(world, files, STATUSES)
    assert answers(world, message.identifier) == []
    send(world, dict([status_file(status(other, "200", identifier=message.identifier))]), STATUSES)
    assert reasons(answer(world, message.identifier)) == [("REJ_RG", "EST-MDT-4")]
    assert [world.told(number) for number in (first, other)] == ["200", ""]


def test_a_status_that_cannot_be_read(world: World) -> None:
    """A status that follows the schema and has no real day is rejected by itself; its neighbours are accepted."""
    good, bad = status(world.number("E"), "200"), status(world.number("E"), "200")
    name, data = status_file(bad)
    day = f'"204">{second_text(bad.set_at)}'.encode()
    assert data.count(day) > 1
    files = dict([status_file(good)]) | {name: data.replace(day, b'"204">20260931080000')}
    assert acknowledgement(world, send(world, files, STATUSES)).status == "500"
    assert answers(world, good.identifier) == []
    message = answer(world, bad.identifier)
    assert (message.status, reasons(message)) == ("601", [("REJ_RG", "G1.114")])
    assert "20260931080000" in message.comments[0]
    assert name in message.comments[0]


def test_a_seller_that_is_no_siren(world: World) -> None:
    """The answer does not repeat whatever stands for the seller: it says the default of G1.114."""
    message = status(world.number("E"), "200", object_issuers=(Identifier("9" * 300, "0002"),))
    send(world, dict([status_file(message)]), STATUSES)
    rejected = answer(world, message.identifier)
    assert reasons(rejected) == [("REJ_RG", "G7.17")]
    assert [one.value for one in rejected.object_issuers] == ["000000000"]


@pytest.mark.parametrize("code", ["201", "202", "203", "204", "205", "207", "211", "220", "250", "601"])
def test_status_that_is_not_obligatory(world: World, code: str) -> None:
    """A status that does not concern the State, or is of another object, is rejected."""
    number = world.number("E")
    message = status(number, code)
    send(world, dict([status_file(message)]), STATUSES)
    rejected = answer(world, message.identifier)
    assert (rejected.status, reasons(rejected)) == ("601", [("REJ_RG", "G7.44")])
    assert world.told(number) == ""


@pytest.mark.parametrize("code", ["299", "999"])
def test_unknown_status(world: World, code: str) -> None:
    """A status that does not exist is rejected as such."""
    message = status(world.number("E"), code)
    send(world, dict([status_file(message)]), STATUSES)
    assert [reason for reason, _rule in reasons(answer(world, message.identifier))] == ["REJ_INEX"]


def test_collected_after_a_refusal(world: World) -> None:
    """What was refused cannot be collected; the refusal stands."""
    number = world.number("E")
    kept = [status(number, "200", at=1), status(number, "210", at=2)]
    send(world, dict(map(status_file, kept)), STATUSES)
    late = status(number, "212", at=3)
    send(world, dict([status_file(late)]), STATUSES)
    assert [reason for reason, _rule in reasons(answer(world, late.identifier))] == ["REJ_INC"]
    assert world.told(number) == "200 210"


def test_collected_before_a_refusal_but_told_after(world: World) -> None:
    """What counts is when a status was set, not when it came: collected first, it is taken."""
    number = world.number("E")
    for message in (status(number, "200", at=1), status(number, "210", at=3), status(number, "212", at=2)):
        send(world, dict([status_file(message)]), STATUSES)
        assert answers(world, message.identifier) == []
    assert world.told(number) == "200 212 210"


def test_wrong_registration_number(world: World) -> None:
    """A message that says to come from another platform than the one connected is not entitled."""
    number = world.number("E")
    sender = Party(Role.PLATFORM, (Identifier("0005", "0238"),), "Relais Rhône")
    message = status(number, "200", sender=sender)
    send(world, dict([status_file(message)]), STATUSES)
    rejected = answer(world, message.identifier)
    assert reasons(rejected) == [("REJ_HAB", "G7.54")]
    assert "0003" in rejected.comments[0]
    assert world.told(number) == ""


@pytest.mark.parametrize("role", [Role.BUYER, Role.PLATFORM])
def test_role_that_may_not(world: World, role: Role) -> None:
    """Only the seller's side collects."""
    number = world.number("E")
    issuer = Party(role, (Identifier("200000008", "0002"),), "Société")
    message = status(number, "212", issuer=issuer)
    send(world, dict([status_file(message)]), STATUSES)
    assert [reason for reason, _rule in reasons(answer(world, message.identifier))] == ["REJ_HAB"]


@pytest.mark.parametrize(
    "datum",
    [
        Characteristic(type_code="MEN", amount=Decimal(2400), currency="EUR", changed=False),
        Characteristic(type_code="MEN", amount=Decimal(2400), currency="EUR", percent=Decimal(19), changed=False),
        Characteristic(type_code="MEN", currency="EUR", percent=Decimal(20), changed=False),
        None,
    ],
    ids=["no rate", "unknown rate", "no amount", "nothing"],
)
def test_collection_not_split_by_rate(world: World, datum: Characteristic | None) -> None:
    """What is collected is told by VAT rate, or is rejected."""
    number = world.number("E")
    details = (Detail(sequence=1, characteristics=(datum,)),) if datum else ()
    message = status(number, "212", details=details)
    send(world, dict([status_file(message)]), STATUSES)
    assert [reason for reason, _rule in reasons(answer(world, message.identifier))] == ["REJ_ENCAISSEMENT"]
    assert world.told(number) == ""


def test_refusal_without_a_reason(world: World) -> None:
    """A refusal says why, in words too."""
    for details in ((), (replace(DETAILS["210"][0], sequence=1, notes=()),)):
        message = status(world.number("E"), "210", details=details)
        send(world, dict([status_file(message)]), STATUSES)
        assert [reason for reason, _rule in reasons(answer(world, message.identifier))] == ["REJ_RG"]


def test_one_bad_status_among_good_ones(world: World) -> None:
    """A rejected status harms only itself."""
    numbers = [world.number("E") for _ in range(3)]
    messages = [status(number, code) for number, code in zip(numbers, ("200", "205", "200"), strict=True)]
    assert acknowledgement(world, send(world, dict(map(status_file, messages)), STATUSES)).status == "500"
    assert [len(answers(world, message.identifier)) for message in messages] == [0, 1, 0]
    assert [world.told(number) for number in numbers] == ["200", "", "200"]


def test_a_status_twice(world: World) -> None:
    """A status is the same by its identifier: in two flows it is had once, and said of nothing."""
    number = world.number("E")
    message = status(number, "200")
    before = world.count("portal", obligatory_status)
    send(world, dict([status_file(message)]), STATUSES)
    send(world, dict([status_file(message)]), STATUSES)
    assert world.count("portal", obligatory_status) == before + 1
    assert answers(world, message.identifier) == []
    assert world.told(number) == "200"


def test_deposited_twice(world: World) -> None:
    """A second deposit of a living invoice, under another identifier, is incoherent."""
    number = world.number("E")
    first, second = status(number, "200", at=1), status(number, "200", at=2)
    send(world, dict(map(status_file, (first, second))), STATUSES)
    assert (len(answers(world, first.identifier)), len(answers(world, second.identifier))) == (0, 1)
    assert world.told(number) == "200"


def test_rejected_status_as_the_platform_sees_it(world: World) -> None:
    """The platform sees its status rejected, and why, beside the invoice; the others of the flow stand."""
    number = world.number()
    refusal = status(number, "210", at=59)
    world.deposit(service(number))
    send(world, dict([status_file(refusal)]), STATUSES)
    world.answer(BUYER, number, "205")
    world.clock.now += timedelta(days=1)
    world.answer(SELLER, number, "212", amounts=collected(("20", "2400")))
    row = world.declaration(SELLER, number, "212")
    assert row["state"] == "rejected"
    assert row["details"][0]["reason"] == "REJ_INC"
    assert "210 Refusée" in row["details"][0]["fr"]
    assert world.declaration(SELLER, number, "200")["state"] == "receivable"


def test_facts_leave_once(world: World) -> None:
    """Each accepted object is told to the administration once."""
    number = world.number()
    world.deposit(service(number))
    facts = [message for message in world.wire.crossed if message.recipient == "DGFIP"]
    assert len(facts) == len({message.id for message in facts}) == 2


def test_unknown_scheme_of_seller(world: World) -> None:
    """Data whose seller has no SIREN are rejected alone, named by default values, and the answer says which file."""
    number = world.number("E")
    seller = read(service(number)).seller
    stranger = {name: getattr(seller, name) for name in type(seller).__struct_fields__}
    stranger["legal_registration_identifier"] = InvoiceIdentifier("12345", "0999")
    name, data = data_file(number, seller=type(seller)(**stranger))
    neighbour = world.number("E")
    good, other = data_file(neighbour)
    assert acknowledgement(world, send(world, {name: data, good: other})).status == "500"
    bad = answer(world, number)
    assert (answer(world, neighbour).status, bad.status, bad.seller_siren) == ("250", "251", "000000000")
    assert "G1.114" in (told := {refusal.rule: refusal.fr for refusal in refusals_of(bad)})
    assert name in told["G1.114"]


def test_a_status_before_its_invoice(world: World) -> None:
    """Statuses travel apart from data and may come first: they are taken, and the data after them too."""
    number = world.number("E")
    send(world, dict([status_file(status(number, "200"))]), STATUSES)
    assert (answers(world, number), world.told(number)) == ([], "200")
    send(world, dict([data_file(number)]))
    assert answer(world, number).status == "250"
    assert world.told(number) == "F1 200"


def test_a_status_of_an_unknown_invoice(world: World) -> None:
    """No rule asks for the data of an invoice before its status: it is accepted by silence, and told."""
    number = world.number("E")
    message = status(number, "210")
    name = send(world, dict([status_file(message)]), STATUSES)
    assert acknowledgement(world, name).status == "500"
    assert answers(world, message.identifier) == []
    assert world.told(number) == "210"


def test_every_bad_file_is_named(world: World) -> None:
    """A flow that is irreceivable for several files names each, so that one answer is enough to mend them."""
    good = world.number("E")
    files = dict([data_file(good)]) | {"Base_a.xml": b"<Invoice", "x.xml": data_file("X")[1], "Base_c.xml": b"<c/>"}
    message = acknowledgement(world, send(world, files))
    named = {detail.notes[0].subject_code: detail.reason_code for detail in message.details}
    assert named == {"Base_a.xml": "IRR_SYNTAX", "x.xml": "IRR_NOM_F", "Base_c.xml": "IRR_TYPE_F"}
    assert answers(world, good) == []


@pytest.mark.parametrize(("interface", "syntax"), [(UBL, Syntax.CII), (CII, Syntax.UBL)])
def test_syntax_is_that_of_the_interface(world: World, interface: str, syntax: Syntax) -> None:
    """CII data under the interface of UBL, and the other way round, make the flow irreceivable."""
    name, data = flux1.build(read(service(world.number("E"))), profile=flux1.Profile.BASE, syntax=syntax)
    message = acknowledgement(world, send(world, {name: data}, interface))
    assert (message.status, message.reason_codes) == ("501", ("IRR_SYNTAX",))
