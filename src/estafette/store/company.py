"""Writes of one kind that travel in company: those that wait together ask the records once for what each will ask.

The first opens a batch and asks the writer for it; others join until the writer comes to it, as many as a commit takes.
When the batch fails, each is written by itself: trouble stays with the one that has it.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from typing import Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from estafette.store import gathered
from estafette.store.database import Database
from estafette.store.writer import TOGETHER_MAX

Asked = TypeVar("Asked")
Written = TypeVar("Written")


class _Batch(Generic[Asked]):
    """What travels together, each with the context it was asked in; closed when it is first applied."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._members: list[tuple[Context, Asked]] = []
        self._is_open = True
        self._lock = threading.Lock()

    def join(self, asked: Asked) -> int | None:
        """Return the place of one more; None when the batch is closed."""
        with self._lock:
            if not self._is_open or len(self._members) == TOGETHER_MAX:
                return None
            self._members.append((copy_context(), asked))
            return len(self._members) - 1

    @property
    def is_alone(self) -> bool:
        """Tell whether only one is in it."""
        return len(self._members) == 1

    def close(self) -> Sequence[tuple[Context, Asked]]:
        """Return who is in it; nobody joins any more."""
        with self._lock:
            self._is_open = False
        return self._members


def _may_be_written(fault: Exception) -> bool:
    """Tell whether the connection was lost, perhaps once the server had committed: who asked decides to ask again."""
    return isinstance(fault, DBAPIError) and fault.connection_invalidated


class InCompany(Generic[Asked, Written]):
    """Writes each asked thing with `each`, urgently, those that wait together after `ahead` for all of them."""

    def __init__(
        self,
        database: Database,
        each: Callable[[Connection, Asked], Written],
        ahead: Callable[[Connection, Sequence[Asked]], None],
    ) -> None:
        self._database = database
        self._each = each
        self._ahead = ahead
        self._batch: _Batch[Asked] | None = None
        self._written: asyncio.Task[list[Written]] | None = None

    async def write(self, asked: Asked) -> Written:
        """It is committed; returns what `each` returned. Raises: what it raises, and nothing of it is written."""
        batch, place, written = self._place(asked)
        try:
            return (await asyncio.shield(written))[place]
        except Exception as fault:
            if batch.is_alone or _may_be_written(fault):
                raise
            return await self._database.write(lambda connection: self._each(connection, asked), urgent=True)

    def _place(self, asked: Asked) -> tuple[_Batch[Asked], int, asyncio.Task[list[Written]]]:
        loop = asyncio.get_running_loop()
        if self._batch is not None and self._written is not None and self._batch.loop is loop:
            place = self._batch.join(asked)
            if place is not None:
                return self._batch, place, self._written
        batch = self._batch = _Batch(loop)
        batch.join(asked)
        self._written = loop.create_task(
            self._database.write(lambda connection: self._all(connection, batch), urgent=True)
        )
        return batch, 0, self._written

    def _all(self, connection: Connection, batch: _Batch[Asked]) -> list[Written]:
        members = batch.close()
        self._ahead(connection, [asked for _, asked in members])
        written = [context.run(self._each, connection, asked) for context, asked in members]
        gathered.look_no_further(connection)
        return written
