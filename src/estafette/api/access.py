"""Who speaks for whom: OAuth2 client credentials (RFC 6749 §4.4), bearer tokens (RFC 6750).

A token speaks for one company; nothing in a request can make it speak for another.
"""

import base64
from collections.abc import Callable
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from estafette.api.problems import Problem
from estafette.exchange.bodies import TooLarge, bounded
from estafette.store import identity
from estafette.store.database import Database

FORM_BYTES_MAX = 16 * 1024
"""A request for a token: four short fields."""


class Access:
    """Grants tokens of one actor and reads them back."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def tenant(self, request: Request) -> str:
        """Return the SIREN the request speaks for. Raises: Problem 401; 403 when it names another organization."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise Problem(401, "Jeton d'accès absent. / Access token missing.")
        with self._database.read() as connection:
            tenant = identity.token_tenant(connection, value.strip(), now=self._clock())
        if tenant is None:
            raise Problem(401, "Jeton d'accès inconnu ou expiré. / Access token unknown or expired.")
        if request.headers.get("organization-id", tenant) != tenant:
            raise Problem(403, "Organization-Id: ce jeton n'y a pas accès. / This token has no access to it.")
        return tenant

    async def token(self, request: Request) -> Response:
        """Grant an access token against a client's identifier and secret, in the form or in HTTP Basic."""
        try:
            form = await bounded(request, FORM_BYTES_MAX).form(max_files=0, max_fields=20)
        except (TooLarge, HTTPException):
            return JSONResponse({"error": "invalid_request"}, 400)
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        client_id, secret = _basic(request) or (str(form.get("client_id", "")), str(form.get("client_secret", "")))
        with self._database.begin() as connection:
            value = identity.grant_token(connection, client_id=client_id, secret=secret, now=self._clock())
        if value is None:
            return JSONResponse({"error": "invalid_client"}, 401, headers={"WWW-Authenticate": "Basic"})
        body = {"access_token": value, "token_type": "Bearer", "expires_in": int(identity.TOKEN_LIFE.total_seconds())}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:  # neither base64 nor UTF-8
        return None
    return client_id, secret
