"""Stores made as if they had years behind them: what a thousand invoices left in each table, many times over.

Each copy has identifiers and numbers of its own, and lies some days earlier; what refers to it refers to its copy. The
audit log is copied under chains of other names. Nothing else of the rules is kept: this is for the indexes.
"""

import time
from collections.abc import Callable, Mapping

from sqlalchemy import text

from bench.actors import Actors
from estafette.portal import partitions
from estafette.store.database import Database, weigh
from estafette.store.tables import metadata

STEP = 50
"""Copies made in one transaction."""

Own = Mapping[str, tuple[str, ...]]
COPIED: Mapping[str, Own] = {
    "platform": {
        "invoice": ("id", "number"),
        "flow": ("id", "invoice_id", "sha256", "tracking_id", "updated_at"),
        "event": ("invoice_id", "message_id"),
        "declaration": ("-id", "invoice_id", "object_id", "flow_id", "flow_name"),
    },
    "portal": {
        "invoice_data": ("+id", "number"),
        "obligatory_status": ("message_id", "number"),
        "accepted_fact": ("+message", "number"),
        "outgoing_object": ("-id", "object_id", "flow_name"),
    },
    "administration": {
        "fact": ("number", "flow", "total_cents"),
        "status_event": ("number", "message_id"),
    },
    "": {
        "document": ("sha256",),
        "inbox": ("message_id",),
        "job": ("-id", "key"),
        "audit_event": ("chain", "about"),
    },
}
"""By kind of actor, and of all: the tables that grow, and the columns in which each copy differs.

`-id` is made anew; `+id`, drawn from a counter, is far above what will be drawn.
"""

COPIES = (
    "WITH RECURSIVE copies(k) AS"
    " (SELECT CAST(:first AS INTEGER) UNION ALL SELECT k + 1 FROM copies WHERE k < CAST(:last AS INTEGER))"
)


def multiply(actors: Actors, times: int, say: Callable[[str], None] = print) -> None:
    """Every actor stores as many times what it stored, itself once; each table is told with how long that took."""
    for name, database in actors.stores().items():
        kind = "platform" if name.startswith("platform") else name
        for table, own in {**COPIED[kind], **COPIED[""]}.items():
            started = time.monotonic()
            rows = _multiply(database, table, own, times)
            say(f"{name:<16}{table:<20}{rows:>12} rows{time.monotonic() - started:>8.1f} s")
        with database.begin() as connection:
            weigh(connection, [metadata.tables["job"], metadata.tables["document"]])
        database.weigh_grown()
        if name == "portal":
            started = time.monotonic()
            facts = partitions.export(database, actors.data / name / "facts")
            say(f"{name:<16}{'Parquet files':<20}{facts:>12} numbers{time.monotonic() - started:>6.1f} s")
        database.close()


def _multiply(database: Database, table: str, own: tuple[str, ...], times: int) -> int:
    seeded = " WHERE state = 'done'" if table == "job" else ""
    _run(database, f"CREATE TABLE seed_{table} AS SELECT * FROM {table}{seeded}")  # noqa: S608 — names of our own tables
    with database.read() as connection:
        columns = connection.execute(text(f"SELECT * FROM seed_{table} LIMIT 0")).keys()  # noqa: S608
    kept = [column for column in columns if f"-{column}" not in own]
    chosen = ", ".join(_copied(column, own, is_shared=database.is_shared) for column in kept)
    into = ", ".join(f'"{column}"' for column in kept)
    insert = f"INSERT INTO {table} ({into}) {COPIES} SELECT {chosen} FROM seed_{table} CROSS JOIN copies"  # noqa: S608
    rows = 0
    for first in range(1, times, STEP):
        rows += _run(database, insert, first=first, last=min(first + STEP, times) - 1)
    _run(database, f"DROP TABLE seed_{table}")
    return rows


def _run(database: Database, statement: str, **values: int) -> int:
    with database.begin(durable=False) as connection:
        return connection.execute(text(statement), values).rowcount


def _copied(column: str, own: tuple[str, ...], *, is_shared: bool) -> str:
    """Write what a column holds in the copy of number `k`."""
    if f"+{column}" in own:
        return f"{column} + 1000000 * k"
    if column not in own:
        return f'"{column}"'
    if column == "updated_at":
        earlier = "strftime('%Y-%m-%d %H:%M:%f000', updated_at, '-' || k || ' days')"
        return "updated_at - k * interval '1 day'" if is_shared else earlier
    if column == "total_cents":
        return "total_cents + 10007 * k"  # no amount like another's: copies are no twins
    return f"\"{column}\" || '~' || k"
