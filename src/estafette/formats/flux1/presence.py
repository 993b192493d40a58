"""What a file of regulatory data must have: the data of every invoice, and whole what it gives."""

from collections.abc import Iterator

from estafette.formats.flux1.checks import Rules, Subject
from estafette.formats.flux1.gatherings import deliveries
from estafette.invoice.terms import TERMS

RULES = Rules()


@RULES.check("G6.08", fr="Donnée obligatoire absente.", en="Mandatory data missing.")
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


@RULES.check("G6.08", "BG-23", fr="Ventilation de TVA incomplète.", en="Incomplete VAT breakdown.")
def breakdown_is_whole(subject: Subject) -> Iterator[str]:
    """Each part of the breakdown has its base, its amount, its category and its rate."""
    for place, part in enumerate(subject.invoice.vat_breakdown, 1):
        if None in (part.taxable_amount, part.tax_amount, part.category, part.rate):
            yield f"BG-23 n° {place}"


@RULES.check("G6.09", "BG-25", fr="Au moins une ligne est attendue.", en="At least one line is expected.")
def has_lines(subject: Subject) -> Iterator[str]:
    """In the target profile, an invoice has lines."""
    if subject.is_full and not subject.invoice.lines:
        yield "0"


@RULES.check("G6.09", "BT-129", "BT-130", "BT-146", "BT-148", "BT-153", fr="Ligne incomplète.", en="Incomplete line.")
def lines_are_whole(subject: Subject) -> Iterator[str]:
    """Each line has its quantity, unit, net price, gross price and item name."""
    for place, line in enumerate(subject.invoice.lines, 1):
        if None in (line.quantity, line.unit_code, line.price.net, line.price.gross, line.item.name):
            yield f"ligne {place}"


@RULES.check(
    "G6.16", "BG-15", "EXT-FR-FE-150", fr="Adresse de livraison incomplète.", en="Incomplete delivery address."
)
def delivery_addresses_are_whole(subject: Subject) -> Iterator[str]:
    """A delivery address has a first line, a city, a post code and a country."""
    for delivery in deliveries(subject.invoice):
        address = delivery.postal_address
        if address and None in (address.line_one, address.city, address.post_code, address.country_code):
            yield address.line_one or address.city or address.country_code or "-"


@RULES.check("G6.10", "BT-96", fr="Une remise de document a un taux de TVA.", en="A document allowance has a VAT rate.")
def allowances_have_a_rate(subject: Subject) -> Iterator[str]:
    """The rate is mandatory for allowances of the document."""
    yield from (str(each.amount) for each in subject.invoice.allowances if each.vat_rate is None)


@RULES.check("G6.17", "BT-103", fr="Des frais de document ont un taux de TVA.", en="A document charge has a VAT rate.")
def charges_have_a_rate(subject: Subject) -> Iterator[str]:
    """The rate is mandatory for charges of the document, unless they are outside the scope of VAT (O)."""
    charges = subject.invoice.charges
    yield from (str(each.amount) for each in charges if each.vat_rate is None and each.vat_category != "O")
