"""Many rows inserted or changed by one statement of PostgreSQL: they go as one JSON array, typed by their columns.

Row by row, each costs a message there, a portal and a snapshot; a tenth of that so. A value is written as the statement
for one row would write it, then as JSON: instants and days in ISO 8601, amounts as texts, exact.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
from sqlalchemy import JSON, Boolean, Column, Date, Dialect, Integer, String, Table
from sqlalchemy.types import TypeEngine

from estafette.store.columns import Amount, Instant

ROWS_MIN, ROWS_MAX = 4, 1000
"""Rows from which it pays, and rows of one statement."""

FEW = 16
"""Changes for which the server is told to expect no more: it then looks each up by an index, in a small table too."""

_KINDS = (JSON, Boolean, Date, Integer, String, Amount, Instant)
"""What JSON carries without loss."""

_CONFLICT = " ON CONFLICT"


Given = Mapping[str, Any]
"""A row as the statement for one takes it."""


class Many(Protocol):
    """A statement for one row made one for many, up to `ROWS_MAX`."""

    def takes(self, rows: Sequence[Given]) -> bool:
        """Tell whether it does to these rows what the statement for one would, one after the other."""

    def text(self, count: int) -> str:
        """Return the text for so many rows."""

    def parameters(self, rows: Sequence[Given]) -> dict[str, Any]:
        """Return the rows as the text takes them."""


class Recordset:
    """An INSERT of one row, in the words of PostgreSQL, made one of many."""

    def __init__(self, table: Table, text: str) -> None:
        into, _, values = text.partition(" VALUES ")
        columns = [_column(table, name) for name in into[into.index("(") + 1 : -1].split(", ")]
        chosen = ", ".join(_chosen(f'"{column.name}"', column.type) for column in columns)
        source = f'json_populate_recordset(NULL::"{table.name}", %(rows)s::json)'
        tail = values[values.index(_CONFLICT) :] if _CONFLICT in values else ""
        self._text = f"{into} SELECT {chosen} FROM {source}{tail}"  # noqa: S608 — names of our own tables
        self._documents = [column.name for column in columns if isinstance(column.type, JSON)]

    def takes(self, rows: Sequence[Given]) -> bool:  # noqa: ARG002 — see `Many`
        """Rows go in as they come."""
        return True

    def text(self, count: int) -> str:  # noqa: ARG002 — see `Many`
        """Return the text, one for all."""
        return self._text

    def parameters(self, rows: Sequence[Given]) -> dict[str, Any]:
        """Return the rows as the text takes them."""
        return {"rows": _json(rows, self._documents)}


class Changeset:
    """An UPDATE of the rows that have one value in a column, in the words of PostgreSQL, made one of many values.

    `kinds`: what each row gives, by its name; `key`, that value.
    """

    def __init__(self, text: str, kinds: Mapping[str, TypeEngine[Any]], key: str, dialect: Dialect) -> None:
        self._key = key
        self._documents = [name for name, kind in kinds.items() if isinstance(kind, JSON)]
        self._names = frozenset(kinds)
        columns = ", ".join(f'"{name}" {kind.compile(dialect=dialect)}' for name, kind in kinds.items())
        for name, kind in kinds.items():
            text = text.replace(f"%({name})s", _chosen(f'given."{name}"', kind))
        setting, _, where = text.partition(" WHERE ")
        rows = f"SELECT * FROM json_to_recordset(%(rows)s::json) AS given({columns})"  # noqa: S608 — our own columns
        self._texts = {most: f"{setting} FROM ({rows} LIMIT {most}) AS given WHERE {where}" for most in (FEW, ROWS_MAX)}

    def takes(self, rows: Sequence[Given]) -> bool:
        """Not, when two change the same: only in order do both."""
        return len({row[self._key] for row in rows}) == len(rows)

    def text(self, count: int) -> str:
        """Return the text for few rows, or for more."""
        return self._texts[FEW if count <= FEW else ROWS_MAX]

    def parameters(self, rows: Sequence[Given]) -> dict[str, Any]:
        """Return the rows as the text takes them, and what the statement itself gives."""
        own = {name: value for name, value in rows[0].items() if name not in self._names}
        given = [{name: row[name] for name in self._names} for row in rows] if own else rows
        return {**own, "rows": _json(given, self._documents)}


def _json(rows: Sequence[Given], documents: Sequence[str]) -> str:
    """Write rows; a document is told from its absence before it is wrapped for the driver."""

    def bare(row: Given) -> Given:
        return {**row, **{name: row[name].obj for name in documents if row[name] is not None}}

    return msgspec.json.encode([bare(row) for row in rows] if documents else rows).decode()


def recordset(table: Table, text: str) -> Recordset | None:
    """Return the INSERT of many rows for the text that inserts one; None when a column holds what JSON cannot carry."""
    return Recordset(table, text) if all(isinstance(column.type, _KINDS) for column in table.columns) else None


def changeset(text: str, kinds: Mapping[str, TypeEngine[Any]], dialect: Dialect) -> Changeset | None:
    """Return the UPDATE of many rows for the text that updates by one value; None when that is not its only condition
    on what is given, or when something given is what JSON cannot carry.
    """
    setting, _, where = text.partition(" WHERE ")
    keys = [name for name in kinds if f"%({name})s" in where]
    is_simple = len(keys) == 1 and re.search(rf"[\w\"] = %\({keys[0]}\)s", where) and " WHERE " not in where
    if not (is_simple and " OR " not in where and setting.startswith("UPDATE ")):
        return None
    if not all(isinstance(kind, _KINDS) for kind in kinds.values()):
        return None
    return Changeset(text, kinds, keys[0], dialect)


def _column(table: Table, quoted: str) -> Column[Any]:
    return table.c[quoted.strip('"')]


def _chosen(value: str, kind: TypeEngine[Any]) -> str:
    """A document that says nothing is not the absence of a document, unless the column takes it so."""
    return f"coalesce({value}, 'null'::json)" if isinstance(kind, JSON) and not kind.none_as_null else value
