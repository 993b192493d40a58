"""Documents are kept as they came, once, whole or not at all."""

import hashlib
import os
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estafette.store import audit, sequences
from estafette.store.database import Database
from estafette.store.documents import SHORT_BYTES_MAX, Damaged, Documents
from estafette.store.packs import PACK_BYTES_MAX, FolderPacks

Open = Callable[[], Documents]


@pytest.fixture
def opened(database: Database, tmp_path: Path) -> Open:
    """Give a program's view of the documents: each call is another program on the same store."""
    return lambda: Documents(database, FolderPacks(tmp_path / "documents"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give where the packs are."""
    return tmp_path / "documents"


def files(folder: Path) -> list[Path]:
    """List every file under a folder."""
    return sorted(file for file in folder.rglob("*") if file.is_file())


def kept(database: Database, documents: Documents, data: bytes) -> str:
    """Put a document and commit; return its name."""
    with database.begin():
        return documents.put(data)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=5000))
def test_what_is_put_is_got(database: Database, opened: Open, data: bytes) -> None:
    """Whatever the bytes, even none, they come back identical under the name of their SHA-256, now and afterwards."""
    documents = opened()
    name = documents.put(data)
    assert name == hashlib.sha256(data).hexdigest()
    assert documents.get(name) == data
    with database.begin():
        pass
    assert opened().get(name) == data


def test_long_and_short_ones_of_one_transaction_are_each_kept(database: Database, opened: Open) -> None:
    """At the sizes where the way they are named or compressed changes, put again meanwhile or not."""
    sizes = (0, 1, 2047, 2048, 2049, SHORT_BYTES_MAX - 1, SHORT_BYTES_MAX, SHORT_BYTES_MAX + 1, 3 * SHORT_BYTES_MAX)
    documents, all_of_them = opened(), [bytes([size % 251]) * size for size in sizes]
    with database.begin():
        names = [documents.put(data) for data in all_of_them]
        assert [documents.get(name) for name in names] == all_of_them
    assert [documents.put(data) for data in all_of_them] == names
    assert names == [hashlib.sha256(data).hexdigest() for data in all_of_them]
    assert [opened().get(name) for name in names] == all_of_them
    assert [opened().size(name) for name in names] == list(sizes)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.binary(max_size=3000), max_size=5))
def test_pieces_are_the_whole(database: Database, opened: Open, pieces: list[bytes]) -> None:
    """What comes piece by piece is kept as if it had come at once, and read back whole."""
    documents, whole = opened(), b"".join(pieces)
    with database.begin():
        name = documents.put_pieces(pieces, size=len(whole))
    assert name == documents.put(whole)
    assert opened().get(name) == whole


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=5000), again=st.integers(1, 1000))
def test_opened_as_it_is_got(database: Database, opened: Open, data: bytes, again: int) -> None:
    """Read forward, piece by piece, a document is what it was, wherever it rests; its size is known before."""
    documents = opened()
    waiting = documents.put_pieces(iter([data]), size=len(data))
    pieces = documents.open(waiting)
    assert b"".join(iter(lambda: pieces.read(again), b"")) == data
    name = kept(database, documents, data)
    for one in (documents, opened()):
        assert (one.size(name), one.open(name).read()) == (len(data), data)


def test_a_large_document_is_read_in_pieces(database: Database, opened: Open) -> None:
    """What memory holds of a large document at rest is a few pieces of it, not its whole."""
    data = b"".join(hashlib.sha512(str(place).encode()).digest() for place in range(400_000))
    name = kept(database, opened(), data)
    there, digest = opened(), hashlib.sha256()
    tracemalloc.start()
    pieces = there.open(name)
    while piece := pieces.read(1024 * 1024):
        digest.update(piece)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert digest.hexdigest() == name
    assert most < len(data) / 2


def test_twice_is_once(database: Database, opened: Open, folder: Path) -> None:
    """The same bytes put again, by this program or another, are not written again."""
    documents = opened()
    first = kept(database, documents, b"<Invoice/>")
    before = [(file, file.stat().st_size) for file in files(folder)]
    assert kept(database, documents, b"<Invoice/>") == first
    assert kept(database, opened(), b"<Invoice/>") == first
    assert [(file, file.stat().st_size) for file in files(folder)] == before


@pytest.mark.parametrize("name", ["0" * 64, "", "0" * 63, "G" * 64, "../" * 21 + "x", "A" * 64, "é" * 64])
def test_unknown_name(opened: Open, name: str) -> None:
    """A name that is unknown, or is no name at all, is a KeyError, and never leads out of the folder."""
    for ask in (opened().get, opened().open, opened().size):
        with pytest.raises(KeyError):
            ask(name)


def test_a_draft_is_seen_by_nobody_else(opened: Open, folder: Path) -> None:
    """What was put and not settled is no document for another program, and takes no room."""
    name = opened().put(b"never settled")
    with pytest.raises(KeyError):
        opened().get(name)
    assert files(folder) == []


@pytest.mark.parametrize("step", ["fdatasync", "write"])
def test_a_failure_to_settle_loses_nothing(
    database: Database, opened: Open, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """When settling fails nothing is committed and the document is nobody else's; it is settled the next time."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    documents = opened()
    with monkeypatch.context() as broken:
        broken.setattr(os, step, fail)
        with pytest.raises(OSError, match="No space left"), database.begin() as connection:
            name = documents.put(b"big")
            sequences.draw(connection, "named")
    with pytest.raises(KeyError):
        opened().get(name)
    database.settling = documents
    with database.begin() as connection:
        assert sequences.draw(connection, "named") == 1
    assert opened().get(name) == b"big"


def test_a_flush_that_nobody_waited_for_is_asked_of(
    database: Database, opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk failed behind a transaction that failed by itself, its pack is left, and another begun."""
    documents = opened()
    kept(database, documents, b"before")

    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    def undone(_connection: object) -> None:
        raise LookupError

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        broken.setattr(audit, "flush", undone)
        with pytest.raises(LookupError), database.begin() as connection:
            audit.record(connection, None, "told", at=datetime(2026, 9, 1, tzinfo=UTC))
            documents.put(b"after")
    with database.begin():
        pass
    assert len(list(files(folder))) == 2


def test_a_transaction_undone_lets_go_of_nothing(database: Database, opened: Open) -> None:
    """A document of a transaction that failed is settled with the next one."""
    documents = opened()
    with pytest.raises(LookupError), database.begin():
        name = documents.put(b"named")
        raise LookupError
    with database.begin():
        pass
    assert opened().get(name) == b"named"


def test_it_is_on_the_disk_before_it_is_told(
    database: Database, opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new pack is named in flushed folders, then its bytes are flushed: a power cut cannot lose what is committed."""
    flushed: list[str] = []

    def watch(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        flushed.append("pack" if target.is_file() else str(target.relative_to(folder)))

    documents = opened()
    monkeypatch.setattr(os, "fsync", watch)
    monkeypatch.setattr(os, "fdatasync", watch)
    kept(database, documents, b"<Invoice/>")
    [pack] = files(folder)
    assert flushed == [pack.parent.name, ".", "pack"]


@pytest.mark.parametrize("harm", ["flip", "cut", "other", "gone"])
def test_harm_at_rest_is_told(database: Database, opened: Open, folder: Path, harm: str) -> None:
    """A document whose pack no longer holds its bytes is never given as if it did; the others still are."""
    other = kept(database, opened(), b"another document")
    [elsewhere] = files(folder)
    name = kept(database, opened(), os.urandom(64))
    [pack] = [file for file in files(folder) if file != elsewhere]
    packed = pack.read_bytes()
    harmed = {"flip": packed[:-1] + bytes([packed[-1] ^ 1]), "cut": packed[:-9], "other": elsewhere.read_bytes()}
    if harm == "gone":
        pack.unlink()
    else:
        pack.write_bytes(harmed[harm])
    with pytest.raises(Damaged, match=name):
        opened().get(name)
    with pytest.raises(Damaged, match=name):
        opened().open(name).read()
    assert opened().get(other) == b"another document"


def test_only_the_owner_reads(database: Database, opened: Open, folder: Path) -> None:
    """Invoices of others are nobody's business on a shared machine."""
    kept(database, opened(), b"<Invoice/>")
    [file] = files(folder)
    assert file.stat().st_mode & 0o077 == 0


def test_a_full_pack_is_left(database: Database, opened: Open, folder: Path) -> None:
    """A pack that has come to its size is added to no more: another is begun, and both are read."""
    documents, big = opened(), os.urandom(PACK_BYTES_MAX)
    first, second = kept(database, documents, big), kept(database, documents, b"after")
    assert len(files(folder)) == 2
    assert (opened().get(first), opened().get(second)) == (big, b"after")


def test_a_document_of_before_packs_is_found(opened: Open, folder: Path) -> None:
    """What an earlier version kept in a file of its own is still read."""
    name = hashlib.sha256(b"old").hexdigest()
    opened()
    (folder / name[:2]).mkdir()
    (folder / name[:2] / f"{name}.zst").write_bytes(zstandard.ZstdCompressor().compress(b"old"))
    assert opened().get(name) == b"old"
