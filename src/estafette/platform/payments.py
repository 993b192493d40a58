"""What was collected of an invoice, by VAT rate, and whether one more collection (212) still fits in it.

VAT falls due on what is collected, so an amount beyond the invoice would be declared as tax, one below nothing as tax
given back: a typing error costs money. What is paid in excess is no price of the invoice: it is refunded, not
collected.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from sqlalchemy import RowMapping

from estafette.formats.status_message import Characteristic, Detail
from estafette.invoice.model import Invoice
from estafette.lifecycle import Refusal

ZERO = Decimal(0)

COLLECTED = "MEN"
"""The kind of amount that says what was collected (MDT-207)."""

Amounts = Mapping[Decimal, Decimal]
"""By VAT rate, VAT included."""


def excess(
    document: Invoice,
    events: Iterable[RowMapping],
    details: Iterable[Detail],
    *,
    already: Iterable[tuple[Decimal, Decimal]] = (),
) -> Refusal | None:
    """Tell why these collections do not fit: a rate the invoice has not, more than it amounts to at that rate, less
    than nothing.

    `events` are the statuses already had, with their characteristics as kept; `already`, what was declared with the
    invoice itself, by (rate, amount with VAT). A credit note is collected in negative
    amounts. What was set off in kind is taken back at rate 0, out of what was collected at the others (barter). What
    brings back nearer what was beyond fits; amounts in another currency than the invoice's are not compared.
    """
    owed, before = _owed(document), _had(document, events)
    for rate, amount in already:
        before[rate.normalize()] += amount
    after = dict(before)
    for one in collected(details):
        if one.currency in ("", document.currency):
            rate = (one.percent or ZERO).normalize()
            after[rate] = after.get(rate, ZERO) + (one.amount or ZERO)
    in_kind = after.get(ZERO, ZERO) if ZERO not in owed else ZERO
    if in_kind < 0 and -in_kind <= sum(after.values()) - in_kind:
        del after[ZERO]
    for rate, amount in after.items():
        beyond = _beyond(amount, owed.get(rate, ZERO))
        if beyond > _beyond(before.get(rate, ZERO), owed.get(rate, ZERO)):
            return _refusal(document, rate, amount, owed)
    return None


def collected(details: Iterable[Detail]) -> list[Characteristic]:
    """Return the amounts collected that a status tells, each with its rate."""
    data = (one for detail in details for one in detail.characteristics if one.type_code == COLLECTED)
    return [one for one in data if one.amount is not None and one.percent is not None]


def _owed(document: Invoice) -> dict[Decimal, Decimal]:
    """Return what is to be collected of the invoice at each rate; of a credit note, what is to be given back."""
    owed: dict[Decimal, Decimal] = defaultdict(Decimal)
    sign = -1 if document.is_credit_note else 1
    for part in document.vat_breakdown:
        owed[(part.rate or ZERO).normalize()] += sign * ((part.taxable_amount or ZERO) + (part.tax_amount or ZERO))
    return owed


def _had(document: Invoice, events: Iterable[RowMapping]) -> dict[Decimal, Decimal]:
    had: dict[Decimal, Decimal] = defaultdict(Decimal)
    for event in events:
        for datum in event["characteristics"] if event["status"] == "212" else ():
            is_comparable = datum.get("currency") in (None, "", document.currency)
            if datum["type"] == COLLECTED and datum["amount"] and datum["rate"] and is_comparable:
                had[Decimal(datum["rate"]).normalize()] += Decimal(datum["amount"])
    return had


def _beyond(amount: Decimal, owed: Decimal) -> Decimal:
    """Return by how much an amount is out of what there is to collect: from nothing to what is owed."""
    low, high = sorted((ZERO, owed))
    return max(low - amount, amount - high, ZERO)


def _refusal(document: Invoice, rate: Decimal, amount: Decimal, owed: Amounts) -> Refusal:
    if document.is_credit_note and amount > 0 >= owed.get(rate, ZERO):
        fr = f"{amount} à {rate:f} % : un avoir s'encaisse en négatif ({-amount}), comme l'argent qui est rendu."
        en = f"{amount} at {rate:f} %: a credit note is collected in the negative ({-amount}), as money given back."
        return _encashment(fr, en, "MDT-215")
    if amount < 0 <= owed.get(rate, ZERO):
        fr = f"À {rate:f} %, plus serait rendu qu'il n'a été encaissé ({amount}) : on ne rend que ce qu'on a encaissé."
        en = f"At {rate:f} %, more would be given back than was collected ({amount}): only what was collected can be."
        return _encashment(fr, en, "MDT-215")
    known = ", ".join(f"{held} à {at:f} %" for at, held in sorted(owed.items())) or "∅"
    fr = f"{amount} encaissés à {rate:f} % dépassent la facture ({known}) : un trop-perçu se rembourse."
    en = f"{amount} collected at {rate:f} % exceed the invoice ({known}): what was paid in excess is refunded."
    return _encashment(fr, en, "MDT-215", "MDT-224")


def _encashment(fr: str, en: str, *terms: str) -> Refusal:
    return Refusal("REJ_ENCAISSEMENT", "EST-COLLECTED", fr, en, terms)
