"""`estafette pilot run`: what stops it before anything is played is one line and exit code 2."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.cli.command import one_line, run
from tests.running import Circuit, free_ports

from estafette.circuit.entries import Entries
from estafette.cli import pilot
from estafette.formats import read
from estafette.simulation import pilot as played
from estafette.simulation.pilot import USE_CASES, Step


def test_nobody_listens(circuit: Circuit) -> None:
    """With nobody at the addresses no case is played."""
    port = free_ports(4)
    line = one_line(run("pilot", "run", "uc1", "--data", str(circuit.data), "--port", str(port)))
    assert f":{port} (portal)" in line


def test_a_case_that_does_not_exist() -> None:
    """The cases there are are told."""
    assert "uc1" in one_line(run("pilot", "run", "uc99"))


def test_all_cases_are_replayed(circuit: Circuit) -> None:
    """`all` plays every case there is, and each holds at every step on the running circuit: exit 0."""
    done = run("pilot", "run", "all", "--data", str(circuit.data), "--port", str(circuit.port))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines() if line.startswith(tuple(USE_CASES))] == [
        *USE_CASES
    ] * 2


def test_a_case_is_dated_in_paris(monkeypatch: pytest.MonkeyPatch) -> None:
    """Just after midnight in Paris, the invoices are of the new day there."""

    class Evening(datetime):
        @classmethod
        def now(cls, _zone: object = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 8, 31, 22, 30, tzinfo=UTC)

    days: list[date | None] = []

    async def play(_case: str, _entries: Entries, *, documents: tuple[bytes, ...], **_how: Any) -> list[Step]:
        days.extend(read(document).issue_date for document in documents)
        return []

    monkeypatch.setattr(pilot, "datetime", Evening)
    monkeypatch.setattr(played, "play", play)
    assert asyncio.run(pilot._run(["uc2"], Entries({}, {}, {}), 1.0))
    assert days == [date(2026, 9, 1)] * 2


def test_what_earlier_runs_left_changes_nothing(circuit: Circuit) -> None:
    """A period that was sent is sent again: each answer that is waited for is that of what this run sent."""
    for _ in range(3):
        done = run("pilot", "run", "ereporting", "--data", str(circuit.data), "--port", str(circuit.port))
        assert done.returncode == 0, done.stdout
