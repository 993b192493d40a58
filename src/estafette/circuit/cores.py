"""A busy process keeps to one core of the machine.

The threads of a process take turns at one interpreter: but for what the libraries do without it, one computes at a
time, whatever the cores. Where the system spreads them, each turn wakes another core, which has nothing of what the
last one had at hand: a tenth of what an invoice costs, on two cores (docs/decisions.md). Kept together they take turns
at no price.

A process that has little to do is left to the system, which knows its machine better: there may be slower cores, or
sleeping ones. Where it was when it became busy it stays, until another core is far less busy than others make its own.
"""

import asyncio
import os
import random
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import structlog

log = structlog.get_logger()

LOOK_S, SURE_S = 1.0, 0.1
"""Seconds between two looks; and those looked at again before a core is left, since what made it busy may just have
left it too."""

BUSY, CALM = 0.5, 0.25
"""The share of a core from which a process keeps to one, and the one below which it is left to the system again."""

APART = 0.25
"""How much less busy another core must be, as a share, for a process to go there."""

Moment = tuple[float, float, dict[int, float]]
"""A moment, the seconds of processor that this process had used by then, and those that each core had been busy."""


class Machine(Protocol):
    """What a process knows of the cores, and may ask of the system."""

    def cores(self) -> Collection[int]:
        """Return the cores that it may use; none, where that cannot be known or asked."""

    def moment(self) -> Moment:
        """Return what there is to know now. Raises: OSError."""

    def last(self) -> int:
        """Return the core where it was last. Raises: OSError."""

    def keep(self, cores: Collection[int]) -> None:
        """All its threads, and those that they begin, are on these cores only. Raises: OSError."""


class Linux:
    """The machine, as Linux tells of it (proc(5), sched_setaffinity(2))."""

    def cores(self) -> Collection[int]:
        """See `Machine`."""
        if not (hasattr(os, "sched_setaffinity") and Path("/proc/stat").exists()):
            return ()
        return sorted(os.sched_getaffinity(0))

    def moment(self) -> Moment:
        """See `Machine`."""
        busy: dict[int, float] = {}
        ticks = os.sysconf("SC_CLK_TCK")
        for line in Path("/proc/stat").read_text().splitlines():
            name, *counts = line.split()
            if name.startswith("cpu") and name != "cpu":
                user, nice, system, _idle, _waiting, *more = map(int, counts[:8])
                busy[int(name[3:])] = (user + nice + system + sum(more)) / ticks
        return time.monotonic(), time.process_time(), busy

    def last(self) -> int:
        """See `Machine`."""
        after_name = Path("/proc/self/stat").read_text().rpartition(")")[2]
        return int(after_name.split()[36])  # the 39th field, two before the name

    def keep(self, cores: Collection[int]) -> None:
        """See `Machine`."""
        told: set[str] = set()
        while begun := {task.name for task in Path("/proc/self/task").iterdir()} - told:  # some begin meanwhile
            for task in begun:
                with suppress(ProcessLookupError):  # others end
                    os.sched_setaffinity(int(task), cores)
            told |= begun


def chosen(kept: int | None, last: int, own: float, busy: Mapping[int, float]) -> int | None:
    """Return the core to keep to; none, when the process is left to the system.

    `kept`: the core it keeps to, if any; `last`: where it was last; `own`: the share of a core that it used; `busy`:
    that which each core was, with it.
    """
    if own < (BUSY if kept is None else CALM):
        return None
    if kept is None or kept not in busy:
        return last if last in busy else None
    calmest = min(busy, key=lambda core: busy[core])
    return calmest if busy[calmest] + APART < busy[kept] - own else kept


async def keep_to_one(machine: Machine) -> None:
    """The process keeps to one core while it is busy, until cancelled; then it is left to the system."""
    allowed = machine.cores()
    kept: int | None = None
    is_asked = False
    try:
        while len(allowed) > 1:
            wanted = await _looked(machine, allowed, kept, LOOK_S * random.uniform(0.7, 1.3))  # noqa: S311 — no secret
            if (
                kept is not None
                and wanted not in (None, kept)
                and wanted != await _looked(machine, allowed, kept, SURE_S)
            ):
                wanted = kept
            if wanted is not None or is_asked:
                is_asked = True
                machine.keep(allowed if wanted is None else {wanted})
                is_asked = wanted is not None
            kept = wanted
            allowed = machine.cores() if kept is None else allowed  # whoever runs it may have said otherwise
    except (OSError, ValueError, IndexError):
        log.warning("cores.untold", exc_info=True)  # what cannot be known, or asked, is left to the system
    finally:
        if is_asked:
            with suppress(OSError):
                machine.keep(allowed)


async def _looked(machine: Machine, allowed: Collection[int], kept: int | None, seconds: float) -> int | None:
    """Look for so long; return the core to keep to."""
    began, own_before, before = machine.moment()
    await asyncio.sleep(seconds)
    ended, own_after, after = machine.moment()
    passed = max(ended - began, seconds / 2)
    busy = {core: (after[core] - before[core]) / passed for core in allowed if core in after and core in before}
    return chosen(kept, machine.last(), (own_after - own_before) / passed, busy)
