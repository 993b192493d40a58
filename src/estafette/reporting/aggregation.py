"""Units become a transmission: daily totals and payments are merged, invoices stand each for itself.

Every function gives the same for the same units in any order, and merging what is merged changes nothing. Sums are
exact; totals are those of their parts, so that the portal's sum rules hold to the cent (G1.53).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from estafette.formats.flux10 import (
    DailyPayment,
    DailyTotal,
    InvoicePayment,
    PaidPart,
    RatePart,
    ReportedInvoice,
)

ZERO = Decimal(0)
Unit = ReportedInvoice | DailyTotal | InvoicePayment | DailyPayment
"""One unit record: what its block holds one occurrence of."""

VAT_POINT_FROM = date(2027, 7, 1)
"""From when the option on debits (TT-80) is sent: the portal stores it badly until the second half of 2027
(AIFE, annex of limitations of July 2026)."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a transmission reports."""

    invoices: tuple[ReportedInvoice, ...] = ()
    daily_totals: tuple[DailyTotal, ...] = ()
    invoice_payments: tuple[InvoicePayment, ...] = ()
    daily_payments: tuple[DailyPayment, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to report: no transmission then, unless one must be cancelled."""
        return not (self.invoices or self.daily_totals or self.invoice_payments or self.daily_payments)

    def units(self) -> tuple[Unit, ...]:
        """Give the occurrences of every block."""
        return (*self.invoices, *self.daily_totals, *self.invoice_payments, *self.daily_payments)


def aggregate(units: Iterable[Unit], *, on: date) -> Content:
    """Return what the units of one declarant, role, kind and period amount to; `on` is the day of sending.

    Units are had one at a time: what is held is the invoices, and a sum a day for the rest.
    """
    made = _Aggregate(on)
    for unit in units:
        made.add(unit)
    return made.content()


class _TotalKey(NamedTuple):
    """What daily totals merge by (external specifications v3.2 §3.7: TT-77, TT-78, TT-80, TT-81)."""

    day: date
    currency: str
    category: str
    vat_point_code: str


@dataclass(slots=True)
class _Sum:
    """A daily total being made."""

    parts: dict[Decimal, list[Decimal]] = field(default_factory=dict)
    count: int = 0
    is_counted: bool = True


Amounts = dict[Decimal, Decimal]


@dataclass(slots=True)
class _Aggregate:
    """A content being made."""

    on: date
    invoices: list[ReportedInvoice] = field(default_factory=list)
    totals: dict[_TotalKey, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    of_invoices: dict[tuple[date, date, str], Amounts] = field(default_factory=lambda: defaultdict(dict))
    of_days: dict[date, Amounts] = field(default_factory=lambda: defaultdict(dict))

    def add(self, unit: Unit) -> None:
        """One more unit counts."""
        match unit:
            case ReportedInvoice():
                self.invoices.append(unit)
            case DailyTotal():
                self._add_total(unit)
            case InvoicePayment():
                _add(self.of_invoices[unit.day, unit.issue_date, unit.number], unit.parts)
            case DailyPayment():
                _add(self.of_days[unit.day], unit.parts)

    def _add_total(self, unit: DailyTotal) -> None:
        point = unit.vat_point_code or "" if self.on >= VAT_POINT_FROM else ""
        held = self.totals[_TotalKey(unit.day, unit.currency, unit.category, point)]
        held.is_counted = held.is_counted and unit.count is not None
        held.count += unit.count or 0
        for part in unit.parts:
            amounts = held.parts.setdefault(canonical(part.rate), [ZERO, ZERO])
            amounts[0] += part.taxable_amount
            amounts[1] += part.tax_amount

    def content(self) -> Content:
        """Return what it came to."""
        paid = ((key, _paid(self.of_invoices[key])) for key in sorted(self.of_invoices))
        cashed = ((day, _paid(self.of_days[day])) for day in sorted(self.of_days))
        return Content(
            tuple(sorted(self.invoices, key=_invoice_order)),
            tuple(_daily_total(key, self.totals[key]) for key in sorted(self.totals)),
            tuple(InvoicePayment(key[2], key[1], key[0], parts) for key, parts in paid if parts),
            tuple(DailyPayment(day, parts) for day, parts in cashed if parts),
        )


def _invoice_order(invoice: ReportedInvoice) -> tuple[date, str, str]:
    return invoice.issue_date or date.min, invoice.seller.identifier, invoice.number


def _daily_total(key: _TotalKey, held: _Sum) -> DailyTotal:
    parts = tuple(RatePart(rate, base, tax) for rate, (base, tax) in sorted(held.parts.items(), reverse=True))
    total = DailyTotal(day=key.day, category=key.category, currency=key.currency, parts=parts)
    return totalled(
        replace(
            total,
            vat_point_code=key.vat_point_code or None,
            count=held.count if held.is_counted else None,
        )
    )


def totalled(total: DailyTotal) -> DailyTotal:
    """Return the daily total with its totals those of its parts."""
    base = sum((part.taxable_amount for part in total.parts), ZERO)
    tax = sum((part.tax_amount for part in total.parts), ZERO)
    return replace(total, taxable_amount=base, tax_amount=tax)


def _add(amounts: dict[Decimal, Decimal], parts: tuple[PaidPart, ...]) -> None:
    for part in parts:
        rate = canonical(part.rate)
        amounts[rate] = amounts.get(rate, ZERO) + part.amount


def _paid(amounts: dict[Decimal, Decimal]) -> tuple[PaidPart, ...]:
    """Return the parts; what was cashed and given back the same day is nothing."""
    return tuple(PaidPart(rate, amount) for rate, amount in sorted(amounts.items(), reverse=True) if amount)


def canonical(rate: Decimal) -> Decimal:
    """Return a rate as the list of rates writes it: 20, 5.5, without idle zeros.

    >>> canonical(Decimal("20.00")), canonical(Decimal("5.50"))
    (Decimal('20'), Decimal('5.5'))
    """
    return Decimal(format(rate.normalize(), "f"))
