"""A real S3-compatible server for the tests, in a process and an environment of its own (`make develop` makes it)."""

import atexit
import os
import subprocess
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.running import free_ports

SERVER = Path(__file__).parents[1] / ".venv" / "s3" / "bin" / "moto_server"
START_S = 60.0
KEY, SECRET = "of-the-tests", "a/secret+of=the tests"


@dataclass
class ObjectServer:
    """A running server; each bucket is made when it is asked for."""

    port: int
    _count: int = 0

    def bucket(self) -> str:
        """Return the URL of a new bucket, a prefix in it, and how one enters."""
        self._count += 1
        name = f"documents-{self._count}"
        self.ask("PUT", f"/{name}")
        return self.url(name)

    def url(self, name: str) -> str:
        """Return the URL of a bucket of that name."""
        secret = SECRET.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D").replace(" ", "%20")
        return f"s3://{KEY}:{secret}@{name}/kept?endpoint=http://127.0.0.1:{self.port}&region=us-east-1"

    def keys(self, url: str) -> list[str]:
        """Return the names of the objects of a bucket."""
        name = url.partition("@")[2].partition("/")[0]
        listed = self.ask("GET", f"/{name}?list-type=2").decode()
        return [part.partition("</Key>")[0] for part in listed.split("<Key>")[1:]]

    def ask(self, method: str, path: str) -> bytes:
        """Return what the server answers to someone it does not ask who they are."""
        authorization = f"AWS4-HMAC-SHA256 Credential={KEY}/20260901/us-east-1/s3/aws4_request"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        request.add_header("Authorization", authorization)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return bytes(answer.read())


@cache
def shared() -> ObjectServer:
    """Return the server of this session, started when it is first needed, gone with the process."""
    port = free_ports(1)
    settings: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": {"PATH": os.environ["PATH"]}}
    process = subprocess.Popen([SERVER, "-H", "127.0.0.1", "-p", str(port)], **settings)
    atexit.register(process.kill)
    deadline = time.monotonic() + START_S
    while True:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5):
            return ObjectServer(port)
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
