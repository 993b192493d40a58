"""The archive that holds the files of a flow (tar.gz): made always the same, opened with trust in nothing.

`pack` makes the same bytes for the same files. `unpack` gives files one by one: no path, no link, no device, nothing
too big, too many or swelling, nothing after damage. One bad file makes the whole flow irreceivable: a caller takes no
file before `unpack` has given the last one.

Source: external specifications v3.2, general file §3.4 (sizes, table 3), annex 7 G7.18.
"""

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO, NoReturn

from estafette.formats.envelope import ARCHIVE, PLAIN, Irreceivable, is_archive_only
from estafette.values import limits

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,249}\.xml")
_BLOCK = tarfile.BLOCKSIZE
_LONG_NAME_MAX = 4096
_FILE_COMPRESSION = 6
"""Of a file of a hundred megabytes: half the time of the best compression, for a twentieth more bytes."""

Judge = Callable[[str, tarfile.TarInfo], None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a flow may hold: so many files, the bytes of each, those of all of them, headers too."""

    files: int = limits.FLOW_FILES_MAX
    file_bytes: int = limits.FILE_BYTES_MAX
    extracted_bytes: int = limits.FLOW_EXTRACTED_BYTES_MAX


WIDEST = Bounds()
"""What is borne of any archive (our bounds)."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """Make the archive of a flow: the same bytes for the same files, whatever their order, the day and the machine.

    ValueError when there is no file, a file is empty or too big, or a name is not a plain `….xml`.
    """
    if not files:
        raise ValueError("a flow has one file at least")
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in sorted(files.items()):
            if not _FILE_NAME.fullmatch(name) or not 0 < len(content) <= limits.FILE_BYTES_MAX:
                raise ValueError(f"a flow carries no such file: {name!r}, {len(content)} bytes")
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def pack_file(name: str, content: IO[bytes], size: int, into: IO[bytes]) -> int:
    """Write the archive of a flow of one file, read from its beginning; returns how many bytes it takes.

    Memory holds a piece of the file; the bytes are the same for the same file. ValueError as `pack` raises it.
    """
    if not _FILE_NAME.fullmatch(name) or not 0 < size <= limits.FILE_BYTES_MAX:
        raise ValueError(f"a flow carries no such file: {name!r}, {size} bytes")
    with (
        gzip.GzipFile(filename="", fileobj=into, mode="wb", mtime=0, compresslevel=_FILE_COMPRESSION) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        member = tarfile.TarInfo(name)
        member.size = size
        archive.addfile(member, content)
    return into.tell()


def unpack(name: str, data: bytes | io.BufferedReader, *, bounds: Bounds = WIDEST) -> Iterator[tuple[str, bytes]]:
    """Give the files of a flow, one at a time, in their order; a flow `….xml` is its only file.

    Memory holds one file at a time, and of a flow that is not given whole only what is being read. What was given
    counts for nothing when Irreceivable comes after it.

    Raises: Irreceivable with the code of G7.18: IRR_VIDE, IRR_TAILLE, IRR_TYPE, IRR_EXTRAC for the flow; IRR_VIDE_F,
    IRR_TAILLE_F, IRR_TYPE_F, IRR_NOM_F for a file of it.
    """
    if isinstance(data, bytes) and len(data) > limits.FLOW_BYTES_MAX:
        _too_big(f"{len(data)} > {limits.FLOW_BYTES_MAX}")
    stream = io.BufferedReader(io.BytesIO(data)) if isinstance(data, bytes) else data
    if not stream.peek(1):
        raise Irreceivable("IRR_VIDE", "Le flux est vide.", "The flow is empty.")
    if name.endswith(PLAIN):
        yield from _plain(name, stream.read(bounds.file_bytes + 1), bounds)
        return
    seen: set[str] = set()
    archive = _Archive(stream, bounds)
    for file_name, content in _members(archive, partial(_judge_file, bounds=bounds)):
        if file_name in seen:
            _bad_name(file_name)
        seen.add(file_name)
        if len(seen) > bounds.files:
            _too_big(f"> {bounds.files} fichiers / files")
        yield file_name, content
    if not seen:
        raise Irreceivable("IRR_VIDE", "L'archive ne contient aucun fichier.", "The archive has no file.")


def entries(data: bytes, judge: Judge) -> Iterator[tuple[str, bytes]]:
    """Give what any tar.gz holds but its folders, in its order; `judge` is called before the bytes of each are read.

    Raises: Irreceivable (IRR_EXTRAC, IRR_TAILLE) as `unpack` does, and whatever `judge` raises.
    """
    yield from _members(_Archive(io.BytesIO(data), WIDEST), judge)


def _plain(name: str, data: bytes, bounds: Bounds) -> Iterator[tuple[str, bytes]]:
    if is_archive_only(name):
        raise Irreceivable(
            "IRR_TYPE",
            f"Ce flux s'envoie dans une archive {ARCHIVE}.",
            f"This flow is sent in an archive {ARCHIVE}.",
            name,
        )
    _judge_size(name, len(data), bounds)
    yield name, data


class _Archive:
    """The decompressed bytes, read forward only, counted against the bound."""

    def __init__(self, packed: IO[bytes], bounds: Bounds) -> None:
        self.bounds = bounds
        self._stream = gzip.GzipFile(fileobj=packed, mode="rb")
        self._read = 0

    def exactly(self, size: int) -> bytes:
        """Give that many bytes, never fewer."""
        block = self._some(size)
        if len(block) < size:
            _damaged("archive tronquée", "truncated archive")
        return block

    def finish(self) -> None:
        """The rest is zeros, and the checksum of the whole is right."""
        while rest := self._some(16 * _BLOCK):
            if rest.strip(b"\0"):
                _damaged("octets après la fin", "bytes after the end")

    def _some(self, size: int) -> bytes:
        try:
            block = self._stream.read(size)
        except (OSError, EOFError, zlib.error) as error:
            _damaged("compression illisible ou tronquée", "compression unreadable or truncated", error)
        self._read += len(block)
        if self._read > self.bounds.extracted_bytes:
            _too_big(f"> {self.bounds.extracted_bytes} octets extraits / bytes extracted")
        return block


def _members(archive: _Archive, judge: Judge) -> Iterator[tuple[str, bytes]]:
    """Give the regular files. The headers are tarfile's; the loop is ours, because tarfile ends silently on damage."""
    long_name = ""
    while (block := archive.exactly(_BLOCK)).strip(b"\0"):
        member = _header(block)
        name = long_name or member.name
        if member.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME):
            extended = _extended_name(member, _payload(archive, member, _LONG_NAME_MAX))
            long_name = long_name if member.type == tarfile.XGLTYPE else extended or long_name
            continue
        long_name = ""
        if member.isdir():
            _payload(archive, member, 0)
            continue
        name = name.removeprefix("./")
        judge(name, member)
        yield name, _payload(archive, member, archive.bounds.file_bytes)
    archive.finish()


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        member = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except tarfile.HeaderError as error:
        _damaged("en-tête illisible", "unreadable header", error)
    return member


def _payload(archive: _Archive, member: tarfile.TarInfo, size_max: int) -> bytes:
    if not 0 <= member.size <= size_max:
        _damaged(f"taille annoncée {member.size}", f"announced size {member.size}")
    content = archive.exactly(member.size)
    archive.exactly(-member.size % _BLOCK)
    return content


def _extended_name(member: tarfile.TarInfo, payload: bytes) -> str:
    if member.type == tarfile.GNUTYPE_LONGNAME:
        return payload.rstrip(b"\0").decode("utf-8", "replace")
    path = re.search(rb"(?:^|\n)[0-9]+ path=([^\n]*)\n", payload)
    return path[1].decode("utf-8", "replace") if path else ""


def _judge_file(name: str, member: tarfile.TarInfo, *, bounds: Bounds) -> None:
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        _bad_type(name, "ni lien, ni périphérique", "no link, no device")
    if not _FILE_NAME.fullmatch(name):
        if re.fullmatch(r"[A-Za-z0-9_.+-]+", name) and not name.startswith("."):
            _bad_type(name, f"{PLAIN} attendu", f"{PLAIN} expected")
        _bad_name(name)
    _judge_size(name, member.size, bounds)


def _judge_size(name: str, size: int, bounds: Bounds) -> None:
    if size == 0:
        raise Irreceivable("IRR_VIDE_F", f"Le fichier {name} est vide.", f"File {name} is empty.", name)
    if size > (most := bounds.file_bytes):
        raise Irreceivable(
            "IRR_TAILLE_F",
            f"Le fichier {name} a {size} octets ; la limite est {most} ({most >> 20} Mo).",
            f"File {name} has {size} bytes; the limit is {most} ({most >> 20} MB).",
            name,
        )


def _bad_type(name: str, fr: str, en: str) -> NoReturn:
    shown = _shown(name)
    raise Irreceivable(
        "IRR_TYPE_F", f"Type de fichier non admis : {shown} ({fr}).", f"File type not allowed: {shown} ({en}).", shown
    )


def _bad_name(name: str) -> NoReturn:
    shown = _shown(name)
    raise Irreceivable(
        "IRR_NOM_F",
        f"Nom de fichier non admis ou en double : {shown} ; lettres, chiffres, _ - + et .xml, sans dossier.",
        f"File name not allowed or twice: {shown}; letters, digits, _ - + and .xml, no folder.",
        shown,
    )


def _shown(name: str) -> str:
    return name[:100].encode("unicode_escape").decode()


def _damaged(fr: str, en: str, error: Exception | None = None) -> NoReturn:
    raise Irreceivable(
        "IRR_EXTRAC", f"L'archive ne peut être extraite : {fr}.", f"The archive cannot be extracted: {en}."
    ) from error


def _too_big(what: str) -> NoReturn:
    raise Irreceivable("IRR_TAILLE", f"Le flux dépasse la limite : {what}.", f"The flow is over the limit: {what}.")
