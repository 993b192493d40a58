"""`estafette account`: whoever holds the data of an actor looks after its accounts."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from estafette.cli import app
from estafette.store import identity
from estafette.store.database import Database, open_database
from estafette.store.identity_events import events

SIREN = "100000009"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data folder with one platform in it."""
    (tmp_path / "platform-a").mkdir()
    records(tmp_path).close()
    return tmp_path


def records(data: Path) -> Database:
    """Open its records."""
    return open_database(data / "platform-a" / "records.sqlite", ("platform",), threaded=False)


def run(data: Path, *words: str, code: int = 0) -> str:
    """Run the verb; return what it says."""
    done = CliRunner().invoke(app, ["account", *words, "--actor", "platform-a", "--data", str(data)])
    assert done.exit_code == code, done.output
    return done.output


def opens(data: Path, login: str, password: str) -> bool:
    """Tell whether the password is that of the login."""
    opened = records(data)
    with opened.read() as connection:
        right = identity.is_password(password, identity.password_hash(connection, login))
    opened.close()
    return right


def test_add_list_reset(data: Path) -> None:
    """An account is added, listed, and reset; each password is shown once, opens, and is to be changed."""
    for organization, role in (("", "operator"), (SIREN, "administrator")):
        added = json.loads(run(data, "add", f"{role}-1", "--role", role, "--organization", organization, "--json"))
        listed = json.loads(run(data, "list", "--organization", organization, "--json"))
        assert listed == [{"login": f"{role}-1", "role": role, "second_factor": False}]
        assert opens(data, f"{role}-1", added["password"])
    again = json.loads(run(data, "reset", "administrator-1", "--organization", SIREN, "--factor", "--json"))
    assert not opens(data, "administrator-1", added["password"])
    assert opens(data, "administrator-1", again["password"])
    opened = records(data)
    with opened.begin() as connection:
        kinds = [(event.kind, event.actor) for event in events(connection, SIREN, 9)]
        now = datetime.now(UTC)
        person = identity.person(connection, identity.open_session(connection, login="operator-1", now=now), now=now)
    opened.close()
    assert kinds == [("factor.reset", "operator"), ("password.reset", "operator"), ("person.added", "operator")]
    assert person is not None
    assert person.password_is_given


@pytest.mark.parametrize(
    "words",
    [
        ("reset", "nobody"),
        ("add", "ada", "--role", "king"),
        ("add", "ada", "--role", "administrator"),
        ("add", "ada", "--role", "operator", "--organization", SIREN),
    ],
)
def test_what_cannot_be_done_is_told(data: Path, words: tuple[str, ...]) -> None:
    """An unknown login or role, or a role that is not held there: one line in both languages, exit code 1."""
    assert " / " in run(data, *words, code=1)


def test_a_login_is_added_once(data: Path) -> None:
    """A login that is taken is not given again, whatever the case of its place."""
    run(data, "add", "ada", "--role", "operator")
    assert "taken" in run(data, "add", "ada", "--role", "reader", "--organization", SIREN, code=1)


def test_nothing_to_open(tmp_path: Path) -> None:
    """An empty folder and an unknown actor are told on one line, exit code 2, and nothing is made."""
    assert "estafette up" in run(tmp_path, "list", code=2)
    done = CliRunner().invoke(app, ["account", "list", "--actor", "king", "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert list(tmp_path.iterdir()) == []
