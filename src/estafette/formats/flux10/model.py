"""What a transmission of e-reporting says. Amounts are exact; rates are percentages: 20, not 0.2.

What an invoice of block 10.1 shares with any invoice (notes, periods, breakdown, lines) has the types of
`invoice.model`; terms outside Flow 10 stay unsaid in them.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from estafette.invoice.model import (
    AllowanceCharge,
    Delivery,
    Line,
    Note,
    Period,
    PrecedingInvoice,
    Term,
    VatBreakdown,
)


class Kind(StrEnum):
    """What a transmission reports: one file has one kind (G6.29)."""

    TRANSACTIONS = "transactions"
    PAYMENTS = "payments"


class Role(StrEnum):
    """As what the declarant reports (TT-15, G7.52)."""

    SELLER = "SE"
    BUYER = "BY"


class Block(StrEnum):
    """The four blocks, by their published numbers."""

    INVOICES = "10.1"
    INVOICE_PAYMENTS = "10.2"
    DAILY_TOTALS = "10.3"
    DAILY_PAYMENTS = "10.4"

    @property
    def kind(self) -> Kind:
        """The kind of the transmissions that hold the block."""
        return Kind.TRANSACTIONS if self in {Block.INVOICES, Block.DAILY_TOTALS} else Kind.PAYMENTS


class ReportedParty(Term, frozen=True):
    """A seller or buyer (TG-12, TG-14): its identifier under a scheme of G2.19, its VAT number, its country."""

    identifier: str = ""
    scheme: str = ""
    vat_identifier: str | None = None
    country: str | None = None


class ReportedInvoice(Term, frozen=True):
    """An international invoice (TG-8); amounts in its currency, but the total VAT always in euros (G6.23)."""

    number: str = ""
    issue_date: date | None = None
    type_code: str = ""
    currency: str = ""
    due_date: date | None = None
    vat_point_code: str | None = None
    notes: tuple[Note, ...] = ()
    business_process: str = ""
    preceding_invoices: tuple[PrecedingInvoice, ...] = ()
    seller: ReportedParty = ReportedParty()
    buyer: ReportedParty | None = None
    representative_vat_identifier: str | None = None
    deliveries: tuple[Delivery, ...] = ()
    period: Period | None = None
    allowances: tuple[AllowanceCharge, ...] = ()
    charges: tuple[AllowanceCharge, ...] = ()
    total_without_vat: Decimal | None = None
    total_vat: Decimal = Decimal(0)
    vat_breakdown: tuple[VatBreakdown, ...] = ()
    lines: tuple[Line, ...] = ()


class RatePart(Term, frozen=True):
    """What one VAT rate amounts to in a daily total (TG-32): the base in its currency, the VAT in euros."""

    rate: Decimal = Decimal(0)
    taxable_amount: Decimal = Decimal(0)
    tax_amount: Decimal = Decimal(0)


class DailyTotal(Term, frozen=True):
    """The sales of one day in one currency and category (TG-31)."""

    day: date
    category: str
    currency: str = "EUR"
    vat_point_code: str | None = None
    taxable_amount: Decimal = Decimal(0)
    tax_amount: Decimal = Decimal(0)
    count: int | None = None
    parts: tuple[RatePart, ...] = ()


class PaidPart(Term, frozen=True):
    """What was cashed at one VAT rate, VAT included, in euros (TG-36, TG-39; G6.27)."""

    rate: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)


class InvoicePayment(Term, frozen=True):
    """What was cashed of one invoice on one day (TG-34)."""

    number: str
    issue_date: date
    day: date
    parts: tuple[PaidPart, ...] = ()


class DailyPayment(Term, frozen=True):
    """What was cashed of sales to non-taxable persons on one day (TG-37)."""

    day: date
    parts: tuple[PaidPart, ...] = ()


class Report(Term, frozen=True):
    """One transmission: who sends it for whom, as what, for which period, and what it reports."""

    identifier: str
    issued_at: datetime
    type_code: str
    """TT-4: `IN` initial, `RE` corrective, which replaces all that was sent for the period (G8.01)."""
    platform: str
    platform_name: str
    declarant: str
    declarant_name: str
    role: Role
    kind: Kind
    start: date
    end: date
    name: str | None = None
    invoices: tuple[ReportedInvoice, ...] = ()
    daily_totals: tuple[DailyTotal, ...] = ()
    invoice_payments: tuple[InvoicePayment, ...] = ()
    daily_payments: tuple[DailyPayment, ...] = ()

    @property
    def is_corrective(self) -> bool:
        """Whether it replaces what was sent before."""
        return self.type_code == "RE"
