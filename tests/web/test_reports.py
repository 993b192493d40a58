"""E-reporting at the desk: hand in, enter, look, send, withdraw; each company its own."""

from sqlalchemy import update
from tests.web.visitor import Page, Visitor
from tests.web.world import World

from estafette.platform.reporting_tables import transmission
from estafette.web.platform import reports

TILL = b"""id;date;categorie;taux;base;tva;nombre
Z-1;05/09/2026;TLB1;20;1 000,00;200,00;40
Z-2;06/09/2026;TLB1;10;500,00;50,00;12
"""
SEPTEMBER = "/reports/SE/transactions/2026-09-01"


def hand_in(visitor: Visitor, data: bytes = TILL, name: str = "caisse.csv") -> Page:
    """Hand a file in through the form."""
    return visitor.send_file("/reports/files", name, data, csrf=visitor.get("/reports").hidden("csrf"))


def enter(visitor: Visitor, **changes: str) -> Page:
    """Enter a day's sales through the form."""
    said = {"date": "2026-09-07", "category": "TLB1", "rate": "20", "taxable_amount": "100", "tax_amount": "20"}
    return visitor.post("/reports/days", csrf=visitor.get("/reports").hidden("csrf"), **{**said, **changes})


def test_a_till_file_from_the_form_to_the_transmission(world: World) -> None:
    """A file is taken, its period shown with its sums, sent when it is over, and sent once."""
    seller = world.visitor()
    taken = hand_in(seller)
    assert taken.path.startswith("/reports/files/")
    assert "2 lignes bonnes, 2 changements" in taken.text
    page = seller.get(SEPTEMBER)
    assert "1 500,00 EUR · TVA 250,00 EUR" in page.text
    document = seller.get(f"{SEPTEMBER}/document")
    assert b"<TransactionsReport>" in document.body
    assert document.headers["content-disposition"].startswith("attachment")
    sent = seller.post(SEPTEMBER, csrf=page.hidden("csrf"))
    assert sent.status == 200
    world.work()
    page = seller.get(SEPTEMBER)
    assert "Transmise, réponse attendue" in page.text
    assert page.text.count("0003-100000009-20260901-TSE-001") == 1
    assert "Transmettre maintenant" not in page.text
    again = seller.post(SEPTEMBER, csrf=page.hidden("csrf"))
    assert again.status == 422
    assert "attend sa réponse" in again.text
    assert "caisse.csv" in seller.get("/reports").text


def test_a_period_that_the_portal_rejects_asks_for_attention(world: World) -> None:
    """It is on the first page of its company, with a way to it, until it is sent again; of no other's."""
    seller = world.visitor()
    hand_in(seller)
    page = seller.get(SEPTEMBER)
    for number in (1, 2):
        seller.post(SEPTEMBER, csrf=page.hidden("csrf"))
        world.work()
        assert "E-reporting à corriger" not in seller.get("/").text
        with world.actor.database.begin() as connection:
            last = transmission.c.identifier.endswith(f"00{number}")
            connection.execute(update(transmission).where(last).values(state="rejected"))
        assert seller.get("/").links("/reports/SE") == [SEPTEMBER]
    assert "E-reporting à corriger" in seller.get("/").text
    assert "E-reporting à corriger" not in world.visitor("other").get("/").text


def test_a_period_under_way_is_not_sent(world: World) -> None:
    """What is not over cannot be sent: said on the page, with 422."""
    seller = world.visitor()
    assert enter(seller, date="2026-09-12").path == "/reports/SE/transactions/2026-09-12"
    refused = seller.post("/reports/SE/transactions/2026-09-12", csrf=seller.get("/reports").hidden("csrf"))
    assert refused.status == 422
    assert "La période finit le 2026-09-20" in refused.text


def test_every_bad_row_is_told(world: World) -> None:
    """A file with bad rows is refused whole; line, column, what was read and what is expected are shown."""
    page = hand_in(world.visitor(language="en"), TILL.replace(b"TLB1;20", b"TLB9;20").replace(b"06/09", b"31/02"))
    assert "Nothing was taken" in page.text
    assert "TLB9" in page.text
    assert "31/02/2026" in page.text
    assert "a day YYYY-MM-DD" in page.text


def test_a_file_that_is_too_large_or_absent(world: World, monkeypatch: object) -> None:
    """A file over the limit is 413, a form without a file 400, each said on the page."""
    monkeypatch.setattr(reports, "REPORTING_FILE_BYTES_MAX", 20)  # type: ignore[attr-defined]
    seller = world.visitor()
    assert hand_in(seller).status == 413
    page = seller.post("/reports/files", csrf=seller.get("/reports").hidden("csrf"))
    assert page.status == 400
    assert "choisissez-en un" in page.text


def test_a_day_entered_again_replaces_and_can_be_withdrawn(world: World) -> None:
    """The same day, category and rate is one unit; withdrawn, the period has nothing left."""
    seller = world.visitor()
    enter(seller)
    page = enter(seller, taxable_amount="150,50", tax_amount="30,10")
    assert "150,50" in page.text
    assert "100,00" not in page.text
    gone = seller.post(page.path, csrf=page.hidden("csrf"), unit=page.hidden("unit"))
    assert "150,50" not in gone.text
    assert seller.post(page.path, csrf=page.hidden("csrf"), unit="9" * 30).status == 404


def test_a_wrong_entry_says_what_is_expected(world: World) -> None:
    """A field that cannot be is answered with what is expected, and what was typed stays; the future is refused."""
    seller = world.visitor()
    page = enter(seller, rate="33 %", taxable_amount="77")
    assert page.status == 422
    assert "taux : « 33 % »" in page.text
    assert 'value="77"' in page.html
    assert "futur" in enter(seller, date="2026-12-24").text


def test_the_regime_changes_the_periods(world: World) -> None:
    """Under the quarterly regime the period is the month."""
    seller = world.visitor()
    csrf = seller.get("/reports").hidden("csrf")
    assert seller.post("/reports/regime", csrf=csrf, regime="quarterly", month="2026-09", debits="yes").status == 200
    assert "TVA sur les débits" in seller.get("/reports").text
    assert "30/09/2026" in enter(seller).text
    assert seller.post("/reports/regime", csrf=csrf, regime="none", month="2026-09").status == 422
    assert seller.post("/reports/regime", csrf=csrf, regime="monthly", month="soon").status == 422


def test_each_company_its_own(world: World) -> None:
    """Files, units and periods of one company are not found by another; a form without its token is refused."""
    seller, other = world.visitor(), world.visitor("other")
    taken = hand_in(seller)
    unit = seller.get(SEPTEMBER).hidden("unit")
    assert other.get(taken.path).status == 404
    assert "1 000,00" not in other.get(SEPTEMBER).text
    assert other.post(SEPTEMBER, csrf=other.get("/reports").hidden("csrf"), unit=unit).status == 404
    assert other.post("/reports/days", csrf="forged").status == 403
    for path in ("/reports/XX/transactions/2026-09-01", "/reports/SE/x/2026-09-01", "/reports/SE/payments/never"):
        assert seller.get(path).status == 404
