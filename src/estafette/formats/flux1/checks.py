"""The rules of the portal on a file of regulatory data: one function a rule, named as annex 7 names it.

A check yields what it saw wrong, once for each fault; the decorator registers it with the words of the rejection. Codes
to compare with are in the tables of `invoice.codes`. Source: external specifications v3.2, annex 7 v1.9, and the
portal's published Schematron of Flow 1 (trajectories DÉMARRAGE and CIBLE), rewritten as facts; where both differ, the
docstring says which is followed.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date

import msgspec

from estafette.formats.flux1.gatherings import (
    TOLERANCE,
    amounts_of,
    apart,
    dates,
    deliveries,
    fits,
    lines_refer,
    outside,
    parties,
    periods_of,
    taxes,
)
from estafette.formats.flux1.profile import Profile, number_length
from estafette.invoice import codes
from estafette.invoice.model import Invoice
from estafette.invoice.terms import TERMS

SEMANTIC, INCOHERENT = "REJ_SEMAN", "REJ_COH"
"""The portal's reasons of rejection of invoice data that content alone decides (annex 7, G7.19)."""

_NUMBER = re.compile(r"[A-Za-z0-9+\-_/]+( [A-Za-z0-9+\-_/]+)*")
_SIREN = re.compile(r"[0-9]{9}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


class Subject(msgspec.Struct, frozen=True):
    """What is controlled: an invoice read from a file, in a profile, on a day if one is given."""

    invoice: Invoice
    profile: Profile
    on: date | None

    @property
    def is_full(self) -> bool:
        """Whether the controls of the target trajectory apply."""
        return self.profile is Profile.FULL


Check = Callable[[Subject], Iterator[str]]
CHECKS: list[tuple[str, str, tuple[str, ...], str, str, Check]] = []


def _check(rule: str, *terms: str, fr: str, en: str, reason: str = SEMANTIC) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS.append((rule, reason, terms, fr, en, check))
        return check

    return register


# ------------------------------------------------------------------------------------------------ what must be there


@_check("G6.08", fr="Donnée obligatoire absente.", en="Mandatory data missing.")
def obligatory(subject: Subject) -> Iterator[str]:
    """The data that every invoice has from the start are there (G6.08); the key, by whom reads it."""
    invoice = subject.invoice
    said = {
        "BT-1": invoice.number,
        "BT-2": invoice.issue_date,
        "BT-3": invoice.type_code,
        "BT-5": invoice.currency,
        "BT-23": invoice.business_process,
        "BT-24": invoice.specification_identifier,
        "BT-30": invoice.seller.legal_registration_identifier,
        "BT-40": invoice.seller.postal_address.country_code,
        "BT-47": invoice.buyer.legal_registration_identifier,
        "BT-55": invoice.buyer.postal_address.country_code,
        "BT-109": invoice.totals.total_without_vat,
        "BT-110": invoice.totals.total_vat,
        "BG-23": invoice.vat_breakdown,
    }
    yield from (f"{term} {TERMS[term].name_fr}" for term, value in said.items() if value in (None, "", ()))


@_check("G6.08", "BG-23", fr="Ventilation de TVA incomplète.", en="Incomplete VAT breakdown.")
def breakdown_is_whole(subject: Subject) -> Iterator[str]:
    """Each part of the breakdown has its base, its amount, its category and its rate."""
    for place, part in enumerate(subject.invoice.vat_breakdown, 1):
        if None in (part.taxable_amount, part.tax_amount, part.category, part.rate):
            yield f"BG-23 n° {place}"


@_check("G6.09", "BG-25", fr="Au moins une ligne est attendue.", en="At least one line is expected.")
def has_lines(subject: Subject) -> Iterator[str]:
    """In the target profile, an invoice has lines."""
    if subject.is_full and not subject.invoice.lines:
        yield "0"


@_check("G6.09", "BT-129", "BT-130", "BT-146", "BT-148", "BT-153", fr="Ligne incomplète.", en="Incomplete line.")
def lines_are_whole(subject: Subject) -> Iterator[str]:
    """Each line has its quantity, unit, net price, gross price and item name."""
    for place, line in enumerate(subject.invoice.lines, 1):
        if None in (line.quantity, line.unit_code, line.price.net, line.price.gross, line.item.name):
            yield f"ligne {place}"


@_check("G6.16", "BG-15", "EXT-FR-FE-150", fr="Adresse de livraison incomplète.", en="Incomplete delivery address.")
def delivery_addresses_are_whole(subject: Subject) -> Iterator[str]:
    """A delivery address has a first line, a city, a post code and a country."""
    for delivery in deliveries(subject.invoice):
        address = delivery.postal_address
        if address and None in (address.line_one, address.city, address.post_code, address.country_code):
            yield address.line_one or address.city or address.country_code or "-"


@_check("G6.10", "BT-96", fr="Une remise de document a un taux de TVA.", en="A document allowance has a VAT rate.")
def allowances_have_a_rate(subject: Subject) -> Iterator[str]:
    """The rate is mandatory for allowances of the document."""
    yield from (str(each.amount) for each in subject.invoice.allowances if each.vat_rate is None)


@_check("G6.17", "BT-103", fr="Des frais de document ont un taux de TVA.", en="A document charge has a VAT rate.")
def charges_have_a_rate(subject: Subject) -> Iterator[str]:
    """The rate is mandatory for charges of the document, unless they are outside the scope of VAT (O)."""
    charges = subject.invoice.charges
    yield from (str(each.amount) for each in charges if each.vat_rate is None and each.vat_category != "O")


# ------------------------------------------------------------------------------------------------- values and codes


@_check(
    "G1.05",
    "BT-1",
    "BT-25",
    "EXT-FR-FE-136",
    fr="Numéro de facture trop long ou mal formé.",
    en="Invoice number too long or ill-formed.",
)
def numbers(subject: Subject) -> Iterator[str]:
    """Numbers have letters, digits, single spaces and - + _ /, and the length that the portal takes."""
    invoice = subject.invoice
    lines = (line.preceding_invoice for line in invoice.lines)
    references = [each.number for each in (*invoice.preceding_invoices, *lines) if each is not None]
    for number in filter(None, (invoice.number, *references)):
        if len(number) > number_length(subject.on) or not _NUMBER.fullmatch(number):
            yield number


@_check("G1.01", "BT-3", fr="Type de facture non admis.", en="Invoice type not admitted.")
def invoice_type(subject: Subject) -> Iterator[str]:
    """The type is in the portal's list."""
    yield from outside(subject.invoice.type_code, codes.PORTAL_TYPE_CODES)


@_check(
    "G1.36",
    "BT-2",
    "BT-9",
    "BT-26",
    "BT-72",
    "BT-73",
    "BT-74",
    fr="Année hors de 2000-2099.",
    en="Year not in 2000-2099.",
)
def years(subject: Subject) -> Iterator[str]:
    """Dates are of this century."""
    yield from (str(day) for day in dates(subject.invoice) if not 2000 <= day.year <= 2099)


@_check(
    "G2.19",
    "BT-30",
    "BT-47",
    fr="Le SIREN a neuf chiffres et le schéma 0002.",
    en="A SIREN has nine digits and scheme 0002.",
)
def sirens(subject: Subject) -> Iterator[str]:
    """Both parties are named by a SIREN (G1.63 narrows G2.19 in this flow)."""
    for party in parties(subject.invoice):
        legal = party.legal_registration_identifier
        if legal is not None and not (legal.scheme == "0002" and _SIREN.fullmatch(legal.value)):
            yield f"{legal.value} ({legal.scheme})"


@_check("G2.33", "BT-31", "BT-48", fr="Numéro de TVA absent.", en="VAT number missing.")
def vat_numbers(subject: Subject) -> Iterator[str]:
    """A party named by a SIREN has a VAT number: annex 1 does not ask it, but the portal's control does."""
    for party in parties(subject.invoice):
        if party.siren is not None and not party.vat_identifier:
            yield party.siren


@_check("G2.01", "BT-40", "BT-55", "BT-80", "EXT-FR-FE-157", fr="Code pays invalide.", en="Invalid country code.")
def countries(subject: Subject) -> Iterator[str]:
    """Countries are two capitals, Greece being GR."""
    addresses = [party.postal_address for party in parties(subject.invoice)]
    addresses += [each.postal_address for each in deliveries(subject.invoice) if each.postal_address]
    for address in addresses:
        code = address.country_code
        if code and (not _COUNTRY.fullmatch(code) or code == "EL"):
            yield code


@_check("P1.11", "BT-8", fr="Code d'exigibilité non admis.", en="VAT point code not admitted.")
def vat_point(subject: Subject) -> Iterator[str]:
    """The exigibility code is one of the three moments."""
    yield from outside(subject.invoice.vat_point_code, frozenset(codes.VAT_POINT_CII))


@_check("G2.31", "BT-118", "BT-95", "BT-102", fr="Catégorie de TVA non admise.", en="VAT category not admitted.")
def categories(subject: Subject) -> Iterator[str]:
    """VAT categories are in the list, wherever they stand."""
    for category, _ in taxes(subject.invoice):
        yield from outside(category, codes.VAT_CATEGORIES)


@_check("G1.24", "BT-119", "BT-96", "BT-103", fr="Taux de TVA non admis.", en="VAT rate not admitted.")
def rates(subject: Subject) -> Iterator[str]:
    """VAT rates are in the list, wherever they stand."""
    for _, rate in taxes(subject.invoice):
        if rate is not None and rate not in codes.VAT_RATES:
            yield str(rate)


@_check("G1.02", "BT-23", fr="Cadre de facturation non admis.", en="Billing framework not admitted.")
def framework(subject: Subject) -> Iterator[str]:
    """The framework is in the portal's list."""
    yield from outside(subject.invoice.business_process, codes.PORTAL_FRAMEWORK_CODES)


@_check("G1.10", "BT-5", fr="Devise mal formée.", en="Ill-formed currency.")
def currency(subject: Subject) -> Iterator[str]:
    """The currency is three capitals."""
    if subject.invoice.currency and not _CURRENCY.fullmatch(subject.invoice.currency):
        yield subject.invoice.currency


@_check(
    "S1.14",
    "BT-29",
    fr="Identifiant du vendeur d'un schéma autre que 0231.",
    en="Seller identifier not of scheme 0231.",
)
def vat_group_scheme(subject: Subject) -> Iterator[str]:
    """The only identifier of the seller is that of its VAT group."""
    yield from (f"{each.value} ({each.scheme})" for each in subject.invoice.seller.identifiers if each.scheme != "0231")


@_check(
    "G1.101", "BT-29", fr="Le SIREN de l'assujetti unique a neuf chiffres.", en="A VAT group's SIREN has nine digits."
)
def vat_group_siren(subject: Subject) -> Iterator[str]:
    """The identifier of the VAT group is a SIREN."""
    yield from (each.value for each in subject.invoice.seller.identifiers if not _SIREN.fullmatch(each.value))


@_check(
    "G1.14", "BG-22", "BG-23", "BT-92", "BT-99", "BT-136", "BT-141", fr="Montant mal formé.", en="Ill-formed amount."
)
def amounts(subject: Subject) -> Iterator[str]:
    """Amounts have two decimals and nineteen characters at most."""
    yield from (str(amount) for amount in amounts_of(subject.invoice) if not fits(amount, decimals=2))


@_check("G1.15", "BT-129", fr="Quantité mal formée.", en="Ill-formed quantity.")
def quantities(subject: Subject) -> Iterator[str]:
    """Quantities have four decimals at most."""
    found = (line.quantity for line in subject.invoice.lines)
    yield from (str(quantity) for quantity in found if quantity is not None and not fits(quantity, decimals=4))


@_check("G1.16", "BT-146", "BT-147", "BT-148", fr="Prix négatif ou mal formé.", en="Negative or ill-formed price.")
def prices(subject: Subject) -> Iterator[str]:
    """Prices are not negative and have six decimals at most."""
    for line in subject.invoice.lines:
        for price in (line.price.net, line.price.discount, line.price.gross):
            if price is not None and (price < 0 or not fits(price, decimals=6)):
                yield str(price)


# -------------------------------------------------------------------------------------------------------- coherence


@_check(
    "G1.60",
    "BT-3",
    "BT-23",
    reason=INCOHERENT,
    fr="Type et cadre incompatibles.",
    en="Type and framework do not go together.",
)
def deposit_is_not_final(subject: Subject) -> Iterator[str]:
    """A final invoice after deposit is no deposit invoice."""
    invoice = subject.invoice
    if invoice.is_deposit and invoice.business_process.endswith("4"):
        yield f"{invoice.type_code}, {invoice.business_process}"


@_check("G1.12", "BT-111", reason=INCOHERENT, fr="TVA en euros absente.", en="VAT in euro missing.")
def vat_in_euro(subject: Subject) -> Iterator[str]:
    """An invoice in another currency says its VAT in euro."""
    invoice = subject.invoice
    if invoice.currency != "EUR" and invoice.totals.total_vat_in_accounting_currency is None:
        yield invoice.currency


@_check(
    "G1.53",
    "BT-109",
    "BT-116",
    reason=INCOHERENT,
    fr="BT-109 n'est pas la somme des BT-116.",
    en="BT-109 is not the sum of BT-116.",
)
def sum_of_bases(subject: Subject) -> Iterator[str]:
    """The total without VAT is the sum of the bases."""
    bases = [part.taxable_amount for part in subject.invoice.vat_breakdown]
    yield from apart(subject.invoice.totals.total_without_vat, bases)


@_check(
    "G1.53",
    "BT-110",
    "BT-117",
    reason=INCOHERENT,
    fr="BT-110 n'est pas la somme des BT-117.",
    en="BT-110 is not the sum of BT-117.",
)
def sum_of_taxes(subject: Subject) -> Iterator[str]:
    """The total VAT is the sum of the taxes, in the invoice currency (the portal's own sheet mixes currencies here)."""
    yield from apart(subject.invoice.totals.total_vat, [part.tax_amount for part in subject.invoice.vat_breakdown])


@_check(
    "G1.55",
    "BT-146",
    "BT-147",
    "BT-148",
    reason=INCOHERENT,
    fr="Prix net différent du brut moins le rabais.",
    en="Net price is not gross less discount.",
)
def net_price(subject: Subject) -> Iterator[str]:
    """The net price is the gross price less the discount."""
    for line in subject.invoice.lines:
        price = line.price
        if price.net is None or price.gross is None:
            continue
        if abs(price.net - (price.gross - (price.discount or 0))) > TOLERANCE:
            yield f"{price.net} ≠ {price.gross} - {price.discount or 0}"


@_check(
    "G6.25",
    "BT-73",
    "BT-74",
    "BT-134",
    "BT-135",
    reason=INCOHERENT,
    fr="La fin de période ne suit pas le début.",
    en="The period does not end after its start.",
)
def periods(subject: Subject) -> Iterator[str]:
    """A period ends after its start: strictly, as the portal's control has it; annex 7 (G6.20) would allow one day."""
    for period in periods_of(subject.invoice):
        if period.start and period.end and period.end <= period.start:
            yield f"{period.start} - {period.end}"


@_check(
    "G1.31",
    "BG-3",
    "EXT-FR-FE-BG-06",
    reason=INCOHERENT,
    fr="Références aux factures antérieures.",
    en="References to preceding invoices.",
)
def references(subject: Subject) -> Iterator[str]:
    """A corrective invoice has one preceding invoice, a credit note at least one, or else each of its lines has one."""
    invoice = subject.invoice
    header, lines = invoice.preceding_invoices, lines_refer(invoice)
    if subject.is_full and header and any(line.preceding_invoice for line in invoice.lines):
        yield "BG-3 et EXT-FR-FE-BG-06"
    if invoice.is_corrective and not (len(header) == 1 or (not header and lines)):
        yield f"{invoice.type_code}, {len(header)}"
    if invoice.is_credit_note and not (header or lines):
        yield f"{invoice.type_code}, 0"
    if subject.is_full and (invoice.is_corrective or invoice.is_credit_note):
        yield from (each.number or "-" for each in header if each.issue_date is None)


@_check(
    "G1.41",
    "BT-120",
    "BT-121",
    reason=INCOHERENT,
    fr="Exonération sans motif ou sans code.",
    en="Exemption without reason or code.",
)
def exemptions_are_explained(subject: Subject) -> Iterator[str]:
    """Where there is an exemption, one has its text and its code (corrective and small invoices are not set apart)."""
    exempt = [part for part in subject.invoice.vat_breakdown if part.category == "E"]
    if exempt and not any(part.exemption_reason and part.exemption_code for part in exempt):
        yield "E"


@_check(
    "G1.47",
    "BT-31",
    "BT-63",
    reason=INCOHERENT,
    fr="Exonération sans numéro de TVA.",
    en="Exemption without VAT number.",
)
def exempt_seller_is_known(subject: Subject) -> Iterator[str]:
    """A seller who exempts has a VAT number, or its representative has."""
    invoice = subject.invoice
    representative = invoice.tax_representative
    known = invoice.seller.vat_identifier or (representative and representative.vat_identifier)
    if not known and any(part.category == "E" for part in invoice.vat_breakdown):
        yield "E"


@_check(
    "G2.32",
    "BT-118",
    "BT-121",
    reason=INCOHERENT,
    fr="Opération hors facturation électronique.",
    en="Operation out of e-invoicing.",
)
def in_scope(subject: Subject) -> Iterator[str]:
    """An invoice with nothing but O, and E of the articles 261, is no business of this flow."""
    parts = subject.invoice.vat_breakdown
    listed = [part.exemption_code or "" for part in parts if part.exemption_code in codes.OUT_OF_SCOPE_EXEMPTIONS]
    if listed and all(part.category in {"O", "E"} for part in parts):
        yield listed[0]


@_check(
    "G6.21",
    "BT-121",
    "BT-3",
    reason=INCOHERENT,
    fr="VATEX-FR-CNWVAT est réservé aux avoirs.",
    en="VATEX-FR-CNWVAT is for credit notes.",
)
def net_of_vat_credit_note(subject: Subject) -> Iterator[str]:
    """A credit note net of VAT is a credit note of types 261, 381 or 396."""
    invoice = subject.invoice
    net = any(part.exemption_code == "VATEX-FR-CNWVAT" for part in invoice.vat_breakdown)
    if net and invoice.type_code not in {"261", "381", "396"}:
        yield invoice.type_code
