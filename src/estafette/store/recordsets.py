"""Many rows inserted by one statement of PostgreSQL: they go as one JSON array, read by the types of their table.

Row by row, each costs a message there, a portal and a snapshot; a tenth of that so. A value is written as the statement
for one row would write it, then as JSON: instants and days in ISO 8601, amounts as texts, exact.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import JSON, Boolean, Column, Date, Integer, String, Table

from estafette.store.columns import Amount, Instant

ROWS_MIN, ROWS_MAX = 4, 1000
"""Rows from which it pays, and rows of one statement."""

_KINDS = (JSON, Boolean, Date, Integer, String, Amount, Instant)
"""What JSON carries without loss."""

_CONFLICT = " ON CONFLICT"


class Recordset:
    """An INSERT of one row, in the words of PostgreSQL, made one of many."""

    def __init__(self, table: Table, text: str) -> None:
        into, _, values = text.partition(" VALUES ")
        columns = [_column(table, name) for name in into[into.index("(") + 1 : -1].split(", ")]
        chosen = ", ".join(_chosen(column) for column in columns)
        source = f'json_populate_recordset(NULL::"{table.name}", %(rows)s::json)'
        tail = values[values.index(_CONFLICT) :] if _CONFLICT in values else ""
        self.text = f"{into} SELECT {chosen} FROM {source}{tail}"  # noqa: S608 — names of our own tables
        self._documents = [column.name for column in columns if isinstance(column.type, JSON)]

    def parameters(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Return the rows, each as the statement for one row takes it, as this one does."""
        return {"rows": msgspec.json.encode([self._row(row) for row in rows]).decode()}

    def _row(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        documents = {name: row[name].obj for name in self._documents if row[name] is not None}
        return {**row, **documents} if documents else row


def recordset(table: Table, text: str) -> Recordset | None:
    """Return the INSERT of many rows for the text that inserts one; None when a column holds what JSON cannot carry."""
    return Recordset(table, text) if all(isinstance(column.type, _KINDS) for column in table.columns) else None


def _column(table: Table, quoted: str) -> Column[Any]:
    return table.c[quoted.strip('"')]


def _chosen(column: Column[Any]) -> str:
    """A document that says nothing is not the absence of a document, unless the column takes it so."""
    is_said = isinstance(column.type, JSON) and not column.type.none_as_null
    return f"coalesce(\"{column.name}\", 'null'::json)" if is_said else f'"{column.name}"'
