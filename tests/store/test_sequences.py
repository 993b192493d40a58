"""Numbers are drawn without a gap among what was committed."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estafette.store.database import Database
from estafette.store.sequences import draw


def test_from_one_without_gap(database: Database) -> None:
    """A counter begins at 1 and each transaction draws the next number."""
    drawn = []
    for _ in range(3):
        with database.begin() as connection:
            drawn += [draw(connection, "flow"), draw(connection, "flow")]
    assert drawn == [1, 2, 3, 4, 5, 6]


def test_counters_do_not_know_each_other(database: Database) -> None:
    """Each name has its own numbers."""
    with database.begin() as connection:
        assert [draw(connection, name) for name in ("a", "b", "a", "b", "b")] == [1, 1, 2, 2, 3]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(committed=st.lists(st.booleans(), max_size=12))
def test_what_is_rolled_back_gives_its_number_back(database: Database, committed: list[bool]) -> None:
    """Whatever fails in between, the numbers of the committed transactions follow one another."""
    name = f"run {id(committed)}"
    with database.begin() as connection:
        kept = [draw(connection, name)]
    for commits in committed:
        with suppress(InterruptedError), database.begin() as connection:
            number = draw(connection, name)
            if not commits:
                raise InterruptedError
            kept.append(number)
    assert kept == list(range(kept[0], kept[0] + len(kept)))


def test_a_failure_draws_nothing(database: Database) -> None:
    """The very first number too is given back."""
    with pytest.raises(InterruptedError), database.begin() as connection:
        assert draw(connection, "flow") == 1
        raise InterruptedError
    with database.begin() as connection:
        assert draw(connection, "flow") == 1
