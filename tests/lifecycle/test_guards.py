"""Statuses come after what they need, not after what bars them, and only from those who may set them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estafette.lifecycle import STATUSES, Side, StatusEvent, may, possible
from estafette.lifecycle.guards import GUARDS, in_order, told_of
from estafette.lifecycle.statuses import OBLIGATORY, ObjectKind, Phase, emitters_of, label_of

START = datetime(2026, 9, 1, 8, tzinfo=UTC)


def history(*codes: str) -> tuple[StatusEvent, ...]:
    """One status a minute, from the start."""
    return tuple(StatusEvent(code, START + timedelta(minutes=at)) for at, code in enumerate(codes))


def role_for(code: str) -> str:
    """A role that may set a status."""
    return sorted(STATUSES[code].emitters)[-1]


@pytest.mark.parametrize(
    "codes",
    [
        ("200", "201", "202", "203", "204", "205", "211", "212"),  # use case 1
        ("200", "213"),  # use case 2: rejected at reception after a submission
        ("200", "202", "203", "210"),  # use case 3
        ("200", "202", "203", "207", "220"),  # use case 4
        ("200", "202", "203", "207", "205", "212"),  # use case 5
        ("200", "202", "203", "204", "208", "209", "205"),
        ("200", "202", "203", "211", "212", "212", "207", "210"),  # a direct debit, disputed then refused
        ("200", "202", "203", "206", "206", "205"),
        ("213",),
        ("202", "203", "204", "205", "212"),  # what a receiving platform holds: it was never told 200
    ],
)
def test_lives_that_happen(codes: tuple[str, ...]) -> None:
    """Each step of the published use cases is allowed after the ones before it."""
    for at, code in enumerate(codes):
        assert may(code, history=history(*codes[:at]), emitter_role=role_for(code)) is None, code


@pytest.mark.parametrize(
    ("held", "status", "side"),
    [
        ("", "204", None),
        ("", "201", Side.SENDING),
        ("", "203", Side.RECEIVING),
        ("200", "200", Side.SENDING),
        ("200", "213", Side.SENDING),
        ("213", "200", Side.SENDING),
        ("202", "202", Side.RECEIVING),
        ("202", "213", Side.RECEIVING),
        ("202", "221", Side.RECEIVING),
        ("200 202", "209", None),
        ("200 202 210", "212", None),
        ("200 202 210", "210", None),
        ("200 202 210", "213", None),
        ("200 202 210", "204", None),
        ("200 202 210", "205", None),
        ("200 202 210", "206", None),
        ("200 202 210", "207", None),
        ("200 202 208 210", "208", None),
        ("200 202 208 210", "209", None),
        ("200 202 220", "220", None),
        ("200 213", "205", None),
        ("200 213", "213", None),
    ],
)
def test_what_cannot_follow(held: str, status: str, side: Side | None) -> None:
    """A status without what it needs, or after what bars it, is refused as incoherent, in both languages."""
    refusal = may(status, history=history(*held.split()), emitter_role=role_for(status), side=side)
    assert refusal is not None
    assert refusal.code == "REJ_INC"
    assert label_of(status) in refusal.fr
    assert refusal.en != refusal.fr


@given(st.sampled_from(sorted({guard.status for guard in GUARDS})), st.lists(st.sampled_from(sorted(STATUSES))))
def test_nothing_follows_a_rejection(status: str, others: list[str]) -> None:
    """Whatever else happened, a rejected invoice has no further status."""
    held = history("213", *others)
    assert may(status, history=held, emitter_role=role_for(status)) is not None


@given(st.lists(st.sampled_from(sorted({guard.status for guard in GUARDS})), max_size=12), st.data())
def test_a_desk_offers_only_what_may_be(attempts: list[str], data: st.DataObject) -> None:
    """Whatever lawful life an invoice has had, all that a desk offers is allowed, and set by that role."""
    held: tuple[StatusEvent, ...] = ()
    for code in attempts:
        if may(code, history=held, emitter_role=role_for(code)) is None:
            held = history(*(event.status for event in held), code)
    role = data.draw(st.sampled_from(["SE", "BY", "WK", "DL", "AB"]))
    for status in possible(held, role):
        assert may(status.code, history=held, emitter_role=role) is None
        assert role in status.emitters


def test_a_desk_offers_what_is_useful() -> None:
    """The buyer answers what it received, and no more once it refused; the seller completes and collects."""
    received = history("200", "202", "203")
    assert [status.code for status in possible(received, "BY")] == ["204", "205", "206", "207", "208", "210", "211"]
    assert possible(history("200", "202", "203", "210"), "BY") == ()
    assert "204" not in {status.code for status in possible(history("200", "202", "203", "205"), "BY")}
    seller = {status.code for status in possible(history("200", "202", "208"), "SE")}
    assert {"209", "212", "220"} <= seller
    assert possible((), "BY") == ()


def test_platforms_do_their_own_part() -> None:
    """The sending platform cannot receive, the receiving one cannot submit."""
    wrong = may("202", history=history("200"), emitter_role="WK", side=Side.SENDING)
    assert wrong is not None
    assert wrong.code == "REJ_HAB"
    assert may("200", history=(), emitter_role="WK", side=Side.RECEIVING) is not None


@pytest.mark.parametrize(("status", "role"), [("205", "SE"), ("212", "BY"), ("200", "SE"), ("204", ""), ("225", "BY")])
def test_roles_that_are_not_entitled(status: str, role: str) -> None:
    """A status set by the wrong party is refused, naming the right ones."""
    refusal = may(status, history=history("200", "202"), emitter_role=role)
    assert refusal is not None
    assert refusal.code == "REJ_HAB"
    assert role_for(status) in refusal.fr


def test_self_billing_exchanges_the_roles() -> None:
    """On a self-billed invoice the seller answers, the buyer does not; the seller still collects."""
    held = history("200", "202")
    assert may("205", history=held, emitter_role="SE", self_billed=True) is None
    assert may("205", history=held, emitter_role="BY", self_billed=True) is not None
    assert may("212", history=held, emitter_role="SE", self_billed=True) is None


@pytest.mark.parametrize("status", ["215", "999", "", "250", "601", "500"])
def test_no_status_of_an_invoice(status: str) -> None:
    """A code that is none, or of another object, is refused as unknown."""
    refusal = may(status, history=history("200"), emitter_role="WK")
    assert refusal is not None
    assert refusal.code == "REJ_INEX"


def test_late_arrivals() -> None:
    """A status of before a refusal may arrive after it, and one may arrive before what it follows."""
    held = history("200", "202", "210")
    before = START + timedelta(seconds=90)
    assert may("212", history=held, emitter_role="SE", set_at=before, arriving=True) is None
    assert may("212", history=held, emitter_role="SE", set_at=START + timedelta(hours=1), arriving=True) is not None
    assert may("205", history=(), emitter_role="BY", arriving=True) is None
    assert may("205", history=(), emitter_role="BY") is not None


def test_order_of_a_life() -> None:
    """Events are ordered by the moment they were set; at the same second, transmission comes first."""
    same = [StatusEvent("204", START), StatusEvent("202", START), StatusEvent("200", START - timedelta(days=1))]
    assert [event.status for event in in_order(same)] == ["200", "202", "204"]


def test_moments_finer_than_a_second() -> None:
    """What a platform sets to the microsecond and what a message tells to the second are compared by the second."""
    mine = StatusEvent("210", START.replace(microsecond=900_000))
    assert may("212", history=[mine], emitter_role="SE", set_at=START, arriving=True) is not None
    events = [StatusEvent("202", START), StatusEvent("200", START.replace(microsecond=500_000))]
    assert [event.status for event in in_order(events)] == ["200", "202"]


def test_tables_agree() -> None:
    """Every status of an invoice has a guard, every guard names known statuses, platforms act in transmission only."""
    about_invoices = {code for code, row in STATUSES.items() if ObjectKind.INVOICE in row.objects}
    assert {guard.status for guard in GUARDS} == about_invoices
    assert all((guard.needs | guard.bars | guard.useless_after) <= STATUSES.keys() for guard in GUARDS)
    assert {"200", "210", "212", "213"} == OBLIGATORY
    for row in STATUSES.values():
        assert (row.phase is Phase.TREATMENT) == ("WK" not in row.emitters and "DFH" not in row.emitters)
        assert emitters_of(row)


def test_chorus_pro_knows_fewer_statuses() -> None:
    """Approval, dispute and cancellation do not exist towards Chorus Pro; acknowledging, suspending and refusing do."""
    held = history("200", "202", "203")
    assert [status.code for status in possible(held, "BY", b2g=True)] == ["204", "208", "210", "211"]
    assert "220" not in {status.code for status in possible(held, "SE", b2g=True)}
    refusal = may("205", history=held, emitter_role="BY", b2g=True)
    assert refusal is not None
    assert (refusal.code, "Chorus Pro" in refusal.fr, "Chorus Pro" in refusal.en) == ("REJ_INEX", True, True)


@pytest.mark.parametrize(
    ("held", "status", "told"),
    [
        ("200 202", "225", True),
        ("200 202", "226", False),
        ("200 202 226", "228", False),
        ("200 202 225", "228", True),
        ("200 202 226 225", "228", True),
        ("200 202 225 228 226", "228", False),
        ("200 202", "200", False),
        ("200 202", "219", True),
    ],
)
def test_what_the_buyer_hears_of(held: str, status: str, told: bool) -> None:
    """A confidential factoring and its end stay between the seller and the factor; what nobody knows is not hidden."""
    assert ("BY" in told_of(status, history(*held.split()))) is told
