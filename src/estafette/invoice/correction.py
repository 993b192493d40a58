"""Invoices made from another: credit notes, corrective invoices, deposits and what is left to pay after them.

An invoice that was sent is never changed: another one corrects it and names it, with its date (BG-3; BR-FR-CO-04,
BR-FR-CO-05). Source: CGI, ann. II, art. 242 nonies A; XP Z12-014, cases 20, 21 and 22b; UNTDID 1001.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from msgspec.structs import replace

from estafette.invoice import codes
from estafette.invoice.building import complete
from estafette.invoice.mistakes import Mistake, Mistaken
from estafette.invoice.model import (
    AllowanceCharge,
    Invoice,
    Item,
    Line,
    PrecedingInvoice,
    Price,
    Totals,
    VatBreakdown,
)
from estafette.invoice.rounding import amount
from estafette.values.money import plain

CREDIT_NOTE_OF = {
    "380": "381", "384": "381", "389": "261", "471": "261", "500": "261",
    "393": "396", "472": "396", "501": "502", "473": "502", "386": "503",
}  # fmt: skip
"""The type of the credit note of each type of invoice; a self-billed deposit (500) has that of self-billing."""

CORRECTIVE_OF = {
    "380": "384", "384": "384", "389": "471", "471": "471", "393": "472", "472": "472", "501": "473", "473": "473",
}  # fmt: skip
"""The type of the corrective invoice of each type of invoice; a deposit is credited (503) and made anew."""

DEPOSIT_OF = {"380": "386", "386": "386", "389": "500", "500": "500"}
"""The type of the deposit invoice of what each type will invoice."""

_UNITS = frozenset({"8", "9"})
"""Frameworks that gather several invoices in one: each has its number and its references (BR-FR-MV-14, BR-FR-BD-14)."""

_AMOUNTS = frozenset({"lines", "allowances", "charges", "vat_breakdown", "totals", "currency"})
_ZERO, _HUNDRED = Decimal(0), Decimal(100)


def credit_note_of(
    invoice: Invoice, *, number: str, issue_date: date, lines: Mapping[str, Decimal | None] | None = None
) -> Invoice:
    """Give the credit note of an invoice: of all of it, or of some of its lines.

    `lines` gives the quantity credited of each line by its identifier (BT-126), None for all of it. The allowances and
    charges of the document follow the lines of their VAT category and rate, in proportion. Amounts are positive, as in
    the invoice; what was paid is not taken off: the credit note says what the buyer is owed (BT-115).

    Raises: Mistaken, for an invoice that has no credit note, a line that it has not, a quantity beyond that invoiced.
    """
    note = _following(invoice, CREDIT_NOTE_OF, number, issue_date)
    if lines is not None:
        note = _part(invoice, note, lines)
    note = replace(
        note,
        due_date=None,
        payment=None,
        payment_terms=f"À valoir sur la facture {invoice.number}.",
        business_process=_framework(note.business_process, {"2": "1"}),
        totals=replace(note.totals, paid_amount=None, amount_due=None),
    )
    return complete(note).invoice


def corrective_of(invoice: Invoice, *, number: str, issue_date: date, **changes: Any) -> Invoice:
    """Give the invoice that cancels and replaces another, with the terms that change by their name in the model.

    It says the whole of what is owed, in positive amounts, in the framework of the original. The amounts of lines that
    change are computed anew, and so are the totals; allowances and charges of the document stay unless they are given.
    A due date that has passed becomes the day of issue (BR-FR-CO-07).

    Raises: Mistaken, for an invoice that has no corrective one; TypeError, for a term that is none.
    """
    corrective = replace(_following(invoice, CORRECTIVE_OF, number, issue_date), **changes)
    due = corrective.due_date
    paid = corrective.business_process[1:] == "2"  # its due date is the day it was paid
    if due is not None and due < issue_date and not paid and "due_date" not in changes:
        corrective = replace(corrective, due_date=issue_date)
    if _AMOUNTS & changes.keys():
        corrective = _recomputed(corrective, invoice.lines, totals="totals" not in changes)
    return complete(corrective).invoice


def deposit_of(order: Invoice, *, number: str, issue_date: date, percentage: Decimal) -> Invoice:
    """Give the deposit invoice of a share of what an order comes to: one line for each VAT category and rate.

    `order` is the invoice that the whole order would have; `percentage` is of its amounts without VAT: 30, not 0.3.

    Raises: Mistaken, for a type of invoice without deposit or a percentage outside ]0, 100].
    """
    if not _ZERO < percentage <= _HUNDRED:
        raise Mistaken(
            Mistake(path="percentage", seen=plain(percentage), fr="Attendu : plus de 0, au plus 100.",
                    en="Expected: more than 0, at most 100.")
        )  # fmt: skip
    whole = complete(order).invoice
    deposit = _following(whole, DEPOSIT_OF, number, issue_date)
    rows = [row for row in whole.vat_breakdown if row.taxable_amount is not None]
    title = f"Acompte de {plain(percentage)} %" + (f" sur {order.number}" if order.number else "")
    drawn = tuple(
        _bare_line(at, title, row, amount((row.taxable_amount or _ZERO) * percentage / _HUNDRED, whole.currency), whole)
        for at, row in enumerate(rows, 1)
    )
    framework = _framework(deposit.business_process, {"2": "1", "4": "1"})
    deposit = replace(
        deposit, lines=drawn, allowances=(), charges=(), preceding_invoices=(), business_process=framework
    )
    return complete(_recomputed(deposit, (), totals=True)).invoice


def after_deposits(draft: Invoice, deposits: Iterable[Invoice]) -> Invoice:
    """Give the final invoice of what deposits were paid for: each is named (BG-3) and taken off, VAT included.

    A deposit is a line of quantity −1 for each of its VAT categories and rates, never an amount paid (BT-113): doing
    both would take it off twice. The framework says that the invoice is final (B4, S4, M4).

    Source: XP Z12-014, case 21.
    """
    deposits = tuple(deposits)
    used = {line.identifier for line in draft.lines}
    free = (at for at in count(1) if str(at) not in used)
    taken_off = [
        replace(
            _bare_line(next(free), f"Acompte {deposit.number}", row, row.taxable_amount, draft), quantity=Decimal(-1)
        )
        for deposit in deposits
        for row in deposit.vat_breakdown
    ]
    known = {(row.category, row.rate) for row in draft.vat_breakdown}
    reasons = [row for deposit in deposits for row in deposit.vat_breakdown if (row.category, row.rate) not in known]
    final = replace(
        draft,
        lines=(*draft.lines, *taken_off),
        vat_breakdown=(*draft.vat_breakdown, *{(row.category, row.rate): row for row in reasons}.values()),
        preceding_invoices=(*draft.preceding_invoices, *(_reference(deposit, draft) for deposit in deposits)),
        business_process=_framework(draft.business_process, dict.fromkeys("123567", "4")),
    )
    return complete(_recomputed(final, draft.lines, totals=True)).invoice


def _following(invoice: Invoice, types: Mapping[str, str], number: str, issue_date: date) -> Invoice:
    """Give the invoice under another number, date and type, naming the one it follows; Mistaken where it cannot be."""
    mistakes = []
    if invoice.type_code not in types:
        mistakes.append(
            Mistake(path="invoice", term="BT-3", seen=invoice.type_code,
                    fr=f"Ce type de facture n'a pas cette suite. Attendu : {', '.join(types)}.",
                    en=f"This type of invoice has no such follow-up. Expected: {', '.join(types)}.")
        )  # fmt: skip
    if invoice.business_process[1:] in _UNITS:
        mistakes.append(
            Mistake(
                path="invoice",
                term="BT-23",
                seen=invoice.business_process,
                fr="Attendu : une facture d'un seul vendeur ; corrigez chaque facture unitaire sous son numéro.",
                en="Expected: an invoice of one seller; correct each unit invoice under its own number.",
            )
        )
    if number == invoice.number:
        mistakes.append(
            Mistake(path="number", term="BT-1", seen=number, fr="Attendu : un autre numéro que celui de l'original.",
                    en="Expected: another number than that of the original.")
        )  # fmt: skip
    if invoice.issue_date is not None and issue_date < invoice.issue_date:
        mistakes.append(
            Mistake(path="issue_date", term="BT-2", seen=str(issue_date),
                    fr=f"Attendu : pas avant l'original, du {invoice.issue_date}.",
                    en=f"Expected: not before the original, of {invoice.issue_date}.")
        )  # fmt: skip
    if mistakes:
        raise Mistaken(*mistakes)
    return replace(
        invoice,
        number=number,
        issue_date=issue_date,
        type_code=types[invoice.type_code],
        preceding_invoices=(_reference(invoice, invoice),),
        lines=tuple(replace(line, preceding_invoice=None) for line in invoice.lines),
        supporting_documents=(),
        unread=(),
    )


def _reference(invoice: Invoice, within: Invoice) -> PrecedingInvoice:
    """Name an invoice; its type is a term of the extension, said where the profile has it."""
    type_code = invoice.type_code if _is_extended(within) else None
    return PrecedingInvoice(invoice.number, invoice.issue_date, type_code)


def _framework(framework: str, digits: Mapping[str, str]) -> str:
    """Give the framework (BT-23) of the same goods or services with another digit."""
    other = framework[:1] + digits.get(framework[1:], framework[1:])
    return other if other in codes.FRAMEWORK_CODES else framework


def _recomputed(invoice: Invoice, known: tuple[Line, ...], *, totals: bool) -> Invoice:
    """Give the invoice without the amounts that its lines and rates imply, to be completed; known lines keep theirs."""
    kept_as_is = frozenset(known)
    lines = tuple(line if line in kept_as_is else replace(line, net_amount=None) for line in invoice.lines)
    borne = {(line.vat_category, line.vat_rate) for line in lines if line.counts}
    borne |= {(level.vat_category, level.vat_rate) for level in (*invoice.allowances, *invoice.charges)}
    rows = tuple(
        replace(row, taxable_amount=None, tax_amount=None)
        for row in invoice.vat_breakdown
        if (row.category, row.rate) in borne
    )
    kept = Totals(paid_amount=invoice.totals.paid_amount) if totals else invoice.totals
    return replace(invoice, lines=lines, vat_breakdown=rows, totals=kept)


def _part(invoice: Invoice, note: Invoice, quantities: Mapping[str, Decimal | None]) -> Invoice:
    """Give the credit note of some lines only."""
    known = {line.identifier or "": line for line in note.lines if line.counts}
    mistakes = [mistake for at, quantity in quantities.items() for mistake in _beyond(at, quantity, known.get(at))]
    if mistakes or not quantities:
        raise Mistaken(*mistakes or (Mistake(path="lines", fr="Attendu : une ligne.", en="Expected: a line."),))
    lines = tuple(_share_of(line, quantities[at], invoice.currency) for at, line in known.items() if at in quantities)
    whole, part = _by_rate(known.values()), _by_rate(complete(replace(note, lines=lines)).invoice.lines)
    note = replace(
        note,
        lines=lines,
        allowances=_shares(note.allowances, whole, part, invoice.currency),
        charges=_shares(note.charges, whole, part, invoice.currency),
        totals=Totals(),
    )
    return _recomputed(note, invoice.lines, totals=True)


def _beyond(at: str, quantity: Decimal | None, line: Line | None) -> Iterable[Mistake]:
    path = f"lines[{at!r}]"
    if line is None:
        yield Mistake(path=path, term="BT-126", seen=at, fr="Attendu : une ligne de l'original.",
                      en="Expected: a line of the original.")  # fmt: skip
        return
    most = line.quantity or _ZERO
    if quantity is not None and not _ZERO < quantity * most <= most * most:
        yield Mistake(path=path, term="BT-129", seen=plain(quantity),
                      fr=f"Attendu : une part de la quantité facturée, {plain(most)}.",
                      en=f"Expected: a part of the quantity invoiced, {plain(most)}.")  # fmt: skip


def _share_of(line: Line, quantity: Decimal | None, currency: str) -> Line:
    """Give a line for a part of its quantity, with the same part of its allowances and charges."""
    line = replace(line, subtype=None, parent_line=None)
    if quantity is None or line.quantity is None or quantity == line.quantity:
        return line
    share = quantity / line.quantity
    return replace(
        line,
        quantity=quantity,
        net_amount=None,
        allowances=tuple(_scaled(level, share, currency) for level in line.allowances),
        charges=tuple(_scaled(level, share, currency) for level in line.charges),
    )


def _scaled(level: AllowanceCharge, share: Decimal, currency: str) -> AllowanceCharge:
    base, value = level.base_amount, level.amount
    if level.percentage is not None and base is not None:
        return replace(level, base_amount=amount(base * share, currency), amount=None)
    return replace(level, amount=None if value is None else amount(value * share, currency), base_amount=None)


_Rate = tuple[str | None, Decimal | None]


def _by_rate(lines: Iterable[Line]) -> dict[_Rate, Decimal]:
    sums: dict[_Rate, Decimal] = {}
    for line in lines:
        rate = (line.vat_category, line.vat_rate)
        sums[rate] = sums.get(rate, _ZERO) + (line.net_amount or _ZERO)
    return sums


def _shares(
    levels: tuple[AllowanceCharge, ...], whole: Mapping[_Rate, Decimal], part: Mapping[_Rate, Decimal], currency: str
) -> tuple[AllowanceCharge, ...]:
    """Give the part of document allowances or charges that falls on the lines credited."""
    shared = []
    for level in levels:
        rate = (level.vat_category, level.vat_rate)
        if whole.get(rate) and part.get(rate):
            shared.append(_scaled(level, part[rate] / whole[rate], currency))
    return tuple(shared)


def _bare_line(at: int, title: str, row: VatBreakdown, value: Decimal | None, within: Invoice) -> Line:
    """Give a line of one unit for a VAT group; in the extension it says the reason of its exemption."""
    extended = _is_extended(within)
    return Line(
        identifier=str(at),
        quantity=Decimal(1),
        unit_code="C62",
        price=Price(net=value),
        vat_category=row.category,
        vat_rate=row.rate,
        vat_exemption_reason=row.exemption_reason if extended else None,
        vat_exemption_code=row.exemption_code if extended else None,
        item=Item(name=title),
    )


def _is_extended(invoice: Invoice) -> bool:
    return "#conformant#" in invoice.specification_identifier
