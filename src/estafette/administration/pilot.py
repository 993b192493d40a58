"""The pilot: a campaign with its own dates, the application of a team, its decision, and the life of the team.

    application: SUBMITTED → INCOMPLETE ⇄ COMPLETE → SELECTED | RESERVE | REJECTED; WITHDRAWN by the team
    team:        FORMING → ADMITTED → ONBOARDING → READY → ACTIVE ⇄ SUSPENDED, → FINISHED

A campaign may be replayed: the moment of submission belongs to the campaign's own time and is given, the journal keeps
the real one. Source: announcement of April 2023 (files due 26 June 2023, preparation from September 2023, run from
January to March 2024); call for applications (act with the diagram of flows, motivation letter, charters).
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, insert, select, update

from estafette.administration import journal
from estafette.administration.candidacy import ApplicationForm, Campaign, findings
from estafette.administration.files import Finding, plain
from estafette.administration.journal import Act, NotAllowed, Term
from estafette.administration.tables import application, campaign, team, team_member
from estafette.values.moments import paris_day
from estafette.vat.forms import Text

COMPLETION_DAYS = 10
"""Working days to complete a file, Saturdays and Sundays left out (rule R3, ours)."""


class State(StrEnum):
    """Where an application is."""

    SUBMITTED = "SUBMITTED"
    INCOMPLETE = "INCOMPLETE"
    COMPLETE = "COMPLETE"
    SELECTED = "SELECTED"
    RESERVE = "RESERVE"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class TeamState(StrEnum):
    """Where a team is."""

    FORMING = "FORMING"
    ADMITTED = "ADMITTED"
    ONBOARDING = "ONBOARDING"
    READY = "READY"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    FINISHED = "FINISHED"


TRANSITIONS = journal.table("""
SUBMITTED: INCOMPLETE COMPLETE
INCOMPLETE: INCOMPLETE COMPLETE REJECTED WITHDRAWN
COMPLETE: INCOMPLETE COMPLETE SELECTED RESERVE REJECTED WITHDRAWN
RESERVE: SELECTED REJECTED WITHDRAWN
SELECTED: WITHDRAWN
REJECTED:
WITHDRAWN:
""")

TEAM_TRANSITIONS = journal.table("""
FORMING: ADMITTED
ADMITTED: ONBOARDING
ONBOARDING: READY
READY: ACTIVE
ACTIVE: SUSPENDED FINISHED
SUSPENDED: ACTIVE FINISHED
FINISHED:
""")

DECISIONS = (State.SELECTED, State.RESERVE, State.REJECTED)


@dataclass(frozen=True, slots=True)
class Application:
    """An application as it stands, and its team."""

    id: int
    state: State
    form: ApplicationForm
    submitted_at: datetime
    receipt: str
    findings: tuple[Finding, ...]
    team_id: int
    team_state: TeamState


class NoCampaign(LookupError):
    """No such campaign is open to applications: record the campaign first."""


def open_campaign(connection: Connection, form: Campaign, *, act: Act) -> None:
    """The campaign and its dates are recorded; one already recorded under this name is left as it is."""
    if campaign_of(connection, form.id) is None:
        row = {"id": form.id, "content": plain(form), "recorded_at": act.now}
        connection.execute(insert(campaign).values(**row))
        journal.write(connection, "campaign", form.id, before=None, after="RECORDED", act=act)


def campaigns(connection: Connection) -> list[Campaign]:
    """Return the campaigns, the latest to run first."""
    held = [msgspec.convert(content, Campaign) for (content,) in connection.execute(select(campaign.c.content))]
    return sorted(held, key=lambda each: each.run_starts, reverse=True)


def campaign_of(connection: Connection, campaign_id: str) -> Campaign | None:
    """Return this campaign, None when it is not recorded."""
    content = connection.execute(select(campaign.c.content).where(campaign.c.id == campaign_id)).scalar()
    return None if content is None else msgspec.convert(content, Campaign)


def apply(connection: Connection, form: ApplicationForm, *, submitted_at: datetime, act: Act) -> int:
    """The application is had and its completeness known; returns its number. The same team applies once.

    `submitted_at` is when it was submitted in the campaign's time: now, unless the campaign is replayed. The file of a
    team that has already applied completes the first. Raises: NoCampaign, NotAllowed.
    """
    held = campaign_of(connection, form.campaign)
    if held is None:
        raise NoCampaign(form.campaign)
    mine = (team.c.campaign_id == form.campaign, team.c.name == form.team)
    had = connection.execute(select(application.c.id).join(team).where(*mine)).scalar()
    if had is not None:
        _supplement(connection, int(had), form, act)
        return int(had)
    state = TeamState.FORMING.value
    made = insert(team).values(campaign_id=form.campaign, name=form.team, state=state).returning(team.c.id)
    team_id = int(connection.execute(made).scalar_one())
    row = {"team_id": team_id, "state": State.SUBMITTED.value, "submitted_at": submitted_at, "recorded_at": act.now}
    row |= {"receipt": _receipt(form), "content": plain(form), "findings": []}
    new = insert(application).values(**row).returning(application.c.id)
    application_id = int(connection.execute(new).scalar_one())
    reason = f"submitted {submitted_at.isoformat()}, receipt {row['receipt']}"
    journal.write(connection, "application", application_id, before=None, after=State.SUBMITTED, act=act, reason=reason)
    _complete(connection, application_id, act)
    return application_id


def _receipt(form: ApplicationForm) -> str:
    return hashlib.sha256(msgspec.json.encode(form)).hexdigest()


def _supplement(connection: Connection, application_id: int, form: ApplicationForm, act: Act) -> None:
    """The file is replaced by a fuller one; the same content again changes nothing."""
    held = one(connection, application_id)
    if held.receipt == _receipt(form):
        return
    if held.state not in (State.INCOMPLETE, State.COMPLETE):
        raise NotAllowed(
            Text(f"Le dossier est {held.state} : il n'attend rien.", f"The file is {held.state}: nothing is awaited.")
        )
    values = {"content": plain(form), "receipt": _receipt(form)}
    connection.execute(update(application).where(application.c.id == application_id).values(**values))
    _complete(connection, application_id, act)


def _complete(connection: Connection, application_id: int, act: Act) -> None:
    """Completeness is a fact of the file: it moves by itself."""
    held = one(connection, application_id)
    its_campaign = campaign_of(connection, held.form.campaign)
    if its_campaign is None:
        raise NoCampaign(held.form.campaign)
    found = findings(held.form, its_campaign, submitted_at=held.submitted_at)
    mine = application.c.id == application_id
    connection.execute(update(application).where(mine).values(findings=[list(finding) for finding in found]))
    _move(connection, held, State.INCOMPLETE if found else State.COMPLETE, act=act)
    if found:
        due = working_day_after(paris_day(held.submitted_at), COMPLETION_DAYS)
        journal.set_term(connection, "application", application_id, Term("completion", due, "R3"))


def working_day_after(day: date, count: int) -> date:
    """Return the day so many working days later, Saturdays and Sundays left out.

    >>> working_day_after(date(2023, 6, 26), 10)
    datetime.date(2023, 7, 10)
    """
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def decide(connection: Connection, application_id: int, outcome: State, *, reason: str, act: Act) -> None:
    """The application is decided, with published reasons; a selected team is admitted. Raises: NotAllowed, KeyError."""
    held = one(connection, application_id)
    if outcome not in DECISIONS or not reason.strip():
        raise NotAllowed(Text("Une décision est motivée.", "A decision gives its reasons."))
    _move(connection, held, outcome, act=act, reason=reason.strip())
    if outcome is State.SELECTED:
        _admit(connection, held, act)


def _admit(connection: Connection, held: Application, act: Act) -> None:
    move_team(connection, held.team_id, TeamState.ADMITTED, act=act)
    lead = held.form.lead
    for member in held.form.members:
        row: dict[str, Any] = {"siren": member.siren, "name": member.name, "naf": member.naf}
        row |= {"roles": [role.value for role in member.roles], "lead": int(member.siren == lead)}
        connection.execute(insert(team_member).values(team_id=held.team_id, **row))


def withdraw(connection: Connection, application_id: int, *, reason: str, act: Act) -> None:
    """The team withdrew. Raises: NotAllowed once it cannot, KeyError."""
    _move(connection, one(connection, application_id), State.WITHDRAWN, act=act, reason=reason)


def move_team(connection: Connection, team_id: int, after: TeamState, *, act: Act, reason: str = "") -> None:
    """The team is in this state. Raises: NotAllowed, KeyError."""
    before = connection.execute(select(team.c.state).where(team.c.id == team_id)).scalar()
    if before is None:
        raise KeyError(team_id)
    journal.check(TEAM_TRANSITIONS, before, after)
    connection.execute(update(team).where(team.c.id == team_id).values(state=after.value))
    journal.write(connection, "team", team_id, before=before, after=after, act=act, reason=reason)


def _move(connection: Connection, held: Application, after: State, *, act: Act, reason: str = "") -> None:
    journal.check(TRANSITIONS, held.state, after)
    connection.execute(update(application).where(application.c.id == held.id).values(state=after.value))
    journal.write(connection, "application", held.id, before=held.state, after=after, act=act, reason=reason)


def applications(connection: Connection) -> list[Application]:
    """Return every application, the latest first."""
    query = _query().order_by(application.c.id.desc())
    return [_application(row) for row in connection.execute(query).mappings()]


def one(connection: Connection, application_id: int) -> Application:
    """Return this application. Raises: KeyError."""
    row = connection.execute(_query().where(application.c.id == application_id)).mappings().first()
    if row is None:
        raise KeyError(application_id)
    return _application(row)


def _query() -> Any:
    return select(application, team.c.state.label("team_state")).join(team)


def _application(row: RowMapping) -> Application:
    fields = {name: row[name] for name in ("id", "submitted_at", "receipt", "team_id")}
    form = msgspec.convert(row["content"], ApplicationForm)
    found = tuple(Finding(*finding) for finding in row["findings"])
    state, team_state = State(row["state"]), TeamState(row["team_state"])
    return Application(**fields, state=state, team_state=team_state, form=form, findings=found)


def names(connection: Connection) -> dict[str, str]:
    """Return the name of each company that takes part."""
    query = select(team_member.c.siren, team_member.c.name).order_by(team_member.c.team_id)
    return {row.siren: row.name for row in connection.execute(query)}
