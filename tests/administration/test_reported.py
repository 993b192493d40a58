"""Transmissions told by the concentrator are on the returns; a correction replaces what it corrects."""

from dataclasses import asdict
from datetime import date
from itertools import permutations
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.administration.concentrator import told
from tests.administration.conftest import NOW
from tests.vat.examples import invoice
from tests.vat.test_reported import MINE, SEPTEMBER, total

from estafette.administration import intake, returns
from estafette.administration.facts import reports_of
from estafette.formats.flux10 import Report
from estafette.store.database import Database

INITIAL = total("TLB1", ("20", "1000"))


def corrective(identifier: str, base: str, day: int) -> Report:
    """Return a correction of the initial one, made on a day of October."""
    moment = INITIAL.issued_at.replace(day=day)
    return replace(total("TLB1", ("20", base)), identifier=identifier, type_code="RE", issued_at=moment)


SECOND, THIRD = corrective("R2", "2000", 12), corrective("R3", "3000", 13)
ORDERS = {"".join(one.identifier for one in order): order for order in permutations((INITIAL, SECOND, THIRD))}


def notice(report: Report, number: int) -> dict[str, Any]:
    """Return a fact as the concentrator tells it."""
    about = {"kind": "report", "fact": number, "platform": "0003", "flow": f"FFE1025A_PA0003_{number}/R.xml"}
    return {**about, "accepted_at": "2026-10-11T06:00:00Z", "data": msgspec.to_builtins(report)}


def test_a_list_of_facts_is_had_once(database: Database) -> None:
    """Several facts in one message, told twice, are each known once."""
    facts = [msgspec.json.decode(told(invoice("F1", date(2026, 9, 1)))), notice(INITIAL, 2)]
    body = msgspec.json.encode(facts)
    with database.begin() as connection:
        assert intake.receive(connection, body, received_at=NOW)
        assert not intake.receive(connection, body, received_at=NOW)
        assert intake.receive(connection, msgspec.json.encode([notice(SECOND, 3), *facts]), received_at=NOW)
        assert len(reports_of(connection)) == 1


def test_one_wrong_fact_in_a_list_writes_nothing(database: Database) -> None:
    """A list is taken whole or not at all."""
    body = msgspec.json.encode([notice(INITIAL, 1), {"kind": "status", "status": 299}])
    with pytest.raises(intake.WrongMessage, match=r"\$\[1\]"), database.begin() as connection:
        intake.receive(connection, body, received_at=NOW)
    with database.read() as connection:
        assert reports_of(connection) == ()


@pytest.mark.parametrize("order", list(ORDERS.values()), ids=list(ORDERS))
def test_the_last_correction_stands(database: Database, order: tuple[Report, ...]) -> None:
    """Whatever the order in which they are told; the summary shows the company and the month."""
    for number, one in enumerate(order):
        with database.begin() as connection:
            intake.receive(connection, msgspec.json.encode([notice(one, number)]), received_at=NOW)
    with database.read() as connection:
        prepared = returns.prepare(connection, MINE, SEPTEMBER, as_of=NOW.date())
        summaries = returns.summaries(connection, as_of=NOW.date())
    assert prepared.cell("A1").amount == 3000
    assert [asdict(one) for one in summaries] == [
        {"siren": MINE, "month": SEPTEMBER, "due": 600, "deductible": 0, "to_confirm": 0}
    ]
    (cell,) = (cell for cell in returns.as_json(prepared)["cells"] if cell["line"] == "A1")
    assert cell["evidence"][0]["reported"] == {"block": "10.3", "transmission": "R3", "from_union": False}
