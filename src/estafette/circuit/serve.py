"""Opening, serving and stopping the actors: everything that can stop a start is checked before anything is touched.

The order is: addresses bound (a busy port touches nothing), folder writable and not newer than this code, stores
opened, pages served, workers started, first team seeded, ready.
"""

import asyncio
import errno
import fcntl
import os
import signal
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import uvicorn
import uvloop
from sqlalchemy.exc import DatabaseError

from estafette.circuit.compose import Running, compose
from estafette.circuit.network import Network, Seat
from estafette.exchange.tls import Tls
from estafette.store.database import DRIVER, NewerData, is_newer


class CannotStart(Exception):
    """Why nothing was started, in both languages, on one line."""


@dataclass(frozen=True, slots=True)
class Served:
    """An actor that answers at its address."""

    seat: Seat
    url: str
    running: Running


def serve(
    data: Path,
    *,
    port: int,
    seats: Sequence[Seat],
    ready: Callable[[Network, list[Served]], Awaitable[None]],
) -> None:
    """The actors have served until a signal asked them to stop. `ready` is awaited once they all answer.

    Raises: CannotStart, before anything was touched.
    """
    network = Network(data, port)
    sockets = [_bind(network.settings(seat).listen, network.port(seat), seat) for seat in seats]
    _check_folder(data)
    _check_stores(network, seats)
    with _locked([network.folder(seat) for seat in seats]):
        uvloop.run(_serve(network, seats, sockets, ready))


async def _serve(
    network: Network,
    seats: Sequence[Seat],
    sockets: Sequence[socket.socket],
    ready: Callable[[Network, list[Served]], Awaitable[None]],
) -> None:
    stop = _stop_on_signals()
    served = await _opened(network, seats)
    servers = [_Server(_config(one, network.tls(one.seat))) for one in served]
    listening = [
        asyncio.create_task(server.serve(sockets=[bound])) for server, bound in zip(servers, sockets, strict=True)
    ]
    for one in served:
        one.running.start()
    started = asyncio.create_task(_announce(network, served, servers, ready))
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait([asked, started], return_when=asyncio.FIRST_COMPLETED)
    if started.done() and started.exception() is None:
        await asked
    started.cancel()
    await asyncio.wait([started])
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*listening)
    for one in served:
        await one.running.stop()
    if not started.cancelled() and (fault := started.exception()):
        raise fault


async def _opened(network: Network, seats: Sequence[Seat]) -> list[Served]:
    """Every actor is composed, or none is left open. Raises: CannotStart, NewerData."""
    served: list[Served] = []
    for seat in seats:
        try:
            served.append(Served(seat, network.url(seat), compose(seat, network, _now)))
        except (DatabaseError, NewerData, OSError) as fault:
            for one in served:
                await one.running.stop()
            raise fault if isinstance(fault, NewerData) else _damaged(network.folder(seat), fault) from None
    return served


async def _announce(
    network: Network,
    served: list[Served],
    servers: Sequence[uvicorn.Server],
    ready: Callable[[Network, list[Served]], Awaitable[None]],
) -> None:
    """Every server listens, then `ready` is done, then every actor says so at `/ready`."""
    while not all(server.started for server in servers):
        await asyncio.sleep(0.005)
    await ready(network, served)
    for one in served:
        one.running.ready()


class _Server(uvicorn.Server):
    """A server that leaves signals to the circuit: several run in one loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _config(served: Served, tls: Tls | None) -> uvicorn.Config:
    return uvicorn.Config(
        served.running.application,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=5,
        **(tls.serving() if tls else {}),
    )


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def _bind(host: str, port: int, seat: Seat) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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


def _damaged(place: Path, fault: Exception | str) -> CannotStart:
    """Return that what is kept there cannot be opened; of a fault of the store, its own words and not its query."""
    words = str(fault.orig if isinstance(fault, DatabaseError) else fault)
    reason = "données illisibles, laissées telles quelles / data unreadable, left as they are"
    return CannotStart(f"{place}: {reason}: {' '.join(words.split())}")


@contextmanager
def _locked(folders: Sequence[Path]) -> Iterator[None]:
    """Hold each folder for this process alone. Raises: CannotStart."""
    held = []
    try:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            held.append(descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
