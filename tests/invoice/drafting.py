"""Drafts for the tests of this room: our own sample parties, and lines drawn at random."""

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st
from msgspec.structs import replace

from estafette.formats import read
from estafette.invoice.model import AllowanceCharge, Invoice, Item, Line, Price, Totals, VatBreakdown
from estafette.simulation import samples

DAY = date(2026, 9, 15)
CURRENCIES = (("EUR", None), ("JPY", Decimal("0.0061")), ("TND", Decimal("0.29")), ("USD", Decimal("0.91234")))
RATES = (Decimal(20), Decimal("5.5"), Decimal(10), Decimal("2.10"))


def bare(**changes: object) -> Invoice:
    """Give our sample invoice of a service, without any amount and without lines."""
    sample = read(samples.load("service", number="F2026-77", issue_date=DAY))
    return replace(sample, **{"totals": Totals(), "vat_breakdown": (), "lines": (), **changes})


def line(number: int = 1, quantity: str = "2", price: str = "50", rate: str = "20", **changes: object) -> Line:
    """Give a line of the standard category."""
    first = Line(
        identifier=str(number),
        quantity=Decimal(quantity),
        unit_code="HUR",
        price=Price(net=Decimal(price)),
        vat_category="S",
        vat_rate=Decimal(rate),
        item=Item(name=f"Conseil {number}"),
    )
    return replace(first, **changes)


def numbers(least: str, most: str, places: int) -> st.SearchStrategy[Decimal]:
    """Draw decimals with at most so many places."""
    return st.decimals(Decimal(least), Decimal(most), places=places, allow_nan=False, allow_infinity=False)


@st.composite
def levels(draw: st.DrawFn, categories: tuple[tuple[str | None, Decimal | None], ...]) -> AllowanceCharge:
    """Draw an allowance or a charge: an amount, or a percentage."""
    category, rate = draw(st.sampled_from(categories))
    level = AllowanceCharge(reason="Convenu", vat_category=category, vat_rate=rate)
    if draw(st.booleans()):
        return replace(level, amount=draw(numbers("0", "9.99", 2)))
    return replace(level, percentage=draw(numbers("0", "30", 2)))


@st.composite
def lines(draw: st.DrawFn, number: int = 1) -> Line:
    """Draw a line: any quantity, a net price or a gross one and its discount, allowances and charges."""
    nothing = ((None, None),)
    drawn = line(number, rate=str(draw(st.sampled_from(RATES))), quantity=str(draw(numbers("-50", "500", 4))))
    if draw(st.booleans()):
        gross, discount = draw(numbers("10", "900", 4)), draw(numbers("0", "9", 4))
        price = Price(gross=gross, discount=discount, base_quantity=draw(st.sampled_from((None, Decimal(3)))))
    else:
        price = Price(net=draw(numbers("0", "900", 6)))
    exempt = draw(st.integers(0, 5)) == 0
    return replace(
        drawn,
        price=price,
        vat_category="E" if exempt else "S",
        vat_rate=Decimal(0) if exempt else drawn.vat_rate,
        allowances=tuple(draw(st.lists(levels(nothing), max_size=2))),
        charges=tuple(draw(st.lists(levels(nothing), max_size=1))),
    )


@st.composite
def drafts(draw: st.DrawFn) -> Invoice:
    """Draw a draft without amounts: one to six lines, allowances and charges of their rates, in some currency."""
    drawn = tuple(draw(lines(number)) for number in range(1, draw(st.integers(1, 6)) + 1))
    categories = tuple(dict.fromkeys((each.vat_category, each.vat_rate) for each in drawn))
    reasons = [row for row in (exemption(),) if any(each.vat_category == "E" for each in drawn)]
    currency, rate = draw(st.sampled_from(CURRENCIES))
    return bare(
        currency=currency,
        vat_accounting_currency="EUR" if rate else None,
        exchange_rate=rate,
        lines=drawn,
        vat_breakdown=tuple(reasons),
        allowances=tuple(draw(st.lists(levels(categories), max_size=2))),
        charges=tuple(draw(st.lists(levels(categories), max_size=2))),
    )


def exemption() -> VatBreakdown:
    """Give the exemption of a training body."""
    return VatBreakdown(category="E", rate=Decimal(0), exemption_reason="Exonéré", exemption_code="VATEX-FR-CGI261-4")
