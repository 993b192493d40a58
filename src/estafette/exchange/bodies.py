"""Reading what comes over HTTP, never more than its limit, whatever its headers said."""

import asyncio
from contextlib import suppress

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from estafette.values.limits import FLOW_BYTES_MAX

LINGER_S, SILENCE_S = 60.0, 5.0
"""How long a sender who was refused may go on sending, and after what silence it is taken to have stopped."""


class TooLarge(Exception):
    """The body went past its limit and was not read further."""


async def read_body(request: Request, limit: int) -> bytes:
    """Return the whole body. Raises: TooLarge as soon as `limit` bytes are passed."""
    body = bytearray()
    async for chunk in bounded(request, limit).stream():
        body += chunk
    return bytes(body)


def bounded(request: Request, limit: int) -> Request:
    """Return the same request, whose body raises TooLarge as soon as `limit` bytes are passed."""
    seen = 0

    async def receive() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLarge
        return message

    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise TooLarge
    return Request(request.scope, receive)


class Lines:
    """A body read piece by piece, never more of it in memory than asked and what came with it."""

    def __init__(self, request: Request, limit: int) -> None:
        self._stream = bounded(request, limit).stream()
        self._held = bytearray()

    async def line(self, limit: int) -> bytes:
        """Return what comes before the next end of line, or all there is. Raises: TooLarge, past `limit` bytes."""
        seen = 0
        while (end := self._held.find(b"\n", seen)) < 0:
            seen = len(self._held)
            if seen > limit:
                raise TooLarge
            if not await self._more():
                end = len(self._held)
                break
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        return line

    async def exactly(self, size: int) -> bytes:
        """Return the next so many bytes, fewer when the body ends. Raises: TooLarge."""
        while len(self._held) < size and await self._more():
            pass
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    async def _more(self) -> bool:
        async for chunk in self._stream:
            if chunk:
                self._held += chunk
                return True
        return False


class Lingering:
    """After a refusal for size, what is still being sent is read and let go, so that its sender reads the answer.

    A connection that is closed on bytes nobody read is reset, and the answer is lost with it (RFC 9112 §9.6).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an answer of 413 is whole before the rest is read, and ends once it is."""
        is_refused = is_whole = False

        async def hear() -> Message:
            nonlocal is_whole
            message = await receive()
            is_whole = not message.get("more_body", False)
            return message

        async def say(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start":
                is_refused = message["status"] == 413
            is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if not (is_refused and is_last) or is_whole:
                await send(message)
                return
            await send({**message, "more_body": True})
            await _let_go(receive)
            await send({"type": "http.response.body"})

        await self._app(scope, hear, say)


async def _let_go(receive: Receive) -> None:
    """Read what is still to come, up to the largest envelope, until it ends or its sender falls silent."""
    seen, is_whole = 0, False
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while seen <= FLOW_BYTES_MAX and not is_whole:
                async with asyncio.timeout(SILENCE_S):
                    message = await receive()
                seen += len(message.get("body", b""))
                is_whole = not message.get("more_body", False)
