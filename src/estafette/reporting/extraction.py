"""The unit records that an invoice gives: one of block 10.1, or daily totals of block 10.3.

Mappings of the regulatory data (BR-FR-MAP) are those of Flow 1; here is what Flow 10 alone wants: identifiers of
foreign parties, VAT in euros, self-assessed VAT of purchases, categories of operations. What an invoice cannot tell is
presumed and said so: `PRESUMED_RATE`, and which lines of a mixed invoice are services.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from estafette.formats.flux1 import Profile, profile_on, regulated
from estafette.formats.flux10 import DailyTotal, RatePart, ReportedInvoice, ReportedParty, Role
from estafette.invoice import codes
from estafette.invoice.model import Invoice, Line, Party, Period, VatBreakdown
from estafette.reporting.aggregation import ZERO, canonical, totalled
from estafette.reporting.territories import NEW_CALEDONIA, POLYNESIA, UNION, VAT_FRANCE, country_of
from estafette.values.money import rounded

GOODS, SERVICES, UNTAXED, MARGIN = "TLB1", "TPS1", "TNT1", "TMA1"
"""Categories of operations (TT-81, G1.68)."""

CATEGORIES = {
    GOODS: ("Biens soumis à la TVA", "Goods subject to VAT"),
    SERVICES: ("Services soumis à la TVA", "Services subject to VAT"),
    UNTAXED: ("Non soumis à la TVA en France", "Not subject to VAT in France"),
    MARGIN: ("Régimes de marge", "Margin schemes"),
}
MARGIN_EXEMPTIONS = frozenset({"VATEX-EU-D", "VATEX-EU-F", "VATEX-EU-I", "VATEX-EU-J"})
"""Travel agencies, second-hand goods, works of art, collectors' items (CGI art. 266, 1, e; 268; 297 A)."""

SMALL_BUSINESS = "VATEX-FR-FRANCHISE"

SERVICE_UNITS = frozenset({"HUR", "DAY", "WEE", "MON", "ANN", "MIN", "LH", "QAN", "SAN", "E48", "E49", "E50"})
"""Units (UN/ECE Rec 20) that measure work: on a mixed invoice (M1, M2, M4), lines in one of these are presumed
services, the others goods; no term of an invoice tells them apart [P]."""

PRESUMED_RATE = Decimal(20)
"""The rate at which a buyer is presumed to assess the VAT of a purchase abroad (CGI art. 278); no invoice has it."""

REVERSE_CHARGE = ("Autoliquidation", "VATEX-EU-AE")
SELF_ASSESSED = frozenset({"AE", "K", "G"})
"""Categories under which a foreign seller leaves the VAT to the buyer."""

DEBITS = frozenset({"3", "5", "35", "29"})
"""Codes of BT-8 that put the VAT on invoicing or delivery: nothing is due on payment."""

IDENTIFIER_MAX, NAME_IN_IDENTIFIER = 18, 16


def reported_invoice(document: Invoice, role: Role, *, on: date) -> ReportedInvoice:
    """Return the invoice as block 10.1 holds it on a day; ValueError without a date.

    Lines and document allowances come with the target data set, for sales only (external specifications v3.2, §2.3.3).
    """
    if document.issue_date is None:
        raise ValueError("an invoice without a date is not reported")
    mapped = regulated(document, profile=profile_on(on), on=on)
    whole = profile_on(on) is Profile.FULL and role is Role.SELLER
    parts = tuple(map(_bought if role is Role.BUYER else _sold, mapped.vat_breakdown))
    return ReportedInvoice(
        number=mapped.number,
        issue_date=mapped.issue_date,
        type_code=mapped.type_code,
        currency=mapped.currency,
        due_date=mapped.due_date,
        vat_point_code=mapped.vat_point_code,
        notes=mapped.notes,
        business_process=mapped.business_process,
        preceding_invoices=mapped.preceding_invoices,
        seller=reported_party(document.seller),
        buyer=reported_party(document.buyer),
        representative_vat_identifier=_representative(document),
        deliveries=(replace(mapped.delivery, postal_address=None),) if mapped.delivery_date and mapped.delivery else (),
        period=_one_day(mapped.invoicing_period),
        allowances=mapped.allowances if whole else (),
        charges=mapped.charges if whole else (),
        total_without_vat=sum((part.taxable_amount or ZERO for part in parts), ZERO),
        total_vat=_vat_in_euros(document, parts),
        vat_breakdown=parts,
        lines=mapped.lines if whole else (),
    )


def reported_party(party: Party) -> ReportedParty:
    """Return a party under the scheme that its country has (G2.19)."""
    country = country_of(party)
    legal = party.legal_registration_identifier
    vat = party.vat_identifier
    shown = "FR" if country in VAT_FRANCE - {"MC"} else country or None
    if party.siren:
        return ReportedParty(party.siren, "0002", vat, shown)
    if country == NEW_CALEDONIA and legal and legal.scheme == "0228":
        return ReportedParty(legal.value, "0228", None, shown)
    if country == POLYNESIA and legal and legal.scheme == "0229":
        return ReportedParty(legal.value, "0229", None, shown)
    if vat and country in UNION | {"MC", "FR", ""}:
        return ReportedParty(vat[:IDENTIFIER_MAX], "0223", vat[:IDENTIFIER_MAX], shown)
    name = (party.name or legal.value if legal else party.name or "")[:NAME_IN_IDENTIFIER]
    return ReportedParty(f"{country}{name}", "0227", None, shown)


def daily_totals(document: Invoice, *, on_debits: bool = False) -> tuple[DailyTotal, ...]:
    """Return what the invoice adds to its day, one total a category; a credit note takes away.

    `on_debits`: the seller opted to owe VAT on services when invoicing, whatever the invoice says.
    """
    sign = -1 if document.is_credit_note else 1
    day = document.issue_date
    if day is None:
        raise ValueError("an invoice without a date is not reported")
    sums: dict[str, dict[Decimal, tuple[Decimal, Decimal]]] = defaultdict(dict)
    for category, rate, base, tax in _categorised(document):
        held = sums[category].get(rate, (ZERO, ZERO))
        sums[category][rate] = (held[0] + sign * base, held[1] + sign * tax)
    debits = on_debits or document.vat_point_code in DEBITS
    return tuple(
        totalled(
            DailyTotal(
                day=day,
                category=category,
                currency=document.currency,
                vat_point_code=codes.VAT_ON_DEBITS if debits and category == SERVICES else None,
                count=1 if sign > 0 else 0,
                parts=tuple(RatePart(rate, base, tax) for rate, (base, tax) in sorted(parts.items(), reverse=True)),
            )
        )
        for category, parts in sorted(sums.items())
    )


def category_of(part: VatBreakdown, goods_or_services: str) -> str:
    """Return the category of operations of a VAT breakdown (TT-81)."""
    if part.exemption_code in MARGIN_EXEMPTIONS:
        return MARGIN
    taxed = part.category == "S" and canonical(part.rate or ZERO) in codes.VAT_RATES
    franchise = part.category == "Z" or part.exemption_code == SMALL_BUSINESS
    return goods_or_services if taxed or franchise else UNTAXED


def _categorised(document: Invoice) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """Return (category, rate, base in the currency, VAT in euros) for each group, mixed invoices split."""
    letter = document.business_process[:1]
    found: list[tuple[str, Decimal, Decimal, Decimal]] = []
    for part, tax in zip(document.vat_breakdown, _taxes_in_euros(document), strict=True):
        base, rate = part.taxable_amount or ZERO, canonical(part.rate or ZERO)
        share = {"B": ZERO, "S": Decimal(1)}.get(letter, service_share(document, part))
        served, served_tax = rounded(base * share), rounded(tax * share)
        for split, amount, vat in ((SERVICES, served, served_tax), (GOODS, base - served, tax - served_tax)):
            if not (amount or vat):
                continue
            category = category_of(part, split)
            is_taxed = category not in {UNTAXED, MARGIN}
            found.append((category, rate if is_taxed else ZERO, amount, vat if is_taxed else ZERO))
    return found


def service_share(document: Invoice, part: VatBreakdown) -> Decimal:
    """Return which share of a VAT group is services, by the lines: from 0 to 1; goods when no line tells."""
    mine = [line for line in document.lines if line.counts and _is_of(line, part)]
    whole = sum((line.net_amount or ZERO for line in mine), ZERO)
    served = sum((line.net_amount or ZERO for line in mine if line.unit_code in SERVICE_UNITS), ZERO)
    return min(max(served / whole, ZERO), Decimal(1)) if whole else ZERO


def _is_of(line: Line, part: VatBreakdown) -> bool:
    return line.vat_category == part.category and (line.vat_rate or ZERO) == (part.rate or ZERO)


def _taxes_in_euros(document: Invoice) -> list[Decimal]:
    """Return the VAT of each group in euros; in another currency BT-111 is shared out, the last group has the rest."""
    taxes = [part.tax_amount or ZERO for part in document.vat_breakdown]
    if document.currency == "EUR" or not taxes:
        return taxes
    euros, whole = document.totals.total_vat_in_accounting_currency or ZERO, sum(taxes, ZERO)
    shared = [rounded(euros * tax / whole) if whole else ZERO for tax in taxes[:-1]]
    return [*shared, euros - sum(shared, ZERO)]


def _sold(part: VatBreakdown) -> VatBreakdown:
    """Report foreign VAT as nothing but its base, category S at 0 (external specifications v3.2, §2.3.3)."""
    if canonical(part.rate or ZERO) in codes.VAT_RATES:
        return part
    return replace(part, category="S", rate=ZERO, tax_amount=ZERO, exemption_reason=None, exemption_code=None)


def _bought(part: VatBreakdown) -> VatBreakdown:
    """Report a purchase at the rate of self-assessment; one that bears foreign VAT by its base alone."""
    base = part.taxable_amount or ZERO
    if part.category in SELF_ASSESSED:
        text, code = REVERSE_CHARGE
        return replace(
            part,
            category="AE",
            rate=PRESUMED_RATE,
            tax_amount=rounded(base * PRESUMED_RATE / 100),
            exemption_reason=text,
            exemption_code=code,
        )
    if part.category == "S" and part.rate:
        return replace(part, rate=ZERO, tax_amount=ZERO)
    return part


def _vat_in_euros(document: Invoice, parts: tuple[VatBreakdown, ...]) -> Decimal:
    """Return TT-52 (G6.23; BR-FR-MAP-05): the sum of the groups in euros, else BT-111 where VAT is left at all."""
    total = sum((part.tax_amount or ZERO for part in parts), ZERO)
    if document.currency == "EUR" or not total:
        return total
    return document.totals.total_vat_in_accounting_currency or ZERO


def _representative(document: Invoice) -> str | None:
    return document.tax_representative.vat_identifier if document.tax_representative else None


def _one_day(period: Period | None) -> Period | None:
    """Return the invoicing period; of a single day only its start, which the strict rule of the portal lets pass."""
    if period is not None and period.start == period.end:
        return Period(period.start)
    return period
