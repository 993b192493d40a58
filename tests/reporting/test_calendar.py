"""Periods and deadlines by regime, in the time of Paris."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estafette.formats.flux10 import Kind
from estafette.reporting.calendar import Regime, RegimeChange, next_period, next_sending, period_of

TX, PAY = Kind.TRANSACTIONS, Kind.PAYMENTS


def under(regime: Regime, since: date = date(2020, 1, 1)) -> tuple[RegimeChange, ...]:
    """Return a regime from a day on."""
    return (RegimeChange(since, regime),)


@pytest.mark.parametrize(
    ("regime", "kind", "day", "start", "end", "limit", "advised"),
    [
        ("monthly", TX, "2026-09-10", "2026-09-01", "2026-09-10", "2026-09-20", "2026-09-20"),
        ("monthly", TX, "2026-10-11", "2026-10-11", "2026-10-20", "2026-10-31", "2026-10-30"),
        ("monthly", TX, "2027-02-15", "2027-02-11", "2027-02-20", "2027-02-28", "2027-02-28"),
        ("monthly", TX, "2026-12-31", "2026-12-21", "2026-12-31", "2027-01-10", "2027-01-10"),
        ("monthly", PAY, "2026-12-31", "2026-12-01", "2026-12-31", "2027-01-10", "2027-01-10"),
        ("quarterly", TX, "2026-11-30", "2026-11-01", "2026-11-30", "2026-12-10", "2026-12-10"),
        ("simplified", PAY, "2026-11-30", "2026-11-01", "2026-11-30", "2026-12-31", "2026-12-25"),
        ("simplified", TX, "2027-01-31", "2027-01-01", "2027-01-31", "2027-02-10", "2027-02-10"),
        ("franchise", TX, "2026-12-01", "2026-11-01", "2026-12-31", "2027-01-31", "2027-01-25"),
        ("franchise", PAY, "2027-01-31", "2027-01-01", "2027-02-28", "2027-03-31", "2027-03-25"),
    ],
)
def test_the_table(  # noqa: PLR0917 - a row of the table
    regime: str, kind: Kind, day: str, start: str, end: str, limit: str, advised: str
) -> None:
    """Each row of table 13: the period of a day, the company's last day, the day that the doctrine advises."""
    period = period_of(date.fromisoformat(day), kind, under(Regime(regime)))
    said = [each.isoformat() for each in (period.start, period.end, period.limit, period.advised)]
    assert said == [start, end, limit, advised]


def test_the_platform_has_until_eight() -> None:
    """It sends from midnight after the company's last day and must be done by 08:00, by the clocks of Paris."""
    period = period_of(date(2026, 9, 10), TX)
    assert period.opens_at == datetime(2026, 9, 10, 22, tzinfo=UTC)
    assert period.sent_from == datetime(2026, 9, 20, 22, tzinfo=UTC)
    assert period.due_at == datetime(2026, 9, 21, 6, tzinfo=UTC)
    winter = period_of(date(2026, 11, 10), TX)
    assert winter.due_at == datetime(2026, 11, 21, 7, tzinfo=UTC)


def test_a_change_of_regime_cuts_a_period() -> None:
    """From the day of the change the new regime's periods apply, none overlaps another."""
    changes = (*under(Regime.FRANCHISE), RegimeChange(date(2026, 12, 1), Regime.MONTHLY))
    before = period_of(date(2026, 11, 15), TX, changes)
    assert (before.start, before.end) == (date(2026, 11, 1), date(2026, 11, 30))
    assert next_period(before, TX, changes).end == date(2026, 12, 10)


DAYS = st.dates(date(2026, 9, 1), date(2030, 12, 31))


@given(DAYS, st.sampled_from(Kind), st.sampled_from(Regime))
def test_every_day_is_in_one_period(day: date, kind: Kind, regime: Regime) -> None:
    """Periods tile the calendar: each day is in its own, and the next one begins the day after its end."""
    changes = under(regime)
    period = period_of(day, kind, changes)
    assert period.start <= day <= period.end < period.limit
    assert all(period_of(each, kind, changes) == period for each in (period.start, period.end))
    assert next_period(period, kind, changes).start == period.end + timedelta(days=1)


@given(DAYS, st.sampled_from(Kind), st.sampled_from(Regime))
def test_the_next_sending_is_ahead(day: date, kind: Kind, regime: Regime) -> None:
    """Late data never wait for a moment past, nor for more than three months."""
    now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    following = next_sending(now, kind, under(regime))
    assert now < following <= now + timedelta(days=93)
