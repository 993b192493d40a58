"""Documents are kept as they came, once, whole or not at all."""

import hashlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estafette.store import sequences
from estafette.store.database import open_database
from estafette.store.documents import Damaged, Documents


def files(folder: Path) -> list[Path]:
    """List every file under a folder."""
    return sorted(file for file in folder.rglob("*") if file.is_file())


def kept(documents: Documents, data: bytes) -> str:
    """Put a document and settle it; return its name."""
    name = documents.put(data)
    documents.settle()
    return name


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=5000))
def test_what_is_put_is_got(data: bytes) -> None:
    """Whatever the bytes, even none, they come back identical under the name of their SHA-256."""
    with TemporaryDirectory() as folder:
        documents = Documents(Path(folder))
        name = documents.put(data)
        assert name == hashlib.sha256(data).hexdigest()
        assert documents.get(name) == data
        documents.settle()
        assert documents.get(name) == data


def test_twice_is_once(tmp_path: Path) -> None:
    """The same bytes put again are the same file, not written again."""
    documents = Documents(tmp_path)
    first = kept(documents, b"<Invoice/>")
    [file] = files(tmp_path)
    before = file.stat()
    assert kept(documents, b"<Invoice/>") == first
    assert files(tmp_path) == [file]
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_it_is_still_there_after_the_program(tmp_path: Path) -> None:
    """Another program on the same folder finds what the first has put."""
    name = kept(Documents(tmp_path), b"kept")
    assert Documents(tmp_path).get(name) == b"kept"


@pytest.mark.parametrize("name", ["0" * 64, "", "0" * 63, "G" * 64, "../" * 21 + "x", "A" * 64, "é" * 64])
def test_unknown_name(tmp_path: Path, name: str) -> None:
    """A name that is unknown, or is no name at all, is a KeyError, and never leads out of the folder."""
    with pytest.raises(KeyError):
        Documents(tmp_path).get(name)


def test_a_draft_is_seen_by_nobody_else(tmp_path: Path) -> None:
    """What was put and not settled is no document for another program, and a new start clears it away."""
    name = Documents(tmp_path).put(b"never settled")
    after = Documents(tmp_path)
    with pytest.raises(KeyError):
        after.get(name)
    assert files(tmp_path) == []


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_failure_to_settle_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """When settling fails the document has no name on disk yet; it is settled the next time."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    documents = Documents(tmp_path)
    name = documents.put(b"big")
    with monkeypatch.context() as broken:
        broken.setattr(os if step == "fsync" else Path, step, fail)
        with pytest.raises(OSError, match="No space left"):
            documents.settle()
    assert not (tmp_path / name[:2] / f"{name}.zst").exists()
    documents.settle()
    assert Documents(tmp_path).get(name) == b"big"


def test_a_transaction_settles_what_it_names(tmp_path: Path) -> None:
    """The records' commit comes after the documents are durable; a transaction that fails commits none."""
    database, documents = open_database(tmp_path / "records.sqlite", ("shared",)), Documents(tmp_path / "documents")
    database.before_commit = documents.settle
    with database.begin() as connection:
        name = documents.put(b"named")
        sequences.draw(connection, name)
    assert Documents(tmp_path / "documents").get(name) == b"named"
    database.close()


def test_the_name_is_on_disk_before_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is flushed before it has its name, then every folder that leads to it: a power cut cannot lose it."""
    flushed: list[str] = []
    real = os.fsync

    def watch(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        flushed.append("file" if target.is_file() else str(target.relative_to(tmp_path)))
        real(descriptor)

    documents = Documents(tmp_path)
    monkeypatch.setattr(os, "fsync", watch)
    name = kept(documents, b"<Invoice/>")
    assert flushed.index("file") < flushed.index(name[:2])
    assert set(flushed) == {"file", ".", name[:2]}


@pytest.mark.parametrize("harm", ["flip", "cut", "other"])
def test_harm_at_rest_is_told(tmp_path: Path, harm: str) -> None:
    """A document whose file no longer holds its bytes is never given as if it did."""
    documents = Documents(tmp_path)
    other = kept(documents, b"another document")
    [elsewhere] = files(tmp_path)
    name = kept(documents, os.urandom(64))
    [file] = [file for file in files(tmp_path) if file != elsewhere]
    packed = file.read_bytes()
    harmed = {"flip": packed[:-1] + bytes([packed[-1] ^ 1]), "cut": packed[:-9], "other": elsewhere.read_bytes()}
    file.write_bytes(harmed[harm])
    with pytest.raises(Damaged, match=name):
        documents.get(name)
    assert documents.get(other) == b"another document"


def test_only_the_owner_reads(tmp_path: Path) -> None:
    """Invoices of others are nobody's business on a shared machine."""
    kept(Documents(tmp_path), b"<Invoice/>")
    [file] = files(tmp_path)
    assert file.stat().st_mode & 0o077 == 0
