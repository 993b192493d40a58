"""What only a server can show: several processes on one store, its schemas, what it is stricter about than a file."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select
from sqlalchemy.exc import InternalError, OperationalError
from tests.postgresql import PASSWORD, STORES, Server
from tests.store.test_database import BRANCHES, union

from estafette.platform.tables import invoice
from estafette.store import gathered
from estafette.store import postgresql as engine_room
from estafette.store.database import Database, NewerData, open_database
from estafette.store.postgresql import WrongUrl, database_url
from estafette.store.queries import Lookup
from estafette.store.sequences import draw
from estafette.store.tables import job, sequence

Open = Callable[..., Database]


@pytest.fixture
def url(postgresql: Server) -> Iterator[Callable[[str], str]]:
    """Give how to reach a schema of an empty database."""
    name = postgresql.fresh()
    yield lambda schema: postgresql.url(name, schema)
    postgresql.drop(name)


@pytest.fixture
def opens() -> Iterator[Open]:
    """Give what opens a store, closed at the end."""
    made: list[Database] = []

    def open_one(url: str, *branches: str) -> Database:
        made.append(open_database(url, branches or ("shared",)))
        return made[-1]

    yield open_one
    for database in made:
        database.close()


def test_processes_that_start_at_once_make_the_schema_once(url: Callable[[str], str], opens: Open) -> None:
    """Several that open a store which is not there yet all find it whole."""
    with ThreadPoolExecutor(6) as several:
        opened = list(several.map(lambda _number: opens(url("platform_a"), "shared", "platform"), range(6)))
    for database in opened:
        with database.begin() as connection:
            draw(connection, "x")
    with opened[0].begin() as connection:
        assert draw(connection, "x") == 7


def test_the_migrations_make_what_the_code_says(url: Callable[[str], str], opens: Open) -> None:
    """The schema the migrations make has no difference with the tables that the rooms declare, all together."""
    with opens(url("whole"), *BRANCHES).read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, union(*BRANCHES.values())) == []


def test_writers_of_several_processes_take_turns(url: Callable[[str], str], opens: Open) -> None:
    """Each reads, then writes what it read plus one, through a connection of its own: no addition is lost."""
    several = [opens(url("platform_a")) for _ in range(4)]

    def add(database: Database) -> None:
        for _ in range(15):
            with database.begin() as connection:
                draw(connection, "flow")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, several))
    with several[0].begin() as connection:
        assert draw(connection, "flow") == 61


def test_two_actors_of_one_database_do_not_wait_for_each_other(url: Callable[[str], str], opens: Open) -> None:
    """While one actor writes, another does, in its own schema, and neither sees the other's rows."""
    first, second = opens(url("platform_a")), opens(url("platform_b"))
    with first.begin() as held:
        draw(held, "flow")
        with second.begin() as connection:
            assert draw(connection, "flow") == 1


def looked_ahead(connection: Connection) -> None:
    """Several things were asked in one round trip."""
    with Lookup.at_once(connection):
        for lookup in (DRAWN, DONE):
            lookup.ahead(connection, [{"name": "flow"}])


DRAWN = Lookup(select(sequence.c.value), {"name": sequence.c.name})
DONE = Lookup(select(job.c.id), {"name": job.c.key})


@pytest.mark.parametrize("last", [lambda _connection: None, looked_ahead, gathered.flush])
def test_one_that_hangs_in_a_transaction_is_cut_off(
    url: Callable[[str], str], opens: Open, monkeypatch: pytest.MonkeyPatch, last: Callable[[Connection], None]
) -> None:
    """A process that goes silent inside a transaction loses it, whatever it did last, and the others write."""
    monkeypatch.setattr(engine_room, "IDLE_S", 1)
    first, second = opens(url("platform_a")), opens(url("platform_a"))
    done = threading.Event()

    def write() -> None:
        with second.begin() as connection:
            draw(connection, "flow")
        done.set()

    with pytest.raises((OperationalError, InternalError)), first.begin() as hanging:
        draw(hanging, "flow")
        last(hanging)
        threading.Thread(target=write).start()
        assert done.wait(30)
    with second.begin() as connection:
        assert draw(connection, "flow") == 2


def test_a_reading_cannot_write(url: Callable[[str], str], opens: Open) -> None:
    """A snapshot is for reading: the server refuses anything else."""
    database = opens(url("platform_a"))
    with pytest.raises(InternalError, match="read-only"), database.read() as connection:
        draw(connection, "flow")
    with database.begin() as connection:
        assert draw(connection, "flow") == 1


def test_a_text_has_no_length(url: Callable[[str], str], opens: Open) -> None:
    """What a file keeps, a server keeps: limits are checked at the door, where the answer can be clear."""
    database = opens(url("platform_a"))
    with database.begin() as connection:
        draw(connection, "n" * 5000)
    kinds = {column.type.compile(dialect=database.engine.dialect) for column in invoice.columns}
    assert {kind for kind in kinds if "CHAR" in kind} == set()


def test_an_amount_is_exact(url: Callable[[str], str], opens: Open) -> None:
    """A decimal comes back as it was written, and compares as a number."""
    table = sa.Table("kept", sa.MetaData(), sa.Column("amount", type(invoice.c.total_with_vat.type)))
    database = opens(url("platform_a"))
    with database.begin() as connection:
        table.create(connection)
        for amount in ("9.10", "10.12345678901", "-0.01"):
            connection.execute(table.insert().values(amount=Decimal(amount)))
    with database.read() as connection:
        held = connection.execute(sa.select(table.c.amount).order_by(table.c.amount)).scalars().all()
    assert held == [Decimal("-0.01"), Decimal("9.10"), Decimal("10.12345678901")]


def test_newer_data_are_refused(url: Callable[[str], str], opens: Open) -> None:
    """Data of a newer version are refused by the name of what is not known, and nothing is changed."""
    database = opens(url("platform_a"))
    with database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('shared0099')")
    with pytest.raises(NewerData, match="shared0099"):
        opens(url("platform_a"), "shared", "platform")
    with database.read() as connection:
        assert "invoice" not in sa.inspect(connection).get_table_names()


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("mysql://u:secret@h/d", "mysql"),
        ("postgresql://u:secret@h/d?schema=Drop me", "schema"),
        ("postgresql://u:secret@h:port/d", "postgresql"),
        ("nothing:secret", "postgresql"),
    ],
)
def test_a_wrong_url_is_told_without_its_password(written: str, why: str) -> None:
    """What cannot be used is named, and the password is not."""
    with pytest.raises(WrongUrl, match=why) as told:
        database_url(written)
    assert "secret" not in str(told.value)


def test_a_password_is_in_no_message(url: Callable[[str], str]) -> None:
    """A server that does not answer is named without what one enters by."""
    nobody = url("platform_a").replace("host=", "host=/nowhere")
    with pytest.raises(OperationalError) as told:
        open_database(nobody, ("shared",))
    assert PASSWORD not in str(told.value)


def test_every_actor_has_a_schema_in_the_worlds() -> None:
    """The stores that the tests make in advance are those of the whole system."""
    from estafette.circuit.network import SEATS

    assert set(STORES) == {seat.name.replace("-", "_") for seat in SEATS}


def test_a_table_that_grew_is_looked_at(url: Callable[[str], str], opens: Open) -> None:
    """Once what a table holds has doubled, the server plans by what it holds now; not when little changed."""
    one = opens(url("platform_a"))

    def grow(count: int, mark: str) -> None:
        with one.begin() as connection:
            rows = [{"name": f"{mark}{number}", "value": number} for number in range(count)]
            connection.execute(sa.insert(sequence), rows)
            connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")

    grow(engine_room.GROWN_MIN // 2, "a")
    assert one.weigh_grown() == []
    grow(engine_room.GROWN_MIN, "b")
    assert one.weigh_grown() == ["sequence"]
    with one.read() as connection:
        known = sa.text("SELECT reltuples FROM pg_class WHERE oid = 'sequence'::regclass")
        assert connection.execute(known).scalar_one() == engine_room.GROWN_MIN * 3 // 2
    grow(engine_room.GROWN_MIN, "c")
    assert one.weigh_grown() == []


def test_a_file_has_nothing_to_look_at(tmp_path: Path) -> None:
    """SQLite plans by the indexes alone."""
    database = open_database(tmp_path / "records.sqlite", ("shared",))
    assert database.weigh_grown() == []
    database.close()
