"""Documents of which a record went: purged when no other record names them, whatever happens meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete
from tests.store.conftest import EPOCH

from estafette.store import gathered, inventory, orphans
from estafette.store.database import Database
from estafette.store.documents import Documents
from estafette.store.packs import FolderPacks
from estafette.store.tables import inbox

TEXTS = [b"document %d" % number for number in range(4)]


def take(database: Database, documents: Documents, message: int, text: int) -> None:
    """A record names a document."""
    database.settling = documents
    with database.begin() as connection:
        said = {"sender": "0003", "message_id": str(message), "kind": "flow", "name": "x", "received_at": EPOCH}
        gathered.add(connection, inbox, {**said, "sha256": documents.put(TEXTS[text])}, once=True)


def drop(database: Database, documents: Documents, message: int, text: int, step: int) -> None:
    """The record is gone, and its document noted."""
    with database.begin() as connection:
        mine = inbox.c.message_id == str(message)
        if connection.execute(delete(inbox).where(mine)).rowcount:
            orphans.note(connection, [documents.put(TEXTS[text])], now=EPOCH + timedelta(seconds=step))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["take", "drop", "sweep"]), st.integers(0, 5), st.integers(0, 3)), max_size=25
    ),
    at_once=st.sampled_from([1, 2, 50]),
)
def test_what_a_record_names_stays(
    new_sqlite_store: Callable[[], Database], tmp_path: Path, steps: list[tuple[str, int, int]], at_once: int
) -> None:
    """In any order of naming, dropping and sweeping: after a sweep what is named is there, nothing else is."""
    database = new_sqlite_store()
    documents = Documents(database, FolderPacks(tmp_path / "documents"))
    held: dict[int, int] = {}
    seen: set[int] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orphans, "SWEPT_AT_ONCE", at_once)
        for step, (verb, message, text) in enumerate([*steps, ("sweep", 0, 0)]):
            if verb == "take" and message not in held:
                held[message] = text
                seen.add(text)
                take(database, documents, message, text)
            elif verb == "drop" and message in held:
                drop(database, documents, message, held.pop(message), step)
            elif verb == "sweep":
                orphans.sweep(database, documents, now=EPOCH + timedelta(seconds=step))
                there = {text for text in seen if is_there(database, documents, TEXTS[text])}
                assert there == set(held.values())
                seen = there
    with database.read() as connection:
        assert orphans.waiting_since(connection) is None
        assert inventory.verify(connection, documents).findings == []
    database.close()


def is_there(database: Database, documents: Documents, text: bytes) -> bool:
    """Tell whether a program that has just started has a document."""
    name = sha256(text).hexdigest()
    fresh = Documents(database, documents.packs)
    try:
        return fresh.get(name) == text
    except KeyError:
        return False
