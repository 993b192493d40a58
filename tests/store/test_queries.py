"""Statements run without being made again say and do what SQLAlchemy's own execution says and does, on each engine."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.exc import IntegrityError

from estafette.store import gathered
from estafette.store.database import Database
from estafette.store.queries import Query
from estafette.store.statements import Command
from estafette.store.tables import client, job, sequence

MOMENT = datetime(2026, 9, 1, 6, 30, 15, 250_000, tzinfo=UTC)
ALL = Query(select(sequence).order_by(sequence.c.name))
ABOVE = Query(select(sequence.c.name).where(sequence.c.value > bindparam("than")).order_by(sequence.c.name))
THESE = Query(
    select(sequence.c.value).where(
        sequence.c.name.in_(bindparam("names", expanding=True)),
        sequence.c.name.not_in(bindparam("but", expanding=True)),
        sequence.c.value < bindparam("below"),
    )
)  # fmt: skip
CLIENTS = Query(select(client.c.client_id, client.c.scopes, client.c.created_at, client.c.revoked_at))
RAISED = Command(update(sequence).where(sequence.c.name == bindparam("which")).values(value=bindparam("to")))
COUNTED = Command(insert(sequence), ("name", "value"))


def fill(database: Database) -> None:
    """Three counters: a is 1, b is 2, c is 3."""
    with database.begin() as connection:
        COUNTED.run(connection, [{"name": name, "value": value} for name, value in (("a", 1), ("b", 2), ("c", 3))])


def test_rows_values_and_the_first(database: Database) -> None:
    """Each way of reading gives the same rows."""
    fill(database)
    with database.read() as connection:
        assert ALL.rows(connection)[0] == {"name": "a", "value": 1}
        assert ALL.tuples(connection) == [("a", 1), ("b", 2), ("c", 3)]
        assert ABOVE.values(connection, than=1) == ["b", "c"]
        assert ABOVE.value(connection, than=2) == "c"
        assert ABOVE.value(connection, than=3) is ABOVE.first(connection, than=3) is None


def test_a_list_that_the_statement_says_itself(database: Database) -> None:
    """It is in its place, whatever is given for the others."""
    fill(database)
    two = Query(select(sequence.c.value).where(sequence.c.name.in_(["a", "c"]), sequence.c.value > bindparam("than")))
    with database.read() as connection:
        assert two.values(connection, than=1) == [3]


@pytest.mark.parametrize(
    ("names", "but", "expected"),
    [
        (["a", "b", "c"], ["b"], [1]),
        (["a", "b", "c"], [], [1, 2]),
        (["a"], ["a", "b", "c"], []),
        ([], ["a"], []),
        (["b", "nobody"], ["nobody"], [2]),
    ],
)
def test_lists_of_any_length(database: Database, names: list[str], but: list[str], expected: list[int]) -> None:
    """A list is as long as it comes, empty too, and keeps its place among the other parameters."""
    fill(database)
    with database.read() as connection:
        assert sorted(THESE.values(connection, names=names, but=but, below=3)) == expected


def test_values_are_converted_as_their_columns_say(database: Database) -> None:
    """JSON, instants and nothing come back as they went in."""
    row = {"client_id": "c", "tenant": "100000009", "name": "é", "scopes": ["a", "é"], "created_at": MOMENT}
    with database.begin() as connection:
        gathered.add(connection, client, row)
        gathered.add(connection, client, {**row, "client_id": "d", "revoked_at": MOMENT})
    with database.read() as connection:
        fast = sorted(CLIENTS.tuples(connection))
        usual = sorted(tuple(each) for each in connection.execute(CLIENTS.statement))
    assert fast == usual == [("c", ["a", "é"], MOMENT, None), ("d", ["a", "é"], MOMENT, MOMENT)]


def test_an_instant_needs_its_zone(database: Database) -> None:
    """As when SQLAlchemy executes it."""
    bare = {"client_id": "c", "tenant": "1", "name": "n", "scopes": [], "created_at": MOMENT.replace(tzinfo=None)}
    with pytest.raises(ValueError, match="zone"), database.begin() as connection:
        gathered.add(connection, client, bare)


def test_what_was_gathered_is_seen(database: Database) -> None:
    """Rows and changes gathered for the tables it reads are written first, the others go on gathering."""
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _cu, statement, *_: asked.append(statement))
    with database.begin() as connection:
        gathered.add(connection, sequence, {"name": "a", "value": 1})
        gathered.change(connection, RAISED.statement, {"which": "a", "to": 7})
        gathered.add(
            connection, client, {"client_id": "c", "tenant": "1", "name": "n", "scopes": [], "created_at": MOMENT}
        )
        assert ALL.tuples(connection) == [("a", 7)]
        assert [text.split()[2] for text in asked if text.startswith("INSERT")] == ["sequence"]


def test_what_the_driver_refuses_is_raised_as_ours(database: Database) -> None:
    """A broken constraint is the error that SQLAlchemy raises, and says none of the values."""
    fill(database)
    with pytest.raises(IntegrityError) as refused, database.begin() as connection:
        COUNTED.run(connection, [{"name": "secret", "value": 1}, {"name": "secret", "value": 2}])
    assert refused.value.params is None
    with database.read() as connection:
        assert len(ALL.rows(connection)) == 3


def test_several_changes_go_in_order(database: Database) -> None:
    """The last one stands."""
    fill(database)
    with database.begin() as connection:
        RAISED.run(connection, [{"which": "a", "to": 4}, {"which": "a", "to": 5}, {"which": "b", "to": 6}])
    with database.read() as connection:
        assert ALL.tuples(connection) == [("a", 5), ("b", 6), ("c", 3)]


def test_a_percent_sign_in_a_statement_is_itself(database: Database) -> None:
    """The driver of PostgreSQL takes it for the beginning of a parameter: it is doubled for it."""
    like = Query(select(job.c.key).where(job.c.key.like("a%"), job.c.queue == bindparam("queue")))
    with database.read() as connection:
        assert like.values(connection, queue="q") == []
