"""What each actor looks at by itself, every so often: its alarms, the folders of its customers, its SFTP door."""

import asyncio
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import structlog

from estafette.circuit.network import Network, Seat
from estafette.exchange import watch
from estafette.exchange.actor import Actor
from estafette.exchange.messages import Kind, Message
from estafette.exchange.rounds import Rounds
from estafette.exchange.sftp_terms import DEPOT, RETRAIT
from estafette.platform import watch as platform_watch
from estafette.platform.folder import Folder, Tray, customers
from estafette.platform.home import Home
from estafette.platform.keeping_portability import Departures
from estafette.platform.keeping_purge import Purge
from estafette.platform.keeping_settings import settings_of
from estafette.platform.platform import Platform
from estafette.platform.retrieval import Retrieval
from estafette.portal import partitions
from estafette.portal.hall import Hall
from estafette.portal.partner_areas import PartnerAreas, terms_of
from estafette.store.alarms import Watch
from estafette.store.documents import PIECE_BYTES

if TYPE_CHECKING:
    from estafette.exchange.sftp import Door
    from estafette.exchange.sftp_client import SftpClient

log = structlog.get_logger()

WATCH_S, FOLDER_S, SFTP_S, PURGE_S = 60.0, 5.0, 2.0, 3600.0
"""Seconds between two looks at what is wrong; at a folder, as long as a file must stay the same; at an SFTP depot; at
what is kept no more."""

PARTITIONS_S = 900.0
"""Seconds between two additions to the Parquet files of the facts: a quarter of an hour makes files worth opening."""


def rounds_of(
    actor: Actor,
    platform: Platform | None = None,
    deposits: Path | None = None,
    door: "Door | None" = None,
    more: Sequence[Watch] = (),
) -> Rounds:
    """Return the rounds of an actor; of a platform, its customers' folders under `deposits` and behind its SFTP door.

    `more`: what else is watched.
    """
    rounds, watches = Rounds(), [watch.conditions, *more]
    if platform is not None:
        watches.append(platform_watch.conditions)
        rounds.every(PURGE_S, platform.packages.expire)
        rounds.every(PURGE_S, Departures(platform.home, platform.packages).visit)
        keeping = settings_of(actor.folder)
        if keeping.purge:
            rounds.every(PURGE_S, Purge(actor.database, actor.documents, keeping.retention, actor.clock).visit)
    if platform is not None and deposits is not None:
        folder = Folder(platform, lambda siren: _tray(deposits, siren), name="dossier")
        rounds.every(FOLDER_S, folder.visit)
        watches.append(folder.conditions)
    if platform is not None and door is not None:
        watches.append(_serve(rounds, door, platform))
    rounds.every(WATCH_S, watch.round_of(actor.database, watches, actor.clock))
    return rounds


def door_of(seat: Seat, network: Network, actor: Actor) -> "Door | None":
    """Return the SFTP door of an actor, when the network file gives it one."""
    asked = network.settings(seat).sftp
    if asked is None:
        return None
    from estafette.exchange.sftp import Door  # noqa: PLC0415 — see `sftp_terms`

    return Door(actor.folder / "sftp", asked.host, asked.port)


def export_facts(rounds: Rounds, actor: Actor) -> None:
    """The facts of the portal are added to its Parquet files, under `facts` in its folder."""

    async def visit() -> None:
        await asyncio.to_thread(partitions.export, actor.database, actor.folder / "facts")

    rounds.every(PARTITIONS_S, visit)


def _serve(rounds: Rounds, door: "Door", platform: Platform) -> Watch:
    """The door is opened with the rounds; what is put in it is deposited, what is for its accounts is laid in it.

    Returns what tells of the areas that fail, and of the files that lie there too long.
    """

    def accounts() -> list[str]:
        return [siren for siren in customers(platform) if door.keys(siren).exists()]

    def tray(siren: str) -> Tray:
        area = door.area(siren)
        return Tray(siren, area / DEPOT, area / RETRAIT, area / RETRAIT, keeps=False)

    folder = Folder(platform, tray, name="sftp", is_whole=True, companies=accounts)
    retrieval = Retrieval(
        platform,
        accounts,
        out_of=lambda siren: door.area(siren) / RETRAIT,
        mark_of=lambda siren: door.area(siren) / ".retrait",
    )
    rounds.every(FOLDER_S, door.open)
    rounds.every(SFTP_S, folder.visit)
    rounds.every(SFTP_S, retrieval.visit)
    rounds.ending(door.close)
    return folder.conditions


def partners_door(seat: Seat, network: Network, hall: Hall) -> "Door | None":
    """Return the door of the portal for platforms, when the network file gives it one."""
    asked = network.settings(seat).partners
    if asked is None:
        return None
    from estafette.exchange.sftp import Door  # noqa: PLC0415 — see `sftp_terms`

    return Door(hall.actor.folder / "partners", asked.host, asked.port, terms=terms_of(hall))


def serve_partners(rounds: Rounds, door: "Door", hall: Hall) -> None:
    """The door is opened with the rounds; what platforms put is entered, what is for them is laid out."""
    rounds.every(FOLDER_S, door.open)
    rounds.every(SFTP_S, PartnerAreas(hall, door).visit)
    rounds.ending(door.close)


def fetch_from_portal(rounds: Rounds, client: "SftpClient", home: Home) -> None:
    """What the portal lays out for the platform is fetched, and taken as what comes by HTTPS is."""
    import asyncssh  # noqa: PLC0415 — see `sftp_terms`

    actor, identity = home.actor, home.identity

    async def take(name: str, held: IO[bytes]) -> None:
        size = os.fstat(held.fileno()).st_size
        pieces = iter(partial(held.read, PIECE_BYTES), b"")
        sha256 = await asyncio.to_thread(partial(actor.documents.put_pieces, pieces, size=size))
        message = Message(f"sftp:{name}:{sha256[:16]}", Kind.FLOW, identity.portal, identity.matricule, name, sha256)
        (reply,) = await actor.database.write(lambda connection: home.post.take(connection, [(message, b"")]))
        if reply.status not in (200, 202):
            raise OSError(f"{name}: {reply.status} {reply.reason}")
        actor.worker.wake()

    async def visit() -> None:
        try:
            await client.fetch(actor.folder, take)
        except (OSError, TimeoutError, asyncssh.Error) as fault:
            log.warning("sftp.portal_unreachable", error=f"{type(fault).__name__} {fault}")

    rounds.every(SFTP_S, visit)


def _tray(root: Path, siren: str) -> Tray:
    own = root / siren
    return Tray(siren, own / "in", own / "done", own / "rejected")
