"""What the tests of the API stand on: a real platform, whole, spoken to as HTTP does but without a network."""

import asyncio
import base64
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import argon2
import pytest
import structlog

from estafette.circuit.compose import compose
from estafette.circuit.network import SEATS, Network
from estafette.circuit.operators import operator_token
from estafette.circuit.running import Running
from estafette.store import identity, jobs

HERE, THERE = "100000009", "200000008"
SECRET = "a secret of 256 bits, or nearly"
PLATFORM = SEATS[1]


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body decoded."""
        return json.loads(self.body)


@dataclass
class Client:
    """A platform and those who speak to it. `tokens` by SIREN; `given` counts the bytes it was sent."""

    running: Running
    now: datetime = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
    tokens: dict[str, str] = field(default_factory=dict)
    given: int = 0

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Iterable[bytes] = b"",
        headers: dict[str, str] | None = None,
        query: str = "",
    ) -> Answer:
        """Send one request, its body in as many pieces as given; return the answer."""
        pieces = iter([body] if isinstance(body, bytes) else body)
        self.given = 0
        answers: list[Any] = []

        async def receive() -> Any:
            piece = next(pieces, b"")
            self.given += len(piece)
            return {"type": "http.request", "body": piece, "more_body": bool(piece) and not isinstance(body, bytes)}

        async def send(event: Any) -> None:
            answers.append(event)

        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": method,
            "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query.encode(), "headers": raw,
            "scheme": "http", "server": ("test", 80), "client": ("test", 1),
        }  # fmt: skip
        await self.running.application(scope, receive, send)
        got = {name.decode(): value.decode("latin-1") for name, value in answers[0]["headers"]}
        return Answer(answers[0]["status"], got, b"".join(event.get("body", b"") for event in answers[1:]))

    def call(self, method: str, path: str, *, siren: str | None = HERE, **rest: Any) -> Answer:
        """Send one request with the token of a company, or none."""
        headers = dict(rest.pop("headers", None) or {})
        if siren is not None:
            headers.setdefault("Authorization", f"Bearer {self.tokens[siren]}")
        self.now += timedelta(milliseconds=7)
        return asyncio.run(self.ask(method, path, headers=headers, **rest))

    def search(self, *, siren: str | None = HERE, **asked: Any) -> Answer:
        """Search the flows of a company."""
        headers = {"Content-Type": "application/json"}
        return self.call("POST", "/v1/flows/search", siren=siren, body=json.dumps(asked).encode(), headers=headers)

    def deposit(self, info: Any, data: bytes, *, siren: str | None = HERE, **form: Any) -> Answer:
        """Deposit a file as most clients do."""
        body, headers = multipart(info, data, **form)
        return self.call("POST", "/v1/flows", siren=siren, body=body, headers=headers)

    def token(self, client_id: str, secret: str, *, basic: bool = False, **more: str) -> Answer:
        """Ask for a token, the secret being in the form or in HTTP Basic."""
        fields = {"grant_type": "client_credentials", **more}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if basic:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        else:
            fields |= {"client_id": client_id, "client_secret": secret}
        return self.call("POST", "/oauth2/token", siren=None, body=urlencode(fields).encode(), headers=headers)

    def work(self) -> None:
        """A second later the platform has judged every deposit."""
        self.now += timedelta(seconds=1)

        async def until_idle() -> None:
            worker = asyncio.create_task(self.running.actor.worker.run())
            async with asyncio.timeout(20):
                while self._busy():
                    await asyncio.sleep(0.002)
            worker.cancel()
            await asyncio.wait([worker])
            await self.running.post.close()

        asyncio.run(until_idle())

    def _busy(self) -> bool:
        with self.running.actor.database.read() as connection:
            due = jobs.next_due(connection, ("deposit", "package"))
        return due is not None


def multipart(
    info: Any,
    data: bytes,
    *,
    filename: str | None = "facture.xml",
    info_head: str = "Content-Type: application/json\r\n",
    file_head: str = "Content-Type: application/xml\r\n",
    info_filename: str = "",
    file_first: bool = False,
) -> tuple[bytes, dict[str, str]]:
    """Write a form of two parts as a client would; `info` is text as it is, or anything else as JSON."""
    text = info if isinstance(info, str | bytes) else json.dumps(info)
    text = text.encode() if isinstance(text, str) else text
    named = f'; filename="{filename}"' if filename is not None else ""
    blob = f'; filename="{info_filename}"' if info_filename else ""
    parts = [
        f'Content-Disposition: form-data; name="flowInfo"{blob}\r\n{info_head}\r\n'.encode() + text,
        f'Content-Disposition: form-data; name="file"{named}\r\n{file_head}\r\n'.encode() + data,
    ]
    if file_first:
        parts.reverse()
    body = b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts) + b"--frontier--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=frontier", "Content-Length": str(len(body))}


def composed(folder: Path) -> Client:
    """Compose a platform whose time is that of who speaks to it, from its first moment."""
    made: list[Client] = []
    made.append(Client(compose(PLATFORM, Network(folder, 8400), lambda: made[0].now if made else Client.now)))
    return made[0]


def opened(folder: Path) -> Client:
    """Open a platform with two companies, by its operator's route, and a token for each."""
    client = composed(folder)
    operator = {"Authorization": f"Bearer {operator_token(folder / PLATFORM.name)}"}
    for siren in (HERE, THERE):
        company = {
            "siren": siren, "name": f"Société {siren}", "status_address": f"{siren}_STATUTS", "login": f"desk@{siren}",
            "password": "long enough a password", "client_id": f"erp-{siren}", "client_secret": SECRET,
        }  # fmt: skip
        body = json.dumps(company).encode()
        assert client.call("POST", "/operator/v1/companies", siren=None, body=body, headers=operator).status == 201
        client.tokens[siren] = client.token(f"erp-{siren}", SECRET).json["access_token"]
    return client


@pytest.fixture(scope="session", autouse=True)
def _light_hashes() -> Iterator[None]:
    """Argon2 at its least cost: nothing here is about how long a guess takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "_hasher", argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    """Keep the log out of the way."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Give the folder of a platform as it was just opened, to be copied, and the tokens of its companies."""
    folder = tmp_path_factory.mktemp("template")
    made = opened(folder)
    made.running.actor.database.close()
    return folder, made.tokens


@pytest.fixture
def client(template: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Client]:
    """Give a platform of its own."""
    folder, tokens = template
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    made = composed(tmp_path)
    made.tokens = dict(tokens)
    yield made
    made.running.actor.database.close()


@pytest.fixture(scope="session")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Give a platform for tests that leave nothing behind or do not mind what others left."""
    made = opened(tmp_path_factory.mktemp("platform"))
    yield made
    made.running.actor.database.close()


@pytest.fixture
def again() -> Callable[[Client, str], Client]:
    """Give what opens the platform of a client again, with these settings of its API."""

    def reopened(client: Client, text: str) -> Client:
        (client.running.actor.folder / "api.yaml").write_text(text)
        client.running.actor.database.close()
        client.running = compose(PLATFORM, Network(client.running.actor.folder.parent, 8400), lambda: client.now)
        return client

    return reopened


@pytest.fixture(scope="session")
def form() -> Callable[..., tuple[bytes, dict[str, str]]]:
    """Give what writes a form."""
    return multipart


@pytest.fixture(scope="session")
def contract() -> Any:
    """Give the published contract of the Flow Service, where it is beside the project."""
    file = Path(__file__).parents[2] / "../shared/api/xp-z12-013-flow-1.3.0.json"
    if not file.exists():
        pytest.skip("the published contract is not beside the project")
    return json.loads(file.read_text())
