"""Units become a transmission: exact, in any order, twice as once, and as the portal's rules want it."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from estafette.formats import flux10
from estafette.formats.flux10 import (
    DailyPayment,
    DailyTotal,
    InvoicePayment,
    Kind,
    PaidPart,
    RatePart,
    Report,
    Role,
)
from estafette.invoice.codes import VAT_RATES
from estafette.reporting.aggregation import VAT_POINT_FROM, Content, Unit, aggregate, totalled
from estafette.rules import check

ON = date(2026, 11, 25)
AMOUNTS = st.decimals(Decimal(-100000), Decimal(100000), places=2)
POSITIVE = st.decimals(Decimal("0.01"), Decimal(100000), places=2)
RATES = st.sampled_from(sorted(VAT_RATES))
DAYS = st.dates(date(2026, 9, 1), date(2026, 9, 10))
TOTALS = st.builds(
    DailyTotal,
    day=DAYS,
    category=st.sampled_from(["TLB1", "TPS1", "TNT1", "TMA1"]),
    currency=st.sampled_from(["EUR", "USD"]),
    count=st.none() | st.integers(0, 50),
    parts=st.lists(st.builds(RatePart, RATES, AMOUNTS, AMOUNTS), min_size=1, max_size=3).map(tuple),
).map(totalled)
PAID = st.lists(st.builds(PaidPart, RATES, POSITIVE), min_size=1, max_size=3).map(tuple)
PAYMENTS = st.builds(DailyPayment, DAYS, PAID) | st.builds(
    InvoicePayment, st.sampled_from(["F1", "F2"]), st.just(date(2026, 9, 1)), DAYS, PAID
)


def amounts(content: Content | list[Unit]) -> dict[tuple[object, ...], Decimal]:
    """Return every amount by what it is an amount of."""
    sums: dict[tuple[object, ...], Decimal] = {}
    units = content.units() if isinstance(content, Content) else content
    for unit in units:
        key = (
            type(unit),
            unit.day,
            getattr(unit, "category", ""),
            getattr(unit, "currency", ""),
            getattr(unit, "number", ""),
        )  # type: ignore[union-attr]
        for part in unit.parts:  # type: ignore[union-attr]
            for name in ("taxable_amount", "tax_amount", "amount"):
                if hasattr(part, name):
                    place = (*key, part.rate, name)
                    sums[place] = sums.get(place, Decimal(0)) + getattr(part, name)
    return {place: amount for place, amount in sums.items() if amount}


def report(content: Content, kind: Kind) -> bytes:
    """Return the file of a content."""
    return flux10.write(
        Report(
            identifier="R-1",
            issued_at=datetime(2026, 9, 21, tzinfo=UTC),
            type_code="IN",
            platform="0003",
            platform_name="Relais",
            declarant="100000009",
            declarant_name="Atelier",
            role=Role.SELLER,
            kind=kind,
            start=date(2026, 9, 1),
            end=date(2026, 9, 10),
            invoices=content.invoices,
            daily_totals=content.daily_totals,
            invoice_payments=content.invoice_payments,
            daily_payments=content.daily_payments,
        )
    )


@settings(max_examples=60)
@given(st.lists(TOTALS | PAYMENTS, max_size=12), st.randoms())
def test_totals_are_the_sum_of_their_units(units: list[Unit], chance: object) -> None:
    """No cent is lost or made, whatever the order; merging what is merged changes nothing."""
    content = aggregate(units, on=ON)
    assert amounts(content) == amounts(units)
    chance.shuffle(units)  # type: ignore[attr-defined]
    assert aggregate(units, on=ON) == content
    assert aggregate(content.units(), on=ON) == content


@settings(max_examples=25)
@given(st.lists(TOTALS, min_size=1, max_size=8))
def test_daily_totals_are_accepted(units: list[Unit]) -> None:
    """Whatever the units, negative days and other currencies among them, the official rules accept the totals."""
    verdict = check(report(aggregate(units, on=ON), Kind.TRANSACTIONS))
    assert (verdict.schema, verdict.findings) == ((), ())


@settings(max_examples=25)
@given(st.lists(PAYMENTS, min_size=1, max_size=8))
def test_payments_are_accepted(units: list[Unit]) -> None:
    """Whatever was cashed, the official rules accept it."""
    verdict = check(report(aggregate(units, on=ON), Kind.PAYMENTS))
    assert (verdict.schema, verdict.findings) == ((), ())


def test_cashed_and_given_back_the_same_day() -> None:
    """What cancels out is not reported at all."""
    day = date(2026, 9, 5)
    back_and_forth = [DailyPayment(day, (PaidPart(Decimal(20), Decimal(amount)),)) for amount in ("12.00", "-12.00")]
    assert aggregate(back_and_forth, on=ON).is_empty


def test_the_option_on_debits_waits_for_the_portal() -> None:
    """The option (TT-80) is kept apart once the portal stores it; before, both merge."""
    one = totalled(DailyTotal(date(2026, 9, 5), "TPS1", parts=(RatePart(Decimal(20), Decimal(100), Decimal(20)),)))
    other = totalled(DailyTotal(date(2026, 9, 5), "TPS1", vat_point_code="3", parts=one.parts))
    assert [total.vat_point_code for total in aggregate([one, other], on=ON).daily_totals] == [None]
    assert [total.vat_point_code for total in aggregate([one, other], on=VAT_POINT_FROM).daily_totals] == [None, "3"]
