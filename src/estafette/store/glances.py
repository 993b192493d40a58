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
"""One kept for longer goes back to the pool, which knows whether the server still listens."""


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
        except BaseException:
            connection.close()
            raise
        self._keep(connection)

    def close(self) -> None:
        """Nothing is kept."""
        while self._kept:
            self._kept.pop()[0].close()

    def _taken(self) -> Connection:
        while self._kept:
            connection, left_at = self._kept.pop()
            if time.monotonic() - left_at < KEPT_S:
                return connection
            connection.close()
        return self._engine.connect().execution_options(**self._options)

    def _keep(self, connection: Connection) -> None:
        if connection.in_transaction():  # as SQLAlchemy counts: its own statements begin one
            connection.rollback()
        if len(self._kept) < KEPT_MAX:
            self._kept.append((connection, time.monotonic()))
        else:
            connection.close()
