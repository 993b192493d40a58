"""Transmissions of e-reporting at the portal: a bad file, a bad period, what was had already, each with its code."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace
from tests.formats.test_flux10 import TRANSACTIONS
from tests.platform.world import BUYER, SELLER, World
from tests.portal.envelopes import REPORTS, acknowledgement, answers, reasons, send

from estafette.formats import flux10
from estafette.formats.flux10 import Report, Role
from estafette.formats.status_message import StatusMessage

PERIODS = count()
"""Periods that no test has used."""


def report(**changes: Any) -> Report:
    """Return a good transmission of a period that nobody has used, its invoice and its sales in it."""
    number = next(PERIODS)
    start = date(2025, 1, 1) + timedelta(days=10 * number)
    day = start + timedelta(days=3)
    (invoice,), (total,) = TRANSACTIONS.invoices, TRANSACTIONS.daily_totals
    invoice = replace(invoice, number=f"I-{number}", issue_date=day, due_date=day)
    made = replace(
        TRANSACTIONS,
        identifier=f"T-{number}",
        start=start,
        end=start + timedelta(days=9),
        issued_at=datetime(2026, 9, 14, tzinfo=UTC),
        invoices=(invoice,),
        daily_totals=(replace(total, day=day),),
    )
    return replace(made, **changes)


def hand(world: World, *reports: Report | bytes, by: str = "platform-a") -> StatusMessage:
    """Send transmissions in one flow; return what the portal said of the flow."""
    files = {f"r{place}.xml": one if isinstance(one, bytes) else flux10.write(one) for place, one in enumerate(reports)}
    return acknowledgement(world, send(world, files, REPORTS, by=by))


def said(world: World, *reports: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the last answer to each transmission: its status, its reasons with their rules."""
    last = [answers(world, one.identifier)[-1] for one in reports]
    return [(one.status, reasons(one)) for one in last]


def test_accepted(world: World) -> None:
    """A good transmission is answered by 300 under its identifier (G1.104, G7.34), alone, and told."""
    good = report()
    assert hand(world, good).status == "500"
    assert said(world, good) == [("300", [])]
    told = world.sql("administration", "SELECT transmission FROM report_fact")
    assert good.identifier in {row["transmission"] for row in told}


def test_one_bad_object_among_good_ones(world: World) -> None:
    """A transmission that breaks an official rule is rejected; its neighbours are accepted."""
    first, bad, last = report(), report(), report()
    data = flux10.write(bad).replace(b">TPS1<", b">ZZZ9<")
    assert hand(world, first, data, last).status == "500"
    assert said(world, first, last) == [("300", []), ("300", [])]
    ((status, why),) = said(world, bad)
    assert (status, {code for code, _rule in why}) == ("301", {"REJ_SEMAN"})
    assert any("G1.68" in rule for _code, rule in why)


@pytest.mark.parametrize(
    "broken",
    [b"<Report/>", b"<Report", flux10.write(TRANSACTIONS).replace(b"TransactionsReport", b"SalesReport")],
)
def test_one_bad_file_among_good_ones(world: World, broken: bytes) -> None:
    """A file that is no transmission, or breaks the schema, makes the whole flow irreceivable: it is named."""
    good = report()
    message = hand(world, good, broken)
    assert message.status == "501"
    assert {detail.notes[0].subject_code for detail in message.details} == {"r1.xml"}
    assert set(message.reason_codes) <= {"IRR_SYNTAX", "IRR_TYPE_F"}
    assert answers(world, good.identifier) == []


def test_the_same_transmission_twice(world: World) -> None:
    """An identifier is taken once for a declarant and a period (G8.05), whatever the flow."""
    one = report()
    hand(world, one)
    hand(world, one)
    assert said(world, one) == [("301", [("REJ_UNI", "G8.05")])]
    elsewhere = report(identifier=one.identifier)
    hand(world, replace(elsewhere, invoices=()))
    assert said(world, elsewhere)[-1] == ("300", []), "the same identifier for another period is another transmission"


def test_a_second_initial_transmission(world: World) -> None:
    """A period that has its initial transmission takes a corrective one, and no second initial one."""
    first = report()
    hand(world, first)
    second = replace(first, identifier=f"{first.identifier}-2")
    hand(world, second)
    assert said(world, second) == [("301", [("REJ_UNI", "EST-SECOND-IN")])]
    corrective = replace(first, identifier=f"{first.identifier}-3", type_code="RE")
    hand(world, corrective)
    assert said(world, corrective) == [("300", [])], "its own invoices are not counted against it"


def test_a_correction_of_nothing(world: World) -> None:
    """A corrective transmission of a period of which nothing was accepted is rejected."""
    corrective = report(type_code="RE")
    hand(world, corrective)
    assert said(world, corrective) == [("301", [("REJ_COH", "EST-RE-OF-NOTHING")])]


def test_an_invoice_reported_twice(world: World) -> None:
    """An invoice is reported once by its seller, year and number (G1.42), in whatever period; replaced, it is free."""
    first = report()
    hand(world, first)
    again = report(invoices=first.invoices)
    hand(world, again)
    assert said(world, again) == [("301", [("REJ_UNI", "G1.42")])]
    emptied = replace(first, identifier=f"{first.identifier}-RE", type_code="RE", invoices=())
    hand(world, emptied)
    freed = report(invoices=first.invoices)
    hand(world, freed)
    assert said(world, emptied, freed) == [("300", []), ("300", [])]
    twice = report()
    twice = replace(twice, invoices=twice.invoices * 2)
    hand(world, twice)
    assert ("REJ_UNI", "G1.42") in said(world, twice)[0][1]


@pytest.mark.parametrize(
    ("changes", "code", "rule"),
    [
        ({"start": date(2026, 9, 20), "end": date(2026, 9, 30)}, "REJ_PER", "G6.24"),
        ({"start": date(2026, 9, 6), "end": date(2026, 9, 15)}, "REJ_PER", "G7.43"),
        ({"end": date(2026, 9, 14)}, "REJ_PER", "G7.43"),
        ({"platform": "0005"}, "REJ_COH", "G6.22"),
        ({"declarant": "999999998"}, "REJ_COH", "G6.26"),
    ],
)
def test_outside_its_period_or_its_place(world: World, changes: dict[str, Any], code: str, rule: str) -> None:
    """A period that is not over, or dated before its end; another's platform; a declarant that nobody knows."""
    wrong = report(invoices=(), **changes)
    hand(world, wrong)
    ((status, why),) = said(world, wrong)
    assert status == "301"
    assert (code, rule) in why


def test_a_date_in_the_future(world: World) -> None:
    """A sale of after the control is rejected (G1.07)."""
    wrong = report(invoices=())
    (total,) = wrong.daily_totals
    wrong = replace(wrong, daily_totals=(replace(total, day=world.clock.now.date() + timedelta(days=1)),))
    hand(world, wrong)
    assert ("REJ_COH", "G1.07") in said(world, wrong)[0][1]


def test_a_buyer_is_not_the_seller(world: World) -> None:
    """What a buyer reports is not counted against what the seller reports: the rule is for sellers (G1.42)."""
    sold = report()
    hand(world, sold)
    (invoice,) = sold.invoices
    bought = report(role=Role.BUYER, declarant=BUYER, platform="0005", invoices=(invoice,), daily_totals=())
    hand(world, bought, by="platform-a")
    assert ("REJ_COH", "G6.22") in said(world, bought)[0][1], "and it is not for that platform to send"
    assert "G1.42" not in {rule for _code, rule in said(world, bought)[0][1]}
    assert sold.declarant == SELLER
