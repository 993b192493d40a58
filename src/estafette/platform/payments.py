"""What was collected of an invoice, by VAT rate, and whether one more collection (212) still fits in it.

VAT falls due on what is collected, so an amount beyond the invoice would be declared as tax: a typing error costs
money. What is paid in excess is no price of the invoice; it is refunded, not collected.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from sqlalchemy import RowMapping

from estafette.formats.status_message import Detail
from estafette.invoice.model import Invoice
from estafette.lifecycle import Refusal

ZERO = Decimal(0)

COLLECTED = "MEN"
"""The kind of amount that says what was collected (MDT-207)."""


def excess(document: Invoice, events: Iterable[RowMapping], details: Iterable[Detail]) -> Refusal | None:
    """Tell why these collections do not fit: a rate the invoice has not, or more than it amounts to at that rate.

    `events` are the statuses already had, with their characteristics as kept. A credit note is collected in negative
    amounts. What was set off in kind is taken back at rate 0, out of what was collected at the others (barter).
    """
    owed = _owed(document)
    had = _had(events)
    for detail in details:
        for one in detail.characteristics:
            if one.type_code != COLLECTED or one.amount is None or one.percent is None:
                continue
            had[one.percent.normalize()] += one.amount
    in_kind = -had[ZERO] if ZERO not in owed and had[ZERO] < 0 else ZERO
    if in_kind and in_kind <= sum(had.values()) + in_kind:
        del had[ZERO]
    for rate, amount in had.items():
        if document.is_credit_note and amount > 0:
            return _positive(rate, amount)
        if abs(amount) > abs(owed.get(rate, ZERO)):
            return _refusal(rate, amount, owed)
    return None


def _owed(document: Invoice) -> dict[Decimal, Decimal]:
    """Return what the invoice amounts to at each rate, VAT included."""
    owed: dict[Decimal, Decimal] = defaultdict(Decimal)
    for part in document.vat_breakdown:
        total = (part.taxable_amount or Decimal(0)) + (part.tax_amount or Decimal(0))
        owed[(part.rate or Decimal(0)).normalize()] += total
    return owed


def _had(events: Iterable[RowMapping]) -> dict[Decimal, Decimal]:
    had: dict[Decimal, Decimal] = defaultdict(Decimal)
    for event in events:
        for datum in event["characteristics"] if event["status"] == "212" else ():
            if datum["type"] == COLLECTED and datum["amount"] and datum["rate"]:
                had[Decimal(datum["rate"]).normalize()] += Decimal(datum["amount"])
    return had


def _positive(rate: Decimal, amount: Decimal) -> Refusal:
    return Refusal(
        "REJ_ENCAISSEMENT",
        "EST-COLLECTED",
        f"{amount} à {rate:f} % : un avoir s'encaisse en négatif ({-amount}), comme l'argent qui est rendu.",
        f"{amount} at {rate:f} %: a credit note is collected in the negative ({-amount}), as money given back.",
        ("MDT-215",),
    )


def _refusal(rate: Decimal, amount: Decimal, owed: Mapping[Decimal, Decimal]) -> Refusal:
    known = ", ".join(f"{held} à {at.normalize():f} %" for at, held in sorted(owed.items())) or "∅"
    return Refusal(
        "REJ_ENCAISSEMENT",
        "EST-COLLECTED",
        f"{amount} encaissés à {rate:f} % dépassent la facture ({known}) : un trop-perçu se rembourse.",
        f"{amount} collected at {rate:f} % exceed the invoice ({known}): what was paid in excess is refunded.",
        ("MDT-215", "MDT-224"),
    )
