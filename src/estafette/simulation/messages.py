"""Seeded messages that the official rules accept: life-cycle statuses (CDAR) and e-reporting (Flux 10)."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from estafette.simulation.elements import UNECE, tag
from estafette.simulation.invoices import CENT, Line, invoice

STATUSES = {
    "200": ("10", "Déposée", ""),
    "205": ("1", "Approuvée", ""),
    "207": ("49", "En litige", "AUTRE"),
    "210": ("45", "Refusée", "TX_TVA_ERR"),
    "212": ("47", "Encaissée", ""),
}
"""Status → UNTDID 4405 code, label, reason where one is required (lifecycle.md)."""

CDAR = "rsm:CrossDomainAcknowledgementAndResponse"


def _moment(day: date) -> str:
    return tag("udt:DateTimeString", day.strftime("%Y%m%d") + "101500", format="204")


def status_message(seed: int) -> bytes:
    """Write a status message about an invoice, to the portal among others."""
    chance = Random(seed)  # noqa: S311 - a simulation
    status = chance.choice(sorted(STATUSES))
    source = invoice(seed)
    sent = source.issued + timedelta(days=chance.randint(0, 9))
    platform = status == "200"
    issuer = _role("ram:IssuerTradeParty", "WK", "0238", "1234", "Plateforme")
    if not platform:
        party, role = (source.seller, "SE") if status == "212" else (source.buyer, "BY")
        issuer = _role("ram:IssuerTradeParty", role, "0002", party.siren, party.name)
    body = (
        tag(
            "rsm:ExchangedDocumentContext",
            tag("ram:BusinessProcessSpecifiedDocumentContextParameter", tag("ram:ID", "REGULATED")),
            tag("ram:GuidelineSpecifiedDocumentContextParameter", tag("ram:ID", "urn.cpro.gouv.fr:1p0:CDV:invoice")),
        )
        + tag(
            "rsm:ExchangedDocument",
            tag("ram:ID", f"{source.number}_{status}"),
            tag("ram:IssueDateTime", _moment(sent)),
            tag("ram:SenderTradeParty", tag("ram:RoleCode", "WK")),
            issuer,
            _recipient(source.seller.siren, source.seller.name),
        )
        + tag(
            "rsm:AcknowledgementDocument",
            tag("ram:MultipleReferencesIndicator", tag("udt:Indicator", "false")),
            tag("ram:TypeCode", "305" if platform else "23"),
            tag("ram:IssueDateTime", _moment(sent)),
            _reference(seed, status, sent),
        )
    )
    names = " ".join(
        f'xmlns:{prefix}="{UNECE}{name}:100"'
        for prefix, name in (
            ("rsm", "CrossDomainAcknowledgementAndResponse"),
            ("ram", "ReusableAggregateBusinessInformationEntity"),
            ("qdt", "QualifiedDataType"),
            ("udt", "UnqualifiedDataType"),
        )
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{CDAR} {names}>{body}</{CDAR}>'.encode()


def _role(name: str, role: str, scheme: str, identifier: str, label: str) -> str:
    return tag(
        name, tag("ram:GlobalID", identifier, schemeID=scheme), tag("ram:Name", label), tag("ram:RoleCode", role)
    )


def _recipient(siren: str, name: str) -> str:
    return tag(
        "ram:RecipientTradeParty",
        tag("ram:GlobalID", siren, schemeID="0002"),
        tag("ram:Name", name),
        tag("ram:RoleCode", "SE"),
        tag("ram:URIUniversalCommunication", tag("ram:URIID", siren, schemeID="0225")),
    )


def _reference(seed: int, status: str, sent: date) -> str:
    source = invoice(seed)
    code, label, reason = STATUSES[status]
    detail = ""
    if reason:
        detail = tag("ram:SpecifiedDocumentStatus", tag("ram:ReasonCode", reason), tag("ram:SequenceNumeric", "1"))
    if status == "212":
        detail = tag(
            "ram:SpecifiedDocumentStatus",
            tag("ram:SequenceNumeric", "1"),
            tag(
                "ram:SpecifiedDocumentCharacteristic",
                tag("ram:TypeCode", "MEN"),
                tag("ram:ValueAmount", "120.00", currencyID="EUR"),
                tag("ram:ValuePercent", "20.00"),
            ),
        )
    issued = tag("qdt:DateTimeString", source.issued.strftime("%Y%m%d"), format="102")
    return tag(
        "ram:ReferenceReferencedDocument",
        tag("ram:IssuerAssignedID", source.number),
        tag("ram:StatusCode", code),
        tag("ram:TypeCode", "380"),
        tag("ram:ReceiptDateTime", _moment(sent)),
        tag("ram:FormattedIssueDateTime", issued),
        tag("ram:ProcessConditionCode", status),
        tag("ram:ProcessCondition", label),
        tag("ram:IssuerTradeParty", tag("ram:GlobalID", source.seller.siren, schemeID="0002")),
        detail,
    )


def _report(seed: int, content: str) -> bytes:
    siren = invoice(seed).seller.siren
    document = tag(
        "ReportDocument",
        tag("Id", f"R{seed:07d}"),
        tag("Name", f"Rapport {seed}"),
        tag("IssueDateTime", tag("DateTimeString", "20261101101500")),
        tag("TypeCode", "IN"),
        tag("Sender", tag("Id", "1234", schemeId="0238"), tag("Name", "Plateforme"), tag("RoleCode", "WK")),
        tag("Issuer", tag("Id", siren, schemeId="0002"), tag("Name", "Vendeur"), tag("RoleCode", "SE")),
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Report>{document}{content}</Report>'.encode()


def _period() -> str:
    return tag("ReportPeriod", tag("StartDate", "20261001"), tag("EndDate", "20261031"))


def transactions_report(seed: int, *, invoices: int | None = None) -> bytes:
    """Write a report of transactions: invoices abroad, and daily totals of sales to consumers."""
    chance = Random(seed)  # noqa: S311 - a simulation
    count = chance.choice((0, 1, 2)) if invoices is None else invoices
    made = "".join(_reported(seed + 1000 * i) for i in range(count))
    days = "".join(_day(chance, i) for i in range(chance.choice((1, 2, 3))))
    return _report(seed, tag("TransactionsReport", _period(), made, days))


def _reported(seed: int) -> str:
    source = invoice(seed, credit=False)
    rows = source.breakdown()
    base, tax = sum((row[2] for row in rows), Decimal()), sum((row[3] for row in rows), Decimal())
    return tag(
        "Invoice",
        tag("ID", source.number),
        tag("IssueDate", "20261012"),
        tag("TypeCode", "380"),
        tag("CurrencyCode", "EUR"),
        tag("DueDate", "20261112"),
        tag("BusinessProcess", tag("ID", "S1"), tag("TypeID", "urn.cpro.gouv.fr:1p0:ereporting")),
        tag("Seller", *_identified(source.seller.siren, "0002", source.seller.vat, "FR")),
        tag("Buyer", *_identified("DE123456789", "0223", "DE123456789", "DE")),
        tag("MonetaryTotal", tag("TaxExclusiveAmount", base), tag("TaxAmount", tax, CurrencyCode="EUR")),
        *(_subtotal(*row) for row in rows),
        *(_reported_line(line) for line in source.lines),
    )


def _identified(identifier: str, scheme: str, vat: str, country: str) -> tuple[str, ...]:
    return (
        tag("CompanyId", identifier, schemeId=scheme),
        tag("TaxRegistrationId", vat, qualifyingId="VAT"),
        tag("PostalAddress", tag("CountryId", country)),
    )


def _subtotal(category: str, rate: Decimal, base: Decimal, tax: Decimal) -> str:
    reason = tag("TaxExemptionReasonCode", "VATEX-EU-132") if category == "E" else ""
    text = tag("TaxExemptionReason", "Exonération") if category == "E" else ""
    return tag(
        "TaxSubTotal",
        tag("TaxableAmount", base),
        tag("TaxAmount", tax),
        tag("TaxCategory", tag("Code", category), tag("Percent", rate), text, reason),
    )


def _reported_line(line: Line) -> str:
    return tag(
        "Line",
        tag("BilledQuantity", line.quantity, UnitCode=line.unit),
        tag("Price", tag("PriceAmount", line.price)),
        tag("Product", tag("Name", line.name)),
    )


def _day(chance: Random, position: int) -> str:
    base = Decimal(chance.randint(100, 100_000)) / 100
    tax = (base * 20 / 100).quantize(CENT)
    return tag(
        "Transactions",
        tag("Date", f"202610{position + 10}"),
        tag("TransactionsCurrency", "EUR"),
        tag("CategoryCode", "TLB1"),
        tag("TaxExclusiveAmount", base),
        tag("TaxTotal", tax),
        tag("TransactionsCount", str(chance.randint(1, 90))),
        tag("TaxSubtotal", tag("TaxPercent", "20.00"), tag("TaxableAmount", base), tag("TaxTotal", tax)),
    )


def payments_report(seed: int) -> bytes:
    """Write a report of payments received."""
    chance = Random(seed)  # noqa: S311 - a simulation
    paid = "".join(
        tag(
            "Invoice",
            tag("InvoiceID", f"F{seed + i:07d}"),
            tag("IssueDate", "20261002"),
            tag("Payment", tag("Date", "20261020"), _paid(chance)),
        )
        for i in range(chance.choice((1, 2, 4)))
    )
    cash = tag("Transactions", tag("Payment", tag("Date", "20261021"), _paid(chance)))
    return _report(seed, tag("PaymentsReport", _period(), paid, cash))


def _paid(chance: Random) -> str:
    amount = Decimal(chance.randint(100, 90_000)) / 100
    return tag("SubTotals", tag("TaxPercent", "20.00"), tag("CurrencyCode", "EUR"), tag("Amount", amount))
