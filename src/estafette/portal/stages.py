"""Stages 1 and 2 around the reading of a flow: its interface, its size, viruses, and how it is refused.

One bad file makes the whole flow irreceivable; all the bad files are named, so that one answer is enough to mend them.
What a flow says by itself is in `examination`.

A flow is read as it lies in the store, file by file: memory holds a piece of the archive and one file of it. What was
read of the files is held until it is settled, so large flows are controlled in turn (`in_turn`).
"""

from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BufferedReader

from estafette.exchange.scanning import VIRUS, told
from estafette.formats import envelope, flow_archive
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.flow_archive import Bounds
from estafette.formats.flow_limits import Limit
from estafette.portal.hall import Hall
from estafette.store.documents import Documents
from estafette.store.jobs import Job
from estafette.values.moments import paris_day

LARGE_BYTES = 4 * 1024 * 1024
"""From so many bytes a flow is controlled alone (our bound): thirty-two of a gigabyte at once are too many."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow as it came: its file name, who sent it, where its bytes are."""

    file: str
    partner: str
    sha256: str
    documents: Documents

    @property
    def name(self) -> FlowName:
        """Its name, which is well formed: it was entered."""
        return FlowName.parse(self.file)

    @property
    def size(self) -> int:
        """Its bytes, as an archive."""
        return self.documents.size(self.sha256)

    def open(self) -> BufferedReader:
        """Return the bytes, to be read forward."""
        return self.documents.open(self.sha256)


def flow_of(hall: Hall, job: Job) -> Flow:
    """Return the flow that a job is about."""
    return Flow(job.payload["file"], job.payload["partner"], job.payload["sha256"], hall.actor.documents)


@asynccontextmanager
async def in_turn(hall: Hall, flow: Flow) -> AsyncIterator[None]:
    """A large flow is alone among the large ones while it is read."""
    if flow.size < LARGE_BYTES:
        yield
        return
    async with hall.large:
        yield


def bounds_of(hall: Hall, flow: Flow) -> Bounds:
    """Return how much a flow may hold today. Raises: Irreceivable, IRR_CODE_INTER or IRR_TAILLE."""
    name, today = flow.name, paris_day(hall.actor.clock())
    interface = envelope.interface(name.interface, on=today)
    if not interface.to_portal:
        fr = f"L'interface {name.interface} va du portail aux plateformes."
        raise Irreceivable("IRR_CODE_INTER", fr, f"Interface {name.interface} goes from the portal to platforms.")
    most, size = hall.limits.at(Limit.FLOW_BYTES, today), flow.size
    if size > most:
        fr, en = f"Flux de {size} octets, {most} au plus.", f"Flow of {size} bytes, {most} at most."
        raise Irreceivable("IRR_TAILLE", fr, en)
    return hall.limits.bounds(interface.flow, today)


async def scan(hall: Hall, flow: Flow, bounds: Bounds) -> None:
    """The scanner finds nothing in the flow nor in a file of it. Raises: Irreceivable, ScannerDown."""
    if hall.scanner is None:
        return
    await _scan(hall, flow.file, flow.open())
    async for member, content in members(flow, bounds):
        await _scan(hall, member, content)


async def _scan(hall: Hall, file: str, data: bytes | BufferedReader) -> None:
    if hall.scanner is not None and (found := await hall.scanner.scan(data)):
        raise Irreceivable(VIRUS, *told(found), file)


async def members(flow: Flow, bounds: Bounds) -> AsyncIterator[tuple[str, bytes]]:
    """Give the files of a flow, each unpacked away from the loop, one at a time in memory. Raises: Irreceivable."""
    unpacked = flow_archive.unpack(flow.file, flow.open(), bounds=bounds)
    while (member := await to_thread(next, unpacked, None)) is not None:
        yield member
