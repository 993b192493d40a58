"""A whole directory loaded at once, by the million rows: the opening of the portal, or a made-up one for a bench.

The rows come in the order of their keys, so that every index grows at its end, and are written tens of thousands at a
time: `executemany` on SQLite, `COPY` on PostgreSQL. Nothing counts until the last transaction, which waits for the disk
and draws the change and the numbers that the rows already bear. A load that dies leaves rows above the last number
drawn: the next one begins by taking them away. Nobody else may write to the directory meanwhile; it must have no line.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import Connection, delete, select

from estafette.portal.holdings import TABLES
from estafette.portal.journal import CHANGE, INSTANCE
from estafette.portal.register import Register, Source
from estafette.portal.tables import directory_line, receiving_platform
from estafette.store import sequences
from estafette.store.database import Database, weigh
from estafette.store.statements import answered
from estafette.store.tables import sequence

ROWS_AT_ONCE = 50_000
"""Rows of all tables that wait in memory, and are written by one transaction."""

Row = tuple[Any, ...]
Put = Callable[[Connection, str, Sequence[str], list[Row]], None]


class NotEmpty(Exception):
    """The directory has lines already: it is changed by its register, not loaded over."""


def load(
    database: Database,
    rows: Iterable[tuple[str, Row]],
    columns: Mapping[str, Sequence[str]],
    *,
    at: datetime,
    author: str,
) -> dict[str, int]:
    """The rows are the directory, durable; returns how many of each table.

    `rows` gives the table and the values of each, `columns` what they are; true as `known_until` says that the version
    is replaced by the next. A platform that is known already stays as it is. Raises: NotEmpty, and whatever the rows
    raise; it can then be done again.
    """
    change, first, platforms = _begin(database)
    numbers, counts = count(first), dict.fromkeys(columns, 0)
    put = _copy if database.is_shared else _insert
    fresh = (one for one in rows if one[0] != receiving_platform.name or one[1][0] not in platforms)
    for tables in _gathered(fresh, columns, numbers, change):
        with database.begin(durable=False) as connection:
            for table, some in tables.items():
                put(connection, table, ("instance", "known_from", *columns[table]), some)
                counts[table] += len(some)
    with database.begin() as connection:
        register = Register(connection, at=at, source=Source.OPENING, author=author)
        drawn = (register.change(), sequences.reserve(connection, INSTANCE, sum(counts.values())).start)
        if drawn != (change, first):
            raise NotEmpty(f"written meanwhile: {drawn}, {(change, first)} expected")
        weigh(connection, TABLES.values())
    return counts


def _begin(database: Database) -> tuple[int, int, set[str]]:
    """What a load that died left is gone; returns the change and the first number to come, the platforms known."""
    with database.begin() as connection:
        change, first = (_last(connection, name) + 1 for name in (CHANGE, INSTANCE))
        for table in TABLES.values():
            connection.execute(delete(table).where(table.c.instance >= first))
        if connection.execute(select(directory_line.c.instance).limit(1)).first():
            raise NotEmpty("the directory has lines already")
        platforms = set(connection.execute(select(receiving_platform.c.matricule)).scalars())
    return change, first, platforms


def _last(connection: Connection, name: str) -> int:
    value = connection.execute(select(sequence.c.value).where(sequence.c.name == name)).scalar()
    return int(value or 0)


def _gathered(
    rows: Iterable[tuple[str, Row]], columns: Mapping[str, Sequence[str]], numbers: Iterator[int], change: int
) -> Iterator[dict[str, list[Row]]]:
    """Give the rows by table, so many at a time, with their number and their change."""
    replaced = {table: names.index("known_until") for table, names in columns.items() if "known_until" in names}
    waiting: dict[str, list[Row]] = {table: [] for table in columns}
    size = 0
    for table, row in rows:
        at = replaced.get(table)
        told = row if at is None or row[at] is None else (*row[:at], change, *row[at + 1 :])
        waiting[table].append((next(numbers), change, *told))
        size += 1
        if size == ROWS_AT_ONCE:
            yield waiting
            waiting, size = {table: [] for table in columns}, 0
    yield waiting


def _insert(connection: Connection, table: str, names: Sequence[str], rows: list[Row]) -> None:
    """Write rows on SQLite, past what describes each statement: that alone costs more than the row."""
    if not rows:
        return
    dated = [at for at, name in enumerate(names) if name in _DATES]
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table} ({_quoted(names)}) VALUES ({marks})"  # noqa: S608 - our own names
    cursor: Any = connection.connection.cursor()
    cursor.executemany(statement, _dated(rows, dated) if dated else rows)
    cursor.close()


def _dated(rows: list[Row], dated: list[int]) -> Iterator[list[Any]]:
    """Give rows with their dates as SQLite keeps them."""
    for row in rows:
        told = list(row)
        for at in dated:
            if told[at] is not None:
                told[at] = _iso(told[at])
        yield told


@cache
def _iso(day: date) -> str:
    return day.isoformat()


def _copy(connection: Connection, table: str, names: Sequence[str], rows: list[Row]) -> None:
    """Write rows on PostgreSQL, in one stream."""
    if not rows:
        return
    answered(connection)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({_quoted(names)}) FROM STDIN") as stream:
        for row in rows:
            stream.write_row(row)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


_DATES = frozenset({"start", "end", "effective_end", "registered_from", "registered_until"})
