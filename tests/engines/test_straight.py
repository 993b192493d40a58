"""What is asked of PostgreSQL straight: what it does when something fails half-way, and when the tables change."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing

import pytest
from sqlalchemy import Connection, bindparam, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from tests.postgresql import Server

from estafette.store.database import Database, open_database
from estafette.store.postgresql import Undone
from estafette.store.queries import Lookup, Query
from estafette.store.sequences import draw
from estafette.store.statements import Command, at_once, straight_of
from estafette.store.straight import numbered
from estafette.store.tables import sequence

VALUES = Query(select(sequence.c.value).where(sequence.c.name == bindparam("which")))
ADDED = Command(insert(sequence), ("name", "value"))
BY_NAME = Lookup(select(sequence.c.value), {"name": sequence.c.name})


@pytest.fixture
def name(postgresql: Server) -> Iterator[str]:
    """Give an empty database."""
    name = postgresql.fresh()
    yield name
    postgresql.drop(name)


@pytest.fixture
def database(postgresql: Server, name: str) -> Iterator[Database]:
    """Give a store."""
    with closing(open_database(postgresql.url(name), ("shared",), threaded=False)) as database:
        yield database


@pytest.fixture
def cut(postgresql: Server) -> Callable[[int], None]:
    """Give what has the server cut a connection off, known by its process."""
    return lambda pid: postgresql.run(f"SELECT pg_terminate_backend({pid}, 10000)")


def process_of(connection: Connection) -> int:
    """Return the process of the server that a connection is."""
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_parameters_are_numbered_as_they_come() -> None:
    """One named twice has one number; what is no parameter stays, a doubled per cent sign as one."""
    assert numbered("SELECT %(b)s::TEXT, %(a)s, %(b)s LIKE '10 %%'") == (
        b"SELECT $1::TEXT, $2, $1 LIKE '10 %'",
        ("b", "a"),
    )


def test_what_failed_half_way_leaves_a_connection_that_can_be_asked(database: Database) -> None:
    """Of several things sent together one is refused, another cannot even be written: the next are answered."""
    with pytest.raises(IntegrityError), database.begin() as connection:
        ADDED.run(connection, [{"name": "a", "value": 1}])
        ADDED.run(connection, [{"name": "a", "value": 2}])
        VALUES.values(connection, which="a")
    with pytest.raises(DBAPIError, match="NUL"), database.begin() as connection, Lookup.at_once(connection):
        BY_NAME.ahead(connection, [{"name": "a"}])
        BY_NAME.ahead(connection, [{"name": "no \0 text"}])
    with database.begin() as connection:
        ADDED.run(connection, [{"name": "a", "value": 3}])
        assert VALUES.values(connection, which="a") == [3]


def test_a_fault_that_nobody_minded_is_not_committed_in_silence(database: Database) -> None:
    """The server would undo the transaction when asked to commit it: whoever wrote is told."""
    with pytest.raises(Undone), database.begin() as connection:
        draw(connection, "a")
        with pytest.raises(IntegrityError):
            for value in (1, 2):
                ADDED.run(connection, [{"name": "b", "value": value}])
                VALUES.values(connection, which="b")
    with database.begin() as connection:
        assert draw(connection, "a") == 1


def test_a_statement_is_prepared_anew_when_its_table_changed(database: Database, postgresql: Server, name: str) -> None:
    """Another process migrates while this one lives: what was prepared fails once, and no more."""
    with database.begin() as connection:
        draw(connection, "a")
    with database.glance() as connection:
        assert VALUES.values(connection, which="a") == [1]
        with (
            closing(open_database(postgresql.url(name), ("shared",), threaded=False)) as other,
            other.begin() as changing,
        ):
            changing.execute(text("ALTER TABLE sequence ALTER COLUMN value TYPE bigint"))
        with pytest.raises(DBAPIError, match="cached plan"):
            VALUES.values(connection, which="a")
        assert VALUES.values(connection, which="a") == [1]


def test_only_so_many_stay_prepared(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one asked longest ago gives way, also while it is asked with others; each is answered."""
    monkeypatch.setattr("estafette.store.straight.PREPARED_MAX", 3)
    prepared = Query(select(text("count(*) AS count")).select_from(text("pg_prepared_statements")))
    queries = [Query(select(bindparam("value", type_=sequence.c.value.type) + number)) for number in range(6)]
    with database.begin() as connection:
        for _ in range(2):
            for number, query in enumerate(queries):
                assert query.values(connection, value=10) == [10 + number]
            with at_once(connection, several=True):
                straight = straight_of(connection)
                assert straight is not None
                cursors = [straight.cursor() for _ in queries]
                for cursor, query in zip(cursors, queries, strict=True):
                    query.ask(connection, cursor, {"value": 20})
            assert [cursor.fetchall() for cursor in cursors] == [[(20 + number,)] for number in range(6)]
        assert prepared.value(connection) <= 3


def test_one_that_is_interrupted_is_not_used_again(database: Database) -> None:
    """Answers that were not waited for would be taken for those of what is asked next."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt), database.begin() as connection:
            straight = straight_of(connection)
            assert straight is not None
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with at_once(connection, several=True):
                straight.cursor().execute("SELECT pg_sleep(20)")
                straight.cursor().execute("SELECT pg_sleep(20)")
    finally:
        signal.signal(signal.SIGALRM, before)
    with database.begin() as connection:
        assert draw(connection, "a") == 1


def test_a_server_that_went_away_is_told_as_the_store_tells(database: Database, cut: Callable[[int], None]) -> None:
    """What was read before is read; what is asked after is refused; the next reader is served."""
    with database.read() as connection:
        cut(process_of(connection))
    with pytest.raises(OperationalError), database.read() as connection:
        cut(process_of(connection))
        VALUES.values(connection, which="a")
    with database.read() as connection:
        assert VALUES.values(connection, which="a") == []


@pytest.mark.parametrize("opened", [Database.read, Database.begin])
def test_a_connection_that_died_in_the_pool_is_told_as_the_store_tells(
    database: Database, cut: Callable[[int], None], opened: Callable[[Database], AbstractContextManager[Connection]]
) -> None:
    """Whoever takes it next is refused once, as when a server is away; the next is served."""
    database._writing.close()
    with database.read() as connection:
        pid = process_of(connection)
    cut(pid)
    with pytest.raises(OperationalError), opened(database):
        """It is not reached."""
    with opened(database) as connection:
        assert VALUES.values(connection, which="a") == []
