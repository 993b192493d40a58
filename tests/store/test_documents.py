"""Documents are kept as they came, once, whole or not at all."""

import hashlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estafette.store.documents import Damaged, Documents


def files(folder: Path) -> list[Path]:
    """List every file under a folder."""
    return sorted(file for file in folder.rglob("*") if file.is_file())


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=5000))
def test_what_is_put_is_got(data: bytes) -> None:
    """Whatever the bytes, even none, they come back identical under the name of their SHA-256."""
    with TemporaryDirectory() as folder:
        documents = Documents(Path(folder))
        name = documents.put(data)
        assert name == hashlib.sha256(data).hexdigest()
        assert documents.get(name) == data


def test_twice_is_once(tmp_path: Path) -> None:
    """The same bytes put again are the same file, not written again."""
    documents = Documents(tmp_path)
    first = documents.put(b"<Invoice/>")
    [file] = files(tmp_path)
    before = file.stat()
    assert documents.put(b"<Invoice/>") == first
    assert files(tmp_path) == [file]
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_it_is_still_there_after_the_program(tmp_path: Path) -> None:
    """Another program on the same folder finds what the first has put."""
    name = Documents(tmp_path).put(b"kept")
    assert Documents(tmp_path).get(name) == b"kept"


@pytest.mark.parametrize("name", ["0" * 64, "", "0" * 63, "G" * 64, "../" * 21 + "x", "A" * 64, "é" * 64])
def test_unknown_name(tmp_path: Path, name: str) -> None:
    """A name that is unknown, or is no name at all, is a KeyError, and never leads out of the folder."""
    with pytest.raises(KeyError):
        Documents(tmp_path).get(name)


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_crash_before_the_rename_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """When writing fails before the name is given, nothing of the document stays, and it can be put again."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    documents, name = Documents(tmp_path), hashlib.sha256(b"big").hexdigest()
    with monkeypatch.context() as broken:
        broken.setattr(os if step == "fsync" else Path, step, fail)
        with pytest.raises(OSError, match="No space left"):
            documents.put(b"big")
    with pytest.raises(KeyError):
        documents.get(name)
    assert files(tmp_path) == []
    assert documents.get(documents.put(b"big")) == b"big"


def test_what_a_killed_program_left_is_never_seen(tmp_path: Path) -> None:
    """A temporary file that a killed program left half written is no document, and does not stand in its way."""
    documents = Documents(tmp_path)
    name = hashlib.sha256(b"whole").hexdigest()
    shard = tmp_path / name[:2]
    shard.mkdir(parents=True)
    (shard / "tmpabcdef").write_bytes(b"\x28\xb5\x2f\xfd half")
    with pytest.raises(KeyError):
        documents.get(name)
    assert documents.get(documents.put(b"whole")) == b"whole"


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
    name = documents.put(b"<Invoice/>")
    assert flushed.index("file") < flushed.index(name[:2])
    assert set(flushed) == {"file", ".", name[:2]}


@pytest.mark.parametrize("harm", ["flip", "cut", "other"])
def test_harm_at_rest_is_told(tmp_path: Path, harm: str) -> None:
    """A document whose file no longer holds its bytes is never given as if it did."""
    documents = Documents(tmp_path)
    other = documents.put(b"another document")
    [elsewhere] = files(tmp_path)
    name = documents.put(os.urandom(64))
    [file] = [file for file in files(tmp_path) if file != elsewhere]
    packed = file.read_bytes()
    harmed = {"flip": packed[:-1] + bytes([packed[-1] ^ 1]), "cut": packed[:-9], "other": elsewhere.read_bytes()}
    file.write_bytes(harmed[harm])
    with pytest.raises(Damaged, match=name):
        documents.get(name)
    assert documents.get(other) == b"another document"


def test_only_the_owner_reads(tmp_path: Path) -> None:
    """Invoices of others are nobody's business on a shared machine."""
    Documents(tmp_path).put(b"<Invoice/>")
    [file] = files(tmp_path)
    assert file.stat().st_mode & 0o077 == 0
