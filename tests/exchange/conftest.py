"""What the tests of the exchange stand on: actors with a store and a key each, over real HTTP on this machine."""

import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvicorn
from sqlalchemy import Connection, func, select
from starlette.applications import Starlette
from starlette.types import Message as Event
from tests import postgresql as cluster

from estafette.exchange import wire
from estafette.exchange.keys import load_key, public_text
from estafette.exchange.messages import Kind, Message
from estafette.exchange.post import QUEUE, Peer, Post
from estafette.exchange.tls import Tls
from estafette.store.database import Database, open_database
from estafette.store.documents import Documents
from estafette.store.jobs import Job
from estafette.store.packs import FolderPacks
from estafette.store.sequences import draw
from estafette.store.tables import document, inbox, sequence
from estafette.store.tables import job as job_table
from estafette.store.worker import Outcome, Worker


@dataclass
class Time:
    """The time of a test, moved by hand."""

    now: datetime = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the moment it is."""
        return self.now

    def pass_by(self, **much: float) -> None:
        """So much time has passed."""
        self.now += timedelta(**much)


@dataclass(eq=False)
class Home:
    """An actor at home: its post, its worker, and what it has taken. `wrong` makes it fail when it takes."""

    identifier: str
    post: Post
    worker: Worker
    database: Database
    documents: Documents
    public_key: str
    time: Time
    application: Starlette
    woken: list[bool]
    taken: list[tuple[Message, bytes]]
    delivered: list[str]
    wrong: list[Exception]
    outcomes: "asyncio.Queue[tuple[str, str]]" = field(default_factory=asyncio.Queue)

    async def deliver(self, batch: list[Job]) -> Outcome:
        """Deliver as the post does, and tell how it went."""
        outcome = await self.post.deliver(batch)
        for job in batch:
            put_off = outcome.put_off.get(job.id)
            self.outcomes.put_nowait((str(job.payload["message"][4]), type(put_off).__name__ if put_off else "taken"))
        return outcome

    def send(
        self, recipient: "Home", body: bytes, *, name: str, lane: str | None = None, identifier: str = ""
    ) -> Message:
        """The message is written in the outbox and the worker knows it."""
        sha256 = self.documents.put(body)
        message = Message(identifier or name, Kind.INVOICE, self.identifier, recipient.identifier, name, sha256)
        with self.database.begin() as connection:
            self.post.send(connection, message, lane=lane or name)
        self.worker.wake()
        return message

    async def outcome(self, count: int) -> list[tuple[str, str]]:
        """Return how the next so many deliveries went, each by the name of its message."""
        async with asyncio.timeout(10):
            return [await self.outcomes.get() for _ in range(count)]

    async def later(self, count: int) -> list[tuple[str, str]]:
        """An hour has passed: what was put off is tried again; return how it went."""
        self.time.pass_by(hours=1)
        self.worker.wake()
        return await self.outcome(count)

    def states(self) -> dict[str, tuple[str, str | None]]:
        """Give the state and the last error of each message to send, by its name."""
        query = select(job_table.c.payload, job_table.c.state, job_table.c.error)
        with self.database.read() as connection:
            return {row.payload["message"][4]: (row.state, row.error) for row in connection.execute(query)}

    def effects(self) -> dict[str, int]:
        """Give how many times each message had its effect in the store."""
        with self.database.read() as connection:
            return {row.name: row.value for row in connection.execute(select(sequence))}

    def inbox(self) -> list[str]:
        """Name the messages this actor has."""
        with self.database.read() as connection:
            return list(connection.execute(select(inbox.c.message_id).order_by(inbox.c.message_id)).scalars())

    def documents_held(self) -> int:
        """Count the documents kept."""
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(document)).scalar_one()

    async def ask(
        self, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, chunks: int = 1
    ) -> tuple[int, str]:
        """POST to its application without a network; return the status and the text."""
        size = -(-len(body) // chunks) or 1
        parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        events = iter(
            {"type": "http.request", "body": part, "more_body": more < len(parts)} for more, part in enumerate(parts, 1)
        )
        answers: list[Event] = []

        async def receive() -> Event:
            return next(events)

        async def send(event: Event) -> None:
            answers.append(event)

        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": path,
            "raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": raw, "scheme": "http",
            "server": ("test", 80), "client": ("test", 1),
        }  # fmt: skip
        await self.application(scope, receive, send)
        return answers[0]["status"], b"".join(event.get("body", b"") for event in answers[1:]).decode()


@dataclass
class Network:
    """Actors that know each other. `known` is the directory they share."""

    folder: Path
    empty_store: Path
    time: Time = field(default_factory=Time)
    known: dict[str, Peer] = field(default_factory=dict)
    homes: list[Home] = field(default_factory=list)
    places: list["Place"] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)

    def open(self, identifier: str, *, known: bool = True, url: str = "http://127.0.0.1:9") -> Home:
        """An actor is at home, served by nobody yet."""
        folder = self.folder / identifier
        folder.mkdir()
        database = open_database(self._records(folder), ("shared",), threaded=False)
        documents = Documents(database, FolderPacks(folder / "documents"))
        key = load_key(folder / "key.pem")
        taken: list[tuple[Message, bytes]] = []
        delivered: list[str] = []
        wrong: list[Exception] = []

        def take(connection: Connection, message: Message, body: bytes) -> None:
            draw(connection, message.id)
            if wrong:
                raise wrong.pop(0)
            taken.append((message, body))

        post = Post(
            identifiers=frozenset({identifier}),
            key=key,
            database=database,
            documents=documents,
            clock=self.time,
            peers=lambda _connection, wanted: self.known.get(wanted),
            taken=take,
            delivered=lambda _connection, messages: delivered.extend(message.name for message in messages),
        )
        worker = Worker(database, self.time)
        woken: list[bool] = []
        application = Starlette(routes=wire.routes(post, public_text(key), lambda: woken.append(True)))
        home = Home(
            identifier, post, worker, database, documents, public_text(key), self.time, application,
            woken, taken, delivered, wrong,
        )  # fmt: skip
        worker.handles_together(QUEUE, home.deliver)
        if known:
            self.known[identifier] = Peer(identifier, url, home.public_key)
        self.homes.append(home)
        return home

    def _records(self, folder: Path) -> Path | str:
        """Return an empty store: a file, or a database where this run is on PostgreSQL."""
        if cluster.ENGINE == "postgresql":
            self.databases.append(cluster.empty_database())
            return cluster.shared().url(self.databases[-1])
        return Path(shutil.copy(self.empty_store, folder / "records.sqlite"))

    @asynccontextmanager
    async def working(self, *homes: Home) -> Any:
        """The workers of these actors work meanwhile."""
        tasks = [asyncio.create_task(home.worker.run()) for home in homes]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for home in homes:
                await home.post.close()

    def secure(self, place: "Place", certificates: dict[Home, Tls]) -> None:
        """These actors have certificates; the place speaks TLS with that of the actor who is there."""
        for home, tls in certificates.items():
            home.post.tls = tls
            if home.application is place.application:
                known = self.known[home.identifier]
                url = known.url.replace("http:", "https:")
                self.known[home.identifier] = Peer(home.identifier, url, home.public_key)
                place.secured = tls.serving()

    def place(self, home: Home) -> "Place":
        """Give an address to this actor: a port of this machine, closed for now."""
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        self.known[home.identifier] = Peer(
            home.identifier, f"http://127.0.0.1:{bound.getsockname()[1]}", home.public_key
        )
        self.places.append(Place(home.application, bound))
        if home.post.tls:
            self.secure(self.places[-1], {home: home.post.tls})
        return self.places[-1]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@dataclass
class Place:
    """A port where an application answers while it is open. Closed, it refuses, and the port stays ours."""

    application: Any
    bound: socket.socket
    secured: dict[str, Any] = field(default_factory=dict)
    """What makes its server speak TLS."""

    @asynccontextmanager
    async def open(self) -> Any:
        """The application answers meanwhile."""
        plain = {"log_config": None, "lifespan": "off", "timeout_graceful_shutdown": 1}
        config = uvicorn.Config(self.application, **plain, **self.secured)
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[self.bound.dup()]))
        while not server.started:
            await asyncio.sleep(0)
        try:
            yield
        finally:
            server.should_exit = True
            await serving


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store with the tables every actor has, to be copied."""
    file = tmp_path_factory.mktemp("store") / "records.sqlite"
    open_database(file, ("shared",)).close()
    return file


@pytest.fixture
def network(tmp_path: Path, empty_store: Path) -> Iterator[Network]:
    """Give a network without anyone yet."""
    made = Network(tmp_path, empty_store)
    with structlog.testing.capture_logs():
        yield made
    for place in made.places:
        place.bound.close()
    for home in made.homes:
        home.database.close()
    for name in made.databases:
        cluster.shared().drop(name)


@pytest.fixture
def run() -> Callable[[Awaitable[None]], None]:
    """Give what lives a story to its end, within ten seconds."""

    def verb(story: Awaitable[None]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(10):
                await story

        asyncio.run(bounded())

    return verb
