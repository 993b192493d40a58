"""What the hot path asks of PostgreSQL, straight through libpq: prepared once, sent together, answered together.

The driver's own cursors look anew, for each thing asked, at what it is, whether it is prepared, how its values are
written and its answer read, and send it by itself: a fifth of what a platform's interpreter did. Here its text is
numbered and prepared once for the life of a connection; what is asked at once is sent in one piece, and the system
called once for it. The driver writes the values and reads the answers: its own adapters, and SQLAlchemy's, are used.

Where there is not room in the socket for all of a piece, the rest follows as the server takes it (the driver's own
pipeline waits then for an answer that never comes).
"""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg import Connection, generators
from psycopg.abc import Transformer
from psycopg.adapt import PyFormat
from psycopg.adapt import Transformer as transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

PREPARED_MAX = 300
"""Statements prepared on one connection, each with the types of its values; the one asked longest ago gives way."""

TEXTS_MAX = 2000
"""Statements whose numbered form is kept: a program has some hundreds."""

STALE = (b"0A000", b"26000")
"""What the server says of a statement whose table has changed since, and of one that it does not have (SQLSTATE)."""

Key = tuple[str, tuple[int, ...]]
"""A statement, and the types of its values (pg_type)."""

_PARAMETER = re.compile(r"%(?:\((\w+)\)s|(%))")


@lru_cache(TEXTS_MAX)
def numbered(text: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a statement with its parameters numbered, as the server takes it, and their names in order.

    `text` names them as SQLAlchemy writes them for the driver, `%(name)s`, and doubles each per cent sign.
    """
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return "%" if found[2] else f"${names.setdefault(found[1], len(names) + 1)}"

    return _PARAMETER.sub(number, text).encode(), tuple(names)


class Answer:
    """What one thing asked comes to: its rows, as tuples, or how many a command touched."""

    def __init__(self, straight: "Straight") -> None:
        self._straight = straight
        self._rows: list[tuple[Any, ...]] = []
        self.rowcount = -1

    def execute(self, text: str, parameters: Mapping[str, Any] | None = None) -> None:
        """It is asked, and answered, or will be with what is asked at once. Raises: the fault that the server tells."""
        self._straight.ask(self, text, parameters or {})

    def executemany(self, text: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """As `execute`, for each of these parameters; the answer is that to the last."""
        for parameters in rows:
            self.execute(text, parameters)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows, and hold them no longer."""
        rows, self._rows = self._rows, []
        return rows

    def take(self, result: PGresult, adapter: Transformer) -> None:
        """This is the answer."""
        self._rows, self.rowcount = [], -1
        if result.status == ExecStatus.TUPLES_OK:
            adapter.set_pgresult(result)
            self._rows = adapter.load_rows(0, result.ntuples, tuple)
        elif result.command_tuples is not None:
            self.rowcount = result.command_tuples


class Asked(NamedTuple):
    """Something sent: who wants the answer, and the statement that it executes; that it prepares, when nobody does."""

    answer: Answer | None = None
    key: Key | None = None


class Straight:
    """One connection of the driver; one thread uses it at a time."""

    def __init__(self, raw: Connection[Any]) -> None:
        self._raw, self._server = raw, raw.pgconn
        self._adapter: Transformer = transformer(raw)
        self._prepared: dict[Key, bytes] = {}
        self._count = 0
        self._together: list[Asked] | None = None

    @property
    def is_closed(self) -> bool:
        """Tell whether nothing can be asked any more."""
        return self._raw.closed

    def cursor(self) -> Answer:
        """Return what asks one thing after the other."""
        return Answer(self)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is asked meanwhile is answered when this ends, in one round trip.

        Raises: the first fault that the server tells; what was asked after it was not done, and outside a transaction
        nothing was.
        """
        self._begin()
        self._server.enter_pipeline_mode()
        together = self._together = []
        try:
            yield
        finally:
            self._together = None
            with self._whole():
                self._server.pipeline_sync()
                results = self._raw.wait(self._answers(len(together)))
                self._server.exit_pipeline_mode()
            for asked, result in zip(together, results, strict=True):
                self._forget_stale(asked, result)
        for asked, result in zip(together, results, strict=True):
            self._take(asked, result)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """The connection is closed when answers are not all heard, for a signal or a lost server: no other would be."""
        try:
            yield
        except BaseException:
            self._raw.close()
            raise

    def _answers(self, count: int) -> Generator[Any, Any, list[PGresult]]:
        yield from generators.send(self._server)
        results = []
        for _ in range(count):
            results.append((yield from generators.fetch_many(self._server))[-1])
        yield from generators.fetch_many(self._server)  # that of the end of what was sent together
        return results

    def ask(self, answer: Answer, text: str, parameters: Mapping[str, Any]) -> None:
        """See `Answer.execute`."""
        if self._together is None:
            self._begin()
        query, names = numbered(text)
        values = self._adapter.dump_sequence([parameters[name] for name in names], [PyFormat.AUTO] * len(names))
        key = text, self._adapter.types or ()
        formats = self._adapter.formats
        name = self._prepared.pop(key, None) or self._prepare(key, query)
        self._prepared[key] = name  # the latest used, last
        self._server.send_query_prepared(name, values, formats)
        self._sent(Asked(answer, key))

    def _begin(self) -> None:
        """The driver has begun what it would before its own first statement: nothing, where each is a whole."""
        if not self._raw.autocommit and self._server.transaction_status == TransactionStatus.IDLE:
            self._raw.execute("")

    def _prepare(self, key: Key, query: bytes) -> bytes:
        """A statement is prepared, under a name that no other had."""
        if len(self._prepared) >= PREPARED_MAX:
            oldest = self._prepared.pop(next(iter(self._prepared)))
            self._server.send_query_params(b"DEALLOCATE " + oldest, None)
            self._sent(Asked())
        self._count += 1
        name = f"straight_{self._count}".encode()
        self._server.send_prepare(name, query, key[1])
        self._sent(Asked(None, key))
        return name

    def _sent(self, asked: Asked) -> None:
        """It was sent: the answer is waited for, unless that of several is."""
        if self._together is not None:
            self._together.append(asked)
            return
        with self._whole():
            result = self._raw.wait(generators.execute(self._server))[-1]
        self._forget_stale(asked, result)
        self._take(asked, result)

    def _forget_stale(self, asked: Asked, result: PGresult) -> None:
        """What could not be prepared, or is no longer what was, is prepared anew when it is asked again."""
        is_unprepared = asked.answer is None and result.status != ExecStatus.COMMAND_OK
        is_stale = result.status == ExecStatus.FATAL_ERROR and result.error_field(DiagnosticField.SQLSTATE) in STALE
        if asked.key and (is_unprepared or is_stale):
            self._prepared.pop(asked.key, None)

    def _take(self, asked: Asked, result: PGresult) -> None:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result, encoding=self._adapter.encoding)
        if asked.answer is not None:
            asked.answer.take(result, self._adapter)
