"""The HTTP face of the exchange: one route that takes parcels, one that says who is here."""

from collections.abc import Callable
from math import ceil

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from estafette.exchange.bodies import Lines, TooLarge
from estafette.exchange.messages import Message, NotAParcel, read_manifest
from estafette.exchange.post import Post, Refused
from estafette.exchange.tls import certified
from estafette.values.limits import MANIFEST_BYTES_MAX, PARCEL_BYTES_MAX


def routes(post: Post, public_key: str, wake: Callable[[], None]) -> list[Route]:
    """Return the routes by which other actors reach this one."""

    async def take(request: Request) -> Response:
        try:
            replies = await post.receive(await _parcel(post, request))
        except TooLarge:
            return PlainTextResponse("too large", 413)
        except NotAParcel as reason:
            return PlainTextResponse(str(reason), 400)
        except Refused as refusal:
            return _refusal(refusal)
        if any(reply.status == 202 for reply in replies):
            wake()
        return Response(msgspec.json.encode(replies), media_type="application/json")

    async def identity(_request: Request) -> Response:
        return JSONResponse({"identifiers": sorted(post.identifiers), "public_key": public_key})

    return [
        Route("/exchange/v1/messages", take, methods=["POST"]),
        Route("/exchange/v1/identity", identity),
    ]


def _refusal(refusal: Refused) -> Response:
    """Say why, and when to try again in whole seconds, rounded up, when it is known."""
    after = refusal.after
    headers = {"Retry-After": str(max(1, ceil(after.total_seconds())))} if after is not None else {}
    return PlainTextResponse(str(refusal), refusal.status, headers)


async def _parcel(post: Post, request: Request) -> list[tuple[Message, bytes]]:
    """Read a parcel: its documents only once its sender is known. Raises: TooLarge, NotAParcel, Refused."""
    body = Lines(request, PARCEL_BYTES_MAX)
    manifest = await body.line(MANIFEST_BYTES_MAX)
    listed = read_manifest(manifest)
    if sum(one.size for one in listed) > PARCEL_BYTES_MAX:
        raise TooLarge
    post.admit(listed, request.headers.get("Estafette-Signature", ""), manifest, certified(request.scope))
    parcel = [(one.message, await body.exactly(one.size)) for one in listed]
    if await body.exactly(1):
        raise NotAParcel("more bytes than the manifest says")
    return parcel
