"""An invoice sent twice under two numbers raises an alert with its evidence; only a human decides."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.administration.concentrator import told, told_status
from tests.vat.examples import invoice, part, status

from estafette.administration import alerts, journal
from estafette.administration.alerts import Decision, NoReason, likeness
from estafette.administration.intake import receive
from estafette.administration.journal import Act
from estafette.store.database import Database
from estafette.vat.facts import Document

MARCH_1 = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("F-2026-001", "f2026/1", "same-number"),
        ("F2026-001", "F2026-001-BIS", "same-number"),
        ("F2026001", "F2026001A", "same-number"),
        ("F2026-001", "F2026-001-2", "same-number"),
        ("F20260124", "F20260142", "swapped"),
    ],
)
def test_numbers_that_are_one_number_are_alike(one: str, other: str, why: str) -> None:
    """Separators, case, zeros, a suffix or two swapped figures do not make another invoice."""
    assert likeness(invoice(one, MARCH_1), invoice(other, MARCH_1)) == (why,)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"delivery_date": MARCH_1}, "same-delivery"),
        ({"period_start": date(2026, 2, 1), "period_end": MARCH_1}, "same-period"),
    ],
)
def test_what_is_billed_adds_to_the_numbers_and_proves_nothing_alone(changes: dict[str, Any], why: str) -> None:
    """F-1 and F-2 for the same amount and delivery are a trade; F-1 and F-1-BIS are one invoice, the more so."""
    for one, other in (("F-1001", "F-1002"), ("F-2026-1", "F-2026-2"), ("F1A", "F1B"), ("F-10", "A-77")):
        assert likeness(invoice(one, MARCH_1, **changes), invoice(other, MARCH_1, **changes)) == ()
    copy = likeness(invoice("F-1", MARCH_1, **changes), invoice("F-1-BIS", MARCH_1, **changes))
    assert copy == ("same-number", why)


def test_swapped_figures_are_one_number_only_for_one_delivery() -> None:
    """F-124 and F-142 of two deliveries are two invoices."""
    one, other = (invoice(number, MARCH_1, delivery_date=day) for number, day in (("F-124", MARCH_1), ("F-142", None)))
    assert likeness(one, other) == ()


@pytest.mark.parametrize("first", [1, 1001, 120])
def test_a_day_of_ordinary_trade_raises_nothing(database: Database, act: Act, first: int) -> None:
    """Forty consecutive invoices of one amount to one customer, delivered and issued the same day: no alert."""
    for number in range(first, first + 40):
        receive_one(database, act, told(invoice(f"F2026-{number:04}", MARCH_1, delivery_date=MARCH_1)))
    with database.read() as connection:
        assert alerts.alerts(connection) == []


def test_a_swapped_number_is_found_among_ordinary_ones(database: Database, act: Act) -> None:
    """F-0014 typed F-0041, which is far from the series, is found; the others raise nothing."""
    for number in (*range(10, 20), 41):
        receive_one(database, act, told(invoice(f"F-{number:04}", MARCH_1, delivery_date=MARCH_1)))
    with database.read() as connection:
        [alert] = alerts.alerts(connection)
    assert [document.number for document in alert.documents] == ["F-0014", "F-0041"]


def test_a_third_copy_joins_the_alert(database: Database, act: Act) -> None:
    """Three copies are one alert with twice the VAT at risk; it lapses when two of them ended."""
    documents = (*pair(), invoice("F1-TER", MARCH_1 + timedelta(days=1)))
    for document in documents:
        receive_one(database, act, told(document))
    with database.read() as connection:
        [alert] = alerts.alerts(connection)
        entries = journal.read(connection, "alert", alert.id)
    assert [document.number for document in alert.documents] == ["F1", "F1-BIS", "F1-TER"]
    assert (alert.vat_at_risk, alert.reasons, alert.lapsed) == (400, ("same-number",), False)
    assert [entry.reason for entry in entries] == ["F1, F1-BIS", "+ F1-TER"]
    for document, lapsed in zip(documents, (False, True), strict=False):
        receive_one(database, act, told_status(status(document, 210, MARCH_1)))
        with database.read() as connection:
            assert [each.lapsed for each in alerts.alerts(connection)] == [lapsed]


def test_a_copy_of_what_was_dismissed_is_a_new_alert(database: Database, act: Act) -> None:
    """What a person set aside stays so; a further copy is for a person again."""
    for document in pair():
        receive_one(database, act, told(document))
    with database.begin() as connection:
        alerts.decide(connection, 1, Decision.DISMISSED, reason="Deux chantiers.", act=act)
    receive_one(database, act, told(invoice("F1-TER", MARCH_1)))
    with database.read() as connection:
        found = {alert.decision: [each.number for each in alert.documents] for alert in alerts.alerts(connection)}
    assert found == {Decision.OPEN: ["F1", "F1-TER"], Decision.DISMISSED: ["F1", "F1-BIS"]}


@pytest.mark.parametrize(
    "other",
    [
        invoice("F1-BIS", MARCH_1, kind="381"),
        invoice("F1-BIS", MARCH_1, kind="384", of=["F1"]),
        invoice("F1-BIS", MARCH_1, of=["F0"]),
        invoice("F1-BIS", MARCH_1, currency="USD"),
        invoice("F1-BIS", MARCH_1, parts=(part("20", "1010"),)),
    ],
)
def test_another_type_amount_currency_or_a_reference_is_another_invoice(other: Document) -> None:
    """Credit notes, correctives, and 1 % of difference are not copies."""
    assert likeness(invoice("F1", MARCH_1), other) == ()


def test_half_a_percent_of_difference_is_the_same_amount() -> None:
    """1 005 for 1 000 is still the same invoice, typed again."""
    assert likeness(invoice("F1", MARCH_1), invoice("F1-BIS", MARCH_1, parts=(part("20", "1005"),)))


@pytest.mark.parametrize(("days", "expected"), [(0, 1), (10, 1), (11, 0)])
def test_an_alert_is_raised_once_within_ten_days(database: Database, act: Act, days: int, expected: int) -> None:
    """In either order of arrival and told twice; eleven days apart it is another invoice."""
    copy = invoice("F1-BIS", MARCH_1 + timedelta(days=days))
    for message in (told(copy), told(invoice("F1", MARCH_1)), told(copy)):
        receive_one(database, act, message)
    with database.read() as connection:
        raised = alerts.alerts(connection)
    assert len(raised) == expected
    for alert in raised:
        assert [document.number for document in alert.documents] == ["F1", "F1-BIS"]
        assert (alert.vat_at_risk, alert.decision, alert.lapsed) == (200, Decision.OPEN, False)


def test_an_alert_lapses_once_one_of_the_two_was_refused(database: Database, act: Act) -> None:
    """Refused then sent again is not sent twice; the alert stays, without force."""
    first, second = pair()
    for message in (told(first), told(second), told_status(status(first, 210, MARCH_1))):
        receive_one(database, act, message)
    with database.read() as connection:
        [alert] = alerts.alerts(connection)
    assert alert.lapsed


def test_a_decision_needs_a_reason_and_keeps_the_one_before(database: Database, act: Act) -> None:
    """WATCH then AUDIT_PROPOSED: the last holds, the journal has both, signed by the role."""
    for document in pair():
        receive_one(database, act, told(document))
    with database.begin() as connection:
        with pytest.raises(NoReason):
            alerts.decide(connection, 1, Decision.WATCH, reason="  ", act=act)
        alerts.decide(connection, 1, Decision.WATCH, reason="À suivre ce mois.", act=act)
        alerts.decide(connection, 1, Decision.AUDIT_PROPOSED, reason="Trois copies.", act=act)
        alert = alerts.one(connection, 1)
        entries = journal.read(connection, "alert", 1)
    assert alert is not None and alert.decision is Decision.AUDIT_PROPOSED
    assert [(entry.role, entry.from_state, entry.to_state) for entry in entries] == [
        ("detector", None, "OPEN"),
        ("officer", "OPEN", "WATCH"),
        ("officer", "WATCH", "AUDIT_PROPOSED"),
    ]


def pair() -> tuple[Document, Document]:
    """One invoice sent twice."""
    return invoice("F1", MARCH_1), invoice("F1-BIS", MARCH_1)


def receive_one(database: Database, act: Act, message: bytes) -> None:
    """The administration is told."""
    with database.begin() as connection:
        receive(connection, message, received_at=act.now)
