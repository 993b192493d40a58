"""Who a provider of OpenID Connect says is there: sign-ins under way, and whose account a subject is.

An account is found by (issuer, subject) once it is linked; it is linked the first time by an address that the provider
has verified and that exactly one open account has. Nothing else makes a link, and no account is made.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, or_, select

from estafette.store.identity import digest, organizations_of
from estafette.store.identity_events import By, record
from estafette.store.tables import account, external_identity, openid_attempt
from estafette.values.limits import OPENID_ATTEMPTS_MAX

ATTEMPT_LIFE = timedelta(minutes=10)
"""How long a person may take at the provider."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that is under way: what the provider must give back (`state`, `nonce`), and our proof (RFC 7636)."""

    state: str
    nonce: str
    verifier: str


def begin(connection: Connection, *, now: datetime) -> Attempt | None:
    """Return a new attempt, None when too many are under way."""
    connection.execute(delete(openid_attempt).where(openid_attempt.c.expires_at <= now))
    count = connection.execute(select(func.count()).select_from(openid_attempt)).scalar_one()
    if count >= OPENID_ATTEMPTS_MAX:
        return None
    made = Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    row = {"state_hash": digest(made.state), "nonce": made.nonce, "verifier": made.verifier}
    connection.execute(insert(openid_attempt).values(**row, expires_at=now + ATTEMPT_LIFE))
    return made


def take(connection: Connection, state: str, *, now: datetime) -> Attempt | None:
    """Return the attempt of this state, which is then over; None when there is none, or it came too late."""
    mine = openid_attempt.c.state_hash == digest(state)
    row = connection.execute(select(openid_attempt).where(mine)).first()
    connection.execute(delete(openid_attempt).where(mine))
    return Attempt(state, row.nonce, row.verifier) if row is not None and row.expires_at > now else None


def account_of(
    connection: Connection, *, issuer: str, subject: str, verified_email: str | None, now: datetime
) -> str | None:
    """Return the login of the account that is this subject's, linked now if need be; None when there is none."""
    linked = (external_identity.c.issuer == issuer, external_identity.c.subject == subject)
    login: str | None = connection.execute(select(external_identity.c.login).where(*linked)).scalar()
    if login is not None:
        is_open = (account.c.login == login, account.c.closed_at.is_(None))
        return login if connection.execute(select(account.c.login).where(*is_open)).first() else None
    return _link(connection, issuer, subject, verified_email.strip().lower(), now) if verified_email else None


def _link(connection: Connection, issuer: str, subject: str, address: str, now: datetime) -> str | None:
    named = or_(account.c.email == address, func.lower(account.c.login) == address)
    found = connection.execute(select(account.c.login).where(named, account.c.closed_at.is_(None))).scalars().all()
    if len(found) != 1:
        return None
    login: str = found[0]
    row = {"issuer": issuer, "subject": subject, "login": login, "linked_at": now}
    connection.execute(insert(external_identity).values(row))
    for organization in organizations_of(connection, login):
        record(connection, By(login, organization, now), "identity.linked", login, issuer=issuer)
    return login
