"""Documents by content: the original bytes of everything that ever came in or went out, bad ones too.

A document is named by the SHA-256 of its bytes, written once, compressed at rest, and durable before any record names
it. Writing it twice is writing it once.

Theory of operation. `put` holds a draft in memory and waits for no disk; `settle`, called by the store before a durable
transaction is committed, compresses the drafts, adds them all to a pack, waits for the disk once, and records where
each lies in that very transaction. Only when it is committed are the drafts let go. A draft that no transaction settled
is named by no record.
The latest documents stay in memory for a while: what one job puts, the next one reads. What is put while it is in
memory is looked for at rest when it is settled: it may have been purged meanwhile, by another process too.

`purge` takes a document out of the records in the transaction of its caller; its bytes wait in `condemned` until they
are erased (`store.erasure`). What is put again after that is written anew.
"""

import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import IO, Any, cast

import zstandard
from sqlalchemy import Connection, bindparam, delete, insert, select

from estafette.store import gathered
from estafette.store.database import Database, Settled
from estafette.store.packs import Added, Packs
from estafette.store.queries import Lookup, Query
from estafette.store.tables import condemned, document

RECENT_BYTES_MAX = 16 * 1024 * 1024
"""What is kept in memory of the latest documents."""

PIECE_BYTES = 1024 * 1024
"""What is read at once of a document that is opened."""

SHORT_BYTES_MAX = 32 * 1024
"""What is named so soon that no other thread is let in meanwhile: it would keep the interpreter for ten times as long.
It is compressed with the others."""

HASHED_BYTES_MAX = 2047
"""What hashlib takes at once without letting another thread in (HASHLIB_GIL_MINSIZE)."""

HEADER_BYTES_MAX = 18
"""The longest header of a frame (RFC 8878 §3.1.1): it says how much the frame holds."""

DIGITS = frozenset("0123456789abcdef")

_HELD = Lookup(select(document.c.sha256), {"name": document.c.sha256})
_PLACES = select(document).where(document.c.sha256.in_(bindparam("names", expanding=True)))
_PLACE = Query(
    select(document.c.pack, document.c.start, document.c.length).where(document.c.sha256 == bindparam("name"))
)


class Damaged(Exception):
    """What rests of a document is no longer its bytes: it is to be restored from a copy."""


class Documents:
    """The documents of one actor. Several threads may put, get and settle at once."""

    def __init__(self, database: Database, packs: Packs) -> None:
        self._database = database
        self._packs = packs
        self._drafts: dict[str, bytes] = {}
        """What was put and is short, as it is."""
        self._packed: dict[str, bytes] = {}
        """What was put and is long, compressed already."""
        self._again: dict[str, bytes] = {}
        """What was put while it was in memory: at rest already, unless it was purged."""
        self._recent = _Recent(RECENT_BYTES_MAX)
        self._lock = threading.Lock()
        """Over the drafts and the recent ones: one thread puts while another settles."""
        self._settling = threading.Lock()
        """One pack is added to at a time."""
        database.settling = self

    def put(self, data: bytes) -> str:
        """The bytes can be read under their name, 64 hexadecimal digits; they are durable once settled."""
        name, is_short = _name(data), 0 < len(data) <= SHORT_BYTES_MAX
        packed = b"" if is_short else _packer().compress(data)
        with self._lock:
            if name in self._drafts or name in self._packed:
                return name
            if name in self._recent:
                self._again[name] = data
                return name
            if is_short:
                self._drafts[name] = data
            else:
                self._packed[name] = packed
            self._recent.keep(name, data)
        return name

    def put_pieces(self, pieces: Iterable[bytes], *, size: int) -> str:
        """As `put`, of `size` bytes that come piece by piece: of a large one only the compressed form is held."""
        if size <= PIECE_BYTES:
            return self.put(b"".join(pieces))
        digest, packed = hashlib.sha256(), bytearray()
        packer = _packer().compressobj(size=size)
        for piece in pieces:
            digest.update(piece)
            packed += packer.compress(piece)
        packed += packer.flush()
        name = digest.hexdigest()
        with self._lock:
            if name not in self._packed:
                self._packed[name] = cast(bytes, packed)  # never changed again, and too large to copy
        return name

    def look_ahead(self, connection: Connection) -> None:
        """Ask, with what others ask, what `settle` will: which of what was put is at rest already."""
        with self._lock:
            names = {*self._drafts, *self._packed, *self._again}
        _HELD.ahead(connection, [{"name": name} for name in names])

    def settle(self, connection: Connection) -> Settled:
        """This transaction says where everything rests that was put when it looked ahead; it is durable once it was
        waited for. What others put meanwhile is theirs to settle.

        Raises: OSError, as what waits does; nothing is let go, and what is left can be settled again.
        """
        with self._lock:
            drafts = {name: data for name, data in (self._again | self._drafts).items() if _is_asked(connection, name)}
            packed = {name: data for name, data in self._packed.items() if _is_asked(connection, name)}
        added = self._settle(connection, drafts, packed) if drafts or packed else None
        return Settled(added.wait if added else _no_more, lambda: self._let_go(drafts | packed))

    def _settle(self, connection: Connection, drafts: dict[str, bytes], packed: dict[str, bytes]) -> Added | None:
        held = {name for name in (*drafts, *packed) if _HELD.rows(connection, name=name)}
        fresh = _compressed({name: data for name, data in drafts.items() if name not in held})
        fresh |= {name: data for name, data in packed.items() if name not in held}
        if not fresh:
            return None
        with self._settling:
            added = self._packs.append(list(fresh.values()))
        start = added.start
        for name, part in fresh.items():
            row = {"sha256": name, "pack": added.pack, "start": start, "length": len(part)}
            gathered.add(connection, document, row, once=True)
            start += len(part)
        return added

    def _let_go(self, settled: dict[str, bytes]) -> None:
        """What was settled is held no longer; what was put again meanwhile is."""
        with self._lock:
            for name, data in settled.items():
                for held in (self._drafts, self._packed, self._again):
                    if held.get(name) is data:
                        del held[name]

    def purge(self, connection: Connection, names: Iterable[str], *, now: datetime) -> list[str]:
        """The documents are known no more if this transaction is committed; their bytes wait to be erased.

        Returns those that were known: purging twice is purging once. Whoever asks has made sure that no record that
        stays names them.
        """
        asked = sorted(set(names))
        self.forget(asked)
        found = connection.execute(_PLACES, {"names": asked}).mappings().all()
        gone = [{**row, "condemned_at": now} for row in found]
        known = {row["sha256"] for row in found}
        gone += [
            {"sha256": name, "pack": "", "start": 0, "length": 0, "condemned_at": now}
            for name in asked
            if name not in known and self._is_loose(name)
        ]
        if gone:
            connection.execute(insert(condemned), gone)
            connection.execute(delete(document).where(document.c.sha256.in_(known)))
        return [row["sha256"] for row in gone]

    def forget(self, names: Iterable[str]) -> None:
        """Nothing of these documents is in memory, but what is still to be settled."""
        with self._lock:
            for name in names:
                self._recent.drop(name)

    def _is_loose(self, name: str) -> bool:
        try:
            return bool(self._packs.loose(name))
        except FileNotFoundError:
            return False

    def check_at(self, name: str, place: tuple[str, int, int]) -> None:
        """What rests at a place is the document of this name. Raises: Damaged."""
        try:
            _unpacked(name, self._packs.read(*place))
        except FileNotFoundError:
            raise Damaged(f"{name}: pack {place[0]} is gone") from None

    @property
    def packs(self) -> Packs:
        """Where the documents rest."""
        return self._packs

    def get(self, name: str) -> bytes:
        """Return the bytes as they came. Raises: KeyError when the name is not known, Damaged."""
        with self._lock:
            data, packed = self._held(name)
        if data is not None:
            return data
        data = _unpacked(name, self._at_rest(name) if packed is None else packed)
        with self._lock:
            self._recent.keep(name, data)
        return data

    def open(self, name: str) -> io.BufferedReader:
        """Return the bytes as they came, to be read forward: of a large one memory holds a piece.

        Raises: KeyError when the name is not known, Damaged, also from the last reading.
        """
        with self._lock:
            data, packed = self._held(name)
        if data is not None:
            return io.BufferedReader(io.BytesIO(data))
        source = self._rest(name) if packed is None else io.BytesIO(packed)
        return io.BufferedReader(_Unpacking(name, source), PIECE_BYTES)

    def size(self, name: str) -> int:
        """Return how many bytes it has, which its packed form begins by saying. Raises: KeyError, Damaged."""
        with self._lock:
            data, packed = self._held(name)
        if data is not None:
            return len(data)
        beginning = (self._rest(name) if packed is None else io.BytesIO(packed)).read(HEADER_BYTES_MAX)
        try:
            said = int(zstandard.frame_content_size(beginning))
        except zstandard.ZstdError as fault:
            raise Damaged(f"{name}: {fault}") from None
        return said if said >= 0 else sum(map(len, iter(partial(self.open(name).read, PIECE_BYTES), b"")))

    def _held(self, name: str) -> tuple[bytes | None, bytes | None]:
        """Return what memory has of a document, under the lock: its bytes, or their packed form."""
        data = self._recent.get(name)
        return self._drafts.get(name) if data is None else data, self._packed.get(name)

    def _rest(self, name: str) -> "_Rest | io.BytesIO":
        """Return the packed form of a document, to be read forward. Raises: KeyError."""
        place = self._place(name)
        if place is not None:
            return _Rest(name, self._packs, *place)
        try:
            return io.BytesIO(self._packs.loose(name))
        except FileNotFoundError:
            raise KeyError(name) from None

    def _place(self, name: str) -> tuple[str, int, int] | None:
        """Return where a document is among packs, None when it is in none. Raises: KeyError, for what is no name."""
        if len(name) != 64 or not set(name) <= DIGITS:
            raise KeyError(name)
        with self._database.glance() as connection:
            return next(iter(_PLACE.tuples(connection, name=name)), None)

    def _at_rest(self, name: str) -> bytes:
        place = self._place(name)
        try:
            return self._packs.loose(name) if place is None else self._packs.read(*place)
        except FileNotFoundError:
            if place is None:
                raise KeyError(name) from None
            raise Damaged(f"{name}: pack {place[0]} is gone") from None

    def check(self) -> None:
        """Documents can be kept. Raises: OSError."""
        self._packs.check()

    def close(self) -> None:
        """Let go of what is open."""
        self._packs.close()


def _is_asked(connection: Connection, name: str) -> bool:
    return _HELD.is_known(connection, name=name)


def _no_more() -> None:
    """There is nothing to wait for."""


def _name(data: bytes) -> str:
    """Return the name of a document: the SHA-256 of its bytes."""
    if len(data) > SHORT_BYTES_MAX:
        return hashlib.sha256(data).hexdigest()
    digest = hashlib.sha256()
    for at in range(0, len(data), HASHED_BYTES_MAX):
        digest.update(data[at : at + HASHED_BYTES_MAX])
    return digest.hexdigest()


def _packer() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=3)


def _compressed(drafts: dict[str, bytes]) -> dict[str, bytes]:
    """Return the packed form of each document, letting other threads in once."""
    if not drafts:
        return {}
    packed = _packer().multi_compress_to_buffer(list(drafts.values()))
    return {name: packed[at].tobytes() for at, name in enumerate(drafts)}


def _unpacked(name: str, packed: bytes) -> bytes:
    """Return the bytes of a document. Raises: Damaged when they are not those it is named by."""
    try:
        data = zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError as fault:
        raise Damaged(f"{name}: {fault}") from None
    if _name(data) != name:
        raise Damaged(f"{name}: other bytes")
    return data


class _Rest:
    """The packed form of a document in its pack, read forward."""

    def __init__(self, name: str, packs: Packs, pack: str, start: int, length: int) -> None:
        self._name, self._packs = name, packs
        self._pack, self._start, self._left = pack, start, length

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer at the end. Raises: Damaged, when the pack is gone."""
        wanted = self._left if size < 0 else min(size, self._left)
        if not wanted:
            return b""
        try:
            data = self._packs.read(self._pack, self._start, wanted)
        except FileNotFoundError:
            raise Damaged(f"{self._name}: pack {self._pack} is gone") from None
        self._start, self._left = self._start + wanted, self._left - wanted
        return data


class _Unpacking(io.RawIOBase):
    """A document unpacked as it is read, and held to its name once it is read to its end."""

    def __init__(self, name: str, packed: "_Rest | io.BytesIO") -> None:
        self._name, self._digest = name, hashlib.sha256()
        self._reader = zstandard.ZstdDecompressor().stream_reader(cast(IO[bytes], packed), read_size=PIECE_BYTES)

    def readable(self) -> bool:
        """Say so."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes. Raises: Damaged."""
        try:
            count = int(self._reader.readinto(buffer))
        except zstandard.ZstdError as fault:
            raise Damaged(f"{self._name}: {fault}") from None
        self._digest.update(memoryview(buffer)[:count])
        if not count and self._digest.hexdigest() != self._name:
            raise Damaged(f"{self._name}: other bytes")
        return count


class _Recent:
    """The documents last put or read, up to so many bytes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._held: OrderedDict[str, bytes] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def get(self, name: str) -> bytes | None:
        """Return a document that is held, which becomes the latest."""
        if name in self._held:
            self._held.move_to_end(name)
        return self._held.get(name)

    def drop(self, name: str) -> None:
        """The document is not held."""
        if (data := self._held.pop(name, None)) is not None:
            self._size -= len(data)

    def keep(self, name: str, data: bytes) -> None:
        """The document is held, instead of the oldest ones; one of more than an eighth of the room is not."""
        if len(data) > self._limit // 8 or name in self._held:
            return
        self._held[name] = data
        self._size += len(data)
        while self._size > self._limit:
            _oldest, dropped = self._held.popitem(last=False)
            self._size -= len(dropped)
