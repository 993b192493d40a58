"""When the VAT of what is e-reported falls due: rules X11 to X13 over the transmissions that stand.

- X11, sales to non-taxable persons: goods and margins on their day; services on their day under the debits option,
  else as they are cashed, which is reported apart (10.4). What is cashed is split as in rule X5.
- X12, invoices abroad, as the seller: without French VAT, or under the debits option, on delivery, else at the end of
  the period invoiced, else on issue; services and deposits with French VAT as they are cashed (10.2).
- X13, invoices abroad, as the buyer: services on completion, said as above; goods from the Union on their invoice, and
  on the 15th of the month after delivery at the latest; other goods on delivery.

Only what stands is given (`reporting.standing`). Law: CGI art. 256 bis, 269, 283-1, 283-2; blocks and terms: external
specifications v3.2, annex 6.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from estafette.formats.flux10 import Block, DailyPayment, DailyTotal, InvoicePayment, Report, ReportedInvoice, Role
from estafette.invoice.model import VatBreakdown as Part
from estafette.values.money import rounded
from estafette.vat.events import Certainty, Event
from estafette.vat.exigibility import DEBITS_OPTION
from estafette.vat.facts import DEPOSITS, Document, Reported

ZERO = Decimal(0)
SERVICES, MARGIN, OUTSIDE = "TPS1", "TMA1", "TNT1"
"""Categories of daily totals (TT-81, G1.68) beside goods, TLB1."""

UNION = "0223"
"""The scheme of a party of another member state: its VAT number (G2.19)."""

AGGREGATE = "10"
"""What stands for the type of a document that is no invoice: the totals of a day."""

InvoiceKey = tuple[str, int]


def events_of(reports: Iterable[Report]) -> tuple[Event, ...]:
    """Return what falls due on the transmissions that stand, by date; their order does not matter."""
    held = sorted(reports, key=repr)
    sold = {
        key: (report, invoice)
        for report in held
        if report.role is Role.SELLER
        for invoice in report.invoices
        if (key := _key_of(invoice))
    }
    events = [event for report in held for event in _events(report, sold)]
    return tuple(sorted(events, key=lambda event: event.on))


def _key_of(invoice: ReportedInvoice) -> InvoiceKey | None:
    return (invoice.number, invoice.issue_date.year) if invoice.issue_date else None


def _events(report: Report, sold: dict[InvoiceKey, tuple[Report, ReportedInvoice]]) -> Iterator[Event]:
    for invoice in report.invoices:
        yield from _bought(report, invoice) if report.role is Role.BUYER else _sold(report, invoice)
    for total in report.daily_totals:
        yield from _of_day(report, total)
    for payment in report.invoice_payments:
        yield from _cashed(report, payment, sold.get((payment.number, payment.issue_date.year)))
    for daily in report.daily_payments:
        yield from _cashed_in_a_day(report, daily)


# ------------------------------------------------------------------------------------------------ non-taxable persons


def _of_day(report: Report, total: DailyTotal) -> Iterator[Event]:
    if total.category == SERVICES and total.vat_point_code not in DEBITS_OPTION:
        return
    certainty = Certainty.PRESUMED if total.category in {MARGIN, OUTSIDE} else Certainty.CERTAIN
    document = _aggregate(report, total.day, total.category, total.currency)
    source = Reported(Block.DAILY_TOTALS, report.identifier)
    for part in total.parts:
        group = (total.category, part.rate, None)
        yield Event(
            document, "X11", total.day, *group, part.taxable_amount, part.tax_amount, certainty, reported=source
        )


def _cashed_in_a_day(report: Report, payment: DailyPayment) -> Iterator[Event]:
    document = _aggregate(report, payment.day, SERVICES, "EUR")
    source = Reported(Block.DAILY_PAYMENTS, report.identifier)
    for part in payment.parts:
        base, vat = _split(part.amount, part.rate)
        yield Event(document, "X11", payment.day, SERVICES, part.rate, None, base, vat, reported=source)


def _aggregate(report: Report, day: date, category: str, currency: str) -> Document:
    """Return what stands for the invoices that nobody made: the transmission, on that day."""
    return Document(report.declarant, report.identifier, day, AGGREGATE, category, (), "", currency)


# ------------------------------------------------------------------------------------------------------------ abroad


def _sold(report: Report, invoice: ReportedInvoice) -> Iterator[Event]:
    document = _document(report, invoice)
    if document is None:
        return
    for part in invoice.vat_breakdown:
        if not _as_it_is_cashed(invoice, part):
            on = _supplied_on(invoice, document.issue_date)
            yield _whole(report, invoice, document, part, rule="X12", on=on)


def _cashed(report: Report, payment: InvoicePayment, sold: tuple[Report, ReportedInvoice] | None) -> Iterator[Event]:
    """What is cashed of an invoice makes its part due; of one that is not reported, as a taxed service."""
    document = _document(*sold) if sold else None
    if document is None:
        document = Document(report.declarant, payment.number, payment.issue_date, "380", "S1", (), "")
    certainty = Certainty.CERTAIN if sold else Certainty.PRESUMED
    source = Reported(Block.INVOICE_PAYMENTS, report.identifier)
    for part in payment.parts:
        if sold is None or part.rate in _rates_cashed(sold[1]):  # otherwise it fell due with the invoice
            base, vat = _split(part.amount, part.rate)
            yield Event(document, "X12", payment.day, "S", part.rate, None, base, vat, certainty, reported=source)


def _rates_cashed(invoice: ReportedInvoice) -> set[Decimal]:
    """Return the rates whose VAT falls due as the invoice is paid."""
    return {part.rate for part in invoice.vat_breakdown if part.rate is not None and _as_it_is_cashed(invoice, part)}


def _as_it_is_cashed(invoice: ReportedInvoice, part: Part) -> bool:
    if not part.rate or part.category != "S":
        return False
    if invoice.type_code in DEPOSITS:
        return True
    return invoice.business_process[:1] in {"S", "M"} and invoice.vat_point_code not in DEBITS_OPTION


def _bought(report: Report, invoice: ReportedInvoice) -> Iterator[Event]:
    document = _document(report, invoice)
    if document is None:
        return
    day = _supplied_on(invoice, document.issue_date)
    if is_from_the_union(invoice) and invoice.business_process.startswith("B"):
        day = min(document.issue_date, _fifteenth_after(day))
    for part in invoice.vat_breakdown:
        yield _whole(report, invoice, document, part, rule="X13", on=day)


def is_from_the_union(invoice: ReportedInvoice) -> bool:
    """Tell whether the seller is in another member state."""
    return invoice.seller.scheme == UNION


def _fifteenth_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=15)


def _supplied_on(invoice: ReportedInvoice, issued: date) -> date:
    delivered = [each.actual_delivery_date for each in invoice.deliveries if each.actual_delivery_date]
    if delivered:
        return max(delivered)
    return invoice.period.end if invoice.period and invoice.period.end else issued


def _document(report: Report, invoice: ReportedInvoice) -> Document | None:
    """Return what VAT follows from in a reported invoice; None for one without a date, which dates nothing."""
    if invoice.issue_date is None:
        return None
    buyer = invoice.buyer
    mine = report.role is Role.BUYER
    return Document(
        seller=invoice.seller.identifier if mine else report.declarant,
        number=invoice.number,
        issue_date=invoice.issue_date,
        type_code=invoice.type_code,
        business_process=invoice.business_process,
        vat_breakdown=(),
        buyer=report.declarant if mine else buyer.identifier if buyer else "",
        currency=invoice.currency,
        vat_point_date_code=invoice.vat_point_code,
        seller_country=invoice.seller.country or ("" if mine else "FR"),
        buyer_country=(buyer.country if buyer else None) or "",
    )


def _whole(report: Report, invoice: ReportedInvoice, document: Document, part: Part, *, rule: str, on: date) -> Event:
    """The whole part falls due, with the base and the VAT written on the document."""
    base, vat = document.sign * (part.taxable_amount or ZERO), document.sign * (part.tax_amount or ZERO)
    source = Reported(Block.INVOICES, report.identifier, is_from_the_union(invoice))
    group = (part.category or "O", part.rate or ZERO, part.exemption_code)
    return Event(document, rule, on, *group, base, vat, reported=source)


def _split(gross: Decimal, rate: Decimal) -> tuple[Decimal, Decimal]:
    """Split what was cashed: the base is rounded half up to the cent, the VAT is the rest (rule X5)."""
    base = rounded(gross * 100 / (100 + rate))
    return base, gross - base
