"""The whole system as a stranger starts it: a process of its own, a data folder, addresses."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError

from tests.forked import Forked

from estafette.circuit.entries import Entries, entries_of
from estafette.circuit.network import SEATS
from estafette.store.database import DRIVER

START_S = 60.0
LOOK_S = 0.02
"""Between two looks at a process at work: whoever looks without rest takes the processor it waits for."""

QUIET = "SELECT key FROM job WHERE state = 'pending' AND NOT (tries = 0 AND due > created_at)"
"""What is left to do; what was planned for a later day is not."""


@dataclass
class Circuit:
    """The whole system as a stranger starts it: a process, a data folder, addresses."""

    data: Path
    port: int
    process: "subprocess.Popen[bytes] | Forked | None" = None
    patience_s: float = START_S
    is_forked: bool = False
    """Whether it begins where the program is loaded already (`tests.forked`), for who starts it again and again."""
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.data.parent / f"{self.data.name}.log"

    @property
    def urls(self) -> dict[str, str]:
        """The address of each actor."""
        return {seat.name: f"http://127.0.0.1:{self.port + seat.rank}" for seat in SEATS}

    @property
    def entries(self) -> Entries:
        """Addresses, credentials and operators' tokens."""
        return entries_of(self.data, self.port)

    @property
    def credentials(self) -> dict[str, object]:
        """Credentials by login."""
        return dict(self.entries.by_login)

    def start(self, *, wait: bool = True) -> None:
        """Start `estafette up` on this folder; with `wait`, until every actor is ready."""
        arguments = ["up", "--data", str(self.data), "--port", str(self.port)]
        if self.is_forked:
            self.process = Forked(arguments, out=self.log, err=self.log)
        else:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen([sys.executable, "-m", "estafette", *arguments], stdout=log, stderr=log)
        if wait:
            self.wait_ready()

    def wait_ready(self, actors: list[str] | None = None) -> None:
        """Wait until `/ready` answers 200 at every actor, or at these."""
        deadline = time.monotonic() + self.patience_s
        waiting = [self.urls[actor] for actor in actors or self.urls]
        while waiting:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            if _answers(f"{waiting[0]}/ready"):
                waiting.pop(0)
            else:
                time.sleep(LOOK_S)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def kill_after(self, seconds: float) -> None:
        """Kill it after this long, whatever it is doing then."""
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=seconds)
        self.kill()

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)

    def query(self, actor: str, sql: str, *values: object) -> list[str]:
        """Return the first column of what an actor's records answer, sorted."""
        with closing(DRIVER.connect(f"file:{self.data / actor / 'records.sqlite'}?mode=ro", uri=True)) as records:
            return sorted(str(row[0]) for row in records.execute(sql, values))

    def memory_mb(self) -> float:
        """Return the resident memory of its process, in megabytes."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (resident,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
        return int(resident) / 1024

    def wait_quiet(self) -> None:
        """Wait until no actor has anything left to do."""
        deadline = time.monotonic() + START_S
        while any(self.query(seat.name, QUIET) for seat in SEATS):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(LOOK_S)


def _answers(url: str) -> bool:
    with suppress(URLError, ConnectionError, TimeoutError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
        return bool(answer.status == 200)
    return False


def free_ports(count: int) -> int:
    """Return the first of `count` ports that follow each other, free now and given to nobody else by this function.

    They are below those the system gives to clients, where a client could be answered by itself.
    """
    while True:
        first = _PORTS.next
        _PORTS.next += count
        if _PORTS.next > _PORTS.end:
            _PORTS.take_block()
        elif all(_is_free(port) for port in range(first, first + count)):
            return first


class _Ports:
    """The ports of this process, a block after the other; who holds the first port of a block has all of it."""

    SIZE, FIRST, LAST = 200, 10000, 32000

    def __init__(self) -> None:
        self.next = self.end = 0
        self._guards: list[socket.socket] = []
        self._blocks = iter(range(self.FIRST, self.LAST, self.SIZE))

    def take_block(self) -> None:
        """The next block that no other process has is that of this one, for as long as it lives."""
        for block in self._blocks:
            guard = socket.socket()
            try:
                guard.bind(("127.0.0.1", block))
            except OSError:
                guard.close()
                continue
            self._guards.append(guard)
            self.next, self.end = block + 1, block + self.SIZE
            return
        raise RuntimeError("no free ports")


_PORTS = _Ports()


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0
