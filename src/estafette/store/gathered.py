"""Rows gathered during a transaction and written by the hundred: a statement costs ten times the row it writes.

`add` and `change` only note what is to be written; it is written before anything else is asked of the connection, and
before the commit. Whoever reads therefore sees what was written before, as if each row had gone at once. A statement
made once and declared with `reads` has only the tables it reads written first: on a hot path the others go on
gathering.

Rows go in the order of the tables that refer to each other, then changes in the order they were noted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Executable, MetaData, Select, Table, Update, event, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import RollbackToSavepointClause

from estafette.store.statements import Command, answered, unanswered

Row = dict[str, Any]
Value = TypeVar("Value")

_KEY = "estafette.gathered"


@dataclass(slots=True)
class Gathered:
    """What one transaction has noted, and what it remembers until it ends."""

    rows: dict[tuple[Table, bool, tuple[str, ...]], list[Row]] = field(default_factory=dict)
    changes: dict[Update, list[Row]] = field(default_factory=dict)
    latest: dict[tuple[Update, str], Row] = field(default_factory=dict)
    memory: dict[Any, Any] = field(default_factory=dict)
    ahead: dict[Any, list[Row]] = field(default_factory=dict)
    confirming: list[tuple[Callable[[], bool], type[Exception]]] = field(default_factory=list)
    is_flushing: bool = False


_READ: dict[Executable, frozenset[str]] = {}
"""The tables that a statement reads, and those they refer to."""


def reads(statement: Select[Any]) -> Select[Any]:
    """Return the statement, made once for the life of the program: before it, only the tables it reads are written."""
    _READ[statement] = tables_of(statement)
    return statement


def tables_of(statement: Select[Any]) -> frozenset[str]:
    """Name the tables that a statement reads, and those they refer to."""
    tables = [element for element in visitors.iterate(statement) if isinstance(element, Table)]
    return frozenset(name for table in tables for name in _needed(table))


@cache
def _needed(table: Table) -> frozenset[str]:
    """Name a table and those it refers to, however far: their rows go before its own."""
    parents = {key.column.table for key in table.foreign_keys} - {table}
    return frozenset({table.name}).union(*(_needed(parent) for parent in parents))


def listen(engine: Engine) -> None:
    """Before this engine is asked anything, what was gathered is written, and what was asked answered."""
    event.listen(engine, "before_execute", _before)


def _before(connection: Connection, statement: Executable, *_rest: Any) -> None:
    if not isinstance(statement, RollbackToSavepointClause):  # what is undone is not written first
        flush(connection, _READ.get(statement))
    answered(connection)


def begin(connection: Connection) -> None:
    """A transaction starts, with nothing gathered."""
    connection.info[_KEY] = Gathered()


def forget(connection: Connection) -> None:
    """What was gathered is not written: the transaction is over, or undone."""
    if not connection.invalidated:  # what a lost connection held is lost with it
        connection.info.pop(_KEY, None)


def add(connection: Connection, table: Table, row: Row, *, once: bool = False) -> None:
    """The row will be in the table; with `once`, unless one with its key already is."""
    gathered: Gathered | None = connection.info.get(_KEY)
    if gathered is None:
        _insert(table, once, tuple(row), connection.dialect.name).run(connection, [row])
        return
    gathered.rows.setdefault((table, once, tuple(row)), []).append(row)


def change(connection: Connection, statement: Update, values: Row) -> None:
    """The statement, a constant with bound parameters, will be executed with these values."""
    gathered: Gathered | None = connection.info.get(_KEY)
    if gathered is None:
        _update(statement).run(connection, [values])
        return
    gathered.changes.setdefault(statement, []).append(values)


def set_last(connection: Connection, statement: Update, key: str, values: Row) -> None:
    """As `change`, executed only for the last values of a key: a counter drawn a thousand times is written once."""
    gathered: Gathered | None = connection.info.get(_KEY)
    if gathered is None:
        connection.execute(statement, [values])
        return
    gathered.latest[statement, key] = values


def remember(connection: Connection, key: Any, make: Callable[[], Value]) -> Value:
    """Return what this transaction remembers under a key, made the first time; outside one, made each time."""
    gathered: Gathered | None = connection.info.get(_KEY)
    if gathered is None:
        return make()
    if key not in gathered.memory:
        made = make()
        gathered.memory[key] = made
    held: Value = gathered.memory[key]
    return held


def memorize(connection: Connection, key: Any, value: Any) -> None:
    """The transaction remembers this value under this key."""
    if (gathered := connection.info.get(_KEY)) is not None:
        gathered.memory[key] = value


def look_ahead(connection: Connection, found: dict[Any, list[Row]]) -> None:
    """What several pieces of work will each ask was asked at once: these are the answers, until `look_no_further`."""
    if (gathered := connection.info.get(_KEY)) is not None:
        gathered.ahead.update(found)


def seen_ahead(connection: Connection, key: Any) -> list[Row] | None:
    """Return the answer that was asked ahead, None when it was not."""
    gathered: Gathered | None = connection.info.get(_KEY)
    return None if gathered is None else gathered.ahead.get(key)


def look_no_further(connection: Connection) -> None:
    """What was asked ahead is forgotten: the work that it was for is done, others may change what it said."""
    if (gathered := connection.info.get(_KEY)) is not None:
        gathered.ahead.clear()


def confirm(connection: Connection, holds: Callable[[], bool], fault: type[Exception]) -> None:
    """The transaction is committed only if this holds, asked once the server has answered: else it raises the fault."""
    gathered: Gathered | None = connection.info.get(_KEY)
    if gathered is not None:
        gathered.confirming.append((holds, fault))
    elif not holds():
        raise fault


def confirmed(connection: Connection) -> None:
    """What was to be confirmed holds. Raises: the fault of the first that does not."""
    gathered: Gathered | None = connection.info.get(_KEY)
    while gathered is not None and gathered.confirming:
        holds, fault = gathered.confirming.pop(0)
        if not holds():
            raise fault


def is_due(connection: Connection) -> bool:
    """Tell whether anything gathered is still to be written."""
    gathered: Gathered | None = connection.info.get(_KEY)
    return gathered is not None and bool(gathered.rows or gathered.changes or gathered.latest)


def flush(connection: Connection, names: frozenset[str] | None = None) -> None:
    """Everything gathered is written, or what was gathered for these tables."""
    gathered: Gathered | None = connection.info.get(_KEY)
    if gathered is None or gathered.is_flushing or not (gathered.rows or gathered.changes or gathered.latest):
        return
    gathered.is_flushing = True
    try:
        _flush(connection, gathered, names)
    finally:
        gathered.is_flushing = False


def _flush(connection: Connection, gathered: Gathered, names: frozenset[str] | None) -> None:
    rows = [one for one in gathered.rows if names is None or one[0].name in names]
    changes = [one for one in gathered.changes if names is None or _changed(one) in names]
    due = [(one, gathered.rows.pop(one)) for one in rows]
    late = [(one, gathered.changes.pop(one)) for one in changes]
    last = [one for one in gathered.latest if names is None or _changed(one[0]) in names]
    late += [(one[0], [gathered.latest.pop(one)]) for one in last]
    if not due and not late:
        return
    with unanswered(connection):
        for (table, once, columns), some in sorted(due, key=lambda item: _rank(item[0][0])):
            _insert(table, once, columns, connection.dialect.name).run(connection, some)
        for statement, values in late:
            _update(statement).run(connection, values)


def _changed(statement: Update) -> str:
    return str(statement.entity_description["name"])


def _rank(table: Table) -> int:
    """Place a table after those it refers to."""
    return _ranks(table.metadata)[table.name]


@cache
def _ranks(metadata: MetaData) -> dict[str, int]:
    return {table.name: rank for rank, table in enumerate(metadata.sorted_tables)}


@cache
def _insert(table: Table, once: bool, names: tuple[str, ...], dialect: str) -> Command:
    if not once:
        return Command(insert(table), names)
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return Command(made.on_conflict_do_nothing(), names)


@cache
def _update(statement: Update) -> Command:
    return Command(statement)
