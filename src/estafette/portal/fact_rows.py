"""The facts that a message states: one row a fact, from what was read of it.

- Flow 1: one for each part of the VAT breakdown;
- Flow 6: the status; of a collection (212), one for each rate;
- Flow 10: one for each part of a breakdown (10.1), and for each rate of a payment (10.2), of a day (10.3, 10.4).

Source of the terms: external specifications v3.2, annexes 1, 2 and 6.
"""

from collections.abc import Iterator
from typing import Any

from estafette.formats.flux1 import Flux1
from estafette.formats.flux10 import DailyPayment, InvoicePayment, Report, ReportedInvoice, Role
from estafette.formats.status_message import StatusMessage
from estafette.invoice.model import VatBreakdown
from estafette.values.moments import paris_day

Row = dict[str, Any]

COLLECTED = 212

_NOTHING: Row = dict.fromkeys(
    (
        *("counterpart", "number", "year", "status", "type_code", "process", "vat_point", "category"),
        *("rate", "base", "vat", "amount", "currency"),
    )
)


def of_data(data: Flux1) -> list[Row]:
    """Return the facts of the regulatory data of an invoice."""
    head = {
        **_NOTHING,
        "kind": "invoice",
        "siren": data.seller_siren,
        "role": "SE",
        "counterpart": data.buyer_siren,
        "number": data.number,
        "year": data.issue_date.year,
        "day": data.issue_date,
        "type_code": data.type_code,
        "process": data.business_process,
        "vat_point": data.vat_point_code,
        "currency": data.currency,
    }
    return [head | _part(part) for part in data.vat_breakdown]


def of_status(message: StatusMessage, year: int) -> list[Row]:
    """Return the facts of an obligatory status of an invoice of that year; a collection is told rate by rate."""
    code = int(message.status)
    head = {
        **_NOTHING,
        "kind": "status",
        "siren": message.seller_siren,
        "role": "SE",
        "number": message.object_identifier,
        "year": year,
        "day": paris_day(message.set_at),
        "status": code,
    }
    if code != COLLECTED:
        return [head]
    return [
        {**head, "kind": "collected", "rate": one.percent, "amount": one.amount, "currency": one.currency or None}
        for one in message.characteristics("MEN")
    ]


def of_report(report: Report) -> list[Row]:
    """Return the facts of a transmission of e-reporting, in its order."""
    head = {**_NOTHING, "siren": report.declarant, "role": report.role.value}
    return [
        *(head | row for invoice in report.invoices for row in _invoice(invoice, report)),
        *(head | row for payment in report.invoice_payments for row in _payment("10.2", payment)),
        *(head | row for row in _totals(report)),
        *(head | row for payment in report.daily_payments for row in _payment("10.4", payment)),
    ]


def _invoice(invoice: ReportedInvoice, report: Report) -> Iterator[Row]:
    other = invoice.buyer if report.role is Role.SELLER else invoice.seller
    day = invoice.issue_date or report.end  # one without a date concerns the period
    head = {
        "kind": "10.1",
        "counterpart": other.identifier if other else None,
        "number": invoice.number,
        "year": day.year,
        "day": day,
        "type_code": invoice.type_code,
        "process": invoice.business_process,
        "vat_point": invoice.vat_point_code,
        "currency": invoice.currency,
    }
    yield from (head | _part(part) for part in invoice.vat_breakdown)


def _totals(report: Report) -> Iterator[Row]:
    for total in report.daily_totals:
        head = {
            "kind": "10.3",
            "day": total.day,
            "category": total.category,
            "vat_point": total.vat_point_code,
            "currency": total.currency,
        }
        for part in total.parts:
            yield head | {"rate": part.rate, "base": part.taxable_amount, "vat": part.tax_amount}


def _payment(kind: str, payment: InvoicePayment | DailyPayment) -> Iterator[Row]:
    head: Row = {"kind": kind, "day": payment.day, "currency": "EUR"}
    if isinstance(payment, InvoicePayment):
        head |= {"number": payment.number, "year": payment.issue_date.year}
    yield from (head | {"rate": part.rate, "amount": part.amount} for part in payment.parts)


def _part(part: VatBreakdown) -> Row:
    rate, base, vat = part.rate, part.taxable_amount, part.tax_amount
    return {"category": part.category, "rate": rate, "base": base, "vat": vat}
