"""The watch desk of the concentrator as JSON: all of it for the operator, its own for each platform.

    GET /operator/v1/watch?hours=24[&platform=0003]     with the operator's token
    GET /ppf/concentrator/v1/watch?hours=24             with a token of the platform's own software

The answer: `since`, `until`, `hours` and `totals` (flows, objects, rejected, late, seconds from deposit to answer),
`causes` of rejection, what is `waiting`, data `missing` past their term and, for a platform, the invoices `owed`.
"""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from estafette.api.portal_directory_access import READ, PlatformAccess
from estafette.api.problems import Problem
from estafette.exchange.actor import Actor
from estafette.portal import watch
from estafette.portal.directory_limits import PUBLISHED
from estafette.portal.watch import HOURS_MAX, View


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

    return [Route("/operator/v1/watch", all_of_it), Route("/ppf/concentrator/v1/watch", its_own)]


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
