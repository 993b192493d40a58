"""A team is admitted to a campaign from its application file, in the campaign's own time."""

from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from estafette.administration import journal, pilot
from estafette.administration.activity import sectors
from estafette.administration.candidacy import ApplicationForm, Campaign, findings
from estafette.administration.examples import example
from estafette.administration.files import read
from estafette.administration.journal import Act, NotAllowed
from estafette.administration.pilot import NoCampaign, State, TeamState
from estafette.store.database import Database
from estafette.values.moments import PARIS
from estafette.web.administration.pilot import NotAMoment, read_moment

CAMPAIGN = read(example("campaign"), Campaign)
FORM = read(example("application"), ApplicationForm)
JUNE = datetime(2023, 6, 20, 10, 0, tzinfo=PARIS)
change = msgspec.structs.replace


def test_the_shipped_campaign_is_the_announced_one() -> None:
    """Files due 26 June 2023, preparation from September 2023, run from January to March 2024."""
    phases = {day: CAMPAIGN.phase(date.fromisoformat(day)) for day in (
        "2023-04-17", "2023-04-18", "2023-06-26", "2023-06-27", "2023-08-31", "2023-09-01", "2023-12-31", "2024-01-01",
        "2024-03-31", "2024-04-01",
    )}  # fmt: skip
    assert list(phases.values()) == [
        "DRAFT", "CALL_OPEN", "CALL_OPEN", "SELECTION", "SELECTION", "PREPARATION", "PREPARATION", "RUNNING",
        "RUNNING", "CLOSED",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "late"),
    [
        (datetime(2023, 6, 26, 23, 59, 59, tzinfo=PARIS), False),
        (datetime(2023, 6, 27, 0, 0, 0, tzinfo=PARIS), True),
        (datetime(2023, 4, 17, 23, 59, 59, tzinfo=PARIS), True),
    ],
)
def test_files_are_received_until_the_last_second_of_the_day_in_paris(moment: datetime, late: bool) -> None:
    """23:59:59 on 26 June is in time, the next second is not."""
    assert [finding.rule for finding in findings(FORM, CAMPAIGN, submitted_at=moment)] == (["R1"] if late else [])


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"act": None}, ["$.act"]),
        ({"motivation_letter": None}, ["$.motivation_letter"]),
        ({"flows": ()}, ["$.flows"]),
        ({"lead": "300000000"}, ["$.lead"]),
        ({"members": (*FORM.members, FORM.members[-1])}, ["$.members"]),
        ({"members": (FORM.members[0], *FORM.members[4:]), "flows": FORM.flows[:0]}, ["$.flows", "$.members"]),
        ({"members": (change(FORM.members[0], charter_signed_on=None), *FORM.members[1:])},
         ["$.members[0].charter_signed_on"]),
        ({"members": (change(FORM.members[0], through=("400000006",)), *FORM.members[1:])}, ["$.members[0].through"]),
        ({"members": (*FORM.members, change(FORM.members[6], siren="700000004"))}, ["$.members[7].siren"]),
        ({"flows": (change(FORM.flows[0], recipient="800000002"),)}, ["$.flows[0].recipient"]),
    ],
)  # fmt: skip
def test_what_an_application_lacks_is_said_with_its_place(changes: dict[str, Any], paths: list[str]) -> None:
    """Each part of rule R2, alone."""
    found = findings(change(FORM, **changes), CAMPAIGN, submitted_at=JUNE)
    assert [finding.path for finding in found] == paths
    assert all(finding.rule == "R2" and finding.fr and finding.en for finding in found)


def test_a_complete_application_is_selected_and_its_team_admitted(database: Database, act: Act) -> None:
    """Replayed in 2026: submitted in June 2023, decided with reasons; members and sectors are known from then on."""
    with database.begin() as connection:
        pilot.open_campaign(connection, CAMPAIGN, act=act)
        application_id = pilot.apply(connection, FORM, submitted_at=JUNE, act=act)
        held = pilot.one(connection, application_id)
        assert (held.state, held.team_state, held.findings) == (State.COMPLETE, TeamState.FORMING, ())
        assert sectors(connection) == {}
        with pytest.raises(NotAllowed):
            pilot.decide(connection, application_id, State.SELECTED, reason="", act=act)
        pilot.decide(connection, application_id, State.SELECTED, reason="Couvre uc1 à uc3.", act=act)
        held = pilot.one(connection, application_id)
        assert (held.state, held.team_state) == (State.SELECTED, TeamState.ADMITTED)
        assert sectors(connection)["100000009"] == "62.02A"
        assert pilot.names(connection)["400000006"] == "Commune de Valbrune"
        [entry, *_] = journal.read(connection, "application", application_id)
    assert entry.at == act.now
    assert "2023-06-20T10:00:00+02:00" in entry.reason
    assert held.receipt in entry.reason


def test_an_incomplete_application_has_ten_working_days_and_is_completed_by_a_new_file(
    database: Database, act: Act
) -> None:
    """The term is a row; the same team's fuller file completes the first; an incomplete one cannot be selected."""
    with database.begin() as connection:
        pilot.open_campaign(connection, CAMPAIGN, act=act)
        lacking = change(FORM, motivation_letter=None)
        application_id = pilot.apply(connection, lacking, submitted_at=JUNE, act=act)
        [term] = journal.terms(connection, "application", application_id)
        assert (term.kind, term.due) == ("completion", date(2023, 7, 4))
        with pytest.raises(NotAllowed, match="INCOMPLETE → SELECTED"):
            pilot.decide(connection, application_id, State.SELECTED, reason="Trop tôt.", act=act)
        assert pilot.apply(connection, FORM, submitted_at=JUNE, act=act) == application_id
        assert pilot.one(connection, application_id).state is State.COMPLETE


def test_the_same_application_twice_changes_nothing(database: Database, act: Act) -> None:
    """Even once decided, the same content again is the same application."""
    with database.begin() as connection:
        pilot.open_campaign(connection, CAMPAIGN, act=act)
        pilot.open_campaign(connection, CAMPAIGN, act=act)
        application_id = pilot.apply(connection, FORM, submitted_at=JUNE, act=act)
        pilot.decide(connection, application_id, State.SELECTED, reason="Oui.", act=act)
        before = journal.read(connection, "application", application_id)
        assert pilot.apply(connection, FORM, submitted_at=JUNE, act=act) == application_id
        assert journal.read(connection, "application", application_id) == before
        with pytest.raises(NotAllowed, match="SELECTED"):
            pilot.apply(connection, change(FORM, use_cases=("uc4",)), submitted_at=JUNE, act=act)


def test_an_application_to_an_unknown_campaign_is_refused(database: Database, act: Act) -> None:
    """The campaign is recorded first."""
    with database.begin() as connection, pytest.raises(NoCampaign, match="pilot-2024"):
        pilot.apply(connection, FORM, submitted_at=JUNE, act=act)


def test_a_team_goes_through_its_states_in_order(database: Database, act: Act) -> None:
    """From admission to the end, with a suspension; a step cannot be skipped."""
    with database.begin() as connection:
        pilot.open_campaign(connection, CAMPAIGN, act=act)
        application_id = pilot.apply(connection, FORM, submitted_at=JUNE, act=act)
        pilot.decide(connection, application_id, State.SELECTED, reason="Oui.", act=act)
        team = pilot.one(connection, application_id).team_id
        with pytest.raises(NotAllowed, match="ADMITTED → ACTIVE"):
            pilot.move_team(connection, team, TeamState.ACTIVE, act=act)
        for state in ("ONBOARDING", "READY", "ACTIVE", "SUSPENDED", "ACTIVE", "FINISHED"):
            pilot.move_team(connection, team, TeamState(state), act=act)
        assert pilot.one(connection, application_id).team_state is TeamState.FINISHED


@pytest.mark.parametrize("text", ["2023-06-20T10:00:00+02:00", "2023-06-20T10:00:00 02:00", "2023-06-20T10:00:00"])
def test_a_replayed_moment_is_read_in_paris_even_where_an_address_lost_its_plus(text: str) -> None:
    """A plus sign in an address is a space for whoever reads it."""
    assert read_moment(text, JUNE.replace(year=2026)) == JUNE


def test_a_moment_that_cannot_be_read_is_never_taken_for_now() -> None:
    """Empty is now; nonsense is refused."""
    assert read_moment("", JUNE) == JUNE
    with pytest.raises(NotAMoment, match="soon"):
        read_moment("soon", JUNE)
