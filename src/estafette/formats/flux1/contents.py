"""What each value of a file of regulatory data may be: its form, its length, the list it is in."""

import re
from collections.abc import Iterator

from estafette.formats.flux1.checks import Rules, Subject
from estafette.formats.flux1.gatherings import amounts_of, dates, deliveries, fits, outside, parties, taxes
from estafette.formats.flux1.profile import number_length
from estafette.invoice import codes

RULES = Rules()

_NUMBER = re.compile(r"[A-Za-z0-9+\-_/]+( [A-Za-z0-9+\-_/]+)*")
_SIREN = re.compile(r"[0-9]{9}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


@RULES.check(
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


@RULES.check("G1.01", "BT-3", fr="Type de facture non admis.", en="Invoice type not admitted.")
def invoice_type(subject: Subject) -> Iterator[str]:
    """The type is in the portal's list."""
    yield from outside(subject.invoice.type_code, codes.PORTAL_TYPE_CODES)


@RULES.check(
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


@RULES.check(
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


@RULES.check("G2.33", "BT-31", "BT-48", fr="Numéro de TVA absent.", en="VAT number missing.")
def vat_numbers(subject: Subject) -> Iterator[str]:
    """A party named by a SIREN has a VAT number: annex 1 does not ask it, but the portal's control does."""
    for party in parties(subject.invoice):
        if party.siren is not None and not party.vat_identifier:
            yield party.siren


@RULES.check("G2.01", "BT-40", "BT-55", "BT-80", "EXT-FR-FE-157", fr="Code pays invalide.", en="Invalid country code.")
def countries(subject: Subject) -> Iterator[str]:
    """Countries are two capitals, Greece being GR."""
    addresses = [party.postal_address for party in parties(subject.invoice)]
    addresses += [each.postal_address for each in deliveries(subject.invoice) if each.postal_address]
    for address in addresses:
        code = address.country_code
        if code and (not _COUNTRY.fullmatch(code) or code == "EL"):
            yield code


@RULES.check("P1.11", "BT-8", fr="Code d'exigibilité non admis.", en="VAT point code not admitted.")
def vat_point(subject: Subject) -> Iterator[str]:
    """The exigibility code is one of the three moments."""
    yield from outside(subject.invoice.vat_point_code, frozenset(codes.VAT_POINT_CII))


@RULES.check("G2.31", "BT-118", "BT-95", "BT-102", fr="Catégorie de TVA non admise.", en="VAT category not admitted.")
def categories(subject: Subject) -> Iterator[str]:
    """VAT categories are in the list, wherever they stand."""
    for category, _ in taxes(subject.invoice):
        yield from outside(category, codes.VAT_CATEGORIES)


@RULES.check("G1.24", "BT-119", "BT-96", "BT-103", fr="Taux de TVA non admis.", en="VAT rate not admitted.")
def rates(subject: Subject) -> Iterator[str]:
    """VAT rates are in the list, wherever they stand."""
    for _, rate in taxes(subject.invoice):
        if rate is not None and rate not in codes.VAT_RATES:
            yield str(rate)


@RULES.check("G1.02", "BT-23", fr="Cadre de facturation non admis.", en="Billing framework not admitted.")
def framework(subject: Subject) -> Iterator[str]:
    """The framework is in the portal's list."""
    yield from outside(subject.invoice.business_process, codes.PORTAL_FRAMEWORK_CODES)


@RULES.check("G1.10", "BT-5", fr="Devise mal formée.", en="Ill-formed currency.")
def currency(subject: Subject) -> Iterator[str]:
    """The currency is three capitals."""
    if subject.invoice.currency and not _CURRENCY.fullmatch(subject.invoice.currency):
        yield subject.invoice.currency


@RULES.check(
    "S1.14",
    "BT-29",
    fr="Identifiant du vendeur d'un schéma autre que 0231.",
    en="Seller identifier not of scheme 0231.",
)
def vat_group_scheme(subject: Subject) -> Iterator[str]:
    """The only identifier of the seller is that of its VAT group."""
    yield from (f"{each.value} ({each.scheme})" for each in subject.invoice.seller.identifiers if each.scheme != "0231")


@RULES.check(
    "G1.101", "BT-29", fr="Le SIREN de l'assujetti unique a neuf chiffres.", en="A VAT group's SIREN has nine digits."
)
def vat_group_siren(subject: Subject) -> Iterator[str]:
    """The identifier of the VAT group is a SIREN."""
    yield from (each.value for each in subject.invoice.seller.identifiers if not _SIREN.fullmatch(each.value))


@RULES.check(
    "G1.14", "BG-22", "BG-23", "BT-92", "BT-99", "BT-136", "BT-141", fr="Montant mal formé.", en="Ill-formed amount."
)
def amounts(subject: Subject) -> Iterator[str]:
    """Amounts have two decimals and nineteen characters at most."""
    yield from (str(amount) for amount in amounts_of(subject.invoice) if not fits(amount, decimals=2))


@RULES.check("G1.15", "BT-129", fr="Quantité mal formée.", en="Ill-formed quantity.")
def quantities(subject: Subject) -> Iterator[str]:
    """Quantities have four decimals at most."""
    found = (line.quantity for line in subject.invoice.lines)
    yield from (str(quantity) for quantity in found if quantity is not None and not fits(quantity, decimals=4))


@RULES.check("G1.16", "BT-146", "BT-147", "BT-148", fr="Prix négatif ou mal formé.", en="Negative or ill-formed price.")
def prices(subject: Subject) -> Iterator[str]:
    """Prices are not negative and have six decimals at most."""
    for line in subject.invoice.lines:
        for price in (line.price.net, line.price.discount, line.price.gross):
            if price is not None and (price < 0 or not fits(price, decimals=6)):
                yield str(price)
