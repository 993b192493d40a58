"""The portal alone in a process of its own, and around it what it talks to: a platform, and the administration.

Both neighbours are this process: they post envelopes as a platform does, signed, and take what the portal delivers,
counting the answers and the facts. The portal is the one that `estafette up --only portal` starts.
"""

import asyncio
import hashlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import yaml
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.running import free_ports

from estafette.circuit.network import ADMINISTRATION, PORTAL, SEATS
from estafette.exchange.keys import public_text, sign
from estafette.exchange.messages import Kind, Message, Reply, manifest_of, read_manifest
from estafette.formats import flow_archive
from estafette.formats.envelope import FlowName
from estafette.portal.authority import Registered

MATRICULE, CODE = "0003", "PA0003"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()


@dataclass
class Neighbours:
    """A platform and the administration, as the portal knows them; `answered` counts objects by interface."""

    folder: Path
    database: str | None = None
    port: int = field(default_factory=lambda: free_ports(len(SEATS) + 1))
    answered: dict[str, int] = field(default_factory=dict)
    facts: int = 0
    rejected: int = 0
    process: subprocess.Popen[bytes] | None = None
    session: aiohttp.ClientSession | None = None
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def url(self) -> str:
        """Where the portal is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def own_url(self) -> str:
        """Where both neighbours are."""
        return f"http://127.0.0.1:{self.port + len(SEATS)}"

    async def take(self, request: web.Request) -> web.Response:
        """Take a parcel of the portal's, and count what is in it."""
        body = await request.read()
        line, _, rest = body.partition(b"\n")
        listed, place = read_manifest(line), 0
        for one in listed:
            content = rest[place : place + one.size]
            place += one.size
            self._count(one.message, content)
        return web.Response(body=msgspec.json.encode([Reply(202)] * len(listed)), content_type="application/json")

    def _count(self, message: Message, content: bytes) -> None:
        if message.kind is Kind.FACT:
            told: Any = msgspec.json.decode(content)
            self.facts += len(told) if isinstance(told, list) else 1
            return
        interface = FlowName.parse(message.name).interface
        files = 1
        if interface.startswith("FFE06"):
            contents = [one for _name, one in flow_archive.unpack(message.name, content)]
            files = len(contents)
            self.rejected += sum(b"REJ_" in one for one in contents)
        self.answered[interface] = self.answered.get(interface, 0) + files

    @asynccontextmanager
    async def around(self) -> Any:
        """The portal runs, knows its neighbours, and is stopped at the end."""
        application = web.Application(client_max_size=1 << 30)
        application.router.add_post("/exchange/v1/messages", self.take)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port + len(SEATS)).start()
        self._start()
        async with aiohttp.ClientSession() as self.session:
            await self._ready()
            yield self
        assert self.process is not None
        self.process.terminate()
        self.process.wait()
        await runner.cleanup()

    def _start(self) -> None:
        elsewhere = {"administration": {"url": self.own_url, "public_key": public_text(self.key)}}
        network = {"actors": elsewhere} | ({"database": self.database} if self.database else {})
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        (data / "network.yaml").write_text(yaml.safe_dump(network))
        command = [sys.executable, "-m", "estafette", "up", "--data", str(data), "--port", str(self.port)]
        with (self.folder / "portal.log").open("ab") as log:
            self.process = subprocess.Popen([*command, "--only", "portal"], stdout=log, stderr=log)

    async def _ready(self) -> None:
        assert self.session is not None
        while True:
            try:
                async with self.session.get(f"{self.url}/ready") as answer:
                    if answer.status == 200:
                        break
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
        told = Registered(
            matricule=MATRICULE,
            name="Relais Atlantique",
            registered_from=date(2026, 9, 1),
            siren="300000007",
            application_code=CODE,
            url=self.own_url,
            public_key=public_text(self.key),
        )
        await self.post(ADMINISTRATION, Kind.PLATFORM, "platform.json", msgspec.json.encode(told))

    async def post(self, sender: str, kind: Kind, name: str, body: bytes) -> int:
        """The portal has answered a message; returns its HTTP status."""
        assert self.session is not None
        digest = hashlib.sha256(body).hexdigest()
        message = Message(f"{name.partition('.')[0]}-{digest[:8]}", kind, sender, PORTAL, name, digest)
        manifest = manifest_of([message], [body])
        headers = {"Estafette-Signature": sign(self.key, manifest)}
        url = f"{self.url}/exchange/v1/messages"
        for _ in range(3):  # a connection that was idle may be closed as it is used: the portal takes a message once
            try:
                async with self.session.post(url, data=manifest + b"\n" + body, headers=headers) as answer:
                    said = await answer.read()
            except aiohttp.ServerDisconnectedError:
                continue
            replies = msgspec.json.decode(said, type=list[Reply]) if answer.status == 200 else []
            return replies[0].status if replies else answer.status
        raise ConnectionError(url)

    async def load(self, sirens: list[str]) -> None:
        """These companies are in the directory."""
        assert self.session is not None
        token = (self.folder / "data" / "portal" / "operator.token").read_text().strip()
        units = [{"siren": siren, "name": f"Société {siren}", "entity_type": "A"} for siren in sirens]
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(f"{self.url}/operator/v1/directory", json={"units": units}, headers=headers) as it:
            assert it.status == 201, await it.text()

    def cpu_s(self) -> float:
        """Seconds of processor that the portal's processes have taken."""
        return sum(_ticks(pid) for pid in self._pids()) / TICKS

    def memory_mb(self) -> float:
        """Memory the portal's processes hold now."""
        return sum(_pages(pid) for pid in self._pids()) * PAGE / 1e6

    def _pids(self) -> Iterator[int]:
        assert self.process is not None
        waiting = [self.process.pid]
        while waiting:
            pid = waiting.pop()
            yield pid
            children = Path(f"/proc/{pid}/task/{pid}/children")
            waiting += [int(one) for one in children.read_text().split()] if children.exists() else []


def _ticks(pid: int) -> int:
    """Processor time of a process and of those it waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(map(int, fields[11:15]))


def _pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except FileNotFoundError:
        return 0


def now() -> float:
    """The clock of the measures."""
    return time.perf_counter()
