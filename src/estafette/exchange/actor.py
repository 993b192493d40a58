"""What every actor is made of: a folder with its records, its documents and its key; a worker; a post; a clock.

An actor is opened before anything listens, so that what stops it from serving is said before anyone is served.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.contextvars import bound_contextvars

from estafette.exchange.keys import load_key, public_text, sign
from estafette.exchange.presence import Presence
from estafette.store import roots
from estafette.store.database import Database, open_database
from estafette.store.documents import Documents
from estafette.store.objects import ObjectPacks
from estafette.store.packs import FolderPacks, Packs
from estafette.store.worker import Worker

Clock = Callable[[], datetime]


@dataclass(slots=True)
class Actor:
    """One actor at home. `identifier` is how others name it: a matricule for a platform."""

    name: str
    identifier: str
    folder: Path
    database: Database
    documents: Documents
    key: Ed25519PrivateKey
    worker: Worker
    clock: Clock
    presence: Presence
    _task: asyncio.Task[None] | None = field(default=None)

    @property
    def public_key(self) -> str:
        """The key others know it by."""
        return public_text(self.key)

    @property
    def works(self) -> bool:
        """Tell whether its worker is at work."""
        return self._task is not None and not self._task.done()

    @property
    def takes_jobs(self) -> bool:
        """Tell whether it works in this process, or leaves the work to others."""
        return self.presence.role != "api"

    @property
    def lives(self) -> bool:
        """Tell whether nothing of it has ended that only a restart brings back."""
        return self.database.lives and (self._task is None or not self._task.done())

    def start(self) -> None:
        """Its worker works, in the running event loop; each day ends with a signed root of its audit log.

        A process that only serves software and people leaves the work, and the roots, to those that work.
        """
        self.presence.start()
        if not self.takes_jobs:
            return
        with self.database.begin() as connection:
            signed = partial(sign, self.key)
            roots.seal_daily(self.worker, connection, clock=self.clock, key=self.public_key, sign=signed)
        with bound_contextvars(actor=self.name):
            self._task = asyncio.create_task(self.worker.run())

    async def stop(self) -> None:
        """Its worker has stopped and its store is closed; what was under way will be done again."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.presence.stop()
        self.database.close()
        self.documents.close()


def open_actor(
    name: str,
    identifier: str,
    folder: Path,
    *,
    branches: tuple[str, ...],
    clock: Clock,
    records: Path | str | None = None,
    objects: str | None = None,
    role: str = "all",
) -> Actor:
    """Open the actor kept in this folder, made the first time.

    Its records are in the folder too, unless `records` names another file or the URL of a schema; so are its documents,
    unless `objects` is the URL of an object store.

    Raises: OSError, NewerData, WrongUrl, WrongStore.
    """
    folder.mkdir(parents=True, exist_ok=True)
    database = open_database(records or folder / "records.sqlite", branches)
    packs: Packs = ObjectPacks(objects) if objects else FolderPacks(folder / "documents")
    documents = Documents(database, packs)
    key = load_key(folder / "key.pem")
    worker = Worker(database, clock)
    presence = Presence(database, worker, clock, role)
    return Actor(name, identifier, folder, database, documents, key, worker, clock, presence)
