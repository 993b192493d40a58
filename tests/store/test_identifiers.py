"""Identifiers of records."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from estafette.store.identifiers import DRAWN_TOGETHER, any_identifier, new_identifier

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


def test_one_that_tells_nothing_is_of_version_4() -> None:
    """Nor are two of them alike, whichever threads ask."""
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: any_identifier(), range(20 * DRAWN_TOGETHER)))
    assert {(one.version, one.variant) for one in made} == {(4, RFC_4122)}
    assert len(set(made)) == len(made)


def test_two_processes_have_no_chance_in_common() -> None:
    """What was drawn before a process divided is of no use to its child."""
    any_identifier()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, b"".join(any_identifier().bytes for _ in range(DRAWN_TOGETHER)))
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(reading, 16 * DRAWN_TOGETHER)
    theirs = {told[at : at + 16] for at in range(0, len(told), 16)}
    assert len(theirs) == DRAWN_TOGETHER
    assert theirs.isdisjoint(any_identifier().bytes for _ in range(DRAWN_TOGETHER))
