"""The pages of the pilot: campaigns, applications, their decision, the life of a team."""

import re
from datetime import datetime

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.administration import journal, pilot
from estafette.administration.administration import Administration
from estafette.administration.candidacy import ApplicationForm, Campaign
from estafette.administration.examples import example
from estafette.administration.files import Finding, WrongFile, read
from estafette.administration.journal import Act, NotAllowed
from estafette.administration.pilot import TEAM_TRANSITIONS, NoCampaign, State, TeamState
from estafette.store.identity import Person
from estafette.store.roles import Capability
from estafette.values.moments import PARIS
from estafette.vat.forms import Text
from estafette.web.administration.forms import Sent, read_form
from estafette.web.desk import Desk

KINDS = {"campaign": Campaign, "application": ApplicationForm}


class PilotPages:
    """The pages of the pilot."""

    def __init__(self, administration: Administration, desk: Desk) -> None:
        self._administration = administration
        self._database = administration.actor.database
        self._desk = desk

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        both = ["GET", "POST"]
        return [
            Route("/pilot", self._desk.signed_in(self.list)),
            Route("/pilot/new", self._desk.signed_in(self.new, post=Capability.DECIDE), methods=both),
            Route("/pilot/{id:row}", self._desk.signed_in(self.one, post=Capability.DECIDE), methods=both),
        ]

    async def list(self, request: Request, _person: Person) -> Response:
        """Show the campaigns, where each is today, and the applications."""
        with self._database.read() as connection:
            campaigns = pilot.campaigns(connection)
            applications = pilot.applications(connection)
        today = self._desk.today()
        return self._desk.render(request, "pilot.html", campaigns=campaigns, applications=applications, today=today)

    async def new(self, request: Request, person: Person) -> Response:
        """Take a campaign or an application, or say what is wrong with it."""
        if request.method == "GET":
            name = request.query_params.get("example", "")
            return self._deposit(request, name, content=example(name).decode() if name in KINDS else "")
        sent = await read_form(self._desk, request, person)
        try:
            with self._database.begin() as connection:
                address = self._take(connection, sent, self._administration.act(person.role))
        except WrongFile as wrong:
            found: tuple[Finding, ...] = wrong.findings
        except NotAMoment as wrong:
            fr, en = "Attendu : une date et une heure.", "Expected: a date and a time."
            found = (Finding("FILE", "submitted_at", str(wrong), fr, en),)
        except NoCampaign as absent:
            fr, en = "Attendu : une campagne déposée d'abord.", "Expected: a campaign deposited first."
            found = (Finding("FILE", "$.campaign", str(absent), fr, en),)
        except NotAllowed as refused:
            found = (Finding("FILE", "$", "—", *refused.text),)
        else:
            return RedirectResponse(address, 303)
        return self._deposit(request, sent.deed, 422, content=sent.shown, findings=found)

    def _take(self, connection: Connection, sent: Sent, act: Act) -> str:
        if sent.deed == "campaign":
            pilot.open_campaign(connection, read(sent.content, Campaign), act=act)
            return "/pilot"
        if sent.deed != "application":
            raise HTTPException(400)
        form = read(sent.content, ApplicationForm)
        at = read_moment(sent.fields.get("submitted_at", ""), act.now)
        return f"/pilot/{pilot.apply(connection, form, submitted_at=at, act=act)}"

    async def one(self, request: Request, person: Person) -> Response:
        """Show an application and its team; with a form, do what it asks."""
        application_id = request.path_params["id"]
        if request.method == "GET":
            return self._show(request, application_id)
        sent = await read_form(self._desk, request, person)
        try:
            with self._database.begin() as connection:
                self._do(connection, application_id, sent, self._administration.act(person.role))
        except NotAllowed as refused:
            return self._show(request, application_id, 422, fault=refused.text)
        except KeyError:
            raise HTTPException(404) from None
        return RedirectResponse(f"/pilot/{application_id}", 303)

    def _do(self, connection: Connection, application_id: int, sent: Sent, act: Act) -> None:
        reason = sent.fields.get("reason", "")
        if sent.deed in pilot.DECISIONS:
            pilot.decide(connection, application_id, State(sent.deed), reason=reason, act=act)
        elif sent.deed == State.WITHDRAWN:
            pilot.withdraw(connection, application_id, reason=reason, act=act)
        elif sent.deed in TEAM_TRANSITIONS:
            team_id = pilot.one(connection, application_id).team_id
            pilot.move_team(connection, team_id, TeamState(sent.deed), act=act, reason=reason)
        else:
            raise HTTPException(400)

    def _show(self, request: Request, application_id: int, status: int = 200, *, fault: Text | None = None) -> Response:
        with self._database.read() as connection:
            try:
                held = pilot.one(connection, application_id)
            except KeyError:
                raise HTTPException(404) from None
            entries = journal.read(connection, "application", application_id)
            entries += journal.read(connection, "team", held.team_id)
            terms = journal.terms(connection, "application", application_id)
        follow = sorted(TEAM_TRANSITIONS[held.team_state] - {TeamState.ADMITTED})
        values = {"held": held, "entries": entries, "terms": terms, "fault": fault, "follow": follow}
        names = {member.siren: member.name for member in held.form.members}
        return self._desk.render(request, "application.html", status, **values, names=names)

    def _deposit(
        self, request: Request, kind: str, status: int = 200, *, content: str, findings: tuple[Finding, ...] = ()
    ) -> Response:
        heading = Text("Déposer une campagne ou une candidature", "Deposit a campaign or an application")
        values = {"content": content, "findings": findings, "examples": tuple(KINDS), "heading_text": heading}
        kinds = (
            ("application", Text("Candidature d'une équipe", "Application of a team"), kind != "campaign"),
            ("campaign", Text("Campagne", "Campaign"), kind == "campaign"),
        )
        return self._desk.render(request, "deposit.html", status, **values, kinds=kinds, replay=True)


class NotAMoment(ValueError):
    """A moment of submission that cannot be read."""


def read_moment(text: str, now: datetime) -> datetime:
    """Read the moment of a replayed submission, in Paris time unless it has its zone; empty, it is now.

    In an address `+02:00` may have become ` 02:00`. Raises: NotAMoment.
    """
    if not text:
        return now
    try:
        moment = datetime.fromisoformat(re.sub(r" (?=[0-9]{2}:[0-9]{2}$)", "+", text))
    except ValueError:
        raise NotAMoment(text) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=PARIS)
