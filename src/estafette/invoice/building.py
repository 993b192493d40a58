"""From a draft to a whole invoice: every figure that the standard defines is computed, and explained.

Theory of operation. A figure is settled once, in the order of its operands: prices, lines, allowances and charges, VAT
breakdown, totals. What the draft says stands, and the next figures are computed from it; when a formula gives something
else, the figure says both. So nothing is replaced, and completing a completed invoice changes nothing.

Source: EN 16931-1, BG-22, BG-23, BG-25 and the rules BR-CO-10 to BR-CO-17; BR-FREXT-08 for lines that group others.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Context, Decimal, InvalidOperation, localcontext

import msgspec
from msgspec.structs import replace

from estafette.invoice.figures import GROUP_LINE, Figure
from estafette.invoice.model import AllowanceCharge, Invoice, Line, Totals, VatBreakdown
from estafette.invoice.rounding import amount
from estafette.values.limits import NUMBER_CHARACTERS_MAX

Operands = tuple[tuple[str, Decimal | None], ...]
_HUNDRED, _ZERO = Decimal(100), Decimal(0)
_EXACT = Context(prec=4 * NUMBER_CHARACTERS_MAX)
"""Sums and products of the longest numbers that are read lose no digit here."""

_SUBTRACTED = {"BT-109": "BT-107", "BT-115": "BT-113", "BT-116": "BT-92", "BT-146": "BT-147"}
"""What each sum takes off: allowances, discounts, what is paid."""


class Completion(msgspec.Struct, frozen=True):
    """A draft completed, with the account of each figure."""

    invoice: Invoice
    figures: tuple[Figure, ...]

    @property
    def contradictions(self) -> tuple[Figure, ...]:
        """The figures where the draft says another value than the formula gives; the draft's was kept."""
        return tuple(figure for figure in self.figures if figure.is_contradicted)

    @property
    def gaps(self) -> tuple[Figure, ...]:
        """The figures that could not be computed, for want of what `missing` names."""
        return tuple(figure for figure in self.figures if figure.value is None)


def complete(draft: Invoice) -> Completion:
    """Give the invoice with every amount that its lines, allowances, charges and rates imply, and why each is so.

    Amounts are rounded half up to the digits of the invoice currency (BT-5), at most two. Never fails: a figure that
    lacks an operand is among the `gaps`, one that the draft contradicts among the `contradictions`.

    Source: EN 16931-1; BR-CO-10 to BR-CO-17.
    """
    with localcontext(_EXACT):
        return _Completing(draft).completion()


class _Completing:
    """One completion: the draft, and the figures settled so far."""

    def __init__(self, draft: Invoice) -> None:
        self.draft = draft
        self.figures: list[Figure] = []

    def completion(self) -> Completion:
        """Settle the figures in their order."""
        lines = self._grouping([self._line(line, f"lines[{at}]") for at, line in enumerate(self.draft.lines)])
        allowances, charges = self.draft.allowances, self.draft.charges
        invoice = replace(
            self.draft,
            lines=lines,
            allowances=self._levels(allowances, "allowances", ("BT-92", "BT-93", "BT-94"), _alike(lines)),
            charges=self._levels(charges, "charges", ("BT-99", "BT-100", "BT-101"), _alike(lines)),
        )
        invoice = replace(invoice, vat_breakdown=self._breakdown(invoice))
        return Completion(replace(invoice, totals=self._totals(invoice)), tuple(self.figures))

    def _settle(
        self, term: str, path: str, stated: Decimal | None, operands: Operands, value: Decimal | None, *, rule: str = ""
    ) -> Decimal | None:
        """Note a figure, and give what stands: what the draft says, or else what the formula gives."""
        missing = tuple(dict.fromkeys(name for name, operand in operands if operand is None))
        if missing and stated is not None:
            return stated  # there is nothing to compare it with
        known = tuple((name, operand) for name, operand in operands if operand is not None)
        value = None if missing else value
        told = stated if stated != value else None
        self.figures.append(
            Figure(term=term, path=path, rule=rule, operands=known, missing=missing, value=value, stated=told)
        )
        return value if stated is None else stated

    def _sum(self, term: str, path: str, stated: Decimal | None, operands: Operands, rule: str = "") -> Decimal | None:
        """Settle a figure that is a sum: amounts rounded already, added up exactly."""
        less = _SUBTRACTED.get(term)
        value = sum((-each if name == less else each for name, each in operands if each is not None), _ZERO)
        return self._settle(term, path, stated, operands, value, rule=rule)

    def _amount(self, value: Decimal) -> Decimal | None:
        """Round to the invoice currency; None for a number too long to be an amount."""
        try:
            return amount(value, self.draft.currency)
        except InvalidOperation:
            return None

    def _line(self, line: Line, path: str) -> Line:
        price = line.price
        if price.gross is not None:
            operands = (("BT-148", price.gross), *_said(("BT-147", price.discount)))
            price = replace(price, net=self._sum("BT-146", f"{path}.price.net", price.net, operands))
        if not line.counts and price.net is None:
            return line  # a heading: what it comes to, if anything, is what stands under it
        line = replace(line, price=price)
        quantities = (("BT-129", line.quantity), ("BT-146", price.net), *_said(("BT-149", price.base_quantity)))
        gross = _gross(line)

        def base(_: AllowanceCharge) -> tuple[Operands, Decimal | None]:
            return quantities, None if gross is None else self._amount(gross)

        allowances = self._levels(line.allowances, f"{path}.allowances", ("BT-136", "BT-137", "BT-138"), base)
        charges = self._levels(line.charges, f"{path}.charges", ("BT-141", "BT-142", "BT-143"), base)
        levels = (*(("BT-136", each.amount) for each in allowances), *(("BT-141", each.amount) for each in charges))
        value = None if gross is None else self._amount(gross + _total(charges) - _total(allowances))
        net = self._settle("BT-131", f"{path}.net_amount", line.net_amount, (*quantities, *levels), value)
        return replace(line, allowances=allowances, charges=charges, net_amount=net)

    def _levels(
        self, levels: tuple[AllowanceCharge, ...], path: str, terms: tuple[str, str, str], base: "_Base"
    ) -> tuple[AllowanceCharge, ...]:
        """Settle the allowances or charges that are a percentage, of the base they say or of the one they have."""
        return tuple(self._level(each, f"{path}[{at}]", terms, base) for at, each in enumerate(levels))

    def _level(self, level: AllowanceCharge, path: str, terms: tuple[str, str, str], base: "_Base") -> AllowanceCharge:
        amount_term, base_term, percentage_term = terms
        stated, percentage, base_amount = level.amount, level.percentage, level.base_amount
        if percentage is None:
            if stated is None:
                self._settle(amount_term, f"{path}.amount", None, ((percentage_term, None),), None)
            return level
        if base_amount is None:
            base_amount = self._settle(base_term, f"{path}.base_amount", None, *base(level))
        operands = ((base_term, base_amount), (percentage_term, percentage))
        value = None if base_amount is None else self._amount(base_amount * percentage / _HUNDRED)
        settled = self._settle(amount_term, f"{path}.amount", stated, operands, value)
        return replace(level, amount=settled, base_amount=base_amount)

    def _grouping(self, lines: list[Line]) -> tuple[Line, ...]:
        """Settle what lines of the subtype GROUP come to, the last first: a group stands before what it groups."""
        for at in reversed(range(len(lines))):
            group = lines[at]
            if group.subtype != "GROUP" or group.identifier is None:
                continue
            under = [line for line in lines if line.parent_line == group.identifier and line.subtype != "INFORMATION"]
            operands = tuple(("BT-131", line.net_amount) for line in under)
            net = self._sum("BT-131", f"lines[{at}].net_amount", group.net_amount, operands, GROUP_LINE)
            lines[at] = replace(group, net_amount=net)
        return tuple(lines)

    def _breakdown(self, invoice: Invoice) -> tuple[VatBreakdown, ...]:
        """Settle the VAT of each group of one category, rate and reason; the groups of the draft come first."""
        rows = _rows(invoice) if any(line.counts for line in invoice.lines) else [
            (row, None) for row in invoice.vat_breakdown
        ]  # fmt: skip
        return tuple(self._row(row, operands, f"vat_breakdown[{at}]") for at, (row, operands) in enumerate(rows))

    def _row(self, row: VatBreakdown, operands: Operands | None, path: str) -> VatBreakdown:
        base = row.taxable_amount
        if operands is not None:
            base = self._sum("BT-116", f"{path}.taxable_amount", base, operands)
        rate = _ZERO if row.category == "O" else row.rate
        value = None if base is None or rate is None else self._amount(base * rate / _HUNDRED)
        factors = (("BT-116", base), ("BT-119", rate))
        tax = self._settle("BT-117", f"{path}.tax_amount", row.tax_amount, factors, value)
        return replace(row, taxable_amount=base, tax_amount=tax)

    def _totals(self, invoice: Invoice) -> Totals:
        said = invoice.totals
        sums = (
            ("BT-106", "sum_of_line_net_amounts", "BT-131", [line.net_amount for line in invoice.lines if line.counts]),
            ("BT-107", "sum_of_allowances", "BT-92", [each.amount for each in invoice.allowances]),
            ("BT-108", "sum_of_charges", "BT-99", [each.amount for each in invoice.charges]),
            ("BT-110", "total_vat", "BT-117", [each.tax_amount for each in invoice.vat_breakdown]),
        )
        settled = {}
        for term, field, addend, values in sums:
            if values:
                operands = tuple((addend, value) for value in values)
                settled[field] = self._sum(term, f"totals.{field}", getattr(said, field), operands)
        return self._last_totals(invoice, replace(said, **settled))

    def _last_totals(self, invoice: Invoice, totals: Totals) -> Totals:
        vat = totals.total_vat
        net = (("BT-106", totals.sum_of_line_net_amounts),
               *_said(("BT-107", totals.sum_of_allowances), ("BT-108", totals.sum_of_charges)))  # fmt: skip
        without_vat = self._sum("BT-109", "totals.total_without_vat", totals.total_without_vat, net)
        gross = (("BT-109", without_vat), ("BT-110", vat))
        with_vat = self._sum("BT-112", "totals.total_with_vat", totals.total_with_vat, gross)
        due = (("BT-112", with_vat), *_said(("BT-113", totals.paid_amount), ("BT-114", totals.rounding_amount)))
        return replace(
            totals,
            total_without_vat=without_vat,
            total_vat_in_accounting_currency=self._accounted(invoice, totals.total_vat_in_accounting_currency, vat),
            total_with_vat=with_vat,
            amount_due=self._sum("BT-115", "totals.amount_due", totals.amount_due, due),
        )

    def _accounted(self, invoice: Invoice, stated: Decimal | None, vat: Decimal | None) -> Decimal | None:
        """Settle the VAT in the accounting currency (BT-6), when it is another than BT-5 (BR-53)."""
        other, rate = invoice.vat_accounting_currency, invoice.exchange_rate
        if other is None or other == invoice.currency:
            return stated
        value = None if vat is None or rate is None else amount(vat * rate, other)
        path = "totals.total_vat_in_accounting_currency"
        return self._settle("BT-111", path, stated, (("BT-110", vat), ("BT-167", rate)), value)


_Base = Callable[[AllowanceCharge], tuple[Operands, Decimal | None]]
"""What a percentage is of, when an allowance or a charge does not say it."""


def _said(*operands: tuple[str, Decimal | None]) -> Operands:
    return tuple(operand for operand in operands if operand[1] is not None)


def _total(levels: tuple[AllowanceCharge, ...]) -> Decimal:
    return sum((level.amount for level in levels if level.amount is not None), _ZERO)


def _gross(line: Line) -> Decimal | None:
    """Give quantity × net price ÷ base quantity, not rounded; None when one is missing or the base is nothing."""
    quantity, net, base = line.quantity, line.price.net, line.price.base_quantity
    if quantity is None or net is None or base == _ZERO:
        return None
    return quantity * net / base if base is not None else quantity * net


def _alike(lines: tuple[Line, ...]) -> _Base:
    def base(level: AllowanceCharge) -> tuple[Operands, Decimal | None]:
        operands = tuple(
            ("BT-131", line.net_amount)
            for line in lines
            if line.counts and (line.vat_category, line.vat_rate) == (level.vat_category, level.vat_rate)
        )
        return operands, sum((value for _, value in operands if value is not None), _ZERO)

    return base


_Group = tuple[str | None, Decimal | None, str | None]
"""A category, a rate and a reason of exemption: its code, or its text where it has none."""


def _rows(invoice: Invoice) -> list[tuple[VatBreakdown, Operands | None]]:
    """Pair each group of the draft with what it is the sum of; the groups that the draft does not name follow.

    Lines that give no reason belong to the one group of their category and rate. Where the draft has several, how they
    share these lines is the draft's to say: nothing (None) is computed.
    """
    groups = _groups(invoice)
    alike = Counter((row.category, row.rate) for row in invoice.vat_breakdown)
    rows: list[tuple[VatBreakdown, Operands | None]] = []
    named = set()
    for row in invoice.vat_breakdown:
        own: _Group = (row.category, row.rate, row.exemption_code or row.exemption_reason)
        group = own if own in groups else (row.category, row.rate, None)
        named.add(group)
        _, operands = groups.get(group, (row, []))
        shared = group != own and group in groups and alike[group[:2]] > 1
        rows.append((row, None if shared else tuple(operands)))
    return rows + [(row, tuple(operands)) for group, (row, operands) in groups.items() if group not in named]


def _groups(invoice: Invoice) -> dict[_Group, tuple[VatBreakdown, list[tuple[str, Decimal | None]]]]:
    """Gather what bears VAT by category, rate and reason, in the order of the document."""
    groups: dict[_Group, tuple[VatBreakdown, list[tuple[str, Decimal | None]]]] = {}
    bearers: tuple[tuple[str, Iterable[Line | AllowanceCharge]], ...] = (
        ("BT-131", [line for line in invoice.lines if line.counts]),
        ("BT-92", invoice.allowances),
        ("BT-99", invoice.charges),
    )
    for term, bearer in ((term, bearer) for term, some in bearers for bearer in some):
        group = (bearer.vat_category, bearer.vat_rate, bearer.vat_exemption_code or bearer.vat_exemption_reason)
        if group not in groups:
            groups[group] = _row_of(bearer), []
        groups[group][1].append((term, bearer.net_amount if isinstance(bearer, Line) else bearer.amount))
    return groups


def _row_of(bearer: Line | AllowanceCharge) -> VatBreakdown:
    return VatBreakdown(
        category=bearer.vat_category,
        rate=bearer.vat_rate,
        exemption_reason=bearer.vat_exemption_reason,
        exemption_code=bearer.vat_exemption_code,
    )
