"""The regulatory data made from an invoice: what the law wants, mapped as the portal takes it.

Each function is one or a few mappings BR-FR-MAP (XP Z12-012 §4.5.2), named in its docstring. Nothing of the invoice's
own file is copied: the data are written anew, so that nothing else can leave with them.
"""

from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from estafette.formats.flux1.profile import KEEP, Profile, file_name, portal_number
from estafette.formats.writing import write
from estafette.formats.xml import Syntax
from estafette.invoice import codes
from estafette.invoice.model import (
    Address,
    AllowanceCharge,
    Delivery,
    Invoice,
    Item,
    Line,
    Note,
    Party,
    PrecedingInvoice,
    Price,
    VatBreakdown,
)
from estafette.values.money import rounded

NOTES_KEPT = frozenset({"AAB", "BLU", "TXD"})
"""Subjects of the notes that the State receives (BR-FR-MAP-04)."""

VAT_GROUP_MEMBER, VAT_GROUP_MEMBER_AT_PORTAL = "MEMBRE_ASSUJETTI_UNIQUE", "Membre d'un assujetti unique"
"""The TXD note between parties (BR-FR-CO-14) and at the portal (G1.52; BR-FR-MAP-06)."""

SMALL_BUSINESS = "VATEX-FR-FRANCHISE"
"""The exemption of small businesses (CGI art. 293 B), which the portal wants as category Z (BR-FR-MAP-08)."""

REASONS_FR = {
    "VATEX-EU-AE": "Autoliquidation",
    "VATEX-EU-IC": "Livraison intracommunautaire",
    "VATEX-EU-G": "Exportation hors de l'Union européenne",
    "VATEX-EU-O": "Hors du champ d'application de la TVA",
    "VATEX-FR-CNWVAT": "Avoir net de taxe",
}
"""What an exemption code says, where the invoice gives the code alone (BR-FR-MAP-25)."""

NO_CODE = "NR"
"""The exemption code of a reason given in words only (BR-FR-MAP-27)."""

TEXT, ADDRESS, POST_CODE, PLACE = 1024, 255, 10, 100
"""Lengths at the portal, cut on the right (BR-FR-MAP-17 to 20)."""


def build(
    invoice: Invoice, *, profile: Profile, syntax: Syntax = Syntax.UBL, on: date | None = None
) -> tuple[str, bytes]:
    """Give the name and the bytes of an invoice's regulatory data, in UBL or CII.

    `on` is the day of sending, which decides the longest number; without it the portal's limitation is taken to last.
    One file an invoice: a document of several sellers is first taken apart (`units`).
    """
    data = regulated(invoice, profile=profile, on=on)
    return file_name(data, profile), write(data, syntax, keep=KEEP[profile])


def regulated(invoice: Invoice, *, profile: Profile, on: date | None = None) -> Invoice:
    """Give the invoice with its values as the portal takes them; terms outside the profile are left as they are."""
    return replace(
        invoice,
        number=portal_number(invoice.number, on=on),
        type_code="381" if invoice.type_code == "262" else invoice.type_code,
        vat_point_code=_vat_point(invoice.vat_point_code),
        notes=_notes(invoice.notes),
        specification_identifier=profile.identifier,
        preceding_invoices=_preceding(invoice, on),
        seller=_party(invoice.seller),
        buyer=_party(invoice.buyer),
        delivery=_delivery(invoice.delivery),
        allowances=tuple(map(_allowance, invoice.allowances)),
        charges=tuple(map(_allowance, invoice.charges)),
        vat_breakdown=tuple(map(_breakdown, invoice.vat_breakdown)),
        lines=tuple(_line(line, on) for line in invoice.lines if line.counts),
    )


def _vat_point(code: str | None) -> str | None:
    """Keep the debit option only: on invoicing or delivery it is 3, on payment nothing is said (BR-FR-MAP-03, 29)."""
    return codes.VAT_ON_DEBITS if code in {"3", "35"} else None


def _notes(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Keep the notes that the State receives, in its words and length (BR-FR-MAP-04, 06, 18)."""
    return tuple(
        replace(note, text=VAT_GROUP_MEMBER_AT_PORTAL if note.text == VAT_GROUP_MEMBER else note.text[:TEXT])
        for note in notes
        if note.subject_code in NOTES_KEPT
    )


def _preceding(invoice: Invoice, on: date | None) -> tuple[PrecedingInvoice, ...]:
    """Shorten numbers; a global rebate refers to its contract and the start of its period (BR-FR-MAP-01, 02)."""
    if invoice.type_code == "262" and not invoice.preceding_invoices and invoice.contract_reference:
        start = invoice.invoicing_period.start if invoice.invoicing_period else None
        return (PrecedingInvoice(portal_number(invoice.contract_reference, on=on), start),)
    return tuple(_shortened(preceding, on) for preceding in invoice.preceding_invoices)


def _shortened(preceding: PrecedingInvoice, on: date | None) -> PrecedingInvoice:
    """Shorten a number as when it was declared: by the day of the invoice that bears it, where that is said."""
    return replace(preceding, number=portal_number(preceding.number or "", on=preceding.issue_date or on) or None)


def _party(party: Party) -> Party:
    """Keep of the identifiers that of the VAT group, and of the address the country (BR-FR-MAP-14)."""
    return replace(
        party,
        identifiers=tuple(each for each in party.identifiers if each.scheme == "0231"),
        postal_address=Address(country_code=_country(party.postal_address.country_code)),
    )


def _country(code: str | None) -> str | None:
    return "FR" if code in codes.DOMESTIC_COUNTRIES else code


def _delivery(delivery: Delivery | None) -> Delivery | None:
    """Complete and cut the address of a delivery (BR-FR-MAP-10, 11, 17, 19, 20)."""
    if delivery is None:
        return None
    name = delivery.name[:PLACE] if delivery.name else None
    address = delivery.postal_address
    if address is None or not address.country_code:
        return replace(delivery, name=name, postal_address=None)
    return replace(delivery, name=name, postal_address=_delivery_address(address))


def _delivery_address(address: Address) -> Address:
    return Address(
        line_one=(address.line_one or "-")[:ADDRESS],
        line_two=address.line_two and address.line_two[:ADDRESS],
        line_three=address.line_three and address.line_three[:ADDRESS],
        city=(address.city or "-")[:ADDRESS],
        post_code=(address.post_code or "-")[:POST_CODE],
        subdivision=address.subdivision and address.subdivision[:ADDRESS],
        country_code=_country(address.country_code),
    )


def _rate(rate: Decimal | None) -> Decimal:
    """Write a rate as the list of rates does, without idle zeros; none at all is 0 (BR-FR-MAP-12)."""
    return Decimal(0) if not rate else Decimal(format(rate.normalize(), "f"))


def _allowance(allowance: AllowanceCharge) -> AllowanceCharge:
    return replace(allowance, vat_rate=_rate(allowance.vat_rate))


def _breakdown(part: VatBreakdown) -> VatBreakdown:
    """Give each exemption a text and a code, and small businesses their category (BR-FR-MAP-08, 18, 25, 27)."""
    rate = _rate(part.rate)
    if part.category == "E" and part.exemption_code == SMALL_BUSINESS:
        return replace(part, category="Z", rate=rate, exemption_reason=None, exemption_code=None)
    reason, code = part.exemption_reason, part.exemption_code
    if code and not reason:
        reason = REASONS_FR.get(code, f"Exonération de TVA, code {code}")
    return replace(
        part, rate=rate, exemption_reason=reason and reason[:TEXT], exemption_code=code or (reason and NO_CODE)
    )


def _line(line: Line, on: date | None) -> Line:
    """Make a line that the State receives (BR-FR-MAP-01, 04, 17, 21, 24)."""
    return replace(
        line,
        notes=_notes(line.notes),
        quantity=line.quantity if line.quantity is None else _at_most(line.quantity, digits=4),
        preceding_invoice=_shortened(line.preceding_invoice, on) if line.preceding_invoice else None,
        delivery=_delivery(line.delivery),
        price=_price(line.price),
        item=Item(name=(line.item.name or "-")[:ADDRESS]),
    )


def _price(price: Price) -> Price:
    """Give the net, the gross and the discount; a gross that was not said is the net (BR-FR-MAP-21)."""
    net = price.net if price.net is None else _at_most(price.net, digits=6)
    gross = net if price.gross is None else _at_most(price.gross, digits=6)
    return Price(net=net, discount=price.discount and _at_most(price.discount, digits=6), gross=gross)


def _at_most(value: Decimal, *, digits: int) -> Decimal:
    exponent = value.as_tuple().exponent
    return rounded(value, digits=digits) if isinstance(exponent, int) and exponent < -digits else value
