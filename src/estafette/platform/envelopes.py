"""How what the State is owed leaves: in envelopes, each under its published name (ppf-flows.md §6–9).

Rows of `declaration` that wait for an interface are packed together, in order, as many as a lot may hold. An envelope
is made while the records are free, a full one takes a while; then, in one transaction, its rows are said to be packed
and it is on its way, as long as they are still what waited.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Integer, bindparam, insert, select, update

from estafette.exchange.messages import Kind, Message
from estafette.formats import flow_archive
from estafette.formats.envelope import FlowName
from estafette.formats.envelope import interface as interface_of
from estafette.formats.flow_limits import lot
from estafette.platform.home import Home
from estafette.platform.tables import declaration, portal_flow
from estafette.store import gathered, jobs, sequences
from estafette.store.columns import constant
from estafette.store.identifiers import any_identifier
from estafette.store.jobs import Job
from estafette.store.queries import Query, Row
from estafette.store.worker import Outcome
from estafette.values.moments import paris_day

PACK = "pack"

Packed = Mapping[tuple[int, ...], str]
"""Envelopes made beforehand: by the rows that they hold, the document that each is."""


def ask_to_pack(connection: Connection, interface: str, *, now: datetime) -> None:
    """What waits for an interface will leave: one job for all that a transaction writes before it packs."""
    if not gathered.remember(connection, (PACK, interface), bool):
        payload = {"interface": interface}
        jobs.add(connection, queue=PACK, key=f"{_key(interface)}{any_identifier().hex}", payload=payload, now=now)
        gathered.memorize(connection, (PACK, interface), True)


def _key(interface: str) -> str:
    return f"{PACK}:{interface}:"


async def pack(home: Home, batch: list[Job]) -> Outcome:
    """What waits for the interfaces of these jobs leaves, an envelope each; none, when an earlier one took it all."""
    interfaces = sorted({job.payload["interface"] for job in batch})
    packed = await asyncio.to_thread(lambda: {one: made(home, one) for one in interfaces})
    return Outcome(lambda connection: pack_all(home, connection, interfaces, packed))


def made(home: Home, interface: str) -> Packed:
    """Return the envelopes of what waits, each put among the documents."""
    with home.actor.database.glance() as connection:
        found = _waiting(home, connection, interface)
    return {_ids(rows): home.actor.documents.put(_archive(home, rows)) for rows in _apart(found)}


def pack_all(
    home: Home, connection: Connection, interfaces: Sequence[str], packed: Mapping[str, Packed] | None = None
) -> None:
    """What waits leaves; the jobs that asked for it while the queue rested have nothing left to do, or one goes on.

    What came since the envelopes were `packed` waits for the next.
    """
    now = home.actor.clock()
    for interface in interfaces:
        _pack(home, connection, interface, (packed or {}).get(interface, {}))
        gathered.memorize(connection, (PACK, interface), False)
        if _LEFT.value(connection, interface=interface) is None:
            jobs.end_unclaimed(connection, queue=PACK, keys=_key(interface), now=now)
        else:
            ask_to_pack(connection, interface, now=now)


def fills_a_lot(home: Home, connection: Connection, interfaces: Iterable[str]) -> bool:
    """Tell whether what waits for an interface is as much as one envelope may hold."""
    return any(len(_waiting(home, connection, one)) == _lot(home, one) for one in interfaces)


def _lot(home: Home, interface: str) -> int:
    today = paris_day(home.actor.clock())
    return lot(interface_of(interface, on=today).flow, today)


def _pack(home: Home, connection: Connection, interface: str, packed: Packed) -> None:
    """What waits leaves, in one envelope as far as may be, no more than a lot."""
    last = max((each for ids in packed for each in ids), default=None)
    found = [row for row in _waiting(home, connection, interface) if last is None or row["id"] <= last]
    for rows in _apart(found):
        sha256 = packed.get(_ids(rows)) or home.actor.documents.put(_archive(home, rows))
        name = _send(home, connection, _new_name(home, connection, interface), sha256, lane=interface)
        mine = declaration.c.id.in_(_ids(rows))
        connection.execute(update(declaration).where(mine).values(state="packed", flow_name=name))


def _waiting(home: Home, connection: Connection, interface: str) -> list[Row]:
    return _WAITING.rows(connection, interface=interface, most=_lot(home, interface))


def _ids(rows: Iterable[Row]) -> tuple[int, ...]:
    return tuple(row["id"] for row in rows)


def _archive(home: Home, rows: Iterable[Row]) -> bytes:
    return flow_archive.pack({row["file_name"]: home.actor.documents.get(row["sha256"]) for row in rows})


def _apart(waiting: Iterable[Row]) -> Iterator[list[Row]]:
    """Give what goes in each envelope: a file that is against the schema goes alone, one bad file being the end of all.

    So does one whose name another bears: numbers of invoices that differ by a character that no file name has.
    """
    together: dict[str, Row] = {}
    for row in waiting:
        if row["details"] or row["file_name"] in together:
            yield [row]
        else:
            together[row["file_name"]] = row
    if together:
        yield list(together.values())


def send_flow(
    home: Home, connection: Connection, interface: str, files: dict[str, bytes], *, answering: FlowName | None = None
) -> str:
    """The files leave for the portal in one envelope; returns its name. An answer keeps the name it answers."""
    name = _new_name(home, connection, interface) if answering is None else answering.acknowledgement
    return _send(home, connection, name, home.actor.documents.put(flow_archive.pack(files)), lane=interface)


def _new_name(home: Home, connection: Connection, interface: str) -> FlowName:
    number = sequences.draw(connection, "flow")
    return FlowName.numbered(interface, application_code=home.identity.application_code, number=number)


def _send(home: Home, connection: Connection, name: FlowName, sha256: str, *, lane: str) -> str:
    now = home.actor.clock()
    row = {"name": str(name), "direction": "Out", "state": "sent", "sha256": sha256, "created_at": now, "details": []}
    connection.execute(insert(portal_flow).values(row))
    message = Message(
        id=str(name),
        kind=Kind.FLOW,
        sender=home.identity.matricule,
        recipient=home.identity.portal,
        name=name.archive,
        sha256=sha256,
    )
    home.post.send(connection, message, lane=lane)
    return str(name)


_OWED = (declaration.c.interface == bindparam("interface"), declaration.c.state == constant("waiting"))
_WAITING = Query(
    select(*(declaration.c[name] for name in ("id", "file_name", "sha256", "details")))
    .where(*_OWED)
    .order_by(declaration.c.id)
    .limit(bindparam("most", type_=Integer))
)
_LEFT = Query(select(declaration.c.id).where(*_OWED).limit(1))
