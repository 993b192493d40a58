"""Stores that have seen many invoices: the records of the first ones are copied, each under a name of its own.

What is copied is what an invoice leaves for good in each table that grows. The engine copies, from rows to rows: a
hundred thousand invoices take a minute.
"""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import inspect, text

from estafette.circuit.network import SEATS, Network
from estafette.store import postgresql, sqlite

OWN = {
    "invoice": ("id", "number", "message_id"),
    "flow": ("id", "invoice_id", "tracking_id"),
    "event": ("invoice_id", "message_id"),
    "declaration": ("invoice_id", "object_id", "flow_id", "file_name", "flow_name"),
    "portal_flow": ("name",),
    "job": ("key",),
    "inbox": ("message_id",),
    "document": ("sha256",),
    "audit_event": ("chain",),
    "partner_flow": ("name", "identifier"),
    "outgoing_object": ("file_name", "flow_name"),
    "invoice_data": ("number", "file_name"),
    "obligatory_status": ("number", "message_id"),
    "fact": ("number",),
    "status_event": ("number", "message_id"),
}
"""Tables that grow, in the order of what they refer to, and the columns that name a row."""

ONLY = {"job": "WHERE state = 'done'", "declaration": "WHERE state = 'accepted'", "fact": "WHERE number LIKE 'WARM%'"}


def store(data: Path, port: int, *, invoices: int, seen: int) -> None:
    """Each actor has the records of so many invoices more, where it had those of `seen`; nobody serves it meanwhile."""
    network = Network(data, port)
    for seat in SEATS:
        where = network.database(seat)
        engine = sqlite.open_engine(where) if isinstance(where, Path) else postgresql.open_engine(where)
        known = set(inspect(engine).get_table_names())
        with engine.begin() as connection:
            for table in [one for one in OWN if one in known]:
                columns = [one["name"] for one in inspect(connection).get_columns(table)]
                connection.execute(text(_copy(table, columns, engine.dialect.name)), {"times": invoices // seen})
        engine.dispose()


def _copy(table: str, columns: Iterable[str], dialect: str) -> str:
    """Write the statement that copies the rows of a table so many times."""
    own = OWN[table]
    taken = [one for one in columns if not (one == "id" and "id" not in own)]
    values = [f"{_name(one)} || '~' || n" if one in own else _name(one) for one in taken]
    if "updated_at" in taken and table == "flow":  # no two of a company at one moment
        at = taken.index("updated_at")
        values[at] = (
            "strftime('%Y-%m-%d %H:%M:%f000', updated_at, '-' || (n * 100) || ' seconds')"
            if dialect == "sqlite"
            else "updated_at - n * interval '100 seconds'"
        )
    names = ", ".join(map(_name, taken))
    many = "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :times) SELECT n FROM s) AS many"
    return f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table}, {many} {ONLY.get(table, '')}"  # noqa: S608


def _name(column: str) -> str:
    return f'"{column}"'
