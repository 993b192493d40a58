"""Invoices and statuses of invented companies, written in one line."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from estafette.vat.facts import Collected, Document, Preceding, Status, VatBreakdown

SELLER, BUYER = "100000009", "200000008"


def part(rate: str, base: str, *, category: str = "S", code: str | None = None) -> VatBreakdown:
    """One group of a VAT breakdown; the VAT follows the rate."""
    amount = Decimal(base)
    tax = (amount * Decimal(rate) / 100).quantize(Decimal("0.01"))
    return VatBreakdown(category, Decimal(rate), amount, tax, code)


def invoice(
    number: str,
    issued: date,
    *,
    process: str = "B1",
    kind: str = "380",
    parts: tuple[VatBreakdown, ...] = (part("20", "1000"),),
    of: Iterable[str] = (),
    **more: Any,
) -> Document:
    """One invoice from SELLER to BUYER; `of` names the invoices it credits or replaces."""
    fields: dict[str, Any] = {"seller": SELLER, "buyer": BUYER, "number": number, "issue_date": issued}
    fields |= {"type_code": kind, "business_process": process, "vat_breakdown": parts}
    return Document(**fields, preceding_invoices=tuple(Preceding(each) for each in of), **more)


def status(
    document: Document, code: int, day: date, name: str | None = None, collected: Iterable[tuple[str, str]] = ()
) -> Status:
    """One status set at noon UTC that day; `collected` holds (rate, amount) pairs."""
    amounts = tuple(Collected(Decimal(rate), Decimal(amount)) for rate, amount in collected)
    message_id = name or f"{document.number}-{code}-{day.isoformat()}"
    at = datetime.combine(day, time(12), UTC)
    return Status(*document.key, code, at, message_id, collected=amounts)
