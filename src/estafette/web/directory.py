"""The public page of the directory: who can be sent an electronic invoice, and at which address. No sign-in, no script.

One company at a time is shown whole: its active establishments, its addresses in force and to come, whether they can
be used, what a public one asks of invoices. No platform, no date, no version number: annex 3 keeps those for
platforms. A search gives a few companies and says when there are more, never how many, nor the next ones; it is by
whole numbers, whole addresses or whole words, and at a person's pace.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from math import ceil

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.directory import DirectoryLine, Establishment
from estafette.directory.diffusion import diffusion
from estafette.directory.resolution import FICTIVE
from estafette.exchange.throttle import Rate, network_of
from estafette.portal import directory_words, holdings
from estafette.portal.directory_limits import PUBLISHED, DirectoryLimits, Limit
from estafette.portal.directory_words import LETTERS_MIN, Shown
from estafette.store.patience import TooLong, patient
from estafette.values.identifiers import ADDRESS, SIREN, SIRET
from estafette.web.desk import Desk, later, peer_of

QUERY_MAX = 150
"""Characters of a search: those of the longest name."""

NOT_INDEXED = {"X-Robots-Tag": "noindex, nofollow"}


class State(Enum):
    """What an address is good for, in French and in English, and how it is shown."""

    USABLE = ("utilisable", "usable", "good")
    COMING = ("à venir", "to come", "wait")
    UNREACHED = ("aucune plateforme choisie", "no platform chosen", "bad")
    STOPPED = ("n'est plus desservie", "no longer served", "bad")


@dataclass(frozen=True, slots=True)
class Address:
    """An address as anyone may see it."""

    line: DirectoryLine
    state: State
    establishment: Establishment | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: companies, whether there are more; or why it cannot be asked."""

    companies: tuple[Shown, ...] = ()
    is_more: bool = False
    fault: tuple[str, str] | None = None


TOO_SHORT = (
    f"Donnez au moins un mot de {LETTERS_MIN} lettres ; les mots se cherchent entiers.",
    f"Give at least one word of {LETTERS_MIN} letters; words are looked for whole.",
)
TOO_WIDE = (
    "Trop de réponses possibles : ajoutez un mot ou la commune.",
    "Too many possible answers: add a word or the town.",
)


class DirectoryPages:
    """The public pages."""

    def __init__(self, desk: Desk, limits: DirectoryLimits = PUBLISHED) -> None:
        self._desk = desk
        self._limits = limits
        per_minute, burst = self._at(Limit.PUBLIC_SEARCHES_A_MINUTE), self._at(Limit.PUBLIC_SEARCHES_AT_ONCE)
        self._rate = Rate(per_minute, burst=burst)

    def routes(self) -> list[BaseRoute]:
        """Return them."""
        return [
            Route("/directory", self._paced(self.search)),
            Route("/directory/{siren:str}", self._paced(self.company)),
        ]

    async def search(self, request: Request) -> Response:
        """Show the form, and the companies that were asked for; one alone is shown at once."""
        query = request.query_params.get("q", "").strip()[:QUERY_MAX]
        found = await self._answered(query) if query else None
        if found and len(found.companies) == 1 and not found.is_more:
            return RedirectResponse(f"/directory/{found.companies[0].unit.siren}", 303)
        status = 400 if found and found.fault else 200
        return self._shown(request, "directory.html", status, query=query, found=found)

    async def company(self, request: Request) -> Response:
        """Show one company."""
        siren = request.path_params["siren"]
        shown = await run_in_threadpool(self._company, siren)
        if shown is None:
            return self._desk.refusal(request, 404)
        company, addresses, is_more = shown
        return self._shown(
            request,
            "directory_company.html",
            company=company,
            addresses=addresses,
            is_more=is_more,
            is_against_prospecting=diffusion(company.unit.diffusion).is_prospecting_forbidden,
            postal=_postal,
        )

    # ------------------------------------------------------------------------------------------------------- finding

    async def _answered(self, query: str) -> Found:
        """Find companies, those too that have just come."""
        if await run_in_threadpool(self._is_behind):
            await self._desk.database.write(directory_words.gather, durable=False)
        return await run_in_threadpool(self._search, query)

    def _is_behind(self) -> bool:
        with self._desk.database.read() as connection:
            return directory_words.is_behind(connection)

    def _search(self, query: str) -> Found:
        try:
            with self._desk.database.read() as connection, patient(connection, self._at(Limit.PUBLIC_SEARCH_S)):
                return self._find(connection, query)
        except TooLong:
            return Found(fault=TOO_WIDE)

    def _company(self, siren: str) -> tuple[Shown, list[Address], bool] | None:
        with self._desk.database.read() as connection:
            return self._one(connection, siren)

    def _find(self, connection: Connection, query: str) -> Found:
        limit = self._at(Limit.PUBLIC_RESULTS)
        if number := _number(query):
            return Found(tuple(directory_words.companies(connection, [number])))
        asked = directory_words.words(query)
        if max(map(len, asked), default=0) < LETTERS_MIN:
            return Found(fault=TOO_SHORT)
        sirens = directory_words.find(connection, asked, limit=limit + 1)
        return Found(tuple(directory_words.companies(connection, sirens[:limit])), len(sirens) > limit)

    def _one(self, connection: Connection, siren: str) -> tuple[Shown, list[Address], bool] | None:
        if not (len(siren) == 9 and siren.isascii() and siren.isdecimal()):
            return None
        company = next(iter(directory_words.companies(connection, [siren], main_only=False)), None)
        if company is None:
            return None
        limit = self._at(Limit.PUBLIC_LINES)
        addresses = self._addresses(connection, company)
        shown = Shown(company.unit, company.establishments[:limit])
        return shown, addresses[:limit], len(addresses) > limit or len(company.establishments) > limit

    def _addresses(self, connection: Connection, company: Shown) -> list[Address]:
        """Return each address once, by the line in force, else the one to come."""
        places = {one.siret: one for one in company.establishments}
        today = self._desk.today()
        held: dict[str, DirectoryLine] = {}
        for line in holdings.lines_of_unit(connection, company.unit.siren):
            is_shown = line.nature == "D" and (line.end is None or (line.end > today and line.end > line.start))
            if is_shown and (line.address not in held or _is_better(line, held[line.address])):
                held[line.address] = line
        return [Address(line, self._state(line), places.get(line.siret or "")) for line in held.values()]

    def _state(self, line: DirectoryLine) -> State:
        today = self._desk.today()
        if line.matricule == FICTIVE:
            return State.UNREACHED
        if line.start > today:
            return State.COMING
        is_stopped = line.effective_end is not None and line.effective_end <= today
        return State.STOPPED if is_stopped else State.USABLE

    # --------------------------------------------------------------------------------------------------------- bounds

    def _at(self, limit: Limit) -> int:
        return self._limits.at(limit, self._desk.today())

    def _paced(self, page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Return the page, for who does not ask too often; an address of version 6 counts with its network."""

        async def paced(request: Request) -> Response:
            if wait := self._rate.take(network_of(peer_of(request)), self._desk.clock()):
                seconds = max(ceil(wait.total_seconds()), 1)
                heading = ("Trop de recherches", "Too many searches")
                text = (f"Attendez {seconds} s, puis recommencez.", f"Wait {seconds} s, then start over.")
                return later(self._desk.notice(request, 429, heading, text, back="/directory"), wait)
            return await page(request)

        return paced

    def _shown(self, request: Request, template: str, status: int = 200, **values: object) -> Response:
        answer = self._desk.render(request, template, status, **values)
        answer.headers.update(NOT_INDEXED)
        return answer


def _number(query: str) -> str | None:
    """Return the SIREN of a whole SIREN, SIRET or electronic address; None for a name."""
    if SIREN.is_valid(query):
        return SIREN.compact(query)
    if SIRET.is_valid(query):
        return SIRET.compact(query)[:9]
    return query[:9] if "_" in query and ADDRESS.is_valid(query) else None


def _is_better(line: DirectoryLine, other: DirectoryLine) -> bool:
    """Tell which of two lines of an address to show: the one that starts first, unless it was withdrawn."""
    return (other.effective_end is not None, line.start) > (line.effective_end is not None, other.start)


def _postal(one: Establishment) -> Iterable[str]:
    """Return the lines of a postal address that may be shown."""
    street = (one.line_1, one.line_2, one.line_3) if diffusion(one.diffusion).is_street_published else ()
    town = " ".join(part for part in (one.postal_code, one.city) if part)
    return [line for line in (*street, town) if line]
