"""A copy made of a system at work, records first and documents after, as the page for operators says, is whole."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.platform.world import World, opened, service

from estafette.circuit.compose import compose
from estafette.circuit.network import SEATS, Network
from estafette.exchange.keys import public_text, verifies
from estafette.store.database import DRIVER
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
        with restored.actor.database.read() as connection:
            names = list(connection.execute(select(document.c.sha256)).scalars())
            numbers = connection.exec_driver_sql("SELECT number FROM invoice").scalars().all()
            log = verify(connection, key=home.public_key, verifies=verifies)
        assert numbers == ["BACKUP-1"]
        assert len(names) > 3
        assert log.events > 0
        assert log.findings == []
        for name in names:
            assert restored.actor.documents.get(name)
        assert public_text(restored.actor.key) == home.public_key
    finally:
        restored.actor.database.close()
        restored.actor.documents.close()
