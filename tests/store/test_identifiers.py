"""Identifiers of records."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from estafette.store.identifiers import new_identifier

MOMENTS = st.integers(1_600_000_000_000_000, 7_000_000_000_000_000).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)


@given(MOMENTS)
def test_it_is_a_uuid_of_version_7_which_says_its_millisecond(now: datetime) -> None:
    """Its first 48 bits are the milliseconds."""
    identifier = UUID(new_identifier(now))
    assert (identifier.version, identifier.variant) == (7, RFC_4122)
    said = datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
    assert timedelta() <= now - said < timedelta(milliseconds=2)


@given(MOMENTS, MOMENTS)
def test_they_come_in_the_order_of_time(one: datetime, other: datetime) -> None:
    """An index keeps them side by side."""
    early, late = sorted((one, other))
    if late - early > timedelta(milliseconds=1):
        assert new_identifier(early) < new_identifier(late)


def test_those_of_one_moment_are_not_alike() -> None:
    """Nobody can guess the next one."""
    now = datetime(2026, 9, 1, tzinfo=UTC)
    assert len({new_identifier(now) for _ in range(1000)}) == 1000
