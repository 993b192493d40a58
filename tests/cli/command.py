"""The installed command, run to its end as a person runs it."""

import subprocess
import sys

Done = subprocess.CompletedProcess[str]


def run(*arguments: str) -> Done:
    """Run the command to its end."""
    command = [sys.executable, "-m", "estafette", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def one_line(done: Done) -> str:
    """The command could do nothing: exit code 2, one line on the error output, nothing else."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line
