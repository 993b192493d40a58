"""The structure of a Flow 1 file: which elements, in which order, how many, and what kind of value each holds.

A row is an element and its children in their order: `?` none or one, `*` any, `+` one at least, `2` one or two, else
exactly one; `a|b` one of the two. What only the target profile has is in `FULL`, what only the start has in `BASE`. An
element without a row holds a value. What is not so is against the State's schema, and makes the flow irreceivable.

Source: external specifications v3.2, annex 1 v1.2 and the schemas of Flow 1, of 2026-04-30.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any

from lxml import etree

from estafette.formats.flux1.profile import Profile
from estafette.formats.xml import Syntax
from estafette.values import moments

_PARTY = "PartyIdentification? PostalAddress? PartyTaxScheme? PartyLegalEntity?"
_ADDRESS = "StreetName? AdditionalStreetName? CityName? PostalZone? CountrySubentity? AddressLine?"
_HEAD = "Note* DocumentCurrencyCode InvoicePeriod? BillingReference* AccountingSupplierParty AccountingCustomerParty"
_CII_PARTY = "GlobalID? Name? SpecifiedLegalOrganization? PostalTradeAddress? SpecifiedTaxRegistration?"
_CII_ADDRESS = "PostcodeCode? LineOne? LineTwo? LineThree? CityName?"
_MOMENT = "DateTimeString|DateTime"
_SETTLED = "InvoiceCurrencyCode? ApplicableTradeTax+ BillingSpecifiedPeriod?"
_SUMMED = "SpecifiedTradePaymentTerms? SpecifiedTradeSettlementHeaderMonetarySummation? InvoiceReferencedDocument*"
_TAX = (
    "CalculatedAmount? TypeCode? ExemptionReason? BasisAmount? CategoryCode? ExemptionReasonCode? DueDateTypeCode?"
    " RateApplicablePercent?"
)

_UBL = {
    "Invoice": f"CustomizationID ProfileID ID IssueDate DueDate? InvoiceTypeCode {_HEAD} TaxRepresentativeParty?"
    " Delivery? TaxTotal2 LegalMonetaryTotal",
    "CreditNote": f"CustomizationID ProfileID ID IssueDate CreditNoteTypeCode {_HEAD} TaxRepresentativeParty? Delivery?"
    " PaymentMeans? TaxTotal2 LegalMonetaryTotal",
    "InvoicePeriod": "StartDate? EndDate? DescriptionCode?",
    "BillingReference": "InvoiceDocumentReference?",
    "InvoiceDocumentReference": "ID",
    "AccountingSupplierParty": "Party",
    "AccountingCustomerParty": "Party",
    "Party": _PARTY,
    "TaxRepresentativeParty": _PARTY,
    "PartyIdentification": "ID",
    "PostalAddress": f"{_ADDRESS} Country?",
    "AddressLine": "Line",
    "Country": "IdentificationCode?",
    "PartyTaxScheme": "CompanyID? TaxScheme",
    "TaxScheme": "ID",
    "PartyLegalEntity": "CompanyID",
    "Delivery": "ActualDeliveryDate?",
    "PaymentMeans": "PaymentDueDate?",
    "TaxTotal": "TaxAmount TaxSubtotal*",
    "TaxSubtotal": "TaxableAmount TaxAmount TaxCategory",
    "TaxCategory": "ID Percent? TaxExemptionReasonCode? TaxExemptionReason? TaxScheme",
    "LegalMonetaryTotal": "TaxExclusiveAmount?",
}
_UBL_FULL = {
    "Invoice": _UBL["Invoice"].replace("TaxTotal2", "AllowanceCharge* TaxTotal2") + " InvoiceLine+",
    "CreditNote": _UBL["CreditNote"].replace("TaxTotal2", "AllowanceCharge* TaxTotal2") + " CreditNoteLine+",
    "InvoiceDocumentReference": "ID? IssueDate?",
    "PostalAddress": f"{_ADDRESS} Country",
    "Country": "IdentificationCode",
    "Delivery": "ActualDeliveryDate? DeliveryLocation?",
    "DeliveryLocation": "Name? Address?",
    "Address": f"{_ADDRESS} Country",
    "AllowanceCharge": "ChargeIndicator Amount? BaseAmount? TaxCategory*",
    "InvoiceLine": "Note* InvoicedQuantity InvoicePeriod? BillingReference? Delivery? AllowanceCharge* Item Price",
    "CreditNoteLine": "Note* CreditedQuantity InvoicePeriod? BillingReference? Delivery? AllowanceCharge* Item Price",
    "Item": "Name",
    "Price": "PriceAmount AllowanceCharge?",
}
_CII = {
    "CrossIndustryInvoice": "ExchangedDocumentContext ExchangedDocument SupplyChainTradeTransaction",
    "ExchangedDocumentContext": "BusinessProcessSpecifiedDocumentContextParameter?"
    " GuidelineSpecifiedDocumentContextParameter",
    "BusinessProcessSpecifiedDocumentContextParameter": "ID",
    "GuidelineSpecifiedDocumentContextParameter": "ID",
    "ExchangedDocument": "ID TypeCode? IssueDateTime IncludedNote*",
    "IssueDateTime": _MOMENT,
    "IncludedNote": "Content? SubjectCode?",
    "SupplyChainTradeTransaction": "ApplicableHeaderTradeAgreement ApplicableHeaderTradeDelivery"
    " ApplicableHeaderTradeSettlement",
    "ApplicableHeaderTradeAgreement": "SellerTradeParty? BuyerTradeParty? SellerTaxRepresentativeTradeParty?",
    "SellerTradeParty": _CII_PARTY,
    "BuyerTradeParty": _CII_PARTY,
    "SellerTaxRepresentativeTradeParty": _CII_PARTY,
    "SpecifiedLegalOrganization": "ID",
    "PostalTradeAddress": f"{_CII_ADDRESS} CountryID? CountrySubDivisionName?",
    "SpecifiedTaxRegistration": "ID?",
    "ApplicableHeaderTradeDelivery": "ActualDeliverySupplyChainEvent?",
    "ActualDeliverySupplyChainEvent": "OccurrenceDateTime?",
    "OccurrenceDateTime": _MOMENT,
    "ApplicableHeaderTradeSettlement": f"{_SETTLED} {_SUMMED}",
    "ApplicableTradeTax": _TAX,
    "BillingSpecifiedPeriod": "StartDateTime? EndDateTime?",
    "StartDateTime": _MOMENT,
    "EndDateTime": _MOMENT,
    "SpecifiedTradePaymentTerms": "DueDateDateTime?",
    "DueDateDateTime": _MOMENT,
    "SpecifiedTradeSettlementHeaderMonetarySummation": "TaxBasisTotalAmount? TaxTotalAmount2",
    "InvoiceReferencedDocument": "IssuerAssignedID?",
}
_CII_FULL = {
    "ExchangedDocumentContext": "BusinessProcessSpecifiedDocumentContextParameter?"
    " GuidelineSpecifiedDocumentContextParameter?",
    "SupplyChainTradeTransaction": "IncludedSupplyChainTradeLineItem+ ApplicableHeaderTradeAgreement"
    " ApplicableHeaderTradeDelivery? ApplicableHeaderTradeSettlement",
    "IncludedSupplyChainTradeLineItem": "AssociatedDocumentLineDocument? SpecifiedTradeProduct"
    " SpecifiedLineTradeAgreement SpecifiedLineTradeDelivery SpecifiedLineTradeSettlement?",
    "AssociatedDocumentLineDocument": "IncludedNote*",
    "SpecifiedTradeProduct": "Name",
    "SpecifiedLineTradeAgreement": "GrossPriceProductTradePrice NetPriceProductTradePrice",
    "GrossPriceProductTradePrice": "ChargeAmount AppliedTradeAllowanceCharge?",
    "NetPriceProductTradePrice": "ChargeAmount AppliedTradeAllowanceCharge?",
    "AppliedTradeAllowanceCharge": "ChargeIndicator ActualAmount CategoryTradeTax?",
    "SpecifiedTradeAllowanceCharge": "ChargeIndicator ActualAmount CategoryTradeTax?",
    "ChargeIndicator": "IndicatorString|Indicator",
    "CategoryTradeTax": _TAX,
    "SpecifiedLineTradeDelivery": "BilledQuantity ShipToTradeParty? ActualDeliverySupplyChainEvent?",
    "ShipToTradeParty": _CII_PARTY,
    "PostalTradeAddress": f"{_CII_ADDRESS} CountryID CountrySubDivisionName?",
    "SpecifiedLineTradeSettlement": "BillingSpecifiedPeriod? SpecifiedTradeAllowanceCharge* InvoiceReferencedDocument?",
    "InvoiceReferencedDocument": "IssuerAssignedID? FormattedIssueDateTime?",
    "FormattedIssueDateTime": "DateTimeString?",
    "ApplicableHeaderTradeDelivery": "ShipToTradeParty? ActualDeliverySupplyChainEvent?",
    "ApplicableHeaderTradeSettlement": f"{_SETTLED} SpecifiedTradeAllowanceCharge* {_SUMMED}",
}
_TABLES = {
    (Syntax.UBL, Profile.BASE): _UBL,
    (Syntax.UBL, Profile.FULL): _UBL | _UBL_FULL,
    (Syntax.CII, Profile.BASE): _CII,
    (Syntax.CII, Profile.FULL): _CII | _CII_FULL,
}
NAMES_MAX = 4096
"""Names of elements, and rows of a few of them, known by heart: some hundreds, and those that strangers make."""

CHILDREN_MAX = 50
"""Children that a row known by heart has: an invoice of a million lines is not kept for its likeness to another."""

CURRENCY = "currencyID"
"""The attribute of an amount in UBL."""

_QUANTIFIERS = {"": "", "?": "?", "*": "*", "+": "+", "2": "{1,2}"}
_BOUNDS = {"": (1, 1), "?": (0, 1), "*": (0, 10**9), "+": (1, 10**9), "2": (1, 2)}
_DATES = re.compile(r"(?:Issue|Due|Start|End|ActualDelivery|PaymentDue)Date")
_NUMBERS = re.compile(r".*(?:Amount|Percent|Quantity)")
_DATE = re.compile(r"\d{4}-(\d{2})-(\d{2})(?:Z|[+-]\d{2}:\d{2})?")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is not as it must be: where, in both languages."""

    where: str
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class _Part:
    names: tuple[str, ...]
    least: int
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """The children of an element: one by one, and as a pattern of their names, each followed by a space."""

    parts: tuple[_Part, ...]
    pattern: re.Pattern[str]


@cache
def _models(syntax: Syntax, profile: Profile) -> Mapping[str, _Model]:
    return {name: _model(row) for name, row in _TABLES[syntax, profile].items()}


def _model(row: str) -> _Model:
    found = [re.fullmatch(r"([A-Za-z|]+)([?*+2]?)", text) for text in row.split()]
    parts = [(match[1], match[2]) for match in found if match]
    pattern = "".join(f"(?:(?:{names}) ){_QUANTIFIERS[mark]}" for names, mark in parts)
    return _Model(tuple(_Part(tuple(names.split("|")), *_BOUNDS[mark]) for names, mark in parts), re.compile(pattern))


@lru_cache(NAMES_MAX)
def _local(tag: str) -> str:
    """Return the name of an element without its namespace."""
    return tag.rpartition("}")[2]


def fault(tree: etree._ElementTree, syntax: Syntax, profile: Profile) -> Fault | None:
    """Return the first thing that is against the structure of the profile; None when nothing is."""
    models = _models(syntax, profile)
    for element in tree.iter("*"):
        name = _local(element.tag)
        model = models.get(name)
        if not (_is_sound(element, model) if model else _holds_a_value(element, name)):
            return _fault(tree, element, name, model)
    return None


def is_in_place(tree: etree._ElementTree, path: str, syntax: Syntax, profile: Profile) -> bool:
    """Tell whether the structure has what stands at a path: the currency of an amount, or what holds others.

    The latter in the namespace of the element around it; a path that leads to nothing is of no place.
    """
    place, is_attribute, name = path.partition("/@")
    namespaces = {prefix: uri for prefix, uri in tree.getroot().nsmap.items() if prefix}
    try:
        found: Any = tree.xpath(place, namespaces=namespaces)
    except etree.XPathError:
        return False
    element: etree._Element | None = found[0] if isinstance(found, list) and found else None
    if element is None or is_attribute:
        return element is not None and name == CURRENCY and _local(element.tag).endswith("Amount")
    parent, models = element.getparent(), _models(syntax, profile)
    model = models.get(_local(parent.tag)) if parent is not None else None
    name = _local(element.tag)
    is_listed = model is not None and name in models and any(name in part.names for part in model.parts)
    return is_listed and etree.QName(element).namespace == etree.QName(parent).namespace


def _is_sound(element: etree._Element, model: _Model) -> bool:
    children = list(element)
    if any(child.tail and not child.tail.isspace() for child in children):
        return False
    text = element.text
    follows = _follows_by_heart if len(children) <= CHILDREN_MAX else _follows
    return (not text or text.isspace()) and follows(model, tuple([child.tag for child in children]))


def _follows(model: _Model, tags: tuple[Any, ...]) -> bool:
    """Tell whether the children are those of the model."""
    names = [_local(tag) for tag in tags if isinstance(tag, str)]
    return model.pattern.fullmatch("".join(f"{name} " for name in names)) is not None


_follows_by_heart = lru_cache(NAMES_MAX)(_follows)


def _holds_a_value(element: etree._Element, name: str) -> bool:
    if len(element) and any(isinstance(child.tag, str) for child in element):
        return False
    return _is_value(name, (element.text or "").strip()) and (
        not name.endswith("Quantity") or "unitCode" in element.attrib
    )


def _fault(tree: etree._ElementTree, element: etree._Element, name: str, model: _Model | None) -> Fault:
    place = re.sub(r"\*|\{[^}]*\}", "", tree.getelementpath(element) or "") or name
    children = [_local(child.tag) for child in element.iterchildren("*")]
    wrong = _wrong(children, model.parts) if model else None
    if wrong:
        return Fault(place, f"{name} : {wrong[0]} ({wrong[1]}).", f"{name}: {wrong[0]} ({wrong[2]}).")
    if model:
        return Fault(place, f"{name} : texte entre les éléments.", f"{name}: text between elements.")
    if children:
        return Fault(place, f"{name} ne contient qu'une valeur.", f"{name} holds a value only.")
    seen = (element.text or "").strip()[:40]
    fr, en = "valeur ou unité qui n'est pas de son type", "value or unit that is not of its type"
    return Fault(place, f"{name} : « {seen} », {fr}.", f"{name}: '{seen}', {en}.")


def _wrong(children: list[str], model: tuple[_Part, ...]) -> tuple[str, str, str] | None:
    """Return the child that is missing, too many or out of place, with that said in both languages."""
    at = 0
    for part in model:
        begin = at
        while at < len(children) and children[at] in part.names and at - begin < part.most:
            at += 1
        if at - begin < part.least:
            return part.names[0], "attendu ici", "expected here"
    return (children[at], "de trop, ou pas à sa place", "too many, or out of place") if at < len(children) else None


def _is_value(name: str, text: str) -> bool:
    """Tell whether a text is of the type of its element: a day, a number, a truth, or any text."""
    judge = _judge(name)
    return judge is None or judge(text)


@lru_cache(NAMES_MAX)
def _judge(name: str) -> Callable[[str], bool] | None:
    if _DATES.fullmatch(name):
        return _is_day
    if _NUMBERS.fullmatch(name):
        return _is_number
    return _is_truth if name in ("ChargeIndicator", "Indicator") else None


def _is_truth(text: str) -> bool:
    return text in ("true", "false", "1", "0")


def _is_day(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        moments.day(text[:10].replace("-", ""))
    except ValueError:
        return False
    return True


def _is_number(text: str) -> bool:
    if not _NUMBER.fullmatch(text):
        return False
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
