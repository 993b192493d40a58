"""Where each datum stands in a file of Flow 10: one table a group, in the order of the schema.

A slot is a field of the model and its path under the group's element; `@` begins an attribute. A slot with a group of
its own repeats when its field is a tuple. A slot without a field is a constant, written beside what it qualifies.
"""

from dataclasses import dataclass
from typing import Any

from estafette.formats.flux10.model import (
    DailyPayment,
    DailyTotal,
    InvoicePayment,
    PaidPart,
    RatePart,
    ReportedInvoice,
    ReportedParty,
)
from estafette.invoice.model import (
    Address,
    AllowanceCharge,
    Delivery,
    Item,
    Line,
    Note,
    Period,
    PrecedingInvoice,
    Price,
    VatBreakdown,
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One datum: the field that holds it, where it stands, of what type its text is or which group it is."""

    field: str
    path: str
    type: str = "text"
    group: "Group | None" = None
    many: bool = False
    constant: str = ""
    mark: tuple[str, str] | None = None
    """An attribute and its value that tell two fields of one element apart."""


@dataclass(frozen=True, slots=True)
class Group:
    """A type of the model and the data of its element, in the order of the schema."""

    type: Any
    slots: tuple[Slot, ...]


def _group(type_: Any, *slots: Slot) -> Group:
    return Group(type_, slots)


def _one(field: str, path: str, group: Group) -> Slot:
    return Slot(field, path, group=group)


def _all(field: str, path: str, group: Group, mark: tuple[str, str] | None = None) -> Slot:
    return Slot(field, path, group=group, many=True, mark=mark)


def _constant(path: str, value: str) -> Slot:
    return Slot("", path, constant=value)


def _texts(*pairs: tuple[str, str]) -> tuple[Slot, ...]:
    return tuple(Slot(field, path) for field, path in pairs)


PROFILE = "urn.cpro.gouv.fr:1p0:ereporting"
"""TT-29 (S1.12)."""

PERIOD = _group(Period, Slot("start", "StartDate", "date"), Slot("end", "EndDate", "date"))
PRECEDING = _group(PrecedingInvoice, Slot("number", "ID"), Slot("issue_date", "IssueDate", "date"))
NOTE = _group(Note, *_texts(("subject_code", "Subject"), ("text", "Content")))
LINE_NOTE = _group(Note, *_texts(("subject_code", "Code"), ("text", "Comment")))
PARTY = _group(
    ReportedParty,
    *_texts(
        ("identifier", "CompanyId"),
        ("scheme", "CompanyId/@schemeId"),
        ("vat_identifier", "TaxRegistrationId"),
    ),
    _constant("TaxRegistrationId/@qualifyingId", "VAT"),
    Slot("country", "PostalAddress/CountryId"),
)
ADDRESS = _group(
    Address,
    *_texts(
        ("line_one", "LineOne"),
        ("line_two", "LineTwo"),
        ("line_three", "LineThree"),
        ("city", "CityName"),
        ("post_code", "PostalZone"),
        ("subdivision", "CountrySubentity"),
        ("country_code", "CountryId"),
    ),
)
DELIVERY = _group(Delivery, Slot("actual_delivery_date", "Date", "date"), _one("postal_address", "Location", ADDRESS))
LINE_DELIVERY = _group(Delivery, Slot("name", "Name"), _one("postal_address", "Location", ADDRESS))
ALLOWANCE = _group(
    AllowanceCharge,
    Slot("amount", "Amount", "decimal"),
    Slot("vat_category", "TaxCategoryCode"),
    Slot("vat_rate", "TaxPercent", "decimal"),
)
LINE_ALLOWANCE = _group(AllowanceCharge, Slot("amount", "Amount", "decimal"))
NOT_A_CHARGE, A_CHARGE = ("ChargeIndicator", "false"), ("ChargeIndicator", "true")
BREAKDOWN = _group(
    VatBreakdown,
    Slot("taxable_amount", "TaxableAmount", "decimal"),
    Slot("tax_amount", "TaxAmount", "decimal"),
    Slot("category", "TaxCategory/Code"),
    Slot("rate", "TaxCategory/Percent", "decimal"),
    Slot("exemption_reason", "TaxCategory/TaxExemptionReason"),
    Slot("exemption_code", "TaxCategory/TaxExemptionReasonCode"),
)
PRICE = _group(
    Price,
    Slot("net", "PriceAmount", "decimal"),
    Slot("discount", "AllowanceChargeAmount", "decimal"),
    Slot("gross", "AllowanceChargeBaseAmount", "decimal"),
)
ITEM = _group(Item, Slot("name", "Name"))
LINE = _group(
    Line,
    _all("notes", "Note", LINE_NOTE),
    Slot("quantity", "BilledQuantity", "decimal"),
    Slot("unit_code", "BilledQuantity/@UnitCode"),
    _one("preceding_invoice", "ReferencedDocument", PRECEDING),
    _one("delivery", "Delivery", LINE_DELIVERY),
    _one("period", "InvoicePeriod", PERIOD),
    _all("allowances", "AllowanceCharge", LINE_ALLOWANCE, NOT_A_CHARGE),
    _all("charges", "AllowanceCharge", LINE_ALLOWANCE, A_CHARGE),
    _one("price", "Price", PRICE),
    _one("item", "Product", ITEM),
)
INVOICE = _group(
    ReportedInvoice,
    Slot("number", "ID"),
    Slot("issue_date", "IssueDate", "date"),
    Slot("type_code", "TypeCode"),
    Slot("currency", "CurrencyCode"),
    Slot("due_date", "DueDate", "date"),
    Slot("vat_point_code", "TaxDueDateTypeCode"),
    _all("notes", "IncludedNote", NOTE),
    Slot("business_process", "BusinessProcess/ID"),
    _constant("BusinessProcess/TypeID", PROFILE),
    _all("preceding_invoices", "ReferencedDocument", PRECEDING),
    _one("seller", "Seller", PARTY),
    _one("buyer", "Buyer", PARTY),
    Slot("representative_vat_identifier", "SellerTaxRepresentative/TaxRegistrationId"),
    _constant("SellerTaxRepresentative/TaxRegistrationId/@schemeId", "VAT"),
    _all("deliveries", "Delivery", DELIVERY),
    _one("period", "InvoicePeriod", PERIOD),
    _all("allowances", "AllowanceCharge", ALLOWANCE, NOT_A_CHARGE),
    _all("charges", "AllowanceCharge", ALLOWANCE, A_CHARGE),
    Slot("total_without_vat", "MonetaryTotal/TaxExclusiveAmount", "decimal"),
    Slot("total_vat", "MonetaryTotal/TaxAmount", "decimal"),
    _constant("MonetaryTotal/TaxAmount/@CurrencyCode", "EUR"),
    _all("vat_breakdown", "TaxSubTotal", BREAKDOWN),
    _all("lines", "Line", LINE),
)
DAILY_TOTAL = _group(
    DailyTotal,
    Slot("day", "Date", "date"),
    Slot("currency", "TransactionsCurrency"),
    Slot("vat_point_code", "TaxDueDateTypeCode"),
    Slot("category", "CategoryCode"),
    Slot("taxable_amount", "TaxExclusiveAmount", "decimal"),
    Slot("tax_amount", "TaxTotal", "decimal"),
    Slot("count", "TransactionsCount", "integer"),
    _all(
        "parts",
        "TaxSubtotal",
        _group(
            RatePart,
            Slot("rate", "TaxPercent", "decimal"),
            Slot("taxable_amount", "TaxableAmount", "decimal"),
            Slot("tax_amount", "TaxTotal", "decimal"),
        ),
    ),
)
PAID = _group(
    PaidPart,
    Slot("rate", "TaxPercent", "decimal"),
    _constant("CurrencyCode", "EUR"),
    Slot("amount", "Amount", "decimal"),
)
INVOICE_PAYMENT = _group(
    InvoicePayment,
    Slot("number", "InvoiceID"),
    Slot("issue_date", "IssueDate", "date"),
    Slot("day", "Payment/Date", "date"),
    _all("parts", "Payment/SubTotals", PAID),
)
DAILY_PAYMENT = _group(DailyPayment, Slot("day", "Payment/Date", "date"), _all("parts", "Payment/SubTotals", PAID))

_HEAD = (
    Slot("identifier", "ReportDocument/Id"),
    Slot("name", "ReportDocument/Name"),
    Slot("issued_at", "ReportDocument/IssueDateTime/DateTimeString", "moment"),
    Slot("type_code", "ReportDocument/TypeCode"),
    Slot("platform", "ReportDocument/Sender/Id"),
    _constant("ReportDocument/Sender/Id/@schemeId", "0238"),
    Slot("platform_name", "ReportDocument/Sender/Name"),
    _constant("ReportDocument/Sender/RoleCode", "WK"),
    Slot("declarant", "ReportDocument/Issuer/Id"),
    _constant("ReportDocument/Issuer/Id/@schemeId", "0002"),
    Slot("declarant_name", "ReportDocument/Issuer/Name"),
    Slot("role", "ReportDocument/Issuer/RoleCode", "role"),
)
TRANSACTIONS = (
    *_HEAD,
    Slot("start", "TransactionsReport/ReportPeriod/StartDate", "date"),
    Slot("end", "TransactionsReport/ReportPeriod/EndDate", "date"),
    _all("invoices", "TransactionsReport/Invoice", INVOICE),
    _all("daily_totals", "TransactionsReport/Transactions", DAILY_TOTAL),
)
PAYMENTS = (
    *_HEAD,
    Slot("start", "PaymentsReport/ReportPeriod/StartDate", "date"),
    Slot("end", "PaymentsReport/ReportPeriod/EndDate", "date"),
    _all("invoice_payments", "PaymentsReport/Invoice", INVOICE_PAYMENT),
    _all("daily_payments", "PaymentsReport/Transactions", DAILY_PAYMENT),
)
"""The whole file, by its kind."""
