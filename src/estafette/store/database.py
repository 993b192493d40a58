"""One actor's relational store: a SQLite file, or a schema of PostgreSQL, one writing transaction at a time.

`open_database` brings the schema to the version of the code before anything else touches it, and refuses data that a
newer version has written. Receipts survive a power cut: a durable transaction has waited for the disk. What differs
between the two engines is in `sqlite` and `postgresql`, and in `columns`; the rooms write one SQL for both.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine, Table, inspect, text

from estafette.store import audit, gathered, measures, postgresql, sqlite
from estafette.store.glances import Glances
from estafette.store.history import history
from estafette.store.measures import Measures
from estafette.store.queries import Lookup
from estafette.store.sqlite import DRIVER
from estafette.store.statements import answered, unanswered
from estafette.store.writer import Writer

__all__ = ["DRIVER", "Database", "NewerData", "is_newer", "open_database", "reading_database", "weigh"]

Written = TypeVar("Written")


class NewerData(Exception):
    """The data were written by a newer version of Estafette."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What waits until what records name is durable, or raises; and what is to be done once they are committed."""

    wait: Callable[[], None]
    committed: Callable[[], None]


class Settling(Protocol):
    """What makes durable what the records of a transaction name, before it is committed."""

    def look_ahead(self, connection: Connection) -> None:
        """Ask, with what others ask, what `settle` will."""

    def settle(self, connection: Connection) -> Settled:
        """The records say where it rests; it is being made durable meanwhile."""


class Database:
    """The records of one actor; every write is one transaction, serialised by the engine."""

    def __init__(self, engine: Engine, *, threaded: bool = True) -> None:
        self.engine = engine
        self._adapter = postgresql if self.is_shared else sqlite
        self._writing = self._adapter.Writing(engine)
        self._glances = Glances(engine)
        self.measures = Measures()
        self._writer = Writer(self.begin, self.measures.committed) if threaded else None
        self.revisions: frozenset[str] = frozenset()
        self.settling: Settling | None = None
        gathered.listen(engine)
        audit.watch(engine)

    @property
    def is_shared(self) -> bool:
        """Tell whether several processes may open it at once."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def begin(self, *, durable: bool = True) -> Iterator[Connection]:
        """Open a write transaction, alone: all of it happens, or nothing.

        One that is not `durable` waits for no disk: a power cut may undo it, whole, until a durable one follows.
        """
        committed: list[Callable[[], None]] = []
        with self._writing(durable=durable) as connection:
            gathered.begin(connection)
            measures.begin(connection, self.measures)
            try:
                yield connection
                settled = self._settle(connection) if durable else None
                gathered.confirmed(connection)
                if gathered.is_due(connection) or audit.is_due(connection):
                    with unanswered(connection):
                        gathered.flush(connection)
                        audit.flush(connection)
                if settled is not None:
                    settled.wait()
                    committed = [settled.committed]
            finally:
                gathered.forget(connection)
                committed.append(measures.end(connection))
        for tell in committed:
            tell()

    def _settle(self, connection: Connection) -> Settled | None:
        with Lookup.at_once(connection):
            audit.look_ahead(connection)
            if self.settling is not None:
                self.settling.look_ahead(connection)
        return self.settling.settle(connection) if self.settling is not None else None

    def is_current(self) -> bool:
        """Tell whether its schema is still that of the code which opened it: a newer process may have migrated it."""
        with self.read() as connection:
            return _heads(connection) == self.revisions

    async def write(
        self, apply: Callable[[Connection], Written], *, durable: bool = True, urgent: bool = False
    ) -> Written:
        """What `apply` writes is committed, with what others write meanwhile; returns what it returns.

        `urgent`: a request waits for it; it goes before the work that nobody waits for.

        `apply` runs in the writer's thread and touches nothing but its connection and what may be shared by threads.
        """
        if self._writer is not None:
            context = copy_context()  # who acts is known in the writer's thread too
            return await self._writer.write(lambda it: context.run(apply, it), durable=durable, urgent=urgent)
        with self.begin(durable=durable) as connection:
            return apply(connection)

    async def away(self, work: Callable[[], Written]) -> Written:
        """What keeps a thread waiting is done away from the event loop; returns what it returns."""
        return work() if self._writer is None else await asyncio.to_thread(work)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a snapshot for reading."""
        with self._adapter.reading(self.engine) as connection:
            yield connection

    def glance(self) -> AbstractContextManager[Connection]:
        """Give a connection to ask one thing: each statement sees what is committed by then, there is no snapshot."""
        return self._glances()

    def weigh_grown(self) -> list[str]:
        """The engine plans by what its tables hold by now (`postgresql.weigh_grown`); returns those that had grown."""
        if not self.is_shared:
            return []
        with self.glance() as connection:
            return postgresql.weigh_grown(connection)

    @property
    def lives(self) -> bool:
        """Tell whether its writer can still write."""
        return self._writer is None or self._writer.lives

    def close(self) -> None:
        """Let go of the file, once what was asked is written."""
        if self._writer is not None:
            self._writer.close()
        self._writing.close()
        self._glances.close()
        self.engine.dispose()


def weigh(connection: Connection, tables: Iterable[Table]) -> None:
    """The engine knows what is in these tables by now, and plans by it: after a load, which it would notice too late.

    SQLite plans by the indexes alone.
    """
    if connection.dialect.name == "postgresql":
        answered(connection)
        for table in tables:
            connection.exec_driver_sql(f"ANALYZE {table.name}")


def open_database(where: Path | str, branches: tuple[str, ...], *, threaded: bool = True) -> Database:
    """Open the file, or the schema at a URL, with the tables of every actor and of these branches.

    Not `threaded`, each write is committed by itself where it is asked: for a loop whose time is not the clock's.

    Raises: NewerData when it knows a revision that this code does not, nothing is touched then; WrongUrl.
    """
    if isinstance(where, Path) and is_newer(where):
        raise NewerData(", ".join(sorted(_unknown(sqlite.reading_engine(where)))))
    engine = sqlite.open_engine(where) if isinstance(where, Path) else postgresql.open_engine(where)
    database = Database(engine, threaded=threaded)
    try:
        _upgrade(database, branches)
    except BaseException:
        database.close()
        raise
    return database


def reading_database(where: Path | str) -> Database:
    """Open a store only to read it, as it is, beside whoever serves it. Raises: WrongUrl."""
    engine = sqlite.reading_engine(where) if isinstance(where, Path) else postgresql.open_engine(where)
    return Database(engine, threaded=False)


def is_newer(file: Path) -> bool:
    """Tell whether a newer version wrote this file, which is only read."""
    return file.exists() and bool(_unknown(sqlite.reading_engine(file)))


def _unknown(engine: Engine) -> set[str]:
    """Return the revisions that the store has and this code has not, without writing to it."""
    try:
        with engine.connect() as connection:
            return _heads(connection) - history().known
    finally:
        engine.dispose()


def _heads(connection: Connection) -> set[str]:
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _upgrade(database: Database, branches: tuple[str, ...]) -> None:
    """The schema is that of the code, made in one transaction by the first process that comes."""
    wanted = tuple(dict.fromkeys(("shared", *branches)))
    with database.begin() as connection:
        if newer := _heads(connection) - history().known:
            raise NewerData(", ".join(sorted(newer)))
        if not {history().heads.get(branch) for branch in wanted} <= _heads(connection):
            from estafette.store.migrating import upgrade  # noqa: PLC0415 — a third of a second that few starts need

            upgrade(connection, wanted)
        database.revisions = frozenset(_heads(connection))
