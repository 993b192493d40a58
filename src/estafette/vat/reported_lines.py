"""On which line of the return an amount goes that was e-reported.

As the seller: taxed sales on A1 and the line of their rate, what is not taxed here on E2, exports of goods on E1, goods
to the Union on F2. As the buyer, who assesses the VAT: goods from the Union on B2, services on A3, other goods on B4;
each with the line of its rate, and the same VAT deducted. What the totals of a day do not tell is marked presumed.

Source: form 3310-CA3-SD and its notice; CGI art. 256 bis, 259, 259 B, 262, 262 ter, 283-1, 283-2.
"""

from decimal import Decimal

from estafette.formats.flux10 import Block
from estafette.vat.allocation import (
    FULLY_DEDUCTIBLE,
    REVERSE_CHARGE,
    REVERSE_CHARGE_RATE,
    Allocation,
    Role,
    Unplaced,
    allocate,
    no_line,
)
from estafette.vat.events import Event
from estafette.vat.forms import Column, Form, Text
from estafette.vat.rates import UnknownRate, line_of, territory_of
from estafette.vat.reported import MARGIN, OUTSIDE

DISTANCE_SALES = Text(
    "Non taxé en France : une vente à distance taxée ailleurs va en E3, le total ne le dit pas.",
    "Not taxed in France: a distance sale taxed elsewhere goes to E3, the total does not tell.",
)
MARGIN_SCHEME = Text(
    "Régime de la marge : la base est la marge hors taxe.", "Margin scheme: the base is the margin net of VAT."
)
UNTAXED_PART = Text("Part sans TVA d'un total du jour.", "Part without VAT of the total of a day.")
MIXED_PURCHASE = Text(
    "Achat mixte à l'étranger : biens (B2, B4) et services (A3) ne se distinguent pas dans les données.",
    "Mixed purchase abroad: goods (B2, B4) and services (A3) cannot be told apart in the data.",
)

PURCHASES = {("B", True): "B2", ("B", False): "B4", ("S", True): "A3", ("S", False): "A3"}
"""The line of a purchase, by its nature and whether it comes from the Union."""

FROM_UNION, MEMO_UNION = "F1", "17"


def place(event: Event, form: Form, role: Role) -> tuple[Allocation, ...] | Unplaced:
    """Return what an e-reported event puts on the return of who reported it."""
    if event.reported is not None and event.reported.block in {Block.DAILY_TOTALS, Block.DAILY_PAYMENTS}:
        return _of_the_day(event, form)
    if event.document.currency != "EUR" or (role is Role.BUYER and event.category == "S"):
        return allocate(event, form, role)
    return _bought(event, form) if role is Role.BUYER else _sold(event, form)


def _of_the_day(event: Event, form: Form) -> tuple[Allocation, ...] | Unplaced:
    if event.document.currency != "EUR":
        return allocate(event, form, Role.SELLER)
    if event.category == OUTSIDE:
        return (Allocation(event, "E2", Column.AMOUNT, event.base, DISTANCE_SALES),)
    if not event.rate:
        return (Allocation(event, "E2", Column.AMOUNT, event.base, UNTAXED_PART),)
    why = MARGIN_SCHEME if event.category == MARGIN else None
    return _at_its_rate(event, form, "A1", rate=event.rate, vat=event.vat, why=why)


def _sold(event: Event, form: Form) -> tuple[Allocation, ...] | Unplaced:
    if event.category in {"K", "G"} and event.document.business_process.startswith("S"):
        return (Allocation(event, "E2", Column.AMOUNT, event.base),)
    return allocate(event, form, Role.SELLER)


def _bought(event: Event, form: Form) -> tuple[Allocation, ...] | Unplaced:
    nature = event.document.business_process[:1]
    from_union = event.reported is not None and event.reported.from_union
    if event.category != "AE":
        if nature == "B" and from_union and event.category in {"E", "K"}:
            return (Allocation(event, FROM_UNION, Column.AMOUNT, event.base),)
        return allocate(event, form, Role.BUYER)
    line = PURCHASES.get((nature, from_union))
    if line is None:
        return Unplaced(event, MIXED_PURCHASE)
    rate, vat, why = event.rate, event.vat, None
    if not rate:
        rate, why = REVERSE_CHARGE_RATE, REVERSE_CHARGE
        vat = event.base * rate / 100
    placed = _at_its_rate(event, form, line, rate=rate, vat=vat, why=why)
    if isinstance(placed, Unplaced):
        return placed
    memo = (Allocation(event, MEMO_UNION, Column.AMOUNT, vat, why),) if line == "B2" else ()
    return (*placed, *memo, Allocation(event, "20", Column.AMOUNT, vat, why or FULLY_DEDUCTIBLE))


def _at_its_rate(
    event: Event, form: Form, operation: str, *, rate: Decimal, vat: Decimal, why: Text | None
) -> tuple[Allocation, ...] | Unplaced:
    """Return the operation, and its base and VAT on the line of the rate."""
    try:
        line = form.line(line_of(rate, territory=territory_of("FR"), on=event.on)).code
    except UnknownRate:
        return Unplaced(event, no_line(event))
    return (
        Allocation(event, operation, Column.AMOUNT, event.base, why),
        Allocation(event, line, Column.BASE, event.base, why),
        Allocation(event, line, Column.TAX, vat, why),
    )
