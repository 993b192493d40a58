"""Turnover by sector and week, shown only where nobody can be told from it."""

from datetime import date
from decimal import Decimal

from tests.administration.concentrator import told, told_status
from tests.vat.examples import BUYER, part, status

from estafette.administration.activity import UNKNOWN_SECTOR, Cell, Week, activity, cells
from estafette.administration.intake import receive
from estafette.administration.journal import Act
from estafette.store.database import Database
from estafette.vat.facts import Document

MONDAY = date(2026, 3, 2)
WEEK = Week(2026, 10)
FIRMS = ("100000009", "300000007", "500000005", "600000004")
SECTOR = dict.fromkeys(FIRMS, "62.02A")


def test_three_companies_none_above_85_percent_are_shown() -> None:
    """850 of 1 000 is exactly 85 %: the cell is shown with its sum."""
    assert cells(sold("850", "100", "50"), SECTOR) == [Cell("62.02A", WEEK, Decimal(1000), 3)]


def test_two_companies_or_one_above_85_percent_are_secret() -> None:
    """A secret cell says neither the sum nor how many companies it rests on."""
    for documents in (sold("500", "500"), sold("851", "100", "49"), sold("1000")):
        assert cells(documents, SECTOR) == [Cell("62.02A", WEEK, None, None)]


def test_two_invoices_of_one_company_are_one_unit() -> None:
    """Units are companies, not invoices."""
    [cell] = cells([*sold("100", "100"), *sold("90")], SECTOR)
    assert cell.secret


def test_a_credit_note_counts_against_and_by_its_size() -> None:
    """−100 lowers the sum and weighs 100 in the share."""
    credit = Document(FIRMS[3], "C", MONDAY, "381", "B1", (part("20", "100"),), BUYER)
    [cell] = cells([*sold("300", "300", "300"), credit], SECTOR)
    assert (cell.turnover, cell.units) == (800, 4)


def test_weeks_are_iso_weeks_and_sectors_are_apart() -> None:
    """1 January 2027 is in week 53 of 2026; a company without sector has its own row."""
    late = Document(FIRMS[0], "L", date(2027, 1, 1), "380", "B1", (part("20", "10"),), BUYER)
    assert [(cell.sector, str(cell.week)) for cell in cells([late], {})] == [(UNKNOWN_SECTOR, "2026-W53")]


def test_what_was_already_reported_or_is_in_another_currency_is_left_out() -> None:
    """B7 is in retail figures already; dollars are not euros."""
    reported = Document(FIRMS[0], "R", MONDAY, "380", "B7", (part("20", "10"),), BUYER)
    dollars = Document(FIRMS[1], "D", MONDAY, "380", "B1", (part("20", "10"),), BUYER, currency="USD")
    assert cells([reported, dollars], SECTOR) == []


def test_a_refused_invoice_leaves_the_activity(database: Database, act: Act) -> None:
    """Once refused, it is turnover no more, and what is left is secret."""
    documents = sold("300", "300", "300")
    for message in [told(each) for each in documents]:
        with database.begin() as connection:
            receive(connection, message, received_at=act.now)
    with database.read() as connection:
        assert [cell.turnover for cell in activity(connection)] == [900]
    with database.begin() as connection:
        receive(connection, told_status(status(documents[0], 210, MONDAY)), received_at=act.now)
        assert [cell.turnover for cell in activity(connection)] == [None]


def sold(*amounts: str) -> list[Document]:
    """One invoice of each amount, each from another company."""
    firms = zip(FIRMS, amounts, strict=False)
    return [Document(firm, f"F{base}", MONDAY, "380", "B1", (part("20", base),), BUYER) for firm, base in firms]
