"""One store: whole transactions, snapshots, and a schema that is always that of the code."""

import gc
import importlib
import pkgutil
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from tests.store.conftest import on_sqlite

import estafette
from estafette.administration.tables import metadata as administration_tables
from estafette.platform.tables import metadata as platform_tables
from estafette.portal.tables import metadata as portal_tables
from estafette.store import migrating, sqlite
from estafette.store.database import DRIVER, Database, NewerData, is_newer, open_database
from estafette.store.history import history
from estafette.store.sequences import draw
from estafette.store.tables import account, sequence
from estafette.store.tables import metadata as shared_tables

for module in pkgutil.walk_packages(estafette.__path__, "estafette."):
    if module.name.endswith("tables"):
        importlib.import_module(module.name)  # whichever module declares them, tables join those of their room

BRANCHES = {
    "shared": shared_tables,
    "platform": platform_tables,
    "portal": portal_tables,
    "administration": administration_tables,
}


def union(*parts: sa.MetaData) -> sa.MetaData:
    """Put the tables of several rooms together."""
    whole = sa.MetaData()
    for part in parts:
        for table in part.tables.values():
            table.to_metadata(whole)
    return whole


def tables(file: Path) -> set[str]:
    """Name the tables of a file."""
    connection = sqlite3.connect(file)
    try:
        return {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}
    finally:
        connection.close()


def written(folder: Path) -> dict[str, bytes]:
    """Give every file of a folder and its bytes."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_all_or_nothing(database: Database) -> None:
    """What a failing transaction wrote is not there after it."""
    with database.begin() as connection:
        draw(connection, "kept")
    with pytest.raises(InterruptedError), database.begin() as connection:
        draw(connection, "lost")
        raise InterruptedError
    with database.read() as connection:
        assert connection.execute(sa.select(sequence.c.name)).scalars().all() == ["kept"]


def test_a_reader_sees_a_snapshot(database: Database) -> None:
    """What is committed while one reads is not seen by that reading, and is by the next."""
    count = sa.select(sa.func.count()).select_from(sequence)
    with database.read() as reader:
        assert reader.execute(count).scalar_one() == 0
        with database.begin() as writer:
            draw(writer, "flow")
            assert reader.execute(count).scalar_one() == 0
        assert reader.execute(count).scalar_one() == 0
    with database.read() as reader:
        assert reader.execute(count).scalar_one() == 1


def test_writers_take_turns(database: Database) -> None:
    """Threads that read, then write what they read plus one, lose no addition: the write lock is taken at the start."""
    failures: list[BaseException] = []

    def add() -> None:
        try:
            for _ in range(10):
                with database.begin() as connection:
                    draw(connection, "flow")
        except BaseException as fault:
            failures.append(fault)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.begin() as connection:
        assert (draw(connection, "flow"), failures) == (41, [])


@on_sqlite
def test_a_receipt_survives_a_power_cut(database: Database) -> None:
    """Every connection writes ahead, synchronises fully, checks foreign keys and waits its turn."""
    with database.read() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in
                   ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")}  # fmt: skip
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000}


def test_the_engine_has_not_the_wal_bug() -> None:
    """The SQLite in use is not one of those that may corrupt a WAL on reset (3.7.0 to 3.51.2)."""
    assert DRIVER.sqlite_version_info > (3, 51, 2)


def test_the_migrations_make_what_the_code_says(tmp_path: Path) -> None:
    """The schema the migrations make has no difference with the tables that the rooms declare, all together."""
    opened = open_database(tmp_path / "records.sqlite", tuple(BRANCHES))
    with opened.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, union(*BRANCHES.values())) == []
    opened.close()


@pytest.mark.parametrize("branch", BRANCHES)
def test_an_actor_has_its_own_tables_only(tmp_path: Path, branch: str) -> None:
    """A store opened for one room has the tables every actor has and those of that room, and no other."""
    file = tmp_path / "records.sqlite"
    open_database(file, ("shared", branch)).close()
    expected = union(shared_tables) if branch == "shared" else union(shared_tables, BRANCHES[branch])
    assert tables(file) - {"alembic_version", "sqlite_sequence"} == set(expected.tables)


def test_every_branch_is_here() -> None:
    """No branch of the migrations is left out of these tests."""
    scripts = ScriptDirectory.from_config(migrating.configuration())
    assert {label for script in scripts.walk_revisions() for label in script.branch_labels} == set(BRANCHES)


def test_the_history_is_that_of_the_migrations() -> None:
    """What is read of the files says the revisions and the last of each branch as Alembic, which runs them, does."""
    scripts = ScriptDirectory.from_config(migrating.configuration())
    assert history().known == {script.revision for script in scripts.walk_revisions()}
    assert history().heads == {branch: scripts.get_revision(f"{branch}@head").revision for branch in BRANCHES}


def test_a_store_of_this_version_needs_no_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened again, whole or for a part of its tables, a store asks nothing of Alembic."""
    file = tmp_path / "records.sqlite"
    open_database(file, ("shared", "platform")).close()
    monkeypatch.setattr(migrating, "upgrade", None)
    for branches in (("shared", "platform"), ("shared",)):
        open_database(file, branches).close()
    with pytest.raises(TypeError):
        open_database(file, ("portal",))


@pytest.mark.parametrize("branch", BRANCHES)
def test_back_and_forth(tmp_path: Path, branch: str) -> None:
    """A downgrade takes away all that the upgrade made, and the upgrade can be done again."""
    file = tmp_path / "records.sqlite"
    opened = open_database(file, ("shared", branch))
    configuration = migrating.configuration()
    with opened.begin() as connection:
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, f"{branch}@base")
    opened.close()
    assert tables(file) - {"alembic_version", "sqlite_sequence"} == (
        set() if branch == "shared" else set(shared_tables.tables)
    )
    again = open_database(file, ("shared", branch))
    with again.read() as connection:
        declared = union(shared_tables) if branch == "shared" else union(shared_tables, BRANCHES[branch])
        assert compare_metadata(MigrationContext.configure(connection), declared) == []
    again.close()


@on_sqlite
def test_opening_again_changes_nothing(database: Database) -> None:
    """A store already at the version of the code is opened with its data as they are."""
    with database.begin() as connection:
        draw(connection, "flow")
    again = open_database(Path(str(database.engine.url.database)), ("shared",))
    with again.begin() as connection:
        assert draw(connection, "flow") == 2
    again.close()


def test_an_upgrade_that_fails_leaves_nothing_half_made(tmp_path: Path) -> None:
    """When one branch cannot be upgraded, those before it are not either."""
    file = tmp_path / "records.sqlite"
    with pytest.raises(CommandError):
        open_database(file, ("shared", "no such branch"))
    assert tables(file) == set()


@pytest.fixture(params=["killed", "another journal"])
def newer(new_sqlite_store: Callable[[], Database], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Give a store that a version to come has written: its last commits are in its log still, or it keeps no log."""
    database = new_sqlite_store()
    with database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('shared0099')")
    source, folder = Path(str(database.engine.url.database)), tmp_path / "newer"
    folder.mkdir()
    if request.param == "killed":
        for file in (source, source.with_name("records.sqlite-wal")):
            shutil.copy(file, folder)
        assert (folder / "records.sqlite-wal").stat().st_size > 0
    else:
        connection = sqlite3.connect(source)
        connection.execute("VACUUM INTO ?", (str(folder / source.name),))
        connection.close()
    return folder / source.name


def test_newer_data_are_refused(newer: Path) -> None:
    """Data of a newer version are refused by the name of what is not known."""
    assert is_newer(newer)
    with pytest.raises(NewerData, match="shared0099"):
        open_database(newer, ("shared", "platform"))


@pytest.mark.parametrize("look", [is_newer, lambda file: open_database(file, ("shared", "platform"))])
def test_newer_data_are_untouched(newer: Path, look: Callable[[Path], object]) -> None:
    """Neither asking nor refusing changes a byte of what a newer version wrote, nor leaves its log emptied."""
    before = written(newer.parent)
    with suppress(NewerData):
        look(newer)
    gc.collect()  # the last connection to let go of a file empties its log into it
    after = written(newer.parent)
    assert {name: after.get(name) for name in before} == before


@on_sqlite
def test_data_of_this_version_are_not_newer(database: Database) -> None:
    """What this code wrote, it opens."""
    assert not is_newer(Path(str(database.engine.url.database)))


@pytest.mark.parametrize("name", ["à l'été 100 %", "what? #1", "a b&mode=rwc"])
def test_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    """The folder of the data may have any name."""
    file = tmp_path / name / "records.sqlite"
    file.parent.mkdir()
    open_database(file, ("shared",)).close()
    assert file.exists()
    assert not is_newer(file)


def test_a_fault_says_no_value(database: Database, now: datetime) -> None:
    """What the engine says of a statement that failed holds nothing of what it carried: it goes to the log."""
    row = {"login": "ada", "password_hash": "the secret", "created_at": now}
    with database.begin() as connection:
        connection.execute(sa.insert(account).values(row))
        with pytest.raises(sa.exc.IntegrityError) as met, connection.begin_nested():
            connection.execute(sa.insert(account).values(row))
    assert "account" in str(met.value)
    assert "secret" not in str(met.value)


@on_sqlite
def test_the_connection_that_writes_is_kept(database: Database) -> None:
    """It keeps the pages it has read; what fails in it is undone, and it writes again; another thread waits."""
    seen: list[object] = []

    def write(name: str, *, fails: bool = False) -> None:
        with database.begin() as connection:
            seen.append(connection.connection.dbapi_connection)
            connection.execute(sa.insert(sequence).values(name=name, value=1))
            if fails:
                raise ZeroDivisionError

    write("a")
    with pytest.raises(ZeroDivisionError):
        write("b", fails=True)
    with pytest.raises(IntegrityError):
        write("a")
    other = threading.Thread(target=write, args=["c"])
    other.start()
    other.join()
    assert len({id(one) for one in seen}) == 1
    with database.read() as connection:
        assert list(connection.execute(sa.select(sequence.c.name)).scalars()) == ["a", "c"]


@on_sqlite
def test_a_write_that_lasts_makes_others_give_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for any store that is busy: the work is kept, and tried again later."""
    monkeypatch.setattr(sqlite, "BUSY_S", 0.01)
    with database.begin(), pytest.raises(SQLAlchemyError, match="writes for"), database.begin():
        pass
