"""The process is killed at random moments; nothing is lost, nothing is doubled."""

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.running import Circuit, free_ports

from estafette.circuit.network import SEATS
from estafette.simulation.pilot import Step, play, samples_of

KILLS = 30
SEED = 20260901
CASES = ("uc1", "uc2", "uc3")
"""One invoice each, ended by one obligatory status each."""
WAITING = "SELECT key FROM job WHERE state != 'done' AND NOT (tries = 0 AND due > created_at)"
"""What is left to do, but for what is scheduled: the root of the day, at its end."""
WAIT_S = (0.0, 0.8)
"""Between the moment the system is ready and the next kill."""


@pytest.mark.kill
def test_thirty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Killed thirty times in the middle of the three use cases, the system ends with every invoice once everywhere."""
    running = Circuit(tmp_path / "data", free_ports(len(SEATS)), is_forked=True)
    running.start()
    try:
        rounds, steps = asyncio.run(_play_under_kills(running))
        assert [step for step in steps if not step.holds] == []
        running.wait_quiet()
        _check_once(running, rounds)
    finally:
        running.stop()


async def _play_under_kills(running: Circuit) -> tuple[int, list[Step]]:
    """Play the three cases over and over while the system is killed; the last round ends undisturbed."""
    killer = asyncio.create_task(asyncio.to_thread(_kill_often, running))
    steps: list[Step] = []
    rounds = 0
    while rounds == 0 or not killer.done():
        rounds += 1
        for played in await asyncio.gather(*(_play(running, case, rounds) for case in CASES)):
            steps += played
    await killer
    return rounds, steps


async def _play(running: Circuit, case: str, round_number: int) -> list[Step]:
    today = datetime.now(UTC).date()
    documents = samples_of(case, number=_number(case, round_number), today=today)
    return await play(case, running.entries, documents=documents, patience=120)


def _number(case: str, round_number: int) -> str:
    return f"{case.upper()}-KILL-{round_number}"


def _kill_often(running: Circuit) -> None:
    chance = random.Random(SEED)  # noqa: S311 — moments to kill at, not secrets
    for _ in range(KILLS):
        running.kill_after(chance.uniform(*WAIT_S))
        running.start()


def _check_once(running: Circuit, rounds: int) -> None:
    """Each actor holds each invoice of each round exactly once, each status once, and nothing waits any more."""
    expected = sorted(_number(case, number) for case in CASES for number in range(1, rounds + 1))
    handed_over = [number for number in expected if not number.startswith("UC2")]
    live = "SELECT number FROM invoice WHERE side = ? AND standing = 'live'"
    assert running.query("platform-a", live, "issued") == expected
    assert running.query("platform-b", live, "received") == handed_over
    assert running.query("portal", "SELECT number FROM invoice_data") == expected
    assert running.query("administration", "SELECT number FROM fact") == expected
    told = "SELECT number || ' ' || status FROM {}"
    statuses = running.query("portal", told.format("obligatory_status"))
    assert statuses == running.query("administration", told.format("status_event"))
    assert statuses == sorted(f"{number} {status}" for number in expected for status in (200, _ending(number)))
    for actor in ("platform-a", "platform-b"):
        doubled = "SELECT message_id FROM event GROUP BY invoice_id, status HAVING count(*) > 1"
        assert running.query(actor, doubled) == []
    for seat in SEATS:
        assert running.query(seat.name, WAITING) == []


def _ending(number: str) -> int:
    """The obligatory status that ends a case: collected, rejected, refused."""
    return {"UC1": 212, "UC2": 213, "UC3": 210}[number.partition("-")[0]]
