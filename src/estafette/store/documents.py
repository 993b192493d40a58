"""Documents by content: the original bytes of everything that ever came in or went out, bad ones too.

A document is named by the SHA-256 of its bytes, written once, compressed at rest, and on the disk before any record
names it. Writing it twice is writing it once.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import zstandard


class Damaged(Exception):
    """The file of a document no longer holds its bytes: it is to be restored from a copy."""


class Documents:
    """A folder of documents, in 256 folders by the first digits of their names.

    A document costs two flushes to the disk, its file and the folder that names it, however many are held.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes) -> str:
        """The bytes are safe on disk; returns their name, 64 hexadecimal digits."""
        name = hashlib.sha256(data).hexdigest()
        file = self._file(name)
        if not file.exists():
            if not file.parent.exists():
                file.parent.mkdir(exist_ok=True)
                _flush(self._folder)
            self._write(file, zstandard.ZstdCompressor(level=3).compress(data))
            _flush(file.parent)  # a name is kept by its folder
        return name

    def get(self, name: str) -> bytes:
        """Return the bytes as they came. Raises: KeyError when the name is not known, Damaged."""
        try:
            packed = self._file(name).read_bytes()
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

    def _write(self, file: Path, packed: bytes) -> None:
        """Whole or not at all: a temporary file, flushed, then renamed."""
        descriptor, temporary = tempfile.mkstemp(dir=file.parent)
        try:
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(packed)
                handle.flush()
                os.fsync(handle.fileno())
            Path(temporary).rename(file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
