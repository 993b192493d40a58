"""What the home page puts first, and for how long."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from estafette.web.platform.attention import SHOWN_FOR, concerns

TODAY = date(2026, 9, 15)
NO_TIME = timedelta()
Row = dict[str, Any]
NOW = datetime(2026, 9, 15, 10, tzinfo=UTC)


def an_invoice(
    status: str, number: str = "F1", *, standing: str = "live", age: timedelta = timedelta()
) -> dict[str, Any]:
    """Return an invoice of a list."""
    return {"status": status, "number": number, "standing": standing, "received_at": NOW - age}


def a_deposit(acknowledgement: str, name: str = "f.xml", age: timedelta = NO_TIME) -> Row:
    """Return a deposit of a list."""
    return {"acknowledgement": acknowledgement, "name": name, "submitted_at": NOW - age}


def told(**lists: list[Row]) -> list[str]:
    """Return what is told, in French."""
    given = {"received": [], "issued": [], "deposits": [], **lists}
    return [concern.words.fr for concern in concerns(**given, on=TODAY)]


@pytest.mark.parametrize("status", ["202", "203", "204", "209"])
def test_an_invoice_waits_for_its_answer_for_ever(status: str) -> None:
    """What was received and not answered stays, however old."""
    assert told(received=[an_invoice(status, age=timedelta(days=400))]) == ["Reçues, à répondre"]


@pytest.mark.parametrize("status", ["205", "206", "207", "208", "210", "211", "212", "213", "220"])
def test_an_answered_invoice_does_not_wait(status: str) -> None:
    """What was answered leaves."""
    assert told(received=[an_invoice(status)]) == []


@pytest.mark.parametrize("status", ["206", "207", "208"])
def test_the_customer_waits(status: str) -> None:
    """A disagreement waits for the seller."""
    assert told(issued=[an_invoice(status)]) == ["Émises, le client attend de vous"]


@pytest.mark.parametrize("status", ["210", "213", "221", "501"])
def test_what_ended_badly_is_shown_for_a_month(status: str) -> None:
    """A rejection is shown on its thirtieth day and not the day after."""
    assert told(issued=[an_invoice(status, age=SHOWN_FOR)]) == ["Rejetées ou refusées"]
    assert told(issued=[an_invoice(status, age=SHOWN_FOR + timedelta(days=1))]) == []


def test_a_number_taken_again_ends_it() -> None:
    """A rejection leaves once its number has been taken; another number changes nothing."""
    assert told(issued=[an_invoice("200"), an_invoice("213")]) == []
    assert told(issued=[an_invoice("200", "F2"), an_invoice("213")]) == ["Rejetées ou refusées"]


def test_an_undelivered_invoice_waits_until_something_happens() -> None:
    """An invoice without a reachable customer is shown until it is collected."""
    assert told(issued=[an_invoice("200", standing="undelivered")]) == ["Déposées, non transmises"]
    assert told(issued=[an_invoice("212", standing="undelivered")]) == []


def test_an_irreceivable_deposit_until_the_file_is_taken() -> None:
    """An irreceivable file is shown until a file of that name is taken after it."""
    assert told(deposits=[a_deposit("Error")]) == ["Dépôts irrecevables"]
    assert told(deposits=[a_deposit("Ok"), a_deposit("Error")]) == []
    assert told(deposits=[a_deposit("Error"), a_deposit("Ok")]) == ["Dépôts irrecevables"]
    assert told(deposits=[a_deposit("Error", age=SHOWN_FOR + timedelta(days=1))]) == []


def test_a_period_that_failed_for_a_month() -> None:
    """A transmission that failed and that none followed is shown for a month."""
    row = {"created_at": NOW - SHOWN_FOR}
    assert told(periods=[row]) == ["E-reporting à corriger"]
    assert told(periods=[{"created_at": NOW - SHOWN_FOR - timedelta(days=1)}]) == []
