"""Which rooms make an actor: its store, its services, its pages, its address.

A platform is one room. The portal is the room of the authority and the concentrator, and the platforms' room again for
the companies that use it directly and for public entities. The administration is its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial

from starlette.routing import BaseRoute

from estafette.administration.administration import Administration
from estafette.api import (
    archive_service,
    connections,
    directory_service,
    documents,
    operator,
    portal_directory,
    reporting_service,
    services,
    sftp_keys,
)
from estafette.api import watch as watch_service
from estafette.api.access import Access
from estafette.api.settings import settings_of
from estafette.circuit.network import ADMINISTRATION, PORTAL, Network, Seat, WrongNetwork
from estafette.circuit.rooms import Rooms
from estafette.circuit.running import Running, desk_of, running
from estafette.circuit.upkeep import (
    door_of,
    export_facts,
    fetch_from_portal,
    partners_door,
    rounds_of,
    serve_partners,
)
from estafette.directory.resolution import FICTIVE
from estafette.exchange.actor import Actor, Clock, open_actor
from estafette.exchange.scanning import Scanner, WrongScanner, scanner_at
from estafette.platform import webhooks
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
from estafette.web import opening
from estafette.web import platform as platform_desk
from estafette.web import watch as watch_desk
from estafette.web.directory import DirectoryPages

JUDGE = ThreadPoolExecutor(max_workers=1, thread_name_prefix="judge")
"""Where documents are examined: one at a time, away from the event loop."""

CHORUS_PRO = "9999"
"""Reception for public entities (A7 G1.112)."""

DIRECTORY_PAGE = ("/directory", "Annuaire", "Directory")
"""The way to the public page, from the pages of who is signed in at the portal."""


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
    room = Rooms(network)
    post = room.post(actor, identity.matricules)
    platform = Platform(Home(actor, post, Mirror(), identity, scanned(_examiner(clock), _scanner(seat, network))))
    room.platform = platform
    platform.take_work()
    desk = desk_of(seat, actor, platform_desk.TEMPLATES, platform_desk.NAVIGATION)
    routes = [*_services(platform, actor), *platform_desk.routes(platform, desk, actor.worker.wake)]
    routes += operator.platform_routes(platform, clock)
    door = door_of(seat, network, actor)
    rounds = rounds_of(actor, platform, network.deposits(seat), door)
    if client := network.to_portal(seat, identity.application_code):
        post.carriers[PORTAL] = client
        fetch_from_portal(rounds, client, platform.home)
    if door:
        routes += sftp_keys.routes(door)
    return running(actor, post, routes, desk, rounds)


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
    room = Rooms(network)
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
    desk = desk_of(
        seat, actor, platform_desk.TEMPLATES, (*platform_desk.NAVIGATION, DIRECTORY_PAGE, watch_desk.NAVIGATION)
    )
    routes = [*_services(platform, actor), *platform_desk.routes(platform, desk, actor.worker.wake)]
    routes += operator.platform_routes(platform, clock)
    routes += operator.portal_routes(portal, actor.worker.wake)
    routes += [
        *portal_directory.every_route(actor, partial(extracts.publish, hall), readings=hall.readings),
        *DirectoryPages(desk).routes(),
    ]
    routes += [*watch_service.routes(actor), *watch_desk.routes(actor, desk)]
    door = door_of(seat, network, actor)
    rounds = rounds_of(actor, platform, network.deposits(seat), door, [alarms.conditions])
    rounds.every(directory_upkeep.EVERY_S, directory_upkeep.visit_of(actor, partial(extracts.publish, hall)))
    if door:
        routes += sftp_keys.routes(door)
    export_facts(rounds, actor)
    if partners := partners_door(seat, network, hall):
        serve_partners(rounds, partners, hall)
    routes += connections.routes(hall, partners)
    routes += opening.routes(platform, desk, actor.worker.wake)
    return running(actor, post, routes, desk, rounds)


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
    room = Rooms(network)
    post = room.post(actor, frozenset({seat.identifier}))
    administration = Administration(actor, post, portal=PORTAL, portal_matricule=network.portal_matricule)
    room.others = administration.taken
    desk = desk_of(seat, actor, administration_desk.TEMPLATES, administration_desk.NAVIGATION)
    routes = administration_desk.routes(administration, desk)
    return running(actor, post, [*routes, *operator.account_routes(actor)], desk, rounds_of(actor))


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
