"""What is true of every return, whatever the invoices and messages."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.vat.examples import BUYER, SELLER, invoice, part, status

from estafette.vat.facts import Document, Status
from estafette.vat.forms import Column
from estafette.vat.returns import Month, Return, fill

DAYS = st.integers(0, 60).map(lambda n: date(2026, 2, 1) + timedelta(days=n))
CENTS = st.integers(1, 5_000_00).map(lambda n: str(Decimal(n) / 100))
RATES = st.sampled_from(["20", "10", "5.5", "2.1"])


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Document], list[Status]]:
    """A few invoices, credit notes and correctives that may refer to one another, with payments and refusals."""
    documents: list[Document] = []
    statuses: list[Status] = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["380", "380", "381", "384", "386"]))
        of = draw(st.lists(st.sampled_from([each.number for each in documents]), max_size=2)) if documents else []
        rates = draw(st.lists(RATES, min_size=1, max_size=2, unique=True))
        document = invoice(
            f"F{number}", draw(DAYS), kind=kind, of=of if kind in {"381", "384"} else [],
            process=draw(st.sampled_from(["B1", "S1", "S1", "S2", "M1", "B7"])),
            parts=tuple(part(rate, draw(CENTS)) for rate in rates),
        )  # fmt: skip
        documents.append(document)
        for payment in range(draw(st.integers(0, 2))):
            sign = draw(st.sampled_from(["", "", "-"]))
            paid = [(rate, sign + draw(CENTS)) for rate in rates]
            statuses.append(status(document, 212, draw(DAYS), f"{number}-{payment}", paid))
        if draw(st.integers(0, 5)) == 0:
            statuses.append(status(document, draw(st.sampled_from([210, 213])), draw(DAYS)))
    return documents, statuses


@given(stories(), st.randoms(use_true_random=False))
def test_the_order_of_facts_and_messages_does_not_matter(story: tuple[list[Document], list[Status]], chance) -> None:  # type: ignore[no-untyped-def]
    """Any order of arrival fills the same return."""
    documents, statuses = story
    mixed, shuffled = list(documents), list(statuses)
    chance.shuffle(mixed)
    chance.shuffle(shuffled)
    assert returns(mixed, shuffled) == returns(documents, statuses)


@given(stories())
def test_a_fact_or_message_repeated_changes_nothing(story: tuple[list[Document], list[Status]]) -> None:
    """Everything sent twice fills the same return."""
    documents, statuses = story
    assert returns(documents * 2, statuses * 2) == returns(documents, statuses)


@given(stories())
def test_refusing_everything_erases_everything(story: tuple[list[Document], list[Status]]) -> None:
    """Once every invoice is refused no return has a cell or a residual."""
    documents, statuses = story
    refused = [status(document, 210, date(2026, 5, 1)) for document in documents]
    for filled in returns(documents, [*statuses, *refused]):
        assert (filled.cells, filled.residuals) == ((), ())


@given(stories())
def test_a_cell_is_the_sum_of_its_evidence_and_never_negative(story: tuple[list[Document], list[Status]]) -> None:
    """Exact amounts add up to the cent, cells are within half a euro, totals follow from cells."""
    for filled in returns(*story):
        for cell in filled.cells:
            assert cell.amount >= 0
            if cell.total_of is None:
                assert sum((each.amount for each in cell.evidence), Decimal(0)) == cell.exact
                assert abs(cell.amount - cell.exact) <= Decimal("0.5")
        tax = sum(cell.amount for cell in filled.cells if cell.column is Column.TAX)
        due, deducted = filled.cell("16").amount, filled.cell("23").amount
        assert due == tax + filled.cell("15").amount
        assert deducted == filled.cell("20").amount + filled.cell("21").amount
        assert due - deducted == filled.cell("TD").amount - filled.cell("25").amount


@given(stories())
def test_what_the_seller_owes_is_what_the_buyer_deducts(story: tuple[list[Document], list[Status]]) -> None:
    """Outside operations already reported, VAT due and VAT deductible are the same cents in each month."""
    documents, statuses = story
    twins = [each for each in documents if each.business_process != "B7"]
    for seller, buyer in zip(
        *(iter(returns(twins, statuses, sirens=(siren,))) for siren in (SELLER, BUYER)), strict=True
    ):
        owed = sum((c.exact for c in seller.cells if c.column is Column.TAX), Decimal(0)) - seller.cell("21").exact
        assert owed == buyer.cell("20").exact - buyer.cell("15").exact


def returns(
    documents: list[Document], statuses: list[Status], sirens: tuple[str, ...] = (SELLER, BUYER)
) -> list[Return]:
    """Fill the returns of three months."""
    months = [Month(2026, month) for month in (2, 3, 4)]
    as_of = date(2026, 5, 11)
    return [fill(documents, statuses, siren=siren, month=month, as_of=as_of) for siren in sirens for month in months]
