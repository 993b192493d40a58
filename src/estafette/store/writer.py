"""The one writer of a store: what several want to write at once is committed at once.

A commit waits for the disk, a few milliseconds whatever it holds. So writes are given to one thread, which takes all
that wait, applies them one after the other and commits them together. When one raises, all are undone and applied
again, each in a savepoint of its own: each is whole or absent, and one that fails harms no other. So a write may be
applied twice, and touches nothing but its connection. Whoever asked is answered after the commit; the event loop never
waits for the disk.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from estafette.store import gathered, measures

TOGETHER_MAX = 64
"""Writes in one commit: enough to share the disk, few enough that nobody waits long for the others."""

Written = TypeVar("Written")
Begin = Callable[..., AbstractContextManager[Connection]]
_Outcome = tuple[Any, BaseException | None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A write, whether it must outlive a power cut, and who waits for it."""

    apply: Callable[[Connection], Any]
    durable: bool
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]

    def tell(self, value: Any, fault: BaseException | None) -> None:
        """Answer, in the loop that asked; one that is gone, or asks no more, is not told."""
        try:
            self.loop.call_soon_threadsafe(self._tell, value, fault)
        except RuntimeError:  # the loop is closed
            return

    def _tell(self, value: Any, fault: BaseException | None) -> None:
        if self.answer.done():
            return
        if fault is None:
            self.answer.set_result(value)
        else:
            self.answer.set_exception(fault)


class Writer:
    """Commits what is asked of it, in the order it was asked, until closed."""

    def __init__(self, begin: Begin, committed: Callable[[int, float], None] = lambda _writes, _seconds: None) -> None:
        self._begin = begin
        self._committed = committed
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def write(self, apply: Callable[[Connection], Written], *, durable: bool) -> Written:
        """What `apply` writes is committed; returns what it returns. Raises: what it raises, and nothing is written."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Written] = loop.create_future()
        self._asked.put(_Asked(apply, durable, loop, answer))
        return await answer

    @property
    def lives(self) -> bool:
        """Tell whether its thread runs, or was not needed yet."""
        return self._thread is None or self._thread.is_alive()

    def close(self) -> None:
        """Everything asked before is committed, and nothing more will be."""
        if self._thread is not None:
            self._asked.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (first := self._asked.get()) is not None:
            together, last = self._waiting(first)
            self._commit(together)
            if last:
                return

    def _waiting(self, first: _Asked) -> tuple[list[_Asked], bool]:
        """Take what waits already, up to the most that go together; tell whether nothing more will come."""
        together = [first]
        while len(together) < TOGETHER_MAX:
            try:
                asked = self._asked.get_nowait()
            except queue.Empty:
                break
            if asked is None:
                return together, True
            together.append(asked)
        return together, False

    def _commit(self, together: list[_Asked]) -> None:
        durable, start = any(asked.durable for asked in together), time.perf_counter()
        try:
            outcomes = self._all(together, durable=durable)
        except Exception as fault:
            outcomes = [(None, fault)] if len(together) == 1 else self._each(together, durable=durable)
        self._committed(len(together), time.perf_counter() - start)
        for asked, (value, raised) in zip(together, outcomes, strict=True):
            asked.tell(value, raised)

    def _all(self, together: list[_Asked], *, durable: bool) -> list[_Outcome]:
        with self._begin(durable=durable) as connection:
            return [(asked.apply(connection), None) for asked in together]

    def _each(self, together: list[_Asked], *, durable: bool) -> list[_Outcome]:
        try:
            with self._begin(durable=durable) as connection:
                return [_attempt(connection, asked.apply) for asked in together]
        except Exception as fault:
            return [(None, fault)] * len(together)


def _attempt(connection: Connection, apply: Callable[[Connection], Any]) -> _Outcome:
    """Apply one write in a savepoint of its own; what it raises is its own too."""
    mark = measures.mark(connection)
    try:
        with connection.begin_nested():
            value = apply(connection)
            gathered.flush(connection)
            return value, None
    except Exception as fault:
        gathered.begin(connection)  # what it had gathered and remembered is undone with it
        measures.undo(connection, mark)
        return None, fault
