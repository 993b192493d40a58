"""`estafette audit` on a data folder: verified, shown, exported; a change of the file is found and said."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.command import one_line, run
from tests.platform.world import SELLER, Clock, World, open_world, service

from estafette.exchange.keys import sign
from estafette.store import roots
from estafette.store.database import DRIVER


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a system where an invoice went through and a day was sealed."""
    made = open_world(tmp_path_factory.mktemp("audit"), Clock())
    made.deposit(service("AUDIT1"))
    for one in made.running.values():
        with one.actor.database.begin() as connection:
            roots.seal(
                connection,
                day=made.clock.now.date(),
                now=made.clock(),
                key=one.actor.public_key,
                sign=lambda data, key=one.actor.key: sign(key, data),  # type: ignore[misc]
            )
    yield made
    made.close()


@pytest.fixture
def data(world: World) -> str:
    """Give the data folder."""
    return str(world.running["platform-a"].actor.folder.parent)


def test_what_a_platform_did_is_told(world: World, data: str) -> None:
    """Everything that happened to an invoice is in the chain of its tenant, in order, and the log is sound."""
    invoice = world.row(SELLER, "AUDIT1")["id"]
    done = run("audit", "show", "--tenant", SELLER, "--about", invoice, "--data", data, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [each["what"] for each in told]
    assert kinds[0] == "judged"
    assert {"declared", "status.set", "delivered", "status.received", "declaration.answered"} <= set(kinds)
    assert [each["data"]["status"] for each in told if each["what"] == "status.received"] == ["202", "203"]
    assert {each["who"] for each in told} == {"platform"}
    done = run("audit", "verify", "--data", data, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    by_actor = {each["actor"]: each for each in json.loads(done.stdout)}
    assert by_actor["platform-a"]["roots"] == 1
    assert by_actor["platform-b"]["events"] > 0


def test_a_change_is_found_and_said(world: World, data: str, tmp_path: Path) -> None:
    """An event changed in the file: exit 1, the chain and the place; sound roots kept outside are found again."""
    kept = tmp_path / "roots.jsonl"
    kept.write_text(run("audit", "roots", "--data", data).stdout)
    assert run("audit", "verify", "--data", data, "--against", str(kept)).returncode == 0
    file = DRIVER.connect(str(world.running["platform-a"].actor.folder / "records.sqlite"), isolation_level=None)
    (old,) = file.execute("SELECT body FROM audit_event WHERE chain = ? AND seq = 2", (SELLER,)).fetchone()
    guard = "DROP TRIGGER audit_event_no_UPDATE"
    (made,) = file.execute("SELECT sql FROM sqlite_master WHERE name = 'audit_event_no_UPDATE'").fetchone()
    file.execute(guard)
    change = "UPDATE audit_event SET body = ? WHERE chain = ? AND seq = 2"
    file.execute(change, (old.replace("AUDIT1", "AUDIT2"), SELLER))
    try:
        done = run("audit", "verify", "--data", data, "--actor", "platform-a", "--tenant", SELLER)
        assert done.returncode == 1
        assert f"✗ {SELLER} 2:" in done.stdout
    finally:
        file.execute(change, (old, SELLER))
        file.execute(made)
        file.close()
    assert run("audit", "verify", "--data", data).returncode == 0


def test_roots_of_another_key_are_not_passed_over(data: str, tmp_path: Path) -> None:
    """Roots kept outside under a key that no actor has any more are told: the log may have been written anew."""
    kept = tmp_path / "roots.jsonl"
    kept.write_text(run("audit", "roots", "--data", data).stdout)
    done = run("audit", "verify", "--data", data, "--actor", "platform-b", "--against", str(kept))
    assert done.returncode == 1
    assert "root kept outside, of no actor's key here" in done.stdout
    kept.write_text('{"body": 3}')
    assert "no root" in one_line(run("audit", "verify", "--data", data, "--against", str(kept)))


def test_where_nothing_can_be_read(tmp_path: Path, data: str) -> None:
    """No system there, or no such actor: one line."""
    assert "pas encore démarré" in one_line(run("audit", "verify", "--data", str(tmp_path)))
    assert "--actor nobody?" in one_line(run("audit", "verify", "--data", data, "--actor", "nobody"))
