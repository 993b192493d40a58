"""What the controls look at, gathered from everywhere in an invoice, and how numbers are measured."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from estafette.invoice.model import AllowanceCharge, Delivery, Invoice, Line, Party, Period

TOLERANCE = Decimal("0.01")
"""The gap that sums and prices may have (G1.53, G1.55)."""


def outside(code: str | None, admitted: frozenset[str]) -> Iterator[str]:
    """Give a code that is not among those admitted."""
    if code and code not in admitted:
        yield code


def apart(total: Decimal | None, parts: list[Decimal | None]) -> Iterator[str]:
    """Give a total and the sum of its parts when they are further apart than the tolerance."""
    said = sum((part for part in parts if part is not None), Decimal(0))
    if total is not None and abs(total - said) > TOLERANCE:
        yield f"{total} ≠ {said}"


def fits(number: Decimal, *, decimals: int) -> bool:
    """Tell whether a number has so many decimals and nineteen characters at most, the point not counted."""
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -decimals and len(str(number).replace(".", "")) <= 19


def parties(invoice: Invoice) -> tuple[Party, Party]:
    """Give the seller and the buyer."""
    return invoice.seller, invoice.buyer


def deliveries(invoice: Invoice) -> Iterator[Delivery]:
    """Give the deliveries of the document and of its lines."""
    yield from filter(None, (invoice.delivery, *(line.delivery for line in invoice.lines)))


def periods_of(invoice: Invoice) -> Iterator[Period]:
    """Give the periods of the document and of its lines."""
    yield from filter(None, (invoice.invoicing_period, *(line.period for line in invoice.lines)))


def dates(invoice: Invoice) -> Iterator[date]:
    """Give every date of the flow."""
    preceding = (*invoice.preceding_invoices, *(line.preceding_invoice for line in invoice.lines))
    days = [invoice.issue_date, invoice.due_date]
    days += [each.issue_date for each in preceding if each]
    days += [each.actual_delivery_date for each in deliveries(invoice)]
    days += [day for period in periods_of(invoice) for day in (period.start, period.end)]
    yield from filter(None, days)


def taxes(invoice: Invoice) -> Iterator[tuple[str | None, Decimal | None]]:
    """Give each VAT category with its rate: of the breakdown, of allowances and of charges."""
    yield from ((part.category, part.rate) for part in invoice.vat_breakdown)
    yield from ((each.vat_category, each.vat_rate) for each in (*invoice.allowances, *invoice.charges))


def amounts_of(invoice: Invoice) -> Iterator[Decimal]:
    """Give every amount of the flow."""
    totals = invoice.totals
    held = (*invoice.allowances, *invoice.charges, *(each for line in invoice.lines for each in _on_line(line)))
    amounts = [totals.total_without_vat, totals.total_vat, totals.total_vat_in_accounting_currency]
    amounts += [amount for part in invoice.vat_breakdown for amount in (part.taxable_amount, part.tax_amount)]
    amounts += [each.amount for each in held]
    yield from (amount for amount in amounts if amount is not None)


def _on_line(line: Line) -> tuple[AllowanceCharge, ...]:
    return line.allowances + line.charges


def lines_refer(invoice: Invoice) -> bool:
    """Tell whether every line names the invoice that it follows, with its date."""
    references_ = [line.preceding_invoice for line in invoice.lines]
    return bool(references_) and all(each and each.number and each.issue_date for each in references_)
