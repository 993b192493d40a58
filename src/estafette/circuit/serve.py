"""Opening, serving and stopping the actors: everything that can stop a start is checked before anything is touched.

An actor may be served by several processes, each with a role: `api` answers software and people and leaves the work to
others, and several share its port; `worker` works and answers nobody; `all`, the default, does both. Several need a
store that they can share (PostgreSQL): a file has one process, which is said.

The order is: addresses bound (a busy port touches nothing), folder writable and not newer than this code, stores
opened, pages served, workers started, first team seeded, ready.
"""

import asyncio
import errno
import fcntl
import gc
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import uvicorn
import uvloop
from sqlalchemy.exc import DatabaseError
from starlette.applications import Starlette

from estafette.circuit.compose import compose
from estafette.circuit.cores import Linux, keep_to_one
from estafette.circuit.network import Network, Seat
from estafette.circuit.running import Running
from estafette.circuit.starting import CannotStart, Ready
from estafette.exchange.bodies import Lingering
from estafette.exchange.tls import Tls
from estafette.store.database import DRIVER, NewerData, is_newer
from estafette.store.objects import ObjectPacks
from estafette.store.postgresql import is_server

SWITCH_S = 0.0002
"""How long a thread of ours keeps the interpreter while another waits for it. The writer lets it go at each statement:
with Python's own 5 ms it waits as long, each time, for a judgement that is under way."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one process serves: these actors, in this role; `probes` is the port of its own health and measures.

    `stops_at_eof`: it stops when its standard input ends, that is with whoever started it.
    """

    seats: Sequence[Seat]
    role: str = "all"
    probes: int | None = None
    stops_at_eof: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """An actor that is open in this process."""

    seat: Seat
    running: Running


def serve(data: Path, *, port: int, part: Part, ready: Ready) -> None:
    """The actors have served until a signal asked them to stop. `ready` is awaited once they all answer.

    Raises: CannotStart, before anything was touched.
    """
    network = Network(data, port)
    _check_role(network, part)
    sys.setswitchinterval(SWITCH_S)
    with ExitStack() as held:
        sockets = [held.enter_context(one) for one in _bound(network, part)]
        _check_folder(data)
        _check_stores(network, part.seats)
        _check_objects(network, part.seats)
        held.enter_context(_locked(network, part.seats))
        uvloop.run(_serve(network, part, sockets, ready))


async def _serve(network: Network, part: Part, sockets: Sequence[socket.socket], ready: Ready) -> None:
    stop = _stop_on_signals(at_eof=part.stops_at_eof)
    served = await _opened(network, part)
    servers = _servers(network, part, served)
    listening = [
        asyncio.create_task(server.serve(sockets=[bound])) for server, bound in zip(servers, sockets, strict=True)
    ]
    for one in served:
        one.running.start()
    started = asyncio.create_task(_announce(network, served, servers, ready))
    asked = asyncio.create_task(stop.wait())
    keeping = [asyncio.create_task(keep_to_one(Linux()))] if network.one_core else []
    await asyncio.wait([asked, started], return_when=asyncio.FIRST_COMPLETED)
    if started.done() and started.exception() is None:
        await asked
    started.cancel()
    for task in keeping:
        task.cancel()
    await asyncio.wait([started, *keeping])
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*listening)
    for one in served:
        await one.running.stop()
    if not started.cancelled() and (fault := started.exception()):
        raise fault


def _servers(network: Network, part: Part, served: Sequence[Served]) -> list[uvicorn.Server]:
    """Return a server for each address, in the order in which they were bound."""
    public = [] if part.role == "worker" else served
    servers: list[uvicorn.Server] = [
        _Server(_config(one.running.application, network.tls(one.seat), network.proxies(one.seat))) for one in public
    ]
    if part.probes is not None:
        servers.append(_Server(_config(served[0].running.operations)))
    return servers


async def _opened(network: Network, part: Part) -> list[Served]:
    """Every actor is composed, or none is left open. Raises: CannotStart, NewerData."""
    served: list[Served] = []
    for seat in part.seats:
        try:
            served.append(Served(seat, compose(seat, network, _now, part.role)))
        except (DatabaseError, NewerData, OSError) as fault:
            for one in served:
                await one.running.stop()
            raise fault if isinstance(fault, NewerData) else _damaged(network.folder(seat), fault) from None
    return served


async def _announce(
    network: Network,
    served: list[Served],
    servers: Sequence[uvicorn.Server],
    ready: Ready,
) -> None:
    """Every server listens, then `ready` is done, then every actor says so at `/ready`."""
    while not all(server.started for server in servers):
        await asyncio.sleep(0.005)
    await ready(network, [one.seat for one in served])
    _leave_alone_what_lasts()
    for one in served:
        one.running.ready()


def _leave_alone_what_lasts() -> None:
    """What the start made, and which lasts as long as the process, is not looked at by the collector of cycles again.

    It would be at each full collection: 200,000 objects, 60 ms during which nobody is answered.
    """
    gc.collect()
    gc.freeze()


class _Server(uvicorn.Server):
    """A server that leaves signals to the circuit: several run in one loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _config(application: Starlette, tls: Tls | None = None, proxies: Sequence[str] = ()) -> uvicorn.Config:
    """Return how an application is served; only these proxies are believed when they say for whom they ask."""
    return uvicorn.Config(
        Lingering(application),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_graceful_shutdown=5,
        **(tls.serving() if tls else {}),
    )


def _stop_on_signals(*, at_eof: bool) -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if at_eof:
        loop.add_reader(sys.stdin.fileno(), _ended, loop, stop)
    return stop


def _ended(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Whoever started this process is gone."""
    if not os.read(sys.stdin.fileno(), 1024):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


def _check_role(network: Network, part: Part) -> None:
    """Several processes share a server, never a file. Raises: CannotStart."""
    if part.probes is not None and len(part.seats) != 1:
        raise CannotStart("--probes : avec un seul acteur (--only) / --probes: with one actor (--only)")
    for seat in part.seats:
        if part.role != "all" and not is_server(network.database(seat)):
            fr = f"--role {part.role} demande PostgreSQL : un fichier SQLite n'a qu'un processus"
            en = f"--role {part.role} needs PostgreSQL: a SQLite file has one process only"
            raise CannotStart(f"{seat.name}: {fr} / {en} — network.yaml, database")


def _bound(network: Network, part: Part) -> list[socket.socket]:
    """Return the sockets of this process, bound: those of its actors, unless it only works, and its own."""
    shared = part.role == "api"
    public = [] if part.role == "worker" else part.seats
    sockets = [_bind(network.settings(seat).listen, network.port(seat), seat, shared=shared) for seat in public]
    if part.probes is not None:
        sockets.append(_bind("127.0.0.1", part.probes, part.seats[0]))
    return sockets


def _bind(host: str, port: int, seat: Seat, *, shared: bool = False) -> socket.socket:
    """Return a listening socket; of a `shared` port the system gives each process its part of the connections."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
        bound.listen(1024)
    except OSError as fault:
        reason = "occupé / busy" if fault.errno == errno.EADDRINUSE else (fault.strerror or str(fault))
        raise CannotStart(f"port {port} ({seat.name}): {reason} — estafette up --port N") from None
    return bound


def _check_folder(data: Path) -> None:
    """The folder can be written, or its nearest parent can, so that it can be made."""
    try:
        nearest = next(folder for folder in (data, *data.absolute().parents) if folder.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as fault:
        raise CannotStart(f"{data}: {fault.strerror} — dossier non inscriptible / folder not writable") from None


def _check_stores(network: Network, seats: Sequence[Seat]) -> None:
    """Each store there is is sound and not newer than this code; they are only read (0.6 s a gigabyte)."""
    for seat in seats:
        file = network.folder(seat) / "records.sqlite"
        if not file.exists():
            continue
        try:
            newer = is_newer(file)
            with closing(DRIVER.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as records:
                (found,) = records.execute("PRAGMA quick_check(1)").fetchone()
        except (DatabaseError, DRIVER.DatabaseError) as fault:
            raise _damaged(file, fault) from None
        if found != "ok":
            raise _damaged(file, found)
        if newer:
            reason = "données d'une version plus récente d'Estafette / data of a newer version of Estafette"
            raise CannotStart(f"{file.parent}: {reason}")


def _check_objects(network: Network, seats: Sequence[Seat]) -> None:
    """Each object store that is asked for can be written. Raises: CannotStart."""
    for seat in seats:
        if url := network.objects(seat):
            try:
                ObjectPacks(url).check()
            except OSError as fault:
                reason = "dépôt d'objets inaccessible / object store out of reach"
                raise CannotStart(f"{seat.name}: {reason}: {fault}") from None


def _damaged(place: Path, fault: Exception | str) -> CannotStart:
    """Return that what is kept there cannot be opened; of a fault of the store, its own words and not its query."""
    words = str(fault.orig if isinstance(fault, DatabaseError) else fault)
    reason = "données illisibles, laissées telles quelles / data unreadable, left as they are"
    return CannotStart(f"{place}: {reason}: {' '.join(words.split())}")


@contextmanager
def _locked(network: Network, seats: Sequence[Seat]) -> Iterator[None]:
    """Hold each folder for this process alone, or with others that share its store. Raises: CannotStart."""
    held = []
    try:
        for seat in seats:
            folder = network.folder(seat)
            mode = fcntl.LOCK_SH if is_server(network.database(seat)) else fcntl.LOCK_EX
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            held.append(descriptor)
            try:
                fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
            except OSError:
                raise CannotStart(f"{folder}: déjà servi par un autre processus / served by another process") from None
        yield
    except NewerData as newer:
        raise CannotStart(f"données d'une version plus récente / data of a newer version: {newer}") from None
    finally:
        for descriptor in held:
            os.close(descriptor)


def _now() -> datetime:
    """Return the time: the only clock of the circuit."""
    return datetime.now(UTC)
