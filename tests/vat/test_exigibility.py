"""When VAT falls due: one test per rule, X0 to X10."""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from tests.vat.examples import SELLER, invoice, part, status

from estafette.vat.events import Certainty, Event, Side
from estafette.vat.exigibility import exigibility
from estafette.vat.facts import Document, Status

LATE = date(2026, 12, 31)
MARCH_1, MARCH_9, MARCH_20 = date(2026, 3, 1), date(2026, 3, 9), date(2026, 3, 20)


@pytest.mark.parametrize("code", [210, 213, 251])
def test_x0_an_ended_invoice_is_never_due(code: int) -> None:
    """Refused, rejected by a platform or by the concentrator: no event, paid or not."""
    goods, service = invoice("B", MARCH_1), invoice("S", MARCH_1, process="S1")
    paid = status(service, 212, MARCH_9, collected=[("20", "1200")])
    ended = [status(goods, code, MARCH_9), status(service, code, MARCH_20)]
    assert due([goods, service], [paid, *ended]) == []


def test_x0_a_rejected_number_deposited_again_counts() -> None:
    """Rejected at issue, corrected, deposited under the same number: the life that counts is the last one begun."""
    goods = invoice("B", MARCH_1)
    lives = [status(goods, 213, MARCH_1), status(goods, 200, MARCH_9)]
    assert [event.on for event in due([goods], lives)] == [MARCH_1]
    assert due([goods], [*lives, status(goods, 210, MARCH_20)]) == []


def test_x7_the_debits_option_holds_for_mixed_invoices() -> None:
    """Goods and services under the debits option: due at the issue, no payment is awaited."""
    mixed = invoice("M", MARCH_1, process="M1", vat_point_date_code="3")
    assert {event.on for event in due([mixed])} == {MARCH_1}


def test_x1_vat_already_reported_counts_for_the_buyer_only() -> None:
    """B7 is due for the buyer at delivery; S7, whose payment is not told, at its issue, presumed."""
    goods = invoice("B", MARCH_9, process="B7", delivery_date=MARCH_1)
    service = invoice("S", MARCH_9, process="S7")
    first, second = due([goods, service])
    assert (first.rule, first.on, first.side, first.certainty) == ("X1", MARCH_1, Side.BUYER, Certainty.CERTAIN)
    assert (second.rule, second.on, second.side, second.certainty) == ("X1", MARCH_9, Side.BUYER, Certainty.PRESUMED)


@pytest.mark.parametrize("process", ["B1", "S1", "M1"])
def test_x2_a_deposit_is_due_when_paid_even_on_goods_or_debits(process: str) -> None:
    """A deposit invoice has no event at issue and one per payment."""
    deposit = invoice("D", MARCH_1, process=process, kind="386", vat_point_date_code="5")
    assert due([deposit]) == []
    [event] = due([deposit], [status(deposit, 212, MARCH_9, collected=[("20", "600")])])
    assert (event.rule, event.on, event.base, event.vat) == ("X2", MARCH_9, 500, 100)


def test_x2_a_deposit_given_back_is_taken_back_when_it_is() -> None:
    """A credit note of a deposit (503) follows its own negative payment."""
    credit = invoice("C", MARCH_1, kind="503", of=["D"])
    [event] = due([credit], [status(credit, 212, MARCH_9, collected=[("20", "-600")])])
    assert (event.rule, event.on, event.base, event.vat) == ("X2", MARCH_9, -500, -100)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"delivery_date": MARCH_9, "period_end": MARCH_1}, MARCH_9),
        ({"period_end": MARCH_9}, MARCH_9),
        ({}, MARCH_20),
    ],
)
@pytest.mark.parametrize("process", ["B1", "B2", "B4"])
def test_x3_goods_are_due_on_delivery_else_end_of_period_else_issue(
    process: str, dates: dict[str, date], expected: date
) -> None:
    """A payment message that leaked for goods changes nothing."""
    goods = invoice("B", MARCH_20, process=process, **dates)
    [event] = due([goods], [status(goods, 212, LATE, collected=[("20", "1200")])])
    assert (event.rule, event.on, event.base, event.vat) == ("X3", expected, 1000, 200)


@pytest.mark.parametrize("code", ["3", "5"])
def test_x4_services_on_debits_are_due_at_issue_or_at_an_earlier_payment(code: str) -> None:
    """The whole is due once, on the earlier day."""
    service = invoice("S", MARCH_9, process="S1", vat_point_date_code=code)
    early = status(service, 212, MARCH_1, collected=[("20", "10")])
    assert [(event.rule, event.on, event.base) for event in due([service])] == [("X4", MARCH_9, 1000)]
    assert [(event.rule, event.on, event.base) for event in due([service], [early])] == [("X4", MARCH_1, 1000)]


def test_x5_the_base_of_a_payment_is_rounded_half_up_and_the_vat_is_the_rest() -> None:
    """100 € received at 5.5 % are 94.79 and 5.21, in Decimal to the cent."""
    service = invoice("S", MARCH_1, process="S1", parts=(part("5.5", "1000"),))
    [event] = due([service], [status(service, 212, MARCH_9, collected=[("5.50", "100.00")])])
    assert (event.rule, event.base, event.vat) == ("X5", Decimal("94.79"), Decimal("5.21"))


def test_x5_a_payment_belongs_to_its_day_in_paris() -> None:
    """23:30 UTC on 31 March is 1 April in Paris."""
    service = invoice("S", MARCH_1, process="S1")
    at = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    paid = status(service, 212, MARCH_9, collected=[("20", "1200")])
    [event] = due([service], [Status(*service.key, 212, at, "late", collected=paid.collected)])
    assert event.on == date(2026, 4, 1)


@pytest.mark.parametrize("process", ["S2", "M2"])
def test_x6_the_payment_of_an_invoice_already_paid_is_presumed_after_five_days(process: str) -> None:
    """Nothing on the fourth day; from the fifth its payment date (BT-9), presumed; the real message replaces it."""
    service = invoice("S", MARCH_9, process=process, payment_due_date=MARCH_1)
    assert due([service], as_of=date(2026, 3, 13)) == []
    [event] = due([service], as_of=date(2026, 3, 14))
    assert (event.rule, event.on, event.base, event.certainty) == ("X6", MARCH_1, 1000, Certainty.PRESUMED)
    [event] = due([service], [status(service, 212, MARCH_20, collected=[("20", "1200")])])
    assert (event.on, event.certainty) == (MARCH_20, Certainty.CERTAIN)


def test_x7_of_a_mixed_invoice_only_what_is_paid_is_dated() -> None:
    """A half payment gives half; the other half has no date."""
    mixed = invoice("M", MARCH_1, process="M1")
    [event] = due([mixed], [status(mixed, 212, MARCH_9, collected=[("20", "600")])])
    assert (event.rule, event.base, event.vat) == ("X7", 500, 100)


def test_x8_without_vat_the_base_follows_the_same_dates() -> None:
    """An intra-Community supply of goods is dated by its delivery, without VAT."""
    goods = invoice("K", MARCH_9, parts=(part("0", "300", category="K"),), delivery_date=MARCH_1)
    [event] = due([goods])
    assert (event.rule, event.on, event.category, event.base, event.vat) == ("X3", MARCH_1, "K", 300, 0)


def test_x9_a_credit_note_on_goods_lowers_on_its_date() -> None:
    """A partial credit note of 250 takes back 250 and 50."""
    goods, credit = invoice("B", MARCH_1), credit_note("C", MARCH_9, "250")
    assert changes(due([goods, credit])) == [("X3", MARCH_1, 1000, 200), ("X9", MARCH_9, -250, -50)]


def test_x9_a_credit_note_lowers_no_more_than_was_due() -> None:
    """1 500 credited on 1 000 takes back 1 000."""
    goods, credit = invoice("B", MARCH_1), credit_note("C", MARCH_9, "1500")
    assert changes(due([goods, credit]))[1] == ("X9", MARCH_9, -1000, -200)


def test_x9_a_credit_note_before_delivery_lowers_on_the_delivery() -> None:
    """Goods credited before they are delivered are never due for more than the rest."""
    goods = invoice("B", MARCH_1, delivery_date=MARCH_20)
    events = due([goods, credit_note("C", MARCH_9, "250")])
    assert {event.on for event in events} == {MARCH_20}
    assert sum(event.base for event in events) == 750


def test_x9_a_credit_note_on_an_unpaid_service_lowers_nothing_now() -> None:
    """As in use case 5: nothing at its issue; set off, +12 000 and −12 000 give nothing together."""
    service, credit = service_and_credit()
    assert due([service, credit]) == []
    set_off = [
        status(service, 212, MARCH_20, collected=[("20", "1200")]),
        status(credit, 212, MARCH_20, collected=[("20", "-1200")]),
    ]
    assert sorted(changes(due([service, credit], set_off))) == [
        ("X5", MARCH_20, -1000, -200),
        ("X5", MARCH_20, 1000, 200),
    ]


@pytest.mark.parametrize("given_back_on", ["invoice", "credit note"])
def test_x9_a_refund_after_a_credit_note_is_not_counted_twice(given_back_on: str) -> None:
    """A paid service, credited, then paid back on either document, ends at nothing."""
    service, credit = service_and_credit()
    paid = status(service, 212, date(2026, 3, 2), collected=[("20", "1200")])
    back = status(service if given_back_on == "invoice" else credit, 212, MARCH_20, collected=[("20", "-1200")])
    events = due([service, credit], [paid, back])
    assert changes(events) == [("X5", date(2026, 3, 2), 1000, 200), ("X9", MARCH_9, -1000, -200)]


def test_x9_a_credit_note_of_a_refused_invoice_lowers_nothing() -> None:
    """What never counted is not taken back."""
    goods, credit = invoice("B", MARCH_1), credit_note("C", MARCH_9, "1000")
    assert due([goods, credit], [status(goods, 210, MARCH_9)]) == []


def test_x9_a_credit_note_whose_invoice_is_unknown_is_presumed_right() -> None:
    """An invoice older than the reform is not in the data: the credit note lowers all the same, presumed."""
    [event] = due([credit_note("C", MARCH_9, "250")])
    assert (event.rule, event.base, event.certainty) == ("X9", -250, Certainty.PRESUMED)


def test_x9_on_receipt_a_credit_note_whose_invoice_is_unknown_follows_its_payments() -> None:
    """Nothing at its issue: what was received before is not known; what is paid back is."""
    credit = invoice("C", MARCH_9, process="S1", kind="381", of=["OLD"])
    back = status(credit, 212, MARCH_20, collected=[("20", "-1200")])
    assert changes(due([credit])) == []
    assert changes(due([credit], [back])) == [("X5", MARCH_20, -1000, -200)]


def test_x10_a_corrective_takes_the_place_of_goods_on_its_date() -> None:
    """The wrong rate is taken back and the right one added on the day of the corrective."""
    wrong = invoice("B", MARCH_1, parts=(part("10", "1000"),))
    right = invoice("R", MARCH_9, kind="384", of=["B"])
    assert changes(due([wrong, right])) == [
        ("X3", MARCH_1, 1000, 100),
        ("X10", MARCH_9, -1000, -100),
        ("X10", MARCH_9, 1000, 200),
    ]


def test_x10_goods_replaced_before_delivery_are_due_once() -> None:
    """Only the corrective counts."""
    wrong = invoice("B", MARCH_1, delivery_date=MARCH_20)
    right = invoice("R", MARCH_9, kind="384", of=["B"])
    assert changes(due([wrong, right])) == [("X10", MARCH_9, 1000, 200)]


def test_x10_two_correctives_in_a_row_leave_the_last() -> None:
    """A corrective of a corrective takes back the first corrective alone."""
    chain = [
        invoice("B", MARCH_1),
        invoice("R1", MARCH_9, kind="384", of=["B"], parts=(part("20", "900"),)),
        invoice("R2", MARCH_20, kind="384", of=["R1"], parts=(part("20", "800"),)),
    ]
    assert sum(event.base for event in due(chain)) == 800


def test_x10_a_chain_of_correctives_on_one_day_leaves_the_last_whatever_their_names() -> None:
    """Each follows the one it replaces, even where its number sorts before."""
    numbers = ["B", "R9", "R10", "R2", "A1"]
    chain = [invoice("B", MARCH_1)]
    chain += [invoice(n, MARCH_1, kind="384", of=[of]) for of, n in itertools.pairwise(numbers)]
    assert sum(event.base for event in due(chain)) == 1000


@pytest.mark.parametrize("process", ["B1", "S1"])
def test_correctives_in_a_circle_replace_nothing(process: str) -> None:
    """Two that replace each other are malformed: the answer comes, each counts for itself."""
    circle = [invoice(n, MARCH_1, kind="384", of=[of], process=process) for n, of in (("A", "B"), ("B", "A"))]
    paid = [status(each, 212, MARCH_9, collected=[("20", "1200")]) for each in circle]
    assert [event.base for event in due(circle, paid)] == [1000, 1000]


def test_x10_an_unpaid_service_replaced_is_due_when_the_corrective_is_paid() -> None:
    """As in use case 4: 10 % disputed, corrective at 20 %, then paid."""
    wrong = invoice("S", MARCH_1, process="S1", parts=(part("10", "1000"),))
    right = invoice("R", MARCH_9, process="S1", kind="384", of=["S"])
    paid = status(right, 212, MARCH_20, collected=[("20", "1200")])
    assert changes(due([wrong, right], [paid])) == [("X5", MARCH_20, 1000, 200)]


def test_x10_money_received_on_a_replaced_service_moves_to_the_new_rate() -> None:
    """660 € received at 10 % become 660 € at 20 %, presumed, on the day of the corrective."""
    wrong = invoice("S", MARCH_1, process="S1", parts=(part("10", "1000"),))
    right = invoice("R", MARCH_9, process="S1", kind="384", of=["S"])
    events = due([wrong, right], [status(wrong, 212, MARCH_1, collected=[("10", "660")])])
    assert changes(events)[1:] == [("X10", MARCH_9, -600, -60), ("X10", MARCH_9, 550, 110)]
    assert events[2].certainty is Certainty.PRESUMED


def test_a_reference_of_last_year_is_found_without_its_date() -> None:
    """The BASE profile carries no date: January's credit note finds December's invoice."""
    december = invoice("B", date(2025, 12, 30))
    credit = credit_note("C", date(2026, 1, 5), "1000")
    assert changes(due([december, credit]))[1] == ("X9", date(2026, 1, 5), -1000, -200)


def test_another_seller_with_the_same_number_is_another_affair() -> None:
    """A reference never crosses to another seller."""
    foreign = Document("300000007", "B", MARCH_1, "380", "B1", (part("20", "1000"),), "200000008")
    [event] = [event for event in due([foreign, credit_note("C", MARCH_9, "250")]) if event.document.seller == SELLER]
    assert event.certainty is Certainty.PRESUMED


def credit_note(number: str, issued: date, base: str) -> Document:
    """A credit note (381) on invoice B."""
    return invoice(number, issued, kind="381", of=["B"], parts=(part("20", base),))


def service_and_credit() -> tuple[Document, Document]:
    """A service of 1 000 and a credit note of all of it."""
    return invoice("S", MARCH_1, process="S1"), invoice("C", MARCH_9, process="S1", kind="381", of=["S"])


def due(documents: list[Document], statuses: list[Status] | None = None, *, as_of: date = LATE) -> list[Event]:
    """Return the events."""
    return list(exigibility(documents, statuses or [], as_of=as_of))


def changes(events: list[Event]) -> list[tuple[str, date, Decimal, Decimal]]:
    """Return what each event changes."""
    return [(event.rule, event.on, event.base, event.vat) for event in events]
