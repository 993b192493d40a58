"""An export of the directory (F14) becomes files, entry by entry, none larger than allowed.

Each file is whole by itself: the same header, its own blocks. The texts publish no rule for an extract in several
files; ours is in their names (`PortionName`): numbered from 1, the last one marked, so that whoever reads them knows
when all are there.

Source: external specifications v3.2, annex 3 (F14), general file §3.4.5 (sizes); our names.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, BinaryIO, Self

from estafette.formats.directory_entries import Entry
from estafette.formats.directory_records import EXPORTED
from estafette.formats.directory_text import text_of
from estafette.values.moments import second, second_text

EXPORT_ROOT = "AnnuaireConsultationF14"

_BLOCKS = {record.kind: (rank, record.block) for rank, record in enumerate(EXPORTED)}
_END = f"</{EXPORT_ROOT}>\n".encode()
_PENDING_MAX = 256
_NAME = re.compile(r"F14_([CD])_([0-9]{14})_([0-9]{4,6})(_FIN)?\.xml")


@dataclass(frozen=True, slots=True)
class Header:
    """When an export was made (DT-0), the moment of the differential before it (DT-1), full or not (DT-2)."""

    produced_at: datetime
    previous_at: datetime | None = None
    is_full: bool = True


@dataclass(frozen=True, slots=True)
class Presence:
    """An entry of an export and why it is there (motif de présence)."""

    entry: Entry
    motive: str = "C"


@dataclass(frozen=True, slots=True)
class PortionName:
    """The name of one file of an extract: kind, moment (DT-0), its number from 1, whether it is the last.

    >>> str(PortionName(True, second("20260901010022"), 3, is_last=True))
    'F14_C_20260901010022_0003_FIN.xml'
    """

    is_full: bool
    produced_at: datetime
    number: int
    is_last: bool

    def __str__(self) -> str:
        end = "_FIN" if self.is_last else ""
        return f"F14_{'C' if self.is_full else 'D'}_{second_text(self.produced_at)}_{self.number:04}{end}.xml"

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Read a name; None when it is not one of ours: that file is then all there is."""
        match = _NAME.fullmatch(name)
        return cls(match[1] == "C", second(match[2]), int(match[3]), match[4] is not None) if match else None


@dataclass(frozen=True, slots=True)
class Portion:
    """One file of an extract, at its beginning; it is gone once closed."""

    name: PortionName
    file: IO[bytes]
    size: int
    entries: int


class ExportFile:
    """One file being written, of at most `bytes_max`; memory holds some entries."""

    def __init__(self, stream: BinaryIO | IO[bytes], header: Header, bytes_max: int = sys.maxsize) -> None:
        self._stream = stream
        self._pending: list[bytes] = []
        self._rank, self._block = -1, ""
        self._bytes_max = bytes_max - len(_END)
        self.size = 0
        self.entries = 0
        self._put("<?xml version='1.0' encoding='UTF-8'?>\n" + f"<{EXPORT_ROOT}>" + _header_text(header))

    def add(self, presence: Presence) -> bool:
        """The entry is in the file; False, and it is not, when there is no room (the first one always has).

        ValueError when its block comes before the last one written.
        """
        rank, block = _BLOCKS[type(presence.entry)]
        text = text_of(presence.entry, presence.motive)
        if rank != self._rank:
            text = self._turn(rank, block) + text
        data = text.encode()
        if self.entries and self.size + len(data) + len(block) + 3 > self._bytes_max:
            return False
        self._rank, self._block = rank, block
        self._put(data)
        self.entries += 1
        return True

    def close(self) -> None:
        """The file is whole; its stream is left open."""
        if self._block:
            self._put(f"</{self._block}>")
        self._put(_END)
        self._flush()

    def _turn(self, rank: int, block: str) -> str:
        if rank < self._rank:
            raise ValueError(f"entries of {block} come after those of a later block")
        return (f"</{self._block}>" if self._block else "") + f"<{block}>"

    def _put(self, piece: str | bytes) -> None:
        data = piece.encode() if isinstance(piece, str) else piece
        self.size += len(data)
        self._pending.append(data)
        if len(self._pending) >= _PENDING_MAX:
            self._flush()

    def _flush(self) -> None:
        self._stream.write(b"".join(self._pending))
        self._pending.clear()


def portions(header: Header, entries: Iterable[Presence], *, bytes_max: int) -> Iterator[Portion]:
    """Give the files of an extract, one at a time; the disk holds one, memory some entries. An empty extract has one.

    ValueError when the blocks come in another order than that of the schema.
    """
    waiting = iter(entries)
    number, first = 1, next(waiting, None)
    while True:
        portion, first = _portion(header, number, first, waiting, bytes_max)
        yield portion
        if portion.name.is_last:
            return
        number += 1


def _portion(
    header: Header, number: int, first: Presence | None, waiting: Iterator[Presence], bytes_max: int
) -> tuple[Portion, Presence | None]:
    """Give a file of the entries that it has room for, and the first that it has not."""
    stream = TemporaryFile()  # noqa: SIM115 - it is the caller's, who closes it
    file = ExportFile(stream, header, bytes_max)
    left = next((one for one in chain([first] if first else [], waiting) if not file.add(one)), None)
    file.close()
    stream.seek(0)
    name = PortionName(header.is_full, header.produced_at, number, is_last=left is None)
    return Portion(name, stream, file.size, file.entries), left


def _header_text(header: Header) -> str:
    previous = header.previous_at
    known = f"<DernierHorodateProduction>{second_text(previous)}</DernierHorodateProduction>" if previous else ""
    produced = f"<HorodateProduction>{second_text(header.produced_at)}</HorodateProduction>"
    return f"{produced}{known}<TypeFlux>{'C' if header.is_full else 'D'}</TypeFlux>"
