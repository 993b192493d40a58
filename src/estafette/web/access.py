"""Who has access to a company, given and taken away by those who administer it; the operator looks after the accounts.

/access                    the people: add, change a role, reset, remove
/access/clients            the software: its keys and scopes
/access/accreditations     what other organizations may do for this one, and this one for others
/access/journal            who changed what

A secret made here (a password, a key) is on the answer to the form that made it, and nowhere else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from estafette.store import identity_accreditations, identity_clients, identity_people
from estafette.store.identity import Person
from estafette.store.identity_events import KINDS, By, events
from estafette.store.identity_people import NotPossible
from estafette.store.roles import ROLES, SCOPES, Capability
from estafette.values.limits import KEY_OVERLAP_DAYS_MAX
from estafette.values.moments import PARIS
from estafette.web.access_forms import (
    FLOW_TYPES,
    Unclear,
    read_accreditation,
    read_client,
    read_day,
    read_days,
    read_email,
    read_login,
)
from estafette.web.desk import Desk

EVENTS_SHOWN = 200
SOON = timedelta(days=30)
"""How long before its end a key is said to expire soon."""

KEEPERS = frozenset({Capability.ADMINISTER, Capability.OPERATE})


@dataclass(frozen=True, slots=True)
class Made:
    """What is shown once: what it opens, and the secret."""

    name: str
    secret: str
    client_id: str = ""


class AccessPages:
    """The pages of who administers a company, and of the operator."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[BaseRoute]:
        """Return the pages."""
        both, signed_in = ["GET", "POST"], self._desk.signed_in
        ours = Capability.ADMINISTER
        return [
            Route("/access", signed_in(self.people, get=KEEPERS, post=KEEPERS), methods=both),
            Route("/access/clients", signed_in(self.clients, get=ours), methods=both),
            Route("/access/accreditations", signed_in(self.accreditations, get=ours), methods=both),
            Route("/access/journal", signed_in(self.journal, get=KEEPERS)),
        ]

    async def people(self, request: Request, person: Person) -> Response:
        """Show the people of the organization; with a form, change one."""
        if request.method != "POST":
            return self._people(request, self._organization(person, request.query_params))
        sent = await self._desk.form(request, person)
        organization = self._organization(person, sent)
        given = identity_people.password_to_give()
        held = await self._desk.hashed(given)
        by = By(person.login, organization, self._desk.clock())
        try:
            with self._desk.database.begin() as connection:
                shown = _change_person(connection, by, sent, held, is_operator=person.may(Capability.OPERATE))
        except NotPossible as refused:
            return self._people(request, organization, 422, fault=(refused.fr, refused.en), sent=sent)
        return self._people(request, organization, made=Made(sent["login"], given) if shown else None)

    def _people(self, request: Request, organization: str, status: int = 200, **values: Any) -> Response:
        with self._desk.database.read() as connection:
            members = identity_people.people(connection, organization)
        roles = [role for role in ROLES.values() if role.is_of_organization is bool(organization)]
        roles = [role for role in roles if role.code != "agent"]
        shown = {"made": None, "fault": None, "sent": {}, **values}
        name = self._desk.name_of(organization) if organization else self._desk.title
        shown |= {"organization": organization, "organization_name": name, "members": members, "roles": roles}
        return self._desk.render(request, "access_people.html", status, all_roles=ROLES, **shown)

    async def clients(self, request: Request, person: Person) -> Response:
        """Show the software of the company; with a form, make a client, replace a key, take a client away."""
        if request.method != "POST":
            return self._clients(request, person)
        sent = await self._desk.form(request, person)
        by = self._by(person)
        try:
            with self._desk.database.begin() as connection:
                made = self._change_client(connection, by, sent)
        except (Unclear, NotPossible) as refused:
            return self._clients(request, person, 422, fault=(refused.fr, refused.en), sent=sent)
        except identity_clients.NoSuchClient:
            raise HTTPException(404) from None
        return self._clients(request, person, made=made)

    def _change_client(self, connection: Connection, by: By, sent: Mapping[str, str]) -> Made | None:
        wish, client_id = sent.get("wish", ""), sent.get("client", "")
        if wish == "revoke":
            identity_clients.revoke_client(connection, by, client_id)
            return None
        expires_at = _end_of(read_day(sent.get("expires", "")), by.now)
        if wish == "key":
            overlap = timedelta(days=read_days(sent.get("days", "0")))
            key = identity_clients.new_key(connection, by, client_id, overlap=overlap, expires_at=expires_at)
            return Made(client_id, key, client_id)
        name, scopes = read_client(sent)
        client_id, key = identity_clients.new_client(connection, by, name=name, scopes=scopes, expires_at=expires_at)
        return Made(name, key, client_id)

    def _clients(self, request: Request, person: Person, status: int = 200, **values: Any) -> Response:
        with self._desk.database.read() as connection:
            found = identity_clients.clients(connection, person.tenant or "")
        shown = {"made": None, "fault": None, "sent": {}, "clients": found, "scopes": SCOPES, **values}
        now = self._desk.clock()
        return self._desk.render(
            request, "access_clients.html", status, now=now, soon=now + SOON, days_max=KEY_OVERLAP_DAYS_MAX, **shown
        )

    async def accreditations(self, request: Request, person: Person) -> Response:
        """Show what was given and what is held; with a form, give one or take one back."""
        if request.method != "POST":
            return self._accreditations(request, person)
        sent = await self._desk.form(request, person)
        by = self._by(person)
        try:
            with self._desk.database.begin() as connection:
                if sent.get("wish") == "end":
                    identity_accreditations.take_back(connection, by, _number(sent.get("number", "")))
                else:
                    self._accredit(connection, by, sent)
        except Unclear as unclear:
            return self._accreditations(request, person, 422, fault=(unclear.fr, unclear.en), sent=sent)
        except identity_accreditations.NoSuchAccreditation:
            raise HTTPException(404) from None
        return self._accreditations(request, person)

    def _accredit(self, connection: Connection, by: By, sent: Mapping[str, str]) -> None:
        asked = read_accreditation(sent, giver=by.organization, today=self._desk.today())
        if self._desk.name_of(asked.holder) is None:
            raise Unclear(
                f"Le SIREN {asked.holder} n'est pas client de cette plateforme : son compte doit d'abord être ouvert.",
                f"SIREN {asked.holder} is no customer of this platform: its account has to be opened first.",
            )
        identity_accreditations.accredit(
            connection,
            by,
            holder=asked.holder,
            may_read=asked.may_read,
            may_write=asked.may_write,
            starts_on=asked.starts_on,
            ends_on=asked.ends_on,
            flow_types=asked.flow_types,
        )

    def _accreditations(self, request: Request, person: Person, status: int = 200, **values: Any) -> Response:
        siren = person.tenant or ""
        with self._desk.database.read() as connection:
            given = identity_accreditations.given(connection, siren)
            held = identity_accreditations.held(connection, siren)
        shown = {"fault": None, "sent": {}, "given": given, "held": held, "today": self._desk.today(), **values}
        return self._desk.render(
            request, "access_accreditations.html", status, name_of=self._desk.name_of, types=FLOW_TYPES, **shown
        )

    async def journal(self, request: Request, person: Person) -> Response:
        """Show who changed which access."""
        organization = self._organization(person, request.query_params)
        with self._desk.database.read() as connection:
            found = events(connection, organization, EVENTS_SHOWN)
        return self._desk.render(request, "access_journal.html", events=found, organization=organization, kinds=KINDS)

    def _organization(self, person: Person, sent: Mapping[str, str]) -> str:
        """Return whose accesses are meant: one's own company, or for the operator the one it names, or the actor."""
        if not person.may(Capability.OPERATE):
            return person.tenant or ""
        named = sent.get("organization", "").replace(" ", "")
        if named and self._desk.name_of(named) is None:
            raise HTTPException(404)
        return named

    def _by(self, person: Person) -> By:
        return By(person.login, person.tenant or "", self._desk.clock())


def _change_person(connection: Connection, by: By, sent: Mapping[str, str], held: str, *, is_operator: bool) -> bool:
    """Do what a form asks of a person; return whether the new password is now theirs. Raises: NotPossible."""
    login, role = read_login(sent.get("login", "")), sent.get("role", "")
    wish = sent.get("wish", "")
    if wish == "admit" and is_operator:
        identity_people.admit(connection, by, login=login, role=role)
        return False
    if wish == "password":
        identity_people.reset_password(connection, by, login, held=held, is_operator=is_operator)
        return True
    acts: dict[str, Callable[[], None]] = {
        "role": lambda: identity_people.change_role(connection, by, login, role),
        "remove": lambda: identity_people.remove(connection, by, login),
        "factor": lambda: identity_people.reset_factor(connection, by, login, is_operator=is_operator),
    }
    if wish in acts:
        acts[wish]()
        return False
    identity_people.add(connection, by, login=login, email=read_email(sent.get("email", "")), role=role, held=held)
    return True


def _end_of(day: Any, now: datetime) -> datetime | None:
    """Return when a day is over in France. Raises: Unclear when it is over already."""
    if day is None:
        return None
    end = datetime.combine(day + timedelta(days=1), time(), PARIS)
    if end <= now:
        raise Unclear("Cette date d'expiration est passée.", "This expiry date is past.")
    return end


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise HTTPException(404)
    return int(text)
