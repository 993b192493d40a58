"""Selects made once for the life of the program, for the hot path (`statements`).

    _NUMBERS = Query(select(invoice.c.number).where(invoice.c.siren == bindparam("siren")))
    _NUMBERS.values(connection, siren="100000009")

A query sees what was gathered before for the tables it reads (`gathered`). Rows are dictionaries, by the names of the
columns.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Dialect, RowMapping, Select

from estafette.store import gathered
from estafette.store.statements import Made, cursor_of, raise_fault, tell

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
        names, converts = self.names, self._converting(connection.dialect)
        rows = [dict(zip(names, row, strict=True)) for row in self._fetch(connection, values)]
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
        if self._sees_gathered:
            gathered.flush(connection, self._tables)
        made = self._made.get(connection.dialect.name)
        if made is None:
            made = self._made[connection.dialect.name] = Made(self.statement, connection.dialect)
        text = made.text(values)
        try:
            raw = cursor_of(connection)
            parameters = made.parameters(values)
            tell(connection, text, [parameters])
            raw.execute(text, parameters)
            found: list[Any] = raw.fetchall()
        except Exception as fault:
            raise_fault(connection, text, fault)
        return found

    def _converting(self, dialect: Dialect) -> list[tuple[str, Callable[[Any], Any]]]:
        held = self._converts.get(dialect.name)
        if held is None:
            converts = [
                (name, column.type.dialect_impl(dialect).result_processor(dialect, NUMERIC_OID))
                for name, column in self.statement.selected_columns.items()
            ]
            held = self._converts[dialect.name] = [(name, convert) for name, convert in converts if convert]
        return held
