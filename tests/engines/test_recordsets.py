"""Many rows in one statement are the rows that as many statements write."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from tests.postgresql import Server

from estafette.store import postgresql as engine_room
from estafette.store.columns import Amount, Instant
from estafette.store.statements import Command, Made

KINDS = sa.Table(
    "order",  # a name that must be quoted
    sa.MetaData(),
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("select", sa.Text),
    sa.Column("count", sa.BigInteger),
    sa.Column("is_so", sa.Boolean),
    sa.Column("day", sa.Date),
    sa.Column("at", Instant),
    sa.Column("total", Amount),
    sa.Column("document", sa.JSON),
    sa.Column("absent", sa.JSON(none_as_null=True)),
    sa.Column("untold", sa.Integer, server_default="7"),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
ROW = st.fixed_dictionaries(
    {
        "select": st.none() | TEXTS,
        "count": st.none() | st.integers(-(2**63), 2**63 - 1),
        "is_so": st.none() | st.booleans(),
        "day": st.none() | st.dates(date(1900, 1, 1)),
        "at": st.none() | st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 — zoned beside
        "total": st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=6),
        "document": DOCUMENTS,
        "absent": DOCUMENTS,
    }
)
NAMES = ("key", "select", "count", "is_so", "day", "at", "total", "document", "absent")


@pytest.fixture(scope="module")
def connection(postgresql: Server) -> Iterator[sa.Connection]:
    """Give a connection to a table of every kind of column."""
    name = postgresql.fresh()
    engine = engine_room.open_engine(postgresql.url(name))
    with engine.connect() as connection:
        KINDS.create(connection)
        connection.commit()
        yield connection
    engine.dispose()
    postgresql.drop(name)


def held(connection: sa.Connection) -> list[Any]:
    """Return the rows, as they are and with whether each document is absent or says nothing."""
    nothing = [KINDS.c[name].cast(sa.Text).label(f"{name}_text") for name in ("document", "absent")]
    return [tuple(row) for row in connection.execute(sa.select(KINDS, *nothing).order_by(KINDS.c.key))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=4, max_size=9))
def test_many_rows_are_what_each_would_be(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    """Texts of any sort, amounts without loss, days and instants, documents and their absence."""
    keyed = [{"key": str(number), **row} for number, row in enumerate(rows)]
    asked: list[str] = []
    sa.event.listen(connection, "before_cursor_execute", lambda _c, _k, text, *_: asked.append(text))
    Command(sa.insert(KINDS), NAMES).run(connection, keyed)
    together = held(connection)
    connection.rollback()
    assert "json_populate_recordset" in asked[0]
    for row in keyed:
        connection.execute(sa.insert(KINDS).values(row))
    assert together == held(connection)
    assert all(row[NAMES.index("absent") + 1] == 7 for row in together)
    connection.rollback()


CHANGE = (
    sa.update(KINDS)
    .where(KINDS.c.key == sa.bindparam("which"), KINDS.c.untold == 7)
    .values({name: sa.bindparam(f"new_{name}", type_=KINDS.c[name].type) for name in NAMES[1:]})
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 11), ROW), min_size=4, max_size=20))
def test_many_changes_are_what_each_would_be(
    connection: sa.Connection, changes: list[tuple[int, dict[str, Any]]]
) -> None:
    """One after the other where two change the same row; those of absent rows, and of others, change nothing."""
    Command(sa.insert(KINDS), ("key", "untold")).run(
        connection, [{"key": str(number), "untold": 6 + (number > 2)} for number in range(9)]
    )
    begun = connection.begin_nested()
    given_rows = [
        {"which": str(number), **{f"new_{name}": value for name, value in row.items()}} for number, row in changes
    ]
    asked: list[str] = []
    sa.event.listen(connection, "before_cursor_execute", lambda _c, _k, text, *_: asked.append(text))
    Command(CHANGE).run(connection, given_rows)
    together = held(connection)
    begun.rollback()
    assert ("json_to_recordset" in asked[0]) == (len({number for number, _ in changes}) == len(changes))
    for row in given_rows:
        connection.execute(CHANGE, row)
    assert together == held(connection)
    connection.rollback()


def test_a_change_on_another_condition_is_made_row_by_row(connection: sa.Connection) -> None:
    """What may change the same row twice, or hangs on two of the values given, is not one statement."""
    below = sa.update(KINDS).where(KINDS.c.count < sa.bindparam("most")).values(count=sa.bindparam("new"))
    two = sa.update(KINDS).where(KINDS.c.key == sa.bindparam("a"), KINDS.c.count == sa.bindparam("b")).values(count=1)
    either = sa.update(KINDS).where(sa.or_(KINDS.c.key == sa.bindparam("a"), KINDS.c.count == 2)).values(count=1)
    assert [Made(one, connection.dialect).many for one in (below, two, either)] == [None] * 3


def test_what_is_there_is_left_as_it_is(connection: sa.Connection) -> None:
    """Once a key: among those of the statement too."""
    once = Command(insert(KINDS).on_conflict_do_nothing(), ("key", "count"))
    once.run(connection, [{"key": key, "count": number} for number, key in enumerate("abab")])
    once.run(connection, [{"key": key, "count": number} for number, key in enumerate("cbde", start=10)])
    assert [(row[0], row[2]) for row in held(connection)] == [("a", 0), ("b", 1), ("c", 10), ("d", 12), ("e", 13)]
    connection.rollback()


def test_an_amount_keeps_its_digits(connection: sa.Connection) -> None:
    """As text both ways: no binary number comes between."""
    long = Decimal("12345678901234567890.123456789")
    Command(sa.insert(KINDS), ("key", "total")).run(connection, [{"key": key, "total": long} for key in "abcd"])
    assert {row[6] for row in held(connection)} == {long}
    connection.rollback()


def test_a_fault_is_that_of_the_driver(connection: sa.Connection) -> None:
    """It says its statement, never a value."""
    with pytest.raises(DBAPIError) as raised:
        Command(sa.insert(KINDS), ("key", "count")).run(connection, [{"key": "same", "count": 41999}] * 4)
    assert str(raised.value.statement).startswith('INSERT INTO "order"')
    assert "41999" not in str(raised.value)
    connection.rollback()
