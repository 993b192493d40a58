"""The Directory Service of XP Z12-013, edition 1.3: who can be sent an invoice, at which address, under which terms.

Nine reads of the platform's copy of the directory, for every client whose scopes have `directory.read`: what they tell
is public. A search always answers 200, with the exact number of all that it found; a client that sorts by address and
pages with `ignore` sees each address once. An address is given by its line in force, else by the one to come.

Deliberately absent: writing (1.1 had it), numbers of platforms, dates of effect: annex 3 keeps them for platforms.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from estafette.api import directory_answers as answers
from estafette.api import directory_models as wire
from estafette.api import problems
from estafette.api.access import Access
from estafette.api.directory_query import chosen, query_of, search_of
from estafette.api.problems import Problem
from estafette.directory import Establishment, LegalUnit, RoutingCode
from estafette.platform import mirror_search
from estafette.platform.mirror_search import Line, LineStatus, Page, Query
from estafette.store.database import Database
from estafette.values.moments import PARIS

SCOPE = "directory.read"

PREFIXES = ("", "/directory-service", "/afnor-directory")
"""Where clients look for the service; at the root, the Flow Service already says how the platform is."""

WORK = ThreadPoolExecutor(max_workers=2, thread_name_prefix="directory")
"""Where the copy is read: two at a time, since a search by a part of a name reads it whole."""

Answer = TypeVar("Answer")
Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Resource:
    """One of the four things the service tells of: how it is looked for, had by its keys, and put on the wire."""

    shape: type[wire.Search]
    find: Callable[[Connection, Query, date], Page[Any]]
    get: Callable[[Connection, dict[str, str], date], Any]
    told: Callable[[Connection, list[Any], Collection[str]], list[Any]]


def routes(database: Database, access: Access, clock: Callable[[], datetime]) -> list[Route]:
    """Return the routes of the service, at the root and under the prefixes that clients expect."""

    async def read(work: Callable[[Connection, date], Answer]) -> Answer:
        """Do the work on a snapshot of the copy, for this day, away from the event loop."""
        today = clock().astimezone(PARIS).date()

        def done() -> Answer:
            with database.read() as connection:
                return work(connection, today)

        return await asyncio.get_running_loop().run_in_executor(WORK, done)

    def search(resource: _Resource) -> Handler:
        async def handle(request: Request) -> Response:
            access.tenant(request, SCOPE)
            asked = await search_of(request, resource.shape)
            query, include = query_of(asked), getattr(asked, "include", ())

            def work(connection: Connection, today: date) -> tuple[int, list[Any]]:
                page = resource.find(connection, query, today)
                return page.total, resource.told(connection, page.entries, include)

            total, found = await read(work)
            results = [answers.selected(one, asked.fields) for one in found]
            body = {"search": msgspec.to_builtins(asked), "totalNumberOfResults": total, "results": results}
            return JSONResponse(body)

        return _told_twice(handle)

    def get(resource: _Resource) -> Handler:
        async def handle(request: Request) -> Response:
            access.tenant(request, SCOPE)
            keys = _keys(request)
            include = chosen(request, "include", resource.shape)
            fields = chosen(request, "fields", resource.shape)

            def work(connection: Connection, today: date) -> list[Any]:
                held = resource.get(connection, keys, today)
                return resource.told(connection, [held], include) if held else []

            for one in await read(work):
                return JSONResponse(answers.selected(one, fields))
            raise Problem(404, f"{', '.join(keys.values())} : absent de l'annuaire. / Not in the directory.")

        return _told_twice(handle)

    served = [
        Route(prefix + path, handler, methods=[verb])
        for prefix in PREFIXES
        for verb, path, handler in (
            ("POST", "/v1/siren/search", search(SIREN)),
            ("GET", "/v1/siren/code-insee:{siren}", get(SIREN)),
            ("POST", "/v1/siret/search", search(SIRET)),
            ("GET", "/v1/siret/code-insee:{siret}", get(SIRET)),
            ("POST", "/v1/routing-code/search", search(ROUTING_CODE)),
            ("GET", "/v1/routing-code/siret:{siret}/code:{code:path}", get(ROUTING_CODE)),
            ("POST", "/v1/directory-line/search", search(DIRECTORY_LINE)),
            ("GET", "/v1/directory-line/code:{address:path}", get(DIRECTORY_LINE)),
        )
    ]
    return [*served, *(Route(f"{prefix}/v1/healthcheck", _health) for prefix in PREFIXES if prefix)]


async def _health(_request: Request) -> Response:
    return Response(status_code=200)


def _told_twice(handle: Handler) -> Handler:
    """Answer a Problem in the words of 1.2 and 1.3, and in those of 1.1 too."""

    async def guarded(request: Request) -> Response:
        try:
            return await handle(request)
        except Problem as problem:
            answer = problems.answer(problem)
            older = {"message": str(problem), "status": problem.status, "details": str(problem)}
            body = {**msgspec.json.decode(bytes(answer.body)), **older, "instance": request.url.path}
            kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
            return JSONResponse(body, problem.status, headers=kept)

    return guarded


def _keys(request: Request) -> dict[str, str]:
    """Return what the path names. Raises: Problem 400, for a number that is none."""
    keys: dict[str, str] = dict(request.path_params)
    for name, digits in (("siren", 9), ("siret", 14)):
        if name in keys and not re.fullmatch(f"[0-9]{{{digits}}}", keys[name]):
            raise Problem(400, f"{name} : {digits} chiffres attendus. / {digits} digits expected.")
    return keys


# ------------------------------------------------------------------------------------------------------- the resources


def _units(_connection: Connection, entries: list[LegalUnit], _include: Collection[str]) -> list[wire.LegalUnitPayload]:
    return [answers.legal_unit(unit) for unit in entries]


def _facilities(
    connection: Connection, entries: list[Establishment], include: Collection[str]
) -> list[wire.FacilityPayload]:
    units = _units_of(connection, {one.siret for one in entries}, include)
    return [answers.facility(one, units.get(one.siret[:9])) for one in entries]


def _codes(
    connection: Connection, entries: list[RoutingCode], include: Collection[str]
) -> list[wire.RoutingCodePayload]:
    sirets = {code.siret for code in entries}
    units, shops = _units_of(connection, sirets, include), _establishments_of(connection, sirets, include)
    return [answers.routing_code(code, units.get(code.siret[:9]), shops.get(code.siret)) for code in entries]


def _lines(connection: Connection, entries: list[Line], include: Collection[str]) -> list[wire.DirectoryLinePayload]:
    units = _units_of(connection, {line.siren for line in entries}, include)
    shops = _establishments_of(connection, {line.siret for line in entries if line.siret}, include)
    return [answers.line(one, include, units.get(one.siren), shops.get(one.siret or "")) for one in entries]


def _units_of(connection: Connection, numbers: Collection[str], include: Collection[str]) -> dict[str, LegalUnit]:
    wanted = {number[:9] for number in numbers}
    return mirror_search.units_of(connection, wanted) if "siren" in include else {}


def _establishments_of(
    connection: Connection, sirets: Collection[str], include: Collection[str]
) -> dict[str, Establishment]:
    return mirror_search.establishments_of(connection, sirets) if "siret" in include else {}


def _line_now(connection: Connection, keys: dict[str, str], today: date) -> Line | None:
    """Return an address as it is today: one to come is not usable yet, and by its code 1.3 has no word for that."""
    held = mirror_search.line(connection, keys["address"], on=today)
    if held is not None and held.status is LineStatus.UPCOMING:
        return replace(held, status=LineStatus.DISABLED)
    return held


SIREN = _Resource(
    wire.SearchSiren,
    lambda connection, query, _today: mirror_search.legal_units(connection, query),
    lambda connection, keys, _today: mirror_search.legal_unit(connection, keys["siren"]),
    _units,
)
SIRET = _Resource(
    wire.SearchSiret,
    lambda connection, query, _today: mirror_search.establishments(connection, query),
    lambda connection, keys, _today: mirror_search.establishment(connection, keys["siret"]),
    _facilities,
)
ROUTING_CODE = _Resource(
    wire.SearchRoutingCode,
    lambda connection, query, _today: mirror_search.routing_codes(connection, query),
    lambda connection, keys, _today: mirror_search.routing_code(connection, keys["siret"], keys["code"]),
    _codes,
)
DIRECTORY_LINE = _Resource(
    wire.SearchDirectoryLine,
    lambda connection, query, today: mirror_search.lines(connection, query, on=today),
    _line_now,
    _lines,
)
