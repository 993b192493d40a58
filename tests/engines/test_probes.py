"""What a process says of itself: that it lives, whether it may have work, what it counts."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text
from starlette.types import Message
from tests.platform.world import SELLER, World, opened, service

from estafette.circuit.operators import operator_token
from estafette.store import correlation, jobs
from estafette.store.packs import FolderPacks


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a system that is open and at no work, for all of these tests."""
    with opened() as world:
        yield world


def ask(world: World, path: str, *, actor: str = "platform-a", token: str = "") -> tuple[int, str]:
    """Return what an actor answers."""
    return asyncio.run(_ask(world, path, actor, token))


async def _ask(world: World, path: str, actor: str, token: str) -> tuple[int, str]:
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path,
        "raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": headers, "scheme": "http",
        "server": ("test", 80), "client": ("192.0.2.1", 1),
    }  # fmt: skip
    heard: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        heard.append(message)

    await world.running[actor].application(scope, receive, send)
    return heard[0]["status"], b"".join(one.get("body", b"") for one in heard).decode()


def checks(world: World) -> dict[str, str]:
    """Look anew at what is ready, the worker at its work."""

    async def look() -> dict[str, str]:
        actor = world.running["platform-a"].actor
        actor.start()
        try:
            await asyncio.sleep(0)
            world.running["platform-a"].probes._seen = (0.0, {})
            world.running["platform-a"].probes._kept = -100.0
            return await world.running["platform-a"].probes.look()
        finally:
            assert actor._task is not None
            actor._task.cancel()
            await asyncio.wait([actor._task])
            actor._task = None

    return asyncio.run(look())


def metrics(world: World, actor: str = "platform-a") -> dict[str, float]:
    """Return every measure of an actor by its name and labels."""
    token = operator_token(world.running[actor].actor.folder)
    status, body = ask(world, "/metrics", actor=actor, token=token)
    assert status == 200
    lines = [line for line in body.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_it_lives_before_it_is_ready(world: World) -> None:
    """A process that has not finished its start lives, is not to be given work, and says why."""
    assert ask(world, "/health")[0] == 200
    status, body = ask(world, "/ready")
    assert status == 503
    assert json.loads(body)["checks"]["started"] == "starting"
    world.running["platform-a"].ready()
    assert set(checks(world).values()) == {"ok"}


def test_a_worker_that_ended_is_death(world: World) -> None:
    """When the worker has ended only a restart helps: neither alive nor ready."""

    async def end() -> None:
        actor = world.running["platform-a"].actor
        actor.start()
        assert actor._task is not None
        actor._task.cancel()
        await asyncio.wait([actor._task])

    asyncio.run(end())
    world.running["platform-a"].probes._seen = (0.0, {})
    assert ask(world, "/health")[0] == 503
    assert json.loads(ask(world, "/ready")[1])["checks"]["worker"] == "stopped"
    world.running["platform-a"].actor._task = None


def test_a_newer_schema_is_not_served(world: World) -> None:
    """Once a newer process has migrated the store, this one asks to be given no more."""
    with world.running["platform-a"].actor.database.begin() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('from_the_future')"))
    assert checks(world)["migrations"] == "other version"
    with world.running["platform-a"].actor.database.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version WHERE version_num = 'from_the_future'"))
    assert checks(world)["migrations"] == "ok"


def test_documents_that_cannot_be_kept_are_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is gone, or a disk that is full, is a word and not an error."""
    assert checks(world)["documents"] == "ok"
    actor = world.running["platform-a"].actor
    monkeypatch.setattr(actor.documents._packs, "_folder", actor.folder / "gone")
    with structlog.testing.capture_logs() as logs:
        assert checks(world)["documents"] == "failed"
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["probe.failed"]


def test_a_folder_is_checked_without_a_trace(tmp_path: Path) -> None:
    """Looking whether documents can be kept leaves nothing."""
    packs = FolderPacks(tmp_path)
    packs.check()
    assert list(tmp_path.iterdir()) == []


def test_a_worker_is_stuck_when_due_work_is_not_looked_for(world: World) -> None:
    """Work that waits while the worker looks is a queue; while it has not looked for a minute, it is stuck."""
    worker, clock = world.running["platform-a"].actor.worker, world.clock
    with world.running["platform-a"].actor.database.begin() as connection:
        jobs.add(connection, queue="pack", key="one", payload={"interface": "FFE0614A"}, now=clock.now)
    worker._looked = clock.now
    world.pass_by(seconds=90)
    assert worker.is_stuck(timedelta(minutes=1))
    worker._looked = clock.now
    assert not worker.is_stuck(timedelta(minutes=1))
    world.work()


def test_what_is_counted_is_what_happened(world: World) -> None:
    """Deposits, verdicts, messages to a peer, work that waits and documents are there, and no company is named."""
    world.work()
    before = metrics(world)
    world.deposit(service("METRICS-1"))
    world.leave(service("METRICS-2"))
    seen = metrics(world)
    assert seen['estafette_deposits_total{syntax="UBL"}'] - before.get('estafette_deposits_total{syntax="UBL"}', 0) == 2
    assert seen['estafette_verdicts_total{kind="issued",outcome="live"}'] == 1
    assert seen['estafette_verdicts_total{kind="file",outcome="Ok"}'] == 1
    assert seen['estafette_jobs_waiting{queue="deposit"}'] == 1
    assert seen['estafette_jobs_oldest_seconds{queue="deposit"}'] > 0
    assert seen['estafette_messages_total{outcome="taken",peer="0005"}'] >= 1
    assert seen["estafette_documents"] > 0
    assert metrics(world, "platform-b")['estafette_messages_taken_total{kind="invoice",peer="0003"}'] == 1
    assert [name for name in seen if SELLER in name] == []
    world.work()


def test_a_request_is_measured_by_its_route(world: World) -> None:
    """The template of the route is the label, never the address that was asked."""
    assert ask(world, "/flow-service/v1/flows/one")[0] == 401
    route = 'method="GET",route="/flow-service/v1/flows/{flowId}",status="401"'
    assert metrics(world)[f"estafette_http_request_seconds_count{{{route}}}"] == 1


def test_measures_are_the_operators(world: World) -> None:
    """Without the operator's token there is no measure."""
    assert ask(world, "/metrics")[0] == 401


def test_one_identifier_follows_an_invoice_everywhere(world: World) -> None:
    """What follows from a deposit bears its identifier, on this platform and at the other actors."""
    identifier = "11111111-2222-4333-8444-555555555555"
    with correlation.bound(identifier):
        world.leave(service("FOLLOWED-1"))
    world.work()
    followed = "SELECT DISTINCT queue FROM job WHERE correlation = :identifier"
    queues = {
        name: {row["queue"].partition(":")[0] for row in world.sql(name, followed, identifier=identifier)}
        for name in world.running
    }
    assert queues["platform-a"] >= {"deposit", "deliver", "pack"}
    assert queues["platform-b"] >= {"receive", "deliver"}
    assert queues["portal"] >= {"control", "deliver"}


def test_what_begins_by_itself_gets_an_identifier(world: World) -> None:
    """A file that no request brought begins an identifier of its own."""
    world.leave(service("ALONE-1"))
    (row,) = world.sql("platform-a", "SELECT correlation FROM job WHERE queue = 'deposit' AND state = 'pending'")
    assert len(row["correlation"]) == 36
    world.work()
