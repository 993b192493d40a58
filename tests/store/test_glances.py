"""One thing asked of the records, outside any transaction."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, insert, select

from estafette.store import glances
from estafette.store.database import Database
from estafette.store.queries import Query
from estafette.store.tables import sequence

NAMES = Query(select(sequence.c.name).order_by(sequence.c.name))


def _write(database: Database, name: str) -> None:
    with database.begin() as connection:
        connection.execute(insert(sequence).values(name=name, value=1))


def test_each_statement_sees_what_is_committed(database: Database) -> None:
    """There is no snapshot: neither from one glance to the next nor within one, however it is asked."""
    for name in ("a", "b"):
        _write(database, name)
        with database.glance() as connection:
            assert NAMES.values(connection)[-1] == name
            assert list(connection.execute(NAMES.statement).scalars())[-1] == name
    with database.glance() as connection:
        assert NAMES.values(connection) == ["a", "b"]
        _write(database, "c")
        assert NAMES.values(connection) == ["a", "b", "c"]


def test_a_connection_serves_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few are kept for a moment, whatever was raised meanwhile; one that was lost, or left alone for long, is not."""
    taken: list[object] = []
    event.listen(database.engine, "checkout", lambda raw, *_: taken.append(raw))
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), database.glance() as connection:
            NAMES.values(connection)
            raise ZeroDivisionError
    assert len(taken) == 1
    with database.glance() as connection:
        connection.invalidate()
    with database.glance() as connection:
        NAMES.values(connection)
    assert len(taken) == 2
    monkeypatch.setattr(glances, "KEPT_S", 0.0)
    with database.glance() as connection:
        NAMES.values(connection)
    assert len(taken) == 3


def test_no_more_are_kept_than_a_few(database: Database) -> None:
    """Those asked for at once beyond that go back to the pool."""
    held = [database.glance() for _ in range(glances.KEPT_MAX + 2)]
    for one in held:
        NAMES.values(one.__enter__())
    for one in held:
        one.__exit__(None, None, None)
    assert len(database._glances._kept) == glances.KEPT_MAX


def test_many_threads_ask_at_once(database: Database) -> None:
    """Whoever finds that another took the last one opens its own."""

    def ask(_number: int) -> list[str]:
        with database.glance() as connection:
            return NAMES.values(connection)

    _write(database, "a")
    with ThreadPoolExecutor(8) as several:
        assert list(several.map(ask, range(400))) == [["a"]] * 400
