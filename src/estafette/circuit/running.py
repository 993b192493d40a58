"""An actor at work: its pages and services behind its guards, and the work behind them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as Busy
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from estafette.api import operations
from estafette.api.correlation import Correlated
from estafette.api.probes import Probes, measured
from estafette.api.problems import Problem, on_http_exception, on_problem
from estafette.circuit.answers import Caught, Headed
from estafette.circuit.network import Seat
from estafette.circuit.operators import OperatorsOnly, operator_token
from estafette.exchange import wire
from estafette.exchange.actor import Actor
from estafette.exchange.keys import sealing_key
from estafette.exchange.post import Post
from estafette.exchange.rounds import Rounds
from estafette.web import entrance
from estafette.web import operations as operations_desk
from estafette.web import settings as sign_in
from estafette.web.desk import Desk

AGAIN_S = 5
"""Seconds after which to try again what met a store that does not answer (ours)."""


@dataclass(slots=True)
class Running:
    """An actor composed: its pages, and the work behind them.

    `operations`: what a process answers about itself, for those whose pages are served elsewhere or by several.
    """

    application: Starlette
    operations: Starlette
    actor: Actor
    post: Post
    rounds: Rounds
    probes: Probes

    def start(self) -> None:
        """Its worker works and its rounds are made, unless that is left to other processes."""
        self.actor.start()
        if self.actor.takes_jobs:
            self.rounds.start(lambda: self.actor.presence.is_first)

    def ready(self) -> None:
        """It says so at `/ready`."""
        self.probes.open()

    async def stop(self) -> None:
        """It has let go of everything."""
        await self.rounds.stop()
        await self.actor.stop()
        await self.post.close()


def desk_of(seat: Seat, actor: Actor, templates: Path, navigation: tuple[tuple[str, str, str], ...]) -> Desk:
    """Return the desk of an actor: the language, the session and the look that its pages share."""
    return Desk(
        title=seat.title,
        cookie=f"estafette-{seat.name}",
        database=actor.database,
        clock=actor.clock,
        templates=templates,
        navigation=navigation,
        seal=sealing_key(actor.key),
        settings=sign_in.settings_of(actor.folder),
    )


def running(actor: Actor, post: Post, routes: list[BaseRoute], desk: Desk, rounds: Rounds) -> Running:
    """Put the pages and services of an actor behind its guards."""
    probes, refuse = Probes(actor), _refusal(desk)
    guards = [
        Middleware(Correlated, actor=actor.name),
        Middleware(Headed),
        Middleware(Caught, refuse=refuse),
        Middleware(OperatorsOnly, token=operator_token(actor.folder), prefixes=("/operator/", "/api/", "/metrics")),
    ]
    application = Starlette(
        routes=[
            *probes.routes(),
            *wire.routes(post, actor.public_key, actor.worker.wake),
            *routes,
            *entrance.routes(desk),
            *operations.routes(actor),
            *operations_desk.routes(actor, desk),
        ],
        middleware=guards,
        exception_handlers={Problem: on_problem, HTTPException: refuse},
    )
    measured(application.routes, actor.database.measures)
    own = Starlette(routes=probes.routes(), middleware=guards)
    return Running(application, own, actor, post, rounds, probes)


def _refusal(desk: Desk) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answer software in the shape of the API and people with a page; a fault of ours says nothing of itself."""

    async def refuse(request: Request, raised: Exception) -> Response:
        said = raised if isinstance(raised, HTTPException) else _fault(raised)
        if "text/html" in request.headers.get("accept", ""):
            answer = desk.refusal(request, said.status_code)
        else:
            answer = await on_http_exception(request, HTTPException(said.status_code))
        answer.headers.update(said.headers or {})
        return answer

    return refuse


def _fault(raised: Exception) -> HTTPException:
    """Return a fault of ours as it is told: what may pass, as a store that does not answer, asks to try again."""
    if isinstance(raised, OperationalError | Busy | OSError):
        return HTTPException(503, headers={"Retry-After": str(AGAIN_S)})
    return HTTPException(500)
