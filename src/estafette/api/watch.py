"""The watch desk of the concentrator as JSON: all of it for the operator, its own for each platform.

    GET /operator/v1/watch?hours=24[&platform=0003]     with the operator's token
    GET /ppf/concentrator/v1/watch?hours=24             with a token of the platform's own software
    POST /operator/v1/platforms/0003/accounts           {"login": …, "password": …}: a person of the platform
    DELETE /operator/v1/platforms/0003/accounts/{login}

The answer: `since`, `until`, `hours` and `totals` (flows, objects, rejected, late, seconds from deposit to answer),
`causes` of rejection, what is `waiting`, data `missing` past their term and, for a platform, the invoices `owed`.
"""

from asyncio import to_thread
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from estafette.api.decoding import decode_body
from estafette.api.portal_directory_access import READ, PlatformAccess
from estafette.api.problems import Problem
from estafette.exchange.actor import Actor
from estafette.portal import platform_clients, watch
from estafette.portal.directory_limits import PUBLISHED
from estafette.portal.watch import HOURS_MAX, View
from estafette.store import identity
from estafette.values.limits import PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN

ACCOUNT_BYTES_MAX = 4096


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person of a platform, who watches its flows."""

    login: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    password: Annotated[str, msgspec.Meta(min_length=PASSWORD_CHARACTERS_MIN, max_length=PASSWORD_CHARACTERS_MAX)]


def routes(actor: Actor) -> list[Route]:
    """Return the routes; those of the operator are guarded by its token (`circuit.operators`)."""
    access = PlatformAccess(actor.database, actor.clock, PUBLISHED)

    def seen(request: Request, partner: str | None) -> Response:
        hours = hours_of(request)
        with actor.database.read() as connection:
            view = watch.look(connection, now=actor.clock(), hours=hours, partner=partner)
        return JSONResponse(as_json(view))

    async def all_of_it(request: Request) -> Response:
        return seen(request, request.query_params.get("platform") or None)

    async def its_own(request: Request) -> Response:
        speaker = access.speaker(request, READ)
        return seen(request, speaker.platform.matricule)

    async def open_account(request: Request) -> Response:
        asked = await decode_body(request, Account, limit=ACCOUNT_BYTES_MAX)
        named = {"matricule": request.path_params["matricule"], "login": asked.login}
        held = await to_thread(identity.hashed, asked.password)
        with _possible(actor) as connection:
            platform_clients.open_account(connection, **named, held=held, now=actor.clock())
        return JSONResponse(named, 201)

    async def close_account(request: Request) -> Response:
        named = {name: request.path_params[name] for name in ("matricule", "login")}
        with _possible(actor) as connection:
            platform_clients.close_account(connection, **named)
        return Response(status_code=204)

    people = "/operator/v1/platforms/{matricule}/accounts"
    return [
        Route("/operator/v1/watch", all_of_it),
        Route("/ppf/concentrator/v1/watch", its_own),
        Route(people, open_account, methods=["POST"]),
        Route(f"{people}/{{login}}", close_account, methods=["DELETE"]),
    ]


@contextmanager
def _possible(actor: Actor) -> Iterator[Connection]:
    """What is asked is written in one transaction. Raises: Problem 404 or 422, saying why it cannot be."""
    try:
        with actor.database.begin() as connection:
            yield connection
    except platform_clients.NotPossible as fault:
        raise Problem(404 if isinstance(fault, platform_clients.Unknown) else 422, str(fault)) from None


def hours_of(request: Request) -> int:
    """Return how many hours are asked for, a day unless said. Raises: Problem 400."""
    text = request.query_params.get("hours", "24")
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= HOURS_MAX):
        seen, most = text[:20], HOURS_MAX
        raise Problem(
            400, f"hours: {seen}? Un nombre de 1 à {most} est attendu. / A number from 1 to {most} is expected."
        )
    return int(text)


def as_json(view: View) -> dict[str, Any]:
    """Return the view as JSON: moments in ISO 8601 with their zone, lags in seconds."""
    told: dict[str, Any] = msgspec.to_builtins(view, enc_hook=str)
    for name in ("hours", "totals"):
        for one, count in zip(told[name], getattr(view, name), strict=True):
            del one["lag_ms"], one["lag_ms_max"]
            one |= {"lag_s": float(count.lag_s), "lag_s_max": float(count.lag_s_max)}
    for one in told["totals"]:
        del one["hour"]
    return told
