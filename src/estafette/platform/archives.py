"""An archive deposited by a customer: opened, and each of its files becomes a deposit of its own.

A ZIP or a tar.gz comes by any channel, the API too: what is announced of it (syntax, treatment) is then said of each
file; where no syntax is announced each file says its own. The archive stays a flow with its own acknowledgement, Ok
when it could be opened; its files are flows that come after it, judged and answered one by one.

Nothing of an archive is trusted: it is read in memory, a file at a time, within bounds, and never written by the names
it gives. A file that cannot be taken (its name leads elsewhere, it is a link, encrypted, an archive again) is refused
alone; an archive that is damaged, empty or swells past the bounds is refused whole.
"""

import asyncio
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import Connection, RowMapping, insert, select

from estafette.formats import flow_archive
from estafette.formats.envelope import Irreceivable
from estafette.formats.xml import recognise
from estafette.platform import flows
from estafette.platform.examination import ACKNOWLEDGEMENT_OF
from estafette.platform.flows import Deposit, Refusal
from estafette.platform.home import Home
from estafette.platform.tables import archive_member, flow, invoice
from estafette.store import jobs
from estafette.store.queries import AnyRow
from estafette.store.worker import Apply
from estafette.values import limits

DEPOSIT = "deposit"
"""The queue of the platform where each file is judged."""

_ZIP, _EMPTY_ZIP, _GZIP = b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b"
_ZIP_ENTRY = b"PK\x01\x02"
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
"""What desktops add to the archives they make: nobody deposited it."""

_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, struct.error,
)  # fmt: skip
"""What the ZIP library raises on damage, on encryption and on what it does not know."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive: its name without folders, its bytes, or why it cannot be taken."""

    name: str
    data: bytes
    refusal: Refusal | None = None


def is_archive(data: bytes) -> bool:
    """Tell whether the bytes begin as a ZIP or a gzip file does."""
    return data.startswith((_ZIP, _EMPTY_ZIP, _GZIP))


def members(data: bytes) -> Iterator[Member]:
    """Give the files of an archive, one at a time. Raises: Irreceivable, for the whole of it, even after some."""
    total = count = 0
    for member in _zipped(data) if data.startswith(b"PK") else _tarred(data):
        count, total = count + 1, total + len(member.data)
        if count > limits.ARCHIVE_FILES_MAX or total > limits.ARCHIVE_EXTRACTED_BYTES_MAX:
            raise _too_big()
        yield member
    if not count:
        raise Irreceivable("IRR_VIDE_F", "L'archive ne contient aucun fichier.", "The archive has no file.")


async def judge(home: Home, row: AnyRow, data: bytes) -> Apply:
    """The archive is opened and each of its files deposited, or it is refused."""
    try:
        held = await asyncio.to_thread(_kept, home, data)
    except Irreceivable as wrong:
        refusal = _refusal(wrong.code, wrong.reason_fr, wrong.reason_en)
        return lambda connection: _refuse(home, connection, row, refusal)
    return lambda connection: _settle(home, connection, row, held)


def _kept(home: Home, data: bytes) -> list[tuple[Member, str, str]]:
    """Keep each file by its content; returns it without its bytes, its digest, what it says it is."""
    return [
        (Member(member.name, b"", member.refusal), home.actor.documents.put(member.data), recognise(member.data).value)
        for member in members(data)
    ]


def _settle(home: Home, connection: Connection, row: AnyRow, held: list[tuple[Member, str, str]]) -> None:
    if row["acknowledgement"] != "Pending":
        return
    if _is_member(connection, row["id"]):
        text = ("archive dans une archive : déposez-la à part", "archive within an archive: deposit it by itself")
        _refuse(home, connection, row, _refusal("IRR_TYPE_F", *text))
        return
    if earlier := flows.technical_duplicate(connection, siren=row["siren"], identifier=row["id"], sha256=row["sha256"]):
        _refuse(home, connection, row, flows.repeated(earlier))
        return
    flows.acknowledge(connection, row["id"], refusal=None, now=home.actor.clock())
    for position, (member, sha256, syntax) in enumerate(held, start=1):
        _deposit(home, connection, row, position=position, member=member, sha256=sha256, syntax=syntax)


def _deposit(
    home: Home, connection: Connection, row: AnyRow, *, position: int, member: Member, sha256: str, syntax: str
) -> None:
    now = home.actor.clock()
    said = {name: row[name] for name in ("processing_rule", "profile") if row[name] != "Undefined"}
    tracking = f"{(row['tracking_id'] or row['id'])[:58]}/{position}"
    announced = syntax if row["syntax"] == "unknown" else row["syntax"]
    deposit = Deposit(syntax=announced, name=member.name, tracking_id=tracking, **said)
    opened, _new = flows.open_flow(connection, siren=row["siren"], deposit=deposit, sha256=sha256, now=now)
    identifier = opened["id"]
    connection.execute(insert(archive_member).values(flow_id=identifier, archive_id=row["id"], position=position))
    if member.refusal:
        flows.acknowledge(connection, identifier, refusal=member.refusal, now=now)
    else:
        jobs.add(connection, queue=DEPOSIT, key=f"{DEPOSIT}:{identifier}", payload={"flow": identifier}, now=now)


def _refuse(home: Home, connection: Connection, row: AnyRow, refusal: Refusal) -> None:
    if row["acknowledgement"] == "Pending":
        flows.acknowledge(connection, row["id"], refusal=refusal, now=home.actor.clock())


def _is_member(connection: Connection, identifier: str) -> bool:
    mine = select(archive_member.c.archive_id).where(archive_member.c.flow_id == identifier)
    return connection.execute(mine).first() is not None


def members_of(connection: Connection, siren: str, archive_id: str) -> list[RowMapping]:
    """Return the flows of an archive of this customer, in its order, each with the standing of its invoice."""
    query = (
        select(flow, invoice.c.standing, invoice.c.explanation, invoice.c.number)
        .join(archive_member, archive_member.c.flow_id == flow.c.id)
        .outerjoin(invoice, invoice.c.id == flow.c.invoice_id)
        .where(flow.c.siren == siren, archive_member.c.archive_id == archive_id)
    )
    return list(connection.execute(query.order_by(archive_member.c.position)).mappings())


# ------------------------------------------------------------------------------------------------------------- forms


def _zipped(data: bytes) -> Iterator[Member]:
    if data.count(_ZIP_ENTRY) > limits.ARCHIVE_FILES_MAX:  # counted before the library makes an object of each
        raise _too_big()
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _UNREADABLE as error:
        raise _damaged() from error
    with archive:
        for info in archive.infolist():
            if not info.is_dir() and not _is_litter(info.filename):
                yield _unzipped(archive, info)


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    if refusal := _wrong(info.filename, is_file=not is_link):
        return Member(_name(info.filename), b"", refusal)
    if info.flag_bits & 0x1:
        text = ("chiffré : déposez-le en clair", "encrypted: deposit it in clear")
        return Member(_name(info.filename), b"", _refusal("IRR_SYNTAX", *text))
    try:
        with archive.open(info) as stream:
            content = stream.read(limits.FILE_BYTES_MAX + 1)
    except _UNREADABLE:
        return Member(_name(info.filename), b"", _refusal("IRR_SYNTAX", "fichier endommagé", "damaged file"))
    if len(content) > limits.FILE_BYTES_MAX:
        return Member(_name(info.filename), b"", _refusal("IRR_TAILLE_F", "plus de 100 Mo", "more than 100 MB"))
    return Member(_name(info.filename), content)


def _tarred(data: bytes) -> Iterator[Member]:
    wrong: list[Refusal | None] = []

    def look(name: str, header: tarfile.TarInfo) -> None:
        if header.size > limits.FILE_BYTES_MAX:
            raise _too_big()
        wrong.append(_wrong(name, is_file=header.type in (tarfile.REGTYPE, tarfile.AREGTYPE)))

    for name, content in flow_archive.entries(data, look):
        refusal = wrong.pop()
        if not _is_litter(name):
            yield Member(_name(name), b"" if refusal else content, refusal)


def _wrong(name: str, *, is_file: bool) -> Refusal | None:
    """Tell why an entry is not taken: it is no file, or its name leads out of the archive."""
    if not is_file:
        return _refusal("IRR_TYPE_F", "ni lien, ni périphérique", "no link, no device")
    path = name.replace("\\", "/")
    leads_out = path.startswith("/") or ".." in path.split("/") or path[1:2] == ":" or any(ord(c) < 32 for c in path)
    return _refusal("IRR_NOM_F", "nom de fichier non admis", "file name not allowed") if leads_out else None


def _name(name: str) -> str:
    """Give the name of a file without its folders, as long as a flow may bear."""
    shown = "".join(c if ord(c) >= 32 else "_" for c in PurePosixPath(name.replace("\\", "/")).name)
    return shown[-255:] or "?"


def _is_litter(name: str) -> bool:
    return any(part in _LITTER for part in name.split("/"))


def _refusal(code: str, fr: str, en: str) -> Refusal:
    reason = ACKNOWLEDGEMENT_OF.get(code, "OtherTechnicalError")
    return Refusal(reason, f"{code}: {fr} / {en}", details={"irr": code})


def _too_big() -> Irreceivable:
    most, size = limits.ARCHIVE_FILES_MAX, limits.ARCHIVE_EXTRACTED_BYTES_MAX // 1024**2
    fr, en = (
        f"Au plus {most} fichiers et {size} Mo une fois extraits.",
        f"At most {most} files and {size} MB extracted.",
    )
    return Irreceivable("IRR_TAILLE_F", fr, en)


def _damaged() -> Irreceivable:
    return Irreceivable("IRR_SYNTAX", "L'archive ne peut être ouverte.", "The archive cannot be opened.")
