"""Selects made once for the life of the program, for the hot path (`statements`).

    _NUMBERS = Query(select(invoice.c.number).where(invoice.c.siren == bindparam("siren")))
    _NUMBERS.values(connection, siren="100000009")

A query sees what was gathered before for the tables it reads (`gathered`). Rows are dictionaries, by the names of the
columns.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, RowMapping, Select, bindparam

from estafette.store import gathered
from estafette.store.statements import Made, at_once, cursor_of, raise_fault, tell

Row = dict[str, Any]
AnyRow = RowMapping | Row
"""A row, whichever way it was read."""

NUMERIC_OID = 1700
"""What PostgreSQL calls the type of an amount; whatever else converts what is read does not ask (pg_type)."""


class Query:
    """A SELECT, made once.

    Not `sees_gathered`, it is asked where nothing gathered can be what it looks for: nothing is written before it.
    """

    def __init__(self, statement: Select[Any], *, sees_gathered: bool = True) -> None:
        self.statement = statement
        self._sees_gathered = sees_gathered
        self._made: dict[str, Made] = {}
        self._converts: dict[str, list[tuple[str, Callable[[Any], Any]]]] = {}

    @cached_property
    def _tables(self) -> frozenset[str]:
        return gathered.tables_of(self.statement)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(self.statement.selected_columns.keys())

    def rows(self, connection: Connection, **values: Any) -> list[Row]:
        """Return the rows."""
        return self.read(connection, self._fetch(connection, values))

    def read(self, connection: Connection, found: list[Any]) -> list[Row]:
        """Return as rows what the driver has found."""
        names, converts = self.names, self._converting(connection.dialect)
        rows = [dict(zip(names, row, strict=True)) for row in found]
        for name, convert in converts:
            for row in rows:
                row[name] = convert(row[name])
        return rows

    def tuples(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows, each as its values in order."""
        return [tuple(row.values()) for row in self.rows(connection, **values)]

    def first(self, connection: Connection, **values: Any) -> Row | None:
        """Return the first row, None when there is none."""
        rows = self.rows(connection, **values)
        return rows[0] if rows else None

    def values(self, connection: Connection, **values: Any) -> list[Any]:
        """Return the first column of the rows."""
        converts = self._converting(connection.dialect)
        convert = converts[0][1] if converts and converts[0][0] == self.names[0] else None
        found = [row[0] for row in self._fetch(connection, values)]
        return found if convert is None else [convert(one) for one in found]

    def value(self, connection: Connection, **values: Any) -> Any:
        """Return the first column of the first row, None when there is none."""
        found = self.values(connection, **values)
        return found[0] if found else None

    def _fetch(self, connection: Connection, values: Row) -> list[Any]:
        self.prepare(connection)
        raw = cursor_of(connection, 1)
        with at_once(connection):
            self.ask(connection, raw, values)
        try:
            found: list[Any] = raw.fetchall()
        except Exception as fault:
            raise_fault(connection, "", fault)
        return found

    def prepare(self, connection: Connection) -> None:
        """What was gathered for the tables it reads is written."""
        if self._sees_gathered:
            gathered.flush(connection, self._tables)

    def ask(self, connection: Connection, cursor: Any, values: Row) -> None:
        """It is asked; the cursor will have the answer."""
        made = self._made.get(connection.dialect.name)
        if made is None:
            made = self._made[connection.dialect.name] = Made(self.statement, connection.dialect)
        text = made.text(values)
        try:
            parameters = made.parameters(values)
            tell(connection, text, [parameters])
            cursor.execute(text, parameters)
        except Exception as fault:
            raise_fault(connection, text, fault)

    def _converting(self, dialect: Dialect) -> list[tuple[str, Callable[[Any], Any]]]:
        held = self._converts.get(dialect.name)
        if held is None:
            converts = [
                (name, column.type.dialect_impl(dialect).result_processor(dialect, NUMERIC_OID))
                for name, column in self.statement.selected_columns.items()
            ]
            held = self._converts[dialect.name] = [(name, convert) for name, convert in converts if convert]
        return held


Keys = list[tuple[Any, ...]]
"""What is asked: the values of each question."""

_ASKING = "estafette.asking"

TOGETHER_MAX, PAIRS_MAX = 500, 16
"""Values asked ahead in one statement: of one column; of several, whose index is searched for each pair of values."""


class Lookup(Query):
    """A Query by the values of some columns, that may be asked for many at once before each is asked for one.

    `by` names the parameters and their columns; `through`, those that the index finds rows by, when not all. A batch of
    work calls `ahead` with what each piece of it will ask; then each asks as it would alone, and no statement is run.
    """

    def __init__(
        self,
        statement: Select[Any],
        by: Mapping[str, ColumnElement[Any]],
        *,
        through: tuple[str, ...] = (),
        sees_gathered: bool = True,
    ) -> None:
        alone = [column == bindparam(name) for name, column in by.items()]
        super().__init__(statement.where(*alone), sees_gathered=sees_gathered)
        self._by = tuple(by)
        self._through = through or self._by
        keys = [column.label(f"by_{name}") for name, column in by.items()]
        any_of = [by[name].in_(bindparam(name, expanding=True)) for name in self._through]
        self._many = Query(statement.add_columns(*keys).where(*any_of), sees_gathered=sees_gathered)

    def rows(self, connection: Connection, **values: Any) -> list[Row]:
        """Return the rows, as they were seen ahead where they were."""
        seen = gathered.seen_ahead(connection, (self, *(values[name] for name in self._by)))
        return super().rows(connection, **values) if seen is None else seen

    def is_known(self, connection: Connection, **values: Any) -> bool:
        """Tell whether the answer was asked ahead."""
        return gathered.seen_ahead(connection, (self, *(values[name] for name in self._by))) is not None

    def values(self, connection: Connection, **values: Any) -> list[Any]:
        """Return the first column of the rows."""
        first = self.names[0]
        return [row[first] for row in self.rows(connection, **values)]

    def ahead(self, connection: Connection, wanted: Iterable[Mapping[str, Any]], *, steady: bool = False) -> None:
        """What will be asked with each of these parameters is asked now, at once (`gathered.look_ahead`).

        What two pieces of work will ask is left to each of them, since one may change the other's answer; unless it is
        `steady`: none of them changes it.
        """
        times = Counter(tuple(values[name] for name in self._by) for values in wanted)
        keys = [key for key, count in times.items() if steady or count == 1]
        if not keys:
            return
        most = TOGETHER_MAX if len(self._through) == 1 else PAIRS_MAX
        asking: list[tuple[Lookup, Keys]] | None = connection.info.get(_ASKING)
        for at in range(0, len(keys), most):
            if asking is not None:
                asking.append((self, keys[at : at + most]))
            else:
                some = keys[at : at + most]
                self._see(connection, some, self._many.rows(connection, **self._asked(some)))

    def _asked(self, keys: Keys) -> Row:
        return {name: list({key[self._by.index(name)] for key in keys}) for name in self._through}

    def _see(self, connection: Connection, keys: Keys, rows: list[Row]) -> None:
        """These rows are the answers to these questions."""
        found: dict[Any, list[Row]] = {(self, *key): [] for key in keys}
        labels = [f"by_{name}" for name in self._by]
        for row in rows:
            key = (self, *(row.pop(label) for label in labels))
            if key in found:
                found[key].append(row)
        gathered.look_ahead(connection, found)

    @staticmethod
    @contextmanager
    def at_once(connection: Connection) -> Iterator[None]:
        """What is asked ahead meanwhile is asked of a server in one round trip, and known when this ends."""
        if connection.dialect.name != "postgresql" or _ASKING in connection.info:
            yield
            return
        asking: list[tuple[Lookup, Keys]] = []
        known = connection.info  # that of a lost connection cannot be asked for any more
        known[_ASKING] = asking
        try:
            yield
        finally:
            known.pop(_ASKING, None)
        if asking:
            Lookup._ask_all(connection, asking)

    @classmethod
    def _ask_all(cls, connection: Connection, asking: "list[tuple[Lookup, Keys]]") -> None:
        for lookup, _ in asking:
            lookup._many.prepare(connection)
        cursors = [cursor_of(connection, 2 + place) for place in range(len(asking))]
        with at_once(connection, several=True):
            for cursor, (lookup, keys) in zip(cursors, asking, strict=True):
                lookup._many.ask(connection, cursor, lookup._asked(keys))
        for cursor, (lookup, keys) in zip(cursors, asking, strict=True):
            lookup._see(connection, keys, lookup._many.read(connection, cursor.fetchall()))
