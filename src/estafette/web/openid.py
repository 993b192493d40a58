"""Signing in at a provider of OpenID Connect: out to it, and back with a code.

The browser carries the state of its own attempt in a cookie, so that nobody is signed in by following somebody else's
link. The page that ends it leads on by itself: the session's cookie is for this site alone, and a redirection that
began elsewhere would not carry it.
"""

import hmac
from functools import partial

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.store import identity_openid
from estafette.web.desk import Desk
from estafette.web.provider import Claims, NotProven, Provider
from estafette.web.settings import OpenId
from estafette.web.sign_in import enter

NO_ACCOUNT = (
    "Aucun compte d'ici n'a l'adresse que votre fournisseur a vérifiée : demandez à votre administrateur.",
    "No account here has the address that your provider has verified: ask your administrator.",
)
OVER = (
    "Cette connexion est terminée ou a trop tardé : recommencez.",
    "This sign-in is over, or too late: start over.",
)
REFUSED = ("Le fournisseur d'identité a refusé la connexion.", "The identity provider refused the sign-in.")
BUSY = (
    "Trop de connexions en cours : réessayez plus tard.",
    "Too many sign-ins under way: try again later.",
)


class OpenIdDoor:
    """The door of one desk for people that a provider knows."""

    def __init__(self, desk: Desk, settings: OpenId) -> None:
        self._desk = desk
        self._settings = settings
        self._provider = Provider(settings)
        self._cookie = f"{desk.cookie}-openid"

    def routes(self) -> list[BaseRoute]:
        """Return the way out and the way back."""
        return [Route("/sign-in/openid", self._out), Route("/sign-in/openid/back", self._back)]

    async def _out(self, request: Request) -> Response:
        attempt = await self._desk.database.write(partial(identity_openid.begin, now=self._desk.clock()))
        if attempt is None:
            return self._told(request, 503, *BUSY)
        try:
            response = RedirectResponse(await self._provider.address(attempt), 303)
        except NotProven as fault:
            return self._told(request, 502, fault.fr, fault.en)
        life = int(identity_openid.ATTEMPT_LIFE.total_seconds())
        secure = self._settings.desk.startswith("https:")
        response.set_cookie(
            self._cookie, attempt.state, max_age=life, path="/sign-in", httponly=True, samesite="lax", secure=secure
        )
        return response

    async def _back(self, request: Request) -> Response:
        state, ours = request.query_params.get("state", ""), request.cookies.get(self._cookie, "")
        now = self._desk.clock()
        attempt = None
        if state and hmac.compare_digest(state.encode(), ours.encode()):
            attempt = await self._desk.database.write(partial(identity_openid.take, state=state, now=now))
        if attempt is None:
            return self._told(request, 400, *OVER)
        if "error" in request.query_params or not request.query_params.get("code"):
            return self._told(request, 403, *REFUSED)
        try:
            claims = await self._provider.claims(request.query_params["code"], attempt, now=now)
        except NotProven as fault:
            return self._told(request, 403, fault.fr, fault.en)
        login = await self._desk.database.write(partial(self._account, claims))
        if login is None:
            return self._told(request, 403, *NO_ACCOUNT)
        entered = await enter(self._desk, request, login, factor=self._settings.gives_second_factor)
        response = self._desk.render(request, "entered.html", home=self._desk.home)
        response.raw_headers += [each for each in entered.raw_headers if each[0] == b"set-cookie"]
        response.delete_cookie(self._cookie, path="/sign-in")
        return response

    def _account(self, claims: Claims, connection: Connection) -> str | None:
        return identity_openid.account_of(
            connection,
            issuer=self._settings.issuer,
            subject=claims.subject,
            verified_email=claims.email,
            now=self._desk.clock(),
        )

    def _told(self, request: Request, status: int, fr: str, en: str) -> Response:
        heading = ("Connexion impossible", "Sign-in not possible")
        return self._desk.notice(request, status, heading, (fr, en), back="/sign-in")
