"""Signing in and out: a login and its password, then the second factor where there is one.

Tries are slowed down by login and by peer, codes like passwords. A session begins with the password; until the second
factor is given in it, it opens nothing but the page that asks for the code.
"""

from datetime import datetime, timedelta
from functools import partial
from math import ceil

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.exchange.throttle import Throttle
from estafette.store import audit, identity, identity_factor
from estafette.store.identity import Person
from estafette.values.limits import PASSWORD_CHARACTERS_MAX
from estafette.web.desk import Desk, fields_of, later, peer_of


class SignIn:
    """The doors of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._throttle = Throttle()

    def routes(self) -> list[BaseRoute]:
        """Return sign in, the code, sign out."""
        signed_in = self._desk.signed_in
        return [
            Route("/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route("/sign-in/code", signed_in(self._code, get=None, post=None), methods=["GET", "POST"]),
            Route("/sign-out", signed_in(self._sign_out, get=None, post=None), methods=["POST"]),
        ]

    async def _sign_in(self, request: Request) -> Response:
        if request.method != "POST":
            return self._ask(request)
        sent = await fields_of(request)
        login, password = sent.get("login", "")[:100], sent.get("password", "")[:PASSWORD_CHARACTERS_MAX]
        peer = peer_of(request)
        if wait := self._throttle.enter(login, peer, now=self._desk.clock()):
            return later(self._ask(request, 429, wait=wait), wait)
        with self._desk.database.read() as connection:
            held = identity.password_hash(connection, login)
        if not await self._desk.is_password(password, held):
            await self._desk.database.write(partial(told, login, "sign-in.failed", peer, self._desk.clock()))
            return self._ask(request, 401, wrong=True)
        self._throttle.succeeded(login, peer)
        return await enter(self._desk, request, login)

    def _ask(
        self, request: Request, status: int = 200, *, wrong: bool = False, wait: timedelta = timedelta()
    ) -> Response:
        shown = {"wrong": wrong, "wait": ceil(wait.total_seconds()), "openid": self._desk.settings.openid}
        return self._desk.render(request, "sign_in.html", status, **shown)

    async def _code(self, request: Request, person: Person) -> Response:
        """Ask for the code of the second factor; a right one opens the desk."""
        if self._desk.next_step(person) != "/sign-in/code":
            return RedirectResponse(self._desk.home, 303)
        if request.method != "POST":
            return self._desk.render(request, "code.html", wrong=False, wait=0)
        sent = await self._desk.form(request, person)
        key, peer = f"code {person.login}", peer_of(request)
        if wait := self._throttle.enter(key, peer, now=self._desk.clock()):
            seconds = ceil(wait.total_seconds())
            return later(self._desk.render(request, "code.html", 429, wrong=False, wait=seconds), wait)
        now = self._desk.clock()
        with self._desk.database.begin() as connection:
            right = identity_factor.check(
                connection, person.login, sent.get("code", "")[:40], seal=self._desk.seal, now=now
            )
            if right:
                identity.see(connection, request.cookies[self._desk.cookie], now=now, factor=True)
            else:
                told(person.login, "code.failed", peer, now, connection)
        if not right:
            return self._desk.render(request, "code.html", 401, wrong=True, wait=0)
        self._throttle.succeeded(key, peer)
        return RedirectResponse(self._desk.home, 303)

    async def _sign_out(self, request: Request, person: Person) -> Response:
        await self._desk.form(request, person)
        with self._desk.database.begin() as connection:
            identity.close_session(connection, request.cookies[self._desk.cookie])
            audit.record(connection, person.tenant, "sign-out", about=person.login, at=self._desk.clock())
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(self._desk.cookie)
        return response


async def enter(desk: Desk, request: Request, login: str, *, factor: bool = False) -> Response:
    """Open a session of an account whose proof was checked, and lead home; `factor`: the second factor is given."""
    now, peer = desk.clock(), peer_of(request)
    agent = request.headers.get("user-agent", "")

    def opening(connection: Connection) -> str:
        told(login, "sign-in", peer, now, connection)
        return identity.open_session(
            connection, login=login, now=now, peer=peer, agent=agent, factor_at=now if factor else None
        )

    value = await desk.database.write(opening)
    response = RedirectResponse(desk.home, 303)
    set_session(desk, request, response, value)
    return response


def told(login: str, what: str, peer: str, now: datetime, connection: Connection) -> None:
    """Tell the audit log of a try; a login that is none is not written: it may be a password in the wrong field."""
    known = identity.password_hash(connection, login) is not None
    with audit.acting(f"login:{login}" if what == "sign-in" else "unknown"):
        for chain in identity.organizations_of(connection, login) or [audit.OPERATOR]:
            audit.record(connection, chain, what, about=login if known else "", at=now, address=peer)


def set_session(desk: Desk, request: Request, response: Response, value: str) -> None:
    """The browser keeps the session: for this site alone, out of reach of pages, only over TLS where there is TLS."""
    secure = request.url.scheme == "https"
    response.set_cookie(desk.cookie, value, httponly=True, samesite="strict", secure=secure)
