"""Who is there: accounts of people (argon2), what they are at which organization, their sessions.

Secrets are kept as hashes only: passwords by argon2id, random tokens by SHA-256 (they have 256 bits of their own); the
second factor, which must be computed again, is sealed. Read next: `roles` (who may do what), `identity_clients` (the
software), `identity_accreditations` (one organization for another), `identity_factor`, `identity_openid`.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from estafette.store.identity_accreditations import Acting, acting, grants
from estafette.store.identity_clients import (
    TOKEN_LIFE,
    Holder,
    create_client,
    grant_token,
    has_client,
    holder,
    is_secret,
)
from estafette.store.roles import Capability, capabilities_by, capabilities_of
from estafette.store.tables import account, membership, session
from estafette.values.moments import paris_day

__all__ = [
    "SESSION_IDLE",
    "SESSION_LIFE",
    "TOKEN_LIFE",
    "Acting",
    "Holder",
    "Person",
    "Place",
    "acting",
    "add_account",
    "choose",
    "close_account",
    "close_session",
    "close_sessions",
    "create_client",
    "digest",
    "grant_token",
    "has_client",
    "hashed",
    "holder",
    "is_password",
    "is_secret",
    "join",
    "leave",
    "open_session",
    "password_hash",
    "person",
    "places",
    "see",
    "sessions",
    "set_password",
]

SESSION_LIFE = timedelta(hours=12)
SESSION_IDLE = timedelta(hours=2)
"""How long a session lasts without being used."""

SEEN_EVERY = timedelta(minutes=5)
"""How exactly it is known when a session was last used: a write for each page would be too many."""

_hasher = PasswordHasher()


@cache
def _decoy() -> str:
    """Return what no password is compared with, so that an unknown login takes as long as a known one."""
    return _hasher.hash("no account has this password")


@dataclass(frozen=True, slots=True)
class Person:
    """Who has a session open, and for whom: `tenant` is the SIREN acted for, None at the actor itself.

    `through`: the firm whose accreditation lets it; `flow_types`: the types of flow that are let, None for every type.
    """

    login: str
    role: str
    tenant: str | None
    csrf: str
    capabilities: frozenset[Capability] = frozenset()
    through: str | None = None
    acting: Acting | None = None
    has_factor: bool = False
    factor_at: datetime | None = None
    password_is_given: bool = False
    seen_at: datetime | None = None

    def may(self, capability: Capability) -> bool:
        """Tell whether the person may do this, for the organization acted for."""
        return capability in self.capabilities

    def sees(self, flow_type: str) -> bool:
        """Tell whether flows of this type may be read: an accreditation may be limited to some."""
        return self.acting is None or self.acting.reads(flow_type)

    def sends(self, flow_type: str) -> bool:
        """Tell whether flows of this type may be sent."""
        return self.acting is None or self.acting.may("flow.write", flow_type)


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere a person may act: an organization (empty: the actor itself), the role held, through which firm."""

    organization: str
    role: str
    through: str | None = None
    acting: Acting | None = None


def add_account(
    connection: Connection,
    *,
    login: str,
    held: str,
    role: str,
    tenant: str | None,
    now: datetime,
    email: str | None = None,
    is_given: bool = False,
) -> bool:
    """The account exists, its password that of the hash; an existing login is left. Returns whether it is new.

    `is_given`: the password was chosen by somebody else, and is changed at the first sign-in.
    """
    if connection.execute(select(account.c.login).where(account.c.login == login)).first():
        return False
    row = {"login": login, "password_hash": held, "email": email, "created_at": now}
    connection.execute(insert(account).values(**row, password_given_at=now if is_given else None))
    join(connection, login=login, organization=tenant or "", role=role, now=now)
    return True


def join(connection: Connection, *, login: str, organization: str, role: str, now: datetime) -> None:
    """The person has this role at the organization, instead of the one before."""
    leave(connection, login=login, organization=organization)
    row = {"login": login, "organization": organization, "role": role, "created_at": now}
    connection.execute(insert(membership).values(row))


def leave(connection: Connection, *, login: str, organization: str) -> None:
    """The person has nothing to do with the organization any more."""
    mine = (membership.c.login == login, membership.c.organization == organization)
    connection.execute(delete(membership).where(*mine))


def password_hash(connection: Connection, login: str) -> str | None:
    """Return what `is_password` compares a password with, None for a login that is unknown or closed."""
    mine = (account.c.login == login, account.c.closed_at.is_(None))
    return connection.execute(select(account.c.password_hash).where(*mine)).scalar()


def organizations_of(connection: Connection, login: str) -> list[str]:
    """Return where the person has a role; empty for the actor itself."""
    mine = select(membership.c.organization).where(membership.c.login == login)
    return list(connection.execute(mine.order_by(membership.c.organization)).scalars())


def is_password(password: str, held: str | None) -> bool:
    """Tell whether this is the password; for an unknown login it is none, and costs as much time.

    It takes tens of milliseconds and 64 MiB on purpose: never inside a write transaction nor on an event loop.
    """
    try:
        _hasher.verify(held or _decoy(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return held is not None


def hashed(password: str) -> str:
    """Return what is kept of a password; it costs as much as checking one."""
    return _hasher.hash(password)


def set_password(
    connection: Connection, *, login: str, held: str, given_at: datetime | None = None, but: str | None = None
) -> None:
    """The account has the password of this hash; its sessions are over, `but` the one of this token.

    `given_at`: since when it is one chosen by somebody else, to be changed at the next sign-in.
    """
    mine = account.c.login == login
    connection.execute(update(account).where(mine).values(password_hash=held, password_given_at=given_at))
    close_sessions(connection, login, but=but)


def close_account(connection: Connection, *, login: str, now: datetime) -> None:
    """The account opens nothing any more; what it did keeps its name."""
    connection.execute(update(account).where(account.c.login == login).values(closed_at=now))
    close_sessions(connection, login)


def open_session(
    connection: Connection,
    *,
    login: str,
    now: datetime,
    peer: str = "",
    agent: str = "",
    factor_at: datetime | None = None,
) -> str:
    """Return the token of a new session of an account whose password was checked."""
    connection.execute(delete(session).where(session.c.expires_at < now))
    value = secrets.token_urlsafe(32)
    first = connection.execute(
        select(membership.c.organization).where(membership.c.login == login).order_by(membership.c.organization)
    ).scalar()
    row = {"token_hash": digest(value), "login": login, "csrf": secrets.token_urlsafe(32), "organization": first or ""}
    times = {"opened_at": now, "seen_at": now, "expires_at": now + SESSION_LIFE, "factor_at": factor_at}
    connection.execute(insert(session).values(**row, **times, peer=peer[:60], agent=agent[:200]))
    return value


def person(connection: Connection, value: str, *, now: datetime) -> Person | None:
    """Return who holds this session token, None when it is unknown or over, or when the person may act nowhere."""
    query = (
        select(session, account.c.factor_since, account.c.password_given_at)
        .join(account, account.c.login == session.c.login)
        .where(session.c.token_hash == digest(value), *_is_open(now), account.c.closed_at.is_(None))
    )
    row = connection.execute(query).first()
    place = _place(connection, row.login, row.organization, row.through, now=now) if row else None
    if row is None or place is None:
        return None
    return Person(
        login=row.login,
        role=place.role,
        tenant=place.organization or None,
        csrf=row.csrf,
        capabilities=_capabilities(place),
        through=place.through,
        acting=place.acting,
        has_factor=row.factor_since is not None,
        factor_at=row.factor_at,
        password_is_given=row.password_given_at is not None,
        seen_at=row.seen_at,
    )


def places(connection: Connection, login: str, *, now: datetime) -> list[Place]:
    """Return everywhere a person may act: where it has a role, then for whom those organizations are accredited."""
    own = _memberships(connection, login)
    through = [
        Place(organization, place.role, place.organization, let)
        for place in own
        if place.organization
        for organization, let in grants(connection, place.organization, on=paris_day(now)).items()
    ]
    return [*own, *through]


def choose(connection: Connection, value: str, *, organization: str, through: str | None, now: datetime) -> bool:
    """The session acts there from now on; False, and nothing changes, when the person may not."""
    mine = session.c.token_hash == digest(value)
    login = connection.execute(select(session.c.login).where(mine)).scalar()
    wanted = (organization, through)
    if login is None or wanted not in [(one.organization, one.through) for one in places(connection, login, now=now)]:
        return False
    connection.execute(update(session).where(mine).values(organization=organization, through=through))
    return True


def sessions(connection: Connection, login: str, *, now: datetime) -> Sequence[Row[tuple[object, ...]]]:
    """Return the open sessions of an account, the latest first; `token_hash` names one and opens nothing."""
    names = ("token_hash", "opened_at", "seen_at", "expires_at", "peer", "agent")
    query = select(*(session.c[name] for name in names)).where(session.c.login == login, *_is_open(now))
    return connection.execute(query.order_by(session.c.opened_at.desc())).all()


def see(connection: Connection, value: str, *, now: datetime, factor: bool = False) -> None:
    """The session was used now; with `factor`, the second factor was given in it."""
    values = {"seen_at": now} | ({"factor_at": now} if factor else {})
    connection.execute(update(session).where(session.c.token_hash == digest(value)).values(values))


def close_session(connection: Connection, value: str) -> None:
    """The session is over."""
    connection.execute(delete(session).where(session.c.token_hash == digest(value)))


def close_sessions(connection: Connection, login: str, *, only: str | None = None, but: str | None = None) -> None:
    """The sessions of an account are over: all, `only` the one of this hash, or all `but` the one of this token."""
    gone = [session.c.login == login]
    gone += [session.c.token_hash == only] if only is not None else []
    gone += [session.c.token_hash != digest(but)] if but is not None else []
    connection.execute(delete(session).where(*gone))


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return session.c.expires_at > now, session.c.seen_at > now - SESSION_IDLE


def _memberships(connection: Connection, login: str) -> list[Place]:
    columns = (membership.c.organization, membership.c.role)
    query = select(*columns).where(membership.c.login == login).order_by(membership.c.organization)
    return [Place(row.organization, row.role) for row in connection.execute(query)]


def _place(
    connection: Connection, login: str, organization: str, through: str | None, *, now: datetime
) -> Place | None:
    """Return where a session acts; what was taken away since leads back to the first place that is left."""
    own = _memberships(connection, login)
    if through is not None:
        let = grants(connection, through, on=paris_day(now)).get(organization)
        role = next((place.role for place in own if place.organization == through), None)
        if let and role:
            return Place(organization, role, through, let)
        organization = through
    return next((place for place in own if place.organization == organization), own[0] if own else None)


def _capabilities(place: Place) -> frozenset[Capability]:
    """Return what may be done at a place: no more than the role, and through a firm no more than is let."""
    held = capabilities_of(place.role)
    return held & capabilities_by(place.acting.scopes) if place.acting else held


def digest(value: str) -> str:
    """Return by what a session is named: it opens nothing."""
    return hashlib.sha256(value.encode()).hexdigest()
