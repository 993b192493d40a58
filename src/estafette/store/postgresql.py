"""The engine that several processes share: PostgreSQL through psycopg, one schema an actor.

Theory of operation. The rooms read, then write what they read plus one: on SQLite one writer at a time makes that
right. Here an advisory lock of the schema, held for each write transaction, does the same across processes; what runs
in parallel is what costs, the judging and the reading, outside any transaction. A process that hangs or vanishes inside
a transaction is cut off by the server (`IDLE_S`), so the lock never stays with the dead.

A URL is `postgresql+psycopg://user:password@host:port/database?schema=platform_a`; without `schema`, the default of the
role. The schema is made when the role may.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from sqlalchemy import URL, Connection, Engine, String, create_engine, event, make_url, text
from sqlalchemy.exc import DisconnectionError, TimeoutError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateSchema

from estafette.store.columns import ENGINE_FORM
from estafette.store.statements import raise_fault, unanswered

SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")

LOCK_S = 60
"""Longest wait for the write lock of an actor before the attempt is given up, and tried again later."""

UNASKED_S = 1.0
"""A connection used that recently is used again without asking the server whether it lives: asking is a round trip."""

_LEFT_AT = "estafette.left"

IDLE_S = 60
"""Longest silence of a process inside a transaction before the server takes its lock away."""

CONNECTIONS_MAX = 20
"""Connections of one process to one actor's database: its writer, and as many readers as requests at once."""

GROWN_MIN = 250
"""Rows that a table has before what the server knows of it matters."""

_GROWN = text(
    "SELECT held.relname FROM pg_stat_user_tables AS held JOIN pg_class ON pg_class.oid = held.relid"
    " WHERE held.schemaname = current_schema()"
    " AND held.n_live_tup > :least + 4 * greatest(pg_class.reltuples, 0)"
)

_PLANNED_ONCE = "SET plan_cache_mode = force_generic_plan"
"""What writes asks the same questions by the same indexes, of lists of any length: it needs no plan for each length."""

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_ALONE = "SELECT pg_advisory_xact_lock(hashtext(current_schema()))"
_ALONE_UNSYNCED = f"{_ALONE}, set_config('synchronous_commit', 'off', true)"


class WrongUrl(Exception):
    """The URL of a database cannot be used: why, without its password."""


class Undone(Exception):
    """The server would undo the transaction when asked to commit it, and say nothing."""


@compiles(String, "postgresql")
def _text(_type: String, _compiler: object, **_context: object) -> str:
    """Keep texts of any length, as SQLite does: limits are checked at the door, not by the store's refusal."""
    return "TEXT"


def is_server(where: object) -> bool:
    """Tell whether this names a PostgreSQL database and not a file."""
    return isinstance(where, URL) or (isinstance(where, str) and where.startswith("postgresql"))


def database_url(where: str | URL) -> URL:
    """Return the URL with the driver in use. Raises: WrongUrl."""
    try:
        url = make_url(where)
    except Exception:  # what it says may hold the password
        raise WrongUrl("postgresql+psycopg://user:password@host/database?schema=name") from None
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise WrongUrl(f"{url.drivername}: postgresql+psycopg")
    if (schema := url.query.get("schema")) is not None and not (isinstance(schema, str) and SCHEMA.fullmatch(schema)):
        raise WrongUrl(f"schema={schema}: {SCHEMA.pattern}")
    return url.set(drivername="postgresql+psycopg")


def open_engine(where: str | URL) -> Engine:
    """Return the engine of this schema, which exists. Raises: WrongUrl, OperationalError when nobody answers."""
    url = database_url(where)
    schema = url.query.get("schema")
    url = url.difference_update_query(["schema"])
    if schema is not None:
        _make_schema(url, str(schema))
    settings = f"-c lock_timeout={LOCK_S}s -c idle_in_transaction_session_timeout={IDLE_S}s"
    settings += " -c jit=off"  # it pays for long queries only, and is tried for short ones planned on a young store
    settings += " -c random_page_cost=1.1"  # what is asked for lies in memory, or on disks without arms
    if schema is not None:
        settings += f" -c search_path={schema}"
    arguments = {"options": settings, "connect_timeout": 10, "application_name": f"estafette {schema or ''}".strip()}
    arguments["prepare_threshold"] = None  # `straight` prepares; the driver would forget all that is at each rollback
    room = {"pool_size": 5, "max_overflow": CONNECTIONS_MAX - 5, "pool_use_lifo": True}
    engine = create_engine(url, connect_args=arguments, **room, **ENGINE_FORM)
    event.listen(engine, "checkin", _left)
    event.listen(engine, "checkout", _check)
    return engine


def _left(_raw: Any, record: Any) -> None:
    record.info[_LEFT_AT] = time.monotonic()


def _check(raw: Any, record: Any, _proxy: Any) -> None:
    """The pool replaces a connection that does not live any more."""
    if not _answers(raw, record.info.get(_LEFT_AT, 0.0)):
        raise DisconnectionError


def _answers(raw: Any, left_at: float) -> bool:
    """Tell whether the server answers on a connection, asking it when that was left alone for a while."""
    if time.monotonic() - left_at < UNASKED_S:
        return True
    try:
        raw.execute("")
        raw.rollback()
    except _driver_errors():
        return False
    return True


def _driver_errors() -> type[Exception]:
    """Return what the driver raises; who keeps its records in a file never loads it."""
    from psycopg import Error  # noqa: PLC0415

    return Error


class Writing:
    """The write lock of the schema, for one transaction at a time, always on one connection.

    Each connection is a process of the server, with the plans it made and what it knows of the tables: one that does
    all the writing is soon at home.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._kept: Connection | None = None
        self._left_at = 0.0

    @contextmanager
    def __call__(self, *, durable: bool) -> Iterator[Connection]:
        """Hold the lock. Raises: TimeoutError of SQLAlchemy when this process holds it for `LOCK_S`.

        The driver is told to begin nothing by itself: the transaction begins, and takes the lock, with the first answer
        that is waited for; it ends with the last.
        """
        if not self._lock.acquire(timeout=LOCK_S):
            raise TimeoutError(f"another transaction of this process writes for {LOCK_S} s")
        try:
            connection = self._connection()
            locked = "BEGIN", _ALONE if durable else _ALONE_UNSYNCED
            with connection.begin(), unanswered(connection, beginning=locked, ending="COMMIT"):
                yield connection
                if _status(connection) == "INERROR":
                    raise Undone("a statement failed, and what it failed in was not undone")
        finally:
            self._left_at = time.monotonic()
            if self._kept is not None and not _is_idle(self._kept):
                self._let_go()
            self._lock.release()

    def close(self) -> None:
        """The connection is closed."""
        with self._lock:
            self._let_go()

    def _connection(self) -> Connection:
        kept = self._kept
        if kept is not None and not _answers(kept.connection.dbapi_connection, self._left_at):
            self._let_go()
        if self._kept is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                _told(connection, _PLANNED_ONCE)
            except BaseException:
                connection.close()
                raise
            self._kept = connection
        return self._kept

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            if not kept.invalidated:
                kept.invalidate()
            kept.close()


def _told(connection: Connection, text: str) -> Any:
    """Have the driver say this, of which no listener hears; returns the driver's connection. Raises: as SQLAlchemy."""
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(text)
    except Exception as fault:
        raise_fault(connection, text, fault)
    return driver


def _is_idle(connection: Connection) -> bool:
    """Tell whether a connection is in no transaction, by what the server said last: SQLAlchemy counts its own only."""
    return not (connection.invalidated or connection.in_transaction()) and _status(connection) == "IDLE"


def _status(connection: Connection) -> str:
    driver: Any = connection.connection.dbapi_connection
    return str(driver.info.transaction_status.name)


def weigh_grown(connection: Connection) -> list[str]:
    """The server has looked at what the tables of this schema hold, where that grew fourfold; returns their names.

    It looks by itself each minute (autovacuum_naptime); until then it searches as for an empty table, end to end.
    """
    grown = list(connection.execute(_GROWN, {"least": GROWN_MIN}).scalars())
    for name in grown:
        connection.exec_driver_sql(f"ANALYZE {name}")
    return grown


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Hold a snapshot of the schema."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver: Any = _told(connection, _SNAPSHOT)
        try:
            yield connection
        finally:
            if not connection.invalidated:
                try:
                    driver.rollback()
                except _driver_errors():  # what was read is read
                    connection.invalidate()


def _make_schema(url: URL, schema: str) -> None:
    """The schema exists: several processes that start at once make it once."""
    engine = create_engine(url, connect_args={"connect_timeout": 10})
    held = text("SELECT 1 FROM pg_namespace WHERE nspname = :schema")
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:schema))"), {"schema": schema})
            if connection.execute(held, {"schema": schema}).first() is None:
                connection.execute(CreateSchema(schema))
    finally:
        engine.dispose()
