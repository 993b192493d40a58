"""Each actor in processes of its own, under one command: started, watched, started again when one dies, stopped.

The pieces are this very program, called for one actor and one role. A piece that dies is said and started again, after
a wait that doubles while it keeps dying; one that cannot start the first time stops all. Pieces stop when the command
does, however it ends: their standard input is a pipe that ends with it.
"""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog

from estafette.circuit.network import Network, Seat
from estafette.circuit.starting import CannotStart, Ready
from estafette.store.postgresql import is_server

STOP_S = 20.0
"""How long a piece may take to stop before it is killed."""

AGAIN_S, AGAIN_S_MAX = 0.2, 30.0
"""The wait before a piece that died is started again: the first, and the longest."""

LIVED_S = 30.0
"""A piece that lived so long died by accident: the next wait is the first again."""

PROBES_FROM = 10
"""The ports of the probes of the pieces come so many after the first port of all."""

log = structlog.get_logger()
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """One process to be: its name for people, what it is called with, and where it answers when it is ready."""

    name: str
    arguments: tuple[str, ...]
    probes: int


def pieces_of(
    network: Network, seats: Sequence[Seat], data: Path, port: int, *, apis: int, workers: int
) -> list[Piece]:
    """Return the processes of these actors: one each that does all; with workers, those and so many for the API.

    An actor that keeps its records in a file has one process whatever is asked. Raises: CannotStart, if all do.
    """
    shared = {seat.name for seat in seats if is_server(network.database(seat))}
    if workers and not shared:
        fr, en = "--workers demande PostgreSQL : un fichier SQLite n'a qu'un processus", "a SQLite file has one process"
        raise CannotStart(f"{fr} / --workers needs PostgreSQL: {en} — network.yaml, database")
    several = ["api"] * apis + ["worker"] * workers if workers else ["all"]
    wanted = [
        (seat.name, role, number)
        for seat in seats
        for number, role in enumerate(several if seat.name in shared else ["all"], start=1)
    ]
    pieces = []
    for probes, (seat, role, number) in enumerate(wanted, start=port + PROBES_FROM):
        called = ("--data", str(data), "--port", str(port), "--only", seat, "--role", role)
        name = seat if role == "all" else f"{seat} {role} {number}"
        pieces.append(Piece(name, (*called, "--probes", str(probes), "--part"), probes))
    return pieces


async def run_apart(
    network: Network,
    seats: Sequence[Seat],
    pieces: Sequence[Piece],
    *,
    ready: Ready,
    say: Say,
    options: Sequence[str] = (),
) -> None:
    """The pieces have run until a signal asked to stop. Raises: CannotStart, what `ready` raises."""
    keepers = [_Keeper(piece, tuple(options), say) for piece in pieces]
    kept = [asyncio.create_task(keeper.keep()) for keeper in keepers]
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    asked, started = asyncio.create_task(stop.wait()), asyncio.create_task(_start(network, seats, pieces, ready))
    try:
        await asyncio.wait([asked, started, *kept], return_when=asyncio.FIRST_COMPLETED)
        if started.done() and started.exception() is None:
            await asyncio.wait([asked, *kept], return_when=asyncio.FIRST_COMPLETED)
    finally:
        started.cancel()
        await asyncio.gather(*(keeper.stop() for keeper in keepers))
        await asyncio.wait([started, *kept])
    for task in (*kept, started):
        if not task.cancelled() and (fault := task.exception()):
            raise fault


async def _start(network: Network, seats: Sequence[Seat], pieces: Sequence[Piece], ready: Ready) -> None:
    """Every piece is ready, then what is done once is done."""
    async with aiohttp.ClientSession() as session:
        for piece in pieces:
            while not await _is_ready(session, f"http://127.0.0.1:{piece.probes}/ready"):
                await asyncio.sleep(0.05)
    await ready(network, seats)


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    with suppress(aiohttp.ClientError, TimeoutError):
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return answer.ok
    return False


class _Keeper:
    """Keeps one piece alive until it is told to stop."""

    def __init__(self, piece: Piece, options: tuple[str, ...], say: Say) -> None:
        self._piece, self._options, self._say = piece, options, say
        self._process: Process | None = None
        self._is_stopping = False
        self._woken = asyncio.Event()

    async def keep(self) -> None:
        """The piece ran, again and again, until it was stopped. Raises: CannotStart, when it never could start."""
        wait, loop, has_lived = AGAIN_S, asyncio.get_running_loop(), False
        while not self._is_stopping:
            since = loop.time()
            code = await self._run()
            lived = loop.time() - since
            if self._is_stopping:
                return
            if code == 2 and not has_lived:
                raise CannotStart(f"{self._piece.name}: n'a pas pu démarrer / could not start")
            has_lived = True
            wait = AGAIN_S if lived > LIVED_S else min(wait * 2, AGAIN_S_MAX)
            log.warning("piece.died", piece=self._piece.name, code=code, again_in=wait)
            name = self._piece.name
            self._say(
                f"{name} : arrêté ({code}), relancé dans {wait:g} s / ended ({code}), started again in {wait:g} s"
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._woken.wait()

    async def _run(self) -> int:
        command = (sys.executable, "-m", "estafette", "up", *self._piece.arguments, *self._options)
        self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, start_new_session=True)
        return await self._process.wait()

    async def stop(self) -> None:
        """The piece has stopped, killed if it takes too long."""
        self._is_stopping = True
        self._woken.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            log.warning("piece.killed", piece=self._piece.name)
            process.kill()
