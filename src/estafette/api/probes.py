"""What a supervisor, a load balancer and Prometheus ask of a process: does it live, may it have work, what it counts.

    GET /health     200 while the process lives; 503 when only a restart helps: its worker or its writer has ended
    GET /ready      200 when it may be given work; 503 with what is not: each check says `ok` or a word
    GET /metrics    the text format of Prometheus, for whoever has the operator's token

The first two are public and say nothing of anybody. A look at readiness serves all who ask within a second.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from estafette.exchange.actor import Actor
from estafette.store import processes
from estafette.store.measures import Measures
from estafette.store.tables import document, job

PROBE_S = 2.0
"""How long a check may take before it is called late."""

SEEN_S, KEPT_S, SIZES_S = 1.0, 15.0, 60.0
"""How long a look at readiness stands, one at where documents are kept (a request to the object store), and a count."""

STUCK_AFTER = timedelta(minutes=1)
"""Work that could be done has waited so long while the worker has taken none."""


log = structlog.get_logger()


class Probes:
    """What one actor answers of itself in this process. It is not ready before `open` was called."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._is_open = False
        self._seen: tuple[float, dict[str, str]] = (-SEEN_S, {})
        self._kept = -KEPT_S
        self._looking = asyncio.Lock()
        self._gauges = _Gauges(actor)

    def open(self) -> None:
        """It may be given work from now on."""
        self._is_open = True

    def routes(self) -> list[Route]:
        """Return the three routes."""
        return [
            Route("/health", self._health),
            Route("/ready", self._ready),
            Route("/metrics", self._metrics),
        ]

    async def _health(self, _request: Request) -> Response:
        lives = self._actor.lives
        return JSONResponse({"status": "alive" if lives else "stopped"}, 200 if lives else 503)

    async def _ready(self, _request: Request) -> Response:
        checks = await self.look()
        is_ready = set(checks.values()) == {"ok"}
        return JSONResponse(
            {"status": "ready" if is_ready else "not ready", "checks": checks}, 200 if is_ready else 503
        )

    async def _metrics(self, _request: Request) -> Response:
        await self._gauges.look()
        self._gauges.ready.set(set((await self.look()).values()) == {"ok"})
        registries = (self._actor.database.measures.registry, self._gauges.registry)
        return Response(b"".join(map(generate_latest, registries)), media_type=CONTENT_TYPE_LATEST)

    async def look(self) -> dict[str, str]:
        """Return what each check says now, or said within the second."""
        async with self._looking:
            at, seen = self._seen
            if time.monotonic() - at >= SEEN_S:
                seen = await self._look()
                self._seen = (time.monotonic(), seen)
        return {"started": "ok" if self._is_open else "starting", **seen}

    async def _look(self) -> dict[str, str]:
        checks: dict[str, Callable[[], Awaitable[str]]] = {
            "migrations": self._migrations,
            "writer": self._writer,
            "documents": self._documents,
        }
        if self._actor.takes_jobs:
            checks["worker"] = self._worker
        said = await asyncio.gather(*(_in_time(check) for check in checks.values()))
        return dict(zip(checks, said, strict=True))

    async def _migrations(self) -> str:
        return "ok" if await asyncio.to_thread(self._actor.database.is_current) else "other version"

    async def _writer(self) -> str:
        await self._actor.database.write(lambda connection: connection.execute(select(1)), durable=False)
        return "ok"

    async def _documents(self) -> str:
        if time.monotonic() - self._kept >= KEPT_S:
            await asyncio.to_thread(self._actor.documents.check)
            self._kept = time.monotonic()
        return "ok"

    async def _worker(self) -> str:
        if not self._actor.works:
            return "stopped"
        return "stuck" if await asyncio.to_thread(self._actor.worker.is_stuck, STUCK_AFTER) else "ok"


async def _in_time(check: Callable[[], Awaitable[str]]) -> str:
    """Return what a check says; a fault or a delay is a word, never a text of the engine: that is in the log."""
    try:
        async with asyncio.timeout(PROBE_S):
            return await check()
    except TimeoutError:
        return "late"
    except Exception:
        log.exception("probe.failed")
        return "failed"


class _Gauges:
    """What is looked up in the store when it is asked: the work that waits, the documents that rest."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._sized = -SIZES_S
        self.registry = registry = CollectorRegistry()
        self.ready = Gauge("estafette_ready", "Whether this process may be given work.", registry=registry)
        self._waiting = Gauge("estafette_jobs_waiting", "Jobs due and not done.", ["queue"], registry=registry)
        self._age = Gauge(
            "estafette_jobs_oldest_seconds", "For how long the oldest has been due.", ["queue"], registry=registry
        )
        self._parked = Gauge("estafette_jobs_parked", "Jobs that wait for a human.", ["queue"], registry=registry)
        self._processes = Gauge("estafette_processes", "Who shares the store.", ["role"], registry=registry)
        self._documents = Gauge("estafette_documents", "Documents at rest.", registry=registry)
        self._bytes = Gauge("estafette_documents_bytes", "Bytes of the documents at rest.", registry=registry)

    async def look(self) -> None:
        """The gauges say what is in the store; the documents are counted at most once a minute."""
        await asyncio.to_thread(self._look)

    def _look(self) -> None:
        for gauge in (self._waiting, self._age, self._parked, self._processes):
            gauge.clear()
        with self._actor.database.read() as connection:
            self._jobs(connection)
            for one in processes.present(connection):
                self._processes.labels(one["role"]).inc()
            if time.monotonic() - self._sized >= SIZES_S:
                self._sized = time.monotonic()
                query = select(func.count(), func.coalesce(func.sum(document.c.length), 0)).select_from(document)
                count, size = connection.execute(query).one()
                self._documents.set(count)
                self._bytes.set(int(size))

    def _jobs(self, connection: Connection) -> None:
        now, ages = self._actor.clock(), dict[str, float]()
        due = select(job.c.queue, func.count(), func.min(job.c.due)).where(job.c.state == "pending", job.c.due <= now)
        for part, count, since in connection.execute(due.group_by(job.c.queue)):
            queue, age = part.partition(":")[0], (now - since).total_seconds()
            self._waiting.labels(queue).inc(count)
            ages[queue] = max(age, ages.get(queue, 0.0))
            self._age.labels(queue).set(ages[queue])
        parked = select(job.c.queue, func.count()).where(job.c.state == "parked").group_by(job.c.queue)
        for part, count in connection.execute(parked):
            self._parked.labels(part.partition(":")[0]).inc(count)


def measured(routes: Iterable[BaseRoute], measures: Measures) -> None:
    """The time of each request of these routes is measured, under the template of its route and not its address."""
    for route in routes:
        if isinstance(route, Route):
            route.app = _timed(route.app, route.path, measures)


def _timed(app: ASGIApp, path: str, measures: Measures) -> ASGIApp:
    async def timed(scope: Scope, receive: Receive, send: Send) -> None:
        start, status = time.perf_counter(), 500

        async def say(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, say)
        finally:
            seconds = time.perf_counter() - start
            measures.requests.labels(scope["method"], path, str(status)).observe(seconds)
            log.info("http.answered", method=scope["method"], route=path, status=status, seconds=round(seconds, 6))

    return timed
