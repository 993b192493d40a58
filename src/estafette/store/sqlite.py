"""The embedded engine: one SQLite file in WAL mode with full synchronisation, one process, one writer."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event

from estafette.store.columns import ENGINE_FORM

try:  # the bundled SQLite: distributions ship one with the WAL-reset bug (3.7.0 to 3.51.2)
    from pysqlite3 import dbapi2
except ImportError:  # where no wheel exists
    dbapi2 = sqlite3

DRIVER: ModuleType = dbapi2


def open_engine(file: Path) -> Engine:
    """Return the engine of this file, made at the first write."""
    engine = create_engine(URL.create("sqlite", database=str(file)), module=DRIVER, **ENGINE_FORM)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def reading_engine(file: Path) -> Engine:
    """Return an engine that cannot change a byte of this file, nor of its log."""
    url = URL.create("sqlite", database=f"file:{quote(str(file))}", query={"mode": "ro", "uri": "true"})
    return create_engine(url, module=DRIVER, **ENGINE_FORM)


@contextmanager
def writing(engine: Engine, *, durable: bool) -> Iterator[Connection]:
    """Hold the write lock of the file for one transaction."""
    with engine.connect().execution_options(immediate=True) as connection:
        raw: Any = connection.connection.dbapi_connection
        if not durable:
            raw.execute("PRAGMA synchronous=NORMAL")
        try:
            with connection.begin():
                yield connection
        finally:
            if not durable:
                raw.execute("PRAGMA synchronous=FULL")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Hold a snapshot of the file."""
    with engine.connect() as connection, connection.begin():
        yield connection


def _prepare(connection: Any, _record: Any) -> None:
    """Set what SQLite forgets between connections."""
    connection.isolation_level = None  # transactions are ours (`_begin`), not the driver's guess
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the write lock at once for a writer: upgrading a read lock later can fail."""
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
