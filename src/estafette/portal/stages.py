"""Stages 1 and 2 around the reading of a flow: its interface, its size, viruses, and how it is refused.

One bad file makes the whole flow irreceivable; all the bad files are named, so that one answer is enough to mend them.
What a flow says by itself is in `examination`.
"""

from asyncio import to_thread
from collections.abc import AsyncIterator

from estafette.exchange.scanning import VIRUS, told
from estafette.formats import envelope
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.flow_limits import Limit
from estafette.portal.hall import Hall
from estafette.values.moments import paris_day


def files_max(hall: Hall, file: str, data: bytes) -> int:
    """Return how many files a flow may hold today. Raises: Irreceivable, IRR_CODE_INTER or IRR_TAILLE."""
    name, today = FlowName.parse(file), paris_day(hall.actor.clock())
    interface = envelope.interface(name.interface, on=today)
    if not interface.to_portal:
        fr = f"L'interface {name.interface} va du portail aux plateformes."
        raise Irreceivable("IRR_CODE_INTER", fr, f"Interface {name.interface} goes from the portal to platforms.")
    most = hall.limits.at(Limit.FLOW_BYTES, today)
    if len(data) > most:
        fr, en = f"Flux de {len(data)} octets, {most} au plus.", f"Flow of {len(data)} bytes, {most} at most."
        raise Irreceivable("IRR_TAILLE", fr, en)
    return hall.limits.files_max(interface.flow, today)


async def scan(hall: Hall, file: str, data: bytes, most: int) -> None:
    """The scanner finds nothing in the flow nor in a file of it. Raises: Irreceivable, ScannerDown."""
    if hall.scanner is None:
        return
    await _scan(hall, file, data)
    async for member, content in members(file, data, most):
        await _scan(hall, member, content)


async def _scan(hall: Hall, file: str, data: bytes) -> None:
    if hall.scanner is not None and (found := await hall.scanner.scan(data)):
        raise Irreceivable(VIRUS, *told(found), file)


async def members(file: str, data: bytes, most: int) -> AsyncIterator[tuple[str, bytes]]:
    """Give the files of a flow, each unpacked away from the loop, one at a time in memory. Raises: Irreceivable."""
    unpacked = envelope.unpack(file, data, files_max=most)
    while (member := await to_thread(next, unpacked, None)) is not None:
        yield member
