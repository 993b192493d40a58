"""The 44 use cases of XP Z12-014, annex A: each document of each case from its deposit to the administration.

The table is `cases.CASES`; `docs/use-cases.md` shows it, and is held to it here.
"""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from tests.platform.cases import CASES, Case, Change, Seen, by_the_buyer_of_one_without_a_number, written
from tests.platform.world import BUYER, HOME_OF, SELLER, World

from estafette.formats import write
from estafette.formats.xml import Syntax
from estafette.invoice.model import Invoice
from estafette.platform import tables
from estafette.platform.answers import Answer
from estafette.platform.reporting_tables import unit_record
from estafette.rules import check

ROOT = Path(__file__).parents[2]
PLAYED = [(case.number, rank, *played) for case in CASES for rank, played in enumerate(case.documents, 1)]
NUMBERS = (
    "0a 0b 0c 0d 0e 0f 0g 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17a 17b 18 19a 19b 20 21 22a 22b 23 24 25 26 27 28 29 "
    "30 31 32 33 34 35 36 37 38 39 40 41 42 43 44"
)


def test_every_case_is_in_the_table() -> None:
    """The forty-four cases and their variants, each once."""
    assert " ".join(case.number for case in CASES) == NUMBERS


@pytest.mark.parametrize(("case", "rank", "change", "seen"), PLAYED, ids=[f"{row[0]}-{row[1]}" for row in PLAYED])
def test_a_case(world: World, case: str, rank: int, change: Change, seen: Seen) -> None:
    """The document is accepted by the official rules, reaches whom it should, and the State is told what it must be."""
    document = written(world.number(f"CAS-{case}-{rank}-"), change)
    data = write(document, Syntax.UBL)
    assert check(data).accepted
    issuer = BUYER if document.is_self_billed else SELLER
    world.deposit(data, by=issuer)
    sent = delivery(world, issuer, "issued", document.number)
    assert sent["standing"] == seen.standing, sent["explanation"]
    assert received(world, document) == seen.buyer
    assert world.told(document.number) == seen.told
    assert blocks(world, document.number) == set(seen.blocks)
    if seen.collected is not None:
        collect(world, document)
        assert world.told(document.number) == seen.collected


def delivery(world: World, siren: str, side: str, number: str) -> dict[str, object]:
    """Return the delivery of an invoice on one side."""
    (row,) = [dict(row) for row in world.invoices(siren, number) if row["side"] == side]
    return row


def received(world: World, document: Invoice) -> str:
    """Say the statuses that the one who receives has of it."""
    siren = SELLER if document.is_self_billed else document.buyer_siren or ""
    if siren not in HOME_OF or not world.invoices(siren, document.number):
        return ""
    rows = [row for row in world.invoices(siren, document.number) if row["side"] == "received"]
    if not rows:
        return ""
    event = tables.event
    query = select(event.c.status).where(event.c.invoice_id == rows[0]["id"]).order_by(event.c.set_at)
    return " ".join(row["status"] for row in world.rows(HOME_OF[siren], query))


def blocks(world: World, number: str) -> set[str]:
    """Return the blocks of e-reporting where the seller's invoice is."""
    query = select(unit_record.c.block).where(unit_record.c.reference == number, unit_record.c.siren == SELLER)
    return {row["block"] for row in world.rows(HOME_OF[SELLER], query)}


def collect(world: World, document: Invoice) -> None:
    """The seller says that all of it is paid."""
    amounts = tuple(
        (part.rate or Decimal(0), (part.taxable_amount or Decimal(0)) + (part.tax_amount or Decimal(0)))
        for part in document.vat_breakdown
    )
    side = "received" if document.is_self_billed else "issued"
    row = delivery(world, SELLER, side, document.number)
    world.home(SELLER).answer(SELLER, str(row["id"]), Answer("212", amounts=amounts))
    world.work()


def test_who_has_no_vat_number_is_told_beforehand(world: World) -> None:
    """Case 23: the depositor is told that the portal will reject the data, and why, before it does."""
    document = written(world.number("CAS-23-"), by_the_buyer_of_one_without_a_number)
    world.leave(write(document, Syntax.UBL), by=BUYER)
    world.work()
    row = delivery(world, BUYER, "issued", document.number or "")
    assert "BT-31" in row["explanation"]["fr"]  # type: ignore[index]
    view = world.home(BUYER).invoice(BUYER, str(row["id"]))
    assert view is not None
    states = {(one["status"], one["state"]): one["details"] for one in view.declarations}
    assert states[None, "rejected"][0]["rule"] == "G2.33"


def test_a_debit_note_is_not_a_document_of_the_reform(world: World) -> None:
    """Case 18: the type 383 is rejected by the rules; what it would add is an invoice."""
    number = world.number("CAS-18-")
    world.deposit(write(written(number, lambda invoice: replace(invoice, type_code="383")), Syntax.UBL))
    row = world.row(SELLER, number)
    assert row["standing"] == "rejected"
    assert "BR-FR-04" in {fault["rule"].partition("_")[0] for fault in row["explanation"]["faults"]}


def test_the_page_is_the_table() -> None:
    """Each case has its line in docs/use-cases.md, which says the same; each test it names exists."""
    page = (ROOT / "docs/use-cases.md").read_text()
    told = [line for line in page.splitlines() if re.match(r"\| \d+[a-g]? \|", line)]
    assert told == [line_of(case) for case in CASES]
    for case in CASES:
        if case.elsewhere:
            file, _, name = case.elsewhere.partition("::")
            assert not name or f"def {name}(" in (ROOT / file).read_text(), case.elsewhere


def line_of(case: Case) -> str:
    """Return the line of a case on the page."""
    seen = [said(one) for _change, one in case.documents]
    told = "; ".join(dict.fromkeys(seen)) or (f"`{case.elsewhere}`" if case.elsewhere else "nothing is sent")
    return f"| {case.number} | {case.fr} | {case.en} | {told} |"


def said(seen: Seen) -> str:
    """Say what is seen, in a few words."""
    if seen.standing == "reportable":
        return f"e-reported, {', '.join(seen.blocks)}"
    parts = {"undelivered": "not transmitted", "live": "delivered"}[seen.standing]
    if seen.told == "200":
        return f"{parts}, Flow 1 rejected without a VAT number (G2.33)"
    return f"{parts}, Flow 1, {'collection told' if seen.collected == 'F1 200 212' else 'collection not told'}"
