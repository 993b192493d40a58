"""Reading what comes over HTTP, never more than its limit, whatever its headers said."""

from starlette.requests import Request
from starlette.types import Message


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
