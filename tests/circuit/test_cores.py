"""A busy process keeps to one core, and moves when others crowd it; one that is not busy is left alone."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estafette.circuit import cores
from estafette.circuit.cores import APART, BUSY, CALM, Linux, Moment, chosen, keep_to_one

SHARES = st.floats(0, 1)


@dataclass
class Steps:
    """A machine of two cores that is told what each look will find: the share of the process, and of each core."""

    looks: list[tuple[float, dict[int, float]]]
    at: int = 0
    kept: list[set[int]] = field(default_factory=list)
    allowed: Collection[int] = (0, 1)
    _seconds: float = 0.0
    _own: float = 0.0
    _busy: dict[int, float] = field(default_factory=lambda: {0: 0.0, 1: 0.0})
    _is_second: bool = False

    def cores(self) -> Collection[int]:
        """Return two, or those that the test wants."""
        return self.allowed

    def moment(self) -> Moment:
        """Return what was, or what a second of the next look made of it; when there is none, the test ends."""
        if self._is_second:
            own, busy = self.looks.pop(0)
            self._seconds += 1
            self._own += own
            self._busy = {core: self._busy[core] + share for core, share in busy.items()}
        elif not self.looks:
            raise asyncio.CancelledError
        self._is_second = not self._is_second
        return self._seconds, self._own, self._busy

    def last(self) -> int:
        """Return where it was."""
        return self.at

    def keep(self, cores: Collection[int]) -> None:
        """Note it."""
        self.kept.append(set(cores))


def kept(monkeypatch: pytest.MonkeyPatch, *looks: tuple[float, dict[int, float]], at: int = 0) -> list[set[int]]:
    """Return the cores kept to after each look, and at the end."""
    machine = Steps(list(looks), at)
    monkeypatch.setattr(cores, "LOOK_S", 0.0)
    monkeypatch.setattr(cores, "SURE_S", 0.0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(keep_to_one(machine))
    return machine.kept


def test_one_that_has_little_to_do_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of the system."""
    assert kept(monkeypatch, (0.2, {0: 0.9, 1: 0.0}), (BUSY - 0.01, {0: 0.9, 1: 0.0})) == []


def test_one_that_is_busy_keeps_to_where_it_was_until_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others of its core do not chase it while the other core is no less busy; all are free at the end."""
    busy = (0.7, {0: 0.6, 1: 0.9})
    assert kept(monkeypatch, busy, busy, (CALM + 0.01, {0: 0.6, 1: 0.5}), at=1) == [{1}, {1}, {1}, {0, 1}]
    assert kept(monkeypatch, busy, (CALM - 0.01, {0: 0.1, 1: 0.1}), at=1) == [{1}, {0, 1}]


def test_one_whose_core_others_use_goes_to_the_calmest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is sure: not when those others have just left."""
    crowded = (0.5, {0: 1.0, 1: 0.1})
    assert kept(monkeypatch, (0.9, {0: 0.9, 1: 0.1}), crowded, crowded, (0.9, {0: 0.1, 1: 0.9})) == [
        {0},
        {1},
        {1},
        {0, 1},
    ]
    assert kept(monkeypatch, (0.9, {0: 0.9, 1: 0.1}), crowded, (0.9, {0: 0.9, 1: 0.6})) == [{0}, {0}, {0, 1}]


@given(st.integers(0, 3) | st.none(), st.integers(0, 3), SHARES, st.lists(SHARES, min_size=4, max_size=4))
def test_it_goes_only_where_it_is_better(was: int | None, last: int, own: float, shares: list[float]) -> None:
    """Whatever the machine does: one of its cores, and another than before only if that is calmer by so much."""
    busy = dict(enumerate(shares))
    core = chosen(was, last, own, busy)
    assert (core is None) == (own < (BUSY if was is None else CALM))
    if core is not None and was is None:
        assert core == last
    if core is not None and was is not None and core != was:
        assert busy[core] + APART < busy[was] - own


def test_a_core_that_is_no_more_is_left() -> None:
    """It goes to where the system put it, when that is one of its own."""
    assert chosen(7, 1, 0.9, {0: 0.1, 1: 0.9}) == 1
    assert chosen(7, 8, 0.9, {0: 0.1, 1: 0.9}) is None


def test_where_the_system_tells_no_more_it_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read, or is written in another way, ends the looking and not the process."""
    monkeypatch.setattr(cores, "LOOK_S", 0.0)
    for fault in (OSError, ValueError, IndexError):
        machine = Steps([(0.9, {0: 0.9, 1: 0.0})])

        def failing(machine: Steps = machine, fault: type[Exception] = fault) -> Moment:
            if not machine.looks:
                raise fault
            return Steps.moment(machine)

        monkeypatch.setattr(machine, "moment", failing)
        asyncio.run(keep_to_one(machine))
        assert machine.kept == [{0}, {0, 1}]


def test_where_there_is_one_core_nothing_is_asked() -> None:
    """Nor where cores are not known."""
    for known in ((), (3,)):
        machine = Steps([(0.9, {0: 0.9})], allowed=known)
        asyncio.run(keep_to_one(machine))
        assert machine.kept == []


ALL_THREADS = """
import os, threading
from estafette.circuit.cores import Linux
done = threading.Event()
early = threading.Thread(target=done.wait)
early.start()
machine = Linux()
(first, *_), before = machine.cores(), machine.moment()
machine.keep({first})
late = threading.Thread(target=done.wait)
late.start()
print({tuple(os.sched_getaffinity(int(task))) for task in os.listdir("/proc/self/task")} == {(first,)})
print(machine.last() == first, set(machine.cores()) == {first})
after = machine.moment()
print(after[0] > before[0], after[1] >= before[1], after[2].keys() == before[2].keys() >= {first})
done.set()
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux lets a process keep to a core")
def test_every_thread_of_a_process_keeps_to_it() -> None:
    """Those there already, and those that begin after."""
    ran = subprocess.run([sys.executable, "-c", ALL_THREADS], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True"] * 6
    assert Linux().cores()
