"""The operator's routes: opening a customer's account on a platform, declaring again what the portal rejected, loading
the register on the portal.

They are guarded by the operator's token (see `circuit.operators`); doing twice is doing once.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from estafette.api.decoding import decode_body
from estafette.api.problems import Problem
from estafette.directory import Establishment, RoutingCode
from estafette.exchange.actor import Actor
from estafette.platform import declarations, redeclaration
from estafette.platform.platform import Platform
from estafette.platform.views import View
from estafette.portal import authority
from estafette.portal.portal import Portal
from estafette.store import identity, identity_clients
from estafette.values.identifiers import SIRET
from estafette.values.limits import PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN

BODY_MAX = 10 * 1024 * 1024

Siren = Annotated[str, msgspec.Meta(pattern="^[0-9]{9}$")]


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A customer to open: its company, the person's account at the desk, the software's credentials."""

    siren: Siren
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
    status_address: Annotated[str, msgspec.Meta(max_length=125)]
    login: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    password: Annotated[str, msgspec.Meta(min_length=PASSWORD_CHARACTERS_MIN, max_length=PASSWORD_CHARACTERS_MAX)]
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    client_secret: Annotated[str, msgspec.Meta(min_length=16, max_length=200)]


class Seeing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a client is to see its flows (`platform.views`)."""

    direction: Literal["delivery", "annex-c"] = "delivery"
    state_flows: bool = False


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent's account."""

    login: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    password: Annotated[str, msgspec.Meta(min_length=PASSWORD_CHARACTERS_MIN, max_length=PASSWORD_CHARACTERS_MAX)]


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A legal unit of the register: taxable private (A) or public (P)."""

    siren: Siren
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
    entity_type: Annotated[str, msgspec.Meta(pattern="^[AP]$")]
    status: Annotated[str, msgspec.Meta(pattern="^[AI]$")] = "A"
    diffusion: Annotated[str, msgspec.Meta(pattern="^[OPM]$")] = "O"


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address and the platform that receives there, from a day on. Exactly the parts of directory.md §3."""

    siren: Siren
    matricule: Annotated[str, msgspec.Meta(pattern="^[0-9]{4}$")]
    start: date
    siret: Annotated[str, msgspec.Meta(pattern="^[0-9]{14}$")] | None = None
    routing: str | None = None
    suffix: str | None = None
    end: date | None = None
    nature: Annotated[str, msgspec.Meta(pattern="^[DM]$")] = "D"


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the portal's directory begins with."""

    units: tuple[Unit, ...] = ()
    establishments: tuple[Establishment, ...] = ()
    routing_codes: tuple[RoutingCode, ...] = ()
    lines: tuple[Line, ...] = ()


def platform_routes(platform: Platform, clock: Callable[[], datetime]) -> list[Route]:
    """Return the operator's routes of a platform."""

    async def open_company(request: Request) -> Response:
        asked = await decode_body(request, Opening, limit=BODY_MAX)
        held = await run_in_threadpool(identity.hashed, asked.password)
        now = clock()
        with platform.home.actor.database.begin() as connection:
            _open_entries(connection, asked, held, now)
        platform.open_company(siren=asked.siren, name=asked.name, status_address=asked.status_address)
        return JSONResponse({"siren": asked.siren}, 201)

    async def state(_request: Request) -> Response:
        return JSONResponse(platform.state())

    async def see(request: Request) -> Response:
        asked = await decode_body(request, Seeing, limit=BODY_MAX)
        platform.set_view(request.path_params["client_id"], View(asked.direction, asked.state_flows))
        return JSONResponse(msgspec.to_builtins(asked))

    async def declare_again(request: Request) -> Response:
        interface = request.path_params["interface"]
        if interface not in declarations.INTERFACES:
            raise Problem(404, f"{interface[:20]}? → {', '.join(declarations.INTERFACES)}")
        count = await platform.home.actor.database.write(
            lambda connection: redeclaration.reopen(connection, interface, now=clock())
        )
        platform.home.actor.worker.wake()
        return JSONResponse({"interface": interface, "again": count})

    return [
        Route("/operator/v1/clients/{client_id}/view", see, methods=["PUT"]),
        Route("/operator/v1/companies", open_company, methods=["POST"]),
        Route("/operator/v1/declarations/{interface}/again", declare_again, methods=["POST"]),
        Route("/operator/v1/state", state),
    ]


def _open_entries(connection: Connection, asked: Opening, held: str, now: datetime) -> None:
    """The company has its first administrator and its first software; its own are left as they are.

    Raises: Problem 422, for a login or a client that is another's.
    """
    siren, client_id = asked.siren, asked.client_id
    is_new = identity.add_account(connection, login=asked.login, held=held, role="administrator", tenant=siren, now=now)
    if not is_new and siren not in identity.organizations_of(connection, asked.login):
        raise Problem(422, f"login: {asked.login} est déjà pris. / {asked.login} is already taken.")
    identity.create_client(connection, client_id=client_id, secret=asked.client_secret, tenant=siren, now=now)
    holder = identity_clients.holder_of(connection, client_id)
    if holder is None or holder.tenant != siren:
        raise Problem(422, f"client_id: {client_id} est déjà pris, ou retiré. / {client_id} is taken, or was revoked.")


def account_routes(actor: Actor) -> list[Route]:
    """Return the route that opens an agent's account."""

    async def open_account(request: Request) -> Response:
        asked = await decode_body(request, Account, limit=BODY_MAX)
        held = await run_in_threadpool(identity.hashed, asked.password)
        now = actor.clock()
        with actor.database.begin() as connection:
            identity.add_account(connection, login=asked.login, held=held, role="agent", tenant=None, now=now)
        return JSONResponse({"login": asked.login}, 201)

    return [Route("/operator/v1/accounts", open_account, methods=["POST"])]


def portal_routes(portal: Portal, wake: Callable[[], None]) -> list[Route]:
    """Return the operator's routes of the portal's directory."""

    async def load(request: Request) -> Response:
        asked = await decode_body(request, Register, limit=BODY_MAX)
        units, lines = (msgspec.to_builtins(part, builtin_types=(date,)) for part in (asked.units, asked.lines))
        sirets = [one.siret for one in asked.establishments] + [code.siret for code in asked.routing_codes]
        if wrong := [siret for siret in sirets if not SIRET.is_valid(siret)]:
            raise Problem(400, f"siret: {', '.join(wrong[:5])}?")
        try:
            counts = authority.load(
                portal.hall,
                units=units,
                establishments=asked.establishments,
                routing_codes=asked.routing_codes,
                lines=lines,
            )
        except authority.Unsound as unsound:
            raise Problem(400, str(unsound)) from None
        wake()
        return JSONResponse(counts, 201)

    return [Route("/operator/v1/directory", load, methods=["POST"])]
