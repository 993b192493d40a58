"""What every desk shares: who is signed in, in which language, forms that cannot be forged, one look.

`Desk.render` gives templates: `say(fr, en)`, `language`, `person`, `may(capability)`, `csrf`, and the filters `amount`,
`number`, `day`, `moment`, which write in the reader's language. An endpoint wrapped by `Desk.signed_in` is given the
`Person`, who may do what the page needs, and what it refuses (`HTTPException`) is said on a page; a form is read by
`Desk.form`, which checks its token.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from estafette.exchange.bodies import TooLarge, bounded
from estafette.readable.typography import amount, day, moment, number
from estafette.store import audit, identity
from estafette.store.database import Database
from estafette.store.identity import Person
from estafette.store.roles import Capability
from estafette.values.limits import DESK_FORM_BYTES_MAX, PASSWORDS_AT_ONCE_MAX
from estafette.values.moments import paris_day
from estafette.web.settings import Settings

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
Needed = Capability | frozenset[Capability] | None
DEFAULTS = Settings()
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
    413: (
        ("Envoi trop grand", "Too much sent"),
        ("Ce qui est envoyé dépasse la taille prévue ici.", "What is sent is larger than what is taken here."),
    ),
    500: (
        ("Erreur de notre fait", "A fault of ours"),
        ("Elle est consignée ; recommencez plus tard.", "It is logged; start over later."),
    ),
    503: (
        ("Momentanément indisponible", "Unavailable for now"),
        ("Attendez quelques secondes, puis recommencez.", "Wait a few seconds, then start over."),
    ),
}
"""What is said of a refusal, by its HTTP status: heading and text, in French and in English."""

NEEDS = {"/deposit": Capability.DEPOSIT, "/watch": Capability.WATCH}
"""What one must be able to do to be shown the way to a page; to read, for the others."""


class Desk:
    """The pages of one actor. `home` is where one arrives once signed in; `title` is the actor's name.

    `name_of` gives the name of the company of a SIREN, where the actor has companies. `seal` keeps what must be read
    again and that nobody else may read.
    """

    def __init__(
        self,
        *,
        title: str,
        cookie: str,
        database: Database,
        clock: Callable[[], datetime],
        seal: Fernet,
        templates: Path,
        navigation: tuple[tuple[str, str, str], ...],
        settings: Settings = DEFAULTS,
        home: str = "/",
    ) -> None:
        self.title = title
        self.cookie = cookie
        self.database = database
        self.clock = clock
        self.seal = seal
        self.settings = settings
        self.home = home
        self._navigation = navigation
        self._hashing = asyncio.Semaphore(PASSWORDS_AT_ONCE_MAX)
        self.name_of: Callable[[str], str | None] = lambda _siren: None
        loader = FileSystemLoader([templates, HERE / "templates"])
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._templates.filters.update(amount=_amount, number=_number, day=_day, moment=_moment)

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """Return the page in the reader's language."""
        language = language_of(request)
        person = self.person(request) if status < 500 else None  # a store that fails cannot say who is there
        company = self.name_of(person.tenant) if person and person.tenant else None
        navigation = self._navigation if person and not self.next_step(person) else ()
        shared = {
            "say": lambda fr, en: en if language == "en" else fr,
            "language": language,
            "other_language": request.url.include_query_params(lang="fr" if language == "en" else "en").query,
            "person": person,
            "company_name": company,
            "may": lambda capability: person is not None and person.may(Capability(capability)),
            "several": person is not None and len(self.places(person)) > 1,
            "csrf": person.csrf if person else "",
            "title": self.title,
            "navigation": [each for each in navigation if person and person.may(NEEDS.get(each[0], Capability.READ))],
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
        heading, text = REFUSALS.get(status, unknown)
        return self.notice(request, status, heading, text, back=self.home)

    def notice(
        self, request: Request, status: int, heading: tuple[str, str], text: tuple[str, str], *, back: str
    ) -> Response:
        """Return a page that says why something cannot be, each text in French and in English, and leads back."""
        english = language_of(request) == "en"
        said = {"heading": heading[english], "text": text[english], "tone": "bad", "back": back}
        return self.render(request, "message.html", status, **said)

    def today(self) -> date:
        """Return the day it is in France."""
        return paris_day(self.clock())

    def person(self, request: Request) -> Person | None:
        """Return who is signed in here, whatever is still to be done before anything else."""
        value = request.cookies.get(self.cookie)
        if not value:
            return None
        with self.database.read() as connection:
            return identity.person(connection, value, now=self.clock())

    def places(self, person: Person) -> list[identity.Place]:
        """Return everywhere the person may act."""
        with self.database.read() as connection:
            return identity.places(connection, person.login, now=self.clock())

    def next_step(self, person: Person) -> str | None:
        """Return the page of what has to be done before anything else: a code, a new password, a second factor."""
        if person.has_factor and person.factor_at is None:
            return "/sign-in/code"
        if person.password_is_given:
            return "/account/password"
        if person.role in self.settings.second_factor and person.factor_at is None:
            return "/account/factor"
        return None

    def signed_in(
        self,
        page: Page,
        *,
        get: Needed = Capability.READ,
        post: Needed = Capability.ADMINISTER,
    ) -> Callable[[Request], Awaitable[Response]]:
        """Wrap a page that only people signed in, with the capability that its method needs, may see.

        Of several capabilities any one will do; None needs nothing but to be signed in. Others are led to sign in, or
        get 403. A page that takes a form and does not say what it needs is for administrators alone.
        """

        async def guarded(request: Request) -> Response:
            person = self.person(request)
            if person is None:
                return RedirectResponse("/sign-in", 303)
            step = self.next_step(person)
            if step and request.url.path not in (step, "/sign-out"):
                return RedirectResponse(step, 303)
            needed = get if request.method in ("GET", "HEAD") else post
            if not _has(person, needed):
                return self._elsewhere(request, person)
            audit.set_actor(f"login:{person.login}")
            await self._see(request, person)
            try:
                return await page(request, person)
            except HTTPException as refused:
                return self.refusal(request, refused.status_code)

        return guarded

    def _elsewhere(self, request: Request, person: Person) -> Response:
        """Refuse; whoever has no invoices to see begins where accounts are kept, or where flows are watched."""
        begins = {Capability.OPERATE: "/access", Capability.WATCH: "/watch"}
        mine = next((path for capability, path in begins.items() if person.may(capability)), None)
        if request.url.path == self.home and mine:
            return RedirectResponse(mine, 303)
        return self.refusal(request, 403)

    async def _see(self, request: Request, person: Person) -> None:
        """The session was used, known to some minutes."""
        now = self.clock()
        if person.seen_at is not None and now - person.seen_at > identity.SEEN_EVERY:
            await self.database.write(partial(identity.see, value=request.cookies[self.cookie], now=now))

    async def form(self, request: Request, person: Person) -> dict[str, str]:
        """Return the text fields of a form sent from one of our pages. Raises: HTTPException 403 when it was not."""
        fields = await fields_of(request)
        self.check(fields.get("csrf", ""), person)
        return fields

    async def is_password(self, password: str, held: str | None) -> bool:
        """Tell whether this is the password, in a thread: a few are looked at together, for the memory each takes."""
        async with self._hashing:
            return await run_in_threadpool(identity.is_password, password, held)

    async def hashed(self, password: str) -> str:
        """Return what is kept of a password, as few at a time."""
        async with self._hashing:
            return await run_in_threadpool(identity.hashed, password)

    def check(self, token: str, person: Person) -> None:
        """The form token is that of the session. Raises: HTTPException 403."""
        if not hmac.compare_digest(token.encode(), person.csrf.encode()):
            raise HTTPException(403)

    def routes(self) -> list[BaseRoute]:
        """Return the look; signing in and one's own account are beside (`sign_in`, `account`)."""
        return [Mount("/static", StaticFiles(directory=HERE / "static"))]


def _has(person: Person, needed: Needed) -> bool:
    """Tell whether the person may do what is needed, or one of them."""
    if needed is None:
        return True
    return not person.capabilities.isdisjoint({needed} if isinstance(needed, Capability) else needed)


async def fields_of(request: Request) -> dict[str, str]:
    """Return the text fields of a form, whoever sent it.

    Raises: HTTPException 403 when the browser says that another site's page sent it, 400 for no form, 413.
    """
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise HTTPException(403)
    try:
        sent = await bounded(request, DESK_FORM_BYTES_MAX).form(max_files=0)
    except TooLarge:
        raise HTTPException(413) from None
    return {name: value for name, value in sent.items() if isinstance(value, str)}


def peer_of(request: Request) -> str:
    """Return the address that the request came from, of a visitor behind a proxy that is trusted his own."""
    return request.client.host if request.client else ""


def later(response: Response, wait: timedelta) -> Response:
    """Return the answer, which says in whole seconds when to try again."""
    response.headers["Retry-After"] = str(max(ceil(wait.total_seconds()), 1))
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
