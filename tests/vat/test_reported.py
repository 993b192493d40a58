"""What is e-reported on the returns: each block and category on its line, in its month, for whom reported it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estafette.formats.flux10 import (
    DailyPayment,
    DailyTotal,
    InvoicePayment,
    Kind,
    PaidPart,
    RatePart,
    Report,
    ReportedInvoice,
    ReportedParty,
    Role,
)
from estafette.invoice.model import Delivery, VatBreakdown
from estafette.vat.forms import Column
from estafette.vat.returns import Month, Return, fill

MINE = "100000009"
DAY = date(2026, 9, 14)
SEPTEMBER, OCTOBER = Month(2026, 9), Month(2026, 10)
ABROAD = ReportedParty("DE123456789", "0223", "DE123456789", "DE")
FARTHER = ReportedParty("USACME", "0227", None, "US")
HOME = ReportedParty(MINE, "0002", "FR32100000009", "FR")


def report(role: Role = Role.SELLER, kind: Kind = Kind.TRANSACTIONS, **content: Any) -> Report:
    """Return a transmission of September."""
    moment = datetime(2026, 10, 11, 6, tzinfo=UTC)
    head = ("R1", moment, "IN", "0003", "Relais Atlantique", MINE, "Société", role, kind)
    return Report(*head, start=date(2026, 9, 1), end=date(2026, 9, 30), **content)


def total(category: str, *parts: tuple[str, str], **more: Any) -> Report:
    """Return the sales of a day in one category: rate and base of each part."""
    rates = tuple(RatePart(Decimal(rate), Decimal(base), Decimal(base) * Decimal(rate) / 100) for rate, base in parts)
    return report(daily_totals=(DailyTotal(DAY, category, parts=rates, **more),))


def abroad(
    *parts: tuple[str, str, str],
    process: str = "B1",
    kind: str = "380",
    other: ReportedParty = ABROAD,
    role: Role = Role.SELLER,
    **more: Any,
) -> Report:
    """Return an invoice abroad: category, rate and base of each part of its breakdown."""
    breakdown = tuple(
        VatBreakdown(
            category=category, rate=Decimal(rate), taxable_amount=Decimal(base),
            tax_amount=Decimal(base) * Decimal(rate) / 100,
        )
        for category, rate, base in parts
    )  # fmt: skip
    seller, buyer = (HOME, other) if role is Role.SELLER else (other, HOME)
    invoice = ReportedInvoice(
        number="A1", issue_date=DAY, type_code=kind, currency=more.pop("currency", "EUR"), business_process=process,
        seller=seller, buyer=buyer, vat_breakdown=breakdown, **more,
    )  # fmt: skip
    return report(role, invoices=(invoice,))


def paid(rate: str, amount: str, *, number: str = "A1", day: date = date(2026, 10, 5)) -> Report:
    """Return what was cashed of an invoice."""
    payment = InvoicePayment(number, DAY, day, (PaidPart(Decimal(rate), Decimal(amount)),))
    return report(kind=Kind.PAYMENTS, invoice_payments=(payment,))


def filled(*reports: Report, month: Month = SEPTEMBER) -> Return:
    """Return the return that these transmissions make."""
    return fill([], [], siren=MINE, month=month, as_of=date(2026, 12, 1), reports=reports)


def lines(prepared: Return) -> dict[str, int]:
    """Return what is on the return: the tax of a rate under its line, its base under the line and a star."""
    mark = {Column.BASE: "*", Column.TAX: "", Column.AMOUNT: ""}
    totals = {"16", "23", "25", "27", "TD", "28", "32"}
    return {f"{cell.line}{mark[cell.column]}": cell.amount for cell in prepared.cells if cell.line not in totals}


# ------------------------------------------------------------------------------------------------ non-taxable persons


def test_goods_on_their_day() -> None:
    """TLB1: A1, and each rate on its line."""
    prepared = filled(total("TLB1", ("20", "1000"), ("5.5", "200")))
    assert lines(prepared) == {"A1": 1200, "08*": 1000, "08": 200, "09*": 200, "09": 11}
    assert prepared.cell("16").amount == 211
    (one, two) = prepared.cell("A1").evidence
    assert {each.reported.transmission for each in (one, two) if each.reported} == {"R1"}
    assert lines(filled(total("TLB1", ("20", "1000")), month=OCTOBER)) == {}


def test_services_on_their_day_or_as_they_are_cashed() -> None:
    """TPS1: under the debits option the day of the operation; otherwise nothing before it is cashed (10.4)."""
    assert lines(filled(total("TPS1", ("20", "1000")))) == {}
    expected = {"A1": 1000, "08*": 1000, "08": 200}
    assert lines(filled(total("TPS1", ("20", "1000"), vat_point_code="5"))) == expected
    cashed = DailyPayment(DAY, (PaidPart(Decimal(20), Decimal(1200)),))
    assert lines(filled(report(kind=Kind.PAYMENTS, daily_payments=(cashed,)))) == expected


def test_what_is_given_back_is_taken_off() -> None:
    """A negative amount lowers the others; when it is more than they are, it is a regularisation."""
    back = DailyPayment(DAY, (PaidPart(Decimal(20), Decimal(-1200)),))
    prepared = filled(total("TLB1", ("20", "400")), report(kind=Kind.PAYMENTS, daily_payments=(back,)))
    assert lines(prepared) == {"B5": 600, "21": 120}


def test_margins_and_what_is_not_taxed_here() -> None:
    """TMA1 is taxed on its margin; TNT1 is E2, presumed: the total does not tell a distance sale."""
    prepared = filled(total("TMA1", ("20", "100")), total("TNT1", ("0", "300")))
    assert lines(prepared) == {"A1": 100, "08*": 100, "08": 20, "E2": 300}
    (evidence,) = prepared.cell("E2").evidence
    assert evidence.presumed is not None and "E3" in evidence.presumed.en


def test_in_another_currency() -> None:
    """The base in euros is not in the data: it is said, not guessed."""
    prepared = filled(total("TLB1", ("20", "100"), currency="USD"))
    assert (lines(prepared), len(prepared.residuals)) == ({}, 1)
    assert prepared.residuals[0].reported is not None


# ------------------------------------------------------------------------------------------------------ sales abroad


@pytest.mark.parametrize(
    ("category", "process", "line"),
    [("K", "B1", "F2"), ("K", "S1", "E2"), ("AE", "S1", "E2"), ("G", "B1", "E1"), ("G", "S1", "E2"), ("S", "B1", "E2")],
)
def test_sales_without_french_vat(category: str, process: str, line: str) -> None:
    """Goods to the Union, services to it, exports, services outside, foreign VAT: each on its line, when invoiced."""
    assert lines(filled(abroad((category, "0", "500"), process=process))) == {line: 500}


def test_goods_delivered_in_another_month() -> None:
    """What is delivered in October is declared in October."""
    october = abroad(("K", "0", "500"), deliveries=(Delivery(actual_delivery_date=date(2026, 10, 2)),))
    assert lines(filled(october)) == {}
    assert lines(filled(october, month=OCTOBER)) == {"F2": 500}


def test_a_taxed_service_as_it_is_cashed() -> None:
    """With French VAT and no option, each payment (10.2) makes its part due, in its month; an option, the invoice."""
    sold = abroad(("S", "20", "1000"), process="S1")
    assert lines(filled(sold, paid("20", "600"))) == {}
    assert lines(filled(sold, paid("20", "600"), month=OCTOBER)) == {"A1": 500, "08*": 500, "08": 100}
    option = abroad(("S", "20", "1000"), process="S1", vat_point_code="5")
    assert lines(filled(option, paid("20", "600"), month=OCTOBER)) == {}
    assert lines(filled(option, paid("20", "600"))) == {"A1": 1000, "08*": 1000, "08": 200}


def test_a_payment_of_an_invoice_not_reported() -> None:
    """It counts, presumed."""
    prepared = filled(paid("20", "600", number="OLD"), month=OCTOBER)
    assert lines(prepared) == {"A1": 500, "08*": 500, "08": 100}
    assert {each.certainty.value for each in prepared.cell("A1").evidence} == {"presumed"}


def test_a_credit_note() -> None:
    """Its amounts are written above zero and lower the line."""
    prepared = filled(abroad(("K", "0", "500")), abroad(("K", "0", "200"), kind="381"))
    assert lines(prepared) == {"F2": 300}


# -------------------------------------------------------------------------------------------------- purchases abroad


@pytest.mark.parametrize(
    ("other", "process", "line", "memo"),
    [(ABROAD, "B1", "B2", {"17": 200}), (ABROAD, "S1", "A3", {}), (FARTHER, "S1", "A3", {}), (FARTHER, "B1", "B4", {})],
)
def test_purchases(other: ReportedParty, process: str, line: str, memo: dict[str, int]) -> None:
    """The buyer assesses the VAT at the rate it reported and deducts as much."""
    bought = abroad(("AE", "20", "1000"), process=process, other=other, role=Role.BUYER)
    assert lines(filled(bought)) == {line: 1000, "08*": 1000, "08": 200, **memo, "20": 200}
    assert filled(bought).cell("TD").amount == 0


def test_a_purchase_without_its_rate() -> None:
    """Twenty percent is presumed, and said."""
    bought = abroad(("AE", "0", "1000"), process="S1", role=Role.BUYER)
    prepared = filled(bought)
    assert lines(prepared) == {"A3": 1000, "08*": 1000, "08": 200, "20": 200}
    assert all(each.presumed for cell in prepared.cells for each in cell.evidence)


def test_goods_of_the_union_are_due_on_the_fifteenth_at_the_latest() -> None:
    """Delivered in July and invoiced in September: due on the 15th of August."""
    delivered = (Delivery(actual_delivery_date=date(2026, 7, 20)),)
    bought = abroad(("AE", "20", "1000"), role=Role.BUYER, deliveries=delivered)
    assert lines(filled(bought)) == {}
    assert filled(bought, month=Month(2026, 8)).cell("B2").amount == 1000


def test_a_mixed_purchase_is_left_to_the_company() -> None:
    """Goods and services are declared on different lines and cannot be told apart."""
    prepared = filled(abroad(("AE", "20", "1000"), process="M1", role=Role.BUYER))
    assert (lines(prepared), len(prepared.residuals)) == ({}, 1)


def test_an_exempt_purchase() -> None:
    """Goods of the Union that are exempt go to F1, without VAT."""
    assert lines(filled(abroad(("E", "0", "1000"), role=Role.BUYER))) == {"F1": 1000}


def test_what_others_reported_counts_for_nothing() -> None:
    """A return is filled from the declarant's own transmissions."""
    prepared = fill([], [], siren="200000008", month=SEPTEMBER, as_of=DAY, reports=[total("TLB1", ("20", "1000"))])
    assert prepared.cells == ()


@given(st.lists(st.tuples(st.sampled_from(["20", "10", "5.5"]), st.integers(0, 10_000)), max_size=8), st.randoms())
def test_the_order_does_not_matter_and_nothing_is_lost(parts: list[tuple[str, int]], chance: Any) -> None:
    """Whatever the order, A1 is all that was sold, and each line's exact tax that of its parts."""
    reports = [total("TLB1", (rate, str(base))) for rate, base in parts]
    shuffled = list(reports)
    chance.shuffle(shuffled)
    prepared = filled(*reports)
    assert prepared.cells == filled(*shuffled).cells
    assert prepared.cell("A1").exact == sum(base for _rate, base in parts)
    tax = sum((cell.exact for cell in prepared.cells if cell.column is Column.TAX), Decimal(0))
    assert tax == sum((Decimal(rate) * base / 100 for rate, base in parts), Decimal(0))
