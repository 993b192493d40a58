"""The operator's page of an actor: what is wrong, what waits for whom, what was set aside, and what to do about it.

It shows keys and errors of jobs, never a document: an operator sees no invoice.
"""

from typing import Any

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.exchange import watch
from estafette.exchange.actor import Actor
from estafette.store import alarms
from estafette.store.identity import Person
from estafette.store.roles import Capability
from estafette.web.desk import Desk

PATH = "/operations"
PARKED_SHOWN = 100

KINDS = {
    "peer": ("Correspondant injoignable", "Peer out of reach"),
    "work": ("Travail qui échoue", "Failing work"),
    "parked": ("Travaux mis de côté", "Jobs set aside"),
    "late": ("Retard envers l'administration", "Late to the administration"),
    "rejected": ("Rejeté par le portail", "Rejected by the portal"),
    "early": ("Statut sans sa facture", "Status without its invoice"),
    "scanner": ("Antivirus muet", "Scanner silent"),
    "unfetched": ("Flux non retirés", "Flows not fetched"),
    "purged": ("Flux purgés sans être retirés", "Flows purged before they were fetched"),
    "refused": ("Flux refusés par une plateforme", "Flows refused by a platform"),
    "folder": ("Dossier de dépôt bloqué", "Deposit folder stuck"),
    "package": ("Dossier de restitution en échec", "Restitution package failed"),
    "directory": ("Annuaire qui n'est plus à jour", "Directory out of date"),
    "address": ("Demande à l'annuaire sans effet", "Request to the directory in vain"),
}
"""The kinds of alarms, in French and in English."""


def routes(actor: Actor, desk: Desk) -> list[BaseRoute]:
    """Return the page and its verbs."""

    async def show(request: Request, _person: Person) -> Response:
        with actor.database.read() as connection:
            values: dict[str, Any] = {
                "raised": alarms.raised(connection),
                "past": alarms.past(connection, 20),
                "waiting": watch.waiting(connection, actor.clock()),
                "parked": watch.jobs_of(connection, "parked", limit=PARKED_SHOWN),
                "queues": watch.parked(connection),
            }
        return desk.render(request, "operations.html", kinds=KINDS, **values)

    async def retry(request: Request, person: Person) -> Response:
        await desk.form(request, person)
        number, now = request.path_params["number"], actor.clock()

        def again(connection: Connection) -> bool:
            return watch.retry(connection, number, now=now)

        if not await actor.database.write(again):
            raise HTTPException(404)
        actor.worker.wake()
        return RedirectResponse(PATH, 303)

    async def retry_all(request: Request, person: Person) -> Response:
        sent = await desk.form(request, person)
        queue, now = str(sent.get("queue", "")), actor.clock()
        if not await actor.database.write(lambda connection: watch.retry_all(connection, queue, now=now)):
            raise HTTPException(404)
        actor.worker.wake()
        return RedirectResponse(PATH, 303)

    return [
        Route(PATH, desk.signed_in(show, get=Capability.OPERATE)),
        Route(f"{PATH}/jobs/retry", desk.signed_in(retry_all, post=Capability.OPERATE), methods=["POST"]),
        Route(f"{PATH}/jobs/{{number:row}}/retry", desk.signed_in(retry, post=Capability.OPERATE), methods=["POST"]),
    ]
