"""The envelope in which flows cross to and from the public portal: its name, and the archive that holds its files.

A name is `<interface 8>_<application 6>_<identifier 25>`, the identifier being the emitter's application code and a
sequence of 19. `pack` makes the same bytes for the same files. `unpack` gives files one by one and trusts nothing: no
path, no link, no device, nothing too big, too many or swelling, nothing after damage.

One bad file makes the whole flow irreceivable: a caller takes no file before `unpack` has given the last one.

Source: external specifications v3.2, general file §3.4 (names, sizes, table 3), annex 7 G7.18 and G7.33.
"""

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import IO, NoReturn, Self

from estafette.values import limits

_STEM = re.compile(r"([A-Z]{3}[0-9]{4}[A-Z])_([A-Z0-9]{6})_([A-Z0-9]{6}[A-Z0-9]{19})")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,249}\.xml")
_ARCHIVE, _PLAIN = ".tar.gz", ".xml"
_BLOCK = tarfile.BLOCKSIZE
_LONG_NAME_MAX = 4096
_NUMBER_MAX = 10**15
_FILE_COMPRESSION = 6
"""Of a file of a hundred megabytes: half the time of the best compression, for a twentieth more bytes."""


class Irreceivable(Exception):
    """A flow that cannot be taken at all (status 501): the code, what is wrong in two languages, which file of it."""

    def __init__(self, code: str, reason_fr: str, reason_en: str, file: str = "") -> None:
        super().__init__(reason_en)
        self.code = code
        self.reason_fr = reason_fr
        self.reason_en = reason_en
        self.file = file

    def __str__(self) -> str:
        return f"{self.code}: {self.reason_en}" + (f" ({self.file})" if self.file else "")


@dataclass(frozen=True, slots=True)
class Interface:
    """What one interface code carries, which way, between which days it holds."""

    code: str
    flow: str
    title: str
    to_portal: bool
    archive_only: bool = False
    since: date = date.min
    until: date = date.max


_ROWS = (
    Interface("FFE0111A", "F1", "Données de facture, UBL", True, archive_only=True),
    Interface("FFE0112A", "F1", "Données de facture, CII", True, archive_only=True),
    Interface("FFE0614A", "F6", "Statuts obligatoires", True),
    Interface("FFE1025A", "F10", "E-reporting", True),
    Interface("FFE1235A", "F13", "Actualisation de l'annuaire", True),
    Interface("FFE0604A", "F6", "Réponses sur les données de facture", False),
    Interface("FFE0654A", "F6", "Rejets de statuts obligatoires", False),
    Interface("FFE0624A", "F6", "Réponses sur l'e-reporting", False),
    Interface("FFE0634A", "F6", "Réponses sur l'annuaire", False),
    Interface("FFE1435A", "F14", "Consultation de l'annuaire", False),
)
"""As of v3.2 (2026-04-30); a revision adds a row and closes the former one."""


def interface(code: str, *, on: date) -> Interface:
    """Give what an interface code is on a day; an acknowledgement's code (C…) is that of the flow it answers, reversed.

    Raises: Irreceivable, IRR_CODE_INTER, when no interface has that code that day.
    """
    answered = code if code.startswith("F") else re.sub("^C", "F", code)
    for row in _ROWS:
        if row.code == answered and row.since <= on <= row.until:
            if code == answered:
                return row
            return Interface(code, "F6", f"Acquittement : {row.title}", not row.to_portal)
    known = ", ".join(row.code for row in _ROWS)
    raise Irreceivable(
        "IRR_CODE_INTER",
        f"Le code interface {code} est inconnu ; sont connus : {known}.",
        f"Interface code {code} is unknown; known are: {known}.",
    )


@dataclass(frozen=True, slots=True)
class FlowName:
    """The name of a flow, without its extension.

    >>> name = FlowName.numbered("FFE0111A", application_code="AAA123", number=1)
    >>> str(name), str(name.acknowledgement)
    ('FFE0111A_AAA123_AAA1230111000000000000001', 'CFE0111A_AAA123_AAA1230111000000000000001')
    """

    interface: str
    application_code: str
    """The partner's, in both directions."""
    flow_identifier: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name, with its extension or without.

        Raises: Irreceivable, IRR_TYPE on an extension that is neither `.tar.gz` nor `.xml`, IRR_FORM on a bad name.
        """
        stem, dot, extension = text.partition(".")
        if dot and "/" not in text and f".{extension}" not in (_ARCHIVE, _PLAIN):
            raise Irreceivable(
                "IRR_TYPE",
                f"L'extension .{extension[:20]} n'est pas admise : {_ARCHIVE} ou {_PLAIN}.",
                f"Extension .{extension[:20]} is not allowed: {_ARCHIVE} or {_PLAIN}.",
            )
        match = _STEM.fullmatch(stem)
        if match is None:
            raise Irreceivable(
                "IRR_FORM",
                f"Nom de flux mal formé : {text[:80]!r} ; attendu <interface 8>_<application 6>_<identifiant 25>.",
                f"Malformed flow name: {text[:80]!r}; expected <interface 8>_<application 6>_<identifier 25>.",
            )
        return cls(*match.groups())

    @classmethod
    def numbered(cls, interface: str, *, application_code: str, number: int, emitter: str = "") -> Self:
        """Make the name of the emitter's flow of that number, as AIFE recommends: 4 digits of the interface, then 15.

        `application_code` is the partner's; `emitter` is given when it is not the partner (the portal's own code).
        ValueError when the parts do not make a name.
        """
        if not 0 <= number < _NUMBER_MAX:
            raise ValueError(f"a number of at most fifteen digits is expected: {number}")
        name = cls(interface, application_code, f"{emitter or application_code}{interface[3:7]}{number:015}")
        if _STEM.fullmatch(str(name)) is None:
            raise ValueError(f"these parts make no flow name: {name}")
        return name

    @classmethod
    def in_front_of(cls, text: str) -> Self | None:
        """Read the name that a file name begins with, whatever its extension; None when it begins with none."""
        match = _STEM.match(text)
        return cls(*match.groups()) if match else None

    def __str__(self) -> str:
        return f"{self.interface}_{self.application_code}_{self.flow_identifier}"

    @property
    def archive(self) -> str:
        """Give the file name of the flow as an archive."""
        return f"{self}{_ARCHIVE}"

    @property
    def emitter(self) -> str:
        """Give the application code of who gave the identifier: whose flow it is, or was."""
        return self.flow_identifier[:6]

    @property
    def is_acknowledgement(self) -> bool:
        """Tell whether the flow answers another one; it is itself never answered."""
        return self.interface.startswith("C")

    @property
    def acknowledgement(self) -> "FlowName":
        """Give the name of the flow that answers this one: the same identifier, the interface with F become C."""
        if self.is_acknowledgement:
            raise ValueError(f"an acknowledgement is never acknowledged: {self}")
        return FlowName("C" + self.interface[1:], self.application_code, self.flow_identifier)

    @property
    def acknowledged(self) -> "FlowName":
        """Give the name of the flow that this one answers."""
        if not self.is_acknowledgement:
            raise ValueError(f"not an acknowledgement: {self}")
        return FlowName("F" + self.interface[1:], self.application_code, self.flow_identifier)


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


def unpack(name: str, data: bytes | io.BufferedReader, *, files_max: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Give the files of a flow, one at a time, in their order; a flow `….xml` is its only file.

    Memory holds one file at a time, and of a flow that is not given whole only what is being read. What was given
    counts for nothing when Irreceivable comes after it.
    `files_max` is how many files the flow may have, the lot of its kind; the bound of any archive unless given.

    Raises: Irreceivable with the code of G7.18: IRR_VIDE, IRR_TAILLE, IRR_TYPE, IRR_EXTRAC for the flow; IRR_VIDE_F,
    IRR_TAILLE_F, IRR_TYPE_F, IRR_NOM_F for a file of it.
    """
    if isinstance(data, bytes) and len(data) > limits.FLOW_BYTES_MAX:
        _too_big(f"{len(data)} > {limits.FLOW_BYTES_MAX}")
    stream = io.BufferedReader(io.BytesIO(data)) if isinstance(data, bytes) else data
    if not stream.peek(1):
        raise Irreceivable("IRR_VIDE", "Le flux est vide.", "The flow is empty.")
    if name.endswith(_PLAIN):
        yield from _plain(name, stream.read(limits.FILE_BYTES_MAX + 1))
        return
    seen: set[str] = set()
    most = limits.FLOW_FILES_MAX if files_max is None else files_max
    for file_name, content in _members(_Archive(stream), _judge_file):
        if file_name in seen:
            _bad_name(file_name)
        seen.add(file_name)
        if len(seen) > most:
            _too_big(f"> {most} fichiers / files")
        yield file_name, content
    if not seen:
        raise Irreceivable("IRR_VIDE", "L'archive ne contient aucun fichier.", "The archive has no file.")


def entries(data: bytes, judge: Callable[[str, tarfile.TarInfo], None]) -> Iterator[tuple[str, bytes]]:
    """Give what any tar.gz holds but its folders, in its order; `judge` is called before the bytes of each are read.

    Raises: Irreceivable (IRR_EXTRAC, IRR_TAILLE) as `unpack` does, and whatever `judge` raises.
    """
    yield from _members(_Archive(io.BytesIO(data)), judge)


def _plain(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    if any(row.archive_only and name.startswith(row.code) for row in _ROWS):
        raise Irreceivable(
            "IRR_TYPE",
            f"Ce flux s'envoie dans une archive {_ARCHIVE}.",
            f"This flow is sent in an archive {_ARCHIVE}.",
            name,
        )
    _judge_size(name, len(data))
    yield name, data


class _Archive:
    """The decompressed bytes, read forward only, counted against the bound."""

    def __init__(self, packed: IO[bytes]) -> None:
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
        if self._read > limits.FLOW_EXTRACTED_BYTES_MAX:
            _too_big(f"> {limits.FLOW_EXTRACTED_BYTES_MAX} octets extraits / bytes extracted")
        return block


def _members(archive: _Archive, judge: Callable[[str, tarfile.TarInfo], None]) -> Iterator[tuple[str, bytes]]:
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
        yield name, _payload(archive, member, limits.FILE_BYTES_MAX)
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


def _judge_file(name: str, member: tarfile.TarInfo) -> None:
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        _bad_type(name, "ni lien, ni périphérique", "no link, no device")
    if not _FILE_NAME.fullmatch(name):
        if re.fullmatch(r"[A-Za-z0-9_.+-]+", name) and not name.startswith("."):
            _bad_type(name, f"{_PLAIN} attendu", f"{_PLAIN} expected")
        _bad_name(name)
    _judge_size(name, member.size)


def _judge_size(name: str, size: int) -> None:
    if size == 0:
        raise Irreceivable("IRR_VIDE_F", f"Le fichier {name} est vide.", f"File {name} is empty.", name)
    if size > limits.FILE_BYTES_MAX:
        raise Irreceivable(
            "IRR_TAILLE_F",
            f"Le fichier {name} a {size} octets ; la limite est {limits.FILE_BYTES_MAX} (100 Mo).",
            f"File {name} has {size} bytes; the limit is {limits.FILE_BYTES_MAX} (100 MB).",
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
