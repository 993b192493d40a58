"""A read that may take only so long: what goes on past its time is stopped by the engine, whichever it is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

STEPS = 100_000
"""Instructions of SQLite's machine between two looks at the clock: some milliseconds."""


class TooLong(Exception):
    """The read was stopped."""


@contextmanager
def patient(connection: Connection, seconds: float) -> Iterator[None]:
    """What is read inside takes at most so long, of the processor or of the engine. Raises: TooLong."""
    is_postgresql = connection.dialect.name == "postgresql"
    begin, end = (_begin_postgresql, _end_postgresql) if is_postgresql else (_begin_sqlite, _end_sqlite)
    begin(connection, seconds)
    try:
        yield
    except OperationalError as fault:
        said = str(fault.orig)
        if "interrupted" in said or "statement timeout" in said:
            raise TooLong from None
        raise
    finally:
        end(connection)


def _begin_sqlite(connection: Connection, seconds: float) -> None:
    until = time.monotonic() + seconds
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 — the connection is open
    driver.set_progress_handler(lambda: time.monotonic() > until, STEPS)


def _end_sqlite(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    if driver is not None:
        driver.set_progress_handler(None, 0)


def _begin_postgresql(connection: Connection, seconds: float) -> None:
    milliseconds = max(int(seconds * 1000), 1)
    connection.execute(text("SELECT set_config('statement_timeout', :value, true)"), {"value": str(milliseconds)})


def _end_postgresql(connection: Connection) -> None:
    """The setting ends with its transaction."""
    del connection
