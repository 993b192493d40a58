"""The pages of alerts: the list, and one with its evidence and the form of a human decision."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.administration import alerts, journal, pilot
from estafette.administration.administration import Administration
from estafette.administration.alerts import REASONS, Decision, NoReason
from estafette.store.identity import Person
from estafette.store.roles import Capability
from estafette.vat.forms import Text
from estafette.web.administration.forms import read_form
from estafette.web.desk import Desk


class AlertPages:
    """The pages of alerts."""

    def __init__(self, administration: Administration, desk: Desk) -> None:
        self._administration = administration
        self._database = administration.actor.database
        self._desk = desk

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route("/alerts", self._desk.signed_in(self.list)),
            Route("/alerts/{id:row}", self._desk.signed_in(self.one, post=Capability.DECIDE), methods=["GET", "POST"]),
        ]

    async def list(self, request: Request, _person: Person) -> Response:
        """Show every alert, those to examine first."""
        with self._database.read() as connection:
            held, names = alerts.alerts(connection), pilot.names(connection)
        return self._desk.render(request, "alerts.html", alerts=held, names=names)

    async def one(self, request: Request, person: Person) -> Response:
        """Show an alert; with a form, keep the decision."""
        alert_id = request.path_params["id"]
        if request.method == "GET":
            return self._show(request, alert_id)
        sent = await read_form(self._desk, request, person)
        try:
            decision = Decision(sent.fields.get("decision", ""))
            with self._database.begin() as connection:
                if alerts.one(connection, alert_id) is None:
                    raise HTTPException(404)
                act = self._administration.act(person.role)
                alerts.decide(connection, alert_id, decision, reason=sent.fields.get("reason", ""), act=act)
        except NoReason:
            return self._show(
                request, alert_id, 422, fault=Text("Une décision est motivée.", "A decision needs a reason.")
            )
        except ValueError:
            raise HTTPException(400) from None
        return RedirectResponse(f"/alerts/{alert_id}", 303)

    def _show(self, request: Request, alert_id: int, status: int = 200, *, fault: Text | None = None) -> Response:
        with self._database.read() as connection:
            alert = alerts.one(connection, alert_id)
            names = pilot.names(connection)
            entries = journal.read(connection, "alert", alert_id)
        if alert is None:
            raise HTTPException(404)
        values = {"alert": alert, "names": names, "entries": entries, "fault": fault}
        return self._desk.render(request, "alert.html", status, **values, reasons=REASONS, decisions=tuple(Decision))
