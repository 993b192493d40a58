"""Who is there: accounts of people (argon2), their sessions, and the software that speaks for a company.

Secrets are kept as hashes only: passwords by argon2id, random tokens by SHA-256 (they have 256 bits of their own).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, delete, insert, select

from estafette.store.tables import account, client, session, token

SESSION_LIFE = timedelta(hours=12)
TOKEN_LIFE = timedelta(hours=1)

SCOPES = frozenset({"flow.read", "flow.write", "directory.read", "webhook.write", "report.write"})
"""What software may be allowed to do (XP Z12-013 §7: flows read, flows written, the directory); the names are ours."""

_hasher = PasswordHasher()
_decoy = _hasher.hash("no account has this password")


@dataclass(frozen=True, slots=True)
class Person:
    """An account with an open session; `tenant` is the SIREN it acts for, None for an operator."""

    login: str
    role: str
    tenant: str | None
    csrf: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Software that holds an access token: its client, the organization it is of, what it may do (`SCOPES`)."""

    client_id: str
    tenant: str
    scopes: frozenset[str]


def create_account(
    connection: Connection, *, login: str, password: str, role: str, tenant: str | None, now: datetime
) -> None:
    """The account exists; an existing login is left as it is."""
    if connection.execute(select(account.c.login).where(account.c.login == login)).first():
        return
    row = {"login": login, "password_hash": _hasher.hash(password), "role": role, "tenant": tenant, "created_at": now}
    connection.execute(insert(account).values(row))


def password_hash(connection: Connection, login: str) -> str | None:
    """Return what `is_password` compares a password with, None for an unknown login."""
    return connection.execute(select(account.c.password_hash).where(account.c.login == login)).scalar()


def is_password(password: str, held: str | None) -> bool:
    """Tell whether this is the password; for an unknown login it is none, and costs as much time.

    It takes tens of milliseconds and 64 MiB on purpose: never inside a write transaction nor on an event loop.
    """
    try:
        _hasher.verify(held or _decoy, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return held is not None


def open_session(connection: Connection, *, login: str, now: datetime) -> str:
    """Return the token of a new session of an account whose password was checked."""
    connection.execute(delete(session).where(session.c.expires_at < now))
    value = secrets.token_urlsafe(32)
    row = {"token_hash": _digest(value), "login": login, "csrf": secrets.token_urlsafe(32)}
    connection.execute(insert(session).values(**row, expires_at=now + SESSION_LIFE))
    return value


def person(connection: Connection, value: str, *, now: datetime) -> Person | None:
    """Return who holds this session token, None when it is unknown or over."""
    query = (
        select(account.c.login, account.c.role, account.c.tenant, session.c.csrf)
        .join(account, account.c.login == session.c.login)
        .where(session.c.token_hash == _digest(value), session.c.expires_at > now)
    )
    row = connection.execute(query).first()
    return Person(*row) if row else None


def close_session(connection: Connection, value: str) -> None:
    """The session is over."""
    connection.execute(delete(session).where(session.c.token_hash == _digest(value)))


def create_client(connection: Connection, *, client_id: str, secret: str, tenant: str, now: datetime) -> None:
    """The software may ask for tokens in the name of `tenant`; an existing client is left as it is."""
    if connection.execute(select(client.c.client_id).where(client.c.client_id == client_id)).first():
        return
    row = {"client_id": client_id, "secret_hash": _digest(secret), "tenant": tenant, "created_at": now}
    connection.execute(insert(client).values(row))


def grant_token(connection: Connection, *, client_id: str, secret: str, now: datetime) -> str | None:
    """Return an access token valid for `TOKEN_LIFE`, or None (RFC 6749 §4.4)."""
    row = connection.execute(select(client).where(client.c.client_id == client_id)).mappings().first()
    if row is None or not hmac.compare_digest(row["secret_hash"], _digest(secret)):
        return None
    connection.execute(delete(token).where(token.c.expires_at < now))
    value = secrets.token_urlsafe(32)
    held = {"token_hash": _digest(value), "client_id": client_id, "tenant": row["tenant"]}
    connection.execute(insert(token).values(**held, expires_at=now + TOKEN_LIFE))
    return value


def holder(connection: Connection, value: str, *, now: datetime) -> Holder | None:
    """Return who holds this access token, None when it is unknown or over."""
    query = select(token.c.client_id, token.c.tenant)
    row = connection.execute(query.where(token.c.token_hash == _digest(value), token.c.expires_at > now)).first()
    return Holder(row.client_id, row.tenant, SCOPES) if row else None


def organizations(connection: Connection, held: Holder, *, scope: str | None, now: datetime) -> list[str]:  # noqa: ARG001
    """Return the organizations, by SIREN, in whose name this software may do what `scope` says, its own first."""
    return [held.tenant] if scope is None or scope in held.scopes else []


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
