"""JSON that comes in, as typed values; whatever else it is, a Problem that says what is wrong and where."""

from typing import TypeVar

import msgspec
from starlette.requests import Request

from estafette.api.problems import Problem
from estafette.exchange.bodies import TooLarge, read_body

Shape = TypeVar("Shape")


def decode(raw: bytes, shape: type[Shape]) -> Shape:
    """Return the value these bytes are. Raises: Problem 400."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except (ValueError, RecursionError) as wrong:  # not JSON, not of this shape, not UTF-8; nested without end
        raise Problem(400, str(wrong)) from None


async def decode_body(request: Request, shape: type[Shape], *, limit: int) -> Shape:
    """Return the value that the body is, at most `limit` bytes long. Raises: Problem 400."""
    try:
        return decode(await read_body(request, limit), shape)
    except TooLarge:
        text = f"La demande dépasse {limit // 1024} Kio. / The request exceeds {limit // 1024} KiB."
        raise Problem(400, text) from None
