"""E-reporting end to end: a company's sales and payments reach the administration, once, by the calendar."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from tests.platform.test_watch import raised
from tests.platform.world import BUYER, SELLER, World, collected, party, service

from estafette.formats import cdar, flow_archive, flux10, read, write
from estafette.formats.flux10 import Kind, Report, Role
from estafette.formats.xml import Syntax
from estafette.invoice.model import Address, Identifier, Invoice, Note, Party, PrecedingInvoice
from estafette.lifecycle.messages import InvoiceReference, between_platforms, company_party
from estafette.platform import reporting_drafts
from estafette.platform.answers import Answer, NotAllowed, details_of
from estafette.platform.reporting import NotYet, Reporting
from estafette.platform.reporting_drafts import Draft
from estafette.platform.reporting_ledger import Entry, PeriodKey, Source, record
from estafette.portal.reporting_tables import accepted_report
from estafette.portal.tables import partner_flow
from estafette.reporting.calendar import Regime, RegimeChange
from estafette.reporting.extraction import reported_invoice
from estafette.rules import check
from estafette.store import audit

DAY = date(2026, 9, 14)
TX = PeriodKey(SELLER, Role.SELLER, Kind.TRANSACTIONS, DAY)
PAY = PeriodKey(SELLER, Role.SELLER, Kind.PAYMENTS, DAY)
BOUGHT = PeriodKey(SELLER, Role.BUYER, Kind.TRANSACTIONS, DAY)
DESK = Source("desk", "x")
AFTER_TRANSACTIONS = datetime(2026, 10, 1, 5, tzinfo=UTC)
AFTER_PAYMENTS = datetime(2026, 10, 11, 5, tzinfo=UTC)
TILL = b"""id;date;categorie;taux;base;tva;nombre;encaisse
Z-1;14/09/2026;TLB1;20;1 000,00;200,00;40;
Z-2;14/09/2026;TPS1;10;500,00;50,00;12;oui
"""


def run(work: Awaitable[Any]) -> Any:
    """Await something."""

    async def awaited() -> Any:
        return await work

    return asyncio.run(awaited())


def reporting(world: World) -> Reporting:
    """Return the e-reporting of the seller's platform."""
    return world.home(SELLER).reporting


def draft(world: World, key: PeriodKey = TX) -> Draft:
    """Return the draft of a period."""
    found: Draft = run(reporting(world).draft(key)).draft
    return found


def until(world: World, moment: datetime) -> None:
    """Time has come to this moment, and what was due is done."""
    world.clock.now = moment
    world.work()


def sent(world: World) -> list[Report]:
    """Return what the portal accepted, the first first, from the envelopes that it keeps."""
    whose = partner_flow.c.name == accepted_report.c.flow_name
    query = select(accepted_report.c.file_name, partner_flow.c.name, partner_flow.c.sha256).join(partner_flow, whose)
    documents = world.running["portal"].actor.documents
    return [
        flux10.read(dict(flow_archive.unpack(f"{row['name']}.tar.gz", documents.get(row["sha256"])))[row["file_name"]])
        for row in world.rows("portal", query.order_by(accepted_report.c.id))
    ]


def facts(world: World) -> list[str]:
    """Name the transmissions that the administration knows."""
    rows = world.sql("administration", "SELECT transmission FROM report_fact ORDER BY accepted_at")
    return [row["transmission"] for row in rows]


def sale(number: str, *, bar: str = "B2C", **terms: Any) -> bytes:
    """Write the sample invoice of a service, sold to a person."""
    document = read(service(number, **{name: terms.pop(name) for name in ("issue_date",) if name in terms}))
    notes = tuple(Note(bar, "BAR") if note.subject_code == "BAR" else note for note in document.notes)
    return write(replace(document, notes=notes, **terms), Syntax.UBL)


def german() -> Party:
    """Return a taxable customer in Germany."""
    model = read(service("MODEL")).buyer
    return replace(
        model,
        legal_registration_identifier=Identifier("DE123456789", "0223"),
        vat_identifier="DE123456789",
        electronic_address=Identifier("DE123456789", "9930"),
        identifiers=(),
        postal_address=Address(line_one="1", city="Bonn", post_code="53111", country_code="DE"),
    )


def abroad(number: str) -> bytes:
    """Write an invoice of a service to a German company, under reverse charge."""
    document: Invoice = read(service(number))
    notes = tuple(Note("B2BINT", "BAR") if note.subject_code == "BAR" else note for note in document.notes)
    base = document.totals.total_without_vat
    (part,) = document.vat_breakdown
    part = replace(part, category="AE", rate=Decimal(0), tax_amount=Decimal(0), exemption_code="VATEX-EU-AE",
                   exemption_reason="Autoliquidation")  # fmt: skip
    lines = tuple(replace(line, vat_category="AE", vat_rate=Decimal(0)) for line in document.lines)
    totals = replace(document.totals, total_vat=Decimal("0.00"), total_with_vat=base, amount_due=base)
    changed = {"notes": notes, "buyer": german(), "vat_breakdown": (part,), "lines": lines, "totals": totals}
    return write(replace(document, **changed), Syntax.UBL)  # type: ignore[arg-type]


def accept(world: World, data: bytes, number: str) -> None:
    """The invoice is deposited and is to be reported."""
    world.deposit(data)
    row = world.row(SELLER, number)
    assert row["standing"] == "reportable", row["explanation"]


def test_a_company_from_its_sales_to_the_administration(own_world: World) -> None:
    """Invoices B2C and abroad, a till file and a collection: shown as drafts, sent when due, accepted, told once."""
    world = own_world
    accept(world, sale("C1"), "C1")
    accept(world, abroad("X1"), "X1")
    assert run(reporting(world).hand_in(SELLER, TILL, name="z.csv", source="desk")).state == "taken"
    world.answer(SELLER, "C1", "212", amounts=collected(("20", "600.00")))

    shown = draft(world)
    assert (shown.state, shown.period.end, len(shown.content.invoices)) == ("open", date(2026, 9, 20), 1)
    assert {total.category for total in shown.content.daily_totals} == {"TLB1", "TPS1"}
    assert run(reporting(world).draft(TX)).faults[0].rule == "G7.43", "the period is not over"
    with pytest.raises(NotYet):
        run(reporting(world).send(TX))
    assert sent(world) == []

    until(world, AFTER_TRANSACTIONS)
    (transactions,) = sent(world)
    assert (transactions.type_code, transactions.declarant, transactions.platform) == ("IN", SELLER, "0003")
    assert draft(world).state == "accepted"
    until(world, AFTER_PAYMENTS)
    payments = sent(world)[1]
    cashed = {part.rate: part.amount for payment in payments.daily_payments for part in payment.parts}
    assert cashed == {Decimal(20): Decimal("600.00"), Decimal(10): Decimal("550.00")}
    assert payments.invoice_payments == (), "the German customer owes the VAT"
    assert facts(world) == [transactions.identifier, payments.identifier]
    mirrors = ["StateTransactionReport", "StateTransactionReportLC", "StatePaymentReport", "StatePaymentReportLC"]
    asked = {"flow_direction": ["In"], "flow_type": mirrors}
    assert [flow["flow_type"] for flow in world.home(SELLER).search(SELLER, asked, 100)] == mirrors
    world.pass_by(days=40)
    world.work()
    assert len(sent(world)) == 2, "nothing is sent twice"


def test_a_period_is_summed_whole_and_shown_in_part(own_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a till with very many rows the first are held, how many there are is said, and all are in the sums."""
    monkeypatch.setattr(reporting_drafts, "UNITS_SHOWN", 1)
    run(reporting(own_world).hand_in(SELLER, TILL, name="z.csv", source="api"))
    shown = draft(own_world)
    assert (len(shown.units), shown.count) == (1, 2)
    assert shown.whole() == {"EUR": Decimal("1500.00"), "VAT": Decimal("250.00")}


def test_the_journal_tells_it(own_world: World) -> None:
    """A file, a withdrawal, a regime, what was sent and what was answered are in the company's chain, in order."""
    world = own_world
    rooms = reporting(world)
    run(rooms.hand_in(SELLER, TILL, name="caisse.csv", source="api"))
    run(rooms.set_regime(SELLER, RegimeChange(date(2026, 9, 1), Regime.MONTHLY)))
    unit = draft(world).units[0]["id"]
    assert run(rooms.withdraw(SELLER, unit))
    until(world, AFTER_TRANSACTIONS)
    with rooms.home.actor.database.read() as connection:
        told = [event["what"] for event in audit.latest(connection, SELLER, about=None, limit=20)]
    assert [what for what in told if what.startswith("report.")] == [
        "report.file", "report.regime", "report.withdrawn", "report.sent", "report.answered",
    ]  # fmt: skip


def test_late_records_correct_the_period(own_world: World) -> None:
    """What comes after the sending replaces the period at the next time of its kind; the former stays at the portal."""
    world = own_world
    accept(world, sale("C1"), "C1")
    until(world, AFTER_TRANSACTIONS)
    run(reporting(world).hand_in(SELLER, TILL, name="z.csv", source="api"))
    shown = draft(world)
    assert (shown.state, shown.type_code) == ("corrective", "RE")
    world.work()
    assert len(sent(world)) == 1
    until(world, AFTER_PAYMENTS)
    first, correction = [report for report in sent(world) if report.kind is Kind.TRANSACTIONS]
    assert (correction.type_code, correction.start) == ("RE", first.start)
    total = {one.category: one.taxable_amount for one in correction.daily_totals}
    assert total["TLB1"] == Decimal("1000.00")
    assert total["TPS1"] > Decimal("500.00"), "the invoice is still there: the whole period is sent again"


def test_rejected_corrected_accepted(own_world: World) -> None:
    """A rejection is shown with its reasons and reopens the period; what is corrected is sent again and accepted."""
    world = own_world
    row = b"id;date;categorie;taux;base;tva\nZ1;14/09/2026;TLB1;20;100;20\n"
    run(reporting(world).hand_in(SELLER, row, name="z.csv", source="api"))
    with world.running["portal"].actor.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM legal_unit WHERE siren = '100000009'")
    until(world, AFTER_TRANSACTIONS)
    shown = draft(world)
    assert (shown.state, shown.last["details"][0]["rule"]) == ("refused", "G6.26")  # type: ignore[index]
    assert "Déclarant" in shown.last["details"][0]["fr"]  # type: ignore[index]
    assert facts(world) == []
    assert ("rejected", "FFE1025A") in raised(world)
    with world.running["portal"].actor.database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO legal_unit (siren, instance, name, entity_type, is_taxable, status, diffusion, known_from)"
            " VALUES ('100000009', 999, 'Atelier', 'A', true, 'A', 'O', 1)"
        )
    run(reporting(world).hand_in(SELLER, row.replace(b"100;20\n", b"110;22\n"), name="z.csv", source="api"))
    run(reporting(world).send(TX))
    world.work()
    (accepted,) = sent(world)
    assert ("rejected", "FFE1025A") not in raised(world)
    assert (accepted.type_code, accepted.daily_totals[0].taxable_amount) == ("IN", Decimal("110.00"))
    assert draft(world).state == "accepted"


def test_our_own_controls_stop_it_first(own_world: World) -> None:
    """What the portal would reject is not sent: it is blocked, shown, and sent once it is right."""
    world = own_world
    row = b"type;id;date;taux;montant\nencaissement;P1;14/09/2026;20;-12\n"
    assert run(reporting(world).hand_in(SELLER, row, name="p.csv", source="api")).state == "taken"
    until(world, AFTER_PAYMENTS)
    shown = draft(world, PAY)
    assert (shown.state, shown.last["state"]) == ("refused", "blocked")  # type: ignore[index]
    assert "G1.16" in shown.last["details"][0]["rule"]  # type: ignore[index]
    assert ("rejected", "FFE1025A") in raised(world)
    run(reporting(world).withdraw(SELLER, shown.units[0]["id"]))
    assert (draft(world, PAY).content.is_empty, draft(world, PAY).state) == (True, "empty")
    until(world, datetime(2026, 11, 12, tzinfo=UTC))
    assert sent(world) == [], "no blank report"


def test_a_payment_given_back_corrects_its_own_period(own_world: World) -> None:
    """A negative collection is taken off the payment that it cancels, whose period is corrected: never negative."""
    world = own_world
    accept(world, sale("C1"), "C1")
    world.answer(SELLER, "C1", "212", amounts=collected(("20", "600.00")))
    until(world, AFTER_PAYMENTS)
    world.answer(SELLER, "C1", "212", amounts=collected(("20", "-200.00")), comment="Chèque impayé")
    until(world, datetime(2026, 11, 11, 5, tzinfo=UTC))
    first, corrected = [report for report in sent(world) if report.kind is Kind.PAYMENTS]
    assert first.daily_payments[0].parts[0].amount == Decimal("600.00")
    assert (corrected.type_code, corrected.start) == ("RE", first.start)
    assert corrected.daily_payments[0].parts[0].amount == Decimal("400.00")


def test_a_credit_note_is_taken_off_the_payments_of_its_invoice(own_world: World) -> None:
    """What a credit note gives back corrects the period in which its invoice was paid; nothing is negative."""
    world = own_world
    accept(world, sale("C1"), "C1")
    world.answer(SELLER, "C1", "212", amounts=collected(("20", "2400.00")))
    until(world, AFTER_PAYMENTS)
    former = (PrecedingInvoice(number="C1", issue_date=date(2026, 9, 14)),)
    accept(world, sale("A1", type_code="381", preceding_invoices=former, issue_date=date(2026, 10, 9)), "A1")
    world.answer(SELLER, "A1", "212", amounts=collected(("20", "-2000.00")), comment="Avoir")
    until(world, datetime(2026, 11, 11, 5, tzinfo=UTC))
    first, corrected = [report for report in sent(world) if report.kind is Kind.PAYMENTS]
    assert (corrected.type_code, corrected.start) == ("RE", first.start)
    assert corrected.daily_payments[0].parts[0].amount == Decimal("400.00")
    assert draft(world, PeriodKey(SELLER, Role.SELLER, Kind.PAYMENTS, date(2026, 10, 9))).content.is_empty


def test_an_invoice_already_paid_is_not_collected_again(own_world: World) -> None:
    """An invoice of framework 2 puts its payment in the ledger itself; a collection on top is refused."""
    world = own_world
    model = read(service("MODEL"))
    paid = replace(model.totals, paid_amount=model.totals.total_with_vat, amount_due=Decimal("0.00"))
    accept(world, sale("P1", business_process="S2", totals=paid, due_date=date(2026, 9, 14)), "P1")
    assert [unit["source"] for unit in draft(world, PAY).units] == ["invoice"]
    with pytest.raises(NotAllowed, match="dépassent"):
        world.answer(SELLER, "P1", "212", amounts=collected(("20", "2400.00")))
    world.answer(SELLER, "P1", "212", amounts=collected(("20", "-2400.00")), comment="Remboursement")
    assert draft(world, PAY).content.is_empty


def test_what_is_collected_is_reported_in_euros(own_world: World) -> None:
    """Of an invoice in dollars, the collection is said and reported in euros; in dollars it is refused (G6.27)."""
    world = own_world
    model = read(service("MODEL")).totals
    totals = replace(model, total_vat_in_accounting_currency=Decimal("350.00"))
    accept(world, sale("D1", currency="USD", vat_accounting_currency="EUR", totals=totals), "D1")
    world.answer(SELLER, "D1", "212", amounts=collected(("20", "2100.00")))
    (payment,) = draft(world, PAY).content.daily_payments
    assert payment.parts[0].amount == Decimal("2100.00")
    (event,) = world.view(SELLER, "D1").events
    assert event["characteristics"][0]["currency"] == "EUR"
    dollars = details_of(Answer("212", amounts=collected(("20", "1.00"))), "USD", on=world.clock.now)
    message = between_platforms(
        "212", identifier="D1-212", issuer=company_party("SE", SELLER), recipients=[], details=dollars,
        invoice=InvoiceReference(number="D1", type_code="380", issue_date=date(2026, 9, 14), seller_siren=SELLER),
        set_at=world.clock.now, issued_at=world.clock.now,
    )  # fmt: skip
    flow = world.flow(SELLER, world.deposit(cdar.write(message), name="statut.xml"))
    assert "G6.27" in str(flow["details"]) or "euros" in str(flow["details"])


def test_nothing_else_is_said_of_a_reported_invoice(own_world: World) -> None:
    """Of an invoice that is reported only a collection can be set, and only where VAT is due then."""
    world = own_world
    accept(world, sale("C1"), "C1")
    accept(world, abroad("X1"), "X1")
    for number, status in (("C1", "220"), ("X1", "212")):
        with pytest.raises(NotAllowed, match="e-reporting"):
            world.answer(SELLER, number, status, amounts=collected(("20", "1.00")))
    assert [status.code for status in world.view(SELLER, "C1").possible] == ["212"]
    assert world.view(SELLER, "X1").possible == ()
    assert world.told("C1") == ""


def test_one_way_only(own_world: World) -> None:
    """What is e-invoiced is not reported: a row about it is refused, one that came before is taken back."""
    world = own_world
    head = b"id;date;categorie;taux;base;tva;facture\n"
    world.deposit(service("F1"))
    taken = run(reporting(world).hand_in(SELLER, head + b"a;14/09/2026;TPS1;20;1;0.2;F1\n", name="a.csv", source="api"))
    assert (taken.state, taken.faults[0].column, taken.faults[0].seen) == ("refused", "invoice_number", "F1")
    assert draft(world).content.is_empty
    run(reporting(world).hand_in(SELLER, head + b"b;14/09/2026;TPS1;20;100;20;F2\n", name="b.csv", source="api"))
    assert len(draft(world).units) == 1
    world.deposit(service("F2"))
    assert draft(world).content.is_empty


def test_one_way_only_settled_at_once(own_world: World) -> None:
    """A transmission that tells of an invoice, and the invoice e-invoiced after all, settled in one transaction."""
    world = own_world
    accept(world, abroad("X1"), "X1")
    world.clock.now = datetime(2026, 9, 22, tzinfo=UTC)
    made = run(reporting(world).draft(TX)).report
    told = replace(made.invoices[0], number="X2")
    world.at_once = 64
    world.leave(flux10.write(replace(made, identifier="SOFT-1", invoices=(told,))), name="f10.xml")
    world.leave(service("X2"))
    world.work()
    assert [row["standing"] for row in world.invoices(SELLER, "X2")] == ["live"]
    assert [one.number for one in draft(world).content.invoices] == ["X1"]


def test_another_sellers_number_takes_nothing_back(own_world: World) -> None:
    """A self-billed invoice bears its seller's number; what the company sold under the same is still reported."""
    world = own_world
    accept(world, sale("N1"), "N1")
    before = draft(world).content
    document = read(service("N1", type_code="389"))
    world.deposit(write(replace(document, seller=party(BUYER), buyer=party(SELLER)), Syntax.UBL))
    assert {row["standing"] for row in world.invoices(SELLER, "N1")} == {"reportable", "live"}
    assert draft(world).content == before
    row = b"id;date;categorie;taux;base;tva;facture\na;14/09/2026;TPS1;20;1;0.2;N1\n"
    assert run(reporting(world).hand_in(SELLER, row, name="a.csv", source="api")).state == "taken"


def test_a_number_of_another_year_is_another_invoice(own_world: World) -> None:
    """Numbers begin anew each year: what was e-invoiced last year does not keep a sale of this one from the ledger."""
    world = own_world
    world.clock.now = datetime(2027, 1, 20, tzinfo=UTC)
    world.deposit(service("F1"))
    head = b"id;date;categorie;taux;base;tva;facture\n"
    for day, state in ((b"15/01/2027", "taken"), (b"15/12/2026", "refused")):
        taken = run(
            reporting(world).hand_in(
                SELLER, head + day + b";" + day + b";TPS1;20;1;0.2;F1\n", name="a.csv", source="api"
            )
        )
        assert taken.state == state


def test_purchases_abroad(own_world: World) -> None:
    """The buyer reports what it buys abroad, at the VAT it assesses itself, as its own declarant in that role."""
    world = own_world
    document = read(abroad("D1"))
    swapped = replace(document, seller=replace(german(), name="Werk"), buyer=party(SELLER))
    world.deposit(write(swapped, Syntax.UBL))
    rows = world.invoices(SELLER, "D1")
    assert [(row["standing"], row["side"]) for row in rows] == [("reportable", "received")], rows[0]["explanation"]
    (invoice,) = draft(world, BOUGHT).content.invoices
    (part,) = invoice.vat_breakdown
    assert (part.category, part.rate, part.tax_amount) == ("AE", 20, invoice.total_vat)
    until(world, AFTER_TRANSACTIONS)
    assert [report.role for report in sent(world)] == [Role.BUYER]


def a_report(world: World, **changes: Any) -> bytes:
    """Return a whole transmission as a company's software makes it, after the period."""
    accept(world, sale("C1"), "C1")
    world.clock.now = datetime(2026, 9, 22, tzinfo=UTC)
    made = run(reporting(world).draft(TX)).report
    return flux10.write(replace(made, identifier="SOFT-1", **changes))


def test_a_transmission_is_taken_over(own_world: World) -> None:
    """A Flow 10 of the company joins its ledger and leaves under the platform's name; deposited twice, once."""
    world = own_world
    data = a_report(world)
    (row,) = draft(world).units
    run(reporting(world).withdraw(SELLER, row["id"]))
    flow = world.flow(SELLER, world.deposit(data, name="f10.xml"))
    assert (flow["acknowledgement"], flow["flow_type"]) == ("Ok", "AggregatedCustomerTransactionReport"), flow[
        "details"
    ]
    assert [unit["source"] for unit in draft(world).units] == ["report"]
    again = world.flow(SELLER, world.deposit(data, name="f10.xml"))
    assert again["details"][0]["reasonCode"] == "AlreadyExistingFlow"
    second = world.flow(SELLER, world.deposit(data.replace(b"SOFT-1", b"SOFT-2"), name="f10.xml"))
    assert "REJ_UNI" in second["details"][0]["reasonMessage"]
    corrective = data.replace(b"SOFT-1", b"SOFT-3").replace(b">IN<", b">RE<")
    assert world.flow(SELLER, world.deposit(corrective, name="f10.xml"))["acknowledgement"] == "Ok"
    assert len(draft(world).units) == 1, "it replaces"
    until(world, AFTER_TRANSACTIONS)
    assert [report.identifier[:15] for report in sent(world)] == [f"0003-{SELLER}-"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"declarant": BUYER}, "TT-13"),
        ({"end": date(2026, 9, 18)}, "REJ_PER"),
        ({"type_code": "CO"}, "G8.01"),
        ({"issued_at": datetime(2026, 9, 12, tzinfo=UTC)}, "G7.43"),
    ],
)
def test_a_transmission_that_is_not_the_companys(own_world: World, changes: dict[str, Any], says: str) -> None:
    """Another's declarant, a period of no regime of its own, an old type, a date before the end: refused, said."""
    flow = own_world.flow(SELLER, own_world.deposit(a_report(own_world, **changes), name="f10.xml"))
    assert flow["acknowledgement"] == "Error"
    (detail,) = flow["details"]
    assert says in detail["item"] + detail["reasonMessage"]
    assert " / " in detail["reasonMessage"]


def test_a_regime_moves_the_periods(own_world: World) -> None:
    """Under another regime the same units are of other periods, due at other times."""
    world = own_world
    accept(world, sale("C1"), "C1")
    run(reporting(world).set_regime(SELLER, RegimeChange(date(2026, 9, 1), Regime.FRANCHISE)))
    shown = draft(world)
    assert (shown.period.start, shown.period.end) == (date(2026, 9, 1), date(2026, 10, 31))
    until(world, AFTER_TRANSACTIONS)
    assert sent(world) == []
    until(world, datetime(2026, 12, 1, 5, tzinfo=UTC))
    assert [report.end for report in sent(world)] == [date(2026, 10, 31)]


def test_an_invoice_without_a_vat_number_does_not_hold_back_the_period(own_world: World) -> None:
    """What the portal would reject for it alone is left out and shown; the rest leaves, it follows once it is right."""
    world = own_world
    accept(world, sale("C1"), "C1")
    document = read(abroad("X1"))
    american = replace(german(), legal_registration_identifier=Identifier("US1", "0227"), vat_identifier=None,
                       postal_address=Address(line_one="1", city="Boston", country_code="US"))  # fmt: skip
    exempt = replace(document, buyer=american, seller=replace(document.seller, vat_identifier=None))
    with reporting(world).home.actor.database.begin() as connection:
        unit = reported_invoice(exempt, Role.SELLER, on=DAY)
        record(reporting(world).home, connection, SELLER, [Entry(Role.SELLER, "x", unit, reference="X1")], DESK)
    ((row, why),) = draft(world).withheld
    assert (row["reference"], why.rule, why.terms) == ("X1", "G2.33", ("TT-34",))
    until(world, AFTER_TRANSACTIONS)
    (first,) = sent(world)
    assert (first.invoices, len(first.daily_totals)) == ((), 1)
    numbered = replace(unit, seller=replace(unit.seller, vat_identifier="FR32100000009"))
    with reporting(world).home.actor.database.begin() as connection:
        record(reporting(world).home, connection, SELLER, [Entry(Role.SELLER, "x", numbered, reference="X1")], DESK)
    until(world, AFTER_PAYMENTS)
    corrected = [report for report in sent(world) if report.kind is Kind.TRANSACTIONS][-1]
    assert (corrected.type_code, [one.number for one in corrected.invoices]) == ("RE", ["X1"])


def test_a_regime_does_not_report_a_period_twice(own_world: World) -> None:
    """A regime that would put what was sent in another period is refused, with why; a later one is taken."""
    world = own_world
    accept(world, sale("C1"), "C1")
    until(world, AFTER_TRANSACTIONS)
    assert len(sent(world)) == 1
    with pytest.raises(NotYet, match="2026-09-11"):
        run(reporting(world).set_regime(SELLER, RegimeChange(date(2026, 9, 1), Regime.QUARTERLY)))
    run(reporting(world).set_regime(SELLER, RegimeChange(date(2026, 9, 1), Regime.MONTHLY, on_debits=True)))
    run(reporting(world).set_regime(SELLER, RegimeChange(date(2026, 10, 1), Regime.QUARTERLY)))
    until(world, AFTER_PAYMENTS)
    assert [report.end for report in sent(world)] == [date(2026, 9, 20)]


def test_the_official_rules_accept_what_leaves(own_world: World) -> None:
    """The very bytes that leave are accepted by the official schema and rules."""
    world = own_world
    accept(world, sale("C1"), "C1")
    accept(world, abroad("X1"), "X1")
    prepared = run(reporting(world).draft(TX))
    verdict = check(prepared.data)
    assert (verdict.schema, verdict.findings) == ((), ())
