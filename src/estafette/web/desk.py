"""What every desk shares: who is signed in, in which language, forms that cannot be forged, one look.

`Desk.render` gives templates: `say(fr, en)`, `language`, `person`, `csrf`, and the filters `amount`, `number`, `day`,
`moment`, which write in the reader's language. An endpoint wrapped by `Desk.signed_in` is given the `Person`, and what
it refuses (`HTTPException`) is said on a page; a form is read by `Desk.form`, which checks its token.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from estafette.exchange.throttle import Throttle
from estafette.readable.typography import amount, day, moment, number
from estafette.store import audit, identity
from estafette.store.database import Database
from estafette.store.identity import Person
from estafette.values.limits import PASSWORDS_AT_ONCE_MAX
from estafette.values.moments import paris_day

HERE = Path(__file__).parent
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _RowNumber(IntegerConvertor):
    """A number that a row can have; an address with a longer one is of no page, hence 404."""

    regex = "[0-9]{1,18}"


register_url_convertor("row", _RowNumber())
Page = Callable[[Request, Person], Awaitable[Response]]
REFUSALS = {
    403: (
        ("Accès refusé", "Access denied"),
        (
            "Cette page n'est pas pour vous, ou le formulaire a expiré : rouvrez la page et recommencez.",
            "This page is not for you, or the form has expired: open the page again and start over.",
        ),
    ),
    404: (
        ("Page introuvable", "Page not found"),
        (
            "Rien à cette adresse, ou rien qui soit à vous.",
            "Nothing at this address, or nothing of yours.",
        ),
    ),
}
"""What is said of a refusal, by its HTTP status: heading and text, in French and in English."""


class Desk:
    """The pages of one actor. `home` is where one arrives once signed in; `title` is the actor's name.

    `name_of` gives the name of the company of a SIREN, where the actor has companies.
    """

    def __init__(
        self,
        *,
        title: str,
        cookie: str,
        database: Database,
        clock: Callable[[], datetime],
        templates: Path,
        navigation: tuple[tuple[str, str, str], ...],
        home: str = "/",
    ) -> None:
        self._title = title
        self._cookie = cookie
        self._database = database
        self._clock = clock
        self._navigation = navigation
        self._home = home
        self.name_of: Callable[[str], str | None] = lambda _siren: None
        self._throttle = Throttle()
        self._checking = asyncio.Semaphore(PASSWORDS_AT_ONCE_MAX)
        loader = FileSystemLoader([templates, HERE / "templates"])
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._templates.filters.update(amount=_amount, number=_number, day=_day, moment=_moment)

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """Return the page in the reader's language."""
        language = language_of(request)
        person = self.person(request)
        company = self.name_of(person.tenant) if person and person.tenant else None
        shared = {
            "say": lambda fr, en: en if language == "en" else fr,
            "language": language,
            "other_language": request.url.include_query_params(lang="fr" if language == "en" else "en").query,
            "person": person,
            "company_name": company,
            "csrf": person.csrf if person else "",
            "title": self._title,
            "navigation": self._navigation if person else (),
            "path": request.url.path,
        }
        html = self._templates.get_template(template).render(**shared, **values)
        response = HTMLResponse(html, status, headers=SECURITY)
        if request.query_params.get("lang") in ("fr", "en"):
            response.set_cookie("language", language, max_age=31536000, samesite="lax", httponly=True)
        return response

    def refusal(self, request: Request, status: int) -> Response:
        """Return the page that says why the request is refused."""
        unknown = (
            ("Demande refusée", "Request refused"),
            (f"La demande est refusée (HTTP {status}).", f"The request is refused (HTTP {status})."),
        )
        english = language_of(request) == "en"
        heading, text = (both[english] for both in REFUSALS.get(status, unknown))
        return self.render(request, "message.html", status, heading=heading, text=text, tone="bad", back=self._home)

    def today(self) -> date:
        """Return the day it is in France."""
        return paris_day(self._clock())

    def person(self, request: Request) -> Person | None:
        """Return who is signed in here."""
        value = request.cookies.get(self._cookie)
        if not value:
            return None
        with self._database.read() as connection:
            return identity.person(connection, value, now=self._clock())

    def signed_in(self, page: Page, *, role: str | None = None) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a page that only people signed in (with this role) may see; others are led to sign in, or get 403."""

        async def guarded(request: Request) -> Response:
            person = self.person(request)
            if person is None:
                return RedirectResponse("/sign-in", 303)
            if role is not None and person.role != role:
                return self.refusal(request, 403)
            audit.set_actor(f"login:{person.login}")
            try:
                return await page(request, person)
            except HTTPException as refused:
                return self.refusal(request, refused.status_code)

        return guarded

    async def form(self, request: Request, person: Person) -> dict[str, str]:
        """Return the text fields of a form sent from one of our pages. Raises: HTTPException 403 when it was not."""
        sent = await request.form(max_files=0)
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
        self.check(fields.get("csrf", ""), person)
        return fields

    def check(self, token: str, person: Person) -> None:
        """The form token is that of the session. Raises: HTTPException 403."""
        if not hmac.compare_digest(token.encode(), person.csrf.encode()):
            raise HTTPException(403)

    def routes(self) -> list[BaseRoute]:
        """Return sign in, sign out and the look."""
        return [
            Route("/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route("/sign-out", self.signed_in(self._sign_out), methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]

    async def _sign_in(self, request: Request) -> Response:
        if request.method == "GET":
            return self.render(request, "sign_in.html", wrong=False, wait=0)
        sent = await request.form(max_files=0)
        login, password = str(sent.get("login", ""))[:100], str(sent.get("password", ""))[:200]
        peer = request.client.host if request.client else ""
        wait = ceil(self._throttle.enter(login, peer, now=self._clock()).total_seconds())
        if wait:
            refused = self.render(request, "sign_in.html", 429, wrong=False, wait=wait)
            refused.headers["Retry-After"] = str(wait)
            return refused
        if not await self._is_password(login, password):
            await self._database.write(partial(self._told, login, "sign-in.failed", peer))
            return self.render(request, "sign_in.html", 401, wrong=True, wait=0)
        self._throttle.succeeded(login, peer)
        value = await self._database.write(partial(self._opened, login, peer))
        response = RedirectResponse(self._home, 303)
        secure = request.url.scheme == "https"
        response.set_cookie(self._cookie, value, httponly=True, samesite="strict", secure=secure)
        return response

    def _opened(self, login: str, peer: str, connection: Connection) -> str:
        self._told(login, "sign-in", peer, connection)
        return identity.open_session(connection, login=login, now=self._clock())

    def _told(self, login: str, what: str, peer: str, connection: Connection) -> None:
        """Tell the audit log of a try; a login that is none is not written: it may be a password in the wrong field."""
        known = identity.password_hash(connection, login) is not None
        with audit.acting("unknown" if what == "sign-in.failed" else f"login:{login}"):
            for chain in identity.organizations_of(connection, login) or [audit.OPERATOR]:
                audit.record(connection, chain, what, about=login if known else "", at=self._clock(), address=peer)

    async def _is_password(self, login: str, password: str) -> bool:
        """Check a password in a thread, while nothing is locked, a few at a time."""
        with self._database.read() as connection:
            held = identity.password_hash(connection, login)
        async with self._checking:
            return await run_in_threadpool(identity.is_password, password, held)

    async def _sign_out(self, request: Request, person: Person) -> Response:
        await self.form(request, person)
        with self._database.begin() as connection:
            identity.close_session(connection, request.cookies[self._cookie])
            audit.record(connection, person.tenant, "sign-out", about=person.login, at=self._clock())
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(self._cookie)
        return response


def tenant_of(person: Person) -> str:
    """Return the SIREN of the company a person acts for. Raises: HTTPException 403 when it is none."""
    if person.tenant is None:
        raise HTTPException(403)
    return person.tenant


def language_of(request: Request) -> str:
    """Return "fr" or "en": what the address asks, else what was chosen before, else the browser's wish, else French."""
    asked = request.query_params.get("lang") or request.cookies.get("language")
    if asked in ("fr", "en"):
        return asked
    wished = request.headers.get("accept-language", "").lower()
    return "en" if wished.startswith("en") else "fr"


@pass_context
def _amount(context: Context, value: Decimal | None, currency: str = "EUR") -> str:
    return amount(value, currency, context["language"])


@pass_context
def _number(context: Context, value: Decimal | None, digits: int = 0) -> str:
    return number(value, digits, context["language"])


@pass_context
def _day(context: Context, value: date | None) -> str:
    return day(value, context["language"])


@pass_context
def _moment(context: Context, value: datetime | None) -> str:
    return moment(value, context["language"])
