"""The portal's SFTP for platforms: flows come in by `depot`, and wait for their partner in `retrait` (ppf-flows.md §5).

An account is an application code. What is put is entered as what comes by HTTPS is, and then gone from `depot`; SFTP
itself answers nothing, the acknowledgement of the flow does. What is for a partner lies in `retrait` until it is
fetched, once, or for the days that are published, and is then purged; the portal keeps the document either way.

Theory of operation. What lies in the folders is the truth of what was put and what was fetched; the records say what is
to be laid and what became of it. A deposit is known by what the file system says of the file (inode, date, size, name):
if the process dies between the record and the removal, the next visit removes it without entering it twice. A flow is
laid before the record says so: at worst it is laid twice, which its recipient takes once.
"""

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, RowMapping, select, update

from estafette.exchange.messages import Kind, Message, Reply
from estafette.exchange.sftp_terms import DEPOT, RETRAIT, UNFINISHED, Terms
from estafette.formats.flow_limits import Limit
from estafette.portal.connections import busy_for
from estafette.portal.hall import Hall, Partner
from estafette.portal.intake import note_refused
from estafette.portal.intake_tables import retrieval
from estafette.portal.partners import SFTP, declared
from estafette.store.documents import PIECE_BYTES, Damaged
from estafette.values.moments import paris_day

if TYPE_CHECKING:
    from estafette.exchange.sftp import Door

log = structlog.get_logger()

ACCOUNT = re.compile(r"[A-Z0-9]{6}")
CIPHERS = "+aes256-cbc,aes128-cbc"
"""What the specifications name (§5), beside what is offered anyway."""

ONE_VISIT_MAX = 1000
"""Flows of one partner looked at in one visit, in and out; the others wait for the next (our bound)."""

TAKEN = (200, 202)
"""What the post replies to what is had: already, or from now on."""


def terms_of(hall: Hall) -> Terms:
    """Return what the portal grants platforms at its door."""

    def most(limit: Limit) -> int:
        return hall.limits.at(limit, paris_day(hall.actor.clock()))

    return Terms(
        account=ACCOUNT,
        admits=lambda code: _why_not(hall, code),
        may_put=lambda code: _too_often(hall, code),
        sessions_max=lambda: most(Limit.SESSIONS),
        file_bytes_max=lambda: most(Limit.FLOW_BYTES),
        once=True,
        ciphers=CIPHERS,
    )


def _why_not(hall: Hall, code: str) -> str | None:
    """Tell why a connection may not be used now; None when it may."""
    now = hall.actor.clock()
    with hall.actor.database.read() as connection:
        partner, said = _partner(hall, connection, code), declared(connection, code)
    if partner is None or said.protocol != SFTP or not said.is_valid(paris_day(now)):
        return f"{code} : raccordement SFTP absent ou terminé / {code}: no SFTP connection, or it has ended"
    if wait := hall.limits.opens_in(now):
        return f"fermé pendant {wait} / closed for {wait}"
    return None


def _too_often(hall: Hall, code: str) -> str | None:
    with hall.actor.database.read() as connection:
        partner = _partner(hall, connection, code)
        busy = busy_for(hall, connection, partner.matricule) if partner else None
    return busy[1] if busy else None


def _partner(hall: Hall, connection: Connection, code: str) -> Partner | None:
    return next((one for one in hall.partners(connection) if one.application_code == code), None)


@dataclass(slots=True)
class PartnerAreas:
    """The areas of every platform that goes by SFTP, visited now and then."""

    hall: Hall
    door: "Door"

    async def visit(self) -> None:
        """What was put is entered; what waits lies in its area; what was fetched, or not in time, is noted."""
        with self.hall.actor.database.read() as connection:
            partners = [one for one in self.hall.partners(connection) if self.door.keys(one.application_code).exists()]
        for partner in partners:
            try:
                for file in await asyncio.to_thread(_put, self.door.area(partner.application_code) / DEPOT):
                    await self._take(partner, file)
            except OSError:  # of one area: a file taken back meanwhile, rights that somebody changed
                log.exception("sftp.area", account=partner.application_code)
        await self._lay()

    # ---------------------------------------------------------------------------------------------------- what comes

    async def _take(self, partner: Partner, file: Path) -> None:
        """A file that was put is entered, or noted when nobody is answered about it; `depot` has it no more."""
        hall = self.hall
        seen = file.stat()
        mark = f"{file.name}\0{seen.st_ino}\0{seen.st_mtime_ns}\0{seen.st_size}"
        sha256 = await asyncio.to_thread(_kept, hall, file, seen.st_size)
        message = Message(
            id=f"sftp:{hashlib.sha256(mark.encode(errors='surrogateescape')).hexdigest()[:40]}",
            kind=Kind.FLOW,
            sender=partner.matricule,
            recipient=hall.identifier,
            name=file.name.encode(errors="replace").decode(),
            sha256=sha256,
        )

        def apply(connection: Connection) -> Reply:
            (reply,) = hall.post.take(connection, [(message, b"")])
            if reply.status not in TAKEN:
                note_refused(connection, partner.matricule, message, reply.reason, now=hall.actor.clock())
            return reply

        reply = await hall.actor.database.write(apply)
        file.unlink(missing_ok=True)
        if reply.status in TAKEN:
            hall.actor.worker.wake()
        else:
            log.warning("sftp.refused", account=partner.application_code, file=file.name, reason=reply.reason)

    # ---------------------------------------------------------------------------------------------------- what leaves

    async def _lay(self) -> None:
        with self.hall.actor.database.read() as connection:
            rows = list(_open_ones(connection))
        changes = await asyncio.to_thread(lambda: list(self._changes(rows)))
        if changes:
            await self.hall.actor.database.write(lambda connection: _note(connection, changes))

    def _changes(self, rows: list[RowMapping]) -> Iterator[tuple[int, dict[str, object]]]:
        """Do what is to be done in the folders; give what to write of it. One that fails holds back no other."""
        taken: set[Path] = set()
        for row in rows:
            try:
                change = self._change(row, taken)
            except (OSError, Damaged):
                log.exception("sftp.laying", account=row["application_code"], file=row["file_name"])
                continue
            if change is not None:
                yield row["id"], change

    def _change(self, row: RowMapping, taken: set[Path]) -> dict[str, object] | None:
        """Lay a flow out, see that it was fetched, or purge it; return what to write of it. `taken`: places in use."""
        now = self.hall.actor.clock()
        kept = timedelta(days=self.hall.limits.at(Limit.RETRIEVAL_DAYS, paris_day(now)))
        place = self.door.area(row["application_code"]) / RETRAIT / row["file_name"]
        is_first, is_free = place not in taken, not place.exists()
        taken.add(place)
        if row["laid_at"] is None:
            if is_first and is_free:
                _write(place, self.hall.actor.documents.open(row["sha256"]))
            elif not (is_first and _digest(place) == row["sha256"]):  # laid, and the process died before it said so
                return None
            return {"laid_at": now}
        if is_first and is_free:
            return {"ended_at": now, "fate": "fetched"}
        if now - row["laid_at"] >= kept:
            place.unlink(missing_ok=True)
            return {"ended_at": now, "fate": "purged"}
        return None


def _put(depot: Path) -> list[Path]:
    """Return the files that were put whole, the first first: none hidden, none that its name says unfinished."""
    with os.scandir(depot) as entries:
        files = [
            (entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
            for entry in entries
            if not entry.name.startswith(".")
            and not entry.name.lower().endswith(UNFINISHED)
            and entry.is_file(follow_symlinks=False)
        ]
    return [depot / name for _time, name in sorted(files)[:ONE_VISIT_MAX]]


def _kept(hall: Hall, file: Path, size: int) -> str:
    """The bytes of a file are kept, read piece by piece; returns their SHA-256."""
    with file.open("rb") as handle:
        return hall.actor.documents.put_pieces(iter(partial(handle.read, PIECE_BYTES), b""), size=size)


def _digest(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _write(place: Path, source: BufferedReader) -> None:
    draft = place.with_name(f".{place.name}.part")
    with draft.open("wb") as handle:
        shutil.copyfileobj(source, handle, PIECE_BYTES)
    draft.replace(place)


def _open_ones(connection: Connection) -> Iterator[RowMapping]:
    """Give what lies, then what is to be laid, of each partner so many: one that never comes holds back no other."""
    columns = retrieval.c
    codes = select(columns.application_code).distinct().where(columns.ended_at.is_(None))
    for code in connection.execute(codes.order_by(columns.application_code)).scalars().all():
        mine = select(retrieval).where(columns.ended_at.is_(None), columns.application_code == code)
        for lies in (columns.laid_at.is_not(None), columns.laid_at.is_(None)):
            yield from connection.execute(mine.where(lies).order_by(columns.id).limit(ONE_VISIT_MAX)).mappings()


def _note(connection: Connection, changes: list[tuple[int, dict[str, object]]]) -> None:
    for identifier, values in changes:
        connection.execute(update(retrieval).where(retrieval.c.id == identifier).values(**values))


def lay_again(connection: Connection, application_code: str, *, now: datetime) -> int:
    """What was purged before this partner fetched it waits again, for as many days; returns how many flows."""
    mine = (retrieval.c.application_code == application_code, retrieval.c.fate == "purged")
    again = {"ready_at": now, "laid_at": None, "ended_at": None, "fate": None}
    return connection.execute(update(retrieval).where(*mine).values(again)).rowcount


def waiting(connection: Connection, application_code: str) -> list[tuple[str, datetime]]:
    """Return the flows that a partner has not fetched yet, and since when each is ready."""
    columns = retrieval.c
    mine = (columns.application_code == application_code, columns.ended_at.is_(None))
    query = select(columns.file_name, columns.ready_at).where(*mine).order_by(columns.id)
    return [(row.file_name, row.ready_at) for row in connection.execute(query)]
