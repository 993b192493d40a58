"""What is purged is gone for good and nothing else is; what is held is held; what rests is verified."""

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, select
from tests.store.conftest import EPOCH

from estafette.store import erasure, holds, inventory, jobs
from estafette.store.database import Database
from estafette.store.documents import Damaged, Documents
from estafette.store.holds import Held, NotAHold, Scope
from estafette.store.packs import FolderPacks
from estafette.store.tables import condemned, document

Open = Callable[[], Documents]
thing = Table("thing", MetaData(), Column("sha256", String(64)))
LATER = EPOCH + erasure.GRACE


@pytest.fixture
def opened(database: Database, tmp_path: Path) -> Open:
    """Give a program's view of the documents: each call is another program on the same store."""

    def program() -> Documents:
        documents = Documents(database, FolderPacks(tmp_path / "documents"))
        return documents

    return program


def bytes_at_rest(folder: Path) -> bytes:
    """Return everything that is on the disk."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*.pack")))


def kept(database: Database, documents: Documents, data: bytes) -> str:
    """Put a document and commit; return its name."""
    database.settling = documents
    with database.begin():
        return documents.put(data)


def purge(database: Database, documents: Documents, *names: str) -> list[str]:
    """Purge documents that no record names."""
    with database.begin() as connection:
        return documents.purge(connection, names, now=EPOCH)


def test_what_is_purged_is_gone(database: Database, opened: Open, tmp_path: Path) -> None:
    """A purged document is known no more at once, its bytes are gone after a while, its neighbours are as they were."""
    documents = opened()
    names = [kept(database, documents, os.urandom(3000)) for _ in range(3)]
    before = bytes_at_rest(tmp_path)
    assert purge(database, documents, names[1]) == [names[1]]
    assert purge(database, documents, names[1]) == []
    with pytest.raises(KeyError):
        documents.get(names[1])
    assert erasure.erase_some(database, documents, now=LATER - timedelta(seconds=1)) == erasure.Erased()
    assert bytes_at_rest(tmp_path) == before
    assert erasure.erase_some(database, documents, now=LATER) == erasure.Erased(1, 0)
    assert erasure.erase_some(database, documents, now=LATER) == erasure.Erased()
    after = bytes_at_rest(tmp_path)
    assert len(after) == len(before)
    assert after.count(bytes(3000)) == 1
    assert [len(opened().get(names[place])) for place in (0, 2)] == [3000, 3000]


def test_what_is_put_again_is_kept_again(database: Database, opened: Open) -> None:
    """Bytes purged by another program while they were in memory here are written anew when they are put again."""
    here, other = opened(), opened()
    name = kept(database, here, b"<Invoice/>")
    purge(database, other, name)
    assert kept(database, here, b"<Invoice/>") == name
    erasure.erase_some(database, other, now=LATER)
    assert opened().get(name) == b"<Invoice/>"


def test_what_is_named_meanwhile_is_put_back(database: Database, opened: Open) -> None:
    """A record written just after the purge names the document: it is not erased, it is there again."""
    documents = opened()
    name = kept(database, documents, b"<Invoice/>")
    purge(database, documents, name)
    with database.begin() as connection:
        jobs.add(connection, queue="deliver", key="late", payload={"documents": [name]}, now=EPOCH)
    assert erasure.erase_some(database, documents, now=LATER) == erasure.Erased(0, 1)
    assert opened().get(name) == b"<Invoice/>"
    with database.read() as connection:
        assert connection.execute(select(condemned)).all() == []


@pytest.mark.parametrize("dies_in", ["pwrite", "unlink", "records"])
def test_a_death_between_two_writes(
    database: Database, opened: Open, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    """Whoever dies while erasing leaves something that is erased the next time, and nothing that is half there."""
    monkeypatch.setattr("estafette.store.packs.PACK_BYTES_MAX", 1)  # each document fills its pack
    documents = opened()
    names = [kept(database, documents, os.urandom(100)) for _ in range(2)]
    purge(database, documents, names[0])

    def dies(*_arguments: object, **_named: object) -> None:
        raise OSError(5, "the machine is off")

    with monkeypatch.context() as broken:
        if dies_in == "records":
            broken.setattr(erasure, "_put_back", dies)
        else:
            broken.setattr(os, dies_in, dies)
        if dies_in == "unlink":
            broken.setattr(Path, "unlink", dies)
        with pytest.raises(OSError, match="the machine is off"):
            erasure.erase_some(database, documents, now=LATER)
    while erasure.erase_some(database, opened(), now=LATER) != erasure.Erased():
        pass
    with pytest.raises(KeyError):
        opened().get(names[0])
    assert len(opened().get(names[1])) == 100
    with database.read() as connection:
        assert inventory.verify(connection, opened()).findings == []
        assert all(row.erased_at for row in connection.execute(select(condemned)))


def test_an_empty_pack_is_dropped(
    database: Database, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full pack of which all is purged takes no room any more; one that may still be added to stays."""
    documents = opened()
    name = kept(database, documents, b"alone in its pack")
    purge(database, documents, name)
    erasure.erase_some(database, documents, now=LATER)
    assert len(list(tmp_path.rglob("*.pack"))) == 1
    monkeypatch.setattr("estafette.store.packs.PACK_BYTES_MAX", 1)
    other = kept(database, documents, b"the next one")
    third = kept(database, documents, b"and one more")
    purge(database, documents, other)
    erasure.erase_some(database, documents, now=LATER)
    assert len(list(tmp_path.rglob("*.pack"))) == 2
    assert documents.get(third) == b"and one more"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["put", "purge", "erase", "name"]), st.integers(0, 3)), max_size=20))
def test_whatever_the_order(
    new_sqlite_store: Callable[[], Database], tmp_path: Path, steps: list[tuple[str, int]]
) -> None:
    """In any order of putting, naming, purging and erasing, by two programs, what a record names is always there."""
    database = new_sqlite_store()
    programs = [Documents(database, FolderPacks(tmp_path / "documents")) for _ in range(2)]
    texts = [b"document %d" % number for number in range(4)]
    names: dict[int, str] = {}
    for count, (verb, number) in enumerate(steps):
        documents, now = programs[count % 2], EPOCH + count * timedelta(hours=2)
        database.settling = documents
        with database.begin() as connection:
            if verb == "name":
                names[number] = documents.put(texts[number])
                jobs.add(connection, queue="x", key=f"{number}", payload={"sha256": names[number]}, now=now)
            elif verb == "put":
                documents.put(texts[number])
            elif verb == "purge" and number not in names:
                documents.purge(connection, [documents.put(texts[number])], now=now)
        if verb == "erase":
            erasure.erase_some(database, documents, now=now)
    for number, name in names.items():
        assert Documents(database, FolderPacks(tmp_path / "documents")).get(name) == texts[number]
    database.close()


def test_a_store_is_verified(database: Database, opened: Open, tmp_path: Path) -> None:
    """A document changed at rest, one that is gone and one of which the pack is gone are found, each by its name."""
    documents = opened()
    sound, changed, lost = (kept(database, documents, text) for text in (b"sound", b"changed", b"lost"))
    with database.begin() as connection:
        jobs.add(connection, queue="x", key="k", payload={}, now=EPOCH)
        thing.create(connection)
        connection.execute(thing.insert(), [{"sha256": name} for name in (lost, sound, None)])
        connection.execute(document.delete().where(document.c.sha256 == lost))
        place = connection.execute(select(document).where(document.c.sha256 == changed)).one()
    file = next(tmp_path.rglob("*.pack"))
    data = bytearray(file.read_bytes())
    data[place.start + place.length - 6] ^= 1
    file.write_bytes(data)
    told: list[tuple[int, int]] = []
    with database.read() as connection:
        report = inventory.verify(connection, opened(), progress=lambda done, total: told.append((done, total)))
    assert [(one.sha256, one.where.split()[0]) for one in report.findings] == [(changed, "pack"), (lost, "thing")]
    assert (report.documents, report.packs, told[-1]) == (2, 1, (2, 2))
    with database.begin() as connection:
        connection.execute(thing.update().where(thing.c.sha256 == lost).values(sha256=""))
    with database.read() as connection:
        assert [one.sha256 for one in inventory.verify(connection, opened()).findings] == [changed]
    file.unlink()
    with database.read() as connection:
        assert {one.sha256 for one in inventory.verify(connection, opened()).findings} == {sound, changed}
    with pytest.raises(Damaged):
        opened().get(sound)


def test_a_hold_lasts_until_its_end_or_its_release(database: Database) -> None:
    """A hold says why, who and until when; it covers what it says; it is over by itself, or released, once."""
    scope = Scope(starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31))
    asked = {"reason": " Avis  de contrôle ", "by": "login:ada", "now": EPOCH, "today": EPOCH.date()}
    with database.begin() as connection:
        first = holds.place(connection, "100000009", scope, until=date(2026, 10, 1), **asked)  # type: ignore[arg-type]
        second = holds.place(connection, "100000009", Scope(), until=None, **asked)  # type: ignore[arg-type]
    with database.begin() as connection:
        both = holds.active(connection, on=date(2026, 10, 1))["100000009"]
        assert [(one.id, one.reason) for one in both] == [(first, "Avis de contrôle"), (second, "Avis de contrôle")]
        assert [one.id for one in holds.active(connection, on=date(2026, 10, 2))["100000009"]] == [second]
        assert not holds.release(connection, "200000008", second, by="login:eve", now=EPOCH)
        assert holds.release(connection, "100000009", second, by="login:ada", now=EPOCH)
        assert not holds.release(connection, "100000009", second, by="login:ada", now=EPOCH)
        assert holds.active(connection, on=date(2026, 10, 2)) == {}
        assert [row.released_by for row in holds.every(connection, "100000009")] == ["login:ada", None]


@pytest.mark.parametrize(
    ("reason", "until", "scope"),
    [
        ("  ", None, Scope()),
        ("why", date(2026, 8, 31), Scope()),
        ("why", None, Scope(date(2026, 2, 1), date(2026, 1, 1))),
    ],
)
def test_a_hold_that_is_none(database: Database, reason: str, until: date | None, scope: Scope) -> None:
    """No reason, an end that is past, a period the wrong way round: refused in both languages, nothing written."""
    with database.begin() as connection, pytest.raises(NotAHold, match=" / "):
        holds.place(connection, "1", scope, reason=reason, until=until, by="x", now=EPOCH, today=date(2026, 9, 1))
    with database.read() as connection:
        assert holds.every(connection, "1") == []


@given(
    day=st.dates(date(2026, 1, 1), date(2026, 1, 5)),
    starts=st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 5)),
    ends=st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 5)),
    counterpart=st.none() | st.sampled_from(["1", "2"]),
    reference=st.none() | st.sampled_from(["A", "B"]),
)
def test_what_a_hold_covers(
    day: date, starts: date | None, ends: date | None, counterpart: str | None, reference: str | None
) -> None:
    """Each thing that a hold says narrows it; what it leaves out covers all."""
    held = Held(1, Scope(starts, ends, counterpart, reference), "why")
    outside = (
        (starts is not None and day < starts)
        or (ends is not None and day > ends)
        or counterpart == "2"
        or reference == "B"
    )
    assert held.covers(day, "1", "A") is not outside
