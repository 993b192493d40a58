"""Every request has an identifier, the client's own where it is one: in the answer, in the log, in all that follows.

The header is `Request-Id` (XP Z12-013, 1.2 and 1.3) or `X-Request-Id` (1.1), or a parameter of the address, as some
installed clients send it; what is no UUID is replaced, never refused.
"""

from urllib.parse import parse_qs
from uuid import UUID

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from estafette.store import correlation
from estafette.store.identifiers import any_identifier

NAMES = ("request-id", "x-request-id")


class Correlated:
    """Gives every request its identifier."""

    def __init__(self, app: ASGIApp, actor: str) -> None:
        self._app = app
        self._actor = actor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; the answer carries its identifier."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = identifier_of(scope)

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Request-Id"] = identifier
            await send(message)

        with bound_contextvars(actor=self._actor), correlation.bound(identifier):
            await self._app(scope, receive, say)


def identifier_of(scope: Scope) -> str:
    """Return the identifier that the request gives itself, or a new one."""
    headers = Headers(scope=scope)
    given = [headers[name] for name in NAMES if name in headers]
    if b"request-id" in scope["query_string"].lower():
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20)
        given += [value for name, values in query.items() if name.lower() in NAMES for value in values]
    return next((text for text in map(_uuid, given) if text), "") or str(any_identifier())


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
