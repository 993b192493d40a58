"""The HTTP face of the exchange: one route that takes messages, one that says who is here."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from estafette.exchange.bodies import TooLarge, read_body
from estafette.exchange.messages import NotAMessage, from_wire
from estafette.exchange.post import Post, Refused
from estafette.values.limits import MESSAGE_BYTES_MAX


def routes(post: Post, public_key: str, wake: Callable[[], None]) -> list[Route]:
    """Return the routes by which other actors reach this one."""

    async def take(request: Request) -> Response:
        try:
            message = from_wire(request.path_params["identifier"], request.headers)
            post.admit(message, request.headers.get("Estafette-Signature", ""))
            body = await read_body(request, MESSAGE_BYTES_MAX)  # of a peer, whose signature covers its digest
            fresh = await post.receive(message, body)
        except TooLarge:
            return PlainTextResponse("too large", 413)
        except NotAMessage as reason:
            return PlainTextResponse(str(reason), 400)
        except Refused as refusal:
            return PlainTextResponse(str(refusal), refusal.status)
        wake()
        return Response(status_code=202 if fresh else 200)

    async def identity(_request: Request) -> Response:
        return JSONResponse({"identifiers": sorted(post.identifiers), "public_key": public_key})

    return [
        Route("/exchange/v1/messages/{identifier}", take, methods=["POST"]),
        Route("/exchange/v1/identity", identity),
    ]
