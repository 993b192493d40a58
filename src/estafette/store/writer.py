"""The one writer of a store: what several want to write at once is committed at once.

A commit waits for the disk, a few milliseconds whatever it holds. So writes are given to one thread, which takes all
that wait, applies them one after the other and commits them together. When one raises, all are undone and applied
again, each in a savepoint of its own: each is whole or absent, and one that fails harms no other. So a write may be
applied twice, and touches nothing but its connection. Whoever asked is answered after the commit; the event loop never
waits for the disk.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from estafette.store import gathered, measures

TOGETHER_MAX = 64
"""Writes in one commit: enough to share the disk, few enough that nobody waits long for the others."""

COMMIT_S = 0.02
"""How long the writes of one commit may take to apply before those left wait for the next: an answer to a request waits
for the commit before its own (ours; the promise is 100 ms)."""

Written = TypeVar("Written")
Begin = Callable[..., AbstractContextManager[Connection]]
_Outcome = tuple[Any, BaseException | None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A write, whether it must outlive a power cut, whether a request waits for it, and who is to be answered."""

    apply: Callable[[Connection], Any]
    durable: bool
    urgent: bool
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]

    def tell(self, value: Any, fault: BaseException | None) -> None:
        """Answer, in the loop that asked; one that asks no more is not told."""
        if self.answer.done():
            return
        if fault is None:
            self.answer.set_result(value)
        else:
            self.answer.set_exception(fault)


class Writer:
    """Commits what is asked of it, in the order it was asked, what is urgent apart, until closed."""

    def __init__(self, begin: Begin, committed: Callable[[int, float], None] = lambda _writes, _seconds: None) -> None:
        self._begin = begin
        self._committed = committed
        self._urgent: deque[_Asked] = deque()
        self._rest: deque[_Asked] = deque()
        self._ready = threading.Condition()
        self._closed = False
        self._was_urgent = False
        self._thread: threading.Thread | None = None

    async def write(self, apply: Callable[[Connection], Written], *, durable: bool, urgent: bool = False) -> Written:
        """What `apply` writes is committed; returns what it returns. Raises: what it raises, and nothing is written.

        What is `urgent`, since somebody waits for the answer, goes before what is not.
        """
        if self._thread is None:
            self._closed = False
            self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Written] = loop.create_future()
        with self._ready:
            (self._urgent if urgent else self._rest).append(_Asked(apply, durable, urgent, loop, answer))
            self._ready.notify()
        return await answer

    @property
    def lives(self) -> bool:
        """Tell whether its thread runs, or was not needed yet."""
        return self._thread is None or self._thread.is_alive()

    def close(self) -> None:
        """Everything asked before is committed, and nothing more will be."""
        if self._thread is not None:
            with self._ready:
                self._closed = True
                self._ready.notify()
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while together := self._next():
            self._commit(together)

    def _next(self) -> list[_Asked]:
        """Wait for what is to be committed now; nothing, when nothing more will come.

        What is urgent goes before the rest, but never twice in a row while the rest waits.
        """
        with self._ready:
            self._ready.wait_for(lambda: self._urgent or self._rest or self._closed)
            is_turn = bool(self._urgent) and not (self._was_urgent and self._rest)
            self._was_urgent = is_turn
            chosen = self._urgent if is_turn else self._rest
            return [chosen.popleft() for _ in range(min(len(chosen), TOGETHER_MAX))]

    def _commit(self, together: list[_Asked]) -> None:
        durable, start = any(asked.durable for asked in together), time.perf_counter()
        try:
            outcomes = self._all(together, durable=durable)
        except Exception as fault:
            outcomes = [(None, fault)] if len(together) == 1 else self._each(together, durable=durable)
        if left := together[len(outcomes) :]:
            with self._ready:
                self._rest.extendleft(reversed(left))
        self._committed(len(outcomes), time.perf_counter() - start)
        answers = list(zip(together, outcomes, strict=False))
        for loop in {asked.loop for asked, _ in answers}:
            _tell(loop, [one for one in answers if one[0].loop is loop])

    def _all(self, together: list[_Asked], *, durable: bool) -> list[_Outcome]:
        """Apply them and commit; those left when `COMMIT_S` is over go with the next commit."""
        until = time.perf_counter() + COMMIT_S
        outcomes: list[_Outcome] = []
        with self._begin(durable=durable) as connection:
            for asked in together:
                outcomes.append((asked.apply(connection), None))
                if time.perf_counter() > until and not asked.urgent:
                    break
        return outcomes

    def _each(self, together: list[_Asked], *, durable: bool) -> list[_Outcome]:
        try:
            with self._begin(durable=durable) as connection:
                return [_attempt(connection, asked.apply) for asked in together]
        except Exception as fault:
            return [(None, fault)] * len(together)


def _tell(loop: asyncio.AbstractEventLoop, answers: list[tuple[_Asked, _Outcome]]) -> None:
    """Answer those that this loop asked, all at once; a loop that is gone is not told."""

    def tell() -> None:
        for asked, outcome in answers:
            asked.tell(*outcome)

    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:  # the loop is closed
        return


def _attempt(connection: Connection, apply: Callable[[Connection], Any]) -> _Outcome:
    """Apply one write in a savepoint of its own; what it raises is its own too."""
    mark = measures.mark(connection)
    try:
        with connection.begin_nested():
            value = apply(connection)
            gathered.flush(connection)
            gathered.confirmed(connection)
            return value, None
    except Exception as fault:
        gathered.begin(connection)  # what it had gathered and remembered is undone with it
        measures.undo(connection, mark)
        return None, fault
