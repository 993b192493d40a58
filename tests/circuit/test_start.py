"""Starting: everything that can stop it is one clear line and exit code 2, and touches nothing."""

import asyncio
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import aiohttp
import pytest
from tests.cli.command import one_line, run
from tests.running import LOOK_S, Circuit, free_ports

from estafette.circuit import seed
from estafette.circuit.network import SEATS
from estafette.store.database import DRIVER


def test_a_busy_port_is_said_and_nothing_is_touched(tmp_path: Path) -> None:
    """Another program holds one of the ports: the port is named and the folder is not made."""
    first = free_ports(len(SEATS))
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", first + 2))
        other.listen()
        line = one_line(run("up", "--data", str(tmp_path / "data"), "--port", str(first)))
    assert f"port {first + 2}" in line
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The data folder would stand inside a file: it cannot be made, and the file is left as it is."""
    (tmp_path / "file").write_text("kept")
    done = run("up", "--data", str(tmp_path / "file" / "data"), "--port", str(free_ports(len(SEATS))))
    assert str(tmp_path / "file" / "data") in one_line(done)
    assert (tmp_path / "file").read_text() == "kept"


def test_an_unknown_actor_is_said() -> None:
    """`--only` names an actor that does not exist: those that exist are told."""
    assert "platform-a" in one_line(run("up", "--only", "nobody"))


def test_a_network_file_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """`network.yaml` names an actor that does not exist."""
    (tmp_path / "network.yaml").write_text("actors: {somebody: {url: 'http://127.0.0.1:1'}}")
    line = one_line(run("up", "--data", str(tmp_path), "--port", str(free_ports(len(SEATS)))))
    assert "network.yaml" in line
    assert "somebody" in line


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Circuit:
    """A circuit that was started once, seeded, and stopped."""
    running = Circuit(tmp_path_factory.mktemp("start") / "data", free_ports(len(SEATS)))
    running.start()
    running.stop()
    return running


def test_the_first_start_shows_progress_and_prints_the_addresses(started: Circuit) -> None:
    """Five numbered steps, then each desk's address and who may enter it."""
    shown = started.log.read_text()
    assert [f"[{number}/5]" in shown for number in range(1, 6)] == [True] * 5
    assert all(url in shown for url in started.urls.values())
    assert all(login in shown for login in ("fournisseur", "client", "moulin", "commune", "agent"))


def test_secrets_are_for_their_owner_only(started: Circuit) -> None:
    """Keys, tokens and credentials are readable by nobody else."""
    secrets = [started.data / "credentials.yaml"]
    for seat in SEATS:
        secrets += [started.data / seat.name / "key.pem", started.data / seat.name / "operator.token"]
    assert {file.name: oct(file.stat().st_mode & 0o077) for file in secrets} == {file.name: "0o0" for file in secrets}


def test_a_second_start_finds_everything_as_it_was(started: Circuit) -> None:
    """Nothing is seeded again, accounts and registrations are those of the first start, on another port too."""
    before = (started.data / "credentials.yaml").read_bytes()
    moved = Circuit(started.data, free_ports(len(SEATS)))
    moved.start()
    try:
        assert (started.data / "credentials.yaml").read_bytes() == before
        moved.wait_quiet()
        contacts = moved.query("platform-a", "SELECT contact FROM mirror_platform WHERE matricule = '0005'")
        assert contacts[0].startswith(moved.urls["platform-b"] + " ")
    finally:
        moved.stop()


def test_one_actor_is_served_alone(started: Circuit) -> None:
    """`--only platform-a` serves that actor at its own port, ready, and no other."""
    port = free_ports(len(SEATS))
    command = [sys.executable, "-m", "estafette", "up", "--data", str(started.data), "--port", str(port)]
    alone = Circuit(started.data, port)
    with alone.log.open("ab") as log:
        alone.process = subprocess.Popen([*command, "--only", "platform-a"], stdout=log, stderr=log)
    try:
        alone.wait_ready(["platform-a"])
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(f"{alone.urls['portal']}/health", timeout=5)  # noqa: S310
    finally:
        alone.stop()


def test_two_processes_never_serve_one_folder(started: Circuit) -> None:
    """A folder already served is refused to a second process."""
    first = Circuit(started.data, free_ports(len(SEATS)))
    first.start()
    try:
        second = free_ports(2 * len(SEATS)) + len(SEATS)
        assert "served" in one_line(run("up", "--data", str(started.data), "--port", str(second)))
    finally:
        first.stop()


def test_data_of_a_newer_version_are_left_alone(started: Circuit) -> None:
    """A store with a revision this code does not know is named and not opened."""
    file = started.data / "portal" / "records.sqlite"
    records = DRIVER.connect(str(file))
    records.execute("INSERT INTO alembic_version VALUES ('from_the_future')")
    records.commit()
    records.close()
    before = file.read_bytes()
    try:
        line = one_line(run("up", "--data", str(started.data), "--port", str(free_ports(len(SEATS)))))
        assert "portal" in line
        assert file.read_bytes() == before
    finally:
        records = DRIVER.connect(str(file))
        records.execute("DELETE FROM alembic_version WHERE version_num = 'from_the_future'")
        records.commit()
        records.close()


@pytest.mark.parametrize("place", [0, 8192, -8192], ids=["header", "tables", "end"])
def test_a_damaged_store_is_said_and_left_as_it_is(started: Circuit, place: int) -> None:
    """A store that is no sound database any more is named and not opened: exit 2, no byte of it changed."""
    file = started.data / "platform-b" / "records.sqlite"
    before = file.read_bytes()
    damaged = before[:place] + (b"\xff" * 4096 + before[place:][4096:] if place >= 0 else b"")
    file.write_bytes(damaged)
    try:
        line = one_line(run("up", "--data", str(started.data), "--port", str(free_ports(len(SEATS)))))
        assert str(file) in line
        assert file.read_bytes() == damaged
    finally:
        file.write_bytes(before)


@pytest.mark.parametrize("content", ["actors: [\n- {", "actors: 3\n", "actors:\n  portal: {uri: 'x'}\n"])
def test_a_broken_network_file_is_one_line(tmp_path: Path, content: str) -> None:
    """`network.yaml` that cannot be read is one line, however many the fault takes."""
    (tmp_path / "network.yaml").write_text(content)
    assert "network.yaml" in one_line(run("up", "--data", str(tmp_path), "--port", str(free_ports(len(SEATS)))))


def test_one_actor_alone_on_a_fresh_folder_says_that_there_is_no_account(tmp_path: Path) -> None:
    """`--only` where all the actors have never started: the actor is ready, and one line says how accounts come."""
    alone = Circuit(tmp_path / "data", free_ports(len(SEATS)))
    command = [sys.executable, "-m", "estafette", "up", "--data", str(alone.data), "--port", str(alone.port)]
    with alone.log.open("ab") as log:
        alone.process = subprocess.Popen([*command, "--only", "platform-a"], stdout=log, stderr=log)
    try:
        alone.wait_ready(["platform-a"])
    finally:
        alone.stop()
    assert "No account yet" in alone.log.read_text()


def test_a_stop_during_the_first_start_is_heeded_at_once(tmp_path: Path) -> None:
    """Ctrl-C while the team is being seeded stops there, without a traceback; the next start finishes it."""
    cut = Circuit(tmp_path / "data", free_ports(len(SEATS)))
    cut.start(wait=False)
    assert cut.process is not None
    while "[1/5]" not in (shown := cut.log.read_text()):
        assert cut.process.poll() is None, shown
        time.sleep(LOOK_S)
    cut.stop()
    assert cut.process.returncode == 0
    shown = cut.log.read_text()
    assert "[5/5]" not in shown
    assert "Traceback" not in shown
    assert not (cut.data / "seeded").exists()
    cut.start()
    cut.stop()
    assert (cut.data / "seeded").exists()


def test_a_first_start_that_fails_is_one_line(tmp_path: Path) -> None:
    """An actor that does not take a step of the first start: which, and its answer, on one line, exit 2."""
    entry = {"actor": "platform-a", "login": "fournisseur", "password": "short", "siren": "100000009"}
    (tmp_path / "credentials.yaml").write_text(f"[{entry | {'client_id': 'si', 'client_secret': 'short'}}]")
    done = run("up", "--data", str(tmp_path), "--port", str(free_ports(len(SEATS))))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("platform-a /operator/v1/companies: 400 ")


def test_damaged_credentials_are_one_line(tmp_path: Path) -> None:
    """The file of the credentials cannot be read: it is named on one line, exit 2, and left as it is."""
    file = tmp_path / "credentials.yaml"
    file.write_text("[{actor: 1")
    done = run("up", "--data", str(tmp_path), "--port", str(free_ports(len(SEATS))))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert str(file) in line
    assert file.read_text() == "[{actor: 1"


def test_a_damaged_key_is_one_line(tmp_path: Path) -> None:
    """A file of a key that holds none: said on one line, exit 2, and never replaced by a new key."""
    file = tmp_path / "platform-a" / "key.pem"
    file.parent.mkdir(parents=True)
    file.write_text("-----BEGIN PRIVATE KEY-----")
    done = run("up", "--data", str(tmp_path), "--port", str(free_ports(len(SEATS))))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "key.pem" in line
    assert file.read_text() == "-----BEGIN PRIVATE KEY-----"


def test_copies_of_the_directory_are_waited_for_a_bounded_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform whose copy never fills ends the first start, named, instead of being waited for without end."""

    class Behind(seed._Seed):
        async def _get(self, actor: str, _path: str) -> dict[str, int]:
            return {"directory_lines": 0 if actor == "platform-b" else 1000}

    async def wait() -> None:
        async with aiohttp.ClientSession() as session:
            await Behind(tmp_path, [], str, session)._mirrors()

    monkeypatch.setattr(seed, "MIRRORS_S", 0.05)
    with pytest.raises(seed.SeedFailed, match=r"^platform-b: .*start again$"):
        asyncio.run(wait())


@pytest.mark.parametrize("name", ["records.sqlite", "key.pem"])
def test_an_actor_that_cannot_be_opened_is_said(tmp_path: Path, name: str) -> None:
    """A folder stands where the store or the key should be: one line, exit 2, the actors opened before let go."""
    (tmp_path / "platform-b" / name).mkdir(parents=True)
    line = one_line(run("up", "--data", str(tmp_path), "--port", str(free_ports(len(SEATS)))))
    assert "platform-b" in line
