"""An event of VAT: an amount of one document at one rate that falls due on one day, and how it is made of a document.

`exigibility` says which fall due and when; here is what they are, in base and VAT, and what keeps amounts apart.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from estafette.values.money import rounded
from estafette.vat.facts import Document, Reported, VatBreakdown

ZERO = Decimal(0)

Group = tuple[str, Decimal, str | None]
"""What keeps amounts apart: category, rate, exemption code."""


class Certainty(StrEnum):
    """How far an event follows from the facts alone."""

    CERTAIN = "certain"
    PRESUMED = "presumed"


class Side(StrEnum):
    """Who counts the event: the seller as collected and the buyer as deductible on the same day, or the buyer alone."""

    BOTH = "both"
    BUYER = "buyer"


@dataclass(frozen=True, slots=True)
class Event:
    """VAT of one document at one rate that falls due on one day; negative when it is taken back.

    `message_id` is the payment it follows from, when it follows from one; `reported`, where it was e-reported.
    """

    document: Document
    rule: str
    on: date
    category: str
    rate: Decimal
    exemption_code: str | None
    base: Decimal
    vat: Decimal
    certainty: Certainty = Certainty.CERTAIN
    side: Side = Side.BOTH
    message_id: str | None = None
    reported: Reported | None = None


def group_of(part: VatBreakdown) -> Group:
    """Return what keeps a part of a breakdown apart."""
    return (part.category, part.rate, part.exemption_code)


def group_of_rate(document: Document, rate: Decimal) -> Group:
    """Find the group that a payment at this rate pays; a rate the invoice does not carry stays visible as standard."""
    for part in document.vat_breakdown:
        if part.rate == rate:
            return group_of(part)
    return ("S", rate, None)


def gross(part: VatBreakdown) -> Decimal:
    """Return the amount of a part, VAT included, unsigned."""
    return part.taxable_amount + part.tax_amount


def total_of(document: Document) -> Decimal:
    """Return the amount of a document, VAT included, below zero when it takes back."""
    return document.sign * sum((gross(part) for part in document.vat_breakdown), ZERO)


def was_reported_before(document: Document) -> bool:
    """Tell whether its VAT was already e-reported (rule X1): it counts for the buyer only."""
    return document.business_process in {"B7", "S7"}


def side_of(document: Document) -> Side:
    """Tell who counts what falls due on a document."""
    return Side.BUYER if was_reported_before(document) else Side.BOTH


def whole(document: Document, part: VatBreakdown, rule: str, on: date, certainty: Certainty) -> Event:
    """The whole group falls due, with the base and the VAT written on the document."""
    base, vat = document.sign * part.taxable_amount, document.sign * part.tax_amount
    return Event(document, rule, on, *group_of(part), base, vat, certainty, side_of(document))


def split(
    document: Document,
    group: Group,
    amount: Decimal,
    *,
    rule: str,
    on: date,
    certainty: Certainty = Certainty.CERTAIN,
    message_id: str | None = None,
) -> Event:
    """Split an amount including VAT: the base is rounded half up to the cent, the VAT is the rest (rule X5)."""
    base = rounded(amount * 100 / (100 + group[1]))
    return Event(document, rule, on, *group, base, amount - base, certainty, side_of(document), message_id)
