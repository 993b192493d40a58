"""The one writer of a store: what several want to write at once is committed at once.

A commit waits for the disk, a few milliseconds whatever it holds. So writes are given to one thread, which takes all
that wait, applies each in a savepoint of its own, and commits them together: each is whole or absent, one that fails
harms no other, and the cost of the disk is shared by as many as came meanwhile. Whoever asked is answered after the
commit; the event loop never waits for the disk.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

TOGETHER_MAX = 64
"""Writes in one commit: enough to share the disk, few enough that nobody waits long for the others."""

Written = TypeVar("Written")
Begin = Callable[..., AbstractContextManager[Connection]]


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

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
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
        outcomes: list[tuple[Any, BaseException | None]] = []
        try:
            with self._begin(durable=any(asked.durable for asked in together)) as connection:
                outcomes = [_attempt(connection, asked.apply) for asked in together]
        except Exception as fault:
            outcomes = [(None, fault)] * len(together)
        for asked, (value, raised) in zip(together, outcomes, strict=True):
            asked.tell(value, raised)


def _attempt(connection: Connection, apply: Callable[[Connection], Any]) -> tuple[Any, BaseException | None]:
    """Apply one write in a savepoint of its own; what it raises is its own too."""
    try:
        with connection.begin_nested():
            return apply(connection), None
    except Exception as fault:
        return None, fault
