"""A company opens its account at the portal by itself: it asks, receives a letter, brings its code back.

Whoever asks learns nothing that the public directory does not say; the letter goes to the seat. With the code the
person chooses a login and a password, is the company's administrator, and gives the other accesses at the desk.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from math import ceil

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.exchange.throttle import Rate, Throttle, network_of
from estafette.platform.platform import Platform
from estafette.portal import openings
from estafette.portal.openings import NotEligible
from estafette.store import audit, identity
from estafette.values.limits import PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN
from estafette.web.desk import Desk, fields_of, later, peer_of

ASKED_A_MINUTE, ASKED_AT_ONCE = 2, 5
"""Letters that one address may ask for (our bound: each is one to send)."""

Said = tuple[str, str]
WRONG_CODE = (
    "Ce code n'est pas celui du courrier, ou il a expiré : demandez un autre courrier.",
    "This is not the code of the letter, or it has expired: ask for another letter.",
)
TAKEN = ("Cet identifiant est pris : choisissez-en un autre.", "This login is taken: choose another one.")


@dataclass(frozen=True, slots=True)
class Openings:
    """The pages, and the operator's list of letters."""

    platform: Platform
    desk: Desk
    wake: Callable[[], None]
    throttle: Throttle
    rate: Rate

    async def ask(self, request: Request) -> Response:
        """Ask for the SIREN, then for the letter."""
        if request.method != "POST":
            return self._page(request, siren="")
        siren = (await fields_of(request)).get("siren", "").replace(" ", "")[:40]
        if wait := self.rate.take(network_of(peer_of(request)), self.desk.clock()):
            return later(self._page(request, 429, siren=siren, wait=wait), wait)
        is_customer = self.desk.name_of(siren) is not None
        asking = partial(openings.ask, siren=siren, is_customer=is_customer, seal=self.desk.seal, now=self.desk.clock())
        try:
            await self.desk.database.write(asking)
        except NotEligible as why:
            return self._page(request, 400, siren=siren, fault=(why.fr, why.en))
        return self._page(request, siren=siren, is_asked=True)

    async def confirm(self, request: Request) -> Response:
        """Take the code, the login and the password; the account is open."""
        if request.method != "POST":
            return self._form(request, request.query_params.get("siren", "")[:9])
        fields = await fields_of(request)
        siren, login = fields.get("siren", "").replace(" ", "")[:9], fields.get("login", "").strip()[:100]
        key = f"opening {siren}"
        if wait := self.throttle.enter(key, peer_of(request), now=self.desk.clock()):
            return later(self._form(request, siren, login, 429, wait=wait), wait)
        password = fields.get("password", "")
        if not login or not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
            least = PASSWORD_CHARACTERS_MIN
            fault = (
                f"Un identifiant, et un mot de passe de {least} caractères au moins.",
                f"A login, and a password of {least} characters at least.",
            )
            return self._form(request, siren, login, 400, fault=fault)
        checking = partial(
            openings.is_code, siren=siren, code=fields.get("code", "")[:40], seal=self.desk.seal, now=self.desk.clock()
        )
        if not await self.desk.database.write(checking):
            return self._form(request, siren, login, 401, fault=WRONG_CODE)
        return await self._opened(request, siren, login, password)

    async def _opened(self, request: Request, siren: str, login: str, password: str) -> Response:
        try:
            with self.desk.database.read() as connection:
                name = openings.name_of(connection, siren)
        except NotEligible as why:
            return self._form(request, siren, login, 409, fault=(why.fr, why.en))
        held = await self.desk.hashed(password)
        is_open = await self.desk.database.write(
            lambda connection: self._open(connection, siren=siren, name=name, login=login, held=held)
        )
        if not is_open:
            return self._form(request, siren, login, 409, fault=TAKEN)
        self.throttle.succeeded(f"opening {siren}", peer_of(request))
        self.wake()
        return self.desk.render(request, "opening_done.html", 201, name=name, siren=siren)

    def _open(self, connection: Connection, *, siren: str, name: str, login: str, held: str) -> bool:
        """The company and its administrator are there; False, and nothing is, when the login is taken."""
        now = self.desk.clock()
        role, tenant = "administrator", siren
        if not identity.add_account(connection, login=login, held=held, role=role, tenant=tenant, now=now):
            return False
        self.platform.enter_company(connection, siren=siren, name=name, status_address=siren)
        audit.record(connection, siren, "account.opened", about=login, at=now)
        openings.opened(connection, siren, now=now)
        return True

    async def letters(self, _request: Request) -> Response:
        """List the letters to send, for the operator."""
        with self.desk.database.read() as connection:
            found = openings.letters(connection, seal=self.desk.seal, now=self.desk.clock())
        return JSONResponse(
            [
                {"siren": one.siren, "name": one.name, "address": list(one.address), "code": one.code}
                | {"asked_at": one.asked_at.isoformat()}
                for one in found
            ]
        )

    def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        siren: str,
        fault: Said | None = None,
        wait: timedelta = timedelta(),
        is_asked: bool = False,
    ) -> Response:
        shown = {"siren": siren, "fault": fault, "wait": ceil(wait.total_seconds()), "is_asked": is_asked}
        return self.desk.render(request, "opening.html", status, **shown)

    def _form(
        self,
        request: Request,
        siren: str,
        login: str = "",
        status: int = 200,
        *,
        fault: Said | None = None,
        wait: timedelta = timedelta(),
    ) -> Response:
        shown = {
            "siren": siren, "login": login, "fault": fault, "wait": ceil(wait.total_seconds()),
            "least": PASSWORD_CHARACTERS_MIN,
        }  # fmt: skip
        return self.desk.render(request, "opening_confirm.html", status, **shown)


def routes(platform: Platform, desk: Desk, wake: Callable[[], None]) -> list[BaseRoute]:
    """Return the pages of the opening, and the operator's route of the letters."""
    pages = Openings(platform, desk, wake, Throttle(), Rate(ASKED_A_MINUTE, burst=ASKED_AT_ONCE))
    return [
        Route("/opening", pages.ask, methods=["GET", "POST"]),
        Route("/opening/confirm", pages.confirm, methods=["GET", "POST"]),
        Route("/operator/v1/openings", pages.letters),
    ]
