"""Documents by content: the original bytes of everything that ever came in or went out, bad ones too.

A document is named by the SHA-256 of its bytes, written once, compressed at rest, and on the disk before any record
names it. Writing it twice is writing it once.

Theory of operation. `put` writes a draft and waits for no disk; `settle`, called by the store before a transaction is
committed, makes every draft durable at once: all are flushed, then named, then the folders that name them are flushed.
A file system journals together what it flushes together, so a transaction costs the same few waits whatever the number
of its documents. A draft that no transaction settled is named by no record: a killed program leaves at most that.
"""

import hashlib
import os
import tempfile
import threading
from pathlib import Path

import zstandard


class Damaged(Exception):
    """The file of a document no longer holds its bytes: it is to be restored from a copy."""


class Documents:
    """A folder of documents, in 256 folders by the first digits of their names; no cost grows with how many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for left in self._incoming.iterdir():
            left.unlink()
        self._drafts: dict[str, Path] = {}
        self._lock = threading.Lock()
        """Over the drafts: one thread puts while another settles."""

    def put(self, data: bytes) -> str:
        """The bytes can be read under their name, 64 hexadecimal digits; they are durable once settled."""
        name = hashlib.sha256(data).hexdigest()
        with self._lock:
            if name not in self._drafts and not self._file(name).exists():
                self._drafts[name] = self._draft(zstandard.ZstdCompressor(level=3).compress(data))
        return name

    def settle(self) -> None:
        """Everything that was put is durable, under its name. Raises: OSError; what is left can be settled again."""
        with self._lock:
            drafts = dict(self._drafts)
        for draft in drafts.values():
            _flush(draft)
        folders = set()
        for name in drafts:
            with self._lock:
                folders |= self._give_name(name)
        for folder in folders:
            _flush(folder)

    def get(self, name: str) -> bytes:
        """Return the bytes as they came. Raises: KeyError when the name is not known, Damaged."""
        try:
            with self._lock:
                packed = (self._drafts.get(name) or self._file(name)).read_bytes()
        except FileNotFoundError:
            raise KeyError(name) from None
        try:
            data = zstandard.ZstdDecompressor().decompress(packed)
        except zstandard.ZstdError as fault:
            raise Damaged(f"{name}: {fault}") from None
        if hashlib.sha256(data).hexdigest() != name:
            raise Damaged(f"{name}: other bytes")
        return data

    def _file(self, name: str) -> Path:
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise KeyError(name)
        return self._folder / name[:2] / f"{name}.zst"

    def _draft(self, packed: bytes) -> Path:
        """Write a draft, whole or not at all, for its owner's eyes only."""
        descriptor, path = tempfile.mkstemp(dir=self._incoming)
        try:
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(packed)
        except BaseException:
            Path(path).unlink(missing_ok=True)
            raise
        return Path(path)

    def _give_name(self, name: str) -> set[Path]:
        """Move a flushed draft to its place; returns the folders that must now be flushed."""
        file = self._file(name)
        folders = {file.parent}
        if name not in self._drafts:  # settled by another commit meanwhile
            return folders
        if not file.parent.exists():
            file.parent.mkdir(exist_ok=True)
            folders.add(self._folder)
        self._drafts[name].rename(file)
        del self._drafts[name]
        return folders


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
