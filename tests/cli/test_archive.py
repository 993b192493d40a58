"""`estafette archive` on a data folder: what is kept, verified, held, purged."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.cli.command import Done, one_line
from tests.platform.world import SELLER, Clock, World, open_world, service
from typer.testing import CliRunner

from estafette.cli import app
from estafette.platform import tables
from estafette.platform.keeping_package import Asked
from estafette.values.moments import PARIS


def run(*arguments: str) -> Done:
    """Run the command in this process: starting one costs more than all that is done here."""
    done = CliRunner().invoke(app, list(arguments))
    return Done(list(arguments), done.exit_code, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a system where two invoices went through, one of them long ago."""
    made = open_world(tmp_path_factory.mktemp("archive"), Clock())
    for number in ("OLD", "NEW"):
        made.deposit(service(number))
    then = datetime(2010, 3, 5, 12, tzinfo=PARIS)
    row = made.row(SELLER, "OLD")
    with made.running["platform-a"].actor.database.begin() as connection:
        old = tables.invoice.c.id == row["id"]
        connection.execute(update(tables.invoice).where(old).values(issue_date=then.date()))
        connection.execute(update(tables.event).where(tables.event.c.invoice_id == row["id"]).values(set_at=then))
    yield made
    made.close()


@pytest.fixture
def data(world: World) -> str:
    """Give the data folder."""
    return str(world.running["platform-a"].actor.folder.parent)


def test_all_actors_are_verified(data: str) -> None:
    """Every document of every actor is read: all is there; with a byte changed, exit 1 and the document is named."""
    done = run("archive", "verify", "--data", data, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = {one["actor"]: one for one in json.loads(done.stdout)}
    assert set(told) == {"portal", "platform-a", "platform-b", "administration"}
    assert all(one["sound"] and one["documents"] for name, one in told.items() if name != "administration")
    pack = next((Path(data) / "platform-b" / "documents").rglob("*.pack"))
    sound = pack.read_bytes()
    pack.write_bytes(sound[:40] + bytes([sound[40] ^ 1]) + sound[41:])
    try:
        done = run("archive", "verify", "--data", data, "--actor", "platform-b")
        assert done.returncode == 1
        assert done.stdout.count("✗") == 1
    finally:
        pack.write_bytes(sound)


def test_what_is_over_is_said_held_and_purged(data: str) -> None:
    """Said first, kept while it is held, purged once the hold is released: each time told with its rule."""
    at_platform = ("--actor", "platform-a", "--data", data)

    def things(*arguments: str) -> dict[str, str | None]:
        done = run("archive", "purge", *arguments, *at_platform, "--json")
        assert done.returncode == 0, done.stderr
        return {one["reference"]: one["why"] for one in json.loads(done.stdout)["things"] if one["kind"] == "invoice"}

    assert things("--dry-run") == {"OLD": None}
    done = run("archive", "hold", "--tenant", SELLER, "--reason", "avis 3924", "--to", "2012-12-31", *at_platform)
    number = done.stdout.strip()
    assert things() == {}
    assert things("--dry-run") == {"OLD": f"hold {number}: avis 3924"}
    state = run("archive", "status", *at_platform)
    assert f"gel / hold {number}, {SELLER}: avis 3924" in state.stdout
    assert "1 retenus / kept back" in state.stdout
    assert run("archive", "release", number, "--tenant", SELLER, *at_platform).returncode == 0
    assert run("archive", "release", number, "--tenant", SELLER, *at_platform).returncode == 1
    assert things() == {"OLD": None}
    assert things() == {}
    state = json.loads(run("archive", "status", *at_platform, "--json").stdout)
    assert (state["drawers"]["invoice"], state["holds"]) == ({"over": 0, "held": 0}, [])
    assert state["condemned"] > 0
    assert run("archive", "verify", "--data", data).returncode == 0
    assert run("audit", "verify", "--data", data).returncode == 0


def test_a_package_is_verified_alone_and_taken_over(world: World, data: str, tmp_path: Path) -> None:
    """A package handed over is verified with nothing else, and read by another platform; changed, exit 1."""
    platform = world.home(SELLER)
    with platform.home.actor.database.begin() as connection:
        identifier = platform.packages.ask(connection, SELLER, Asked(), by="login:ada")
    world.work()
    file = platform.packages.fetch(SELLER, identifier)
    assert file is not None
    copy = tmp_path / "dossier.zip"
    copy.write_bytes(file.read_bytes())
    done = run("archive", "verify-package", str(copy))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"intact / sound: {SELLER}" in done.stdout
    key = platform.home.actor.public_key
    assert json.loads(run("archive", "verify-package", str(copy), "--key", key, "--json").stdout)["sound"] is True
    assert run("archive", "verify-package", str(copy), "--key", "other").returncode == 1
    world.platform("platform-b").open_company(siren=SELLER, name="Vendeur", status_address=SELLER)
    said = ("archive", "import", str(copy), "--tenant", SELLER, "--actor", "platform-b", "--data", data, "--json")
    assert json.loads(run(*said).stdout) == {"taken": 1, "had": 0, "without": 0}
    assert json.loads(run(*said).stdout) == {"taken": 0, "had": 1, "without": 0}
    assert run(*said, "--key", "other").returncode == 1
    changed = bytearray(copy.read_bytes())
    changed[len(changed) // 2] ^= 1
    copy.write_bytes(changed)
    done = run("archive", "verify-package", str(copy))
    assert (done.returncode, done.stdout[0]) == (1, "✗")


def test_what_cannot_be_done(data: str, tmp_path: Path) -> None:
    """No system there, no such actor, a day that is none, a duration below the law: one line; no reason: exit 1."""
    assert "pas encore démarré" in one_line(run("archive", "verify", "--data", str(tmp_path)))
    assert "--actor nobody?" in one_line(run("archive", "status", "--actor", "nobody", "--data", data))
    assert "rien n'y est purgé" in one_line(run("archive", "purge", "--actor", "administration", "--data", data))
    at_portal = ("--actor", "portal", "--data", data)
    said = ("archive", "hold", "--tenant", SELLER, *at_portal)
    assert "AAAA-MM-JJ" in one_line(run(*said, "--reason", "x", "--until", "demain"))
    assert run(*said, "--reason", " ").returncode == 1
    (Path(data) / "portal" / "keeping.yaml").write_text("retention_months: {tax-evidence: 12}")
    assert "tax-evidence: 12 < 72" in one_line(run("archive", "status", *at_portal))
    (Path(data) / "portal" / "keeping.yaml").unlink()
