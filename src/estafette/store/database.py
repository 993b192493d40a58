"""One actor's relational store: a SQLite file in WAL mode with full synchronisation, one writer.

`open_database` brings the schema to the version of the code before anything else touches it, and refuses a folder that
a newer version has written. Receipts survive a power cut: `synchronous=FULL` (NORMAL in WAL may lose the last commits).
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event

from estafette.store import gathered
from estafette.store.writer import Writer

try:  # the bundled SQLite: distributions ship one with the WAL-reset bug (3.7.0 to 3.51.2)
    from pysqlite3 import dbapi2
except ImportError:  # where no wheel exists
    dbapi2 = sqlite3

Written = TypeVar("Written")

DRIVER: ModuleType = dbapi2


class NewerData(Exception):
    """The data were written by a newer version of Estafette."""


class Database:
    """The records of one actor; every write is one transaction, serialised by the engine.

    `before_commit` is called before each durable transaction is committed: what its records name is made durable then;
    what it returns is called once the transaction is committed.
    """

    def __init__(self, engine: Engine, *, threaded: bool = True) -> None:
        self.engine = engine
        self._writer = Writer(self.begin) if threaded else None
        self.before_commit: Callable[[Connection], Callable[[], None]] = lambda _connection: lambda: None
        gathered.listen(engine)

    @contextmanager
    def begin(self, *, durable: bool = True) -> Iterator[Connection]:
        """Open a write transaction: all of it happens, or nothing.

        One that is not `durable` waits for no disk: a power cut may undo it, whole, until a durable one follows.
        """
        with self.engine.connect().execution_options(immediate=True) as connection:
            raw: Any = connection.connection.dbapi_connection
            committed = None
            if not durable:
                raw.execute("PRAGMA synchronous=NORMAL")
            try:
                with connection.begin():
                    gathered.begin(connection)
                    yield connection
                    gathered.flush(connection)
                    if durable:
                        committed = self.before_commit(connection)
                if committed:
                    committed()
            finally:
                gathered.forget(connection)
                if not durable:
                    raw.execute("PRAGMA synchronous=FULL")

    async def write(self, apply: Callable[[Connection], Written], *, durable: bool = True) -> Written:
        """What `apply` writes is committed, with what others write meanwhile; returns what it returns.

        `apply` runs in the writer's thread and touches nothing but its connection and what may be shared by threads.
        """
        if self._writer is not None:
            return await self._writer.write(apply, durable=durable)
        with self.begin(durable=durable) as connection:
            return apply(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a snapshot for reading."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Let go of the file, once what was asked is written."""
        if self._writer is not None:
            self._writer.close()
        self.engine.dispose()


def open_database(file: Path, branches: tuple[str, ...], *, threaded: bool = True) -> Database:
    """Open the file with the tables of every actor and of these branches, at the version of this code.

    Not `threaded`, each write is committed by itself where it is asked: for a loop whose time is not the clock's.

    Raises: NewerData when the file knows a revision that this code does not; nothing is touched then.
    """
    if file.exists() and (unknown := _unknown(file)):
        raise NewerData(", ".join(sorted(unknown)))
    engine = create_engine(URL.create("sqlite", database=str(file)), module=DRIVER)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    _upgrade(engine, branches)
    return Database(engine, threaded=threaded)


def _prepare(connection: Any, _record: Any) -> None:
    """Set what SQLite forgets between connections."""
    connection.isolation_level = None  # transactions are ours (`_begin`), not the driver's guess
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the write lock at once for a writer: upgrading a read lock later can fail."""
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def is_newer(file: Path) -> bool:
    """Tell whether a newer version wrote this file, which is only read."""
    return bool(_unknown(file))


def _unknown(file: Path) -> set[str]:
    """Return the revisions that the file has and this code has not, without writing to it."""
    known = {script.revision for script in ScriptDirectory.from_config(_history()).walk_revisions()}
    url = URL.create("sqlite", database=f"file:{quote(str(file))}", query={"mode": "ro", "uri": "true"})
    engine = create_engine(url, module=DRIVER)
    try:
        with engine.connect() as connection:
            return set(MigrationContext.configure(connection).get_current_heads()) - known
    finally:
        engine.dispose()


def _history() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _upgrade(engine: Engine, branches: tuple[str, ...]) -> None:
    configuration = _history()
    with engine.connect().execution_options(immediate=True) as connection, connection.begin():
        configuration.attributes["connection"] = connection
        for branch in dict.fromkeys(("shared", *branches)):
            command.upgrade(configuration, f"{branch}@head")
