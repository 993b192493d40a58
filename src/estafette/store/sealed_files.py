"""A ZIP that says by itself whether it is as it was made: written a file at a time, signed at its end, read strictly.

Theory of operation. Files follow each other; the last but one, `SHA256SUMS`, has the hash of each (`sha256sum -c` reads
it); the last, `signature.json`, the hash of every byte before it and the signature of that. What a ZIP says besides
(its headers, its directory) is a function of the files, so that whoever verifies makes it again and compares: no byte
of the whole can be changed, taken away or added unseen.

The writer keeps nothing in memory but the file it adds: what the end needs waits in files beside. Its `state` is where
each of them ends; `resume` goes back there, whatever was written since. Any program opens the result (PKWARE APPNOTE
6.3.10: UTF-8 names, ZIP64 where it grows past 4 GiB).
"""

import hashlib
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import msgspec

from estafette.store import audit

SUMS, SIGNATURE = "SHA256SUMS", "signature.json"
PIECE = 1024 * 1024
NAME_BYTES_MAX = 1000
SIGNATURE_BYTES_MAX = 10_000

_LOCAL, _ENTRY = struct.Struct("<4sHHHHHIIIHH"), struct.Struct("<4sHHHHHHIIIHHHHHII")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_PLACE64 = struct.Struct("<4sIQI")
_END = struct.Struct("<4sHHHHIIH")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_UTF8, _DAY = 0x0800, 0x0021  # every file is of 1 January 1980: of when it is, the signature says
_VERSION = 45

Sign = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the headers say of a file; its bytes follow the local one."""

    name: bytes
    method: int
    crc: int
    packed: int
    size: int

    def local(self) -> bytes:
        """Write the header before the bytes."""
        fields = (b"PK\x03\x04", _VERSION, _UTF8, self.method, 0, _DAY, self.crc, self.packed, self.size)
        return _LOCAL.pack(*fields, len(self.name), 0) + self.name

    def listed(self, offset: int) -> bytes:
        """Write the line of the directory."""
        far = offset >= _FULL32
        extra = struct.pack("<HHQ", 1, 8, offset) if far else b""
        fields = (b"PK\x01\x02", _VERSION, _VERSION, _UTF8, self.method, 0, _DAY, self.crc, self.packed, self.size)
        place = (len(self.name), len(extra), 0, 0, 0, 0, _FULL32 if far else offset)
        return _ENTRY.pack(*fields, *place) + self.name + extra


def _end(count: int, start: int, size: int) -> bytes:
    """Write the end of the directory."""
    far = count >= _FULL16 or start >= _FULL32 or size >= _FULL32
    end = _END.pack(
        b"PK\x05\x06", 0, 0, min(count, _FULL16), min(count, _FULL16), min(size, _FULL32), min(start, _FULL32), 0
    )
    if not far:
        return end
    whole = _END64.pack(b"PK\x06\x06", 44, _VERSION, _VERSION, 0, 0, count, count, size, start)
    return whole + _PLACE64.pack(b"PK\x06\x07", 0, start + size, 1) + end


class Lost(OSError):
    """What was written is there no more."""


class Writer:
    """A sealed ZIP being written in a folder of its own, as `package.zip`; at most 4 GiB a file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._zip, self._directory, self._sums = (
            _opened(folder / name) for name in ("package.zip", "directory.part", "sums.part")
        )
        self._count = 0

    @property
    def file(self) -> Path:
        """Return where the ZIP is."""
        return self.folder / "package.zip"

    def state(self) -> dict[str, int]:
        """All is on the disk; returns how far each part goes, for `resume`."""
        ends = {}
        for name, part in self._parts():
            part.flush()
            os.fsync(part.fileno())
            ends[name] = part.seek(0, os.SEEK_END)
        return {**ends, "count": self._count}

    def resume(self, state: dict[str, int]) -> None:
        """What was written after that state is forgotten. Raises: Lost, when less than that is there."""
        for name, part in self._parts():
            end = state.get(name, 0)
            if part.seek(0, os.SEEK_END) < end:
                raise Lost(f"{name}: shorter than it was")
            part.truncate(end)
            part.seek(end)
        self._count = state.get("count", 0)

    def _parts(self) -> tuple[tuple[str, IO[bytes]], ...]:
        return ("zip", self._zip), ("directory", self._directory), ("sums", self._sums)

    def add(self, name: str, data: bytes) -> str:
        """The file is in it; returns its SHA-256. It is compressed where that gains."""
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
        method, body = (8, packed) if len(packed) < len(data) else (0, data)
        self._begin(Entry(_name(name), method, zlib.crc32(data), len(body), len(data)))
        self._zip.write(body)
        return self._sum(hashlib.sha256(data).hexdigest(), name)

    def add_file(self, name: str, source: IO[bytes]) -> str:
        """As `add`, of a file that is read twice and never held whole."""
        source.seek(0)
        digest, crc, size = hashlib.sha256(), 0, 0
        while piece := source.read(PIECE):
            digest.update(piece)
            crc, size = zlib.crc32(piece, crc), size + len(piece)
        self._begin(Entry(_name(name), 0, crc, size, size))
        source.seek(0)
        shutil.copyfileobj(source, self._zip, PIECE)
        return self._sum(digest.hexdigest(), name)

    def _begin(self, entry: Entry) -> None:
        self._directory.write(entry.listed(self._zip.tell()))
        self._zip.write(entry.local())
        self._count += 1

    def _sum(self, digest: str, name: str) -> str:
        self._sums.write(_sum_line(digest, name))
        return digest

    def finish(self, told: dict[str, Any], sign: Sign) -> tuple[int, str]:
        """The ZIP is signed and whole; `told` is said in the signature. Returns its size and SHA-256."""
        with TemporaryFile(dir=self.folder) as sums:
            self._sums.seek(0)
            shutil.copyfileobj(self._sums, sums, PIECE)
            self.add_file(SUMS, sums)
        before = self._zip.tell()
        body = {**told, "bytes": before, "files": self._count, "sha256": _hash(self._zip, before)}
        signed = {**body, "signature": sign(audit.canonical(body).encode())}
        self.add(SIGNATURE, audit.canonical(signed).encode())
        start = self._zip.tell()
        self._directory.seek(0)
        shutil.copyfileobj(self._directory, self._zip, PIECE)
        self._zip.write(_end(self._count, start, self._zip.tell() - start))
        self._zip.flush()
        os.fsync(self._zip.fileno())
        size = self._zip.tell()
        return size, _hash(self._zip, size)

    def close(self) -> None:
        """Let go of the files."""
        for _name_of, part in self._parts():
            part.close()


def _opened(file: Path) -> IO[bytes]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    return os.fdopen(descriptor, "r+b")


def _name(name: str) -> bytes:
    encoded = name.encode()
    assert 0 < len(encoded) <= NAME_BYTES_MAX  # noqa: S101 — names are ours
    return encoded


def _sum_line(digest: str, name: str) -> bytes:
    return f"{digest}  {name}\n".encode()


def _hash(file: IO[bytes], length: int) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while length:
        piece = file.read(min(PIECE, length))
        digest.update(piece)
        length -= len(piece)
    return digest.hexdigest()


# ------------------------------------------------------------------------------------------------------- verifying


class Broken(Exception):
    """The file is not as it was made: where, and what is wrong, in both languages."""

    def __init__(self, where: str, fr: str, en: str) -> None:
        super().__init__(f"{where}: {fr} / {en}")
        self.where, self.fr, self.en = where, fr, en


@dataclass(slots=True)
class Verified:
    """What a sealed ZIP says of itself, all of it as it was made."""

    told: dict[str, Any]
    files: int
    bytes: int


def verify(
    file: IO[bytes],
    verifies: Callable[[str, str, bytes], bool],
    *,
    wanted: Callable[[str], Callable[[bytes], None] | None] = lambda _name: None,
    progress: Callable[[int], None] = lambda _bytes: None,
) -> Verified:
    """Return what the ZIP says of itself. Memory does not grow with it.

    `wanted` gives what hears the bytes of a file, piece by piece. Raises: Broken, at the first thing that is wrong.
    """
    walk = _Walk(file, progress)
    with TemporaryFile() as directory, TemporaryFile() as sums:
        count = 0
        while True:
            offset, before = walk.offset, walk.digest.copy()
            entry = walk.header()
            name = entry.name.decode(errors="replace")
            directory.write(entry.listed(offset))
            count += 1
            if name == SIGNATURE:
                break
            if name == SUMS:
                _compare(walk, entry, sums)
                continue
            digest = hashlib.sha256()
            hears = wanted(name)
            for piece in walk.body(entry):
                digest.update(piece)
                if hears:
                    hears(piece)
            sums.write(_sum_line(digest.hexdigest(), name))
        told = _signature(walk, entry, verifies)
        if (told.get("bytes"), told.get("files"), told.get("sha256")) != (offset, count - 1, before.hexdigest()):
            fr, en = "les octets ne sont pas ceux qui ont été signés", "the bytes are not those that were signed"
            raise Broken(f"0–{offset}", fr, en)
        start = walk.offset
        size = directory.tell()
        directory.seek(0)
        walk.rest(directory, _end(count, start, size))
    return Verified(told, count, walk.offset)


def _compare(walk: "_Walk", entry: Entry, sums: IO[bytes]) -> None:
    """The list of hashes is that of the files that came before it."""
    sums.seek(0)
    for piece in walk.body(entry):
        if sums.read(len(piece)) != piece:
            raise Broken(SUMS, "un fichier n'a pas l'empreinte dite", "a file has not the hash that is said")
    if sums.read(1):
        raise Broken(SUMS, "un fichier n'y est pas", "a file is not in it")


def _signature(walk: "_Walk", entry: Entry, verifies: Callable[[str, str, bytes], bool]) -> dict[str, Any]:
    wrong = Broken(SIGNATURE, "la signature n'est pas de cette clé", "the signature is not of this key")
    if entry.size > SIGNATURE_BYTES_MAX:
        raise wrong
    data = b"".join(walk.body(entry))
    try:
        told = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        raise wrong from None
    body = {name: value for name, value in told.items() if name != "signature"}
    key, signature = str(told.get("key", "")), str(told.get("signature", ""))
    if audit.canonical(told).encode() != data or not verifies(key, signature, audit.canonical(body).encode()):
        raise wrong
    return told


class _Walk:
    """Reads a sealed ZIP from its first byte to its last, each once."""

    def __init__(self, file: IO[bytes], progress: Callable[[int], None]) -> None:
        self._file = file
        self._progress = progress
        self.offset = 0
        self.digest = hashlib.sha256()

    def _read(self, length: int) -> bytes:
        data = self._file.read(length)
        if len(data) != length:
            raise Broken(str(self.offset), "le fichier est coupé", "the file is cut")
        self.offset += length
        self.digest.update(data)
        return data

    def header(self) -> Entry:
        """Return the next file, its header the only one it can have."""
        place = str(self.offset)
        wrong = Broken(
            place, "en-tête changé, ou ce n'est pas un dossier scellé", "header changed, or no sealed package"
        )
        first = self._file.read(_LOCAL.size)
        if len(first) < _LOCAL.size or first[:4] != b"PK\x03\x04":
            raise wrong
        fields = _LOCAL.unpack(first)
        length = fields[9]
        if not 0 < length <= NAME_BYTES_MAX:
            raise wrong
        entry = Entry(self._file.read(length), fields[3], fields[6], fields[7], fields[8])
        if entry.local() != first + entry.name or entry.method not in (0, 8):
            raise wrong
        self.offset += _LOCAL.size + length
        self.digest.update(first + entry.name)
        return entry

    def body(self, entry: Entry) -> Iterator[bytes]:
        """Give the bytes of a file, in pieces, no more than it is said to have."""
        name = entry.name.decode(errors="replace")
        wrong = Broken(name, "le contenu a été changé", "the content was changed")
        unpacker = zlib.decompressobj(-15) if entry.method else None
        left, crc, size = entry.packed, 0, 0
        while left:
            piece = self._read(min(PIECE, left))
            left -= len(piece)
            for out in _unpacked(unpacker, piece, wrong):
                crc, size = zlib.crc32(out, crc), size + len(out)
                if size > entry.size:
                    raise wrong
                yield out
            self._progress(self.offset)
        if (crc, size) != (entry.crc, entry.size) or (unpacker and (not unpacker.eof or unpacker.unused_data)):
            raise wrong

    def rest(self, directory: IO[bytes], end: bytes) -> None:
        """What is left is this directory and this end, and nothing more."""
        wrong = Broken(str(self.offset), "le répertoire a été changé", "the directory was changed")
        while piece := directory.read(PIECE):
            if self._read(len(piece)) != piece:
                raise wrong
        if self._read(len(end)) != end or self._file.read(1):
            raise wrong


def _unpacked(unpacker: Any, piece: bytes, wrong: Broken) -> Iterator[bytes]:
    """Give what a piece is, decompressed a bounded part at a time."""
    if unpacker is None:
        yield piece
        return
    try:
        while piece:
            if out := unpacker.decompress(piece, PIECE):
                yield out
            piece = unpacker.unconsumed_tail
    except zlib.error:
        raise wrong from None
