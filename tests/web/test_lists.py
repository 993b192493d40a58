"""The lists of invoices: what is looked for is found, page by page and in a file, and nothing of another company."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update
from tests.web.world import World, an_invoice, open_world

from estafette.platform.keeping_index import csv_line
from estafette.platform.tables import declaration, invoice
from estafette.simulation.ubl import ubl
from estafette.web.platform.attention import concerns
from estafette.web.platform.lists import STANDS

NUMBERS = ("A-1", "A-2", "B-1")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a desk where three invoices were issued on different days, one of them collected."""
    world = open_world(tmp_path_factory.mktemp("lists"))
    for place, number in enumerate(NUMBERS):
        made = replace(an_invoice(number), issued=date(2026, 9, 10 + place))
        world.issue(ubl(made))
    with world.actor.database.begin() as connection:
        mine = select(invoice.c.id).where(invoice.c.number == "A-2")
        rejected = update(declaration).where(declaration.c.invoice_id.in_(mine), declaration.c.status.is_(None))
        connection.execute(rejected.values(state="rejected"))
    yield world
    world.close()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {"A-1", "A-2", "B-1"}),
        ({"number": "A-"}, {"A-1", "A-2"}),
        ({"number": "%"}, set()),
        ({"from": "2026-09-11", "to": "2026-09-11"}, {"A-2"}),
        ({"counterpart": "200000008"}, {"A-1", "A-2", "B-1"}),
        ({"counterpart": "200 000 008"}, {"A-1", "A-2", "B-1"}),
        ({"counterpart": "LEVANT"}, {"A-1", "A-2", "B-1"}),
        ({"counterpart": "nobody"}, set()),
        ({"stands": "paid"}, set()),
        ({"stands": "refused"}, {"A-2"}),
        ({"stands": "open", "number": "B"}, {"B-1"}),
        ({"from": "yesterday"}, {"A-1", "A-2", "B-1"}),
    ],
)
def test_what_is_sought_is_found(filled: World, asked: dict[str, str], found: set[str]) -> None:
    """By number, counterpart, days, where they stand: on the page and in the file, in French and in English."""
    page = filled.visitor().get(f"/issued?{urlencode(asked)}")
    assert {number for number in NUMBERS if f">{number}<" in page.html} == found
    for language, separator in (("fr", ","), ("en", ".")):
        file = filled.visitor(language=language).get(f"/issued/export?{urlencode(asked)}")
        rows = list(csv.reader(io.StringIO(file.body.decode("utf-8-sig")), delimiter=";"))
        assert {row[0] for row in rows[1:]} == found
        assert all(row[6].count(separator) == 1 for row in rows[1:])


def test_a_company_finds_its_own_only(filled: World) -> None:
    """Another company finds nothing of it, on the page or in the file."""
    other = filled.visitor("other")
    for path in ("/issued", "/received", "/issued/export", "/received/export"):
        assert "A-1" not in other.get(path).html


def test_pages_keep_what_was_asked(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next page is of the same search."""
    monkeypatch.setattr("estafette.web.platform.lists.ROWS_A_PAGE", 1)
    page = filled.visitor().get("/issued?number=A-")
    assert "/issued?number=A-&amp;page=2" in page.html or "?number=A-&amp;page=2" in page.html
    assert ">A-1<" in filled.visitor().get("/issued?number=A-&page=2").html


def test_a_file_leaves_nothing_out(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """More invoices than a file takes are no file: a shorter period is asked for."""
    monkeypatch.setattr("estafette.web.platform.lists.EXPORTED_MAX", 2)
    page = filled.visitor().get("/issued/export?number=")
    assert page.status == 422
    assert "une période plus courte" in page.text
    assert filled.visitor().get("/issued/export?number=A-").status == 200


def test_an_amount_below_zero_is_a_number() -> None:
    """A spreadsheet adds up a credit; a name that it would take for a formula is a text."""
    line = csv_line(["-120,50", "-3", "-1+2", "=A1", "+33", "@x", "-"])
    assert line == "-120,50;-3;'-1+2;'=A1;'+33;'@x;'-\n"


def test_what_asks_for_attention_leads_to_its_list() -> None:
    """Every reason for attention that is about invoices has them all under a search of the list."""
    row = {"number": "1", "standing": "live", "received_at": datetime(2026, 9, 14, tzinfo=UTC)}
    told = {"202": "received", "207": "issued", "213": "issued"}
    rows = [{**row, "number": code, "status": code, "side": side} for code, side in told.items()]
    received, issued = ([each for each in rows if each["side"] == side] for side in ("received", "issued"))
    undelivered = {**row, "status": "200", "standing": "undelivered", "side": "issued"}
    refused = {**row, "status": "203", "declared": "receivable,rejected", "side": "issued"}
    found = concerns(received, [*issued, undelivered, refused], [], on=date(2026, 9, 15))
    assert len(found) == 5
    for concern in found:
        _words, sought = STANDS[concern.stands]
        (one,) = concern.invoices
        states = set(one.get("declared", "").split(","))
        assert one["status"] in sought.statuses or one["standing"] in sought.standings or states & sought.declared
