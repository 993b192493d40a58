"""Accounts and clients of the first version keep what they could do."""

from datetime import datetime
from hashlib import sha256
from pathlib import Path

from alembic import command
from sqlalchemy import text

from estafette.store import identity, migrating
from estafette.store.database import open_database
from estafette.store.roles import SCOPES
from estafette.store.sqlite import open_engine

BEFORE = """
INSERT INTO account VALUES ('ada', '{held}', 'company', '100000009', '2026-09-01 06:00:00.000000');
INSERT INTO account VALUES ('agent', '{held}', 'agent', NULL, '2026-09-01 06:00:00.000000');
INSERT INTO client VALUES ('erp', '{digest}', '100000009', '2026-09-01 06:00:00.000000')
"""


def first_version(file: Path) -> None:
    """Make a store as the first version left it, with accounts and a client."""
    engine = open_engine(file)
    history = migrating.configuration()
    with engine.connect() as connection, connection.begin():
        history.attributes["connection"] = connection
        command.upgrade(history, "shared0001")
        said = BEFORE.format(held=identity.hashed("horse"), digest=sha256(b"key").hexdigest())
        for statement in said.split(";"):
            connection.execute(text(statement))
    engine.dispose()


def test_what_was_there_still_opens(tmp_path: Path, now: datetime) -> None:
    """A person of a company administers it, an agent is one, a client's key opens every scope there was then."""
    file = tmp_path / "records.sqlite"
    first_version(file)
    opened = open_database(file, ("shared",))
    with opened.begin() as connection:
        roles = {}
        for login in ("ada", "agent"):
            assert identity.is_password("horse", identity.password_hash(connection, login))
            person = identity.person(connection, identity.open_session(connection, login=login, now=now), now=now)
            assert person is not None
            roles[login] = (person.role, person.tenant)
        token = identity.grant_token(connection, client_id="erp", secret="key", now=now) or ""
        holder = identity.holder(connection, token, now=now)
    assert roles == {"ada": ("administrator", "100000009"), "agent": ("agent", None)}
    assert holder == identity.Holder("erp", "100000009", frozenset(SCOPES) - {"archive.read"})
    opened.close()


def test_and_back(tmp_path: Path) -> None:
    """Going back to the first version loses no account and no key."""
    file = tmp_path / "records.sqlite"
    first_version(file)
    opened = open_database(file, ("shared",))
    history = migrating.configuration()
    with opened.begin() as connection:
        history.attributes["connection"] = connection
        command.downgrade(history, "shared0001")
        accounts = connection.execute(text("SELECT login, role, tenant FROM account ORDER BY login")).all()
        client = connection.execute(text("SELECT client_id, tenant, length(secret_hash) FROM client")).all()
    assert [tuple(row) for row in accounts] == [("ada", "company", "100000009"), ("agent", "agent", None)]
    assert [tuple(row) for row in client] == [("erp", "100000009", 64)]
    opened.close()
