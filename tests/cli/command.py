"""The command, run to its end as a person runs it."""

import subprocess

from tests.forked import run

__all__ = ["Done", "one_line", "run"]

Done = subprocess.CompletedProcess[str]


def one_line(done: Done) -> str:
    """The command could do nothing: exit code 2, one line on the error output, nothing else."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line
