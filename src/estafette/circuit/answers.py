"""What every answer has, whoever made it: headers that no page has to think of, and words for a fault of ours."""

from collections.abc import Awaitable, Callable

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

YEAR_S = 365 * 24 * 3600
"""How long a browser that came over TLS asks for nothing else (RFC 6797 §6.1.1)."""

log = structlog.get_logger()


class Headed:
    """Tells a browser to take each answer for what it says it is and, over TLS, to come back over TLS only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = f"max-age={YEAR_S}"
            await send(message)

        await self._app(scope, receive, say)


class Caught:
    """Answers a fault of ours in the words of `refuse`; it is in the log, with the identifier of its request."""

    def __init__(self, app: ASGIApp, refuse: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. Who left before the end is owed no answer, and is no fault."""
        is_begun = False

        async def say(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            await self._app(scope, receive, say)
        except ClientDisconnect:
            return
        except Exception as fault:
            log.exception("http.failed", method=scope["method"], path=scope["path"])
            if not is_begun:
                answer = await self._refuse(Request(scope, receive), fault)
                await answer(scope, receive, send)
