"""By when the State must be told, and what is late."""

from datetime import UTC, date, datetime, timedelta

import pytest

from estafette.lifecycle.deadlines import DEADLINES, INVOICE_DATA, Obligation, Standing, due, late
from estafette.lifecycle.statuses import OBLIGATORY, STATUSES

BEGAN = datetime(2026, 9, 1, 10, tzinfo=UTC)
LIMIT = BEGAN + timedelta(hours=24)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("owed", sorted({INVOICE_DATA, *STATUSES}))
def test_what_is_owed(owed: str) -> None:
    """The data of an invoice and the obligatory statuses are owed within a day, nothing else is."""
    expected = LIMIT if owed in OBLIGATORY | {INVOICE_DATA} else None
    assert due(owed, BEGAN) == expected


def test_a_day_of_two_hours_more() -> None:
    """Twenty-four hours are hours: the night when clocks go back does not lengthen them."""
    evening = datetime.fromisoformat("2026-10-24T20:00:00+02:00")
    assert due("210", evening) == datetime.fromisoformat("2026-10-25T19:00:00+01:00")


def test_before_the_law() -> None:
    """Nothing was owed before the first row of the table, which says where it comes from."""
    first = min(row.since for row in DEADLINES)
    eve = datetime(first.year, first.month, first.day, 12, tzinfo=UTC) - timedelta(days=1)
    assert due(INVOICE_DATA, eve) is None
    assert due(INVOICE_DATA, eve + timedelta(days=1)) is not None
    assert all("§3.6" in row.source and row.since <= date(2026, 9, 1) for row in DEADLINES)


@pytest.mark.parametrize(
    ("taken_at", "is_rejected", "now", "standing"),
    [
        (None, False, LIMIT, Standing.PENDING),
        (None, False, LIMIT + SECOND, Standing.LATE),
        (LIMIT, False, LIMIT + timedelta(days=9), Standing.MET),
        (LIMIT + SECOND, False, LIMIT + timedelta(days=9), Standing.MET_LATE),
        (None, True, LIMIT + timedelta(days=9), Standing.REJECTED),
        (BEGAN, True, LIMIT, Standing.REJECTED),
    ],
)
def test_where_it_stands(taken_at: datetime | None, is_rejected: bool, now: datetime, standing: Standing) -> None:
    """Met when taken in time, late once the time has passed without, rejected when it must be corrected."""
    assert Obligation("212", BEGAN, taken_at, is_rejected).standing(now=now) is standing


def test_what_is_never_owed_is_never_late() -> None:
    """An approval may wait for ever."""
    assert Obligation("205", BEGAN).standing(now=LIMIT + timedelta(days=99)) is Standing.PENDING


def test_the_late_ones() -> None:
    """The longest due comes first; what was taken or may still come in time is not there."""
    recent, old, taken = (
        Obligation("210", BEGAN),
        Obligation(INVOICE_DATA, BEGAN - SECOND),
        Obligation("200", BEGAN, BEGAN),
    )
    young = Obligation("213", BEGAN + timedelta(days=1))
    assert late([recent, taken, young, old], now=LIMIT + SECOND) == (old, recent)
