"""What is collected of a reported invoice: the payments of blocks 10.2 and 10.4.

Payments are reported only where VAT falls due on payment: services without the debits option, deposits, and never when
the buyer owes the VAT. Source: CGI art. 269, 2, c and 290 A; external specifications v3.2 §2.3.2.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from estafette.formats.flux1 import portal_number
from estafette.formats.flux10 import DailyPayment, InvoicePayment, PaidPart
from estafette.invoice import codes
from estafette.invoice.model import Invoice, VatBreakdown
from estafette.reporting.aggregation import ZERO, canonical
from estafette.reporting.decision import Treatment
from estafette.reporting.extraction import DEBITS, MARGIN_EXEMPTIONS, service_share
from estafette.values.money import rounded

PAID_AT_ISSUE = "2"
"""Digit of the billing frameworks (BT-23) of invoices already paid."""

REPORTED_BEFORE = "7"
"""Digit of the frameworks of invoices whose sale was reported before: both ways are right for them."""


def is_on_collection(document: Invoice, *, on_debits: bool = False) -> bool:
    """Tell whether some VAT of the document falls due on payment."""
    if not any(map(_bears_vat, document.vat_breakdown)):
        return False
    if document.is_deposit:
        return True
    return document.business_process[:1] in ("S", "M") and not on_debits and document.vat_point_code not in DEBITS


def reportable_parts(
    document: Invoice, collected: Iterable[tuple[Decimal, Decimal]], *, on_debits: bool = False
) -> tuple[PaidPart, ...]:
    """Return what of (rate, amount with VAT) is reported: taxed rates; of a mixed invoice the services' share."""
    if not is_on_collection(document, on_debits=on_debits):
        return ()
    by_rate = {canonical(part.rate or ZERO): part for part in document.vat_breakdown if _bears_vat(part)}
    whole = document.business_process[:1] == "S" or document.is_deposit
    parts = []
    for rate, amount in collected:
        group = by_rate.get(canonical(rate))
        if group is not None:
            share = Decimal(1) if whole else service_share(document, group)
            parts.append(PaidPart(canonical(rate), amount if whole else rounded(amount * share)))
    return tuple(part for part in parts if part.amount)


def paid_at_issue(document: Invoice) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return what an invoice said to be already paid amounts to, by rate, VAT included; nothing of another."""
    if document.business_process[1:] != PAID_AT_ISSUE or document.currency != "EUR":
        return ()
    sign = -1 if document.is_credit_note else 1
    return tuple(
        (canonical(part.rate or ZERO), sign * ((part.taxable_amount or ZERO) + (part.tax_amount or ZERO)))
        for part in document.vat_breakdown
    )


def payment_of(
    document: Invoice, treatment: Treatment, day: date, parts: Sequence[PaidPart]
) -> InvoicePayment | DailyPayment:
    """Return the payment as its block holds it: of the invoice (10.2) or of the day (10.4)."""
    if treatment is Treatment.INTERNATIONAL and document.issue_date is not None:
        number = portal_number(document.number, on=document.issue_date)
        return InvoicePayment(number, document.issue_date, day, tuple(parts))
    return DailyPayment(day, tuple(parts))


def _bears_vat(part: VatBreakdown) -> bool:
    """Tell whether VAT of France is due by the seller on this group; a margin bears it unseen."""
    if part.exemption_code in MARGIN_EXEMPTIONS:
        return True
    return part.category == "S" and bool(part.rate) and canonical(part.rate or ZERO) in codes.VAT_RATES
