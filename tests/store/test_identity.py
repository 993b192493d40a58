"""Who is there is proven by a secret that the store does not hold."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import argon2
import pytest
from sqlalchemy import Connection, select
from tests.store.conftest import on_sqlite

from estafette.store import identity
from estafette.store.database import Database
from estafette.store.tables import account, client, session, token

PASSWORD = "correct horse battery staple"
SECOND = timedelta(seconds=1)
SHIPPED = identity._hasher


@pytest.fixture(autouse=True)
def _light_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 at its least cost: these tests are about who gets in, not about how long a guess takes."""
    light = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(identity, "_hasher", light)
    monkeypatch.setattr(identity, "_decoy", lambda: light.hash("nobody's"))


@pytest.fixture
def connection(database: Database, now: datetime) -> Iterator[Connection]:
    """Give a store with one account of a company and one of an operator, and the software of two companies."""
    with database.begin() as connection:
        for login, role, tenant in (("ada@example.org", "administrator", "100000009"), ("ops", "operator", None)):
            identity.add_account(
                connection, login=login, held=identity.hashed(PASSWORD), role=role, tenant=tenant, now=now
            )
        for client_id, tenant in (("erp-a", "100000009"), ("erp-b", "200000008")):
            identity.create_client(
                connection, client_id=client_id, secret=f"secret of {client_id}", tenant=tenant, now=now
            )
    with database.begin() as connection:
        yield connection


def sign_in(connection: Connection, *, login: str, password: str, now: datetime) -> str | None:
    """Check a password, then open a session."""
    if not identity.is_password(password, identity.password_hash(connection, login)):
        return None
    return identity.open_session(connection, login=login, now=now)


def test_the_right_password_opens_a_session(connection: Connection, now: datetime) -> None:
    """The session says who it is, what for, and carries its own guard against forged forms."""
    value = sign_in(connection, login="ada@example.org", password=PASSWORD, now=now)
    person = identity.person(connection, value or "", now=now)
    assert person is not None
    assert (person.login, person.role, person.tenant) == ("ada@example.org", "administrator", "100000009")
    again = sign_in(connection, login="ada@example.org", password=PASSWORD, now=now)
    other = identity.person(connection, again or "", now=now)
    assert other is not None
    assert value != again
    assert person.csrf != other.csrf


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("ada@example.org", PASSWORD + " "),
        ("ada@example.org", ""),
        ("nobody", PASSWORD),
        ("", ""),
        ("ADA@example.org", PASSWORD),
    ],
)
def test_the_wrong_one_opens_nothing(connection: Connection, now: datetime, login: str, password: str) -> None:
    """A wrong password and an unknown login get the same answer and leave no session."""
    assert sign_in(connection, login=login, password=password, now=now) is None
    assert connection.execute(select(session)).all() == []


def test_an_unknown_login_takes_as_long(connection: Connection, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is hashed for an unknown login too, so that time does not tell which logins exist."""
    hashed = []

    class Counting(argon2.PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            hashed.append(hash)
            return super().verify(hash, password)

    monkeypatch.setattr(identity, "_hasher", Counting())
    sign_in(connection, login="nobody", password=PASSWORD, now=now)
    sign_in(connection, login="ada@example.org", password="wrong", now=now)
    assert len(hashed) == 2


def test_no_password_opens_the_decoy(connection: Connection, now: datetime) -> None:
    """Even the very password of the decoy opens nothing for a login that does not exist."""
    assert sign_in(connection, login="nobody", password="nobody's", now=now) is None


def test_a_session_ends(connection: Connection, now: datetime) -> None:
    """A session is good until its last second, and no longer; the next login sweeps it away."""
    value = sign_in(connection, login="ops", password=PASSWORD, now=now) or ""
    end = now + identity.SESSION_LIFE
    identity.see(connection, value, now=end - timedelta(hours=1))
    assert identity.person(connection, value, now=end - SECOND) is not None
    assert identity.person(connection, value, now=end) is None
    sign_in(connection, login="ops", password=PASSWORD, now=end + SECOND)
    assert len(connection.execute(select(session)).all()) == 1


def test_an_idle_session_ends(connection: Connection, now: datetime) -> None:
    """A session that is not used is over after its time, counted from its last use."""
    value = sign_in(connection, login="ops", password=PASSWORD, now=now) or ""
    end = now + identity.SESSION_IDLE
    assert identity.person(connection, value, now=end - SECOND) is not None
    assert identity.person(connection, value, now=end) is None
    identity.see(connection, value, now=end - SECOND)
    assert identity.person(connection, value, now=end) is not None


def test_leaving_ends_this_session_only(connection: Connection, now: datetime) -> None:
    """Leaving one desk leaves the other open."""
    here, there = (sign_in(connection, login="ops", password=PASSWORD, now=now) or "" for _ in range(2))
    identity.close_session(connection, here)
    assert identity.person(connection, here, now=now) is None
    assert identity.person(connection, there, now=now) is not None


def test_existing_ones_are_left_as_they_are(connection: Connection, now: datetime) -> None:
    """Creating again changes neither the password, nor the secret, nor for whom they speak."""
    identity.add_account(
        connection, login="ops", held=identity.hashed("other"), role="administrator", tenant="200000008", now=now
    )
    identity.create_client(connection, client_id="erp-a", secret="other", tenant="200000008", now=now)
    assert sign_in(connection, login="ops", password="other", now=now) is None
    value = sign_in(connection, login="ops", password=PASSWORD, now=now) or ""
    person = identity.person(connection, value, now=now)
    assert person is not None
    assert (person.role, person.tenant) == ("operator", None)
    assert identity.grant_token(connection, client_id="erp-a", secret="other", now=now) is None


def test_a_token_speaks_for_its_company(connection: Connection, now: datetime) -> None:
    """Each client's token speaks for the company of that client."""
    for client_id, tenant in (("erp-a", "100000009"), ("erp-b", "200000008")):
        value = identity.grant_token(connection, client_id=client_id, secret=f"secret of {client_id}", now=now)
        held = identity.holder(connection, value or "", now=now)
        assert held is not None
        assert (held.client_id, held.tenant) == (client_id, tenant)
        acting = identity.acting(connection, held, None, on=now.date())
        assert acting is not None
        assert (acting.organization, acting.may("flow.read")) == (tenant, True)


@pytest.mark.parametrize(
    ("client_id", "secret"), [("erp-a", "secret of erp-b"), ("erp-a", ""), ("erp-c", "secret of erp-a")]
)
def test_no_token_without_the_secret(connection: Connection, now: datetime, client_id: str, secret: str) -> None:
    """A wrong secret and an unknown client get none."""
    assert identity.grant_token(connection, client_id=client_id, secret=secret, now=now) is None
    assert connection.execute(select(token)).all() == []


def test_a_token_ends(connection: Connection, now: datetime) -> None:
    """A token is good until its last second, and no longer; the next grant sweeps it away."""
    value = identity.grant_token(connection, client_id="erp-a", secret="secret of erp-a", now=now) or ""
    end = now + identity.TOKEN_LIFE
    held = identity.holder(connection, value, now=end - SECOND)
    assert held is not None
    assert held.tenant == "100000009"
    assert identity.holder(connection, value, now=end) is None
    identity.grant_token(connection, client_id="erp-b", secret="secret of erp-b", now=end + SECOND)
    assert len(connection.execute(select(token)).all()) == 1


@pytest.mark.parametrize("value", ["", "x", "\x00", "é" * 40])
def test_a_token_that_is_none(connection: Connection, now: datetime, value: str) -> None:
    """Whatever was not granted speaks for nobody."""
    assert identity.holder(connection, value, now=now) is None
    assert identity.person(connection, value, now=now) is None


@on_sqlite
def test_the_files_hold_no_secret(database: Database, connection: Connection, now: datetime) -> None:
    """No password, secret, session or token can be read in the files of the store, nor found by its hash alone."""
    opened = sign_in(connection, login="ops", password=PASSWORD, now=now) or ""
    granted = identity.grant_token(connection, client_id="erp-a", secret="secret of erp-a", now=now) or ""
    connection.commit()
    with database.read() as reader:
        held = [str(row) for table in (account, client, session, token) for row in reader.execute(select(table))]
    assert sum(map(len, held)) > 500
    folder = Path(str(database.engine.url.database)).parent
    stored = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"erp-a" in stored
    for secret in (PASSWORD, "secret of erp-a", opened, granted):
        assert secret.encode() not in stored
        assert not any(secret in row for row in held)


def test_two_accounts_with_one_password_do_not_show_it(connection: Connection) -> None:
    """Passwords are salted: the same one twice has two hashes, by argon2id."""
    hashes = connection.execute(select(account.c.password_hash)).scalars().all()
    assert len(set(hashes)) == 2
    assert all(value.startswith("$argon2id$") for value in hashes)


def test_the_cost_of_a_guess() -> None:
    """Outside these tests a guess costs at least what RFC 9106 recommends where memory is scarce (64 MiB, 3 passes)."""
    cost = argon2.extract_parameters(SHIPPED.hash(PASSWORD))
    assert (cost.memory_cost, cost.time_cost) >= (64 * 1024, 3)
