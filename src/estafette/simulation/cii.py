"""A simulated invoice in CII D22B, as the official rules accept it, in any profile of Factur-X."""

from datetime import date, timedelta
from decimal import Decimal

from estafette.simulation.elements import NOTES, PROFILES, UNECE, tag
from estafette.simulation.invoices import CENT, Invoice, Levy, Line, Party


def cii(document: Invoice, profile: str = "EN16931") -> bytes:
    """Write an invoice in CII D22B, or the part of it that a smaller profile of Factur-X keeps."""
    detail = profile not in {"MINIMUM", "BASICWL"}
    small = profile == "MINIMUM"
    lines = "".join(_line(i, line) for i, line in enumerate(document.lines, 1)) if detail else ""
    body = (
        tag(
            "rsm:ExchangedDocumentContext",
            tag("ram:BusinessProcessSpecifiedDocumentContextParameter", tag("ram:ID", "M1")),
            tag("ram:GuidelineSpecifiedDocumentContextParameter", tag("ram:ID", PROFILES[profile])),
        )
        + tag(
            "rsm:ExchangedDocument",
            tag("ram:ID", document.number),
            tag("ram:TypeCode", "381" if document.credit else "380"),
            tag("ram:IssueDateTime", _date(document.issued)),
            "" if small else "".join(_note(code, text) for code, text in NOTES.items()),
        )
        + tag(
            "rsm:SupplyChainTradeTransaction",
            lines,
            tag(
                "ram:ApplicableHeaderTradeAgreement",
                _party("ram:SellerTradeParty", document.seller, small=small),
                _party("ram:BuyerTradeParty", document.buyer, small=small),
            ),
            tag("ram:ApplicableHeaderTradeDelivery", "" if small else _delivery(document)),
            _settlement(document, small=small),
        )
    )
    names = " ".join(
        f'xmlns:{prefix}="{UNECE}{name}:100"'
        for prefix, name in (
            ("rsm", "CrossIndustryInvoice"),
            ("ram", "ReusableAggregateBusinessInformationEntity"),
            ("qdt", "QualifiedDataType"),
            ("udt", "UnqualifiedDataType"),
        )
    )
    root = "rsm:CrossIndustryInvoice"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {names}>{body}</{root}>'.encode()


def _date(day: date, kind: str = "udt") -> str:
    return tag(f"{kind}:DateTimeString", day.strftime("%Y%m%d"), format="102")


def _note(code: str, text: str) -> str:
    return tag("ram:IncludedNote", tag("ram:Content", text), tag("ram:SubjectCode", code))


def _party(name: str, party: Party, *, small: bool) -> str:
    legal = tag("ram:SpecifiedLegalOrganization", tag("ram:ID", party.siren, schemeID="0002"))
    registration = tag("ram:SpecifiedTaxRegistration", tag("ram:ID", party.vat, schemeID="VA"))
    if small:
        address = tag("ram:PostalTradeAddress", tag("ram:CountryID", "FR"))
        rest = address + registration if name == "ram:SellerTradeParty" else ""
        return tag(name, tag("ram:Name", party.name), legal, rest)
    return tag(
        name,
        tag("ram:GlobalID", party.siren + "00015", schemeID="0009"),
        tag("ram:Name", party.name),
        legal,
        tag(
            "ram:PostalTradeAddress",
            tag("ram:PostcodeCode", "75001"),
            tag("ram:CityName", party.town),
            tag("ram:CountryID", "FR"),
        ),
        tag("ram:URIUniversalCommunication", tag("ram:URIID", party.siren, schemeID="0225")),
        registration,
    )


def _delivery(document: Invoice) -> str:
    return tag("ram:ActualDeliverySupplyChainEvent", tag("ram:OccurrenceDateTime", _date(document.issued)))


def _tax(category: str, rate: Decimal, base: Decimal | None = None, tax: Decimal | None = None) -> str:
    return tag(
        "ram:CategoryTradeTax" if base is None and tax is not None else "ram:ApplicableTradeTax",
        "" if base is None or tax is None else tag("ram:CalculatedAmount", tax.quantize(CENT)),
        tag("ram:TypeCode", "VAT"),
        "" if base is None else tag("ram:BasisAmount", base.quantize(CENT)),
        tag("ram:CategoryCode", category),
        tag("ram:ExemptionReasonCode", "VATEX-EU-132") if base is not None and category == "E" else "",
        tag("ram:RateApplicablePercent", rate),
    )


def _levy(levy: Levy) -> str:
    return tag(
        "ram:SpecifiedTradeAllowanceCharge",
        tag("ram:ChargeIndicator", tag("udt:Indicator", str(levy.charge).lower())),
        tag("ram:ActualAmount", levy.amount.quantize(CENT)),
        tag("ram:Reason", "Frais" if levy.charge else "Remise"),
        _tax(levy.category, levy.rate, tax=Decimal()),
    )


def _settlement(document: Invoice, *, small: bool) -> str:
    totals = document.totals()
    sums = tag(
        "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
        "" if small else tag("ram:LineTotalAmount", totals["106"].quantize(CENT)),
        "" if small else tag("ram:ChargeTotalAmount", totals["108"].quantize(CENT)),
        "" if small else tag("ram:AllowanceTotalAmount", totals["107"].quantize(CENT)),
        tag("ram:TaxBasisTotalAmount", totals["109"].quantize(CENT)),
        tag("ram:TaxTotalAmount", totals["110"].quantize(CENT), currencyID="EUR"),
        tag("ram:GrandTotalAmount", totals["112"].quantize(CENT)),
        tag("ram:DuePayableAmount", totals["112"].quantize(CENT)),
    )
    currency = tag("ram:InvoiceCurrencyCode", "EUR")
    if small:
        return tag("ram:ApplicableHeaderTradeSettlement", currency, sums)
    account = tag("ram:PayeePartyCreditorFinancialAccount", tag("ram:IBANID", "FR7630006000011234567890189"))
    return tag(
        "ram:ApplicableHeaderTradeSettlement",
        currency,
        tag("ram:SpecifiedTradeSettlementPaymentMeans", tag("ram:TypeCode", "30"), account),
        *(_tax(category, rate, base, tax) for category, rate, base, tax in document.breakdown()),
        *(_levy(levy) for levy in document.levies),
        tag("ram:SpecifiedTradePaymentTerms", tag("ram:DueDateDateTime", _date(document.due))),
        sums,
        _preceding(document),
    )


def _preceding(document: Invoice) -> str:
    if not document.credit:
        return ""
    return tag(
        "ram:InvoiceReferencedDocument",
        tag("ram:IssuerAssignedID", "F0000001"),
        tag("ram:FormattedIssueDateTime", _date(document.issued - timedelta(days=20), "qdt")),
    )


def _line(position: int, line: Line) -> str:
    return tag(
        "ram:IncludedSupplyChainTradeLineItem",
        tag("ram:AssociatedDocumentLineDocument", tag("ram:LineID", str(position))),
        tag("ram:SpecifiedTradeProduct", tag("ram:Name", line.name)),
        tag(
            "ram:SpecifiedLineTradeAgreement",
            tag("ram:NetPriceProductTradePrice", tag("ram:ChargeAmount", line.price)),
        ),
        tag("ram:SpecifiedLineTradeDelivery", tag("ram:BilledQuantity", line.quantity, unitCode=line.unit)),
        tag(
            "ram:SpecifiedLineTradeSettlement",
            _tax(line.category, line.rate),
            tag(
                "ram:SpecifiedTradeSettlementLineMonetarySummation",
                tag("ram:LineTotalAmount", line.net),
            ),
        ),
    )
