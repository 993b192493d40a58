"""The command in a process of its own that begins where the program is loaded already: its imports are made once.

A server of forks, which has no thread and has opened nothing, loads the program; each process is a fork of it, with the
arguments, environment and folder it is given. It has its own sockets, files and death, as one that a person started:
what is saved is three seconds of imports. That the installed command loads what it needs is proved by those who start
it as a person does (`tests.running.Circuit`, `tests.circuit.test_processes`).
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

LOADED = (
    "pytest",  # what a fork looks for first: the program that asked for it
    "estafette.circuit.serve",
    "estafette.circuit.seed",
    "estafette.circuit.entries",
    "estafette.cli",
    "estafette.readable",
    "estafette.rules",
    "estafette.simulation.pilot",
    "estafette.simulation.samples",
)


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LOADED))
    return context


def _be(arguments: Sequence[str], environment: dict[str, str], folder: str, out: Path, err: Path) -> None:
    """Be the command, what it writes in these files."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, file in ((1, out), (2, err)):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.argv = ["estafette", *arguments]
    from estafette.cli import main

    main()


class Forked:
    """The command at work, looked at as a `subprocess.Popen` is."""

    def __init__(self, arguments: Sequence[str], *, out: Path, err: Path) -> None:
        given = (list(arguments), dict(os.environ), str(Path.cwd()), out, err)
        self._process = _context().Process(target=_be, args=given)
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended, None while it lives."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Tell how it ended, None while it lives."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended. Raises: subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("estafette", timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)


def run(*arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, as `subprocess.run` does."""
    with tempfile.TemporaryDirectory() as name:
        out, err = Path(name) / "out", Path(name) / "err"
        code = Forked(arguments, out=out, err=err).wait(timeout)
        return subprocess.CompletedProcess(["estafette", *arguments], code, out.read_text(), err.read_text())
