"""A real PostgreSQL for the tests: a cluster in a temporary folder, and a fresh database where one is needed.

The server refuses to run as root: then it is `postgres`, or `nobody`, who runs it. It waits for no disk, since nothing
here outlives the tests; that receipts last is proved by killing the processes that write them.
"""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from estafette.store.database import open_database

PASSWORD = "of-the-tests"

ENGINE = "postgresql" if os.environ.get("ESTAFETTE_TEST_DATABASE") == "postgresql" else "sqlite"
"""On which engine the worlds of the tests are in this run, where it does not matter; see `tests.platform.conftest`."""

STORES = {
    "portal": ("platform", "portal"),
    "platform_a": ("platform",),
    "platform_b": ("platform",),
    "administration": ("administration",),
}
"""The schemas of the whole system, and the migrations of each."""


@dataclass
class Server:
    """A running cluster. Its role `estafette` owns the databases and is no superuser."""

    folder: Path
    binaries: Path
    user: pwd.struct_passwd | None
    _count: int = 0
    _templates: dict[str, str] = field(default_factory=dict)

    def url(self, database: str, schema: str | None = None) -> str:
        """Return how to reach a database, as the configuration writes it."""
        query = f"host={self.folder}" + (f"&schema={schema}" if schema else "")
        return f"postgresql+psycopg://estafette:{PASSWORD}@/{database}?{query}"

    def fresh(self, like: str = "", made: Callable[[str], None] | None = None) -> str:
        """Return the name of a new database: empty, or a copy of what `made` has filled once for all."""
        if like and like not in self._templates:
            assert made is not None
            self._templates[like] = template = self.fresh()
            made(template)
        self._count += 1
        name = f"fresh_{self._count}"
        source = self._templates.get(like, "template0")
        self.run("CREATE DATABASE {} TEMPLATE {} OWNER estafette", name, source)
        return name

    def drop(self, name: str) -> None:
        """The database is gone, whoever still holds it."""
        self.run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def ask(self, database: str, query: str, *values: object) -> list[tuple[object, ...]]:
        """Return what a database answers."""
        with psycopg.connect(host=str(self.folder), user="estafette", dbname=database) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    def run(self, statement: str, *names: str) -> None:
        """The owner of the cluster has done this."""
        with psycopg.connect(host=str(self.folder), user="owner", dbname="postgres", autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]

    def control(self, *verb: str) -> None:
        """`pg_ctl` has done this, as whoever may."""
        identity = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        command = [self.binaries / "pg_ctl", "-D", self.folder / "data", "-s", *verb]
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, **identity)  # type: ignore[call-overload]

    def stop(self) -> None:
        """The server is gone, its folder too."""
        self.control("stop", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def shared() -> Server:
    """Return the cluster of this session, started when it is first needed, gone with the process."""
    binaries = find_binaries()
    assert binaries is not None, "PostgreSQL is not installed (apt-get install postgresql)"
    server = start(binaries)
    atexit.register(server.stop)
    return server


@contextmanager
def world_database(engine: str, *, like: str = "") -> Iterator[str | None]:
    """Give the URL of a database for a whole system on a server, like one that is kept; nothing, for files."""
    if engine != "postgresql":
        yield None
        return
    name = shared().fresh(like or "world", _make_stores)
    yield shared().url(name)
    shared().drop(name)


def keep_database(name: str, fill: Callable[[str], None]) -> None:
    """A database for a whole system, filled, is kept under this name to be copied."""

    def make(database: str) -> None:
        _make_stores(database)
        fill(shared().url(database))

    shared().drop(shared().fresh(name, make))


def empty_database() -> str:
    """Return the name of a new database with the tables every actor has."""
    return shared().fresh("shared", lambda name: open_database(shared().url(name), ("shared",)).close())


def _make_stores(name: str) -> None:
    for schema, branches in STORES.items():
        open_database(shared().url(name, schema), branches).close()


def find_binaries() -> Path | None:
    """Return the folder of a PostgreSQL's programs: on the PATH, or where Debian keeps them."""
    folders = [Path(found).parent for name in ("postgres",) if (found := shutil.which(name))]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def start(binaries: Path, *, durable: bool = False) -> Server:
    """A new cluster answers; a `durable` one is on the disk and waits for it, as where it matters."""
    memory = Path("/dev/shm")  # noqa: S108 — a folder of its own is made in it
    where = memory if memory.is_dir() and os.access(memory, os.W_OK) and not durable else None
    folder = Path(tempfile.mkdtemp(prefix="estafette-pg-", dir=where))
    user = _unprivileged()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    server = Server(folder, binaries, user)
    server.control("init", "-o", "--auth=trust --username=owner --encoding=UTF8 --locale=C --no-sync")
    settings = ["listen_addresses=", "max_connections=200", f"shared_buffers={256 if durable else 64}MB"]
    settings += [] if durable else ["fsync=off", "full_page_writes=off"]
    options = " ".join(f"-c {setting}" for setting in settings)
    server.control("start", "-w", "-l", str(folder / "log"), "-o", f"{options} -k {folder}")
    server.run(f"CREATE ROLE estafette LOGIN NOSUPERUSER PASSWORD '{PASSWORD}'")
    return server


def _unprivileged() -> pwd.struct_passwd | None:
    """Return who runs the server when root may not; nobody else when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
