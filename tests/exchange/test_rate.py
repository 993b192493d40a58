"""Whoever asks too often waits, and keeps nobody else waiting."""

from datetime import UTC, datetime, timedelta

from estafette.exchange.throttle import Rate
from estafette.values.limits import RATE_KEYS_MAX

NOW = datetime(2026, 9, 15, tzinfo=UTC)
NO_WAIT = timedelta()


def test_so_many_at_once_then_so_many_a_minute() -> None:
    """A key may ask as many times at once as allowed; then one more each time its share of a minute has passed."""
    rate = Rate(60, burst=3)
    assert [rate.take("a", NOW) for _ in range(5)] == [NO_WAIT] * 3 + [timedelta(seconds=1)] * 2
    assert rate.take("b", NOW) == NO_WAIT
    assert rate.take("a", NOW + timedelta(seconds=1)) == NO_WAIT
    assert rate.take("a", NOW + timedelta(seconds=1)) == timedelta(seconds=1)
    later = NOW + timedelta(minutes=1)
    assert [rate.take("a", later) for _ in range(4)] == [NO_WAIT] * 3 + [timedelta(seconds=1)]


def test_a_wait_that_was_told_is_enough() -> None:
    """A refusal is not counted: who waits as long as told may ask again."""
    rate = Rate(60, burst=1)
    assert rate.take("a", NOW) == NO_WAIT
    assert [rate.take("a", NOW) for _ in range(100)] == [timedelta(seconds=1)] * 100
    assert rate.take("a", NOW + timedelta(seconds=1)) == NO_WAIT


def test_memory_is_bounded() -> None:
    """At most RATE_KEYS_MAX keys are remembered; one more forgets the oldest."""
    rate = Rate(60, burst=1)
    for number in range(RATE_KEYS_MAX):
        rate.take(str(number), NOW)
    assert len(rate) == RATE_KEYS_MAX
    rate.take("one more", NOW)
    assert len(rate) == RATE_KEYS_MAX
    assert rate.take("0", NOW) == NO_WAIT
    assert rate.take("2", NOW) == timedelta(seconds=1)
