"""Calling the webhooks: one batch of events at a time for each, in order, to public addresses only, five seconds each.

The first call of a batch that fails puts off the rest of it, and what comes meanwhile waits for it: a webhook that is
down costs one call at a time, and hears of a flow in the order of its changes.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

import aiohttp
import msgspec
import structlog
from sqlalchemy import Connection, RowMapping, select

from estafette.exchange.actor import Actor
from estafette.exchange.public_addresses import PublicResolver, parse
from estafette.platform import webhooks
from estafette.platform.flow_tables import webhook
from estafette.platform.webhooks import Secrets
from estafette.store import jobs
from estafette.store.identity_accreditations import Acting, acting
from estafette.store.identity_clients import holder_of
from estafette.store.jobs import Job
from estafette.store.worker import Later, Never, Outcome, nothing
from estafette.values.moments import paris_day

TIMEOUT = aiohttp.ClientTimeout(total=5)
CALLS_AT_ONCE_MAX = 32
"""Webhooks called at the same time (our bound on connections)."""

ENDED = "accès retiré / access taken away"
"""Why a webhook is disabled whose owner may no longer read what it tells."""

log = structlog.get_logger()


class Callbacks:
    """Calls the webhooks of one actor. `private`: addresses of a test network are called too."""

    def __init__(self, actor: Actor, *, failures_max: int, private: bool = False) -> None:
        self._actor = actor
        self._failures_max = failures_max
        self._private = private
        self._room = asyncio.Semaphore(CALLS_AT_ONCE_MAX)

    async def deliver(self, batch: list[Job]) -> Outcome:
        """The events of one webhook are told, in order, up to the first that cannot be."""
        with self._actor.database.read() as connection:
            mine = webhook.c.id == batch[0].payload["webhook"]
            row = connection.execute(select(webhook).where(mine)).mappings().first()
            if row is None or row["disabled_at"] is not None:
                return Outcome(nothing)
            let = self._acting(connection, row)
            before = jobs.left_before(connection, batch) if row["failures"] else None
        if let is None:
            now = self._actor.clock()
            return Outcome(lambda connection: webhooks.disable(connection, row, ENDED, now=now))
        late = self._waiting(batch, *before) if before else {}
        batch = [job for job in batch if job.id not in late]
        events = [job for job in batch if "flow" in job.payload]
        events = [job for job in events if let.may("flow.read", job.payload["flow"]["flowType"])]
        async with self._room:
            told, error = await self._tell(row, events) if events else (0, None)
        if error is not None:
            await self._failed(row, error, is_heard=told > 0)
            wait = jobs.back_off(events[told].tries)
            late |= {job.id: Later(error, after=wait) for job in events[told:]}
        is_heard = told > 0 and error is None
        return Outcome(lambda connection: self._apply(connection, row, batch, is_heard=is_heard), late)

    def _waiting(self, batch: list[Job], first: int, due: datetime) -> dict[int, Later | Never]:
        """Put off what comes after a job that was put off, until that one is due."""
        wait = max(due - self._actor.clock(), timedelta())
        return {job.id: Later("after the one before", after=wait) for job in batch if job.id > first}

    def _acting(self, connection: Connection, row: RowMapping) -> Acting | None:
        """Return how far the owner may still read the company's flows; None when it no longer may."""
        holder = holder_of(connection, row["client_id"])
        let = holder and acting(connection, holder, row["siren"], on=paris_day(self._actor.clock()))
        return let if let and let.may("flow.read") else None

    def _apply(self, connection: Connection, row: RowMapping, batch: list[Job], *, is_heard: bool) -> None:
        now = self._actor.clock()
        if is_heard:
            webhooks.heard(connection, row, now=now)
        for job in batch:
            if "flow" not in job.payload:
                webhooks.replay_page(connection, row, job.payload, now=now)

    async def _failed(self, row: RowMapping, error: str, *, is_heard: bool) -> None:
        """The webhook failed, once more or, when it heard what came before, for the first time."""
        now = self._actor.clock()

        def note(connection: Connection) -> bool:
            if is_heard:
                webhooks.heard(connection, row, now=now)
            return webhooks.failed(connection, row, error, most=self._failures_max, now=now)

        if await self._actor.database.write(note):
            log.warning("webhook.disabled", webhook=row["id"], siren=row["siren"], error=error)

    async def _tell(self, row: RowMapping, events: Sequence[Job]) -> tuple[int, str | None]:
        """Return how many were told, and why the next one was not."""
        try:
            secrets = webhooks.secrets_of(self._actor, row)
            connector = aiohttp.TCPConnector(resolver=PublicResolver(private=self._private))
            async with aiohttp.ClientSession(timeout=TIMEOUT, connector=connector) as session:
                for number, job in enumerate(events):
                    if error := await self._call(session, row["callback_url"], secrets, job):
                        return number, error
        except ValueError as unreadable:
            return 0, str(unreadable)
        return len(events), None

    async def _call(self, session: aiohttp.ClientSession, url: str, secrets: Secrets, job: Job) -> str | None:
        """Call once; return why it was not heard."""
        body = msgspec.json.encode(job.payload["flow"])
        headers = headers_of(secrets, body, int(self._actor.clock().timestamp()))
        try:
            parse(url, private=self._private)
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return None if 200 <= answer.status < 300 else f"HTTP {answer.status}"
        except TimeoutError:
            return "no answer in 5 s"
        except aiohttp.ClientConnectorError as fault:
            return f"{type(fault.os_error).__name__}: {fault.os_error}"
        except (aiohttp.ClientError, OSError) as fault:
            return f"{type(fault).__name__}: {fault}"


def headers_of(secrets: Secrets, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the headers of a call: its signature and timestamp, and what the owner asked to be sent."""
    signed = signature(secrets.key, body, timestamp)
    headers = dict(secrets.headers)
    if secrets.basic is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(secrets.basic).encode()).decode()
    if secrets.legacy:
        headers["Signature"] = signed
    return {
        **headers,
        "Content-Type": "application/json",
        "Afnor-Signature": signed,
        "Afnor-Signature-Timestamp": str(timestamp),
    }


def signature(key: bytes, body: bytes, timestamp: int) -> str:
    """Return the HMAC-SHA-256 of a body and the second it is sent, in base64 (XP Z12-013 §3.9)."""
    return base64.b64encode(hmac.new(key, body + f"@{timestamp}".encode(), hashlib.sha256).digest()).decode()
