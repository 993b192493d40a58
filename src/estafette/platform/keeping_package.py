"""Restitution packages: asked for by a company, made in the background, fetched by it alone, gone after a month.

Theory of operation. A package is made by slices, one job each: so many invoices are added to a sealed ZIP in a folder
of its own, and how far it goes is written in the transaction that ends the slice and asks for the next. Whoever dies in
between begins the slice again from where it was: what was written since is cut off. Making waits in a thread of its
own, memory is that of one invoice, whatever the number; while it lasts nothing of the company is purged.
"""

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, RowMapping, func, insert, select, update

from estafette.exchange.keys import sign
from estafette.platform import keeping_contents, keeping_index
from estafette.platform.home import Home
from estafette.platform.keeping_contents import Criteria
from estafette.platform.keeping_index import csv_line
from estafette.platform.keeping_tables import package
from estafette.platform.keeping_writer import LANGUAGES, Made, making
from estafette.platform.tables import company
from estafette.store import audit, jobs, roots
from estafette.store.jobs import Job
from estafette.store.sealed_check import JOURNAL, ROOTS
from estafette.store.sealed_files import Lost
from estafette.store.tables import audit_event
from estafette.store.worker import Apply, nothing
from estafette.values.moments import PARIS, paris_day
from estafette.values.retention import Kind, Retention

QUEUE = "package"
SLICE = 25
"""Invoices in one job: some seconds of work."""

TRIES_MAX = 12
"""Failures of a slice, over half an hour, until the package has failed: it would hold back the purge for ever."""

UNDER_WAY_MAX = 3
"""Packages of one company being made at once (our bound)."""

PURPOSES = ("tenant", "control", "portability")
MAKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="package")
"""Where packages are made, one slice at a time: they wait, invoices do not."""


class NotPossible(Exception):
    """A package that cannot be asked for: why, in both languages."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr, self.en = fr, en


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: days of issue (both included), counterpart, for what, in which language its readable forms."""

    starts_on: date | None = None
    ends_on: date | None = None
    counterpart: str | None = None
    purpose: str = "tenant"
    language: str = "fr"


class Packages:
    """The packages of a platform. Every verb names the company whose it is."""

    def __init__(self, home: Home, retention: Retention) -> None:
        self._home = home
        self.retention = retention
        self._folder = home.actor.folder / "packages"

    def take_work(self) -> None:
        """The worker knows how a package is made."""
        self._home.actor.worker.handles(QUEUE, self._make)

    # --------------------------------------------------------------------------------------------------- the company

    def ask(self, connection: Connection, siren: str, asked: Asked, *, by: str) -> str:
        """The package will be made; returns its identifier. Raises: NotPossible."""
        if asked.purpose not in PURPOSES or asked.language not in LANGUAGES:
            raise NotPossible("Motif ou langue inconnus.", "Unknown purpose or language.")
        if asked.starts_on and asked.ends_on and asked.ends_on < asked.starts_on:
            raise NotPossible("La période finit avant de commencer.", "The period ends before it begins.")
        making = select(func.count()).where(package.c.siren == siren, package.c.state == "asked")
        if connection.execute(making).scalar_one() >= UNDER_WAY_MAX:
            fr = f"Déjà {UNDER_WAY_MAX} dossiers en préparation : attendez que l'un soit prêt."
            raise NotPossible(fr, f"{UNDER_WAY_MAX} packages are being made already: wait until one is ready.")
        now, identifier = self._home.actor.clock(), str(uuid4())
        total = keeping_contents.count(connection, Criteria(siren, asked.starts_on, asked.ends_on, asked.counterpart))
        row = {
            "id": identifier, "siren": siren, "purpose": asked.purpose, "starts_on": asked.starts_on,
            "ends_on": asked.ends_on, "counterpart": asked.counterpart, "asked_by": by, "asked_at": now,
            "state": "asked", "done": 0, "total": total, "cursor": {"language": asked.language, "slice": 0},
        }  # fmt: skip
        connection.execute(insert(package).values(row))
        said = {
            "purpose": asked.purpose,
            "from": str(asked.starts_on or ""),
            "to": str(asked.ends_on or ""),
            "invoices": total,
        }
        audit.record(connection, siren, "package.asked", about=identifier, at=now, **said)
        self._next(connection, identifier, 0, now)
        return identifier

    def every(self, siren: str, limit: int = 50) -> list[RowMapping]:
        """Return the packages of a company, the last asked first."""
        query = select(package).where(package.c.siren == siren).order_by(package.c.asked_at.desc()).limit(limit)
        with self._home.actor.database.read() as connection:
            return list(connection.execute(query).mappings())

    def get(self, siren: str, identifier: str) -> RowMapping | None:
        """Return one package of a company, None when it has none such."""
        query = select(package).where(package.c.siren == siren, package.c.id == identifier)
        with self._home.actor.database.read() as connection:
            return connection.execute(query).mappings().first()

    def fetch(self, siren: str, identifier: str) -> Path | None:
        """Return where the file of a package is, its fetching told in the audit log; None when there is none ready."""
        row = self.get(siren, identifier)
        if row is None or row["state"] != "ready" or not self._file(identifier).exists():
            return None
        with self._home.actor.database.begin() as connection:
            now = self._home.actor.clock()
            audit.record(connection, siren, "package.fetched", about=identifier, at=now, sha256=row["sha256"])
        return self._file(identifier)

    async def expire(self) -> None:
        """Packages whose time is over are gone."""
        now = self._home.actor.clock()
        over = (package.c.state.in_(("ready", "failed")), package.c.expires_at < now)
        with self._home.actor.database.read() as connection:
            rows = connection.execute(select(package.c.id, package.c.siren).where(*over)).all()
        for row in rows:
            await asyncio.to_thread(shutil.rmtree, self._file(row.id).parent, ignore_errors=True)
            await self._home.actor.database.write(self._expired(row.id, row.siren, now))

    def _expired(self, identifier: str, siren: str, now: datetime) -> Apply:
        def apply(connection: Connection) -> None:
            connection.execute(update(package).where(package.c.id == identifier).values(state="expired"))
            audit.record(connection, siren, "package.expired", about=identifier, at=now)

        return apply

    def _file(self, identifier: str) -> Path:
        return self._folder / identifier / "package.zip"

    # ---------------------------------------------------------------------------------------------------- the making

    def _next(self, connection: Connection, identifier: str, number: int, now: datetime) -> None:
        payload = {"package": identifier, "slice": number}
        jobs.add(connection, queue=QUEUE, key=f"{QUEUE}:{identifier}:{number}", payload=payload, now=now)

    async def _make(self, job: Job) -> Apply:
        identifier, number = job.payload["package"], job.payload["slice"]
        with self._home.actor.database.read() as connection:
            row = connection.execute(select(package).where(package.c.id == identifier)).mappings().one()
        if row["state"] != "asked" or row["cursor"]["slice"] != number:
            return nothing
        loop = asyncio.get_running_loop()
        try:
            values = await loop.run_in_executor(MAKER, self._slice, row)
        except Exception as fault:
            if job.tries + 1 < TRIES_MAX:
                raise
            values = {"state": "failed", "error": f"{type(fault).__name__}: {fault}"[:500], "expires_at": self._end()}
        return lambda connection: self._sliced(connection, row, values)

    def _sliced(self, connection: Connection, row: RowMapping, values: dict[str, Any]) -> None:
        mine = (package.c.id == row["id"], package.c.state == "asked")
        connection.execute(update(package).where(*mine).values(values))
        now = self._home.actor.clock()
        if values.get("state") == "failed":
            audit.record(connection, row["siren"], "package.failed", about=row["id"], at=now, error=values["error"])
        elif values.get("state") == "ready":
            said = {"sha256": values["sha256"], "size": values["size"], "invoices": values["done"]}
            audit.record(connection, row["siren"], "package.ready", about=row["id"], at=now, **said)
        else:
            self._next(connection, row["id"], values["cursor"]["slice"], now)

    def _slice(self, row: RowMapping) -> dict[str, Any]:
        """Add the next invoices, or the end; returns what the record says then. What was lost is begun anew."""
        cursor = row["cursor"]
        try:
            return self._add_some(row, cursor)
        except Lost:
            return {"done": 0, "cursor": {"language": cursor["language"], "slice": cursor["slice"] + 1}}

    def _add_some(self, row: RowMapping, cursor: dict[str, Any]) -> dict[str, Any]:
        with making(self._file(row["id"]).parent, cursor.get("state", {})) as made:
            criteria = Criteria(row["siren"], row["starts_on"], row["ends_on"], row["counterpart"])
            with self._home.actor.database.read() as connection:
                rows = keeping_contents.page(connection, criteria, cursor.get("after"), SLICE)
                for each in rows:
                    self._add(connection, made, each, cursor["language"])
                if len(rows) < SLICE:
                    self._close(connection, made, row, criteria)
                    return self._finish(made, row, len(rows))
            last = rows[-1]
            after = [last["issue_date"].isoformat(), last["id"]]
            state = {**cursor, "slice": cursor["slice"] + 1, "after": after, "state": made.state()}
            return {"done": row["done"] + len(rows), "cursor": state}

    def _add(self, connection: Connection, made: Made, row: RowMapping, language: str) -> None:
        on = paris_day(self._home.actor.clock())
        documents, retention = self._home.actor.documents, self.retention
        items = keeping_contents.items_of(connection, documents, row, language=language, retention=retention, on=on)
        lines = [made.add(item) for item in items]
        for each in LANGUAGES:
            made.index[each].write(keeping_index.index_line(each, lines).encode())

    def _close(self, connection: Connection, made: Made, row: RowMapping, criteria: Criteria) -> None:
        """Add what is of no invoice, then what lists it all."""
        for item in keeping_contents.transmissions(connection, criteria, self._home.actor.documents):
            made.add(item)
        chain = row["siren"]
        proofs = (msgspec.json.encode(proof).decode() + "\n" for proof in roots.proofs(connection, chain))
        made.add_text(ROOTS, proofs)
        made.add_text(JOURNAL, _journal(connection, chain))
        totals = list(keeping_contents.summary(connection, criteria))
        head = csv_line(("period", "side", "counterpart", "invoices"))
        made.add_text("summary.csv", (head, *map(csv_line, totals)))
        name = connection.execute(select(company.c.name).where(company.c.siren == row["siren"])).scalar() or ""
        asked = f"{row['starts_on'] or '…'} → {row['ends_on'] or '…'} {row['counterpart'] or ''}".strip()
        for language in LANGUAGES:
            head_of = keeping_index.index_head(language, row["siren"], name, asked, iter(totals))
            made.add_index(language, head_of)
        made.add_manifest(self._told(row))

    def _told(self, row: RowMapping) -> dict[str, Any]:
        actor, identity = self._home.actor, self._home.identity
        return {
            "package": row["id"], "siren": row["siren"], "purpose": row["purpose"],
            "from": str(row["starts_on"] or ""), "to": str(row["ends_on"] or ""),
            "counterpart": row["counterpart"] or "", "platform": identity.name, "matricule": identity.matricule,
            "key": actor.public_key, "asked_at": audit.instant(row["asked_at"]), "format": "estafette-package-1",
        }  # fmt: skip

    def _finish(self, made: Made, row: RowMapping, count: int) -> dict[str, Any]:
        actor = self._home.actor
        now = actor.clock()
        told = {**self._told(row), "made_at": audit.instant(now)}
        size, sha256 = made.writer.finish(told, lambda data: sign(actor.key, data))
        done = row["done"] + count
        return {"state": "ready", "done": done, "total": done, "size": size, "sha256": sha256, "ready_at": now,
                "expires_at": self._end()}  # fmt: skip

    def _end(self) -> datetime:
        """Return until when a package that is made now, or has failed now, is there."""
        today = paris_day(self._home.actor.clock())
        return datetime.combine(self.retention.until(Kind.PACKAGE, today, on=today) + timedelta(days=1), time(), PARIS)


def _journal(connection: Connection, chain: str) -> Iterator[str]:
    """Write the chain of the company as it was recorded, an event a line with its hash."""
    query = select(audit_event).where(audit_event.c.chain == chain).order_by(audit_event.c.seq)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        yield msgspec.json.encode({"seq": row.seq, "hash": row.hash, "body": row.body}).decode() + "\n"
