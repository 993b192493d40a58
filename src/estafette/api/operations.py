"""The operator's view of an actor at work: alarms, what waits for whom, jobs set aside, and the verbs on them.

    GET  /operator/v1/alarms               what is wrong now (`?past=1`: what was)
    GET  /operator/v1/waiting              what is not done yet, by queue and recipient, with the last error
    GET  /operator/v1/jobs?state=parked    jobs one by one (`pending`, `parked`; `after`, `limit`)
    GET  /operator/v1/processes            the processes that share the store, the eldest first; none, of a file
    POST /operator/v1/jobs/{id}/retry      a job is due now, its tries forgotten
    POST /operator/v1/jobs/{id}/park       a job is set aside
    POST /operator/v1/jobs/retry?queue=Q   every job of a queue that was set aside is due now

They are guarded by the operator's token; a job shows its key and its error, never what it carries.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from estafette.api.problems import Problem
from estafette.exchange import watch
from estafette.exchange.actor import Actor
from estafette.store import alarms, processes

LIMIT_MAX = 500
BY_HAND = "mis de côté par l'exploitant / set aside by the operator"
SHOWN_OF_JOB = (
    "id",
    "queue",
    "key",
    "state",
    "tries",
    "error",
    "due",
    "created_at",
    "ended_at",
    "correlation",
    "worker",
)
SHOWN_OF_PROCESS = ("id", "role", "host", "started_at", "seen_at")
SHOWN_OF_ALARM = ("id", "kind", "subject", "fr", "en", "since", "raised_at", "cleared_at")


def routes(actor: Actor) -> list[Route]:
    """Return the routes by which an operator watches an actor."""

    async def alarmed(request: Request) -> Response:
        look = alarms.past if request.query_params.get("past") == "1" else alarms.raised
        with actor.database.read() as connection:
            rows = look(connection)
        return JSONResponse({"alarms": [_shown(row, SHOWN_OF_ALARM) for row in rows]})

    async def waiting(_request: Request) -> Response:
        with actor.database.read() as connection:
            return JSONResponse({"waiting": [one.row() for one in watch.waiting(connection, actor.clock())]})

    async def jobs(request: Request) -> Response:
        state, after, limit = request.query_params.get("state", "parked"), _number(request, "after", 0), LIMIT_MAX
        if state not in ("pending", "parked"):
            raise Problem(400, f"state: {state}? → pending, parked")
        limit = min(_number(request, "limit", 100), LIMIT_MAX)
        with actor.database.read() as connection:
            rows = watch.jobs_of(connection, state, after=after, limit=limit)
        return JSONResponse({"jobs": [_shown(row, SHOWN_OF_JOB) for row in rows]})

    async def who(_request: Request) -> Response:
        with actor.database.read() as connection:
            rows = processes.present(connection)
        return JSONResponse({"processes": [_shown(row, SHOWN_OF_PROCESS) for row in rows]})

    async def act(request: Request) -> Response:
        number, verb = request.path_params["number"], request.path_params["verb"]
        now = actor.clock()
        if verb == "retry":
            done = await actor.database.write(lambda connection: watch.retry(connection, number, now=now))
        elif verb == "park":
            done = await actor.database.write(lambda connection: watch.park(connection, number, now=now, error=BY_HAND))
        else:
            raise Problem(404, f"{verb}? → retry, park")
        if not done:
            raise Problem(404, "Rien à faire de ce travail : inconnu, ou déjà fait. / Nothing to do: unknown, or done.")
        actor.worker.wake()
        return JSONResponse({"id": number, "done": verb})

    async def retry_all(request: Request) -> Response:
        queue, now = request.query_params.get("queue", ""), actor.clock()
        count = await actor.database.write(lambda connection: watch.retry_all(connection, queue, now=now))
        if not count:
            fr, en = "Aucun travail de cette file n'est mis de côté", "No job of this queue is set aside"
            raise Problem(404, f"{fr} : {queue[:40] or '∅'}. / {en}: {queue[:40] or '∅'}.")
        actor.worker.wake()
        return JSONResponse({"queue": queue, "retried": count})

    return [
        Route("/operator/v1/alarms", alarmed),
        Route("/operator/v1/waiting", waiting),
        Route("/operator/v1/jobs", jobs),
        Route("/operator/v1/processes", who),
        Route("/operator/v1/jobs/retry", retry_all, methods=["POST"]),
        Route("/operator/v1/jobs/{number:int}/{verb}", act, methods=["POST"]),
    ]


def _number(request: Request, name: str, default: int) -> int:
    """Return a number of the address. Raises: Problem 400."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Problem(400, f"{name}: {text[:20]}?")
    return int(text)


def _shown(row: RowMapping, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: row[name] for name in names}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
