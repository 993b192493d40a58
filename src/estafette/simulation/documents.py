"""Seeded documents that the official rules accept: invoices in both syntaxes and every profile, status messages,
e-reporting.

The same seed gives the same bytes. Everything is invented: companies, numbers, amounts. Read `document` first.
Deliberately absent: faults (see `mutations`), and the meaning of a network (see the other modules of the room).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from xml.sax.saxutils import escape, quoteattr

CENT = Decimal("0.01")
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
UNECE = "urn:un:unece:uncefact:data:standard:"
PROFILES = {
    "EN16931": "urn:cen.eu:en16931:2017",
    "EXTENDED-CTC-FR": "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr",
    "EXTENDED": "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended",
    "BASIC": "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic",
    "BASICWL": "urn:factur-x.eu:1p0:basicwl",
    "MINIMUM": "urn:factur-x.eu:1p0:minimum",
}
"""Profile → BT-24 (formats.md §2; Factur-X 1.09)."""

NOTES = {
    "PMT": "Indemnité forfaitaire pour frais de recouvrement : 40 EUR.",
    "PMD": "Pénalités de retard : trois fois le taux d'intérêt légal.",
    "AAB": "Pas d'escompte pour paiement anticipé.",
}
WORDS = ("Conseil", "Câble", "Hébergement", "Vis", "Formation", "Papier", "Transport", "Maintenance", "Licence")
UNITS = ("C62", "HUR", "DAY", "KGM", "MTR")
RATES = (Decimal("20.00"), Decimal("10.00"), Decimal("5.50"), Decimal("2.10"))


@dataclass(frozen=True, slots=True)
class Party:
    """A company: name, SIREN, town."""

    name: str
    siren: str
    town: str

    @property
    def vat(self) -> str:
        """The French VAT number, whose key follows from the SIREN."""
        return f"FR{(12 + 3 * (int(self.siren) % 97)) % 97:02d}{self.siren}"


@dataclass(frozen=True, slots=True)
class Line:
    """An invoice line: quantity at a price, its VAT category and rate."""

    name: str
    unit: str
    quantity: Decimal
    price: Decimal
    category: str
    rate: Decimal

    @property
    def net(self) -> Decimal:
        """Quantity times price, to the cent (BT-131)."""
        return (self.quantity * self.price).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Levy:
    """An allowance or a charge of the whole document."""

    charge: bool
    amount: Decimal
    category: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """What an invoice or a credit note says."""

    number: str
    issued: date
    due: date
    credit: bool
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    levies: tuple[Levy, ...]

    def breakdown(self) -> list[tuple[str, Decimal, Decimal, Decimal]]:
        """Return category, rate, taxable amount and tax for each VAT category and rate (BG-23)."""
        bases: dict[tuple[str, Decimal], Decimal] = {}
        for line in self.lines:
            bases[line.category, line.rate] = bases.get((line.category, line.rate), Decimal()) + line.net
        for levy in self.levies:
            signed = levy.amount if levy.charge else -levy.amount
            bases[levy.category, levy.rate] = bases.get((levy.category, levy.rate), Decimal()) + signed
        return [
            (category, rate, base, (base * rate / 100).quantize(CENT, ROUND_HALF_UP))
            for (category, rate), base in bases.items()
        ]

    def total(self, *, charge: bool) -> Decimal:
        """Return the sum of the charges or of the allowances (BT-108, BT-107)."""
        return sum((levy.amount for levy in self.levies if levy.charge is charge), Decimal())


def invoice(seed: int, *, lines: int | None = None, credit: bool | None = None) -> Invoice:
    """Draw an invoice that adds up."""
    chance = Random(seed)  # noqa: S311 - a simulation, not a secret
    count = lines or chance.choice((1, 1, 2, 3, 5, 8))
    drawn = tuple(_line(chance) for _ in range(count))
    first = drawn[0]
    levies = tuple(
        Levy(chance.random() < 0.5, Decimal(chance.randint(1, 30)) / 10, first.category, first.rate)
        for _ in range(chance.choice((0, 0, 1, 2)))
    )
    issued = date(2026, 9, 1) + timedelta(days=chance.randint(0, 120))
    return Invoice(
        number=f"F{seed:07d}",
        issued=issued,
        due=issued + timedelta(days=30),
        credit=chance.random() < 0.2 if credit is None else credit,
        seller=_party(chance, "Vendeur"),
        buyer=_party(chance, "Client"),
        lines=drawn,
        levies=levies,
    )


def _line(chance: Random) -> Line:
    category, rate = ("S", chance.choice(RATES)) if chance.random() < 0.9 else ("E", Decimal("0.00"))
    return Line(
        name=f"{chance.choice(WORDS)} {chance.randint(1, 99)}",
        unit=chance.choice(UNITS),
        quantity=Decimal(chance.randint(1, 2000)) / 100,
        price=Decimal(chance.randint(1000, 50_000)) / 100,
        category=category,
        rate=rate,
    )


def _party(chance: Random, kind: str) -> Party:
    return Party(f"{kind} {chance.randint(1, 999)}", f"{chance.randint(100_000_000, 999_999_999)}", f"Ville {kind}")


def tag(name: str, *content: str | Decimal | date, **attributes: str) -> str:
    """Write an element: texts that begin with `<` are elements already, the others are escaped."""
    inner = "".join(str(item) if str(item).startswith("<") else escape(str(item)) for item in content)
    marks = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{marks}>{inner}</{name}>"


# -- UBL --------------------------------------------------------------------------------------------------------------


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
            _ubl_preceding(document),
            _ubl_party("cac:AccountingSupplierParty", document.seller),
            _ubl_party("cac:AccountingCustomerParty", document.buyer),
            tag("cac:Delivery", tag("cbc:ActualDeliveryDate", document.issued)),
            tag(
                "cac:PaymentMeans",
                tag("cbc:PaymentMeansCode", "30"),
                tag("cac:PayeeFinancialAccount", tag("cbc:ID", "FR7630006000011234567890189")),
            ),
            tag("cac:PaymentTerms", tag("cbc:Note", "30 jours")),
            *(_ubl_levy(levy) for levy in document.levies),
            _ubl_tax(document),
            _ubl_totals(document),
            *(_ubl_line(kind, position, line) for position, line in enumerate(document.lines, 1)),
        )
    )
    names = (
        f'xmlns="{UBL}{kind}-2" xmlns:cac="{UBL}CommonAggregateComponents-2" xmlns:cbc="{UBL}CommonBasicComponents-2"'
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} {names}>{body}</{kind}>'.encode()


def _ubl_preceding(document: Invoice) -> str:
    if not document.credit:
        return ""
    reference = tag("cbc:ID", "F0000001") + tag("cbc:IssueDate", document.issued - timedelta(days=20))
    return tag("cac:BillingReference", tag("cac:InvoiceDocumentReference", reference))


def _ubl_party(name: str, party: Party) -> str:
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
            tag("cac:PartyTaxScheme", tag("cbc:CompanyID", party.vat), _ubl_scheme()),
            tag(
                "cac:PartyLegalEntity",
                tag("cbc:RegistrationName", party.name),
                tag("cbc:CompanyID", party.siren, schemeID="0002"),
            ),
        )
    )
    return tag(name, tag("cac:Party", inner))


def _ubl_scheme() -> str:
    return tag("cac:TaxScheme", tag("cbc:ID", "VAT"))


def _amount(name: str, value: Decimal) -> str:
    return tag(name, value.quantize(CENT), currencyID="EUR")


def _ubl_category(name: str, category: str, rate: Decimal, *, reason: bool = False) -> str:
    exemption = tag("cbc:TaxExemptionReasonCode", "VATEX-EU-132") if reason and category == "E" else ""
    return tag(name, tag("cbc:ID", category), tag("cbc:Percent", rate), exemption, _ubl_scheme())


def _ubl_levy(levy: Levy) -> str:
    return tag(
        "cac:AllowanceCharge",
        tag("cbc:ChargeIndicator", str(levy.charge).lower()),
        tag("cbc:AllowanceChargeReason", "Frais" if levy.charge else "Remise"),
        _amount("cbc:Amount", levy.amount),
        _ubl_category("cac:TaxCategory", levy.category, levy.rate),
    )


def _ubl_tax(document: Invoice) -> str:
    breakdown = document.breakdown()
    groups = "".join(
        tag(
            "cac:TaxSubtotal",
            _amount("cbc:TaxableAmount", base),
            _amount("cbc:TaxAmount", tax),
            _ubl_category("cac:TaxCategory", category, rate, reason=True),
        )
        for category, rate, base, tax in breakdown
    )
    return tag("cac:TaxTotal", _amount("cbc:TaxAmount", sum((row[3] for row in breakdown), Decimal())), groups)


def _totals(document: Invoice) -> dict[str, Decimal]:
    """Return BT-106, 107, 108, 109, 110 and 112 by their number."""
    lines = sum((line.net for line in document.lines), Decimal())
    allowances, charges = document.total(charge=False), document.total(charge=True)
    base = lines - allowances + charges
    tax = sum((row[3] for row in document.breakdown()), Decimal())
    return {"106": lines, "107": allowances, "108": charges, "109": base, "110": tax, "112": base + tax}


def _ubl_totals(document: Invoice) -> str:
    totals = _totals(document)
    return tag(
        "cac:LegalMonetaryTotal",
        _amount("cbc:LineExtensionAmount", totals["106"]),
        _amount("cbc:TaxExclusiveAmount", totals["109"]),
        _amount("cbc:TaxInclusiveAmount", totals["112"]),
        _amount("cbc:AllowanceTotalAmount", totals["107"]),
        _amount("cbc:ChargeTotalAmount", totals["108"]),
        _amount("cbc:PayableAmount", totals["112"]),
    )


def _ubl_line(kind: str, position: int, line: Line) -> str:
    quantity = "cbc:CreditedQuantity" if kind == "CreditNote" else "cbc:InvoicedQuantity"
    return tag(
        f"cac:{kind}Line",
        tag("cbc:ID", str(position)),
        tag(quantity, line.quantity, unitCode=line.unit),
        _amount("cbc:LineExtensionAmount", line.net),
        tag(
            "cac:Item",
            tag("cbc:Name", line.name),
            _ubl_category("cac:ClassifiedTaxCategory", line.category, line.rate),
        ),
        tag("cac:Price", _amount("cbc:PriceAmount", line.price)),
    )


# -- CII --------------------------------------------------------------------------------------------------------------


def cii(document: Invoice, profile: str = "EN16931") -> bytes:
    """Write an invoice in CII D22B, or the part of it that a smaller profile of Factur-X keeps."""
    detail = profile not in {"MINIMUM", "BASICWL"}
    small = profile == "MINIMUM"
    lines = "".join(_cii_line(i, line) for i, line in enumerate(document.lines, 1)) if detail else ""
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
            tag("ram:IssueDateTime", _cii_date(document.issued)),
            "" if small else "".join(_cii_note(code, text) for code, text in NOTES.items()),
        )
        + tag(
            "rsm:SupplyChainTradeTransaction",
            lines,
            tag(
                "ram:ApplicableHeaderTradeAgreement",
                _cii_party("ram:SellerTradeParty", document.seller, small=small),
                _cii_party("ram:BuyerTradeParty", document.buyer, small=small),
            ),
            tag("ram:ApplicableHeaderTradeDelivery", "" if small else _cii_delivery(document)),
            _cii_settlement(document, small=small),
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


def _cii_date(day: date, kind: str = "udt") -> str:
    return tag(f"{kind}:DateTimeString", day.strftime("%Y%m%d"), format="102")


def _cii_note(code: str, text: str) -> str:
    return tag("ram:IncludedNote", tag("ram:Content", text), tag("ram:SubjectCode", code))


def _cii_party(name: str, party: Party, *, small: bool) -> str:
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


def _cii_delivery(document: Invoice) -> str:
    return tag("ram:ActualDeliverySupplyChainEvent", tag("ram:OccurrenceDateTime", _cii_date(document.issued)))


def _cii_tax(category: str, rate: Decimal, base: Decimal | None = None, tax: Decimal | None = None) -> str:
    return tag(
        "ram:CategoryTradeTax" if base is None and tax is not None else "ram:ApplicableTradeTax",
        "" if base is None or tax is None else tag("ram:CalculatedAmount", tax.quantize(CENT)),
        tag("ram:TypeCode", "VAT"),
        "" if base is None else tag("ram:BasisAmount", base.quantize(CENT)),
        tag("ram:CategoryCode", category),
        tag("ram:ExemptionReasonCode", "VATEX-EU-132") if base is not None and category == "E" else "",
        tag("ram:RateApplicablePercent", rate),
    )


def _cii_levy(levy: Levy) -> str:
    return tag(
        "ram:SpecifiedTradeAllowanceCharge",
        tag("ram:ChargeIndicator", tag("udt:Indicator", str(levy.charge).lower())),
        tag("ram:ActualAmount", levy.amount.quantize(CENT)),
        tag("ram:Reason", "Frais" if levy.charge else "Remise"),
        _cii_tax(levy.category, levy.rate, tax=Decimal()),
    )


def _cii_settlement(document: Invoice, *, small: bool) -> str:
    totals = _totals(document)
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
        *(_cii_tax(category, rate, base, tax) for category, rate, base, tax in document.breakdown()),
        *(_cii_levy(levy) for levy in document.levies),
        tag("ram:SpecifiedTradePaymentTerms", tag("ram:DueDateDateTime", _cii_date(document.due))),
        sums,
        _cii_preceding(document),
    )


def _cii_preceding(document: Invoice) -> str:
    if not document.credit:
        return ""
    return tag(
        "ram:InvoiceReferencedDocument",
        tag("ram:IssuerAssignedID", "F0000001"),
        tag("ram:FormattedIssueDateTime", _cii_date(document.issued - timedelta(days=20), "qdt")),
    )


def _cii_line(position: int, line: Line) -> str:
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
            _cii_tax(line.category, line.rate),
            tag(
                "ram:SpecifiedTradeSettlementLineMonetarySummation",
                tag("ram:LineTotalAmount", line.net),
            ),
        ),
    )


# -- everything -------------------------------------------------------------------------------------------------------


def document(kind: str, seed: int) -> bytes:
    """Return the accepted document of a kind and a seed; the kinds are the keys of `KINDS`."""
    return KINDS[kind](seed)


def _messages(name: str) -> Callable[[int], bytes]:
    def make(seed: int) -> bytes:
        from estafette.simulation import messages  # noqa: PLC0415 - the other half of this module

        writer: Callable[[int], bytes] = getattr(messages, name)
        return writer(seed)

    return make


KINDS: dict[str, Callable[[int], bytes]] = {
    "ubl": lambda seed: ubl(invoice(seed)),
    "ubl-extended": lambda seed: ubl(invoice(seed), "EXTENDED-CTC-FR"),
    "cii": lambda seed: cii(invoice(seed)),
    "cii-extended": lambda seed: cii(invoice(seed), "EXTENDED-CTC-FR"),
    "facturx-extended": lambda seed: cii(invoice(seed), "EXTENDED"),
    "facturx-basic": lambda seed: cii(invoice(seed), "BASIC"),
    "facturx-basicwl": lambda seed: cii(invoice(seed), "BASICWL"),
    "facturx-minimum": lambda seed: cii(invoice(seed), "MINIMUM"),
    "cdar": _messages("status_message"),
    "flux10": _messages("transactions_report"),
    "flux10-payments": _messages("payments_report"),
}
"""Kind → its writer, from a seed."""
