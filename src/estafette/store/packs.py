"""Packs: where documents rest, many in one, each pack only ever added to; what is purged of one is blanked in place.

What one transaction has to keep is added to a pack in one go and waited for once, while its records are written; where
each document lies is a record of that same transaction (`document`). What a transaction that failed had added is named
by no record: lost room, no more. A pack is written by one process only.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

PACK_BYTES_MAX = 64 * 1024 * 1024
"""A pack that has come to this is left as it is and another begun."""

TOGETHER_BYTES_MAX = 1024 * 1024
"""Parts of so much in all are written in one call."""

_BLANK = bytes(1024 * 1024)


@dataclass(frozen=True, slots=True)
class Added:
    """Where parts begin, added one after the other, and what waits until they are durable. Waiting raises: OSError."""

    pack: str
    start: int
    wait: Callable[[], None] = lambda: None


class Packs(Protocol):
    """Where bytes are added and read back."""

    def append(self, parts: Sequence[bytes]) -> Added:
        """The parts are added, one after the other, and soon durable. Raises: OSError."""

    def read(self, pack: str, start: int, length: int) -> bytes:
        """Return bytes of a pack, fewer when it was cut. Raises: FileNotFoundError."""

    def loose(self, name: str) -> bytes:
        """Return a document of the time before packs. Raises: FileNotFoundError."""

    def check(self) -> None:
        """Bytes can be added now. Raises: OSError."""

    def erase(self, pack: str, start: int, length: int) -> None:
        """The bytes are no more there; erasing twice, or of a pack that is gone, changes nothing. Raises: OSError."""

    def erase_loose(self, name: str) -> None:
        """The document of the time before packs is gone. Raises: OSError."""

    def drop(self, pack: str) -> bool:
        """A pack of which nothing is kept is gone, unless something may still be added to it; tells whether it is."""

    def close(self) -> None:
        """Let go of what is open."""


class FolderPacks:
    """Packs in a folder, for their owner's eyes only; no cost grows with how many there are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._descriptor: int | None = None
        self._name, self._size = "", 0
        self._flushing = ThreadPoolExecutor(1, thread_name_prefix="packs")
        self._flushed: Future[None] | None = None
        """The last flush, while nobody has waited for it."""

    def append(self, parts: Sequence[bytes]) -> Added:
        """The parts are in the file. A pack that could not be added to is left, and another begun the next time."""
        self._settle_last()
        descriptor = self._open()
        try:
            for part in _together(parts):
                _write(descriptor, part)
        except OSError:
            self.close()
            raise
        start = self._size
        self._size += sum(map(len, parts))
        flushed = self._flushed = self._flushing.submit(os.fdatasync, descriptor)
        return Added(self._name, start, lambda: self._wait(flushed))

    def _wait(self, flushed: "Future[None]") -> None:
        self._flushed = None
        try:
            flushed.result()
        except OSError:
            self.close()
            raise

    def _settle_last(self) -> None:
        """A flush that nobody waited for, its transaction having failed, may tell that the disk does: it tells once."""
        if self._flushed is not None:
            with suppress(OSError):
                self._wait(self._flushed)

    def read(self, pack: str, start: int, length: int) -> bytes:
        """Return bytes of a pack."""
        descriptor = os.open(self._file(pack), os.O_RDONLY)
        try:
            return os.pread(descriptor, length, start)
        finally:
            os.close(descriptor)

    def loose(self, name: str) -> bytes:
        """Return a document kept in a file of its own."""
        return (self._folder / name[:2] / f"{name}.zst").read_bytes()

    def check(self) -> None:
        """A file can be made and written."""
        with tempfile.TemporaryFile(dir=self._folder) as file:
            file.write(b"\0")
            file.flush()

    def erase(self, pack: str, start: int, length: int) -> None:
        """The bytes are zeros on the disk."""
        try:
            descriptor = os.open(self._file(pack), os.O_WRONLY)
        except FileNotFoundError:
            return
        try:
            end = min(start + length, os.fstat(descriptor).st_size)
            while start < end:
                start += os.pwrite(descriptor, _BLANK[: end - start], start)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def erase_loose(self, name: str) -> None:
        """The file is gone."""
        (self._folder / name[:2] / f"{name}.zst").unlink(missing_ok=True)

    def drop(self, pack: str) -> bool:
        """A full pack is gone; one that is not full may be somebody's current one, and stays."""
        file = self._file(pack)
        if not file.exists():
            return True
        if file.stat().st_size < PACK_BYTES_MAX:
            return False
        file.unlink(missing_ok=True)
        return True

    def close(self) -> None:
        """Leave the pack being written; another is begun when there is more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is not None and self._size < PACK_BYTES_MAX:
            return self._descriptor
        self.close()
        name = uuid4().hex
        file = self._file(name)
        file.parent.mkdir(exist_ok=True)
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._name, self._size = name, 0
        for folder in (file.parent, self._folder):
            _flush(folder)
        return self._descriptor

    def _file(self, pack: str) -> Path:
        return self._folder / pack[:2] / f"{pack}.pack"


def _together(parts: Sequence[bytes]) -> Sequence[bytes]:
    """Return short parts as one: each call of the system lets another thread take the interpreter."""
    return [b"".join(parts)] if sum(map(len, parts)) <= TOGETHER_BYTES_MAX else parts


def _write(descriptor: int, data: bytes) -> None:
    """Write it all: a system call may write less than asked."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
