"""An invoice of several sellers, or of two that sell to each other, taken apart: one invoice for each sale of a seller.

A multi-vendor invoice (frameworks B8, S8, M8) and a bidirectional one (B9, S9, M9) are one document between the parties
and several invoices for the State: each top GROUP line is one, with its seller (EXT-FR-FE-164 to 177), its number
(BT-128 of scheme AFL), its framework (AVV) and its totals (BT-131, EXT-FR-FE-181, 182); the parts of the VAT breakdown
whose reason begins with `#number#` are its own. What the lines do not say is what the header says.

Source: XP Z12-012, BR-FR-MV-01 to 14 and BR-FR-BD-02 to 14; XP Z12-014 annex A, cases 39 and 40.
"""

from decimal import Decimal

from msgspec.structs import replace

from estafette.invoice import codes
from estafette.invoice.model import Invoice, Line, Party, Totals, VatBreakdown

NUMBER, FRAMEWORK = "AFL", "AVV"
"""Schemes of BT-128: the number of an invoice within the document, and its framework."""


def units(invoice: Invoice) -> tuple[Invoice, ...]:
    """Give the invoices that a document is for the State, the main seller's first; itself when it is one.

    Allowances, charges and parts of the VAT breakdown that name no unit stay with the first.
    """
    if invoice.business_process not in codes.SEVERAL_INVOICES_FRAMEWORKS:
        return (invoice,)
    groups = [line for line in invoice.lines if line.subtype == "GROUP" and not line.parent_line and _of(line, NUMBER)]
    main_first = sorted(groups, key=lambda group: _of(group, NUMBER) != invoice.number)
    return tuple(_unit(invoice, group, is_first=not at) for at, group in enumerate(main_first)) or (invoice,)


def _of(line: Line, scheme: str) -> str:
    return next((held.value for held in line.invoiced_objects if held.scheme == scheme), "")


def _unit(invoice: Invoice, group: Line, *, is_first: bool) -> Invoice:
    number = _of(group, NUMBER)
    lines = tuple(line for line in invoice.lines if line.counts and _of(line, NUMBER) == number)
    parts = tuple(filter(None, (_part(part, number, is_first=is_first) for part in invoice.vat_breakdown)))
    seller, is_reverse = _seller(invoice, group)
    unit = replace(
        invoice,
        number=number,
        business_process=_of(group, FRAMEWORK) or invoice.business_process,
        vat_point_code=next((line.vat_point_code for line in lines if line.vat_point_code), invoice.vat_point_code),
        preceding_invoices=(group.preceding_invoice,) if group.preceding_invoice else (),
        seller=seller,
        buyer=invoice.seller if is_reverse else invoice.buyer,
        tax_representative=invoice.tax_representative if seller == invoice.seller else None,
        allowances=invoice.allowances if is_first else (),
        charges=invoice.charges if is_first else (),
        totals=_totals(group),
        vat_breakdown=parts,
        lines=tuple(replace(line, preceding_invoice=None) for line in lines),
    )
    return _positive(unit) if is_reverse else unit


def _seller(invoice: Invoice, group: Line) -> tuple[Party, bool]:
    """Give who sells a unit, the header's party where it is one, and whether it is the buyer of the document."""
    named = group.seller or Party()
    if named.siren == invoice.seller.siren or named.siren is None:
        return invoice.seller, False
    if named.siren == invoice.buyer.siren:
        return invoice.buyer, True
    return named, False


def _part(part: VatBreakdown, number: str, *, is_first: bool) -> VatBreakdown | None:
    """Give a part of the breakdown, without its mark, when it belongs to a unit."""
    reason = part.exemption_reason or ""
    mark = f"#{number}#"
    if reason.startswith(mark):
        return replace(part, exemption_reason=reason.removeprefix(mark).strip() or None)
    return part if is_first and not reason.startswith("#") else None


def _totals(group: Line) -> Totals:
    return Totals(
        sum_of_line_net_amounts=group.net_amount,
        total_without_vat=group.net_amount,
        total_vat=group.total_vat,
        total_vat_in_accounting_currency=group.total_vat_in_accounting_currency,
        total_with_vat=group.total_with_vat,
    )


def _positive(unit: Invoice) -> Invoice:
    """Give what the buyer sells as a sale: a document that sets it off against its purchase writes it below zero."""
    if (unit.totals.total_without_vat or Decimal(0)) >= 0:
        return unit
    totals = unit.totals
    return replace(
        unit,
        totals=Totals(
            sum_of_line_net_amounts=_opposite(totals.sum_of_line_net_amounts),
            total_without_vat=_opposite(totals.total_without_vat),
            total_vat=_opposite(totals.total_vat),
            total_vat_in_accounting_currency=_opposite(totals.total_vat_in_accounting_currency),
            total_with_vat=_opposite(totals.total_with_vat),
        ),
        vat_breakdown=tuple(
            replace(part, taxable_amount=_opposite(part.taxable_amount), tax_amount=_opposite(part.tax_amount))
            for part in unit.vat_breakdown
        ),
        lines=tuple(map(_positive_line, unit.lines)),
    )


def _positive_line(line: Line) -> Line:
    price, quantity = line.price, line.quantity
    if price.net is not None and price.net < 0:
        price = replace(price, net=_opposite(price.net), gross=_opposite(price.gross))
    else:
        quantity = _opposite(quantity)
    return replace(line, net_amount=_opposite(line.net_amount), price=price, quantity=quantity)


def _opposite(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount
