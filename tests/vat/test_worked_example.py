"""The worked example of XP Z12-014 §4.2.1: a service of 600 € at 20 % and 400 € at 10 %, paid whole or in half."""

from datetime import date

from tests.vat.examples import BUYER, SELLER, invoice, part, status

from estafette.vat.forms import Column
from estafette.vat.returns import Month, Return, fill

MARCH = Month(2026, 3)
SERVICE = invoice("S-1", date(2026, 2, 20), process="S1", parts=(part("20", "600"), part("10", "400")))
WHOLE = status(SERVICE, 212, date(2026, 3, 10), collected=(("20", "720"), ("10", "440")))
HALF = status(SERVICE, 212, date(2026, 3, 10), "half", collected=(("20", "360"), ("10", "220")))
REVERSAL = status(SERVICE, 212, date(2026, 3, 12), "back", collected=(("20", "-360"), ("10", "-220")))
REFUSAL = status(SERVICE, 210, date(2026, 3, 15))


def test_nothing_is_due_at_the_issue_of_a_service() -> None:
    """Before any payment neither return has a cell, in the month of issue or after."""
    for siren in (SELLER, BUYER):
        assert filled(siren, Month(2026, 2)).cells == ()
        assert filled(siren, MARCH).cells == ()


def test_a_full_payment_fills_the_lines_of_both_rates() -> None:
    """720 at 20 % and 440 at 10 % make A1 1000, 08 600/120 and 9B 400/40, and a total of 160."""
    seller = filled(SELLER, MARCH, WHOLE)
    assert amounts(seller) == {
        ("A1", Column.AMOUNT): 1000,
        ("08", Column.BASE): 600,
        ("08", Column.TAX): 120,
        ("9B", Column.BASE): 400,
        ("9B", Column.TAX): 40,
        ("16", Column.AMOUNT): 160,
        ("TD", Column.AMOUNT): 160,
        ("28", Column.AMOUNT): 160,
        ("32", Column.AMOUNT): 160,
    }


def test_the_buyer_deducts_on_the_same_day() -> None:
    """The buyer's line 20 holds 160, a credit as it has nothing else."""
    buyer = filled(BUYER, MARCH, WHOLE)
    assert amounts(buyer) == {
        ("20", Column.AMOUNT): 160,
        ("23", Column.AMOUNT): 160,
        ("25", Column.AMOUNT): 160,
        ("27", Column.AMOUNT): 160,
    }


def test_half_a_payment_fills_half_of_each_cell() -> None:
    """360 and 220 make A1 500, 08 300/60, 9B 200/20 and the buyer's 20 80."""
    seller = filled(SELLER, MARCH, HALF)
    assert [seller.cell("A1").amount, seller.cell("16").amount] == [500, 80]
    assert [seller.cell("08", column).amount for column in (Column.BASE, Column.TAX)] == [300, 60]
    assert [seller.cell("9B", column).amount for column in (Column.BASE, Column.TAX)] == [200, 20]
    assert filled(BUYER, MARCH, HALF).cell("20").amount == 80


def test_the_reversal_of_a_payment_brings_every_cell_to_nothing_and_keeps_the_evidence() -> None:
    """A payment and its reversal in one month leave zero, explained by two messages."""
    seller = filled(SELLER, MARCH, HALF, REVERSAL)
    assert set(amounts(seller).values()) == {0}
    assert [evidence.message_id for evidence in seller.cell("08", Column.TAX).evidence] == ["half", "back"]


def test_a_reversal_in_a_later_month_is_a_regularisation() -> None:
    """Alone in April, the reversal shows as positive amounts: B5 500 and 21 80; the buyer pays 80 back on 15."""
    back = status(SERVICE, 212, date(2026, 4, 2), "back", collected=(("20", "-360"), ("10", "-220")))
    seller, buyer = filled(SELLER, Month(2026, 4), HALF, back), filled(BUYER, Month(2026, 4), HALF, back)
    assert (seller.cell("B5").amount, seller.cell("21").amount, seller.cell("25").amount) == (500, 80, 80)
    assert (seller.cell("A1").amount, seller.cell("08", Column.TAX).amount) == (0, 0)
    assert (buyer.cell("15").amount, buyer.cell("16").amount, buyer.cell("28").amount) == (80, 80, 80)


def test_a_refusal_leaves_nothing_on_either_side() -> None:
    """Once refused, the invoice counts for nothing, even what was collected before."""
    assert filled(SELLER, MARCH, WHOLE, REFUSAL).cells == ()
    assert filled(BUYER, MARCH, WHOLE, REFUSAL).cells == ()


def test_a_cell_opens_to_its_invoice_its_rule_and_its_amount() -> None:
    """The evidence of 08 names the invoice, rule X5, the day and the message."""
    [evidence] = filled(SELLER, MARCH, WHOLE).cell("08", Column.TAX).evidence
    assert (evidence.document, evidence.rule, evidence.on) == (SERVICE.key, "X5", date(2026, 3, 10))
    assert (evidence.amount, evidence.message_id) == (120, WHOLE.message_id)


def filled(siren: str, month: Month, *statuses: object) -> Return:
    """Fill the return of this company from the example."""
    return fill([SERVICE], statuses, siren=siren, month=month, as_of=date(2026, 5, 11))  # type: ignore[arg-type]


def amounts(filled_return: Return) -> dict[tuple[str, Column], int]:
    """Return the cells as they would be typed."""
    return {(cell.line, cell.column): cell.amount for cell in filled_return.cells}
