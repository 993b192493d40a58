"""The semantic model of an invoice: immutable, exact, and named as EN 16931 names things.

Every field is a business term of `terms.txt`; the table says which, and a test proves that the two agree. A term that
the document does not say is None (or empty): the model never judges, it says what was read.

Read first: `Invoice`, then `Line`. Amounts are in the invoice currency (BT-5) unless their name says otherwise; a
`rate` or a `percentage` is a number of hundredths: 20, not 0.2.
"""

from datetime import date
from decimal import Decimal

import msgspec

from estafette.invoice import codes


class Term(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What every group of terms is: a frozen record that leaves unsaid what the document leaves unsaid."""


class Identifier(Term, frozen=True):
    """An identifier and the scheme that issues it (ISO 6523, EAS, UNTDID 1153)."""

    value: str = ""
    scheme: str | None = None


class Note(Term, frozen=True):
    """A note (BG-1) or a line note: its text, and the subject code of UNTDID 4451 that makes it a legal mention."""

    text: str = ""
    subject_code: str | None = None


class Address(Term, frozen=True):
    """A postal address."""

    line_one: str | None = None
    line_two: str | None = None
    line_three: str | None = None
    city: str | None = None
    post_code: str | None = None
    subdivision: str | None = None
    country_code: str | None = None


class Contact(Term, frozen=True):
    """Whom to ask at a party."""

    name: str | None = None
    telephone: str | None = None
    email: str | None = None


class Party(Term, frozen=True):
    """Anyone the invoice names: seller, buyer, payee, their agents and representatives."""

    name: str | None = None
    trading_name: str | None = None
    role_code: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    legal_registration_identifier: Identifier | None = None
    vat_identifier: str | None = None
    tax_registration_identifier: str | None = None
    legal_information: str | None = None
    electronic_address: Identifier | None = None
    postal_address: Address = Address()
    contact: Contact | None = None

    @property
    def siren(self) -> str | None:
        """The legal registration identifier when its scheme is that of the SIREN, 0002."""
        legal = self.legal_registration_identifier
        return legal.value if legal is not None and legal.scheme == "0002" else None

    def identifier(self, scheme: str) -> str | None:
        """Give the party's identifier of a scheme, if it has one."""
        return next((identifier.value for identifier in self.identifiers if identifier.scheme == scheme), None)


class PrecedingInvoice(Term, frozen=True):
    """An invoice that this one, or a line of it, follows or corrects (BG-3, EXT-FR-FE-BG-06)."""

    number: str | None = None
    issue_date: date | None = None
    type_code: str | None = None
    line: str | None = None


class DocumentReference(Term, frozen=True):
    """A document, and a line in it, that a line of the invoice comes from."""

    number: str | None = None
    line: str | None = None
    issue_date: date | None = None


class Delivery(Term, frozen=True):
    """Where and when goods were delivered or services completed."""

    name: str | None = None
    location_identifier: Identifier | None = None
    actual_delivery_date: date | None = None
    postal_address: Address | None = None


class Period(Term, frozen=True):
    """A period, both days included."""

    start: date | None = None
    end: date | None = None


class CreditTransfer(Term, frozen=True):
    """An account to pay to (BG-17)."""

    account: str | None = None
    account_name: str | None = None
    service_provider: str | None = None


class PaymentCard(Term, frozen=True):
    """The card that paid (BG-18)."""

    number: str | None = None
    holder: str | None = None


class DirectDebit(Term, frozen=True):
    """The mandate under which the buyer's account is debited (BG-19)."""

    mandate_reference: str | None = None
    creditor_identifier: str | None = None
    debited_account: str | None = None


class PaymentInstructions(Term, frozen=True):
    """How the invoice is to be paid (BG-16)."""

    means_code: str | None = None
    means_text: str | None = None
    remittance_information: str | None = None
    credit_transfers: tuple[CreditTransfer, ...] = ()
    card: PaymentCard | None = None
    direct_debit: DirectDebit | None = None


class AllowanceCharge(Term, frozen=True):
    """An amount taken off or added, on the document (BG-20, BG-21) or on a line (BG-27, BG-28)."""

    amount: Decimal | None = None
    base_amount: Decimal | None = None
    percentage: Decimal | None = None
    vat_category: str | None = None
    vat_rate: Decimal | None = None
    reason: str | None = None
    reason_code: str | None = None
    tax_code: str | None = None
    vat_exemption_reason: str | None = None
    vat_exemption_code: str | None = None


class Totals(Term, frozen=True):
    """The totals of the document (BG-22)."""

    sum_of_line_net_amounts: Decimal | None = None
    sum_of_allowances: Decimal | None = None
    sum_of_charges: Decimal | None = None
    total_without_vat: Decimal | None = None
    total_vat: Decimal | None = None
    total_vat_in_accounting_currency: Decimal | None = None
    total_with_vat: Decimal | None = None
    paid_amount: Decimal | None = None
    rounding_amount: Decimal | None = None
    amount_due: Decimal | None = None


class VatBreakdown(Term, frozen=True):
    """What a VAT category and rate amount to on the whole document (BG-23)."""

    taxable_amount: Decimal | None = None
    tax_amount: Decimal | None = None
    category: str | None = None
    rate: Decimal | None = None
    exemption_reason: str | None = None
    exemption_code: str | None = None


class SupportingDocument(Term, frozen=True):
    """A document joined to the invoice, inside it or at an address (BG-24)."""

    reference: str | None = None
    description: str | None = None
    external_location: str | None = None
    content: bytes | None = None
    mime_code: str | None = None
    filename: str | None = None


class Price(Term, frozen=True):
    """The price of one unit, or of the base quantity, without VAT (BG-29)."""

    net: Decimal | None = None
    discount: Decimal | None = None
    discount_reason: str | None = None
    discount_reason_code: str | None = None
    gross: Decimal | None = None
    base_quantity: Decimal | None = None
    base_quantity_unit_code: str | None = None


class Classification(Term, frozen=True):
    """A code that classifies an item, in a scheme of UNTDID 7143 (BT-158)."""

    code: str | None = None
    scheme: str | None = None
    version: str | None = None


class ItemAttribute(Term, frozen=True):
    """A property of an item (BG-32)."""

    name: str | None = None
    value: str | None = None
    code: str | None = None
    measure: Decimal | None = None
    measure_unit_code: str | None = None


class Item(Term, frozen=True):
    """What is sold (BG-31)."""

    name: str | None = None
    description: str | None = None
    seller_identifier: str | None = None
    buyer_identifier: str | None = None
    standard_identifier: Identifier | None = None
    classifications: tuple[Classification, ...] = ()
    origin_country_code: str | None = None
    attributes: tuple[ItemAttribute, ...] = ()


class Line(Term, frozen=True):
    """A line of the invoice (BG-25) with what the French extension lets it carry."""

    identifier: str | None = None
    parent_line: str | None = None
    subtype: str | None = None
    notes: tuple[Note, ...] = ()
    invoiced_objects: tuple[Identifier, ...] = ()
    quantity: Decimal | None = None
    unit_code: str | None = None
    package_quantity: Decimal | None = None
    net_amount: Decimal | None = None
    total_with_vat: Decimal | None = None
    total_vat: Decimal | None = None
    total_vat_in_accounting_currency: Decimal | None = None
    order_line_reference: str | None = None
    order_reference: str | None = None
    order_date: date | None = None
    buyer_accounting_reference: str | None = None
    period: Period | None = None
    preceding_invoice: PrecedingInvoice | None = None
    despatch_advice: DocumentReference | None = None
    receiving_advice: DocumentReference | None = None
    sales_order: DocumentReference | None = None
    delivery: Delivery | None = None
    seller: Party | None = None
    allowances: tuple[AllowanceCharge, ...] = ()
    charges: tuple[AllowanceCharge, ...] = ()
    price: Price = Price()
    vat_category: str | None = None
    vat_rate: Decimal | None = None
    vat_exemption_reason: str | None = None
    vat_exemption_code: str | None = None
    vat_point_code: str | None = None
    item: Item = Item()

    @property
    def counts(self) -> bool:
        """Whether the line enters totals, VAT and what the administration receives: GROUP and INFORMATION do not."""
        return self.subtype in {None, "DETAIL"}


UNREAD_KINDS = {
    "unknown": ("aucun terme ne se place ici", "no term stands here"),
    "unfit": ("un terme se place ici, mais sous une autre marque", "a term stands here, but under another mark"),
    "second": ("seconde valeur d'un terme qui n'en a qu'une", "a second value of a term that has one"),
    "malformed": ("valeur qui n'est pas du type de son terme", "a value that is not of its term's type"),
}
"""Why something in a document is no term of the model, in French and in English."""


class Unread(Term, frozen=True):
    """Something in the document that the model has no place for, or a value that is not what its term wants."""

    path: str
    kind: str
    """A key of UNREAD_KINDS."""
    value: str = ""
    term: str | None = None
    """The business term that the value was meant for, where one is known."""

    @property
    def why_fr(self) -> str:
        """The reason, in French."""
        return UNREAD_KINDS[self.kind][0]

    @property
    def why_en(self) -> str:
        """The reason, in English."""
        return UNREAD_KINDS[self.kind][1]


class Invoice(Term, frozen=True):
    """An invoice or a credit note, whatever the syntax it came in."""

    number: str = ""
    issue_date: date | None = None
    type_code: str = ""
    currency: str = ""
    vat_accounting_currency: str | None = None
    vat_point_date: date | None = None
    vat_point_code: str | None = None
    """BT-8 in the codes of UBL (UNTDID 2005): 3 invoice date, 35 delivery, 432 payment."""
    due_date: date | None = None
    buyer_reference: str | None = None
    project_reference: str | None = None
    contract_reference: str | None = None
    contract_type: str | None = None
    contract_date: date | None = None
    purchase_order_reference: str | None = None
    purchase_order_date: date | None = None
    sales_order_reference: str | None = None
    receiving_advice_reference: str | None = None
    despatch_advice_reference: str | None = None
    despatch_advice_date: date | None = None
    tender_or_lot_reference: str | None = None
    invoiced_objects: tuple[Identifier, ...] = ()
    buyer_accounting_reference: str | None = None
    payment_terms: str | None = None
    incoterm: str | None = None
    incoterm_place: str | None = None
    exchange_rate: Decimal | None = None
    exchange_rate_date: date | None = None
    notes: tuple[Note, ...] = ()
    business_process: str = ""
    specification_identifier: str = ""
    preceding_invoices: tuple[PrecedingInvoice, ...] = ()
    seller: Party = Party()
    buyer: Party = Party()
    payee: Party | None = None
    tax_representative: Party | None = None
    buyer_agent: Party | None = None
    payer: Party | None = None
    seller_agent: Party | None = None
    invoicee: Party | None = None
    invoicer: Party | None = None
    delivery: Delivery | None = None
    invoicing_period: Period | None = None
    payment: PaymentInstructions | None = None
    allowances: tuple[AllowanceCharge, ...] = ()
    charges: tuple[AllowanceCharge, ...] = ()
    totals: Totals = Totals()
    vat_breakdown: tuple[VatBreakdown, ...] = ()
    supporting_documents: tuple[SupportingDocument, ...] = ()
    lines: tuple[Line, ...] = ()
    unread: tuple[Unread, ...] = ()
    """What the document said besides: no term of the table; it is kept in the original only."""

    @property
    def seller_siren(self) -> str | None:
        """The seller's SIREN (BT-30 of scheme 0002)."""
        return self.seller.siren

    @property
    def buyer_siren(self) -> str | None:
        """The buyer's SIREN (BT-47 of scheme 0002)."""
        return self.buyer.siren

    @property
    def is_credit_note(self) -> bool:
        """Whether the type (BT-3) is one of the credit notes."""
        return self.type_code in codes.CREDIT_NOTES

    @property
    def is_self_billed(self) -> bool:
        """Whether the type (BT-3) is one that the buyer draws up in the seller's name."""
        return self.type_code in codes.SELF_BILLED

    @property
    def is_deposit(self) -> bool:
        """Whether the type (BT-3) is a deposit invoice or the credit note of one."""
        return self.type_code in codes.DEPOSITS

    @property
    def is_corrective(self) -> bool:
        """Whether the type (BT-3) is a corrective invoice."""
        return self.type_code in codes.CORRECTIVES

    @property
    def addressee(self) -> Identifier | None:
        """The electronic address the invoice is routed to: the seller's when self-billed (BR-FR-21, BR-FR-22)."""
        return (self.seller if self.is_self_billed else self.buyer).electronic_address

    @property
    def delivery_date(self) -> date | None:
        """The actual delivery date (BT-72)."""
        return self.delivery.actual_delivery_date if self.delivery is not None else None

    @property
    def processing_rule(self) -> str | None:
        """The treatment asked of the platform by the BAR note: B2B, B2BINT, B2C, B2CINT, OUTOFSCOPE, ARCHIVEONLY."""
        return self.mention("BAR")

    def mention(self, subject_code: str) -> str | None:
        """Give the text of the first note with a subject code (BT-21), if there is one."""
        return next((note.text for note in self.notes if note.subject_code == subject_code), None)
