"""What is gathered is written before anything is read, and with the transaction or not at all."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, event, select, update

from estafette.store import gathered
from estafette.store.database import Database
from estafette.store.tables import account, membership, sequence

NUMBERS = select(sequence.c.name, sequence.c.value).order_by(sequence.c.name)
RAISED = update(sequence).where(sequence.c.name == bindparam("which")).values(value=bindparam("to"))


def held(database: Database) -> list[tuple[str, int]]:
    """Return what the table holds."""
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(NUMBERS)]


def test_rows_go_by_the_hundred(database: Database) -> None:
    """A hundred rows are one statement, written by the commit."""
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _cu, statement, *_: asked.append(statement))
    with database.begin() as connection:
        for number in range(100):
            gathered.add(connection, sequence, {"name": f"{number:03}", "value": number})
    assert len([statement for statement in asked if statement.startswith("INSERT")]) == 1
    assert held(database) == [(f"{number:03}", number) for number in range(100)]


def test_who_reads_sees_what_was_gathered(database: Database) -> None:
    """Rows, then changes, are there for whatever is asked next."""
    with database.begin() as connection:
        gathered.add(connection, sequence, {"name": "a", "value": 1})
        gathered.change(connection, RAISED, {"which": "a", "to": 7})
        assert connection.execute(NUMBERS).all() == [("a", 7)]


def test_what_is_undone_was_never_gathered(database: Database) -> None:
    """A transaction that fails writes nothing, and the next one on its connection gathers afresh."""
    with pytest.raises(LookupError), database.begin() as connection:
        gathered.add(connection, sequence, {"name": "a", "value": 1})
        gathered.memorize(connection, "seen", True)
        raise LookupError
    with database.begin() as connection:
        assert gathered.remember(connection, "seen", lambda: False) is False
    assert held(database) == []


def test_once_is_once(database: Database) -> None:
    """A row asked for once is left out when its key is there, among the rows gathered or before."""
    for value in (1, 2):
        with database.begin() as connection:
            for _ in range(2):
                gathered.add(connection, sequence, {"name": "a", "value": value}, once=True)
    assert held(database) == [("a", 1)]


def test_rows_go_in_the_order_of_what_they_refer_to(database: Database) -> None:
    """A membership may be gathered before its account: the account is written first."""
    with database.begin() as connection:
        moment = datetime(2026, 9, 1, tzinfo=UTC)
        row = {"login": "l", "organization": "100000009", "role": "reader", "created_at": moment}
        gathered.add(connection, membership, row)
        who = {"login": "l", "password_hash": "p", "created_at": moment}
        gathered.add(connection, account, who)
    with database.read() as connection:
        assert connection.execute(select(membership.c.login)).scalars().all() == ["l"]


def test_outside_a_transaction_it_is_written_at_once(database: Database) -> None:
    """On a connection of one's own nothing waits and nothing is remembered."""
    with database.engine.connect() as connection, connection.begin():
        gathered.add(connection, sequence, {"name": "a", "value": 1})
        gathered.change(connection, RAISED, {"which": "a", "to": 2})
        assert gathered.remember(connection, "x", lambda: 1) == 1
        assert gathered.remember(connection, "x", lambda: 2) == 2
    assert held(database) == [("a", 2)]


def test_what_a_declared_statement_does_not_read_goes_on_gathering(database: Database) -> None:
    """Before a statement declared with what it reads, only those tables are written, after what they refer to."""
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _cu, statement, *_: asked.append(statement))
    roles = gathered.reads(select(membership.c.role))
    moment = datetime(2026, 9, 1, tzinfo=UTC)
    with database.begin() as connection:
        gathered.add(connection, sequence, {"name": "a", "value": 1})
        row = {"login": "l", "organization": "100000009", "role": "reader", "created_at": moment}
        gathered.add(connection, membership, row)
        who = {"login": "l", "password_hash": "p", "role": "company", "created_at": moment}
        gathered.add(connection, account, who)
        gathered.change(connection, RAISED, {"which": "a", "to": 3})
        assert connection.execute(roles).scalars().all() == ["reader"]
        written = [statement.split()[2] for statement in asked if statement.startswith("INSERT")]
        assert written == ["account", "membership"]
    assert held(database) == [("a", 3)]


def test_the_last_is_written_once(database: Database) -> None:
    """Of values set one after the other under a key, the last is written, by one statement."""
    asked: list[str] = []
    with database.begin() as connection:
        for name in ("a", "b"):
            gathered.add(connection, sequence, {"name": name, "value": 0})
    event.listen(database.engine, "before_cursor_execute", lambda _c, _cu, statement, *_: asked.append(statement))
    with database.begin() as connection:
        for number in range(100):
            gathered.set_last(connection, RAISED, "a", {"which": "a", "to": number})
        gathered.set_last(connection, RAISED, "b", {"which": "b", "to": 7})
        assert connection.execute(NUMBERS).all() == [("a", 99), ("b", 7)]
    assert len([statement for statement in asked if statement.startswith("UPDATE")]) == 2


def test_the_last_outside_a_transaction(database: Database) -> None:
    """Where nothing is gathered, each value is written at once."""
    with database.engine.begin() as connection:
        connection.execute(sequence.insert(), {"name": "a", "value": 0})
        gathered.set_last(connection, RAISED, "a", {"which": "a", "to": 3})
    assert held(database) == [("a", 3)]
