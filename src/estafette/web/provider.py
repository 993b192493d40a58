"""A provider of OpenID Connect, as a relying party speaks to it: discovery, code for tokens, identity token verified.

OpenID Connect Core 1.0 §3.1 (authorization code), §3.1.3.7 (what is verified of an identity token), Discovery 1.0 §4;
RFC 7636 (PKCE, S256). Nothing of an answer is believed before the token is verified with the provider's own keys.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from estafette.store.identity_openid import Attempt
from estafette.values.limits import OPENID_BYTES_MAX
from estafette.web.settings import OpenId

TIMEOUT = aiohttp.ClientTimeout(total=10)
LEEWAY_S = 60
"""How much the provider's clock may differ from ours."""


Answer = TypeVar("Answer")


class NotProven(Exception):
    """The provider did not prove who is there; why, in both languages."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr, self.en = fr, en


class Metadata(msgspec.Struct, frozen=True):
    """What the provider publishes of itself (Discovery 1.0 §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None


class Tokens(msgspec.Struct, frozen=True):
    """What a code is exchanged for (Core 1.0 §3.1.3.3)."""

    id_token: str
    access_token: str


class Claims(msgspec.Struct, frozen=True):
    """What is read of a verified identity token. `email` is None unless the provider has verified it."""

    subject: str
    email: str | None


class Provider:
    """The provider that the settings name."""

    def __init__(self, settings: OpenId) -> None:
        self._settings = settings
        self.redirect_uri = f"{settings.desk.rstrip('/')}/sign-in/openid/back"

    async def address(self, attempt: Attempt) -> str:
        """Return where the person is sent. Raises: NotProven."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            metadata = await self._metadata(session)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "scope": "openid email",
            "client_id": self._settings.client_id,
            "redirect_uri": self.redirect_uri,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        separator = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
        return f"{metadata.authorization_endpoint}{separator}{urlencode(asked)}"

    async def claims(self, code: str, attempt: Attempt, *, now: datetime) -> Claims:
        """Return who the provider says is there, once proven. Raises: NotProven."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            metadata = await self._metadata(session)
            tokens = await self._tokens(session, metadata, code, attempt)
            keys = await _json(session.get(metadata.jwks_uri, allow_redirects=False), dict[str, Any])
            read = verified(tokens.id_token, keys, self._settings, nonce=attempt.nonce, now=now)
            if "email" not in read and metadata.userinfo_endpoint:
                read = read | await self._userinfo(session, metadata.userinfo_endpoint, tokens, read["sub"])
        email = read.get("email") if read.get("email_verified") is True else None
        return Claims(read["sub"], email if isinstance(email, str) else None)

    async def _metadata(self, session: aiohttp.ClientSession) -> Metadata:
        address = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = await _json(session.get(address, allow_redirects=False), Metadata)
        if found.issuer != self._settings.issuer:
            raise NotProven(
                f"Le fournisseur dit être {found.issuer[:200]}, et non {self._settings.issuer}.",
                f"The provider says it is {found.issuer[:200]}, not {self._settings.issuer}.",
            )
        return found

    async def _tokens(self, session: aiohttp.ClientSession, metadata: Metadata, code: str, attempt: Attempt) -> Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        login, secret = quote(self._settings.client_id, safe=""), quote(self._settings.client_secret, safe="")
        headers = {"Authorization": aiohttp.encode_basic_auth(login, secret)}  # RFC 6749 §2.3.1: each encoded first
        asked = session.post(metadata.token_endpoint, data=form, headers=headers, allow_redirects=False)
        return await _json(asked, Tokens)

    async def _userinfo(
        self, session: aiohttp.ClientSession, address: str, tokens: Tokens, subject: str
    ) -> dict[str, Any]:
        """Return what else the provider says of the same person (Core 1.0 §5.3.2). Raises: NotProven."""
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        said = await _json(session.get(address, headers=headers, allow_redirects=False), dict[str, Any])
        return {name: said.get(name) for name in ("email", "email_verified")} if said.get("sub") == subject else {}


def verified(token: str, keys: Mapping[str, Any], settings: OpenId, *, nonce: str, now: datetime) -> dict[str, Any]:
    """Return the claims of an identity token that this provider signed, for us, for this sign-in, and that still holds.

    Raises: NotProven.
    """
    try:
        read = jwt.decode(token, KeySet.import_key_set(dict(keys)), algorithms=list(settings.algorithms))  # type: ignore[arg-type]
        jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": settings.issuer},
            sub={"essential": True},
            aud={"essential": True, "value": settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(read.claims)
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        raise _unproven(type(fault).__name__) from None
    claims: dict[str, Any] = read.claims
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise _unproven("nonce")
    if claims.get("azp", settings.client_id) != settings.client_id or not 1 <= len(claims["sub"]) <= 255:
        raise _unproven("azp, sub")
    return claims


def _unproven(what: str) -> NotProven:
    return NotProven(
        f"La réponse du fournisseur n'est pas valable ({what}) : recommencez.",
        f"The provider's answer is not valid ({what}): start over.",
    )


async def _json(asked: Any, kind: type[Answer]) -> Answer:
    """Return the answer of the provider, read no further than its limit. Raises: NotProven."""
    try:
        async with asked as answer:
            body = await answer.content.read(OPENID_BYTES_MAX + 1)
            while len(body) <= OPENID_BYTES_MAX and (more := await answer.content.read(OPENID_BYTES_MAX)):
                body += more
            if answer.status == 200 and len(body) <= OPENID_BYTES_MAX:
                return msgspec.json.decode(body, type=kind)
            reason = f"HTTP {answer.status}" if answer.status != 200 else "taille / size"
    except (aiohttp.ClientError, TimeoutError) as fault:
        reason = type(fault).__name__
    except (msgspec.DecodeError, RecursionError):
        reason = "JSON"
    raise NotProven(
        f"Le fournisseur d'identité ne répond pas comme prévu ({reason}) : réessayez plus tard.",
        f"The identity provider does not answer as expected ({reason}): try again later.",
    )
