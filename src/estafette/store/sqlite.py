"""The embedded engine: one SQLite file in WAL mode with full synchronisation, one process, one writer."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import TimeoutError

from estafette.store.columns import ENGINE_FORM

try:  # the bundled SQLite: distributions ship one with the WAL-reset bug (3.7.0 to 3.51.2)
    from pysqlite3 import dbapi2
except ImportError:  # where no wheel exists
    dbapi2 = sqlite3

DRIVER: ModuleType = dbapi2

BUSY_S = 10
"""Longest wait for the write lock before the attempt is given up, and tried again later."""

PAGES_KB = 32_768
"""Pages of the file that who writes keeps at hand: those at the ends of the indexes, which each transaction changes."""

LOG_PAGES = 4_000
"""Pages in the log (4 kB each) before they go to their places: one changed a hundred times goes once."""


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


class Writing:
    """The write lock of the file, for one transaction at a time, always on one connection.

    SQLite forgets what a connection has read once another has committed: only who alone writes keeps its pages.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._kept: Connection | None = None

    @contextmanager
    def __call__(self, *, durable: bool) -> Iterator[Connection]:
        """Hold the lock. Raises: TimeoutError of SQLAlchemy when another holds it for `BUSY_S`."""
        if not self._lock.acquire(timeout=BUSY_S):
            raise TimeoutError(f"another transaction of this process writes for {BUSY_S} s")
        try:
            connection = self._connection()
            with _synchronous(connection, durable=durable), connection.begin():
                yield connection
        finally:
            if self._kept is not None and self._kept.in_transaction():  # it could not be undone
                self._let_go()
            self._lock.release()

    def close(self) -> None:
        """The connection is closed."""
        with self._lock:
            self._let_go()

    def _connection(self) -> Connection:
        if self._kept is None:
            self._kept = self._engine.connect().execution_options(immediate=True)
            raw: Any = self._kept.connection.dbapi_connection
            raw.execute(f"PRAGMA cache_size=-{PAGES_KB}")
        return self._kept

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.invalidate()
            kept.close()


@contextmanager
def _synchronous(connection: Connection, *, durable: bool) -> Iterator[None]:
    """A transaction that is not durable waits for no disk."""
    raw: Any = connection.connection.dbapi_connection
    if not durable:
        raw.execute("PRAGMA synchronous=NORMAL")
    try:
        yield
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
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
    for pragma in (*pragmas, f"busy_timeout={1000 * BUSY_S}", f"wal_autocheckpoint={LOG_PAGES}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the write lock at once for a writer: upgrading a read lock later can fail."""
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
