"""One's own account: the password, the second factor, the sessions that are open, for whom one acts.

/account            what it is, and the sessions
/account/password   another password; the other sessions are then over
/account/factor     the second factor: put in place, new codes, taken away
/account/sessions   one session, or all the others, are over
/places             for whom to act from now on
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from math import ceil

import segno
from pyotp import TOTP
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.exchange.throttle import Throttle
from estafette.store import identity, identity_factor
from estafette.store.identity import Person
from estafette.store.identity_events import By, record
from estafette.store.roles import ROLES
from estafette.values.limits import PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN
from estafette.web.desk import Desk, Page, later, peer_of

WRONG_CODE = (
    "Code inconnu ou déjà utilisé : attendez le suivant et recommencez.",
    "Unknown code, or used already: wait for the next one and try again.",
)


class Account:
    """The pages of whoever is signed in, about oneself.

    Passwords and codes are tried there no faster than at the door: a session that was taken over is not their owner.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._throttle = Throttle()

    def routes(self) -> list[BaseRoute]:
        """Return the pages."""
        both = ["GET", "POST"]

        def mine(page: Page) -> Callable[[Request], Awaitable[Response]]:
            return self._desk.signed_in(page, get=None, post=None)

        return [
            Route("/account", mine(self.show)),
            Route("/account/password", mine(self.password), methods=both),
            Route("/account/factor", mine(self.factor), methods=both),
            Route("/account/sessions", mine(self.sessions), methods=["POST"]),
            Route("/places", mine(self.places), methods=both),
        ]

    async def show(self, request: Request, person: Person) -> Response:
        """Show what the account is and where it is open."""
        now, value = self._desk.clock(), request.cookies[self._desk.cookie]
        with self._desk.database.read() as connection:
            rows = identity.sessions(connection, person.login, now=now)
            codes = identity_factor.codes_left(connection, person.login)
        here, role = identity.digest(value), ROLES.get(person.role)
        return self._desk.render(request, "account.html", sessions=rows, here=here, codes=codes, role=role)

    async def password(self, request: Request, person: Person) -> Response:
        """Ask for another password; with the old one and a good new one, it holds and the other sessions are over."""
        if request.method != "POST":
            return self._ask_password(request)
        sent = await self._desk.form(request, person)
        old, new = sent.get("old", "")[:PASSWORD_CHARACTERS_MAX], sent.get("new", "")
        if fault := _fault(new, sent.get("again", ""), person, old):
            return self._ask_password(request, 422, fault)
        if wait := self._wait(request, person):
            return later(self._ask_password(request, 429, _too_many(wait)), wait)
        with self._desk.database.read() as connection:
            held = identity.password_hash(connection, person.login)
        if not await self._desk.is_password(old, held):
            fault = ("Le mot de passe actuel n'est pas celui-là.", "The current password is another one.")
            return self._ask_password(request, 422, fault)
        self._throttle.succeeded(person.login, peer_of(request))
        hashed = await self._desk.hashed(new)
        value = request.cookies[self._desk.cookie]
        with self._desk.database.begin() as connection:
            identity.set_password(connection, login=person.login, held=hashed, but=value)
            record(connection, self._by(person), "password.changed", person.login)
        return RedirectResponse("/account", 303)

    def _ask_password(self, request: Request, status: int = 200, fault: tuple[str, str] | None = None) -> Response:
        return self._desk.render(request, "password.html", status, fault=fault, least=PASSWORD_CHARACTERS_MIN)

    async def factor(self, request: Request, person: Person) -> Response:
        """Put a second factor in place; with one, give new codes or take it away, against a code of it."""
        if request.method != "POST":
            return self._ask_factor(request, person)
        sent = await self._desk.form(request, person)
        code, wish = sent.get("code", "")[:40], sent.get("wish", "")
        if not person.has_factor:
            return self._confirm(request, person, code)
        if wait := self._wait(request, person):
            return later(self._ask_factor(request, person, 429, _too_many(wait)), wait)
        now, codes = self._desk.clock(), None
        with self._desk.database.begin() as connection:
            if not identity_factor.check(connection, person.login, code, seal=self._desk.seal, now=now):
                wish = "wrong"
            elif wish == "remove":
                identity_factor.remove(connection, person.login)
                record(connection, self._by(person), "factor.removed", person.login)
            elif wish == "codes":
                codes = identity_factor.new_codes(connection, person.login)
                record(connection, self._by(person), "factor.codes", person.login)
        if wish == "wrong":
            return self._ask_factor(request, person, 422, WRONG_CODE)
        self._throttle.succeeded(person.login, peer_of(request))
        return _account() if codes is None else self._desk.render(request, "codes.html", codes=codes)

    def _confirm(self, request: Request, person: Person, code: str) -> Response:
        now = self._desk.clock()
        with self._desk.database.begin() as connection:
            codes = identity_factor.confirm(connection, person.login, code, seal=self._desk.seal, now=now)
            if codes is not None:
                identity.see(connection, request.cookies[self._desk.cookie], now=now, factor=True)
                record(connection, self._by(person), "factor.added", person.login)
        if codes is None:
            return self._ask_factor(request, person, 422, WRONG_CODE)
        return self._desk.render(request, "codes.html", codes=codes)

    def _ask_factor(
        self, request: Request, person: Person, status: int = 200, fault: tuple[str, str] | None = None
    ) -> Response:
        secret = drawing = ""
        if not person.has_factor:
            with self._desk.database.begin() as connection:
                secret = identity_factor.begin(connection, person.login, seal=self._desk.seal)
            address = TOTP(secret).provisioning_uri(name=person.login, issuer_name=self._desk.title)
            drawing = segno.make(address, error="m").svg_inline(scale=4, border=3, dark="#000", light="#fff")
        return self._desk.render(request, "factor.html", status, secret=secret, drawing=drawing, fault=fault)

    async def sessions(self, request: Request, person: Person) -> Response:
        """Close the session of this hash, or every other."""
        sent = await self._desk.form(request, person)
        only, value = sent.get("session") or None, request.cookies[self._desk.cookie]
        close = partial(identity.close_sessions, login=person.login, only=only, but=None if only else value)
        await self._desk.database.write(close)
        return _account()

    async def places(self, request: Request, person: Person) -> Response:
        """Ask for whom to act; a place that is one of the person's is acted for from now on."""
        if request.method != "POST":
            found = [(place, self._desk.name_of(place.organization)) for place in self._desk.places(person)]
            firms = {place.through: self._desk.name_of(place.through) for place, _name in found if place.through}
            return self._desk.render(request, "places.html", places=found, through=firms, roles=ROLES)
        sent = await self._desk.form(request, person)
        organization, through = sent.get("organization", ""), sent.get("through") or None
        value, now = request.cookies[self._desk.cookie], self._desk.clock()
        with self._desk.database.begin() as connection:
            chosen = identity.choose(connection, value, organization=organization, through=through, now=now)
        if not chosen:
            raise HTTPException(403)
        return RedirectResponse(self._desk.home, 303)

    def _wait(self, request: Request, person: Person) -> timedelta:
        """Count a try of a password or a code; return how long to wait for it, in which case it was none."""
        return self._throttle.enter(person.login, peer_of(request), now=self._desk.clock())

    def _by(self, person: Person) -> By:
        return By(person.login, person.through or person.tenant or "", self._desk.clock())


def _fault(new: str, again: str, person: Person, old: str) -> tuple[str, str] | None:
    """Return what is wrong with a new password, None when nothing is."""
    if not PASSWORD_CHARACTERS_MIN <= len(new) <= PASSWORD_CHARACTERS_MAX:
        return (
            f"Le nouveau mot de passe doit avoir de {PASSWORD_CHARACTERS_MIN} à {PASSWORD_CHARACTERS_MAX} caractères.",
            f"The new password must have {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters.",
        )
    if new != again:
        return ("Les deux saisies diffèrent.", "The two entries differ.")
    if new == old or person.login.lower() in new.lower():
        return (
            "Choisissez-en un autre : ni l'ancien, ni un qui contient votre identifiant.",
            "Choose another: neither the old one, nor one that holds your login.",
        )
    return None


def _too_many(wait: timedelta) -> tuple[str, str]:
    seconds = max(ceil(wait.total_seconds()), 1)
    return (f"Trop d'essais : attendez {seconds} s.", f"Too many tries: wait {seconds} s.")


def _account() -> Response:
    return RedirectResponse("/account", 303)
