"""A simulated invoice or credit note in UBL 2.1, as the official rules accept it."""

from datetime import timedelta
from decimal import Decimal

from estafette.simulation.elements import NOTES, PROFILES, tag
from estafette.simulation.invoices import CENT, Invoice, Levy, Line, Party

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"


def ubl(document: Invoice, profile: str = "EN16931") -> bytes:
    """Write an invoice or a credit note in UBL 2.1."""
    kind = "CreditNote" if document.credit else "Invoice"
    due = "" if document.credit else tag("cbc:DueDate", document.due)
    body = "".join(
        (
            tag("cbc:CustomizationID", PROFILES[profile]),
            tag("cbc:ProfileID", "M1"),
            tag("cbc:ID", document.number),
            tag("cbc:IssueDate", document.issued),
            due,
            tag(f"cbc:{kind}TypeCode", "381" if document.credit else "380"),
            *(tag("cbc:Note", f"#{code}#{text}") for code, text in NOTES.items()),
            tag("cbc:DocumentCurrencyCode", "EUR"),
            _preceding(document),
            _party("cac:AccountingSupplierParty", document.seller),
            _party("cac:AccountingCustomerParty", document.buyer),
            tag("cac:Delivery", tag("cbc:ActualDeliveryDate", document.issued)),
            tag(
                "cac:PaymentMeans",
                tag("cbc:PaymentMeansCode", "30"),
                tag("cac:PayeeFinancialAccount", tag("cbc:ID", "FR7630006000011234567890189")),
            ),
            tag("cac:PaymentTerms", tag("cbc:Note", "30 jours")),
            *(_levy(levy) for levy in document.levies),
            _tax(document),
            _totals(document),
            *(_line(kind, position, line) for position, line in enumerate(document.lines, 1)),
        )
    )
    names = (
        f'xmlns="{UBL}{kind}-2" xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2"'
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} {names}>{body}</{kind}>'.encode()


def _preceding(document: Invoice) -> str:
    if not document.credit:
        return ""
    reference = tag("cbc:ID", "F0000001") + tag("cbc:IssueDate", document.issued - timedelta(days=20))
    return tag("cac:BillingReference", tag("cac:InvoiceDocumentReference", reference))


def _party(name: str, party: Party) -> str:
    inner = "".join(
        (
            tag("cbc:EndpointID", party.siren, schemeID="0225"),
            tag("cac:PartyIdentification", tag("cbc:ID", party.siren + "00015", schemeID="0009")),
            tag("cac:PartyName", tag("cbc:Name", party.name)),
            tag(
                "cac:PostalAddress",
                tag("cbc:CityName", party.town),
                tag("cbc:PostalZone", "75001"),
                tag("cac:Country", tag("cbc:IdentificationCode", "FR")),
            ),
            tag("cac:PartyTaxScheme", tag("cbc:CompanyID", party.vat), _scheme()),
            tag(
                "cac:PartyLegalEntity",
                tag("cbc:RegistrationName", party.name),
                tag("cbc:CompanyID", party.siren, schemeID="0002"),
            ),
        )
    )
    return tag(name, tag("cac:Party", inner))


def _scheme() -> str:
    return tag("cac:TaxScheme", tag("cbc:ID", "VAT"))


def _amount(name: str, value: Decimal) -> str:
    return tag(name, value.quantize(CENT), currencyID="EUR")


def _category(name: str, category: str, rate: Decimal, *, reason: bool = False) -> str:
    exemption = tag("cbc:TaxExemptionReasonCode", "VATEX-EU-132") if reason and category == "E" else ""
    return tag(name, tag("cbc:ID", category), tag("cbc:Percent", rate), exemption, _scheme())


def _levy(levy: Levy) -> str:
    return tag(
        "cac:AllowanceCharge",
        tag("cbc:ChargeIndicator", str(levy.charge).lower()),
        tag("cbc:AllowanceChargeReason", "Frais" if levy.charge else "Remise"),
        _amount("cbc:Amount", levy.amount),
        _category("cac:TaxCategory", levy.category, levy.rate),
    )


def _tax(document: Invoice) -> str:
    breakdown = document.breakdown()
    groups = "".join(
        tag(
            "cac:TaxSubtotal",
            _amount("cbc:TaxableAmount", base),
            _amount("cbc:TaxAmount", tax),
            _category("cac:TaxCategory", category, rate, reason=True),
        )
        for category, rate, base, tax in breakdown
    )
    return tag("cac:TaxTotal", _amount("cbc:TaxAmount", sum((row[3] for row in breakdown), Decimal())), groups)


def _totals(document: Invoice) -> str:
    totals = document.totals()
    return tag(
        "cac:LegalMonetaryTotal",
        _amount("cbc:LineExtensionAmount", totals["106"]),
        _amount("cbc:TaxExclusiveAmount", totals["109"]),
        _amount("cbc:TaxInclusiveAmount", totals["112"]),
        _amount("cbc:AllowanceTotalAmount", totals["107"]),
        _amount("cbc:ChargeTotalAmount", totals["108"]),
        _amount("cbc:PayableAmount", totals["112"]),
    )


def _line(kind: str, position: int, line: Line) -> str:
    quantity = "cbc:CreditedQuantity" if kind == "CreditNote" else "cbc:InvoicedQuantity"
    return tag(
        f"cac:{kind}Line",
        tag("cbc:ID", str(position)),
        tag(quantity, line.quantity, unitCode=line.unit),
        _amount("cbc:LineExtensionAmount", line.net),
        tag(
            "cac:Item",
            tag("cbc:Name", line.name),
            _category("cac:ClassifiedTaxCategory", line.category, line.rate),
        ),
        tag("cac:Price", _amount("cbc:PriceAmount", line.price)),
    )
