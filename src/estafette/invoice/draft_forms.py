"""What a person fills in to have an invoice: few fields, each of one term or with a default that is told.

Rates and percentages are numbers of hundredths: 20, not 0.2. Amounts are in the currency of the draft.
"""

from datetime import date as Day
from decimal import Decimal
from typing import Literal

import msgspec

Nature = Literal["goods", "services", "both"]


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person fills in."""


class PartyDraft(_Form, frozen=True, kw_only=True):
    """A seller or a buyer. `vat_number: auto` computes it from the SIREN; it is never guessed otherwise."""

    name: str
    siren: str | None = None
    siret: str | None = None
    vat_number: str | None = None
    electronic_address: str | None = None
    """As `identifier` under scheme 0225, or as `scheme:identifier`; the SIREN where it is not said."""
    street: str | None = None
    street_2: str | None = None
    post_code: str | None = None
    city: str | None = None
    country: str = "FR"
    contact: str | None = None
    telephone: str | None = None
    email: str | None = None


class LineDraft(_Form, frozen=True, kw_only=True):
    """A line. `vat` is a rate: 20; without one, `exemption` (VATEX) or `category` says why."""

    description: str
    details: str | None = None
    reference: str | None = None
    quantity: Decimal = Decimal(1)
    unit: str = "C62"
    price: Decimal
    per: Decimal | None = None
    discount_percent: Decimal | None = None
    discount_reason: str = "Remise"
    vat: Decimal | None = None
    category: str | None = None
    exemption: str | None = None
    exemption_reason: str | None = None
    nature: Nature | None = None


class LevelDraft(_Form, frozen=True, kw_only=True):
    """An allowance or a charge of the whole invoice: an amount, or a percentage of the lines of its rate."""

    reason: str
    amount: Decimal | None = None
    percent: Decimal | None = None
    vat: Decimal | None = None
    category: str | None = None


class Preceding(_Form, frozen=True, kw_only=True):
    """An invoice that this one follows."""

    number: str
    date: Day


class Draft(_Form, frozen=True, kw_only=True):
    """An invoice as a person writes it."""

    number: str
    date: Day
    seller: PartyDraft
    buyer: PartyDraft
    lines: list[LineDraft]
    nature: Nature | None = None
    type: str | None = None
    framework: str | None = None
    profile: Literal["en16931", "extended"] | None = None
    currency: str | None = None
    exchange_rate: Decimal | None = None
    due: Day | None = None
    payment_terms: str | None = None
    paid_on: Day | None = None
    iban: str | None = None
    order: str | None = None
    contract: str | None = None
    buyer_reference: str | None = None
    delivered_on: Day | None = None
    period_from: Day | None = None
    period_to: Day | None = None
    preceding: list[Preceding] = []
    allowances: list[LevelDraft] = []
    charges: list[LevelDraft] = []
    vat_on_debits: bool = False
    notes: dict[str, str] = {}
    """Texts by subject code of UNTDID 4451: `PMT`, `REG`."""
