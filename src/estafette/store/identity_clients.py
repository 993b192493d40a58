"""The software that speaks for a company: its scopes, its keys and how they are replaced, its tokens.

A key is shown once, to whoever made it, and kept as a hash (SHA-256 of 256 bits of chance). A new one may leave the one
before valid until a chosen moment, so that nothing stops while it is put in place. Taking a client away ends its tokens
at once.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, or_, select, update

from estafette.store.identity_events import By, record
from estafette.store.queries import Query
from estafette.store.roles import PLATFORM_SCOPES, SCOPES
from estafette.store.tables import client, client_secret, token
from estafette.values.limits import KEY_OVERLAP_DAYS_MAX

TOKEN_LIFE = timedelta(hours=1)


class NoSuchClient(Exception):
    """The organization has no such client in use."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a token: a client, the organization it is of, what it may do."""

    client_id: str
    tenant: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is shown afterwards: never itself."""

    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Client:
    """A client as its organization sees it, its keys from the newest."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None
    keys: tuple[Key, ...]


def create_client(
    connection: Connection,
    *,
    client_id: str,
    secret: str,
    tenant: str,
    now: datetime,
    name: str = "",
    scopes: Iterable[str] = tuple(SCOPES),
    expires_at: datetime | None = None,
) -> None:
    """The software may ask for tokens in the name of `tenant`; an existing client is left as it is."""
    if connection.execute(select(client.c.client_id).where(client.c.client_id == client_id)).first():
        return
    row = {"client_id": client_id, "tenant": tenant, "name": name or client_id, "created_at": now}
    connection.execute(
        insert(client).values(**row, scopes=[scope for scope in (*SCOPES, *PLATFORM_SCOPES) if scope in set(scopes)])
    )
    _add_key(connection, client_id, secret, now=now, expires_at=expires_at)


def has_client(connection: Connection, client_id: str) -> bool:
    """Tell whether a client has this identifier, in use or not."""
    return connection.execute(select(client.c.client_id).where(client.c.client_id == client_id)).first() is not None


def new_client(
    connection: Connection, by: By, *, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> tuple[str, str]:
    """Return the identifier and the key of a new client of the organization; the key is kept nowhere."""
    client_id, secret = f"{by.organization}-{secrets.token_hex(4)}", secrets.token_urlsafe(32)
    create_client(
        connection,
        client_id=client_id,
        secret=secret,
        tenant=by.organization,
        now=by.now,
        name=name,
        scopes=scopes,
        expires_at=expires_at,
    )
    record(connection, by, "client.created", client_id, name=name, scopes=list(scopes), expires=_text(expires_at))
    return client_id, secret


def new_key(
    connection: Connection, by: By, client_id: str, *, overlap: timedelta, expires_at: datetime | None = None
) -> str:
    """Return a new key of the client; those before stay valid for `overlap`, at most `KEY_OVERLAP_DAYS_MAX` days.

    Raises: NoSuchClient.
    """
    _mine(connection, by, client_id)
    until = by.now + min(max(overlap, timedelta()), timedelta(days=KEY_OVERLAP_DAYS_MAX))
    mine = client_secret.c.client_id == client_id
    connection.execute(delete(client_secret).where(mine, client_secret.c.expires_at <= by.now))
    lasting = or_(client_secret.c.expires_at.is_(None), client_secret.c.expires_at > until)
    connection.execute(update(client_secret).where(mine, lasting).values(expires_at=until))
    value = secrets.token_urlsafe(32)
    _add_key(connection, client_id, value, now=by.now, expires_at=expires_at)
    record(connection, by, "client.key", client_id, before_until=_text(until), expires=_text(expires_at))
    return value


def revoke_client(connection: Connection, by: By, client_id: str) -> None:
    """The client gets nothing any more, and its tokens are over. Raises: NoSuchClient."""
    _mine(connection, by, client_id)
    connection.execute(update(client).where(client.c.client_id == client_id).values(revoked_at=by.now))
    connection.execute(delete(token).where(token.c.client_id == client_id))
    record(connection, by, "client.revoked", client_id)


def clients(connection: Connection, tenant: str) -> list[Client]:
    """Return the clients of an organization, those in use first, the newest before."""
    query = select(client).where(client.c.tenant == tenant).order_by(client.c.created_at.desc(), client.c.client_id)
    rows = connection.execute(query).mappings().all()
    held = select(client_secret).where(client_secret.c.client_id.in_([row["client_id"] for row in rows]))
    keys: dict[str, list[Key]] = {}
    for row in connection.execute(held.order_by(client_secret.c.created_at.desc())).mappings():
        keys.setdefault(row["client_id"], []).append(Key(row["created_at"], row["expires_at"], row["used_at"]))
    found = [_client(row, keys.get(row["client_id"], [])) for row in rows]
    return sorted(found, key=lambda one: one.revoked_at is not None)


def is_secret(connection: Connection, *, client_id: str, secret: str, now: datetime) -> bool:
    """Tell whether this is a key of the client that holds now; of a client that was taken away none is."""
    query = (
        select(client_secret.c.secret_hash)
        .join(client, client.c.client_id == client_secret.c.client_id)
        .where(client.c.client_id == client_id, client.c.revoked_at.is_(None), _holds(now))
    )
    held, digest = connection.execute(query).scalars().all(), _digest(secret)
    return any(hmac.compare_digest(each, digest) for each in held)


def grant_token(connection: Connection, *, client_id: str, secret: str, now: datetime) -> str | None:
    """Return an access token valid for `TOKEN_LIFE`, or None (RFC 6749 §4.4)."""
    if not is_secret(connection, client_id=client_id, secret=secret, now=now):
        return None
    key = (client_secret.c.client_id == client_id, client_secret.c.secret_hash == _digest(secret))
    connection.execute(update(client_secret).where(*key).values(used_at=now))
    connection.execute(delete(token).where(token.c.expires_at < now))
    value = secrets.token_urlsafe(32)
    row = {"token_hash": _digest(value), "client_id": client_id, "expires_at": now + TOKEN_LIFE}
    connection.execute(insert(token).values(row))
    return value


def holder(connection: Connection, value: str, *, now: datetime) -> Holder | None:
    """Return who holds this access token, None when it is unknown or over."""
    row = _HOLDER.first(connection, digest=_digest(value), now=now)
    return Holder(row["client_id"], row["tenant"], frozenset(row["scopes"])) if row else None


_HOLDER = Query(
    select(client.c.client_id, client.c.tenant, client.c.scopes)
    .join(token, token.c.client_id == client.c.client_id)
    .where(token.c.token_hash == bindparam("digest"), client.c.revoked_at.is_(None))
    .where(token.c.expires_at > bindparam("now"))
)


def holder_of(connection: Connection, client_id: str) -> Holder | None:
    """Return a client in use as if it held a token, for what is done for it without one; None when it was revoked."""
    mine = (client.c.client_id == client_id, client.c.revoked_at.is_(None))
    row = connection.execute(select(client.c.tenant, client.c.scopes).where(*mine)).first()
    return Holder(client_id, row.tenant, frozenset(row.scopes)) if row else None


def _add_key(connection: Connection, client_id: str, value: str, *, now: datetime, expires_at: datetime | None) -> None:
    row = {"client_id": client_id, "secret_hash": _digest(value), "created_at": now, "expires_at": expires_at}
    connection.execute(insert(client_secret).values(row))


def _mine(connection: Connection, by: By, client_id: str) -> None:
    mine = (client.c.client_id == client_id, client.c.tenant == by.organization, client.c.revoked_at.is_(None))
    if connection.execute(select(client.c.client_id).where(*mine)).first() is None:
        raise NoSuchClient(client_id)


def _holds(now: datetime) -> Any:
    return or_(client_secret.c.expires_at.is_(None), client_secret.c.expires_at > now)


def _client(row: RowMapping, keys: Sequence[Key]) -> Client:
    names = ("client_id", "name", "created_at", "revoked_at")
    return Client(scopes=tuple(row["scopes"]), keys=tuple(keys), **{name: row[name] for name in names})


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
