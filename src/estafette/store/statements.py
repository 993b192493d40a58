"""Statements made once for the life of the program and run without being made again: for the hot path.

SQLAlchemy writes them, for each engine. Executed as usual, a statement costs 0.1 ms to look for its compiled form, its
parameters and its result: ten times what the driver takes. Here the text, the order of its parameters and what converts
them are kept, and the driver is called. Whoever listens to the statements of the engine hears these too.

A parameter declared with `expanding` is a list. What the driver raises is raised as SQLAlchemy's own.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Table, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

from estafette.store.recordsets import ROWS_MAX, ROWS_MIN, Many, changeset, recordset

if TYPE_CHECKING:
    from estafette.store.straight import Straight

Convert = Callable[[Any], Any]
Row = dict[str, Any]
Statement = Select[Any] | Insert | Update | Delete

_LISTS = re.compile(r"(NOT )?IN \(__\[POSTCOMPILE_(\w+?)(?:~~.*?~~)?\]\)")


@dataclass(frozen=True, slots=True)
class _Part:
    """A parameter: its name, whether it is a list, the value that the statement itself gives, what converts a value."""

    name: str
    is_list: bool
    default: Any
    convert: Convert | None


class Made:
    """A statement in the words of one engine, and what its parameters become."""

    def __init__(
        self, statement: Select[Any] | Insert | Update | Delete, dialect: Dialect, names: Sequence[str] = ()
    ) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names) or None)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 — every statement of Core is
        self.is_positional = compiled.positional
        self._text = compiled.string
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        lists = {name for name, bind in binds.items() if bind.expanding}
        order = compiled.positiontup if compiled.positional else list(binds)
        self._parts = [
            _Part(
                name,
                name in lists,
                compiled.params[name],
                binds[name].type.dialect_impl(dialect).bind_processor(dialect),
            )
            for name in order or ()
        ]
        self._sized: dict[tuple[int, ...], str] = {}
        if not compiled.positional:
            self._text = _LISTS.sub(lambda found: f"{'!= ALL' if found[1] else '= ANY'}(%({found[2]})s)", self._text)
        self._has_lists = bool(lists)
        self.many: Many | None = None
        if dialect.name == "postgresql" and not lists:
            given = {name: bind.type for name, bind in binds.items() if bind.required}
            if isinstance(statement, Update):
                self.many = changeset(self._text, given, dialect)
            elif isinstance(statement, Insert) and isinstance(statement.table, Table):
                self.many = recordset(statement.table, self._text)

    def text(self, values: Row) -> str:
        """Return the text for these values: with as many marks as its lists are long, where marks are counted."""
        if not (self.is_positional and self._has_lists):
            return self._text
        sizes = tuple(len(values.get(part.name, part.default)) for part in self._parts if part.is_list)
        text = self._sized.get(sizes)
        if text is None:
            following = iter(sizes)
            text = _LISTS.sub(lambda found: f"{found[1] or ''}IN ({', '.join('?' * next(following))})", self._text)
            if len(self._sized) < SIZES_MAX:
                self._sized[sizes] = text
        return text

    def parameters(self, values: Row) -> Any:
        """Return the values as the driver takes them."""
        if not self.is_positional:
            return {part.name: self._value(part, values) for part in self._parts}
        if not self._has_lists:
            get = values.get
            return tuple(
                [
                    get(part.name, part.default) if part.convert is None else part.convert(get(part.name, part.default))
                    for part in self._parts
                ]
            )
        given: list[Any] = []
        for part in self._parts:
            value = self._value(part, values)
            given.extend(value) if part.is_list else given.append(value)
        return tuple(given)

    @staticmethod
    def _value(part: _Part, values: Row) -> Any:
        value = values.get(part.name, part.default)
        if part.convert is None:
            return list(value) if part.is_list else value
        return [part.convert(one) for one in value] if part.is_list else part.convert(value)


_Waiting = tuple[Any, str, list[Any]]
"""A command that waits to be sent: the cursor that will have the answer, its text and the rows of its parameters."""

_CURSORS, _WAITING, _STRAIGHT = "estafette.cursors", "estafette.waiting", "estafette.straight"

SIZES_MAX = 200
"""Lengths of lists for which the text of a statement is kept."""


class Command:
    """An INSERT, UPDATE or DELETE, made once. `names`: the columns that an INSERT gives."""

    def __init__(self, statement: Insert | Update | Delete, names: Sequence[str] = ()) -> None:
        self.statement = statement.inline() if isinstance(statement, Insert) else statement  # no key is asked back
        self._names = names
        self._made: dict[str, Made] = {}

    def run(self, connection: Connection, rows: Iterable[Row]) -> None:
        """It is done for each of these rows of parameters, in order."""
        self._run(connection, list(rows), None)

    def _run(self, connection: Connection, given: list[Row], cursor: Any) -> None:
        made = self._made.get(connection.dialect.name)
        if made is None:
            made = self._made[connection.dialect.name] = Made(self.statement, connection.dialect, self._names)
        text = made.text(given[0])
        try:
            parameters = [made.parameters(one) for one in given]
            if made.many is not None and len(given) >= ROWS_MIN and made.many.takes(parameters):
                _run_many(connection, made.many, parameters)
            else:
                tell(connection, text, parameters)
                _run(connection, text, parameters, cursor)
        except Exception as fault:
            raise_fault(connection, text, fault)

    def counting(self, connection: Connection, values: Row) -> Callable[[], int]:
        """It is done with these parameters, or will be with what waits; what is returned tells how many rows changed,
        waiting for the answer where nothing that was asked since has brought it.
        """
        cursor = _new_cursor(connection)
        self._run(connection, [values], cursor)

        def count() -> int:
            send(connection)
            return int(cursor.rowcount)

        return count


def _run_many(connection: Connection, many: Many, parameters: list[Any]) -> None:
    for at in range(0, len(parameters), ROWS_MAX):
        some = parameters[at : at + ROWS_MAX]
        text, rows = many.text(len(some)), many.parameters(some)
        tell(connection, text, [rows])
        _run(connection, text, [rows])


def _run(connection: Connection, text: str, parameters: list[Any], cursor: Any = None) -> None:
    """It is done, or will be with those that wait for an answer, which the cursor then has."""
    waiting: list[_Waiting] | None = connection.connection.info.get(_WAITING)
    cursor = cursor or cursor_of(connection)
    if waiting is None:
        with at_once(connection, several=len(parameters) > 1):
            _execute(cursor, text, parameters)
    else:
        waiting.append((cursor, text, parameters))


def _execute(cursor: Any, text: str, parameters: list[Any]) -> None:
    if len(parameters) == 1:
        cursor.execute(text, parameters[0])
    else:
        cursor.executemany(text, parameters)


@contextmanager
def unanswered(connection: Connection, *, beginning: Sequence[str] = (), ending: str = "") -> Iterator[None]:
    """Commands meanwhile go with what next needs an answer, in one round trip, where a server gives them.

    Within another, it is a part of that. `beginning` goes before them, `ending` with the last of them, unless all were
    `answered` before. A fault of any is raised with the answer that they go with.
    """
    known = connection.connection.info
    if straight_of(connection) is None or _WAITING in known:
        yield
        return
    known[_WAITING] = [(cursor_of(connection), text, [None]) for text in beginning]
    try:
        yield
        if ending and _WAITING in known:
            known[_WAITING].append((cursor_of(connection), ending, [None]))
            send(connection)
        else:
            answered(connection)
    finally:
        known.pop(_WAITING, None)


def send(connection: Connection) -> None:
    """What waited is done. Raises: the fault of any."""
    if connection.connection.info.get(_WAITING):
        with at_once(connection):
            """Nothing else is asked with it."""


def answered(connection: Connection) -> None:
    """What waited is done, and each command from now on at once. Raises: the fault of any."""
    if connection.invalidated:
        return
    known = connection.connection.info
    if _WAITING in known:
        send(connection)
        known.pop(_WAITING)


@contextmanager
def at_once(connection: Connection, *, several: bool = False) -> Iterator[None]:
    """What waits, then what is executed meanwhile, is answered when this ends, in one round trip.

    `several` things are executed meanwhile, and their answers read after. Raises: the fault of any.
    """
    waiting: list[_Waiting] | None = connection.connection.info.get(_WAITING)
    straight = straight_of(connection)
    due = list(waiting or ())
    if waiting:
        waiting.clear()
    together = straight.at_once() if straight is not None and (due or several) else None
    try:
        with together or nullcontext():
            for cursor, text, parameters in due:
                _execute(cursor, text, parameters)
            yield
    except Exception as fault:
        if together is None:  # who asked one thing says which
            raise
        raise_fault(connection, "", fault)
    except BaseException:  # interrupted before everything was answered
        if straight is not None and straight.is_closed and not connection.invalidated:
            connection.invalidate()
        raise


def straight_of(connection: Connection) -> "Straight | None":
    """Return what asks a server straight, None where the records are in a file."""
    if connection.dialect.name != "postgresql":
        return None
    known = connection.connection.info
    if _STRAIGHT not in known:
        from estafette.store.straight import Straight  # noqa: PLC0415 — who keeps its records in a file has no driver

        raw: Any = connection.connection.dbapi_connection
        known[_STRAIGHT] = Straight(raw)
    straight: Straight = known[_STRAIGHT]
    return straight


def cursor_of(connection: Connection, place: int = 0) -> Any:
    """Return a cursor of the driver, or what asks straight, kept as long as its connection.

    What is asked before the answer to something else has come needs another: the first is for commands, the second for
    queries, those that follow for queries asked at once.
    """
    held: dict[int, Any] = connection.connection.info.setdefault(_CURSORS, {})
    if place not in held:
        held[place] = _new_cursor(connection)
    return held[place]


def _new_cursor(connection: Connection) -> Any:
    raw: Any = connection.connection.dbapi_connection
    return (straight_of(connection) or raw).cursor()


def tell(connection: Connection, text: str, parameters: list[Any]) -> None:
    """Whoever listens to the statements of the engine has heard this one."""
    for listener in connection.dispatch.before_cursor_execute:
        many = len(parameters) > 1
        listener(connection, None, text, parameters if many else parameters[0], None, many)


def raise_fault(connection: Connection, text: str, fault: Exception) -> NoReturn:
    """Raise what the driver raised as SQLAlchemy does, its values left out; a lost connection is let go of."""
    dialect = connection.dialect
    if not isinstance(fault, dialect.loaded_dbapi.Error):
        raise fault  # said already
    raw = connection.connection.dbapi_connection
    is_lost = raw is not None and dialect.is_disconnect(fault, raw, None)
    told = DBAPIError.instance(
        text,
        None,
        fault,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=dialect,
    )
    if is_lost:
        connection.invalidate(fault)
    raise told from fault
