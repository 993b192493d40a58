"""A platform is registered from its file: completeness, review, decision, number, terms, public list."""

from datetime import date, timedelta

import msgspec
import pytest
from sqlalchemy import Connection
from tests.administration.conftest import NOW

from estafette.administration import journal, registration
from estafette.administration.completeness import Item, Link, Operator, RegistrationForm, TestReport, findings
from estafette.administration.examples import example
from estafette.administration.files import read
from estafette.administration.journal import Act, NotAllowed
from estafette.administration.registration import RESERVED, State
from estafette.store.database import Database

TODAY = NOW.date()
A, B = (read(example(name), RegistrationForm) for name in ("platform-a", "platform-b"))


def test_a_complete_file_becomes_a_registration_with_its_number(database: Database, act: Act) -> None:
    """The wanted number is given, for three years, and every transition is in the journal."""
    with database.begin() as connection:
        file_id = registration.submit(connection, A, act=act)
        assert registration.one(connection, file_id).state is State.COMPLETE
        registration.review(connection, file_id, act=act)
        announced = registration.decide(connection, file_id, State.REGISTERED, reason="", act=act)
        file = registration.one(connection, file_id)
        steps = [(entry.from_state, entry.to_state) for entry in journal.read(connection, "registration", file_id)]
    assert (file.matricule, file.granted_on, file.expires_on) == ("0003", TODAY, date(2029, 11, 2))
    assert announced is not None
    assert (announced.matricule, announced.name) == ("0003", "Relais Atlantique")
    assert (announced.registered_from, announced.registered_until) == (TODAY, None)
    assert steps == [
        ("DRAFT", "SUBMITTED"),
        ("SUBMITTED", "COMPLETE"),
        ("COMPLETE", "UNDER_REVIEW"),
        ("UNDER_REVIEW", "REGISTERED"),
    ]


def test_the_terms_of_the_law_are_rows(database: Database, act: Act) -> None:
    """Decision at two months, audit at one year, surveillance at two, renewal five months before expiry."""
    with database.begin() as connection:
        registered(connection, A, act)
        terms = {term.kind: term.due for term in journal.terms(connection, "registration", 1)}
    assert terms == {
        "decision": date(2027, 1, 2),
        "audit": date(2027, 11, 2),
        "surveillance": date(2028, 11, 2),
        "renewal-request": date(2029, 6, 2),
        "expiry": date(2029, 11, 2),
    }


def test_without_all_tests_only_a_reservation_is_given_then_lifted(database: Database, act: Act) -> None:
    """List 2 without a date first; once the reports come, list 1 with the day of delivery."""
    partial = msgspec.structs.replace(A, tests=A.tests[:2])
    with database.begin() as connection:
        file_id = registration.submit(connection, partial, act=act)
        registration.review(connection, file_id, act=act)
        with pytest.raises(NotAllowed, match="platform"):
            registration.decide(connection, file_id, State.REGISTERED, reason="", act=act)
        registration.decide(connection, file_id, State.RESERVED, reason="", act=act)
        first, second = registration.public_list(connection)
        assert (first, [each.delivered_on for each in second]) == ([], [None])
        with pytest.raises(NotAllowed):
            registration.lift_reservation(connection, file_id, partial, act=act)
        later = Act("officer", NOW + timedelta(days=30))
        registration.lift_reservation(connection, file_id, A, act=later)
        first, second = registration.public_list(connection)
    assert ([each.delivered_on for each in first], second) == ([date(2026, 12, 2)], [])


def test_the_public_list_does_not_show_the_number(database: Database, act: Act) -> None:
    """Nothing of the list holds the matricule."""
    with database.begin() as connection:
        registered(connection, A, act)
        lists = registration.public_list(connection)
    assert b"0003" not in msgspec.json.encode(lists)


def test_an_incomplete_file_is_completed(database: Database, act: Act) -> None:
    """What lacks is named by its number in the article; the supplement makes it complete."""
    lacking = msgspec.structs.replace(A, pieces=A.pieces[1:])
    with database.begin() as connection:
        file_id = registration.submit(connection, lacking, act=act)
        file = registration.one(connection, file_id)
        assert (file.state, [finding.rule for finding in file.findings]) == (State.INCOMPLETE, ["3"])
        with pytest.raises(NotAllowed, match="INCOMPLETE → UNDER_REVIEW"):
            registration.review(connection, file_id, act=act)
        registration.supplement(connection, file_id, A, act=act)
        assert registration.one(connection, file_id).state is State.COMPLETE


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"operator": msgspec.structs.replace(A.operator, siren=None)}, [("1", "$.operator.siren")]),
        ({"operator": msgspec.structs.replace(A.operator, siren="500000006")}, [("1", "$.operator.siren")]),
        ({"pieces": ()}, [(str(n), "$.pieces") for n in (3, 4, 5, 6, 7, 8)]),
        (
            {"pieces": tuple(msgspec.structs.replace(each, valid_until=date(2026, 11, 1)) for each in A.pieces)},
            [("4", "$.pieces[1].valid_until"), ("5", "$.pieces[2].valid_until")],
        ),
    ],
)
def test_what_a_file_lacks_is_said_with_its_place(changes: dict[str, object], expected: list[tuple[str, str]]) -> None:
    """A wrong SIREN, absent documents, certificates expired the day before."""
    found = findings(msgspec.structs.replace(A, **changes), on=TODAY)
    assert [(finding.rule, finding.path) for finding in found] == expected
    assert all(finding.fr and finding.en for finding in found)


def test_a_foreign_operator_shows_recent_certificates() -> None:
    """Without SIREN, a register extract and a tax certificate of less than three months are asked for."""
    operator = Operator(
        "Nordlicht AG", "Nordlicht", "Weg 1", "10115", "Berlin", "https://n.example", "c@n.example", "DE"
    )
    foreign = msgspec.structs.replace(A, operator=operator)
    assert {finding.rule for finding in findings(foreign, on=TODAY)} == {"1", "2"}
    pieces = [
        msgspec.structs.replace(A.pieces[0], item=item, issued_on=date(2026, 8, 2)) for item in Item if item < "3"
    ]
    recent = msgspec.structs.replace(foreign, pieces=(*A.pieces, *pieces))
    assert findings(recent, on=TODAY) == ()
    assert {finding.path for finding in findings(recent, on=TODAY + timedelta(days=1))} == {
        "$.pieces[6].issued_on",
        "$.pieces[7].issued_on",
    }


def test_numbers_are_given_once(database: Database, act: Act) -> None:
    """A taken or reserved number is refused by name; without a wish the first free one is given."""
    with database.begin() as connection:
        registered(connection, A, act)
        other = registration.submit(connection, msgspec.structs.replace(B, wanted_matricule="0003"), act=act)
        registration.review(connection, other, act=act)
        with pytest.raises(NotAllowed, match="0003 is taken"):
            registration.decide(connection, other, State.REGISTERED, reason="", act=act)
        third = msgspec.structs.replace(B, wanted_matricule=None, hosting=B.hosting)
        assert registered(connection, third, act).matricule == "0001"
        for wanted in ("9997", "9998", "9990"):
            asked = msgspec.structs.replace(B, wanted_matricule=wanted)
            one = registration.submit(connection, asked, act=act)
            registration.review(connection, one, act=act)
            with pytest.raises(NotAllowed, match=wanted):
                registration.decide(connection, one, State.REGISTERED, reason="", act=act, reserved=RESERVED | {"9990"})


def test_an_application_code_is_of_one_platform(database: Database, act: Act) -> None:
    """The code of another platform in force, or of the portal, is refused: at the decision, and at a new connection."""
    link = Link("PA0003", "http://127.0.0.1:8401", "key")
    with database.begin() as connection:
        registered(connection, msgspec.structs.replace(A, connection=link), act)
        for code in ("PA0003", "PPF001"):
            asked = msgspec.structs.replace(B, connection=msgspec.structs.replace(link, application_code=code))
            one = registration.submit(connection, asked, act=act)
            registration.review(connection, one, act=act)
            with pytest.raises(NotAllowed, match=code):
                registration.decide(connection, one, State.REGISTERED, reason="", act=act)
        other = msgspec.structs.replace(link, application_code="PA0005")
        second = registered(connection, msgspec.structs.replace(B, connection=other), act)
        with pytest.raises(NotAllowed, match="PA0003"):
            registration.relink(connection, second.id, link, act=act)
        registration.relink(connection, second.id, msgspec.structs.replace(other, url="http://127.0.0.1:9"), act=act)


def test_an_application_code_is_never_given_again(database: Database, act: Act) -> None:
    """That of a platform that left names its flows for ever; nor does a reservation that is lifted bring another's."""
    link = Link("PA0003", "http://127.0.0.1:8401", "key")
    with database.begin() as connection:
        left = registered(connection, msgspec.structs.replace(A, connection=link), act)
        registration.withdraw(connection, left.id, reason="Mise en demeure.", act=act)
        own = msgspec.structs.replace(B, connection=msgspec.structs.replace(link, application_code="PA0005"))
        waiting = registration.submit(connection, msgspec.structs.replace(own, tests=()), act=act)
        registration.review(connection, waiting, act=act)
        registration.decide(connection, waiting, State.RESERVED, reason="", act=act)
        for code in ("PA0003", "PPF001"):
            stolen = msgspec.structs.replace(B, connection=msgspec.structs.replace(link, application_code=code))
            with pytest.raises(NotAllowed, match=code):
                registration.lift_reservation(connection, waiting, stolen, act=act)
        announced = registration.lift_reservation(connection, waiting, own, act=act)
    assert announced.application_code == "PA0005"


def test_the_same_file_twice_is_one_file(database: Database, act: Act) -> None:
    """A second deposit of the same content gives the same number of file."""
    with database.begin() as connection:
        assert registration.submit(connection, A, act=act) == registration.submit(connection, A, act=act)
        assert len(registration.files(connection)) == 1


def test_a_refusal_gives_its_reasons_and_ends_the_file(database: Database, act: Act) -> None:
    """Without reasons it is not one; after it nothing follows."""
    with database.begin() as connection:
        file_id = registration.submit(connection, A, act=act)
        registration.review(connection, file_id, act=act)
        with pytest.raises(NotAllowed):
            registration.decide(connection, file_id, State.REFUSED, reason=" ", act=act)
        assert registration.decide(connection, file_id, State.REFUSED, reason="Hors Union.", act=act) is None
        with pytest.raises(NotAllowed):
            registration.withdraw(connection, file_id, reason="", act=act)


def test_a_withdrawn_registration_is_announced_with_its_end(database: Database, act: Act) -> None:
    """The portal is told until which day, and how the platform was reached."""
    link = Link("AAA111", "http://127.0.0.1:8401", "a2V5")
    with database.begin() as connection:
        file = registered(connection, msgspec.structs.replace(A, connection=link), act)
        announced = registration.withdraw(connection, file.id, reason="Mise en demeure.", act=act)
        assert registration.public_list(connection) == ([], [])
    assert announced is not None
    assert (announced.registered_until, announced.application_code, announced.url) == (TODAY, "AAA111", link.url)


def test_a_platform_that_moves_is_announced_again(database: Database, act: Act) -> None:
    """The new address is announced and in the journal; the same again adds nothing; only a registered one moves."""
    link = Link("AAA111", "http://127.0.0.1:9401", "a2V5")
    with database.begin() as connection:
        waiting = registration.submit(connection, B, act=act)
        with pytest.raises(NotAllowed):
            registration.relink(connection, waiting, link, act=act)
        file = registered(connection, A, act)
        for _ in range(2):
            assert registration.relink(connection, file.id, link, act=act).url == link.url
        moves = [each.reason for each in journal.read(connection, "registration", file.id) if each.reason == link.url]
    assert moves == [link.url]


def test_a_test_report_names_a_known_target() -> None:
    """Directory, concentrator, another platform: the three that the article names."""
    assert [report.target for report in A.tests] == ["directory", "concentrator", "platform"]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"target": "moon", "reference": "x", "passed_on": "2026-01-01"}, TestReport)


def registered(connection: Connection, form: RegistrationForm, act: Act) -> registration.File:
    """The platform is registered."""
    file_id = registration.submit(connection, form, act=act)
    registration.review(connection, file_id, act=act)
    registration.decide(connection, file_id, State.REGISTERED, reason="", act=act)
    return registration.one(connection, file_id)
