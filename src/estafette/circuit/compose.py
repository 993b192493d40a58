"""Which rooms make an actor: its store, its services, its pages, its address.

A platform is one room. The portal is the room of the authority and the concentrator, and the platforms' room again for
the companies that use it directly and for public entities. The administration is its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from estafette.administration.administration import Administration
from estafette.api import (
    archive_service,
    connections,
    directory_service,
    documents,
    operations,
    operator,
    portal_directory,
    reporting_service,
    services,
    sftp_keys,
)
from estafette.api import watch as watch_service
from estafette.api.access import Access
from estafette.api.correlation import Correlated
from estafette.api.probes import Probes, measured
from estafette.api.problems import Problem, on_http_exception, on_problem
from estafette.api.settings import settings_of
from estafette.circuit.answers import Caught, Headed
from estafette.circuit.network import ADMINISTRATION, PORTAL, SEATS, Network, Seat, WrongNetwork
from estafette.circuit.operators import OperatorsOnly, operator_token
from estafette.circuit.upkeep import (
    door_of,
    export_facts,
    fetch_from_portal,
    partners_door,
    rounds_of,
    serve_door,
    serve_partners,
)
from estafette.directory.resolution import FICTIVE
from estafette.exchange import wire
from estafette.exchange.actor import Actor, Clock, open_actor
from estafette.exchange.keys import sealing_key
from estafette.exchange.messages import Listed, Message
from estafette.exchange.post import QUEUE, REST_S, Peer, Post
from estafette.exchange.rounds import Rounds
from estafette.exchange.scanning import Scanner, WrongScanner, scanner_at
from estafette.platform import look_ahead, webhooks
from estafette.platform.callbacks import Callbacks
from estafette.platform.examiner import Examiner
from estafette.platform.home import Home, Identity
from estafette.platform.mirror import Mirror
from estafette.platform.platform import Platform
from estafette.platform.scanning import scanned
from estafette.portal import alarms, authority, directory_upkeep, extracts
from estafette.portal.authority import Registered
from estafette.portal.hall import Hall
from estafette.portal.portal import Portal
from estafette.rules import Verdict, check
from estafette.values.moments import PARIS
from estafette.web import administration as administration_desk
from estafette.web import entrance, opening
from estafette.web import operations as operations_desk
from estafette.web import platform as platform_desk
from estafette.web import settings as sign_in
from estafette.web import watch as watch_desk
from estafette.web.desk import Desk
from estafette.web.directory import DirectoryPages

JUDGE = ThreadPoolExecutor(max_workers=1, thread_name_prefix="judge")
"""Where documents are examined: one at a time, away from the event loop."""

CHORUS_PRO = "9999"
"""Reception for public entities (A7 G1.112)."""

DIRECTORY_PAGE = ("/directory", "Annuaire", "Directory")
"""The way to the public page, from the pages of who is signed in at the portal."""


@dataclass(slots=True)
class Running:
    """An actor composed: its pages, and the work behind them.

    `operations`: what a process answers about itself, for those whose pages are served elsewhere or by several.
    """

    application: Starlette
    operations: Starlette
    actor: Actor
    post: Post
    rounds: Rounds
    probes: Probes

    def start(self) -> None:
        """Its worker works and its rounds are made, unless that is left to other processes."""
        self.actor.start()
        if self.actor.takes_jobs:
            self.rounds.start(lambda: self.actor.presence.is_first)

    def ready(self) -> None:
        """It says so at `/ready`."""
        self.probes.open()

    async def stop(self) -> None:
        """It has let go of everything."""
        await self.rounds.stop()
        await self.actor.stop()
        await self.post.close()


def compose(seat: Seat, network: Network, clock: Clock, role: str = "all") -> Running:
    """Return the actor of this seat, its store open, in a process of this role. Raises: OSError, NewerData."""
    makers: dict[str, Callable[[Seat, Network, Clock, str], Running]] = {
        "platform": _platform,
        "portal": _portal,
        "administration": _administration,
    }
    return makers[seat.kind](seat, network, clock, role)


def _actor(seat: Seat, network: Network, clock: Clock, role: str, *branches: str) -> Actor:
    return open_actor(
        seat.name,
        seat.identifier,
        network.folder(seat),
        branches=branches,
        clock=clock,
        records=network.database(seat),
        objects=network.objects(seat),
        role=role,
    )


def _platform(seat: Seat, network: Network, clock: Clock, role: str) -> Running:
    actor = _actor(seat, network, clock, role, "platform")
    identity = Identity(
        name=seat.title,
        matricule=seat.identifier,
        matricules=frozenset({seat.identifier}),
        application_code=f"PA{seat.identifier}",
        portal=PORTAL,
        portal_matricule=network.portal_matricule,
    )
    room = _Rooms(network)
    post = room.post(actor, identity.matricules)
    platform = Platform(Home(actor, post, Mirror(), identity, scanned(_examiner(clock), _scanner(seat, network))))
    room.platform = platform
    platform.take_work()
    desk = _desk(seat, actor, platform_desk.TEMPLATES, platform_desk.NAVIGATION)
    routes = [*platform_desk.routes(platform, desk, actor.worker.wake), *_services(platform, actor)]
    routes += operator.platform_routes(platform, clock)
    rounds = rounds_of(actor, platform, network.deposits(seat))
    if client := network.to_portal(seat, identity.application_code):
        post.carriers[PORTAL] = client
        fetch_from_portal(rounds, client, platform.home)
    if door := door_of(seat, network, actor):
        serve_door(rounds, door, platform)
        routes += sftp_keys.routes(door)
    return _running(actor, post, routes, desk, rounds)


def _portal(seat: Seat, network: Network, clock: Clock, role: str) -> Running:
    """The portal answers to three names: itself, the platform of its direct users, and Chorus Pro's reception."""
    actor = _actor(seat, network, clock, role, "platform", "portal")
    identity = Identity(
        name=seat.title,
        matricule=network.portal_matricule,
        matricules=frozenset({network.portal_matricule, CHORUS_PRO}),
        application_code="PPF000",
        portal=PORTAL,
        portal_matricule=network.portal_matricule,
    )
    room = _Rooms(network)
    scanner = _scanner(seat, network)
    post = room.post(actor, identity.matricules | {PORTAL})
    platform = Platform(Home(actor, post, Mirror(), identity, scanned(_examiner(clock), scanner)))
    hall = Hall(actor, post, PORTAL, "PPF001", network.portal_matricule, ADMINISTRATION, _judge(clock), scanner)
    hall.readings = network.settings(seat).readings
    hall.publishes_on_change = network.settings(seat).directory == "on-change"
    portal = Portal(hall)
    room.platform, room.portal = platform, portal
    platform.take_work()
    portal.take_work()
    authority.install(hall, _without_registration(network.portal_matricule, network.url(seat), actor.public_key))
    desk = _desk(
        seat, actor, platform_desk.TEMPLATES, (*platform_desk.NAVIGATION, DIRECTORY_PAGE, watch_desk.NAVIGATION)
    )
    routes = [*platform_desk.routes(platform, desk, actor.worker.wake), *_services(platform, actor)]
    routes += operator.platform_routes(platform, clock)
    routes += operator.portal_routes(portal, actor.worker.wake)
    routes += [
        *portal_directory.every_route(actor, partial(extracts.publish, hall), readings=hall.readings),
        *DirectoryPages(desk).routes(),
    ]
    routes += [*watch_service.routes(actor), *watch_desk.routes(actor, desk)]
    rounds = rounds_of(actor, platform, network.deposits(seat), [alarms.conditions])
    rounds.every(directory_upkeep.EVERY_S, directory_upkeep.visit_of(actor, partial(extracts.publish, hall)))
    if door := door_of(seat, network, actor):
        serve_door(rounds, door, platform)
        routes += sftp_keys.routes(door)
    export_facts(rounds, actor)
    if partners := partners_door(seat, network, hall):
        serve_partners(rounds, partners, hall)
    routes += connections.routes(hall, partners)
    routes += opening.routes(platform, desk, actor.worker.wake)
    return _running(actor, post, routes, desk, rounds)


def _without_registration(matricule: str, url: str, public_key: str) -> list[Registered]:
    """Return the platforms the directory has from the start (directory.md §5)."""
    since = date(2023, 5, 1)
    return [
        Registered(
            matricule=matricule,
            name="Portail public de facturation",
            platform_type="PPF",
            application_code="PPF000",
            registered_from=since,
            url=url,
            public_key=public_key,
        ),
        Registered(
            matricule=CHORUS_PRO,
            name="Chorus Pro",
            platform_type="AP",
            registered_from=since,
            url=url,
            public_key=public_key,
        ),
        Registered(matricule=FICTIVE, name="Aucune plateforme", platform_type="NA", registered_from=since),
    ]


def _administration(seat: Seat, network: Network, clock: Clock, role: str) -> Running:
    actor = _actor(seat, network, clock, role, "administration")
    room = _Rooms(network)
    post = room.post(actor, frozenset({seat.identifier}))
    administration = Administration(actor, post, portal=PORTAL, portal_matricule=network.portal_matricule)
    room.others = administration.taken
    desk = _desk(seat, actor, administration_desk.TEMPLATES, administration_desk.NAVIGATION)
    routes = administration_desk.routes(administration, desk)
    return _running(actor, post, [*routes, *operator.account_routes(actor)], desk, rounds_of(actor))


class _Rooms:
    """Hands a message to the room it is for: the portal's by its identifier, the platform's by its matricules."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.platform: Platform | None = None
        self.portal: Portal | None = None
        self.others: Callable[[Connection, Message, bytes], None] | None = None

    def post(self, actor: Actor, identifiers: frozenset[str]) -> Post:
        """Return the post of the actor, its deliveries among the worker's jobs."""
        post = Post(
            identifiers=identifiers,
            key=actor.key,
            database=actor.database,
            documents=actor.documents,
            clock=actor.clock,
            peers=self._peer,
            taken=self._taken,
            delivered=self._delivered,
            ahead=self._ahead,
            admitted=self._admitted,
            tls=self._network.tls(next(seat for seat in SEATS if seat.name == actor.name)),
        )
        actor.worker.handles_together(QUEUE, post.deliver, rest_s=REST_S)
        return post

    def _peer(self, connection: Connection, identifier: str) -> Peer | None:
        known = self._network.peer(identifier)
        if known is None and self.portal is not None:
            known = self.portal.peer(connection, identifier)
        if known is None and self.platform is not None:
            known = self.platform.peer(connection, identifier)
        return known

    def _taken(self, connection: Connection, message: Message, body: bytes) -> None:
        if self.portal is not None and message.recipient == PORTAL:
            self.portal.taken(connection, message, body)
        elif self.platform is not None:
            self.platform.taken(connection, message, body)
        elif self.others is not None:
            self.others(connection, message, body)

    def _ahead(self, connection: Connection, messages: Sequence[Message]) -> None:
        if self.platform is not None:
            look_ahead.delivered(connection, messages)

    def _admitted(self, connection: Connection, listed: Sequence[Listed]) -> None:
        if self.portal is not None and listed[0].message.recipient == PORTAL:
            self.portal.admitted(connection, listed)

    def _delivered(self, connection: Connection, messages: list[Message]) -> None:
        if self.platform is not None:
            self.platform.delivered(connection, messages)


def _examiner(clock: Clock) -> Examiner:
    """Return what examines documents in the thread kept for that, by the rules of the day in Paris."""
    return Examiner(JUDGE, lambda: clock().astimezone(PARIS).date())


def _scanner(seat: Seat, network: Network) -> Scanner | None:
    """Return what looks for viruses at this actor. Raises: WrongNetwork."""
    try:
        return scanner_at(network.settings(seat).scanner)
    except WrongScanner as wrong:
        raise WrongNetwork(f"network.yaml: {seat.name}: {wrong}") from None


def _judge(clock: Clock) -> Callable[[bytes], Awaitable[Verdict]]:
    """Return a way to judge a document by the rules of the day, in the same thread."""

    async def judge_there(data: bytes) -> Verdict:
        today = clock().astimezone(PARIS).date()
        return await asyncio.get_running_loop().run_in_executor(JUDGE, partial(check, data, on=today))

    return judge_there


def _desk(seat: Seat, actor: Actor, templates: Path, navigation: tuple[tuple[str, str, str], ...]) -> Desk:
    return Desk(
        title=seat.title,
        cookie=f"estafette-{seat.name}",
        database=actor.database,
        clock=actor.clock,
        templates=templates,
        navigation=navigation,
        seal=sealing_key(actor.key),
        settings=sign_in.settings_of(actor.folder),
    )


def _services(platform: Platform, actor: Actor) -> list[BaseRoute]:
    settings = settings_of(actor.folder)
    access = Access(actor.database, actor.clock, settings)
    callbacks = Callbacks(
        actor, failures_max=settings.webhook_failures_max, private=settings.webhooks_to_private_addresses
    )
    actor.worker.handles_together(webhooks.QUEUE, callbacks.deliver)
    return [
        *services.flow_routes(platform, access, settings, actor.worker.wake),
        *services.token_routes(access),
        *directory_service.routes(actor.database, access, actor.clock),
        *reporting_service.routes(platform, access),
        *archive_service.routes(platform, access, actor.worker.wake),
        *documents.routes(access),
    ]


def _running(actor: Actor, post: Post, routes: list[BaseRoute], desk: Desk, rounds: Rounds) -> Running:
    """Put the pages and services of an actor behind its guards."""
    probes, refuse = Probes(actor), _refusal(desk)
    guards = [
        Middleware(Correlated, actor=actor.name),
        Middleware(Headed),
        Middleware(Caught, refuse=refuse),
        Middleware(OperatorsOnly, token=operator_token(actor.folder), prefixes=("/operator/", "/api/", "/metrics")),
    ]
    application = Starlette(
        routes=[
            *probes.routes(),
            *wire.routes(post, actor.public_key, actor.worker.wake),
            *entrance.routes(desk),
            *operations.routes(actor),
            *operations_desk.routes(actor, desk),
            *routes,
        ],
        middleware=guards,
        exception_handlers={Problem: on_problem, HTTPException: refuse},
    )
    measured(application.routes, actor.database.measures)
    own = Starlette(routes=probes.routes(), middleware=guards)
    return Running(application, own, actor, post, rounds, probes)


def _refusal(desk: Desk) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answer software in the shape of the API and people with a page; a fault of ours says nothing of itself."""

    async def refuse(request: Request, raised: Exception) -> Response:
        status = raised.status_code if isinstance(raised, HTTPException) else 500
        if "text/html" in request.headers.get("accept", ""):
            return desk.refusal(request, status)
        return await on_http_exception(request, HTTPException(status))

    return refuse
