"""What a platform's worker does with each of its queues.

`deposit` (a customer's file is judged and settled), `receive` (an invoice from another platform), `status` (a status
from another platform), `pack` (what the State is owed leaves), `portal` (what the portal sends), `send-again` (what the
portal could not use, once its cause is mended).

What comes many at once is prepared outside any transaction, all together; then written a few at a time, having asked at
once what those few need (`look_ahead`).
"""

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, bindparam, select

from estafette.formats import cdar
from estafette.formats.flow_limits import FlowLimits, Limit
from estafette.formats.status_message import StatusMessage
from estafette.formats.xml import Unreadable
from estafette.invoice.model import Invoice
from estafette.platform import (
    acknowledgements,
    archives,
    declarations,
    deposits,
    envelopes,
    look_ahead,
    mirror_extracts,
    pace,
    reception,
    redeclaration,
    status_reception,
)
from estafette.platform.examination import Examined
from estafette.platform.home import Home
from estafette.platform.tables import flow
from estafette.store.jobs import Job
from estafette.store.queries import AnyRow, Query
from estafette.store.worker import PART, Apply, Never, Outcome, together
from estafette.values.moments import paris_day

log = structlog.get_logger()

DEPOSIT, STATUS = "deposit", "status"

REST_S, PACK_REST_S = 0.05, 0.25
"""How long a queue is left alone after a batch: what comes meanwhile goes together, into fewer envelopes."""

CROWD, CROWDED_REST_S = 4, 1.0
"""Transactions that asked for the last envelopes, past which the next are left to fill for longer: each costs the
writer as much as a few invoices, and nobody waits for it (the law gives a day)."""

LIGHT_PART = 3 * PART
"""Statuses written together: each is written in a third of the time of an invoice."""


class Work:
    """The work of one platform."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._documents = home.actor.documents
        self._sent = self._packed = self._asked = 0
        """Flows that had left within the hour when the last batch was packed, those that left with it, and how many
        transactions had asked for it."""

    def take(self) -> None:
        """The worker knows what each queue asks."""
        worker = self._home.actor.worker
        worker.handles_together(DEPOSIT, self.judge, rest_s=REST_S)
        worker.handles_together(reception.RECEIVE, self.receive, rest_s=REST_S)
        worker.handles_together(STATUS, self.take_statuses, rest_s=REST_S)
        worker.handles_together(envelopes.PACK, self.pack, rest_s=self._rest_s)
        worker.handles(acknowledgements.PORTAL, lambda job: acknowledgements.handle(self._home, job))
        worker.handles(redeclaration.AGAIN, lambda job: redeclaration.again(self._home, job))
        worker.handles(mirror_extracts.PURGE, lambda job: mirror_extracts.purge(self._home.actor, job))

    async def pack(self, batch: list[Job]) -> Outcome:
        """What the State is owed has left."""
        with self._home.actor.database.glance() as connection:
            self._sent = pace.sent(connection, self._home.actor.clock())
        self._packed, self._asked = len({job.payload["interface"] for job in batch}), len(batch)
        return await envelopes.pack(self._home, batch)

    def _rest_s(self) -> float:
        least_s = CROWDED_REST_S if self._asked > CROWD else PACK_REST_S
        flows_an_hour = FlowLimits().at(Limit.FLOWS_AN_HOUR, paris_day(self._home.actor.clock()))
        with self._home.actor.database.glance() as connection:
            is_full = envelopes.fills_a_lot(self._home, connection, declarations.INTERFACES)
        return pace.rest_s(
            self._sent, least_s=least_s, flows_an_hour=flows_an_hour, flows=self._packed, is_full=is_full
        )

    async def judge(self, batch: list[Job]) -> Outcome:
        """Deposits are taken, rejected or refused."""
        with self._home.actor.database.glance() as connection:
            rows = {row["id"]: row for row in _FLOWS.rows(connection, these=[job.payload["flow"] for job in batch])}
        read: dict[int, tuple[AnyRow, Invoice]] = {}
        sound: list[tuple[str, Examined]] = []

        async def one(job: Job) -> Apply:
            row = rows[job.payload["flow"]]
            data = self._documents.get(row["sha256"])
            if archives.is_archive(data):
                return await archives.judge(self._home, row, data)
            examined = await self._home.examine(data)
            if examined.invoice is not None:
                read[job.id] = row, examined.invoice
                if not examined.faults:
                    sound.append((row["sha256"], examined))
            return lambda connection: deposits.settle(self._home, connection, row, data, examined)

        def ahead(connection: Connection, some: Sequence[Job]) -> None:
            invoices = [read[job.id] for job in some if job.id in read]
            look_ahead.deposits(connection, invoices, alone=len(invoices) == len(some))

        outcome = await together(one, ahead)(batch)
        await asyncio.to_thread(self._prepare, sound)
        return outcome

    def _prepare(self, sound: Sequence[tuple[str, Examined]]) -> None:
        """What the State will be owed of these deposits is ready; what cannot be made is said where it is declared."""
        for sha256, examined in sound:
            if examined.invoice is not None:
                try:
                    declarations.prepare(self._home, sha256, examined.invoice, examined.syntax)
                except Exception:
                    log.warning("data.unready", document=sha256, exc_info=True)

    async def receive(self, batch: list[Job]) -> Outcome:
        """Invoices of other platforms are at their addressees' disposal, or rejected, and their senders will know."""
        found: dict[int, Examined] = {}

        async def one(job: Job) -> Apply:
            examined = found[job.id] = await self._home.examine(self._documents.get(job.payload["sha256"]))
            return lambda connection: reception.settle(self._home, connection, job.payload, examined)

        def ahead(connection: Connection, some: Sequence[Job]) -> None:
            invoices = [found[job.id].invoice for job in some]
            look_ahead.receptions(connection, [each for each in invoices if each is not None])

        return await together(one, ahead)(batch)

    async def take_statuses(self, batch: list[Job]) -> Outcome:
        """Statuses of other platforms are in the life cycles of their deliveries, or wait for them."""
        read = await asyncio.to_thread(self._read, batch)

        def ahead(connection: Connection, some: Sequence[Job]) -> None:
            messages = [(job.payload["sender"], read[job.id]) for job in some]
            look_ahead.statuses(connection, [(one, it) for one, it in messages if isinstance(it, StatusMessage)])

        return await together(lambda job: self._status(job, read[job.id]), ahead, part=LIGHT_PART)(batch)

    def _read(self, batch: list[Job]) -> dict[int, StatusMessage | Unreadable]:
        return {job.id: _message(self._documents.get(job.payload["sha256"])) for job in batch}

    async def _status(self, job: Job, message: StatusMessage | Unreadable) -> Apply:
        sha256, sender = job.payload["sha256"], job.payload["sender"]
        if isinstance(message, Unreadable):
            raise Never(f"{message.code}: {message.reason_fr} / {message.reason_en}")
        examined = await self._home.examine(self._documents.get(sha256)) if message.attachments else None
        if examined and (refusal := examined.refusal):
            raise Never(refusal.message)
        return lambda connection: status_reception.receive(self._home, connection, sender, message, sha256)


def _message(data: bytes) -> StatusMessage | Unreadable:
    try:
        return cdar.read(data)
    except Unreadable as unreadable:
        return unreadable


_FLOWS = Query(select(flow).where(flow.c.id.in_(bindparam("these", expanding=True))))
