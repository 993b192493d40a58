"""Who may reach what, generated: every route of every actor, asked by everyone there is, against one table.

A route is asked by a stranger, people of every role, people of another company, a firm with and without a delegation,
software of every scope, and the operator's token. What the table does not say is refused; a route that has no row in
the table fails, and so does a row that has no route.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlencode

import argon2
import pytest
import structlog
from sqlalchemy import Connection, insert, select, update
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Message
from tests.web.world import an_invoice

from estafette.circuit.compose import compose
from estafette.circuit.network import SEATS, Network
from estafette.circuit.operators import operator_token
from estafette.circuit.running import Running
from estafette.directory import ReceivingPlatform
from estafette.platform import tables
from estafette.platform.keeping_package import Asked
from estafette.platform.mirror_tables import mirror_line, mirror_unit
from estafette.portal import platform_clients
from estafette.portal.register import Register, Source
from estafette.simulation.ubl import ubl
from estafette.store import identity, identity_accreditations, jobs
from estafette.store.identity_events import By
from estafette.store.roles import ROLES, SCOPES
from estafette.store.tables import account, client

HERE, THERE, FIRM, READER_FIRM = "100000009", "200000008", "300000007", "400000006"
COMPANIES = (HERE, THERE, FIRM, READER_FIRM)
PROVIDER = "openid: {issuer: http://127.0.0.1:1, client_id: a, client_secret: b, desk: http://127.0.0.1:8401}"
"""A provider that is not there: how it is spoken to is proved elsewhere."""

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
SECRET = "a secret of 256 bits, or nearly"
ACTORS = {seat.name: seat for seat in SEATS if seat.name != "platform-b"}

ADMINISTRATOR, ACCOUNTANT, READER = "administrator", "accountant", "reader"
ELSEWHERE, WRITES_FOR, READS_FOR = "administrator of another", "firm that may write", "firm that may read"
ENDED, UNKNOWN, UNPROVEN = "firm that may no more", "person of no known role", "administrator without the second factor"
OPERATOR, AGENT, NOBODY, TOKEN = "operator", "agent", "nobody", "operator's token"
OF_A_PLATFORM = "platform"
"""A person of a platform, at the portal; elsewhere, where nobody opens such an account, it opens nothing."""

OURS = {f"{scope} here": scope for scope in SCOPES}
FOREIGN = "every scope, of another"
SOFTWARE_FOR, SOFTWARE_READS_FOR, SOFTWARE_ENDED = "software of a writer", "software of a reader", "software of no more"
OF_PLATFORM, READS_OF_PLATFORM = "software of a platform", "software of a platform that reads"
"""They speak to the portal's directory API alone; whatever needs no company is theirs as anybody's with a token."""

INTRUDER, REVOKED = "software that names another", "software taken away"

READERS = {ADMINISTRATOR, ACCOUNTANT, READER, WRITES_FOR, READS_FOR}
WRITERS = {ADMINISTRATOR, ACCOUNTANT, WRITES_FOR}
OTHERS = {ELSEWHERE, ENDED}
"""Who has a desk of another company: whatever is not of one company is its own, what is of one is not found."""

PEOPLE = READERS | OTHERS | {OPERATOR, UNKNOWN, AGENT, OF_A_PLATFORM}
ALL_SOFTWARE = {*OURS, FOREIGN, SOFTWARE_FOR, SOFTWARE_READS_FOR, SOFTWARE_ENDED}


@dataclass(frozen=True)
class Row:
    """What the table says of a route: who is served, who is told that there is nothing; everyone else is refused."""

    served: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    is_public: bool = False


def desk(served: set[str], *, others: bool = True) -> Row:
    """Say that these people are served; whoever is of another company too, for its own."""
    return Row(frozenset(served | (OTHERS if others else set())))


def of_one(served: set[str], absent: set[str] = OTHERS) -> Row:
    """Say that these are served what is of one company, and that for the others there is nothing."""
    return Row(frozenset(served), frozenset(absent))


def scoped(*scopes: str) -> set[str]:
    """Give the software of the company that has one of the scopes."""
    return {name for name, scope in OURS.items() if scope in scopes}


PUBLIC = Row(is_public=True)
OPERATORS_ONLY = Row(frozenset({TOKEN}))
OPERATORS_FIND_NOTHING = Row(absent=frozenset({TOKEN}))
NO_ONE = Row()
"""Nobody here: a message is taken from a peer that signed it."""

READS = scoped("flow.read") | {SOFTWARE_FOR, SOFTWARE_READS_FOR}
SENDS = scoped("flow.write") | {SOFTWARE_FOR}
CALLED = scoped("webhook.write") | {FOREIGN, SOFTWARE_FOR, SOFTWARE_READS_FOR}
REPORTS = scoped("report.write") | {FOREIGN, SOFTWARE_FOR}
RESTITUTES = scoped("archive.read") | {FOREIGN}
LOOKS_UP = scoped("directory.read") | {FOREIGN, SOFTWARE_FOR, SOFTWARE_READS_FOR}

EVERY_ACTOR = {
    "GET /health": PUBLIC,
    "GET /ready": PUBLIC,
    "GET /metrics": OPERATORS_ONLY,
    "POST /exchange/v1/messages": NO_ONE,
    "GET /exchange/v1/identity": PUBLIC,
    "GET /static": PUBLIC,
    "GET /sign-in": PUBLIC,
    "POST /sign-in": PUBLIC,
    "GET /sign-in/code": Row(frozenset(PEOPLE | {UNPROVEN})),
    "POST /sign-in/code": Row(frozenset(PEOPLE)),
    "POST /sign-out": Row(frozenset(PEOPLE | {UNPROVEN})),
    "GET /account": Row(frozenset(PEOPLE)),
    "GET /account/password": Row(frozenset(PEOPLE)),
    "POST /account/password": Row(frozenset(PEOPLE)),
    "GET /account/factor": Row(frozenset(PEOPLE)),
    "POST /account/factor": Row(frozenset(PEOPLE)),
    "POST /account/sessions": Row(frozenset(PEOPLE)),
    "GET /places": Row(frozenset(PEOPLE)),
    "POST /places": Row(frozenset(PEOPLE)),
    "GET /operator/v1/alarms": OPERATORS_ONLY,
    "GET /operator/v1/waiting": OPERATORS_ONLY,
    "GET /operator/v1/jobs": OPERATORS_ONLY,
    "GET /operator/v1/processes": OPERATORS_ONLY,
    "POST /operator/v1/jobs/retry": OPERATORS_FIND_NOTHING,
    "POST /operator/v1/jobs/{number:int}/{verb}": OPERATORS_FIND_NOTHING,
    "GET /operations": Row(frozenset({OPERATOR})),
    "POST /operations/jobs/retry": Row(absent=frozenset({OPERATOR})),
    "POST /operations/jobs/{number:row}/retry": Row(absent=frozenset({OPERATOR})),
}

FLOWS = {
    "POST /v1/flows": Row(frozenset(SENDS | {FOREIGN})),
    "POST /v1/flows/search": Row(frozenset(READS | {FOREIGN})),
    "GET /v1/flows/{flowId}": of_one(READS, {FOREIGN}),
    "GET /v1/healthcheck": PUBLIC,
    "POST /v1/webhooks": Row(frozenset(CALLED)),
    "GET /v1/webhooks": Row(frozenset(CALLED)),
    "GET /v1/webhooks/{webhookUid}": Row(absent=frozenset(CALLED)),
    "PATCH /v1/webhooks/{webhookUid}": Row(absent=frozenset(CALLED)),
    "DELETE /v1/webhooks/{webhookUid}": Row(absent=frozenset(CALLED)),
    "POST /v1/webhooks/{webhookUid}/replay": Row(absent=frozenset(CALLED)),
}
REPORTING = {
    "POST /reporting/v1/records": Row(frozenset(REPORTS)),
    "GET /reporting/v1/drafts": Row(frozenset(READS | {FOREIGN})),
    "GET /reporting/v1/drafts/{role}/{kind}/{day}": Row(frozenset(READS | {FOREIGN})),
    "GET /reporting/v1/drafts/{role}/{kind}/{day}/document": Row(frozenset(READS | {FOREIGN})),
    "POST /reporting/v1/drafts/{role}/{kind}/{day}/transmission": Row(frozenset(REPORTS)),
}
ARCHIVE = {
    "POST /archive/v1/packages": Row(frozenset(RESTITUTES)),
    "GET /archive/v1/packages": Row(frozenset(RESTITUTES)),
    "GET /archive/v1/packages/{packageId}": of_one(scoped("archive.read"), {FOREIGN}),
    "GET /archive/v1/packages/{packageId}/content": of_one(scoped("archive.read"), {FOREIGN}),
}
DIRECTORY = {
    "POST /v1/siren/search": Row(frozenset(LOOKS_UP)),
    "GET /v1/siren/code-insee:{siren}": Row(frozenset(LOOKS_UP)),
    "POST /v1/siret/search": Row(frozenset(LOOKS_UP)),
    "GET /v1/siret/code-insee:{siret}": Row(frozenset(LOOKS_UP)),
    "POST /v1/routing-code/search": Row(frozenset(LOOKS_UP)),
    "GET /v1/routing-code/siret:{siret}/code:{code:path}": Row(frozenset(LOOKS_UP)),
    "POST /v1/directory-line/search": Row(frozenset(LOOKS_UP)),
    "GET /v1/directory-line/code:{address:path}": Row(absent=frozenset(LOOKS_UP)),
    "GET /v1/healthcheck": PUBLIC,
}
VERBS = frozenset(ALL_SOFTWARE - {SOFTWARE_ENDED})


def under(prefix: str, rows: dict[str, Row]) -> dict[str, Row]:
    """Give the same rows under a prefix."""
    return {name.replace(" ", f" {prefix}", 1): row for name, row in rows.items()}


PLATFORM = {
    **EVERY_ACTOR,
    "GET /": desk(READERS),
    "GET /issued": desk(READERS),
    "GET /issued/export": desk(READERS),
    "GET /received": desk(READERS),
    "GET /received/export": desk(READERS),
    "GET /deposits": desk(READERS),
    "GET /deposit": desk(WRITERS),
    "POST /deposit": desk(WRITERS),
    "GET /flows/{flow_id}": of_one(READERS),
    "GET /invoices/{invoice_id}": of_one(READERS),
    "POST /invoices/{invoice_id}": of_one(WRITERS),
    "GET /invoices/{invoice_id}/original": of_one(READERS),
    "GET /invoices/{invoice_id}/readable": of_one(READERS),
    "GET /invoices/{invoice_id}/documents/{place:row}": of_one(set(), READERS | OTHERS),
    "GET /reports": desk(READERS),
    "POST /reports/files": desk(WRITERS),
    "GET /reports/files/{file_id}": of_one(set(), READERS | OTHERS),
    "POST /reports/days": desk(WRITERS),
    "POST /reports/regime": desk(WRITERS),
    "GET /reports/{role}/{kind}/{day}": desk(READERS),
    "POST /reports/{role}/{kind}/{day}": desk(WRITERS),
    "GET /reports/{role}/{kind}/{day}/document": desk(READERS),
    "GET /addresses": desk(READERS),
    "POST /addresses": desk({ADMINISTRATOR}),
    "GET /access": desk({ADMINISTRATOR, OPERATOR}),
    "POST /access": desk({ADMINISTRATOR, OPERATOR}),
    "GET /access/clients": desk({ADMINISTRATOR}),
    "POST /access/clients": desk({ADMINISTRATOR}),
    "GET /access/accreditations": desk({ADMINISTRATOR}),
    "POST /access/accreditations": desk({ADMINISTRATOR}),
    "GET /access/journal": desk({ADMINISTRATOR, OPERATOR}),
    **FLOWS,
    **under("/flow-service", FLOWS),
    **under("/afnor-flow", FLOWS),
    "GET /flow-service/openapi.json": PUBLIC,
    "GET /afnor-flow/openapi.json": PUBLIC,
    "GET /archives": desk(READERS),
    "POST /archives": desk({ADMINISTRATOR}),
    "GET /archives/invoices/{invoice_id}/proof": of_one(READERS),
    "GET /archives/packages": desk({ADMINISTRATOR, ACCOUNTANT}),
    "POST /archives/packages": desk({ADMINISTRATOR, ACCOUNTANT}),
    "GET /archives/packages/{package_id}": of_one({ADMINISTRATOR, ACCOUNTANT}),
    "GET /archives/journal": desk({ADMINISTRATOR}),
    "POST /archives/journal": desk({ADMINISTRATOR}),
    **ARCHIVE,
    **REPORTING,
    **DIRECTORY,
    **under("/directory-service", DIRECTORY),
    **under("/afnor-directory", DIRECTORY),
    "POST /oauth2/token": PUBLIC,
    "POST /oauth/token": PUBLIC,
    "POST /v1/convert": Row(VERBS),
    "POST /v1/show": Row(VERBS),
    "POST /v1/complete": Row(VERBS),
    "POST /v1/diff": Row(VERBS),
    "POST /v1/check": Row(VERBS),
    "GET /v1/invoice.schema.json": PUBLIC,
    "POST /operator/v1/companies": OPERATORS_ONLY,
    "POST /operator/v1/declarations/{interface}/again": OPERATORS_FIND_NOTHING,
    "GET /operator/v1/state": OPERATORS_ONLY,
    "PUT /operator/v1/clients/{client_id}/view": OPERATORS_ONLY,
}
OF_PLATFORMS = frozenset({OF_PLATFORM, READS_OF_PLATFORM})
ANNUAIRE = {
    "POST /siren/recherche": Row(OF_PLATFORMS),
    "GET /siren/code-insee:{siren}": Row(absent=OF_PLATFORMS),
    "GET /siren/id-instance:{instance}": Row(absent=OF_PLATFORMS),
    "POST /siret/recherche": Row(OF_PLATFORMS),
    "GET /siret/code-insee:{siret}": Row(OF_PLATFORMS),
    "GET /siret/id-instance:{instance}": Row(absent=OF_PLATFORMS),
    "POST /code-routage/recherche": Row(OF_PLATFORMS),
    "GET /code-routage/siret:{siret}/code:{code:path}": Row(OF_PLATFORMS),
    "GET /code-routage/id-instance:{instance}": Row(absent=OF_PLATFORMS),
    "POST /ligne-annuaire/recherche": Row(OF_PLATFORMS),
    "GET /ligne-annuaire/code:{address:path}": Row(absent=OF_PLATFORMS),
    "GET /ligne-annuaire/id-instance:{instance}": Row(absent=OF_PLATFORMS),
    "GET /healthcheck": PUBLIC,
    "POST /code-routage": Row(frozenset({OF_PLATFORM})),
    "PUT /code-routage/id-instance:{instance}": Row(frozenset({OF_PLATFORM})),
    "PATCH /code-routage/id-instance:{instance}": Row(frozenset({OF_PLATFORM})),
    "POST /ligne-annuaire": Row(frozenset({OF_PLATFORM})),
    "PUT /ligne-annuaire/id-instance:{instance}": Row(frozenset({OF_PLATFORM})),
    "PATCH /ligne-annuaire/id-instance:{instance}": Row(frozenset({OF_PLATFORM})),
    "DELETE /ligne-annuaire/id-instance:{instance}": Row(absent=frozenset({OF_PLATFORM})),
    "GET /openapi.json": PUBLIC,
}
"""The portal's directory API; who is served is told that the number is malformed, or the body, which is empty."""

PORTAL = {
    **PLATFORM,
    **{name: Row(VERBS | OF_PLATFORMS) for name, row in PLATFORM.items() if row == Row(VERBS)},
    "GET /watch": Row(frozenset({OPERATOR, OF_A_PLATFORM})),
    "POST /operator/v1/platforms/{matricule}/accounts": OPERATORS_ONLY,
    "DELETE /operator/v1/platforms/{matricule}/accounts/{login}": OPERATORS_FIND_NOTHING,
    "GET /operator/v1/watch": OPERATORS_ONLY,
    "GET /ppf/concentrator/v1/watch": Row(OF_PLATFORMS),
    "POST /operator/v1/directory": OPERATORS_ONLY,
    "GET /operator/v1/connections": OPERATORS_ONLY,
    "PUT /operator/v1/connections/{code}": OPERATORS_ONLY,
    "POST /operator/v1/connections/{code}/purged": OPERATORS_FIND_NOTHING,
    "POST /operator/v1/platforms/{matricule}/clients": OPERATORS_ONLY,
    "DELETE /operator/v1/platforms/{matricule}/clients/{client_id}": OPERATORS_FIND_NOTHING,
    **under("/ppf/annuaire-public/v1", ANNUAIRE),
    "GET /operator/v1/openings": OPERATORS_ONLY,
    "GET /opening": PUBLIC,
    "POST /opening": PUBLIC,
    "GET /opening/confirm": PUBLIC,
    "POST /opening/confirm": PUBLIC,
    "GET /directory": PUBLIC,
    "GET /directory/{siren:str}": PUBLIC,
}

DECIDES = Row(frozenset({AGENT}))
NOT_FOUND = Row(absent=frozenset({AGENT}))
ADMINISTRATION = {
    **EVERY_ACTOR,
    "GET /": DECIDES,
    "GET /returns": DECIDES,
    "GET /returns/{siren:str}/{month:str}": DECIDES,
    "GET /returns/{siren:str}/{month:str}/{line:str}/{column:str}": NOT_FOUND,
    "GET /facts/{seller:str}/{year:row}/{number:path}": NOT_FOUND,
    "GET /platforms": PUBLIC,
    "GET /registrations": DECIDES,
    "GET /registrations/new": DECIDES,
    "POST /registrations/new": DECIDES,
    "GET /registrations/{id:row}": NOT_FOUND,
    "POST /registrations/{id:row}": DECIDES,
    "GET /pilot": DECIDES,
    "GET /pilot/new": DECIDES,
    "POST /pilot/new": DECIDES,
    "GET /pilot/{id:row}": NOT_FOUND,
    "POST /pilot/{id:row}": DECIDES,
    "GET /activity": DECIDES,
    "GET /alerts": DECIDES,
    "GET /alerts/{id:row}": NOT_FOUND,
    "POST /alerts/{id:row}": DECIDES,
    "GET /api/returns/{siren:str}/{month:str}": OPERATORS_ONLY,
    "GET /api/facts/{seller:str}/{year:row}/{number:path}": OPERATORS_FIND_NOTHING,
    "GET /api/alerts": OPERATORS_ONLY,
    "GET /api/activity": OPERATORS_ONLY,
    "GET /api/registrations": OPERATORS_ONLY,
    "POST /api/registrations": OPERATORS_ONLY,
    "POST /api/registrations/{id:row}/review": OPERATORS_FIND_NOTHING,
    "POST /api/registrations/{id:row}/decision": OPERATORS_ONLY,
    "POST /api/registrations/{id:row}/connection": OPERATORS_ONLY,
    "POST /api/pilot/campaigns": OPERATORS_ONLY,
    "POST /api/pilot/applications": OPERATORS_ONLY,
    "POST /api/pilot/applications/{id:row}/decision": OPERATORS_ONLY,
    "POST /api/pilot/applications/{id:row}/team": OPERATORS_ONLY,
    "POST /operator/v1/accounts": OPERATORS_ONLY,
}
OPTIONAL = {
    "GET /sign-in/openid": PUBLIC,
    "GET /sign-in/openid/back": PUBLIC,
    "PUT /operator/v1/companies/{siren}/sftp-keys": OPERATORS_ONLY,
}
"""What an actor serves where its settings ask for it: a provider of identity, deposits by SFTP."""

TABLE = {"platform-a": {**PLATFORM, **OPTIONAL}, "portal": PORTAL, "administration": ADMINISTRATION}


def verbs_of(routes: list[BaseRoute]) -> dict[str, str]:
    """Name every method and path that an application answers, with the path that is asked."""
    found = {}
    for route in routes:
        assert isinstance(route, Route | Mount), f"a kind of route that is not walked: {route}"
        methods = {"GET"} if isinstance(route, Mount) else (route.methods or set()) - {"HEAD"}
        found |= {f"{method} {route.path}": route.path for method in methods}
    return found


@dataclass
class House:
    """An actor at home, with everybody at its door. `held`: what is of the company, by the name of a path's part."""

    running: Running
    token: str
    now: datetime = NOW
    held: dict[str, str] = field(default_factory=lambda: {"siren": HERE, "address": HERE, "month": "2026-09"})
    bearers: dict[str, dict[str, str]] = field(default_factory=dict)

    def ask(self, who: str, verb: str) -> str:
        """Ask a route as somebody would; return the outcome: served, refused or absent."""
        method, _, path = verb.partition(" ")
        for name in re.findall(r"\{(\w+)", path):
            path = re.sub(rf"\{{{name}(:\w+)?\}}", self.held.get(name, "1"), path)
        headers, fields = self._proof(who)
        body = urlencode(fields).encode() if method == "POST" and "cookie" in headers else b""
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        status, location = asyncio.run(self._ask(method, path, headers, body))
        if verb == "POST /sign-out" and "cookie" in headers:
            return "served" if location == "/sign-in" and not self._is_open(headers["cookie"]) else "refused"
        is_unsigned = verb.startswith("POST /exchange/") and status >= 400
        if status in (401, 403) or is_unsigned or location.startswith(("/sign-in", "/access", "/watch")):
            return "refused"
        return "absent" if status == 404 else "served"

    def _proof(self, who: str) -> tuple[dict[str, str], dict[str, str]]:
        """Give what a person's browser or a piece of software sends to say who it is; each time a new session."""
        if who == TOKEN:
            return {"authorization": f"Bearer {self.token}"}, {}
        if who in self.bearers:
            return dict(self.bearers[who]), {}
        if who == NOBODY:
            return {}, {}
        database = self.running.actor.database
        with database.begin() as connection:
            value = identity.open_session(connection, login=who, now=self.now)
            if who in (WRITES_FOR, READS_FOR):
                firm = FIRM if who == WRITES_FOR else READER_FIRM
                assert identity.choose(connection, value, organization=HERE, through=firm, now=self.now)
            person = identity.person(connection, value, now=self.now)
        assert person is not None
        fields = {"csrf": person.csrf, "organization": person.tenant or "", "through": person.through or ""}
        return {"cookie": f"estafette-{self.running.actor.name}={value}", "accept": "text/html"}, fields

    def _is_open(self, cookie: str) -> bool:
        with self.running.actor.database.read() as connection:
            return identity.person(connection, cookie.partition("=")[2], now=self.now) is not None

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": method,
            "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": raw,
            "scheme": "http", "server": ("test", 80), "client": ("192.0.2.1", 1),
        }  # fmt: skip
        heard: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            heard.append(message)

        await self.running.application(scope, receive, send)
        assert heard[0]["status"] != 500, (method, path, heard)
        return heard[0]["status"], dict(heard[0]["headers"]).get(b"location", b"").decode()


def opened(folder: Path, name: str) -> House:
    """Open an actor with everybody in it."""
    if name == "platform-a":
        (folder / name).mkdir()
        (folder / name / "sign-in.yaml").write_text(PROVIDER)
        (folder / "network.yaml").write_text("actors: {platform-a: {sftp: {port: 8422}}}")
    running = compose(ACTORS[name], Network(folder, 8400), lambda: NOW)
    house = House(running, operator_token(folder / name))
    accounts = {OPERATOR: ("operator", None), AGENT: ("agent", None), UNKNOWN: ("king", HERE)}
    if name != "administration":
        accounts |= {role: (role, HERE) for role in (ADMINISTRATOR, ACCOUNTANT, READER)}
        accounts |= {ELSEWHERE: (ADMINISTRATOR, THERE), ENDED: (ADMINISTRATOR, THERE)}
        accounts |= {WRITES_FOR: (ADMINISTRATOR, FIRM), READS_FOR: (ADMINISTRATOR, READER_FIRM)}
        accounts |= {UNPROVEN: (ADMINISTRATOR, HERE), OF_A_PLATFORM: (OF_A_PLATFORM, "0003")}
    with running.actor.database.begin() as connection:
        for login, (role, tenant) in accounts.items():
            identity.add_account(connection, login=login, held="-", role=role, tenant=tenant, now=house.now)
        if name != "administration":
            _companies(connection, house)
        if name == "portal":
            _platform(connection, house)
    if name != "administration":
        _invoice(house)
    return house


def _companies(connection: Connection, house: House) -> None:
    """The companies, their software, what they let each other do; one account waits for its second factor."""
    now, on = house.now, house.now.date()
    for number, siren in enumerate(COMPANIES, 1):
        row = {"siren": siren, "name": siren, "status_address": siren, "opened_at": now}
        connection.execute(insert(tables.company).values(row))
        connection.execute(insert(mirror_unit).values(siren=siren, name=siren, entity_type="A"))
        line = {"instance": number, "address": siren, "siren": siren, "nature": "D", "matricule": "0003"}
        connection.execute(insert(mirror_line).values(**line, start=date(2024, 1, 1)))
    factor = {"factor_secret": "sealed", "factor_since": now}
    connection.execute(update(account).where(account.c.login == UNPROVEN).values(factor))
    for holder, may_write in ((FIRM, True), (READER_FIRM, False), (THERE, True)):
        by = By("ada", HERE, now)
        let = {"may_read": True, "may_write": may_write, "starts_on": on}
        number = identity_accreditations.accredit(connection, by, holder=holder, **let)  # type: ignore[arg-type]
        if holder == THERE:
            identity_accreditations.take_back(connection, by, number)
    every = tuple(SCOPES)
    software = {name: (HERE, (scope,), None) for name, scope in OURS.items()}
    software |= {FOREIGN: (THERE, every, None), INTRUDER: (HERE, every, THERE), REVOKED: (HERE, every, None)}
    software |= {SOFTWARE_FOR: (FIRM, every, HERE), SOFTWARE_READS_FOR: (READER_FIRM, every, HERE)}
    software |= {SOFTWARE_ENDED: (THERE, every, HERE)}
    for client_id, (tenant, scopes, named) in software.items():
        asked = {"client_id": client_id, "secret": SECRET, "now": now}
        identity.create_client(connection, tenant=tenant, scopes=scopes, **asked)  # type: ignore[arg-type]
        token = identity.grant_token(connection, **asked)  # type: ignore[arg-type]
        house.bearers[client_id] = {"authorization": f"Bearer {token}"} | ({"organization-id": named} if named else {})
    connection.execute(update(client).where(client.c.client_id == REVOKED).values(revoked_at=now))


def _platform(connection: Connection, house: House) -> None:
    """A platform is registered, and its software speaks to the portal."""
    register = Register(connection, at=house.now, source=Source.REGISTRATION, author="DGFIP")
    register.put_platform(
        ReceivingPlatform(matricule="0003", name="A", trade_name="A", registered_from=date(2024, 1, 1))
    )
    for client_id, may_write in ((OF_PLATFORM, True), (READS_OF_PLATFORM, False)):
        asked = {"client_id": client_id, "secret": SECRET, "now": house.now}
        platform_clients.open_client(connection, matricule="0003", may_write=may_write, **asked)  # type: ignore[arg-type]
        token = identity.grant_token(connection, **asked)  # type: ignore[arg-type]
        house.bearers[client_id] = {"authorization": f"Bearer {token}"}


def _invoice(house: House) -> None:
    """The company has deposited an invoice, and it is judged."""
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="flowInfo"\r\n\r\n{"flowSyntax": "UBL", "name": "f.xml"}\r\n',
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="f.xml"\r\n\r\n' + ubl(an_invoice()) + b"\r\n",
        b"--x--\r\n",
    )
    headers = house.bearers["flow.write here"] | {"content-type": "multipart/form-data; boundary=x"}
    status, _ = asyncio.run(house._ask("POST", "/v1/flows", headers, b"".join(parts)))
    assert status == 202
    actor = house.running.actor
    packages = house.running.post._taken.__self__.platform.packages  # type: ignore[attr-defined]
    with actor.database.begin() as connection:
        package_id = packages.ask(connection, HERE, Asked(), by="login:ada")

    async def judged() -> None:
        worker = asyncio.create_task(actor.worker.run())
        async with asyncio.timeout(60):
            while _is_due(house):
                await asyncio.sleep(0.002)
        worker.cancel()
        await asyncio.wait([worker])
        await house.running.post.close()

    asyncio.run(judged())
    with actor.database.read() as connection:
        flow_id = connection.execute(select(tables.flow.c.id).where(tables.flow.c.origin == "client")).scalar_one()
        invoice_id = connection.execute(select(tables.invoice.c.id)).scalar_one()
    house.held = {
        "flow_id": str(flow_id),
        "flowId": str(flow_id),
        "webhookUid": "00000000-0000-4000-8000-000000000000",  # nobody's: see tests/api/test_webhooks.py
        "role": "SE",
        "kind": "transactions",
        "day": "2026-09-02",
        "invoice_id": str(invoice_id),
        "package_id": package_id,
        "packageId": package_id,
        "siren": HERE,
        "month": "2026-09",
        "place": "0",
        "number": "999999999",  # nothing's: an actor has jobs of its own
    }


def _is_due(house: House) -> bool:
    with house.running.actor.database.read() as connection:
        return jobs.next_due(connection, ("deposit", "package")) is not None


@pytest.fixture(scope="module", params=list(TABLE))
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Give each actor in turn."""
    with pytest.MonkeyPatch.context() as patch, structlog.testing.capture_logs():
        light = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(identity, "_hasher", light)
        made = opened(tmp_path_factory.mktemp("isolation"), request.param)
        yield made
        made.running.actor.database.close()


def everybody(house: House) -> list[str]:
    """Name who there is at this actor."""
    with house.running.actor.database.read() as connection:
        people = list(connection.execute(select(account.c.login)).scalars())
    return [*people, *house.bearers, NOBODY, TOKEN]


def test_every_route_has_a_row(house: House) -> None:
    """Nothing is served that the table does not know, and the table knows nothing that is not served."""
    routes, rows = set(verbs_of(house.running.application.routes)), set(TABLE[house.running.actor.name])
    assert (routes - rows, rows - routes) == (set(), set())


def test_every_role_is_asked(house: House) -> None:
    """Each role and each scope of the program stands at the door of the platforms."""
    if house.running.actor.name != "administration":
        assert set(ROLES) <= set(everybody(house))
        assert set(OURS.values()) == set(SCOPES)


def test_everybody_at_every_route(house: House) -> None:
    """Whoever the table serves is served, whoever it tells that there is nothing is told so, all others are refused."""
    wrong = []
    for verb, row in TABLE[house.running.actor.name].items():
        for who in [] if row.is_public else everybody(house):
            expected = "served" if who in row.served else "absent" if who in row.absent else "refused"
            got = house.ask(who, verb)
            if got != expected:
                wrong.append(f"{verb}, {who}: {got}, not {expected}")
    assert not wrong, "\n".join(wrong)


def test_what_is_public_is_so(house: House) -> None:
    """What the table calls public answers a stranger, without an error of ours."""
    for verb, row in TABLE[house.running.actor.name].items():
        if row.is_public:
            house.ask(NOBODY, verb)
