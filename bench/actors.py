"""The four actors, each in a process of its own, on SQLite or on a PostgreSQL that waits for its disk."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from sqlalchemy import text
from tests import postgresql
from tests.running import QUIET, Circuit

from estafette.circuit.entries import Entries
from estafette.circuit.network import SEATS, Network
from estafette.store.database import Database, open_database, reading_database

PATIENCE_S = 300.0
"""How long the actors may take to start, and to come to rest: other things may run on the machine."""

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Actors:
    """Processes that serve one actor each, on one data folder; `apart`, the sending platform has one that answers and
    one that works, which PostgreSQL alone lets it.
    """

    def __init__(self, data: Path, port: int, *, on_postgresql: bool = False, apart: bool = False) -> None:
        self.data, self.port = data, port
        self._server = durable() if on_postgresql else None
        self._asked = {seat.name: ["--only", seat.name] for seat in SEATS}
        if apart:
            self._asked["a's worker"] = [*self._asked["platform-a"], "--role", "worker"]
            self._asked["platform-a"] += ["--role", "api"]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._gone_s: dict[str, float] = {}
        """Seconds of processor of those that were killed."""
        self._recorders: list[subprocess.Popen[bytes]] = []
        self._databases: dict[str, Database] = {}
        self._circuit = Circuit(data, port, patience_s=PATIENCE_S)
        self.urls = self._circuit.urls

    @cached_property
    def entries(self) -> Entries:
        """Addresses and credentials."""
        return self._circuit.entries

    def start(self) -> None:
        """The team is seeded, then each actor is served alone."""
        self.data.mkdir(parents=True)
        if self._server is not None:
            url = self._server.url(self._server.fresh())
            (self.data / "network.yaml").write_text(f'database: "{url}"\n')
        self._circuit.start()
        self._circuit.stop()
        self._serve()

    def restart(self, between: Callable[[], None]) -> None:
        """Each actor is served anew, something having been done while none was."""
        self._stop()
        between()
        self._serve()

    def stores(self) -> dict[str, Database]:
        """Return the records of each actor, to be written while none is served; whoever asked closes them."""
        network = Network(self.data, self.port)
        return {seat.name: open_database(network.database(seat), (), threaded=False) for seat in SEATS}

    @property
    def names(self) -> list[str]:
        """The processes, by what they serve."""
        return list(self._asked)

    def kill(self, name: str) -> None:
        """A process is killed, as a power cut would, and another begins."""
        process = self._processes[name]
        self._gone_s[name] = self.cpu_s()[name]
        process.kill()
        process.wait()
        self._serve_one(name)

    def _serve_one(self, name: str) -> None:
        command = [sys.executable, "-m", "estafette", "up", "--data", str(self.data), "--port", str(self.port)]
        with self._circuit.log.open("ab") as log:
            self._processes[name] = subprocess.Popen([*command, *self._asked[name]], stdout=log, stderr=log)

    def _serve(self) -> None:
        for name in self._asked:
            self._serve_one(name)
        self._circuit.process = self._processes["portal"]
        self._circuit.wait_ready()
        network = Network(self.data, self.port)
        self._databases = {seat.name: reading_database(network.database(seat)) for seat in SEATS}

    def query(self, actor: str, sql: str, **values: object) -> list[str]:
        """Return the first column of what an actor's records answer."""
        with self._databases[actor].read() as connection:
            return [str(row[0]) for row in connection.execute(text(sql), values)]

    def cpu_s(self) -> dict[str, float]:
        """Return the seconds of processor that each actor has used; the server's of PostgreSQL too."""
        spent = {name: self._gone_s.get(name, 0.0) + _cpu_s(process.pid) for name, process in self._processes.items()}
        if self._server is not None:
            spent["postgresql"] = _server_cpu_s(self._server)
        return spent

    def resident_mb(self) -> dict[str, float]:
        """Return the memory that each actor holds."""
        return {name: _resident_mb(process.pid) for name, process in self._processes.items()}

    def record(self, folder: Path | None) -> None:
        """What each actor does from now on is recorded by py-spy, where a folder is given."""
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name, process in self._processes.items():
            command = ["py-spy", "record", "--gil", "-r", "100", "-f", "raw", "-d", "1000", "-p", str(process.pid)]
            self._recorders.append(
                subprocess.Popen([*command, "-o", str(folder / f"{name}.raw")], stdout=subprocess.DEVNULL)
            )

    async def moment(self) -> None:
        """Let a moment pass."""
        await asyncio.sleep(0.1)

    def wait_quiet(self) -> None:
        """Wait until no actor has anything left to do."""
        deadline = time.monotonic() + PATIENCE_S
        while waiting := {seat.name: held[:3] for seat in SEATS if (held := self.query(seat.name, QUIET))}:
            assert time.monotonic() < deadline, f"{waiting} {self._circuit.log.read_text()}"
            time.sleep(0.1)

    def _stop(self) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGINT)
        for process in self._processes.values():
            process.wait(timeout=PATIENCE_S)
        for database in self._databases.values():
            database.close()

    def close(self) -> None:
        """Everything is stopped."""
        for recorder in self._recorders:
            recorder.send_signal(signal.SIGINT)
            recorder.wait()
        self._stop()
        if self._server is not None:
            self._server.stop()


def durable() -> postgresql.Server:
    """Start a PostgreSQL that waits for its disk; whoever asked stops it. Raises: SystemExit when there is none."""
    binaries = postgresql.find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed")
    return postgresql.start(binaries, durable=True)


def _server_cpu_s(server: postgresql.Server) -> float:
    """Return the seconds of processor of a cluster: of its parent and of each of its children."""
    parent = int((server.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return _cpu_s(parent) + sum(_cpu_s(int(child)) for child in children)


def _cpu_s(pid: int) -> float:
    """Return the seconds of processor of a process, and of the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / CLOCK_TICKS


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
