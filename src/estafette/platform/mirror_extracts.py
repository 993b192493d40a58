"""Which extracts of the directory (F14) the copy is made of: whole ones, in their order, however they come.

An extract may come in several files and flows of one moment (DT-0). A full one is loaded as its files come, beside the
copy, and becomes the copy once the last is there. A differential is kept until it can be used: whole, and the copy no
older than the extract it follows (DT-1). One that would leave a gap is held; the missing differential, or the next full
extract, lets it through. What comes twice, or late, or says what the copy has already, changes nothing.

A file whose name does not tell its number (`PortionName`) is taken with the others of its flow for the whole extract.

Source: external specifications v3.2, annex 3 (DT-0 to DT-2), general file §3.5.4; directory.md §8.3.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from estafette.exchange.actor import Actor
from estafette.formats import flow_archive
from estafette.formats.directory import Header, Presence, read_export
from estafette.formats.directory_entries import Entry
from estafette.formats.directory_writing import PortionName
from estafette.formats.envelope import FlowName
from estafette.platform import mirror_loading
from estafette.platform.mirror_tables import mirror_extract, mirror_portion
from estafette.store import jobs
from estafette.store.jobs import Job
from estafette.store.worker import Apply, nothing

PURGE = "mirror-purge"

READER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="directory")
"""Where extracts are read, away from the event loop: one thread, since a parser of lxml does not change threads."""


@dataclass(frozen=True, slots=True)
class Portion:
    """One file of an extract, read to its end: of which, its number in it, whether it is the last."""

    header: Header
    file: str
    number: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class State:
    """How old the copy is, and what waits: the moment of the last extract in it, the first that cannot be used yet."""

    as_of: datetime | None
    held: int
    missing_since: datetime | None
    """From when on the copy lacks what a held differential follows."""
    arriving: int


# --------------------------------------------------------------------------------------------------- as files come


async def prepare(actor: Actor, files: Iterator[tuple[str, bytes]]) -> list[Portion]:
    """Read every file to its end; those of a full extract are in their generation. Memory holds one file at a time.

    Raises: Unreadable, and whatever `files` raises.
    """
    portions: list[Portion] = []
    while (file := await asyncio.to_thread(next, files, None)) is not None:
        portions.append(await _prepared(actor, *file, len(portions) + 1))
    if portions and PortionName.parse(portions[-1].file) is None:
        portions[-1] = replace(portions[-1], is_last=True)
    return portions


async def _prepared(actor: Actor, name: str, data: bytes, at: int) -> Portion:
    loop = asyncio.get_running_loop()
    header, presences = await loop.run_in_executor(READER, read_export, BytesIO(data))
    told = PortionName.parse(name)
    number, is_last = (told.number, told.is_last) if told else (at, False)
    generation = None
    if header.is_full:
        generation = await actor.database.write(lambda connection: _generation(actor, connection, header))
    batches = mirror_loading.batches(presence.entry for presence in presences)
    while batch := await loop.run_in_executor(READER, next, batches, None):
        if generation is not None:
            await actor.database.write(_staging(generation, batch), durable=False)
    return Portion(header, name, number, is_last)


def _staging(generation: int, batch: list[Entry]) -> Callable[[Connection], None]:
    return lambda connection: mirror_loading.stage(connection, generation, batch)


def _generation(actor: Actor, connection: Connection, header: Header) -> int | None:
    """Return where a full extract is loaded; None when the copy will not need it."""
    row = _extract(actor, connection, header)
    if row["state"] != "arriving":
        return None
    if _is_overtaken(connection, header.produced_at):
        _note(connection, row, state="passed", generation=None)
        return None
    if row["generation"] is None:
        generation = mirror_loading.new_generation(connection)
        _note(connection, row, generation=generation)
        return generation
    return int(row["generation"])


def _is_overtaken(connection: Connection, produced_at: datetime) -> bool:
    """Tell whether what the copy has is later, or a later full extract is being loaded."""
    as_of = copied_until(connection)
    columns = mirror_extract.c
    later = select(columns.id).where(columns.is_full, columns.produced_at > produced_at, columns.state != "passed")
    return (as_of is not None and as_of > produced_at) or connection.execute(later).first() is not None


def _extract(actor: Actor, connection: Connection, header: Header) -> RowMapping:
    """Return an extract by its moment, noted the first time."""
    columns = mirror_extract.c
    mine = select(mirror_extract).where(columns.is_full.is_(header.is_full), columns.produced_at == header.produced_at)
    if connection.execute(mine).first() is None:
        row = {
            "is_full": header.is_full,
            "produced_at": header.produced_at,
            "previous_at": header.previous_at,
            "state": "arriving",
            "received_at": actor.clock(),
        }
        connection.execute(insert(mirror_extract).values(row))
    return connection.execute(mine).mappings().one()


# ------------------------------------------------------------------------------------------------- once they are had


def record(actor: Actor, connection: Connection, name: FlowName, sha256: str, portions: list[Portion]) -> bool:
    """The files of a flow are had; the copy is as new as what has come allows. Tell whether it changed."""
    for portion in portions:
        extract = _extract(actor, connection, portion.header)
        if extract["state"] != "arriving":
            continue
        row = {"extract": extract["id"], "number": portion.number, "file": portion.file, "flow": str(name)}
        known = select(mirror_portion.c.number).where(
            mirror_portion.c.extract == extract["id"], mirror_portion.c.number == portion.number
        )
        if connection.execute(known).first() is None:
            connection.execute(insert(mirror_portion).values(**row, sha256=sha256))
        if portion.is_last:
            _note(connection, extract, portions=portion.number)
    before = copied_until(connection)
    settle(actor, connection)
    return before != copied_until(connection)


def settle(actor: Actor, connection: Connection) -> None:
    """Every extract that can be used is in the copy, or is passed over."""
    for extract in _arriving(connection):
        if _is_whole(connection, extract):
            _note(connection, extract, state="held")
    full = _newest_full(connection)
    if full is not None:
        _swap(actor, connection, full)
    while (waiting := _next_held(connection)) is not None:
        as_of = copied_until(connection)
        if as_of is not None and waiting["produced_at"] <= as_of:
            _note(connection, waiting, state="passed")
        elif as_of is None or (waiting["previous_at"] is not None and waiting["previous_at"] > as_of):
            return  # a gap: the next full extract, or what is missing, fills it
        else:
            mirror_loading.apply(connection, _presences(actor, connection, waiting))
            _note(connection, waiting, state="applied", applied_at=actor.clock())


def _swap(actor: Actor, connection: Connection, full: RowMapping) -> None:
    """The copy is this full extract's; those before it are of no more use."""
    as_of = copied_until(connection)
    if as_of is not None and as_of > full["produced_at"]:
        _note(connection, full, state="passed", generation=None)
    else:
        mirror_loading.swap(connection, full["generation"])
        _note(connection, full, state="applied", applied_at=actor.clock())
    older = (mirror_extract.c.is_full, mirror_extract.c.produced_at < full["produced_at"])
    unused = mirror_extract.c.state.in_(("arriving", "held"))
    connection.execute(update(mirror_extract).where(*older, unused).values(state="passed", generation=None))
    if mirror_loading.purge(connection, spare=_loading(connection)):
        now = actor.clock()
        key = f"{PURGE}:{full['id']}"
        jobs.add(connection, queue=PURGE, key=key, lane=PURGE, payload={}, now=now)


async def purge(actor: Actor, _job: Job) -> Apply:
    """What no longer counts is gone, slice by slice: nobody waits for long."""
    while await actor.database.write(
        lambda connection: mirror_loading.purge(connection, spare=_loading(connection)), durable=False
    ):
        pass
    return nothing


def _loading(connection: Connection) -> list[int]:
    columns = mirror_extract.c
    loading = select(columns.generation).where(columns.state.in_(("arriving", "held")), columns.generation.is_not(None))
    return list(connection.execute(loading).scalars())


def _presences(actor: Actor, connection: Connection, extract: RowMapping) -> Iterator[Presence]:
    """Give what the files of a differential say, one after the other."""
    columns = mirror_portion.c
    files = select(columns.file, columns.flow, columns.sha256).where(columns.extract == extract["id"])
    for file, flow, sha256 in connection.execute(files.order_by(columns.number)).all():
        archive = FlowName.parse(flow).archive
        for name, data in flow_archive.unpack(archive, actor.documents.get(sha256)):
            if name == file:
                yield from read_export(BytesIO(data))[1]


def _arriving(connection: Connection) -> list[RowMapping]:
    whole = (mirror_extract.c.state == "arriving", mirror_extract.c.portions.is_not(None))
    return list(connection.execute(select(mirror_extract).where(*whole)).mappings())


def _is_whole(connection: Connection, extract: RowMapping) -> bool:
    had = select(func.count()).where(mirror_portion.c.extract == extract["id"])
    return bool(connection.execute(had).scalar_one() >= extract["portions"])


def _newest_full(connection: Connection) -> RowMapping | None:
    columns = mirror_extract.c
    query = select(mirror_extract).where(columns.is_full, columns.state == "held", columns.generation.is_not(None))
    return connection.execute(query.order_by(columns.produced_at.desc()).limit(1)).mappings().first()


def _next_held(connection: Connection) -> RowMapping | None:
    columns = mirror_extract.c
    query = select(mirror_extract).where(~columns.is_full, columns.state == "held")
    return connection.execute(query.order_by(columns.produced_at).limit(1)).mappings().first()


def _note(connection: Connection, extract: RowMapping, **values: Any) -> None:
    connection.execute(update(mirror_extract).where(mirror_extract.c.id == extract["id"]).values(**values))


# ------------------------------------------------------------------------------------------------------- how old it is


def copied_until(connection: Connection) -> datetime | None:
    """Return the moment of the last extract that the copy has (DT-0)."""
    applied = select(func.max(mirror_extract.c.produced_at)).where(mirror_extract.c.state == "applied")
    moment: datetime | None = connection.execute(applied).scalar()
    return moment


def state(connection: Connection) -> State:
    """Tell how old the copy is and what it waits for."""
    as_of = copied_until(connection)
    first = _next_held(connection)
    columns = mirror_extract.c
    held = connection.execute(select(func.count()).where(columns.state == "held")).scalar_one()
    arriving = connection.execute(select(func.count()).where(columns.state == "arriving")).scalar_one()
    return State(as_of, held, as_of if first is not None else None, arriving)
