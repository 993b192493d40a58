"""A platform for the tests of the desk: real store, real rules, real intake, a clock that ticks."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import func, insert, select
from starlette.applications import Starlette
from starlette.types import ASGIApp
from tests.web.visitor import Visitor

from estafette.exchange.actor import Actor, open_actor
from estafette.exchange.keys import sealing_key
from estafette.exchange.messages import Kind, Message
from estafette.exchange.post import Post
from estafette.platform.examination import Examined, examine
from estafette.platform.home import Home, Identity
from estafette.platform.mirror import Mirror
from estafette.platform.mirror_tables import mirror_line, mirror_unit
from estafette.platform.platform import Platform
from estafette.simulation.invoices import Invoice, Line, Party, invoice
from estafette.store import identity
from estafette.store.tables import job
from estafette.web import entrance
from estafette.web.desk import DEFAULTS, Desk
from estafette.web.platform import NAVIGATION, TEMPLATES, routes
from estafette.web.settings import Settings

SELLER, BUYER, OTHER = "100000009", "200000008", "300000007"
TODAY = date(2026, 9, 15)
PASSWORD = "correct horse"
LOGINS = {"seller": SELLER, "buyer": BUYER, "other": OTHER}
QUEUES = ("deposit", "receive", "status", "pack", "portal", "report", "report-pack")
"""The queues that need no other actor."""


class TickingClock:
    """Gives a later second each time it is asked."""

    def __init__(self) -> None:
        self._now = datetime(2026, 9, 15, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        self._now += timedelta(seconds=1)
        return self._now


@dataclass
class World:
    """A platform that serves a seller, a buyer whose invoices come from elsewhere, and a third company."""

    actor: Actor
    platform: Platform
    application: ASGIApp
    loop: asyncio.Runner
    desk: Desk

    def close(self) -> None:
        """Let go of the files."""
        self.loop.close()
        self.actor.database.close()

    def work(self) -> None:
        """Do the work that needs no other actor."""
        self.loop.run(self._work())

    async def _work(self) -> None:
        task = asyncio.create_task(self.actor.worker.run())
        soon = self.actor.clock() + timedelta(minutes=1)
        pending = select(func.count()).where(job.c.state == "pending", job.c.queue.in_(QUEUES), job.c.due <= soon)
        while self._count(pending):
            assert not task.done(), task.exception()
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def _count(self, query: object) -> int:
        with self.actor.database.read() as connection:
            return int(connection.execute(query).scalar_one())  # type: ignore[call-overload]

    def visitor(self, who: str = "seller", *, language: str = "fr") -> Visitor:
        """Return someone signed in."""
        visitor = Visitor(self.application, language)
        assert visitor.sign_in(who, PASSWORD).status == 200
        return visitor

    def issue(self, document: bytes, name: str = "facture.xml") -> str:
        """The seller has deposited an invoice and it is judged; returns the address of its page."""
        seller = self.visitor()
        path = seller.deposit(name, document).path
        self.work()
        return seller.get(path).links("/invoices/")[0]

    def receive(self, document: bytes, identifier: str = "m1", *, recipient: str = "0003") -> str:
        """An invoice has come for the buyer from another platform; returns the address of its page."""
        sha256 = self.actor.documents.put(document)
        message = Message(identifier, Kind.INVOICE, "0005", recipient, "facture.xml", sha256)
        with self.actor.database.begin() as connection:
            self.platform.taken(connection, message, document)
        self.work()
        return f"/invoices/{self.platform.invoices(BUYER, 'received')[0]['id']}"


def open_world(folder: Path, settings: Settings = DEFAULTS) -> World:
    """Open a platform in this folder, its desk in an application."""
    clock = TickingClock()
    actor = open_actor("platform", "0003", folder, branches=("platform",), clock=clock)
    me = Identity("Relais", "0003", frozenset({"0003", "9999"}), "PA0003", "PPF", "0000")
    platform = Platform(Home(actor, _silent_post(actor), Mirror(), me, _examine))
    platform.take_work()
    _fill(actor, platform)
    desk = Desk(
        title="Relais",
        cookie="relais",
        database=actor.database,
        clock=clock,
        templates=TEMPLATES,
        navigation=NAVIGATION,
        seal=sealing_key(actor.key),
        settings=settings,
    )
    application = Starlette(routes=[*routes(platform, desk, actor.worker.wake), *entrance.routes(desk)])
    return World(actor, platform, application, asyncio.Runner(), desk)


async def _examine(data: bytes) -> Examined:
    return examine(data, on=TODAY)


def _silent_post(actor: Actor) -> Post:
    """A post that keeps what leaves and knows nobody."""
    return Post(
        identifiers=frozenset({"0003"}),
        key=actor.key,
        database=actor.database,
        documents=actor.documents,
        clock=actor.clock,
        peers=lambda _connection, _identifier: None,
        taken=lambda _connection, _message, _body: None,
    )


def _fill(actor: Actor, platform: Platform) -> None:
    lines = [(SELLER, "0003"), (BUYER, "0003"), (OTHER, "9998")]
    for login, siren in LOGINS.items():
        platform.open_company(siren=siren, name=login, status_address=siren)
    with actor.database.begin() as connection:
        for login, siren in LOGINS.items():
            account = {"login": login, "held": identity.hashed(PASSWORD), "role": "administrator", "tenant": siren}
            identity.add_account(connection, **account, now=actor.clock())
        identity.add_account(
            connection,
            login="operator",
            held=identity.hashed(PASSWORD),
            role="operator",
            tenant=None,
            now=actor.clock(),
        )
        for instance, (siren, matricule) in enumerate(lines, 1):
            unit = {"siren": siren, "name": siren, "entity_type": "A"}
            connection.execute(insert(mirror_unit).values(unit))
            line = {"instance": instance, "address": siren, "siren": siren, "nature": "D", "matricule": matricule}
            connection.execute(insert(mirror_line).values(**line, start=date(2024, 1, 1)))


def party(name: str, siren: str) -> Party:
    """Return a company of the documents."""
    return Party(name, siren, "Brest")


def an_invoice(number: str = "F-2026-001", **changes: object) -> Invoice:
    """Return an invoice of the seller to the buyer: 1 200 EUR at 20 % and 110 EUR at 10 %, VAT included."""
    drawn = invoice(1, credit=False)
    lines = (
        Line("Conseil", "HUR", Decimal("10"), Decimal("100.00"), "S", Decimal("20.00")),
        Line("Repas", "C62", Decimal("4"), Decimal("25.00"), "S", Decimal("10.00")),
    )
    return replace(
        drawn,
        number=number,
        issued=date(2026, 9, 10),
        due=date(2026, 10, 10),
        seller=party("Fournitures du Ponant", SELLER),
        buyer=party("Ateliers du Levant", BUYER),
        lines=lines,
        levies=(),
        **changes,  # type: ignore[arg-type]
    )
