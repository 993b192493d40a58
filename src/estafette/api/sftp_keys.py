"""The operator's route by which a company's keys for SFTP are set: `PUT /operator/v1/companies/{siren}/sftp-keys`.

The body is public keys, one a line, as `ssh-keygen` writes them; they replace those before, and none closes the
account.
"""

import re
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from estafette.api.problems import Problem
from estafette.exchange.bodies import TooLarge, read_body

if TYPE_CHECKING:
    from estafette.exchange.sftp import Door

BODY_MAX = 64 * 1024
"""A few dozen keys."""


def routes(door: "Door") -> list[Route]:
    """Return the route."""

    async def put(request: Request) -> Response:
        siren = request.path_params["siren"]
        if not re.fullmatch("[0-9]{9}", siren):
            raise Problem(400, f"siren: {siren[:20]}?")
        try:
            keys = door.authorize(siren, (await read_body(request, BODY_MAX)).decode())
        except (TooLarge, ValueError) as wrong:
            raise Problem(
                400, f"Une clé publique OpenSSH par ligne. / One OpenSSH public key a line. {wrong}"
            ) from None
        return JSONResponse({"siren": siren, "keys": keys})

    return [Route("/operator/v1/companies/{siren}/sftp-keys", put, methods=["PUT"])]
