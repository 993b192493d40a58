"""The portal's directory API for registered platforms (PPF API publique annuaire, 1.11.0): reads.

Every operation of the published contract is served under its published path, `/ppf/annuaire-public/v1`; the writes are
in `portal_directory_writes`. A search answers 200 when it gives all that it found, 206 when there is more, 204 when
there is nothing; one that takes too long is stopped (408). An error is `application/problem+json` in the language
asked. Deliberately absent: companies and their software, who have the Directory Service of XP Z12-013 on their
platform.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Literal, TypeVar, get_args

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from estafette.api import portal_directory_answers as answers
from estafette.api import portal_directory_models as wire
from estafette.api import portal_directory_searches as searches
from estafette.api.contract import JSON, Operation, Parameter
from estafette.api.portal_directory_access import READ, PlatformAccess
from estafette.api.portal_directory_errors import guarded, language_of
from estafette.api.portal_directory_query import asked_of, chosen, day_of, search_of
from estafette.api.problems import Problem
from estafette.directory import DirectoryLine, Establishment, LegalUnit, RoutingCode
from estafette.exchange.actor import Actor
from estafette.portal import directory_search
from estafette.portal.directory_limits import DirectoryLimits, Limit
from estafette.portal.holdings import Version
from estafette.store.patience import TooLong, patient
from estafette.values.moments import paris_day

REFUSALS = (400, 401, 403, 404, 408, 422, 429, 500, 501, 503)
WORK = ThreadPoolExecutor(max_workers=2, thread_name_prefix="annuaire")
"""Where the directory is read: two at a time, since a search by a part of a name reads it whole."""

INSTANCE_MAX = 2**31 - 1
"""The greatest number of an instance that any engine keeps."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Resource:
    """One of the four things the API tells of: its path, what it is looked for, had and told by."""

    name: str
    tag: str
    kind: type[Any]
    search: Any
    found: Any
    payload: Any
    version: Any
    fields: Any
    include: Any
    by: str
    """Its path by its key, as it is published."""
    route: str
    """The same as the router writes it."""
    keys: dict[str, str]
    """The columns that the parts of that path name."""


Include = Literal["siren", "siret", "codeRoutage", "plateforme"]
SIREN = Resource(
    "siren", "Siren", LegalUnit, searches.SearchSiren, searches.FoundUnits, wire.UnitPayload, wire.UnitPayload,
    wire.SirenField, None, "/siren/code-insee:{siren}", "/siren/code-insee:{siren}", {"siren": "siren"},
)  # fmt: skip
SIRET = Resource(
    "siret", "Siret", Establishment, searches.SearchSiret, searches.FoundEstablishments, wire.EstablishmentPayload,
    wire.EstablishmentVersion, wire.SiretField, Literal["siren"], "/siret/code-insee:{siret}",
    "/siret/code-insee:{siret}", {"siret": "siret"},
)  # fmt: skip
CODE = Resource(
    "code-routage", "Code routage", RoutingCode, searches.SearchRoutingCode, searches.FoundRoutingCodes,
    wire.RoutingCodePayload, wire.RoutingCodeVersion, wire.RoutingCodeField, Literal["siren", "siret"],
    "/code-routage/siret:{siret}/code:{identifiant-routage}", "/code-routage/siret:{siret}/code:{code:path}",
    {"siret": "siret", "code": "code"},
)  # fmt: skip
LINE = Resource(
    "ligne-annuaire", "Ligne annuaire", DirectoryLine, searches.SearchLine, searches.FoundLines, wire.LinePayload,
    wire.LineVersion, wire.LineField, Include, "/ligne-annuaire/code:{identifiant-adressage}",
    "/ligne-annuaire/code:{address:path}", {"address": "address"},
)  # fmt: skip
RESOURCES = (SIREN, SIRET, CODE, LINE)


class AnnuaireService:
    """The reads of the API."""

    def __init__(self, actor: Actor, access: PlatformAccess, limits: DirectoryLimits) -> None:
        self.actor = actor
        self.access = access
        self.limits = limits

    def operations(self) -> list[Operation]:
        """Return what is served, in the order of the published contract."""
        reads = [operation for resource in RESOURCES for operation in self._of(resource)]
        health = Operation(
            "GET", "/healthcheck", "getHealth", "État du service. / State of the service.", _health, {200: {}},
            refusals=(500, 503), tag="Superviseur",
        )  # fmt: skip
        return [*reads, health]

    def _of(self, resource: Resource) -> list[Operation]:
        named = resource.name.replace("-", "_")
        shared: dict[str, Any] = {"refusals": REFUSALS, "tag": resource.tag, "scope": READ}
        include = (_listed("inclure", resource.include),) if resource.include else ()
        fields = _listed("champs", resource.fields)
        page = {JSON: resource.found}
        return [
            Operation(
                "POST", f"/{resource.name}/recherche", f"{named}_search", "Recherche. / Search.",
                guarded(partial(self._search, resource)), {200: page, 206: page, 204: {}},
                body=(JSON, (resource.search,)), **shared,
            ),
            Operation(
                "GET", resource.by, f"{named}_get", "Consultation par clé. / Read by key.",
                guarded(partial(self._by_key, resource)), {200: {JSON: resource.payload}}, route=resource.route,
                parameters=(*_in_path(resource), _OBSERVED, fields, *include), **shared,
            ),
            Operation(
                "GET", f"/{resource.name}/id-instance:{{id-instance}}", f"{named}_instance",
                "Consultation d'une version. / Read one version.", guarded(partial(self._by_instance, resource)),
                {200: {JSON: resource.version}}, route=f"/{resource.name}/id-instance:{{instance}}",
                parameters=(ID_INSTANCE, fields), **shared,
            ),
        ]  # fmt: skip

    # ----------------------------------------------------------------------------------------------------- the reads

    async def _search(self, resource: Resource, request: Request) -> Response:
        self.access.speaker(request, READ)
        search = await search_of(request, resource.search)
        today = self.today()
        page, page_max = self.limits.at(Limit.PAGE, today), self.limits.at(Limit.PAGE_MAX, today)
        asked = asked_of(search, resource.kind, page=page, page_max=page_max)
        include = frozenset(getattr(search, "inclure", ()))

        def work(connection: Connection) -> tuple[int, list[Any]]:
            total, found = directory_search.find(connection, resource.kind, asked, today=today)
            return total, self._told(connection, found, include, search.champs)

        total, results = await self.read(work)
        if not results:
            return Response(status_code=204, headers={"Content-Language": language_of(request)})
        body = {"recherche": search, "nombre_total_resultats": total, "resultats": results}
        return answer(request, body, 200 if asked.ignore + len(results) >= total else 206)

    async def _by_key(self, resource: Resource, request: Request) -> Response:
        self.access.speaker(request, READ)
        keys, on = _keys(request, resource), day_of(request)
        include = chosen(request, "inclure", resource.include) if resource.include else frozenset()
        today = self.today()
        find = partial(directory_search.by_key, kind=resource.kind, key=keys, on=on, today=today)
        return await self._one(request, resource, find, include)

    async def _by_instance(self, resource: Resource, request: Request) -> Response:
        self.access.speaker(request, READ)
        find = partial(directory_search.by_instance, kind=resource.kind, instance=instance_of(request))
        return await self._one(request, resource, find, frozenset())

    async def _one(
        self,
        request: Request,
        resource: Resource,
        find: Callable[[Connection], Version | None],
        include: frozenset[str],
    ) -> Response:
        fields = chosen(request, "champs", resource.fields)

        def work(connection: Connection) -> list[Any]:
            held = find(connection)
            return self._told(connection, [held], include, fields) if held else []

        for one in await self.read(work):
            return answer(request, one)
        raise Problem(404, "Absent de l'annuaire. / Not in the directory.")

    def _told(self, connection: Connection, found: list[Version], include: frozenset[str], fields: Any) -> list[Any]:
        near = answers.beside(connection, found, include)
        today = self.today()
        return [answers.selected(answers.told(version, near, today=today), fields) for version in found]

    async def read(self, work: Callable[[Connection], Answer]) -> Answer:
        """Do the work on a snapshot, away from the event loop, for so long. Raises: Problem 408."""
        seconds = self.limits.at(Limit.SEARCH_S, self.today())

        def done() -> Answer:
            with self.actor.database.read() as connection, patient(connection, seconds):
                return work(connection)

        try:
            return await asyncio.get_running_loop().run_in_executor(WORK, done)
        except TooLong:
            text = "Recherche trop longue : précisez-la. / The search takes too long: make it more precise."
            raise Problem(408, text) from None

    def today(self) -> date:
        """Return the day it is in France."""
        return paris_day(self.actor.clock())


def answer(request: Request, body: Any, status: int = 200) -> Response:
    """Return what is answered, in JSON."""
    headers = {"Content-Language": language_of(request)}
    return Response(msgspec.json.encode(body), status, headers, media_type=JSON)


def instance_of(request: Request) -> int:
    """Return the number of the version that the path names. Raises: Problem 400, 404."""
    text = request.path_params["instance"]
    if not (text.isascii() and text.isdecimal()):
        raise Problem(400, f"id-instance : {text[:20]}? → nombre entier / whole number")
    if len(text) > 10 or int(text) > INSTANCE_MAX:
        raise Problem(404, "Absent de l'annuaire. / Not in the directory.")
    return int(text)


async def _health(_request: Request) -> Response:
    return Response(status_code=200)


def _keys(request: Request, resource: Resource) -> dict[str, str]:
    """Return what the path names. Raises: Problem 400, for a number that is none."""
    keys = {column: str(request.path_params[name]) for name, column in resource.keys.items()}
    for name, digits in (("siren", 9), ("siret", 14)):
        value = keys.get(name, "0" * digits)
        if not (len(value) == digits and value.isascii() and value.isdecimal()):
            raise Problem(400, f"{name} : {digits} chiffres attendus. / {digits} digits expected.")
    if any(len(value) > 125 or "\x00" in value for value in keys.values()):
        raise Problem(400, "Identifiant de plus de 125 caractères. / Identifier of more than 125 characters.")
    return keys


_OBSERVED = Parameter("dateObservation", "query", {"type": "string", "format": "date"})
ID_INSTANCE = Parameter("id-instance", "path", {"type": "integer"})


def _in_path(resource: Resource) -> tuple[Parameter, ...]:
    texts = {
        "siren": {"type": "string", "pattern": "^[0-9]{9}$", "maxLength": 9},
        "siret": {"type": "string", "pattern": "^[0-9]{14}$", "maxLength": 14},
        "identifiant-routage": {"type": "string", "maxLength": 100},
        "identifiant-adressage": {"type": "string", "maxLength": 125},
    }
    return tuple(Parameter(name, "path", schema) for name, schema in texts.items() if f"{{{name}}}" in resource.by)


def _listed(name: str, values: Any) -> Parameter:
    items = {"type": "string", "enum": list(get_args(values))}
    return Parameter(name, "query", {"type": "array", "items": items}, "Séparés par des virgules. / Comma-separated.")
