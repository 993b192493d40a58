"""Writes of one kind travel in company: asked at once, each with its own answer and its own trouble."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from estafette.store import gathered
from estafette.store.company import InCompany
from estafette.store.database import Database, open_database
from estafette.store.tables import sequence
from estafette.store.writer import TOGETHER_MAX

WHO: ContextVar[str] = ContextVar("who", default="")


class Desk:
    """Writes what it is asked, and notes in whose company."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.asked_ahead: list[list[str]] = []
        self.writing = InCompany(database, self.each, self.ahead)

    def ahead(self, _connection: Connection, some: Sequence[str]) -> None:
        """Note who travels together."""
        self.asked_ahead.append(list(some))

    def each(self, connection: Connection, name: str) -> str:
        """Write one; a name that begins with a mark cannot be written."""
        if name.startswith("!"):
            raise ValueError(name)
        gathered.add(connection, sequence, {"name": name, "value": len(name)})
        return f"{name} of {WHO.get()}"

    async def ask(self, name: str) -> str | Exception:
        """Return what is answered."""
        WHO.set(name.upper())
        try:
            return await self.writing.write(name)
        except ValueError as fault:
            return fault

    def names(self) -> list[str]:
        """Return what is written."""
        with self.database.read() as connection:
            return list(connection.execute(select(sequence.c.name).order_by(sequence.c.name)).scalars())


@pytest.fixture(params=["new_sqlite_store", "new_postgresql_store", "threaded"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give a store that writes where it is asked, on each engine, or in the thread of its writer."""
    if request.param == "threaded":
        made = open_database(tmp_path / "records.sqlite", ("shared",))
    else:
        made = request.getfixturevalue(request.param)()
    yield made
    made.close()


async def _all(desk: Desk, names: Sequence[str]) -> list[str | Exception]:
    return await asyncio.gather(*map(desk.ask, names))


def test_what_waits_together_is_asked_at_once(store: Database) -> None:
    """Each has its answer, in the name of who asked; what comes later travels later."""
    desk = Desk(store)
    assert asyncio.run(_all(desk, "abc")) == ["a of A", "b of B", "c of C"]
    assert asyncio.run(_all(desk, "d")) == ["d of D"]
    assert desk.names() == list("abcd")
    assert desk.asked_ahead == [["a", "b", "c"], ["d"]]


def test_trouble_stays_with_the_one_that_has_it(store: Database) -> None:
    """The others are written, and only once."""
    desk = Desk(store)
    answers = asyncio.run(_all(desk, ["a", "!b", "c"]))
    assert (answers[0], str(answers[1]), answers[2]) == ("a of A", "!b", "c of C")
    assert desk.names() == ["a", "c"]


def test_one_that_goes_away_leaves_the_others(store: Database) -> None:
    """A request that is cancelled, its client gone, keeps nobody from being written."""
    desk = Desk(store)

    async def story() -> str | Exception:
        leaving, staying = asyncio.create_task(desk.ask("a")), asyncio.create_task(desk.ask("b"))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(story()) == "b of B"
    assert "b" in desk.names()


def test_no_more_travel_together_than_a_commit_takes(store: Database) -> None:
    """Those beyond make the next batch."""
    desk, names = Desk(store), [f"n{number:03d}" for number in range(TOGETHER_MAX + 2)]
    asyncio.run(_all(desk, names))
    assert desk.names() == names
    assert [len(some) for some in desk.asked_ahead] == [TOGETHER_MAX, 2]


@pytest.mark.parametrize(("lost", "tries"), [(True, 1), (False, 3)])
def test_what_may_be_written_is_not_written_again(
    store: Database, monkeypatch: pytest.MonkeyPatch, lost: bool, tries: int
) -> None:
    """A connection lost at the commit leaves it unknown: who asked is told, and may ask again by the same name."""
    desk, tried = Desk(store), list[bool]()
    fault = OperationalError("COMMIT", None, Exception("gone"), connection_invalidated=lost)

    async def write(_apply: object, **_how: bool) -> None:
        tried.append(True)
        raise fault

    monkeypatch.setattr(store, "write", write)

    async def story() -> list[object]:
        return await asyncio.gather(*map(desk.writing.write, "ab"), return_exceptions=True)

    assert asyncio.run(story()) == [fault, fault]
    assert len(tried) == tries


def test_one_alone_is_tried_once(new_sqlite_store: Callable[[], Database]) -> None:
    """Its fault is its own: there is nobody else to leave out."""
    store, tried = new_sqlite_store(), list[str]()

    def fail(_connection: Connection, name: str) -> str:
        tried.append(name)
        raise ValueError(name)

    with pytest.raises(ValueError, match="a"):
        asyncio.run(InCompany(store, fail, Desk(store).ahead).write("a"))
    store.close()
    assert tried == ["a"]
