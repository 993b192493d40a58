"""What the administration knows of an invoice: its Flow 1 data and its obligatory statuses.

Names are those of EN 16931 with the term in the comment. Amounts are in the invoice currency (BT-5), two decimals, as
written on the document: a credit note carries positive amounts, `sign` tells what they do.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from estafette.values.moments import paris_day

ENDED = frozenset({210, 213, 251})
"""Refused by the buyer, rejected by a platform, rejected by the concentrator: the invoice counts for nothing."""

DEPOSITED = 200

COLLECTED = 212

CREDIT_NOTES = frozenset({"381", "396", "261", "502"})
DEPOSITS = frozenset({"386", "500", "503"})
DEPOSIT_CREDIT_NOTE = "503"
CORRECTIVES = frozenset({"384", "471", "472", "473"})
"""Type codes (BT-3) by what they do to VAT; every other code is an ordinary invoice."""


class DocumentKey(NamedTuple):
    """What makes an invoice unique: seller SIREN (BT-30), number (BT-1), year of issue (of BT-2); rule G1.45."""

    seller: str
    number: str
    year: int


class Preceding(msgspec.Struct, frozen=True):
    """An invoice that this one credits or replaces (BG-3); its date is absent from the BASE profile."""

    number: str  # BT-25
    issue_date: date | None = None  # BT-26


class VatBreakdown(msgspec.Struct, frozen=True):
    """One group of the VAT breakdown (BG-23). `rate` is a percentage."""

    category: str  # BT-118
    rate: Decimal  # BT-119
    taxable_amount: Decimal  # BT-116
    tax_amount: Decimal  # BT-117
    exemption_code: str | None = None  # BT-121


class Document(msgspec.Struct, frozen=True):
    """The Flow 1 data of one invoice, as the concentrator accepted them."""

    seller: str  # BT-30, SIREN
    number: str  # BT-1
    issue_date: date  # BT-2
    type_code: str  # BT-3
    business_process: str  # BT-23
    vat_breakdown: tuple[VatBreakdown, ...]  # BG-23
    buyer: str  # BT-47, SIREN
    currency: str = "EUR"  # BT-5
    vat_point_date_code: str | None = None  # BT-8
    payment_due_date: date | None = None  # BT-9
    delivery_date: date | None = None  # BT-72
    period_start: date | None = None  # BT-73
    period_end: date | None = None  # BT-74
    seller_country: str = "FR"  # BT-40
    buyer_country: str = "FR"  # BT-55
    vat_group: str | None = None  # BT-29d, SIREN of the VAT group
    preceding_invoices: tuple[Preceding, ...] = ()  # BG-3

    @property
    def key(self) -> DocumentKey:
        """What makes it unique."""
        return DocumentKey(self.seller, self.number, self.issue_date.year)

    @property
    def taxpayer(self) -> str:
        """Who declares it: the VAT group when there is one (CGI art. 256 C), else the seller."""
        return self.vat_group or self.seller

    @property
    def sign(self) -> int:
        """Minus one for a credit note: its amounts are written positive and lower what was due."""
        return -1 if self.type_code in CREDIT_NOTES or self.type_code == DEPOSIT_CREDIT_NOTE else 1


class Reported(msgspec.Struct, frozen=True):
    """Where an amount was e-reported: the block of Flow 10, the transmission (TT-1).

    `from_union`: of a purchase, whether the seller is in another member state.
    """

    block: str
    transmission: str
    from_union: bool = False


class Collected(msgspec.Struct, frozen=True):
    """An amount collected including VAT, at one rate (MEN: MDT-215, MDT-224); negative when given back."""

    rate: Decimal
    amount: Decimal


class Status(msgspec.Struct, frozen=True):
    """An obligatory status of an invoice (200, 210, 212, 213) or the concentrator's rejection (251).

    `message_id` names it once and for all: the same message twice is one status.
    """

    seller: str
    number: str
    year: int
    code: int
    set_at: datetime  # MDT-78, aware
    message_id: str
    reasons: tuple[str, ...] = ()
    collected: tuple[Collected, ...] = ()

    @property
    def key(self) -> DocumentKey:
        """The invoice it is about."""
        return DocumentKey(self.seller, self.number, self.year)

    @property
    def day(self) -> date:
        """The French day on which it was set."""
        return paris_day(self.set_at)
