"""What several write at once is committed at once, each whole or absent."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from estafette.store import gathered, writer
from estafette.store.database import Database, Settled, open_database
from estafette.store.sequences import draw
from estafette.store.tables import sequence
from estafette.store.writer import TOGETHER_MAX


@pytest.fixture
def threaded(tmp_path: Path) -> Iterator[Database]:
    """Give a store whose writes go to its writer."""
    database = open_database(tmp_path / "records.sqlite", ("shared",))
    yield database
    database.close()


def commits(database: Database) -> list[str]:
    """Return a list that grows by one with each commit."""
    seen: list[str] = []
    event.listen(database.engine, "commit", lambda _connection: seen.append("commit"))
    return seen


def number(database: Database, name: str) -> int:
    """Return the next number of a counter, which is one more than were drawn."""
    with database.begin() as connection:
        return draw(connection, name)


def test_a_write_answers_what_it_returns(threaded: Database) -> None:
    """Whoever asked gets the value, after it is committed."""
    assert asyncio.run(threaded.write(lambda connection: draw(connection, "a"))) == 1
    assert number(threaded, "a") == 2


def test_writes_that_wait_are_committed_together(threaded: Database) -> None:
    """While the writer is held, many ask: they are one commit, up to the most that go together."""
    held = threading.Event()
    seen = commits(threaded)

    def hold(connection: Connection) -> int:
        held.wait(10)
        return draw(connection, "a")

    async def many() -> list[int]:
        first = asyncio.create_task(threaded.write(hold))
        await asyncio.sleep(0)
        rest = [asyncio.create_task(threaded.write(lambda c: draw(c, "a"))) for _ in range(TOGETHER_MAX)]
        await asyncio.sleep(0)
        held.set()
        return [await first, *await asyncio.gather(*rest)]

    assert asyncio.run(many()) == list(range(1, TOGETHER_MAX + 2))
    assert len(seen) <= 3


def assert_alone_fails(threaded: Database, fail: Callable[[Connection], None]) -> None:
    """Of three writes asked together, the one between two others is told its fault, and they stand."""

    async def both() -> list[object]:
        asked = [threaded.write(lambda c: draw(c, "a")), threaded.write(fail), threaded.write(lambda c: draw(c, "a"))]
        return await asyncio.gather(*asked, return_exceptions=True)

    first, failed, last = asyncio.run(both())
    assert (first, last) == (1, 2)
    assert isinstance(failed, LookupError)


def test_one_that_fails_harms_no_other(threaded: Database) -> None:
    """A write that raises is undone and told to whoever asked; those committed with it stand."""

    def fail(connection: Connection) -> None:
        draw(connection, "a")
        raise LookupError("mine")

    assert_alone_fails(threaded, fail)


def test_what_one_leaves_behind_harms_no_other(threaded: Database) -> None:
    """A write that raises with rows noted that cannot be written: they are dropped with it, and the others stand."""

    def fail(connection: Connection) -> None:
        for _ in range(2):
            gathered.add(connection, sequence, {"name": "same", "value": 1})
        raise LookupError("mine")

    assert_alone_fails(threaded, fail)
    assert number(threaded, "a") == 3


def test_a_commit_that_fails_is_told_to_all(threaded: Database) -> None:
    """When what they name cannot be made durable, nothing is written and everyone knows."""

    class Full:
        def look_ahead(self, _connection: Connection) -> None: ...

        def settle(self, _connection: Connection) -> Settled:
            raise OSError(28, "No space left on device")

    threaded.settling = Full()
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(threaded.write(lambda connection: draw(connection, "a")))
    threaded.settling = None
    assert number(threaded, "a") == 1


def test_closing_commits_what_was_asked(tmp_path: Path) -> None:
    """A store that is closed has first written what it was asked."""
    database = open_database(tmp_path / "records.sqlite", ("shared",))

    async def ask() -> None:
        asked = asyncio.create_task(database.write(lambda connection: draw(connection, "a")))
        await asyncio.sleep(0)
        database.close()
        await asked

    asyncio.run(ask())
    after = open_database(tmp_path / "records.sqlite", ("shared",))
    assert number(after, "a") == 2
    after.close()


def test_what_is_urgent_goes_before_the_rest_and_not_for_ever(threaded: Database) -> None:
    """Of what waits the urgent is committed first, then the rest has its turn though more that is urgent came."""
    held, order = threading.Event(), list[str]()

    async def many() -> None:
        first = asyncio.create_task(threaded.write(lambda _c: held.wait(10)))
        await asyncio.sleep(0)
        asked = [asyncio.create_task(threaded.write(lambda _c: order.append("rest"))) for _ in range(2)]
        asked += [
            asyncio.create_task(threaded.write(lambda _c: order.append("urgent"), urgent=True))
            for _ in range(TOGETHER_MAX + 2)
        ]
        await asyncio.sleep(0)
        held.set()
        await asyncio.gather(first, *asked)

    asyncio.run(many())
    assert order == ["urgent"] * TOGETHER_MAX + ["rest"] * 2 + ["urgent"] * 2


def test_a_commit_that_has_taken_long_leaves_the_rest_to_the_next(
    threaded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its time is over after each write, each is a commit of its own, in order, and none is lost."""
    monkeypatch.setattr(writer, "COMMIT_S", -1.0)
    held, seen = threading.Event(), commits(threaded)

    def hold(connection: Connection) -> int:
        held.wait(10)
        return draw(connection, "a")

    async def many() -> list[int]:
        asked = [asyncio.create_task(threaded.write(hold)) for _ in range(5)]
        await asyncio.sleep(0)
        held.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(many()) == [1, 2, 3, 4, 5]
    assert len(seen) == 5
