"""A copy made of a system at work, records first and documents after, as the page for operators says, is whole."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
import structlog
import yaml
from sqlalchemy import select
from tests.api.conftest import Client, composed
from tests.api.conftest import opened as platform
from tests.objects import ObjectServer
from tests.platform.world import World, opened, service
from tests.postgresql import Server

from estafette.circuit.compose import compose
from estafette.circuit.network import SEATS, Network
from estafette.circuit.running import Running
from estafette.exchange.keys import public_text, verifies
from estafette.store.database import DRIVER
from estafette.store.objects import ObjectPacks
from estafette.store.tables import document
from estafette.store.verification import verify


@pytest.fixture
def world() -> Iterator[World]:
    """Give a system at work, its records in files."""
    with opened(engine="sqlite") as world:
        yield world


def test_a_copy_of_a_store_at_work_is_whole(world: World, tmp_path: Path) -> None:
    """What was deposited before the copy is there with every document; what came between its parts does no harm."""
    world.deposit(service("BACKUP-1"))
    home = world.running["platform-a"].actor
    held = tmp_path / "platform-a"
    held.mkdir()
    records = DRIVER.connect(str(home.folder / "records.sqlite"))
    records.execute("VACUUM INTO ?", (str(held / "records.sqlite"),))
    records.close()
    world.deposit(service("BACKUP-2"))
    shutil.copytree(home.folder / "documents", held / "documents")
    shutil.copy(home.folder / "key.pem", held)
    restored = compose(SEATS[1], Network(tmp_path, 8400), world.clock)
    try:
        assert of_each(restored, "SELECT number FROM invoice") == ["BACKUP-1"]
        check_whole(restored, home.public_key)
    finally:
        restored.actor.database.close()
        restored.actor.documents.close()


def test_a_server_and_a_bucket_are_copied_and_put_back(
    postgresql: Server, object_server: ObjectServer, tmp_path: Path
) -> None:
    """By the commands of the page, `pg_dump` and `pg_restore`, the objects after: whole, and at work again."""
    here, there, dump = tmp_path / "here", tmp_path / "there", tmp_path / "platform_a.dump"
    source, target, bucket = postgresql.fresh(), postgresql.fresh(), object_server.bucket()
    _configure(here, database=postgresql.url(source, "platform_a"), documents=bucket)
    with structlog.testing.capture_logs():
        client = platform(here)
        _deposit(client, "BACKUP-1")
        _run(postgresql, "pg_dump", "--format=custom", "--schema=platform_a", f"--file={dump}", source)
        _deposit(client, "BACKUP-2")
        _fetch(bucket, there / "platform-a" / "documents")
        for name in ("key.pem", "operator.token"):
            shutil.copy(here / "platform-a" / name, there / "platform-a")
        _run(postgresql, "pg_restore", f"--dbname={target}", dump)
        _configure(there, database=postgresql.url(target, "platform_a"))
        again = composed(there)
        again.now, again.tokens = client.now, client.tokens
        assert of_each(again.running, "SELECT name FROM flow") == ["BACKUP-1"]
        check_whole(again.running, client.running.actor.public_key)
        _deposit(again, "BACKUP-2")
        assert of_each(again.running, "SELECT name FROM flow") == ["BACKUP-1", "BACKUP-2"]
    for one, name in ((client, source), (again, target)):
        one.running.actor.database.close()
        postgresql.drop(name)


def of_each(running: Running, query: str) -> list[str]:
    """Return the column that an actor's records answer."""
    with running.actor.database.read() as connection:
        return sorted(connection.exec_driver_sql(query).scalars())


def check_whole(running: Running, public_key: str) -> None:
    """Every document that is named is there, the audit log is as it was written, the key is the one before."""
    with running.actor.database.read() as connection:
        names = list(connection.execute(select(document.c.sha256)).scalars())
        log = verify(connection, key=public_key, verifies=verifies)
    assert len(names) > 0
    assert log.events > 0
    assert log.findings == []
    for name in names:
        assert running.actor.documents.get(name)
    assert public_text(running.actor.key) == public_key


def _configure(folder: Path, **engines: str) -> None:
    (folder / "platform-a").mkdir(parents=True, exist_ok=True)
    (folder / "network.yaml").write_text(yaml.safe_dump({"actors": {"platform-a": engines}}))


def _deposit(client: Client, number: str) -> None:
    assert client.deposit({"flowSyntax": "UBL", "name": number}, service(number)).status == 202


def _fetch(bucket: str, folder: Path) -> None:
    """Copy every object of a bucket into a folder, as `aws s3 sync` does."""
    store = ObjectPacks(bucket)._store
    for listed in obstore.list(store):
        for one in listed:
            file = folder / one["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(obstore.get(store, one["path"]).bytes())


def _run(server: Server, program: str, *arguments: object) -> None:
    """A program of PostgreSQL has done this, as the owner of the records."""
    own = (server.binaries / "postgres").resolve().parent  # beside the server, wherever a link to it stands
    command = [own / program, f"--host={server.folder}", "--username=estafette", *arguments]
    subprocess.run([str(word) for word in command], check=True)
