"""A real clamd, started by the tests on a signature of their own: no network, no database of anyone."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

SIGNED = b"ESTAFETTE-NOT-A-VIRUS-BUT-SIGNED-AS-ONE"
NAME = "Estafette.Essai"
START_S = 30.0
PROGRAM = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin")


@contextmanager
def running(folder: Path, *, stream_megabytes: int = 25) -> Iterator[Path]:
    """Run clamd in a folder for a while; gives its socket."""
    if PROGRAM is None:
        if os.environ.get("ESTAFETTE_REQUIRE_ALL"):
            pytest.fail("clamd is not on this machine")
        pytest.skip("clamd is not on this machine")
    (folder / "signatures").mkdir(parents=True)
    (folder / "signatures" / "essai.ndb").write_text(f"{NAME}:0:*:{SIGNED.hex()}\n")
    at = folder / "clamd.sock"
    settings = {
        "DatabaseDirectory": folder / "signatures",
        "LocalSocket": at,
        "Foreground": "yes",
        "LogFile": folder / "clamd.log",
        "StreamMaxLength": f"{stream_megabytes}M",
        "TemporaryDirectory": folder,
    }
    file = folder / "clamd.conf"
    file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    process = subprocess.Popen([PROGRAM, "-c", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(at, process, folder / "clamd.log")
        yield at
    finally:
        process.kill()
        process.wait()


def _wait(at: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as one:
            one.connect(str(at))
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise AssertionError(log.read_text() if log.exists() else "clamd did not start")
