"""The official scenarios UC1 to UC5 (XP Z12-014, annex B) told to the administration, from their own files.

The regulatory data are made from each official invoice as a platform makes them; the statuses are the official messages
to the portal. UC4 and UC5 refer to their first invoice by a number with a zero missing: as published.
"""

from datetime import date
from pathlib import Path

import pytest
from tests.administration.concentrator import told_facts, told_status

from estafette import formats
from estafette.administration.intake import receive
from estafette.administration.journal import Act
from estafette.administration.returns import prepare, summaries
from estafette.formats import cdar, flux1
from estafette.store.database import Database
from estafette.vat.facts import Collected, Status
from estafette.vat.forms import Column
from estafette.vat.returns import Month

CORPUS = Path(__file__).parents[2] / "../shared/corpus/xp-z12-014"
AS_OF = date(2025, 9, 11)
SELLER, BUYER = "100000009", "200000008"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the official corpus is not there")


@pytest.mark.parametrize("syntax", ["UBL", "CII"])
@pytest.mark.parametrize(
    ("scenario", "month", "expected"),
    [
        ("UC1", Month(2025, 8), {"A1": 10000, "08": 2000, "16": 2000, "20": 2000}),
        ("UC2", None, {}),
        ("UC3", None, {}),
        ("UC4", Month(2025, 8), {"A1": 10000, "08": 2000, "16": 2000, "20": 2000}),
        ("UC5", Month(2025, 8), {"A1": 10000, "08": 2000, "16": 2000, "20": 2000}),
    ],
)
def test_an_official_scenario_fills_the_returns(
    database: Database, act: Act, *, scenario: str, month: Month | None, expected: dict[str, int], syntax: str
) -> None:
    """Paid at 20 % in August in UC1, 4 and 5; nothing in UC2 and UC3; UC5's set-off at 10 % in July leaves zeros."""
    told = tell(database, act, scenario, syntax)
    assert told >= 2
    with database.read() as connection:
        held = [each for each in summaries(connection, as_of=AS_OF) if each.due or each.deductible]
        assert {(each.siren, each.month) for each in held} == ({(SELLER, month), (BUYER, month)} if month else set())
        if month:
            seller = prepare(connection, SELLER, month, as_of=AS_OF)
            buyer = prepare(connection, BUYER, month, as_of=AS_OF)
            amounts = {"A1": seller.cell("A1").amount, "08": seller.cell("08", Column.TAX).amount}
            assert amounts | {"16": seller.cell("16").amount, "20": buyer.cell("20").amount} == expected


def tell(database: Database, act: Act, scenario: str, syntax: str) -> int:
    """The administration is told of everything the scenario sends to the portal; returns how many messages."""
    folder = CORPUS / scenario
    messages = [
        _data(file.read_bytes())
        for file in sorted(folder.rglob(f"*_{syntax}.xml"))
        if "INV" in file.name or "CN" in file.name
    ]
    messages += [_status(file.read_bytes()) for file in sorted(folder.rglob("*_POUR_PPF.xml"))]
    for message in messages:
        with database.begin() as connection:
            assert receive(connection, message, received_at=act.now)
    return len(messages)


def _data(document: bytes) -> bytes:
    built = flux1.build(formats.read(document), profile=flux1.profile_on(date(2026, 9, 1)), syntax=formats.Syntax.UBL)
    return told_facts(flux1.read(*built), flow=built[0])


def _status(message: bytes) -> bytes:
    read = cdar.read(message)
    assert read.object_day is not None
    collected = tuple(
        Collected(each.percent, each.amount) for each in read.characteristics("MEN") if each.percent and each.amount
    )
    key = (read.seller_siren, read.object_identifier, read.object_day.year)
    return told_status(Status(*key, int(read.status), read.set_at, read.identifier, read.reason_codes, collected))
