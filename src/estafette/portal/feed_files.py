"""The files of the feeds, read a record at a time: CSV, JSON or JSON lines, alone or in a ZIP, in constant memory.

A record comes with the number of its first line and what it is, or what is wrong with it. Nothing of one bad line
reaches the next: a line too long, of another encoding or of another width is told and passed over. Reading goes on
after any line, so that a load that was cut short is continued.
"""

import csv
import hashlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import msgspec

from estafette.formats import chorus_pro, sirene, tax_register
from estafette.formats.chorus_pro import PublicPlace, PublicService
from estafette.formats.sirene import Row, Wrong, WrongHeader
from estafette.formats.tax_register import TaxStatus
from estafette.values.limits import FEED_ANSWER_BYTES_MAX, FEED_LINE_BYTES_MAX, FEED_ROW_BYTES_MAX


class Feed(StrEnum):
    """What a file is: the national register whole, what changed of it, the tax register, the public entities."""

    STOCK = "sirene-stock"
    DAILY = "sirene-daily"
    TAX = "tax"
    CHORUS_PRO = "chorus-pro"


class WrongFile(Exception):
    """The file cannot be read at all: why, in both languages, on one line."""


Content = Row | TaxStatus | PublicPlace | PublicService | Wrong


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its line (in JSON: its place), from 1, and what it says."""

    line: int
    content: Content


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is open. `size` in bytes of what is read, `position` how far one is."""

    stream: IO[bytes]
    size: int
    position: Callable[[], int]


def fingerprint(file: Path) -> str:
    """Return what tells a file from another: all its bytes, since an O that became N changes nothing else.

    Three gigabytes take a few seconds; loading them, minutes. Raises: OSError.
    """
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def opened(file: Path) -> Iterator[Source]:
    """Open a file, or the one file inside a ZIP. Raises: WrongFile."""
    try:
        with file.open("rb") as plain:
            if not zipfile.is_zipfile(plain):
                plain.seek(0)
                yield Source(plain, file.stat().st_size, plain.tell)
                return
            with zipfile.ZipFile(plain) as archive, archive.open(_only(archive, file)) as inner:
                size = archive.infolist()[0].file_size if len(archive.infolist()) == 1 else 0
                yield Source(inner, size or 1, inner.tell)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as fault:
        raise WrongFile(f"{file.name}: illisible / unreadable: {' '.join(str(fault).split())}") from None


def _only(archive: zipfile.ZipFile, file: Path) -> zipfile.ZipInfo:
    files = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(files) != 1:
        raise WrongFile(
            f"{file.name}: un seul fichier attendu dans le ZIP / one file expected in the ZIP: {len(files)}"
        )
    return files[0]


def records(source: Source, feed: Feed, *, after: int = 0) -> Iterator[Record]:
    """Give the records of a file, those that begin after a line. Raises: WrongFile."""
    lines = _Lines(source.stream)
    first = lines.text(lines.next())
    try:
        if feed is Feed.DAILY and first is not None and first.lstrip("\ufeff \t\r\n")[:1] == "{":
            yield from _answers(lines, first, after)
        else:
            yield from _rows(lines, first, feed, after)
    except WrongHeader as fault:
        raise WrongFile(str(fault)) from None


# ----------------------------------------------------------------------------------------------------------------- CSV


def _rows(lines: "_Lines", first: str | None, feed: Feed, after: int) -> Iterator[Record]:
    """Give the rows under the header; what is wrong with a line itself comes in its place."""
    if not first:
        raise WrongFile("fichier vide, ou pas en UTF-8 / empty, or not UTF-8")
    first = first.removeprefix("\ufeff")
    separator = ";" if first.count(";") > first.count(",") else ","
    header = _cells(first.rstrip("\r\n"), separator)
    read: Callable[[Sequence[str]], Content] = _READERS.get(feed, sirene.reader_of)(header)
    lines.limit = FEED_ROW_BYTES_MAX
    while lines.number < after and lines.next():
        pass
    while raw := lines.next():
        if text := lines.text(raw):
            if cells := _cells(text.rstrip("\r\n"), separator):
                yield Record(lines.number, read(cells))
        else:
            yield Record(lines.number, _UNREADABLE)


def _cells(text: str, separator: str) -> list[str]:
    """Split a row; a quote that is not closed ends with its line, since no published file has rows of several lines."""
    if '"' not in text:
        return text.split(separator) if text else []
    try:
        return next(csv.reader([text], delimiter=separator))
    except csv.Error:
        return [text]


_READERS: dict[Feed, Callable[[Sequence[str]], Callable[[Sequence[str]], Content]]] = {
    Feed.TAX: tax_register.reader_of,
    Feed.CHORUS_PRO: chorus_pro.reader_of,
}
"""What reads the rows of a feed; those of the national register are told by their columns."""

_UNREADABLE = Wrong("*", "", "ligne trop longue, ou pas en UTF-8", "line too long, or not UTF-8")


class _Lines:
    """The lines of a stream, of a bounded length, counted."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.number = 0
        self.limit = FEED_LINE_BYTES_MAX

    def next(self) -> bytes:
        """Return the next line, or its beginning, longer than the limit; nothing at the end."""
        line = self._stream.readline(self.limit + 1)
        if line:
            self.number += 1
        rest = line
        while len(rest) > self.limit and not rest.endswith(b"\n"):
            rest = self._stream.readline(self.limit + 1)
        return line

    def text(self, line: bytes) -> str | None:
        """Return a line as text; None when it is too long or is none."""
        if len(line) > self.limit:
            return None
        try:
            return line.decode()
        except UnicodeDecodeError:
            return None

    def rest(self, first: str) -> bytes:
        """Return a whole small file whose first line was read. Raises: WrongFile past the limit."""
        whole = first.encode() + self._stream.read(FEED_ANSWER_BYTES_MAX)
        if len(whole) > FEED_ANSWER_BYTES_MAX:
            size = FEED_ANSWER_BYTES_MAX // 2**20
            raise WrongFile(f"réponse de plus de {size} Mio / answer of more than {size} MiB")
        return whole


# ---------------------------------------------------------------------------------------------------------------- JSON


def _answers(lines: _Lines, first: str, after: int) -> Iterator[Record]:
    """Give the objects of one answer of the API, or of several, one a line; numbered through them all."""
    number = 0
    for answer in _decoded(lines, first.removeprefix("\ufeff")):
        found = [answer] if isinstance(answer, Wrong) else sirene.of_answer(answer)
        for content in found:
            number += 1
            if number > after:
                yield Record(number, content)


def _decoded(lines: _Lines, first: str) -> Iterator[Any]:
    """Decode the lines when the first is an answer by itself, else the whole."""
    try:
        alone = msgspec.json.decode(first)
    except msgspec.DecodeError:
        try:
            yield msgspec.json.decode(lines.rest(first))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise WrongFile(f"JSON illisible / unreadable JSON: {fault}") from None
        return
    yield alone
    while raw := lines.next():
        text = lines.text(raw)
        if text is not None and not text.strip():
            continue
        try:
            yield msgspec.json.decode(text) if text is not None else _UNREADABLE
        except (msgspec.DecodeError, RecursionError) as fault:
            yield Wrong("*", str(fault)[:100], "JSON illisible", "unreadable JSON")
