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
