"""The whole system in one process and one folder: the actors as they are composed, the network between them a double.

Every store, room and signature is real. What the double replaces is HTTP alone: it hands each message to the `take` of
its recipient, and may hold messages back, repeat them or change their bytes. Work is done one job at a time, or as many
at once as a test asks, by a clock that only moves when it is asked, so that nothing here depends on time or chance.
"""

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from hashlib import sha256
from importlib import resources
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import structlog
import yaml
from msgspec.structs import replace
from sqlalchemy import RowMapping, Table, func, select, text
from tests.postgresql import ENGINE, keep_database, world_database

from estafette.circuit.compose import compose
from estafette.circuit.network import SEATS, Network
from estafette.circuit.running import Running
from estafette.directory import Establishment, RoutingCode
from estafette.exchange.keys import sign
from estafette.exchange.messages import Kind, Message, Reply, manifest_of, read_manifest
from estafette.exchange.post import FINAL, Peer, Refused
from estafette.formats import cdar, read, recognise
from estafette.formats.status_message import StatusMessage
from estafette.invoice.model import Identifier, Party
from estafette.platform import tables
from estafette.platform.answers import Answer
from estafette.platform.flows import Deposit
from estafette.platform.platform import InvoiceView, Platform
from estafette.portal import authority
from estafette.portal.authority import Registered
from estafette.portal.hall import Hall
from estafette.portal.tables import legal_unit
from estafette.simulation import samples
from estafette.store import jobs
from estafette.store.tables import job as job_table
from estafette.store.worker import Later, Never, Worker

SELLER, BUYER, DIRECT, TOWN, UNREACHABLE = "100000009", "200000008", "300000007", "400000006", "700000003"
"""The team of the first start: on platform A, on platform B, on the portal, behind Chorus Pro, on no platform."""

HOME_OF = {SELLER: "platform-a", BUYER: "platform-b", DIRECT: "portal", TOWN: "portal"}
TODAY = date(2026, 9, 15)


class Clock:
    """Gives a later second each time it is asked."""

    def __init__(self, now: datetime = datetime(2026, 9, 15, 6, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class Wire:
    """The network: every message that crossed it, and what a test makes it do."""

    actors: dict[str, Running]
    crossed: list[Message] = field(default_factory=list)
    held: list[tuple[Message, bytes]] | None = None
    """When a list, messages wait in it instead of arriving."""
    change: Callable[[Message, bytes], bytes] = lambda _message, body: body
    down: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    """Who takes everything and does nothing with it: another's software, whose part a test plays."""

    def reset(self) -> None:
        """Be a plain network again, nothing having crossed it."""
        self.crossed.clear()
        self.held, self.change = None, lambda _message, body: body
        self.down.clear()
        self.mute.clear()

    async def carry(self, sender: Running, peer: Peer, parcel: list[tuple[Message, bytes]]) -> list[Reply]:
        """Take messages to their recipient as the post would over HTTP. Raises: Later."""
        return [self._carried(sender, peer, *one) for one in parcel]

    def _carried(self, sender: Running, peer: Peer, message: Message, body: bytes) -> Reply:
        if message.recipient in self.down:
            raise Later(f"{message.recipient} is down")
        body = self.change(message, body)
        self.crossed.append(message)
        if self.held is not None:
            self.held.append((message, body))
            return Reply(202)
        if message.recipient in self.mute:
            return Reply(202)
        return self.reply(message, body, key=sender, at=self.actors[peer.url].actor.name)

    def hand(self, message: Message, body: bytes, *, key: Running, at: str = "") -> bool:
        """Give a message, signed by an actor, to its recipient or to another. Raises: Later, Never, as over HTTP."""
        recipient = self.named(at) if at else self.of(message.recipient)
        reply = self.reply(message, body, key=key, at=recipient.actor.name)
        if reply.status not in (200, 202):
            raise (Never if reply.status in FINAL else Later)(reply.reason)
        return reply.status == 202

    def reply(self, message: Message, body: bytes, *, key: Running, at: str) -> Reply:
        """Return what an actor replies to a message signed by another."""
        recipient = self.named(at)
        message = replace(message, sha256=sha256(body).hexdigest())
        manifest = manifest_of([message], [body])
        try:
            recipient.post.admit(read_manifest(manifest), sign(key.actor.key, manifest), manifest)
        except Refused as refused:
            return Reply(refused.status, str(refused))
        recipient.actor.documents.put(body)
        with recipient.actor.database.begin() as connection:
            (reply,) = recipient.post.take(connection, [(message, body)])
        return reply

    def of(self, identifier: str) -> Running:
        """Return the actor that answers for an identifier."""
        return next(one for one in self.actors.values() if identifier in one.post.identifiers)

    def named(self, name: str) -> Running:
        """Return an actor by its name."""
        return next(one for one in self.actors.values() if one.actor.name == name)


@dataclass(repr=False)
class World:
    """Two platforms, the portal and the administration, the team of the first start among them."""

    running: dict[str, Running]
    wire: Wire
    clock: Clock
    at_once: int = 1
    """Jobs that an actor takes at once."""
    _count: int = 0
    _excused: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        """Say what it is, not all that it holds."""
        return "World()"

    # ------------------------------------------------------------------------------------------------- who is there

    def platform(self, name: str) -> Platform:
        """Return the platform's room of an actor."""
        room: Platform = self._rooms(name).platform
        return room

    @property
    def hall(self) -> Hall:
        """Return the portal's own room."""
        hall: Hall = self._rooms("portal").portal.hall
        return hall

    def _rooms(self, name: str) -> Any:
        return self.running[name].post._taken.__self__  # type: ignore[attr-defined]

    def home(self, siren: str) -> Platform:
        """Return the platform of a company."""
        return self.platform(HOME_OF[siren])

    # -------------------------------------------------------------------------------------------------- what happens

    def work(self) -> None:
        """Do all there is to do, everywhere; whatever fails or cannot be done fails the test."""
        troubles = self.work_with_troubles()
        assert troubles == [], troubles

    def work_with_troubles(self) -> list[str]:
        """Do all that can be done now; return what went wrong since the last time, by the errors it left."""
        asyncio.run(self._drain())
        return self._troubles()

    def work_some(self, queue: str, limit: int) -> None:
        """Platform A has worked so many jobs of a queue together, and nothing else."""
        actor = self.running["platform-a"].actor
        with actor.database.begin() as connection:
            batch = jobs.claim(connection, queues=(queue,), now=self.clock.now, limit=limit)
        asyncio.run(actor.worker._work(batch))

    async def _drain(self) -> None:
        busy = True
        while busy:
            busy = False
            for one in self.running.values():
                worker = one.actor.worker
                while claimed := self._claim(one):
                    busy = True
                    for _queue, batch in groupby(claimed, key=lambda job: job.queue):
                        await self._do(worker, list(batch))

    @staticmethod
    async def _do(worker: Worker, batch: list[jobs.Job]) -> None:
        for some in [[job] for job in batch] if batch[0].queue in worker._alone else [batch]:
            await worker._work(some)

    def _claim(self, one: Running) -> list[jobs.Job]:
        queues = tuple(one.actor.worker._handlers)
        with one.actor.database.begin() as connection:
            claimed = jobs.claim(connection, queues=queues, now=self.clock.now, limit=self.at_once)
        return sorted(claimed, key=lambda job: (job.queue, job.id))

    def _troubles(self) -> list[str]:
        query = select(job_table.c.key, job_table.c.error).where(job_table.c.tries > 0)
        found = {f"{name} {row.key}": f"{name}: {row.error}" for name in self.running for row in self.rows(name, query)}
        fresh = [error for key, error in found.items() if key not in self._excused]
        self._excused |= set(found)
        return fresh

    def pass_by(self, **much: float) -> None:
        """So much time has passed: what was put off is due."""
        self.clock.now += timedelta(**much)

    def number(self, prefix: str = "F") -> str:
        """Return an invoice number that nobody has had."""
        self._count += 1
        return f"{prefix}{self._count:04d}"

    def deposit(self, data: bytes, *, by: str = SELLER, name: str = "facture.xml", **said: Any) -> str:
        """The company has deposited a file and all that follows is done; returns its flow."""
        flow = self.leave(data, by=by, name=name, **said)
        self.work()
        return flow

    def leave(self, data: bytes, *, by: str = SELLER, name: str = "facture.xml", **said: Any) -> str:
        """The company has deposited a file, nothing else is done; returns its flow."""
        announced = said.pop("syntax", None) or recognise(data).value
        return self.put(by, Deposit(syntax=announced, name=name, **said), data)

    def put(self, by: str, deposit: Deposit, data: bytes) -> str:
        """The company has handed a file in; returns its flow."""
        platform = self.home(by)
        with platform.home.actor.database.begin() as connection:
            sha256 = platform.home.actor.documents.put(data)
            return str(platform.register_kept(connection, by, deposit, sha256)["id"])

    def answer(self, siren: str, number: str, status: str, **said: Any) -> None:
        """The company has set a status and all that follows is done. Raises: NotAllowed."""
        self.say(siren, number, status, **said)
        self.work()

    def say(self, siren: str, number: str, status: str, **said: Any) -> None:
        """The company has set a status, nothing else is done. Raises: NotAllowed."""
        self.home(siren).answer(siren, self.row(siren, number)["id"], Answer(status, **said))

    def receive(self, sender: str, recipient: str, data: bytes, kind: Kind = Kind.STATUS) -> None:
        """A document as another platform sends it has reached its recipient, nothing else is done."""
        digest = sha256(data).hexdigest()
        message = Message(digest[:32], kind, sender, recipient, "document.xml", digest)
        self.wire.hand(message, data, key=self.wire.of(sender))

    # ------------------------------------------------------------------------------------------------- what one sees

    def flow(self, siren: str, identifier: str) -> RowMapping:
        """Return a flow of a company."""
        row = self.home(siren).flow(siren, identifier)
        assert row is not None
        return row

    def invoices(self, siren: str, number: str) -> list[RowMapping]:
        """Return every delivery of an invoice that a company has, the first first."""
        mine = select(tables.invoice).where(tables.invoice.c.siren == siren, tables.invoice.c.number == number)
        return self.rows(HOME_OF[siren], mine.order_by(tables.invoice.c.received_at))

    def row(self, siren: str, number: str) -> RowMapping:
        """Return the only delivery of an invoice that a company has."""
        (row,) = self.invoices(siren, number)
        return row

    def view(self, siren: str, number: str) -> InvoiceView:
        """Return an invoice as its company sees it."""
        view = self.home(siren).invoice(siren, self.row(siren, number)["id"])
        assert view is not None
        return view

    def statuses(self, siren: str, number: str) -> str:
        """Say the life cycle of an invoice as a company sees it: each status and its reasons."""
        return " ".join(_said(event) for event in self.view(siren, number).events)

    def messages(self, siren: str, number: str) -> list[StatusMessage]:
        """Return the status messages that a company was given of an invoice."""
        view = self.view(siren, number)
        return [cdar.read(self.home(siren).document(event["sha256"])) for event in view.events]

    def owed(self, siren: str, number: str) -> str:
        """Say what the State was told of an invoice from this side, and what it answered."""
        rows = self.view(siren, number).declarations
        return " ".join(f"{row['status'] or 'F1'}:{row['state']}" for row in rows)

    def declaration(self, siren: str, number: str, status: str | None = None) -> RowMapping:
        """Return the last declaration of an invoice: its data, or a status."""
        return [row for row in self.view(siren, number).declarations if row["status"] == status][-1]

    def told(self, number: str) -> str:
        """Say what the administration holds under a number: data and statuses."""
        facts = "SELECT 'F1' AS said FROM fact WHERE number = :number"
        statuses = "SELECT status AS said FROM status_event WHERE number = :number ORDER BY set_at, status"
        said = [row["said"] for sql in (facts, statuses) for row in self.sql("administration", sql, number=number)]
        return " ".join(map(str, said))

    def rows(self, name: str, query: Any) -> list[RowMapping]:
        """Return what an actor's records answer."""
        with self.running[name].actor.database.read() as connection:
            return list(connection.execute(query).mappings())

    def sql(self, actor: str, sql: str, **values: Any) -> list[RowMapping]:
        """Return what an actor's records answer."""
        with self.running[actor].actor.database.read() as connection:
            return list(connection.execute(text(sql), values).mappings())

    def count(self, name: str, table: Table) -> int:
        """Count the rows of a table."""
        return int(self.rows(name, select(func.count().label("n")).select_from(table))[0]["n"])

    def crossed(self, kind: Kind, recipient: str) -> list[Message]:
        """Return the messages of a kind that went to an actor."""
        return [message for message in self.wire.crossed if (message.kind, message.recipient) == (kind, recipient)]

    def close(self) -> None:
        """Let go of the files."""
        for one in self.running.values():
            one.actor.database.close()


@contextmanager
def opened(
    *,
    now: datetime | None = None,
    actors: Callable[[Path], dict[str, Any]] | None = None,
    engine: str = ENGINE,
    **settings: Any,
) -> Iterator[World]:
    """Open the whole system for a while, in memory where that can be: that writings last is proved elsewhere.

    `now` is when it is opened, `settings` are those of both platforms in `network.yaml`; `actors` makes those of each
    actor, given the data folder. When neither a moment nor actors are given it is a copy of one that was filled before.
    `engine`: `sqlite` or `postgresql`, that of the run unless it is said.
    """
    with TemporaryDirectory(dir=_memory()) as name, structlog.testing.capture_logs():
        folder, first = Path(name), _first(engine) if now is None and actors is None else None
        if first:
            shutil.copytree(first.folder, folder, dirs_exist_ok=True)
        if settings or actors:
            said = actors(folder) if actors else {"platform-a": settings, "platform-b": settings}
            (folder / "network.yaml").write_text(yaml.safe_dump({"actors": said}))
        with world_database(engine, like=f"filled {engine}" if first else "") as database:
            world = _composed(folder, Clock(first.now if first else now or Clock().now), database)
            if first is None:
                _fill(world, is_reached=actors is None)
            yield world
            world.close()


@dataclass
class _First:
    """A system that was opened, filled and closed: what others are copies of."""

    folder: Path
    now: datetime


@cache
def _first(engine: str) -> _First:
    """Return the first system of an engine, made when it is first needed; on a server, a database to be copied too."""
    first = _First(Path(tempfile.mkdtemp(prefix="estafette-world-", dir=_memory())), Clock().now)
    atexit.register(shutil.rmtree, first.folder, ignore_errors=True)

    def fill(url: str | None) -> None:
        clock = Clock(first.now)
        world = _composed(first.folder, clock, url)
        _fill(world)
        world.close()
        first.now = clock.now

    if engine == "postgresql":
        keep_database(f"filled {engine}", fill)
    else:
        fill(None)
    return first


def _memory() -> Path | None:
    memory = Path("/dev/shm")  # noqa: S108 — a folder of its own is made in it
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else None


def open_world(folder: Path, clock: Clock, database: str | None = None, *, is_reached: bool = True) -> World:
    """Open the whole system in this folder; the team is there, every copy of the directory too.

    `is_reached`: every actor can be reached from the start.
    """
    world = _composed(folder, clock, database)
    _fill(world, is_reached=is_reached)
    return world


def _composed(folder: Path, clock: Clock, database: str | None) -> World:
    network = Network(folder, 8400, database=database)
    running = {seat.name: compose(seat, network, clock) for seat in SEATS}
    wire = Wire({network.url(seat): running[seat.name] for seat in SEATS})
    for one in running.values():
        one.post.post = _carrier(wire, one)  # type: ignore[method-assign]
    return World(running, wire, clock)


def _fill(world: World, *, is_reached: bool = True) -> None:
    """The platforms are registered, the team is there, every copy of the directory has come."""
    team = yaml.safe_load((resources.files("estafette.circuit") / "team.yaml").read_text())
    lines = [{**line, "start": date.fromisoformat(line["start"])} for line in team["lines"]]
    _register(world)
    authority.load(
        world.hall,
        units=team["units"],
        establishments=msgspec.convert(team["establishments"], list[Establishment]),
        routing_codes=msgspec.convert(team["routing_codes"], list[RoutingCode]),
        lines=lines,
    )
    for company in team["companies"]:
        known = {key: company[key] for key in ("siren", "name", "status_address")}
        world.platform(company["actor"]).open_company(**known)
    assert world.work_with_troubles() == [] or not is_reached
    world.wire.crossed.clear()


def _carrier(wire: Wire, sender: Running) -> Any:
    async def carry(peer: Peer, parcel: list[tuple[Message, bytes]]) -> tuple[int, bytes]:
        return 200, msgspec.json.encode(await wire.carry(sender, peer, parcel))

    return carry


def _register(world: World) -> None:
    """The portal knows both platforms, as the registration service tells them."""
    urls = {one.actor.name: url for url, one in world.wire.actors.items()}
    for seat in SEATS:
        if seat.kind == "platform":
            told = Registered(
                matricule=seat.identifier,
                name=seat.title,
                registered_from=date(2025, 1, 1),
                application_code=f"PA{seat.identifier}",
                url=urls[seat.name],
                public_key=world.running[seat.name].actor.public_key,
            )
            with world.hall.actor.database.begin() as connection:
                authority.learn(world.hall, connection, told)


def service(number: str, **terms: Any) -> bytes:
    """Write the sample invoice of a service under this number, of the day before."""
    return document("service", number, **terms)


def document(sample: str, number: str, **terms: Any) -> bytes:
    """Write a sample under this number, of the day before unless another is given."""
    day = terms.pop("issue_date", TODAY - timedelta(days=1))
    return samples.load(sample, number=number, issue_date=day, **terms)


def party(siren: str, *, address: str | None = None) -> Party:
    """Return a company of the team, or another one, as it stands on an invoice, at its address or at that given."""
    model = read(service("MODEL")).buyer
    changes = {
        "name": f"Société {siren}",
        "legal_registration_identifier": Identifier(siren, "0002"),
        "vat_identifier": f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}",
        "electronic_address": Identifier(address or siren, "0225"),
    }
    return Party(**{**{name: getattr(model, name) for name in Party.__struct_fields__}, **changes})


def collected(*parts: tuple[str, str]) -> tuple[tuple[Decimal | None, Decimal], ...]:
    """Return amounts collected, each as (rate, amount with VAT)."""
    return tuple((Decimal(rate), Decimal(amount)) for rate, amount in parts)


def known_units(world: World) -> set[str]:
    """Return the SIRENs of the directory."""
    return {row["siren"] for row in world.rows("portal", select(legal_unit.c.siren))}


def _said(event: RowMapping) -> str:
    reasons = ",".join(dict.fromkeys(reason["reason"] for reason in event["reasons"]))
    return f"{event['status']}:{reasons}" if reasons else str(event["status"])


def seen(messages: Iterable[StatusMessage]) -> list[str]:
    """Say the statuses of messages."""
    return [message.status for message in messages]
