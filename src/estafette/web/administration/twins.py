"""The same as the pages, as JSON, for software of the administration: under /api/, guarded by the operator's token.

GET  /api/returns/{siren}/{yyyy-mm}, /api/facts/{seller}/{year}/{number}, /api/alerts, /api/registrations, /api/activity
POST /api/registrations                     a registration file (YAML): {"id", "state", "findings"}
POST /api/registrations/{id}/review         the review begins
POST /api/registrations/{id}/decision       {"outcome", "reason"}: {"id", "state", "matricule"}
POST /api/registrations/{id}/connection     {"application_code", "url", "public_key"}: the platform has moved
POST /api/pilot/campaigns                   a campaign (YAML)
POST /api/pilot/applications                an application (YAML), `?submitted_at=` when the campaign is replayed
POST /api/pilot/applications/{id}/decision  {"outcome", "reason"}
POST /api/pilot/applications/{id}/team      {"state"}

What is done twice is done once, except a decision, which is then not allowed. Errors: 404 unknown, 409 not allowed now,
422 wrong, each with `findings` or `error` in French and English.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.administration import activity, alerts, pilot, registration, returns
from estafette.administration.administration import Administration
from estafette.administration.candidacy import ApplicationForm, Campaign
from estafette.administration.completeness import Link, RegistrationForm
from estafette.administration.files import WrongFile, plain, read
from estafette.administration.journal import Act, NotAllowed
from estafette.administration.pilot import TeamState
from estafette.administration.registration import File, State
from estafette.exchange.bodies import TooLarge, read_body
from estafette.values.limits import REGISTRATION_BYTES_MAX
from estafette.values.moments import paris_day
from estafette.vat.facts import DocumentKey
from estafette.vat.forms import NoForm
from estafette.vat.returns import month_of
from estafette.web.administration.pilot import read_moment

OPERATOR = "operator"
"""The role that signs what is done here."""

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision."""

    outcome: str
    reason: str = ""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state asked of a team."""

    state: TeamState


def routes(administration: Administration) -> list[BaseRoute]:
    """Return the twins."""
    twins = Twins(administration)
    gets: dict[str, Endpoint] = {
        "/api/returns/{siren:str}/{month:str}": twins.one_return,
        "/api/facts/{seller:str}/{year:row}/{number:path}": twins.fact,
        "/api/alerts": twins.alerts,
        "/api/activity": twins.activity,
        "/api/registrations": twins.registrations,
    }
    posts: dict[str, Endpoint] = {
        "/api/registrations": twins.submit,
        "/api/registrations/{id:row}/review": twins.review,
        "/api/registrations/{id:row}/decision": twins.decide,
        "/api/registrations/{id:row}/connection": twins.relink,
        "/api/pilot/campaigns": twins.open_campaign,
        "/api/pilot/applications": twins.apply,
        "/api/pilot/applications/{id:row}/decision": twins.decide_application,
        "/api/pilot/applications/{id:row}/team": twins.move_team,
    }
    made: list[BaseRoute] = [Route(path, _answered(endpoint), methods=["GET"]) for path, endpoint in gets.items()]
    return made + [Route(path, _answered(endpoint), methods=["POST"]) for path, endpoint in posts.items()]


def _answered(endpoint: Endpoint) -> Endpoint:
    """Wrap an endpoint so that what cannot be done is answered, with its HTTP status and both languages."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except FAULTS as fault:
            return _said(fault)

    return answered


FAULTS = (WrongFile, NotAllowed, TooLarge, LookupError, ValueError, msgspec.MsgspecError)


def _said(fault: Exception) -> Response:
    """Return the answer that a fault makes."""
    match fault:
        case WrongFile(findings=findings):
            return JSONResponse({"findings": [finding._asdict() for finding in findings]}, 422)
        case NotAllowed(text=text):
            return _error(409, *text)
        case TooLarge():
            most = REGISTRATION_BYTES_MAX
            return _error(413, f"Plus de {most} octets.", f"More than {most} bytes.")
        case LookupError():
            return _error(404, f"Inconnu : {fault}.", f"Unknown: {fault}.")
    return _error(422, f"Illisible : {fault}.", f"Unreadable: {fault}.")


def _error(status: int, fr: str, en: str) -> Response:
    return JSONResponse({"error": {"fr": fr, "en": en}}, status)


class Twins:
    """The endpoints; each write is one transaction."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self._database = administration.actor.database

    def _act(self) -> Act:
        return self._administration.act(OPERATOR)

    async def one_return(self, request: Request) -> Response:
        """Return the CA3 of a company and month."""
        month = month_of(request.path_params["month"])
        with self._database.read() as connection:
            try:
                prepared = returns.prepare(connection, request.path_params["siren"], month, as_of=self._today())
            except NoForm as absent:
                raise LookupError(str(absent)) from None
        return JSONResponse(returns.as_json(prepared))

    async def fact(self, request: Request) -> Response:
        """Return what is known of an invoice and what it puts on the returns."""
        params = request.path_params
        key = DocumentKey(params["seller"], params["number"], params["year"])
        with self._database.read() as connection:
            effect = returns.effect_of(connection, key, as_of=self._today())
        if effect is None:
            raise LookupError("/".join(map(str, key)))
        return JSONResponse(effect)

    async def alerts(self, _request: Request) -> Response:
        """Return every alert with its evidence."""
        with self._database.read() as connection:
            held = alerts.alerts(connection)
        return JSONResponse([plain(alert) for alert in held])

    async def activity(self, _request: Request) -> Response:
        """Return the turnover by sector and week, secret cells marked."""
        with self._database.read() as connection:
            cells = activity.activity(connection)
        return JSONResponse(
            [
                {"sector": cell.sector, "week": str(cell.week), "secret": cell.secret,
                 "turnover": None if cell.turnover is None else str(cell.turnover), "units": cell.units}
                for cell in cells
            ]
        )  # fmt: skip

    async def registrations(self, _request: Request) -> Response:
        """Return every registration file."""
        with self._database.read() as connection:
            files = registration.files(connection)
        return JSONResponse([_file_json(file) for file in files])

    async def submit(self, request: Request) -> Response:
        """Take a registration file."""
        form = read(await read_body(request, REGISTRATION_BYTES_MAX), RegistrationForm)
        with self._database.begin() as connection:
            file_id = registration.submit(connection, form, act=self._act())
            return JSONResponse(_file_json(registration.one(connection, file_id)), 201)

    async def review(self, request: Request) -> Response:
        """Begin the review of a file."""
        file_id = request.path_params["id"]
        with self._database.begin() as connection:
            registration.review(connection, file_id, act=self._act())
            return JSONResponse(_file_json(registration.one(connection, file_id)))

    async def decide(self, request: Request) -> Response:
        """Decide on a file."""
        file_id, sent = request.path_params["id"], await _json(request, Outcome)
        outcome = State(sent.outcome)
        with self._database.begin() as connection:
            self._administration.decide(connection, file_id, outcome, reason=sent.reason, act=self._act())
            return JSONResponse(_file_json(registration.one(connection, file_id)))

    async def relink(self, request: Request) -> Response:
        """Say how a registered platform is reached now."""
        file_id, link = request.path_params["id"], await _json(request, Link)
        with self._database.begin() as connection:
            self._administration.relink(connection, file_id, link, act=self._act())
            return JSONResponse(_file_json(registration.one(connection, file_id)))

    async def open_campaign(self, request: Request) -> Response:
        """Record a campaign."""
        form = read(await read_body(request, REGISTRATION_BYTES_MAX), Campaign)
        with self._database.begin() as connection:
            pilot.open_campaign(connection, form, act=self._act())
        return JSONResponse({"id": form.id}, 201)

    async def apply(self, request: Request) -> Response:
        """Take the application of a team."""
        form = read(await read_body(request, REGISTRATION_BYTES_MAX), ApplicationForm)
        act = self._act()
        at = read_moment(request.query_params.get("submitted_at", ""), act.now)
        with self._database.begin() as connection:
            application_id = pilot.apply(connection, form, submitted_at=at, act=act)
            return JSONResponse(_application_json(pilot.one(connection, application_id)), 201)

    async def decide_application(self, request: Request) -> Response:
        """Decide on an application."""
        application_id, sent = request.path_params["id"], await _json(request, Outcome)
        outcome = pilot.State(sent.outcome)
        with self._database.begin() as connection:
            pilot.decide(connection, application_id, outcome, reason=sent.reason, act=self._act())
            return JSONResponse(_application_json(pilot.one(connection, application_id)))

    async def move_team(self, request: Request) -> Response:
        """Move a team on."""
        application_id, sent = request.path_params["id"], await _json(request, Step)
        with self._database.begin() as connection:
            team_id = pilot.one(connection, application_id).team_id
            pilot.move_team(connection, team_id, sent.state, act=self._act())
            return JSONResponse(_application_json(pilot.one(connection, application_id)))

    def _today(self) -> date:
        return paris_day(self._administration.actor.clock())


async def _json(request: Request, kind: type[T]) -> T:
    return msgspec.json.decode(await read_body(request, REGISTRATION_BYTES_MAX), type=kind)


def _file_json(file: File) -> dict[str, Any]:
    told: dict[str, Any] = {"id": file.id, "state": file.state.value, "trade_name": file.form.operator.trade_name}
    days = {name: getattr(file, name) for name in ("granted_on", "delivered_on", "expires_on", "ended_on")}
    told |= {name: day.isoformat() if day else None for name, day in days.items()}
    found = [finding._asdict() for finding in file.findings]
    url = file.form.connection.url if file.form.connection else None
    return {**told, "matricule": file.matricule, "url": url, "receipt": file.receipt, "findings": found}


def _application_json(held: pilot.Application) -> dict[str, Any]:
    found = [finding._asdict() for finding in held.findings]
    told = {"id": held.id, "state": held.state.value, "team": held.form.team, "team_state": held.team_state.value}
    return {**told, "submitted_at": held.submitted_at.isoformat(), "receipt": held.receipt, "findings": found}
