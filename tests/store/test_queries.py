"""Statements run without being made again say and do what SQLAlchemy's own execution says and does, on each engine."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import bindparam, event, insert, literal, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from estafette.store import gathered
from estafette.store.database import Database
from estafette.store.queries import Lookup, Query
from estafette.store.statements import Command
from estafette.store.tables import client, document, inbox, job, sequence

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


BY_NAME = Lookup(select(sequence.c.value), {"name": sequence.c.name})
BY_BOTH = Lookup(
    select(inbox.c.message_id, inbox.c.sha256).order_by(inbox.c.sha256.desc()),
    {"sender": inbox.c.sender, "name": inbox.c.name},
)
HAD = [("0003", "1", "a"), ("0003", "2", "b"), ("0005", "3", "a"), ("0003", "4", "a"), ("0005", "5", "b")]
"""Sender, identifier and name of messages."""

ASKED = [{"sender": sender, "name": name} for sender in ("0003", "0005", "0007") for name in ("a", "b", "c")]


@contextmanager
def heard(database: Database) -> Iterator[list[str]]:
    """Give the statements that are run meanwhile."""
    statements: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", hear)
    yield statements
    event.remove(database.engine, "before_cursor_execute", hear)


def take(database: Database) -> None:
    """Those messages are in the inbox."""
    with database.begin() as connection:
        for sender, identifier, name in HAD:
            row = {
                "sender": sender,
                "message_id": identifier,
                "kind": "status",
                "name": name,
                "sha256": identifier * 64,
            }
            connection.execute(insert(inbox).values(**row, received_at=MOMENT))


def test_what_is_asked_ahead_is_what_is_asked_alone(database: Database) -> None:
    """By one column or several, in the order of the statement, rows or none; and nothing is asked again."""
    take(database)
    with database.begin() as connection:
        alone = [BY_BOTH.rows(connection, **values) for values in ASKED]
        BY_BOTH.ahead(connection, ASKED)
        with heard(database) as statements:
            assert [BY_BOTH.rows(connection, **values) for values in ASKED] == alone
            assert BY_BOTH.values(connection, sender="0003", name="a") == ["4", "1"]
            assert BY_BOTH.value(connection, sender="0007", name="a") is None
        assert statements == []
        assert [len(rows) for rows in alone] == [2, 1, 0, 1, 1, 0, 0, 0, 0]


def test_a_thousand_are_asked_in_a_few_statements(database: Database) -> None:
    """As many as a statement takes."""
    fill(database)
    names = [{"name": f"{number}"} for number in range(1200)]
    with database.begin() as connection, heard(database) as statements:
        BY_NAME.ahead(connection, [*names, {"name": "a"}])
        assert BY_NAME.value(connection, name="a") == 1
        assert BY_NAME.value(connection, name="77") is None
    assert len(statements) == 3


def test_what_two_will_ask_each_asks_alone(database: Database) -> None:
    """The first may change what the second is answered."""
    fill(database)
    with database.begin() as connection:
        BY_NAME.ahead(connection, [{"name": "a"}, {"name": "b"}, {"name": "a"}])
        gathered.change(connection, RAISED.statement, {"which": "a", "to": 10})
        assert BY_NAME.value(connection, name="a") == 10
        BY_NAME.ahead(connection, [{"name": "c"}, {"name": "c"}], steady=True)
        with heard(database) as statements:
            assert BY_NAME.value(connection, name="c") == 3
        assert statements == []


def test_what_was_asked_ahead_is_forgotten_with_its_work(database: Database) -> None:
    """Others in the same transaction are answered what is so by then, as is the next transaction."""
    fill(database)
    with database.begin() as connection:
        BY_NAME.ahead(connection, [{"name": "a"}, {"name": "b"}])
        gathered.change(connection, RAISED.statement, {"which": "a", "to": 10})
        gathered.look_no_further(connection)
        assert BY_NAME.value(connection, name="a") == 10
        BY_NAME.ahead(connection, [{"name": "a"}])
    with database.begin() as connection, heard(database) as statements:
        assert BY_NAME.value(connection, name="a") == 10
    assert len(statements) == 1


def test_what_is_asked_ahead_at_once_is_known_when_that_ends(database: Database) -> None:
    """As when each is asked by itself, and what was gathered before is seen; what waits for it waits once."""
    take(database)
    fill(database)
    with database.begin() as connection:
        alone = [BY_BOTH.rows(connection, **values) for values in ASKED]
        gathered.change(connection, RAISED.statement, {"which": "a", "to": 10})
        with Lookup.at_once(connection):
            BY_BOTH.ahead(connection, ASKED)
            BY_NAME.ahead(connection, [{"name": name} for name in ("a", "b", "nobody")])
        with heard(database) as statements:
            assert [BY_BOTH.rows(connection, **values) for values in ASKED] == alone
            assert [BY_NAME.value(connection, name=name) for name in ("a", "b", "nobody")] == [10, 2, None]
        assert statements == []


def test_a_fault_among_what_is_asked_at_once_is_raised(database: Database) -> None:
    """As SQLAlchemy's own, and the transaction is undone like any other."""
    fill(database)
    wrong = Lookup(select(literal(1) / sequence.c.value), {"value": sequence.c.value})
    with pytest.raises(DBAPIError), database.begin() as connection:
        with Lookup.at_once(connection):
            BY_NAME.ahead(connection, [{"name": "a"}])
            wrong.ahead(connection, [{"value": "no number"}])
        raise DBAPIError("", None, Exception("SQLite compares anything"))
    with database.begin() as connection:
        assert BY_NAME.value(connection, name="a") == 1


def test_what_is_larger_than_the_socket_has_room_for_is_sent_whole(
    new_postgresql_store: Callable[[], Database],
) -> None:
    """Questions asked at once, each of more than the system holds of what is on its way, have their answers."""
    by_name = Lookup(select(document.c.sha256), {"name": document.c.sha256})
    found: list[Any] = []

    def ask() -> None:
        with closing(new_postgresql_store()) as store, store.begin() as connection:
            with Lookup.at_once(connection):
                for letter in "abc":
                    by_name.ahead(connection, [{"name": letter * 3_000_000}])
            found.append(by_name.rows(connection, name="a" * 3_000_000))

    asking = Thread(target=ask, daemon=True)  # what waits for ever is told, and not waited for
    asking.start()
    asking.join(60)
    assert found == [[]]
