"""Days and seconds are read in the time of Paris and refused when they do not exist."""

from datetime import UTC, date, datetime

import pytest

from estafette.values import moments


@pytest.mark.parametrize("text", ["20260231", "2026-09-01", "202609", "2026090١", "20260901 "])
def test_day_that_is_none(text: str) -> None:
    """A day that the calendar does not have, or of another shape, is refused."""
    with pytest.raises(ValueError):
        moments.day(text)


def test_winter_and_summer() -> None:
    """A second is one hour ahead of UTC in winter and two in summer."""
    assert moments.second("20260115120000") == datetime(2026, 1, 15, 11, 0, tzinfo=UTC)
    assert moments.second("20260715120000") == datetime(2026, 7, 15, 10, 0, tzinfo=UTC)


def test_repeated_hour_is_its_first_passage() -> None:
    """The hour that the end of summer time repeats is read as summer time."""
    assert moments.second("20261025023000").astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_write_then_read() -> None:
    """A moment written in format 204 and read again is the same moment."""
    moment = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert moments.second_text(moment) == "20270101003000"
    assert moments.second(moments.second_text(moment)) == moment
    assert moments.paris_day(moment) == date(2027, 1, 1)


def test_a_moment_without_zone_is_refused() -> None:
    """Neither form accepts a moment whose zone is unknown."""
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the bad input itself
    for verb in (moments.second_text, moments.paris_day):
        with pytest.raises(ValueError, match="without a zone"):
            verb(naive)
