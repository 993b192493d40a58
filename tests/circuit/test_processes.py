"""Several processes a platform, killed while it works: nothing is lost, nothing is doubled, and it is seen."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import yaml
from tests.postgresql import Server
from tests.running import Circuit, _answers, free_ports

from estafette.circuit.apart import PROBES_FROM
from estafette.circuit.network import SEATS, Network
from estafette.circuit.seed import Entry, ready
from estafette.formats.status_message import Role
from estafette.simulation.company import Company
from estafette.simulation.pilot import samples_of

KILLS, SEED = 3, 20260902
WAIT_S = (0.1, 0.9)
INVOICES, AT_ONCE = 40, 6
PATIENCE_S = 60.0
OTHERS = ("--only", "portal", "--only", "platform-b", "--only", "administration")
LEFT = "SELECT key FROM job WHERE state != 'done' AND NOT (tries = 0 AND due > created_at)"


class Apart(Circuit):
    """Actors in processes of their own."""

    def open(self, *arguments: str) -> None:
        """Start it, and wait until it says that it is ready."""
        self.data.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "estafette", "up", "--data", str(self.data), "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*command, *arguments], stdout=log, stderr=log)
        deadline = time.monotonic() + 90
        while "Ctrl-C" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def pieces(self, role: str) -> list[int]:
        """Return the process identifiers of a role."""
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and f"--port\0{self.port}\0" in (called := (entry / "cmdline").read_text()):
                    found += [int(entry.name)] if f"--role\0{role}\0" in called else []
        return sorted(found)


@pytest.fixture
def server_store(postgresql: Server) -> Iterator[tuple[Server, str]]:
    """Give a database for platform A."""
    name = postgresql.fresh()
    yield postgresql, name
    postgresql.drop(name)


@pytest.mark.kill
def test_workers_killed_lose_and_double_nothing(tmp_path: Path, server_store: tuple[Server, str]) -> None:
    """Two API processes and two workers of one platform, workers killed at random: every invoice once everywhere."""
    server, name = server_store
    data = tmp_path / "data"
    data.mkdir()
    network = {"actors": {"platform-a": {"database": server.url(name, "platform_a")}}}
    (data / "network.yaml").write_text(yaml.safe_dump(network))
    port = free_ports(40)
    others, running = Apart(data, port), Apart(data, port)
    others.open(*OTHERS)
    running.log = tmp_path / "apart.log"
    try:
        running.open("--apart", "--only", "platform-a", "--apis", "2", "--workers", "2")
        assert (len(running.pieces("api")), len(running.pieces("worker"))) == (2, 2)
        asyncio.run(ready(data, lambda _line: None)(Network(data, port), SEATS))
        asyncio.run(_deposit_under_kills(running))
        _wait_quiet(running, server, name)
        _check_once(running, server, name)
        assert running.log.read_text().count("relancé") >= KILLS
        served = "SELECT role, count(*) FROM platform_a.process GROUP BY role ORDER BY role"
        _until(lambda: server.ask(name, served) == [("api", 2), ("worker", 2)])
        assert (_measure(running, 0, "api"), _measure(running, 3, "worker")) == (2.0, 2.0)
    finally:
        running.stop()
        others.stop()
    assert running.process is not None
    assert running.process.returncode == 0
    assert running.pieces("api") + running.pieces("worker") == []


async def _deposit_under_kills(running: Apart) -> None:
    killer = asyncio.create_task(asyncio.to_thread(_kill_often, running))
    room = asyncio.Semaphore(AT_ONCE)
    entry = running.entries.by_login["fournisseur"]
    today = datetime.now(UTC).date()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        company = _company(running, entry, session)

        async def deposit(number: str) -> None:
            (data, *_) = samples_of("uc1", number=number, today=today)
            async with room:
                await company.deposit(data, syntax="UBL", name=f"{number}.xml", tracking_id=number)

        await asyncio.gather(*map(deposit, _numbers()))
    await killer


def _company(running: Apart, entry: Entry, session: aiohttp.ClientSession) -> Company:
    assert entry.siren and entry.client_id and entry.client_secret
    secret = entry.client_secret
    return Company(
        entry.siren, Role.SELLER, running.urls["platform-a"], entry.client_id, secret, session, patience=PATIENCE_S
    )


def _numbers() -> list[str]:
    return [f"SEVERAL-{number:03d}" for number in range(INVOICES)]


def _kill_often(running: Apart) -> None:
    chance = random.Random(SEED)  # noqa: S311 — moments and victims, not secrets
    for _ in range(KILLS):
        time.sleep(chance.uniform(*WAIT_S))
        deadline = time.monotonic() + PATIENCE_S
        while not (there := running.pieces("worker")):
            assert time.monotonic() < deadline, running.log.read_text()
            time.sleep(0.02)
        os.kill(chance.choice(there), signal.SIGKILL)


def _wait_quiet(running: Apart, server: Server, name: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    others = [seat.name for seat in SEATS if seat.name != "platform-a"]
    while _left(server, name) or any(running.query(actor, LEFT) for actor in others):
        assert time.monotonic() < deadline, running.log.read_text()
        time.sleep(0.1)


def _left(server: Server, name: str) -> list[tuple[object, ...]]:
    return server.ask(name, LEFT.replace("FROM job", "FROM platform_a.job"))


def _check_once(running: Apart, server: Server, name: str) -> None:
    """Each actor holds each invoice exactly once, each status once."""
    live = "SELECT number FROM platform_a.invoice WHERE side = 'issued' AND standing = 'live' ORDER BY number"
    assert [row[0] for row in server.ask(name, live)] == _numbers()
    received = "SELECT number FROM invoice WHERE side = 'received' AND standing = 'live'"
    assert running.query("platform-b", received) == _numbers()
    assert running.query("portal", "SELECT number FROM invoice_data") == _numbers()
    assert running.query("administration", "SELECT number FROM fact") == _numbers()
    told = "SELECT number || ' ' || status FROM obligatory_status"
    assert running.query("portal", told) == [f"{number} 200" for number in _numbers()]
    doubled = "SELECT invoice_id FROM {}event GROUP BY invoice_id, status HAVING count(*) > 1"
    assert server.ask(name, doubled.format("platform_a.")) == []
    assert running.query("platform-b", doubled.format("")) == []
    flows = "SELECT count(*), count(DISTINCT tracking_id) FROM platform_a.flow WHERE origin = 'client'"
    assert server.ask(name, flows) == [(INVOICES, INVOICES)]


def test_each_actor_apart_on_files(tmp_path: Path) -> None:
    """A process for an actor on files: killed, it comes back; the command killed, it ends too."""
    running = Apart(tmp_path / "data", free_ports(40))
    running.open("--apart", "--only", "administration")
    try:
        (first,) = running.pieces("all")
        os.kill(first, signal.SIGKILL)
        _until(lambda: "relancé" in running.log.read_text())
        _until(lambda: _answers(f"http://127.0.0.1:{running.port + PROBES_FROM}/ready"))
        assert running.pieces("all") not in ([], [first])
        running.kill()
        _until(lambda: running.pieces("all") == [])
    finally:
        running.stop()


def _measure(running: Apart, place: int, role: str) -> float:
    """Return how many processes of a role one of them counts, at its own probes."""
    url = f"http://127.0.0.1:{running.port + PROBES_FROM + place}/metrics"
    asked = urllib.request.Request(url, headers=running.entries.operators["platform-a"])
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        lines = answer.read().decode().splitlines()
    (line,) = [line for line in lines if line.startswith(f'estafette_processes{{role="{role}"}}')]
    return float(line.rpartition(" ")[2])


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
