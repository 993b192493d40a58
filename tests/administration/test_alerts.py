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
        ({"delivery_date": MARCH_1}, ("same-delivery",)),
        ({"period_start": date(2026, 2, 1), "period_end": MARCH_1}, ("same-period",)),
        ({}, ()),
    ],
)
def test_consecutive_numbers_are_alike_only_when_they_bill_the_same_thing(
    changes: dict[str, Any], why: tuple[str, ...]
) -> None:
    """F-1 and F-2 for the same amount are a trade, unless the delivery or the period is the same."""
    for one, other in (("F-1001", "F-1002"), ("F-2026-1", "F-2026-2"), ("F1A", "F1B")):
        assert likeness(invoice(one, MARCH_1, **changes), invoice(other, MARCH_1, **changes)) == why


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
