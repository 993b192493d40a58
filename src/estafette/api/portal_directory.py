"""The portal's directory API put together: what is served, the document that says so, who may ask."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from estafette.api import openapi
from estafette.api.contract import JSON, Parameter, routes
from estafette.api.decoding import decode_body
from estafette.api.openapi import Edition
from estafette.api.portal_directory_access import PlatformAccess
from estafette.api.portal_directory_bodies import Erreur
from estafette.api.portal_directory_errors import KIND
from estafette.api.portal_directory_service import AnnuaireService
from estafette.api.portal_directory_writes import AnnuaireWrites
from estafette.api.problems import Problem
from estafette.directory.readings import Readings
from estafette.exchange.actor import Actor
from estafette.portal import platform_clients
from estafette.portal.directory_limits import PUBLISHED, DirectoryLimits
from estafette.portal.platform_clients import NotPossible, Unknown
from estafette.store.roles import PLATFORM_SCOPES

PREFIX = "/ppf/annuaire-public/v1"
"""Where the published contract has it."""

TITLE = "Estafette — API annuaire du portail public / directory API of the public portal"

EDITION = Edition(
    version="1.11.0",
    error=Erreur,
    error_kind=KIND,
    headers=(Parameter("Accept-Language", "header", {"type": "string", "default": "fr", "enum": ["fr", "en"]}),),
    scopes=PLATFORM_SCOPES,
    is_closed=True,
)
OPENING_BYTES_MAX = 4096
_READINGS = Readings()


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Software to open for a platform: its identifier and key, and whether it may write."""

    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    client_secret: Annotated[str, msgspec.Meta(min_length=16, max_length=200)]
    may_write: bool = True


def every_route(
    actor: Actor,
    changed: Callable[[Connection], None],
    limits: DirectoryLimits = PUBLISHED,
    readings: Readings = _READINGS,
) -> list[Route]:
    """Return the routes of the API, of its document, and of the operator, who opens the software of platforms.

    `changed` is called in each transaction that changes the directory, by rules read as `readings` says.
    """
    service = AnnuaireService(actor, PlatformAccess(actor.database, actor.clock, limits), limits)
    served = [*service.operations(), *AnnuaireWrites(service, changed, readings).operations()]

    async def described(_request: Request) -> Response:
        document = openapi.document(TITLE, served, server=PREFIX, edition=EDITION)
        return Response(msgspec.json.encode(document), media_type=JSON)

    async def open_client(request: Request) -> Response:
        asked = await decode_body(request, Opening, limit=OPENING_BYTES_MAX)
        matricule = request.path_params["matricule"]
        try:
            with actor.database.begin() as connection:
                platform_clients.open_client(
                    connection,
                    matricule=matricule,
                    client_id=asked.client_id,
                    secret=asked.client_secret,
                    may_write=asked.may_write,
                    now=actor.clock(),
                )
        except NotPossible as fault:
            raise Problem(404 if isinstance(fault, Unknown) else 422, str(fault)) from None
        return JSONResponse({"client_id": asked.client_id, "matricule": matricule}, 201)

    async def close_client(request: Request) -> Response:
        named = {name: request.path_params[name] for name in ("matricule", "client_id")}
        try:
            with actor.database.begin() as connection:
                platform_clients.close_client(connection, **named, now=actor.clock())
        except NotPossible as fault:
            raise Problem(404, str(fault)) from None
        return Response(status_code=204)

    return [
        *routes(served, (PREFIX,)),
        Route(f"{PREFIX}/openapi.json", described),
        Route("/operator/v1/platforms/{matricule}/clients", open_client, methods=["POST"]),
        Route("/operator/v1/platforms/{matricule}/clients/{client_id}", close_client, methods=["DELETE"]),
    ]
