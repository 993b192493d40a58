"""Restitution packages over HTTP, for a company's software (scope `archive.read`): ask, follow, fetch.

    POST /archive/v1/packages                 {"from", "to", "counterpart", "purpose", "language"}, all optional: 202
    GET  /archive/v1/packages                 the packages of the company, the last asked first
    GET  /archive/v1/packages/{packageId}     one: state (asked, ready, failed, expired), progress, hash, until when
    GET  /archive/v1/packages/{packageId}/content     the file, once it is ready

These routes are ours: XP Z12-013 has none for archives. A delegation does not reach them.
"""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from estafette.api.access import Access
from estafette.api.decoding import decode_body
from estafette.api.problems import Problem
from estafette.platform.keeping_package import Asked, NotPossible
from estafette.platform.platform import Platform

BODY_MAX = 64 * 1024


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"starts_on": "from", "ends_on": "to"}):
    """What is asked for: days of issue, both included; the SIREN of a counterpart."""

    starts_on: date | None = None
    ends_on: date | None = None
    counterpart: Annotated[str, msgspec.Meta(min_length=1, max_length=20)] | None = None
    purpose: Literal["tenant", "control", "portability"] = "tenant"
    language: Literal["fr", "en"] = "fr"


def routes(platform: Platform, access: Access, wake: Callable[[], None]) -> list[Route]:
    """Return the routes; each asks for a token, and touches what is its company's."""
    packages = platform.packages

    async def ask(request: Request) -> Response:
        caller = access.caller(request, "archive.read")
        sent = await decode_body(request, Asking, limit=BODY_MAX)
        asked = Asked(sent.starts_on, sent.ends_on, sent.counterpart, sent.purpose, sent.language)
        try:
            with platform.home.actor.database.begin() as connection:
                identifier = packages.ask(connection, caller.siren, asked, by=f"client:{caller.client_id}")
        except NotPossible as refused:
            raise Problem(422, str(refused)) from None
        wake()
        return _json(_told(_found(platform, caller.siren, identifier)), 202)

    async def every(request: Request) -> Response:
        siren = access.tenant(request, "archive.read")
        return _json({"packages": [_told(row) for row in packages.every(siren)]})

    async def one(request: Request) -> Response:
        siren = access.tenant(request, "archive.read")
        return _json(_told(_found(platform, siren, request.path_params["packageId"])))

    async def content(request: Request) -> Response:
        siren, identifier = access.tenant(request, "archive.read"), request.path_params["packageId"]
        _found(platform, siren, identifier)
        file = packages.fetch(siren, identifier)
        if file is None:
            raise Problem(404, "Ce dossier n'est pas prêt, ou a expiré. / This package is not ready, or has expired.")
        return FileResponse(file, media_type="application/zip", filename=f"{siren}-{identifier[:8]}.zip")

    path = "/archive/v1/packages"
    return [
        Route(path, ask, methods=["POST"]),
        Route(path, every),
        Route(f"{path}/{{packageId}}", one),
        Route(f"{path}/{{packageId}}/content", content),
    ]


def _found(platform: Platform, siren: str, identifier: str) -> RowMapping:
    row = platform.packages.get(siren, identifier)
    if row is None:
        raise Problem(404, "Dossier inconnu. / Unknown package.")
    return row


def _told(row: RowMapping) -> dict[str, Any]:
    return {
        "packageId": row["id"], "state": row["state"], "purpose": row["purpose"], "from": row["starts_on"],
        "to": row["ends_on"], "counterpart": row["counterpart"], "askedAt": row["asked_at"], "done": row["done"],
        "total": row["total"], "size": row["size"], "sha256": row["sha256"], "readyAt": row["ready_at"],
        "expiresAt": row["expires_at"],
    }  # fmt: skip


def _json(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
