"""Who speaks for whom: OAuth2 client credentials (RFC 6749 §4.4), bearer tokens (RFC 6750).

A token is of one client; the organization it speaks for is the client's own, or one that accredited it and that the
header `Organization-Id` names (XP Z12-013 §7; the text of the norm spells it `Organisation-Id`, both are read).
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import msgspec
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from estafette.api.problems import CODES, Problem, too_many
from estafette.api.settings import Settings
from estafette.exchange.bodies import TooLarge, bounded, read_body
from estafette.exchange.throttle import Rate, Throttle
from estafette.store import audit, identity
from estafette.store.database import Database
from estafette.values.moments import paris_day

FORM_BYTES_MAX = 16 * 1024
"""A request for a token: four short fields."""

ORGANIZATION_HEADERS = ("organization-id", "organisation-id")


@dataclass(frozen=True, slots=True)
class Caller:
    """Software that makes a request: its client, and the organization, by SIREN, in whose name and how far."""

    client_id: str
    siren: str
    acting: identity.Acting


class _Malformed(Exception):
    """The request for a token cannot be read (RFC 6749 §5.2, invalid_request)."""


class Access:
    """Grants tokens of one actor and reads them back, no faster than its settings allow."""

    def __init__(self, database: Database, clock: Callable[[], datetime], settings: Settings | None = None) -> None:
        settings = settings or Settings()
        self._database = database
        self._clock = clock
        self._requests = Rate(settings.requests_per_minute, burst=settings.requests_at_once)
        self._tokens = Rate(settings.tokens_per_minute, burst=settings.tokens_per_minute)
        self._tries = Throttle()

    def tenant(self, request: Request, scope: str | None = None) -> str:
        """Return the SIREN the request speaks for. Raises: as `caller`."""
        return self.caller(request, scope).siren

    def caller(self, request: Request, scope: str | None = None) -> Caller:
        """Return who asks, allowed to do what `scope` says.

        Without the header it acts for its own organization. Raises: Problem 401 without a valid token; 429 when it asks
        too often; 403 for a scope it has not, there, or an organization it may not act for.
        """
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value.strip():
            raise Problem(401, "Jeton d'accès absent. / Access token missing.")
        now = self._clock()
        with self._database.glance() as connection:
            holder = identity.holder(connection, value.strip(), now=now)
            if holder is None:
                raise Problem(401, "Jeton d'accès inconnu ou expiré. / Access token unknown or expired.")
            if wait := self._requests.take(holder.client_id, now):
                raise too_many(wait)
            acting = identity.acting(connection, holder, _named(request), on=paris_day(now))
        if acting is None:
            raise Problem(403, "Organization-Id: ce client n'y a pas accès. / This client has no access to it.")
        if scope and not acting.may(scope):
            raise _out_of_scope(scope)
        audit.set_actor(f"client:{holder.client_id}")
        return Caller(holder.client_id, acting.organization, acting)

    async def token(self, request: Request) -> Response:
        """Grant an access token against a client's identifier and secret, in any style that clients are known to use.

        A form or a JSON object, the secret in it or in HTTP Basic; the grant may be left out with HTTP Basic.
        """
        try:
            sent = await _sent(request)
        except _Malformed:
            return _refused(400, "invalid_request")
        basic = _basic(request)
        if sent.get("grant_type", "client_credentials" if basic else "") != "client_credentials":
            return _refused(400, "unsupported_grant_type")
        client_id, secret = basic or (sent.get("client_id", ""), sent.get("client_secret", ""))
        return await self._token(client_id, secret, peer=request.client.host if request.client else "")

    async def _token(self, client_id: str, secret: str, *, peer: str) -> Response:
        now = self._clock()
        try_of = f"{client_id[:100]} {peer}"  # whoever guesses keeps nobody else waiting
        if wait := self._tries.enter(try_of, peer, now=now):
            return _too_often(wait)
        with self._database.read() as connection:  # a guess waits for no writer, and takes nobody's share of tokens
            is_right = identity.is_secret(connection, client_id=client_id, secret=secret, now=now)
        if not is_right:
            return _refused(401, "invalid_client", headers={"WWW-Authenticate": "Basic"})
        self._tries.succeeded(try_of, peer)
        if wait := self._tokens.take(client_id, now):
            return _too_often(wait)

        def grant(connection: Connection) -> tuple[str, identity.Holder] | None:
            value = identity.grant_token(connection, client_id=client_id, secret=secret, now=now)
            holder = identity.holder(connection, value, now=now) if value else None
            return (value, holder) if value and holder else None

        granted = await self._database.write(grant, urgent=True)
        if granted is None:  # taken away meanwhile
            return _refused(401, "invalid_client", headers={"WWW-Authenticate": "Basic"})
        return JSONResponse(_granted(*granted), headers={"Cache-Control": "no-store"})


def _granted(value: str, holder: identity.Holder) -> dict[str, Any]:
    """Return the answer of RFC 6749 §5.1; the scope is that of the client, whatever was asked."""
    life = int(identity.TOKEN_LIFE.total_seconds())
    return {
        "access_token": value,
        "token_type": "Bearer",
        "expires_in": life,
        "scope": " ".join(sorted(holder.scopes)),
    }


def _too_often(wait: timedelta) -> Response:
    return _refused(429, "temporarily_unavailable", headers={"Retry-After": str(ceil(wait.total_seconds()))})


def _refused(status: int, error: str, headers: Mapping[str, str] | None = None) -> Response:
    """Refuse a token in the words of RFC 6749 §5.2; who asks too often, in those of XP Z12-013 too."""
    code = {"errorCode": CODES[status]} if status == 429 else {}
    return JSONResponse({"error": error, **code}, status, headers=headers)


def _out_of_scope(scope: str) -> Problem:
    headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
    text = f"Ce client n'a pas le droit « {scope} ». / This client lacks the scope '{scope}'."
    return Problem(403, text, headers=headers)


def _named(request: Request) -> str | None:
    """Return the organization that the request names, None when it names none."""
    named = next((request.headers[name] for name in ORGANIZATION_HEADERS if name in request.headers), None)
    return named.strip() if named is not None else None


async def _sent(request: Request) -> dict[str, str]:
    """Read the fields of a request for a token, from a form or a JSON object. Raises: _Malformed."""
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            return msgspec.json.decode(await read_body(request, FORM_BYTES_MAX), type=dict[str, str])
        form = await bounded(request, FORM_BYTES_MAX).form(max_files=0, max_fields=20)
        return {name: str(value) for name, value in form.items()}
    except (TooLarge, HTTPException, ValueError, RecursionError):
        raise _Malformed from None


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:  # neither base64 nor UTF-8
        return None
    return client_id, secret
