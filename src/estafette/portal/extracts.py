"""Which extracts of the directory leave for whom, and when: planned, produced once, sent to each platform.

The State's calendar (`directory.publication`) has a differential a day and a full extract a week. A portal that
publishes on change, as a pilot's does, sends a differential besides, as soon as something changes. A platform that was
never sent a full extract is owed one, and no differential before it.

Theory of operation. Planning an extract is a transaction that fixes what it shows (a change of the directory) and its
moment (DT-0): later than that of every other, as a platform reads it. Producing it reads that change in a snapshot,
file by file, each kept when it is done; if the process dies it is produced again, the same bytes. Sending it is one
transaction: a name and a message for each platform and file, the document itself shared.

Source: external specifications v3.2, general file §3.5.4, annex 3 (DT-0 to DT-2).
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from estafette.directory.publication import Publication, calendar, is_full_due, next_publication
from estafette.formats import flow_archive
from estafette.formats.directory import Header, Presence
from estafette.formats.directory_writing import Portion, portions
from estafette.portal import extract_contents
from estafette.portal.extract_contents import Window
from estafette.portal.extract_tables import directory_delivery, directory_extract, directory_portion
from estafette.portal.hall import Hall, Partner
from estafette.portal.journal import CHANGE, INSTANCE
from estafette.store import gathered, jobs, sequences
from estafette.store.jobs import Job
from estafette.store.tables import sequence
from estafette.store.worker import Apply
from estafette.values.moments import paris_day, second, second_text

EXPORT = "export"
INTERFACE = "FFE1435A"
PIECE_BYTES = 1024 * 1024
WRITER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="extracts")
"""Where extracts are produced, away from the event loop, one at a time."""

_SECOND = timedelta(seconds=1)
_EXTRACT = directory_extract.c


@dataclass(frozen=True, slots=True)
class Made:
    """A file of an extract, kept: its number, its document, its size uncompressed, how many entries."""

    number: int
    sha256: str
    size: int
    entries: int


def publish(hall: Hall, connection: Connection) -> None:
    """What changed will leave, at once or by the calendar; a platform that was sent nothing yet will have it all."""
    number = sequences.draw(connection, EXPORT)
    jobs.add(connection, queue=EXPORT, key=f"{EXPORT}:{number}", lane=EXPORT, payload={}, now=hall.actor.clock())


def open_calendar(hall: Hall, connection: Connection) -> None:
    """The next publication of the calendar will take place; a platform that is owed a full extract will have it."""
    _plan_next(hall, connection)
    if _owed(hall, connection):
        publish(hall, connection)


def _plan_next(hall: Hall, connection: Connection) -> None:
    now = hall.actor.clock()
    coming = next_publication(now)
    payload = {"at": second_text(coming.at), "is_full": coming.is_full}
    key = f"{EXPORT}:at:{second_text(coming.at)}"
    jobs.add(connection, queue=EXPORT, key=key, payload=payload, now=now, due=coming.at)


async def export(hall: Hall, job: Job) -> Apply:
    """What is due has been produced; it leaves for every platform that it is for."""
    planned = await hall.actor.database.write(lambda connection: _planned(hall, connection, job))
    for extract in planned:
        if extract["portions"] is None:
            await _produce(hall, extract, job)
    return lambda connection: _leave(hall, connection, job, planned)


def _leave(hall: Hall, connection: Connection, job: Job, planned: list[RowMapping]) -> None:
    for extract in planned:
        _send(hall, connection, extract)
    if _publication(job):
        _plan_next(hall, connection)


# ----------------------------------------------------------------------------------------------------------- planning


def _planned(hall: Hall, connection: Connection, job: Job) -> list[RowMapping]:
    """Return the extracts of a job, planned the first time."""
    mine = select(directory_extract).where(_EXTRACT.job == job.key).order_by(_EXTRACT.is_full, _EXTRACT.id)
    held = list(connection.execute(mine).mappings())
    if held or not _plan(hall, connection, job):
        return held
    return list(connection.execute(mine).mappings())


def _plan(hall: Hall, connection: Connection, job: Job) -> bool:
    """The extracts that are due are noted; tell whether there are any."""
    planned = _publication(job)
    is_whole = planned is not None and is_full_due(planned, hall.actor.clock())
    row: dict[str, Any] = {
        "produced_at": _moment(hall, connection),
        "to_change": _last(connection, CHANGE),
        "to_instance": _last(connection, INSTANCE),
        "job": job.key,
    }
    base = _base(connection)
    plans = []
    if base and (planned or (hall.publishes_on_change and base["to_change"] < row["to_change"])):
        plans.append(row | _since(base) | {"is_full": False, "is_for_all": True})
    if is_whole or _owed(hall, connection):
        plans.append(row | _since(None) | {"is_full": True, "is_for_all": is_whole})
    if plans:
        connection.execute(insert(directory_extract), plans)
    return bool(plans)


def _publication(job: Job) -> Publication | None:
    """Return the publication of the calendar that a job is, None when it is for a change."""
    at = job.payload.get("at")
    return Publication(second(at), is_full=job.payload["is_full"]) if at else None


def _since(last: RowMapping | None) -> dict[str, Any]:
    if last is None:
        return {"previous_at": None, "after_change": 0, "after_instance": 0}
    return {
        "previous_at": last["produced_at"],
        "after_change": last["to_change"],
        "after_instance": last["to_instance"],
    }


def _moment(hall: Hall, connection: Connection) -> datetime:
    """Return a moment to produce at that whoever reads it reads as later than all before, in whole seconds.

    The hour that autumn repeats is written twice alike: what is produced in it the second time follows the first.
    """
    now = second(second_text(hall.actor.clock()))
    last: datetime | None = connection.execute(select(func.max(_EXTRACT.produced_at))).scalar()
    return now if last is None else max(now, last + _SECOND)


def _last(connection: Connection, name: str) -> int:
    value = connection.execute(select(sequence.c.value).where(sequence.c.name == name)).scalar()
    return int(value or 0)


def _base(connection: Connection) -> RowMapping | None:
    """Return the extract that the next differential follows: the last differential, or else the first full extract."""
    differential = select(directory_extract).where(_EXTRACT.is_full.is_(False)).order_by(_EXTRACT.produced_at.desc())
    full = select(directory_extract).where(_EXTRACT.is_full).order_by(_EXTRACT.produced_at)
    last = connection.execute(differential.limit(1)).mappings().first()
    return last or connection.execute(full.limit(1)).mappings().first()


# ---------------------------------------------------------------------------------------------------------- producing


async def _produce(hall: Hall, extract: RowMapping, job: Job) -> None:
    """The files of an extract are kept, one after the other, made away from the event loop."""
    database, count = hall.actor.database, 0
    kept = _kept(hall, extract)
    loop = asyncio.get_running_loop()
    while made := await loop.run_in_executor(WRITER, next, kept, None):
        await database.write(_noting(hall, extract, job, made))
        count = made.number
    values = {"portions": count, "ready_at": hall.actor.clock()}
    mine = update(directory_extract).where(_EXTRACT.id == extract["id"]).values(values)
    await database.write(lambda connection: connection.execute(mine))


def _noting(hall: Hall, extract: RowMapping, job: Job, made: Made) -> Apply:
    row = {"extract": extract["id"], "number": made.number, "sha256": made.sha256}
    row |= {"size": made.size, "entries": made.entries}

    def note(connection: Connection) -> None:
        gathered.add(connection, directory_portion, row, once=True)
        jobs.prolong(connection, job, now=hall.actor.clock())

    return note


def _kept(hall: Hall, extract: RowMapping) -> Iterator[Made]:
    """Give the files of an extract once each is a document; memory holds the compressed bytes of one."""
    for portion in files(hall, extract):
        with portion.file, TemporaryFile() as packed:
            size = flow_archive.pack_file(str(portion.name), portion.file, portion.size, packed)
            packed.seek(0)
            pieces = iter(partial(packed.read, PIECE_BYTES), b"")
            sha256 = hall.actor.documents.put_pieces(pieces, size=size)
        yield Made(portion.name.number, sha256, portion.size, portion.entries)


def files(hall: Hall, extract: RowMapping) -> Iterator[Portion]:
    """Give the files of an extract, one at a time, as the directory was when it was planned."""
    header = Header(extract["produced_at"], extract["previous_at"], is_full=extract["is_full"])
    limit = calendar(paris_day(extract["produced_at"])).file_bytes_max
    with hall.actor.database.read() as connection:
        yield from portions(header, contents(connection, extract), bytes_max=limit)


def contents(connection: Connection, extract: RowMapping) -> Iterator[Presence]:
    """Give what an extract shows."""
    day = paris_day(extract["produced_at"])
    if extract["is_full"]:
        return extract_contents.full(connection, change=extract["to_change"], day=day)
    previous = extract["previous_at"]
    window = Window(
        after_change=extract["after_change"],
        to_change=extract["to_change"],
        after_instance=extract["after_instance"],
        to_instance=extract["to_instance"],
        day=day,
        previous_day=paris_day(previous) if previous else day,
    )
    return extract_contents.differential(connection, window)


# ------------------------------------------------------------------------------------------------------------ sending


def _send(hall: Hall, connection: Connection, extract: RowMapping) -> None:
    """The extract leaves for each platform that it is for; with its first full one, the differentials made since."""
    owed = {partner.matricule for partner in _owed(hall, connection)}
    for partner in _recipients(hall, connection, extract, owed):
        _send_to(hall, connection, partner, extract)
        if extract["is_full"] and partner.matricule in owed:
            for later in _made_since(connection, extract):
                _send_to(hall, connection, partner, later)


def _send_to(hall: Hall, connection: Connection, partner: Partner, extract: RowMapping) -> None:
    documents = select(directory_portion.c.sha256).where(directory_portion.c.extract == extract["id"])
    for sha256 in connection.execute(documents.order_by(directory_portion.c.number)).scalars().all():
        hall.send_packed(connection, partner, hall.new_name(connection, partner, INTERFACE), sha256)
    row = {"partner": partner.matricule, "extract": extract["id"], "sent_at": hall.actor.clock()}
    connection.execute(insert(directory_delivery).values(row))


def _made_since(connection: Connection, full: RowMapping) -> list[RowMapping]:
    """Return the differentials that were ready before a full extract was, and follow it."""
    later = (_EXTRACT.is_full.is_(False), _EXTRACT.produced_at > full["produced_at"], _EXTRACT.portions.is_not(None))
    query = select(directory_extract).where(*later).order_by(_EXTRACT.produced_at)
    return list(connection.execute(query).mappings())


def _recipients(hall: Hall, connection: Connection, extract: RowMapping, owed: set[str]) -> list[Partner]:
    """Return whom an extract is for: all, those that are owed a full one, or those that had one; nobody twice."""
    had = select(directory_delivery.c.partner).where(directory_delivery.c.extract == extract["id"])
    done = set(connection.execute(had).scalars())
    waiting = [partner for partner in hall.partners(connection) if partner.matricule not in done]
    if not extract["is_full"]:
        return [partner for partner in waiting if partner.matricule not in owed]
    return [partner for partner in waiting if extract["is_for_all"] or partner.matricule in owed]


def _owed(hall: Hall, connection: Connection) -> list[Partner]:
    """Return the platforms that were never sent a full extract."""
    whole = select(directory_delivery.c.partner).join(directory_extract, _EXTRACT.id == directory_delivery.c.extract)
    had = set(connection.execute(whole.where(_EXTRACT.is_full)).scalars())
    return [partner for partner in hall.partners(connection) if partner.matricule not in had]
