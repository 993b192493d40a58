"""Connections for those who ask one thing of the records: no snapshot is opened for a single statement, nor closed.

Taking a connection, opening a transaction and ending it cost several times what the statement does; on a server each is
a round trip. So a few connections are kept that are in no transaction.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

KEPT_MAX = 4
"""Connections kept; more are opened when more ask at once, and let go."""

KEPT_S = 1.0
"""One left alone for longer goes back to the pool, once somebody asks: the pool knows whether the server listens."""


class Glances:
    """Gives connections in no transaction, from one thread or another."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._options = {"isolation_level": "AUTOCOMMIT"} if engine.dialect.name == "postgresql" else {}
        self._kept: deque[tuple[Connection, float]] = deque()

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        """Give a connection: each statement sees what is committed when it is asked."""
        connection = self._taken()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Nothing is kept."""
        while (kept := self._popped()) is not None:
            kept[0].close()

    def _taken(self) -> Connection:
        while (kept := self._popped()) is not None:
            connection, left_at = kept
            if time.monotonic() - left_at < KEPT_S:
                return connection
            connection.close()
        return self._engine.connect().execution_options(**self._options)

    def _popped(self) -> tuple[Connection, float] | None:
        """Take one off; another thread may have taken the last."""
        try:
            return self._kept.pop()
        except IndexError:
            return None

    def _give_back(self, connection: Connection) -> None:
        if connection.invalidated or len(self._kept) >= KEPT_MAX:
            connection.close()
            return
        try:
            if connection.in_transaction():  # as SQLAlchemy counts: its own statements begin one
                connection.rollback()
        except BaseException:
            connection.close()
            raise
        self._kept.append((connection, time.monotonic()))
