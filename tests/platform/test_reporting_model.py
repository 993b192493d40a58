"""What reached the portal is what happened: random histories of sales, collections, refunds and corrections, summed.

The model keeps a handful of sums of its own and knows nothing of periods, units or transmissions; in the end, what the
portal holds as standing must amount to them, with no day below nothing.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.platform.test_reporting import draft, reporting, sale, sent
from tests.platform.world import SELLER, World, collected, opened

from estafette.formats import read, write
from estafette.formats.flux10 import Kind, Role
from estafette.formats.xml import Syntax
from estafette.invoice.model import PrecedingInvoice
from estafette.platform.reporting_ledger import PeriodKey
from estafette.reporting.standing import standing
from estafette.values.moments import paris_day

BASE, WHOLE = Decimal(2000), Decimal(2400)
"""What the sample invoice amounts to, without and with VAT at 20 %."""

LAST_SENDINGS = 3
"""Months after which nothing more leaves: the last period is over, then sent, then corrected."""

BEGINNING = ["sell", "collect", "sell", "collect", "wait"]
VERBS = ["sell", "collect", "collect", "refund", "refund", "credit", "credit", "till", "till", "wait", "wait", "wait"]
"""What happens in every history, in an order of its own, after the beginning."""

HOW = st.tuples(st.integers(0, 3), st.decimals(Decimal("0.01"), WHOLE, places=2))


@dataclass
class Model:
    """The sums of what happened: by invoice what was collected, by row of the till its base."""

    cashed: dict[str, Decimal] = field(default_factory=dict)
    till: dict[str, Decimal] = field(default_factory=dict)
    credited: set[str] = field(default_factory=set)

    @property
    def services(self) -> Decimal:
        """Return the services sold, without VAT."""
        return BASE * (len(self.cashed) - len(self.credited))


def act(world: World, model: Model, verb: str, which: int, amount: Decimal) -> None:
    """One thing happens, when it can, and the model notes it."""
    live = [number for number in model.cashed if number not in model.credited]
    number = live[which % len(live)] if live else ""
    had = model.cashed.get(number, Decimal(0))
    if verb == "sell":
        number = world.number("M")
        world.deposit(sale(number, issue_date=paris_day(world.clock.now)))
        model.cashed[number] = Decimal(0)
    elif verb == "collect" and number and min(amount, WHOLE - had):
        world.answer(SELLER, number, "212", amounts=collected(("20", str(min(amount, WHOLE - had)))))
        model.cashed[number] += min(amount, WHOLE - had)
    elif verb == "refund" and had:
        back = -min(amount, had)
        world.answer(SELLER, number, "212", amounts=collected(("20", str(back))), comment="Remboursement")
        model.cashed[number] += back
    elif verb == "credit" and had:
        note = world.number("A")
        world.deposit(credit_note(world, note, number))
        world.answer(SELLER, note, "212", amounts=collected(("20", str(-had))), comment="Avoir")
        model.cashed[number] = Decimal(0)
        model.credited.add(number)
    elif verb == "till":
        day = paris_day(world.clock.now)
        row = f"id;date;categorie;taux;base;tva\nZ{which};{day};TLB1;20;{amount};{amount / 5:.2f}\n"
        asyncio.run(reporting(world).hand_in(SELLER, row.encode(), name="z.csv", source="api"))
        model.till[f"Z{which}"] = amount
    elif verb == "wait":
        world.pass_by(days=9 + 5 * which)
        world.work()


def credit_note(world: World, number: str, credited: str) -> bytes:
    """Write a credit note of the whole of an invoice."""
    document = read(sale(number, issue_date=paris_day(world.clock.now)))
    former = PrecedingInvoice(number=credited, issue_date=world.row(SELLER, credited)["issue_date"])
    return write(replace(document, type_code="381", preceding_invoices=(former,)), Syntax.UBL)


@settings(max_examples=2, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(verbs=st.permutations(VERBS), how=st.lists(HOW, min_size=17, max_size=17))
def test_what_reached_the_portal_is_what_happened(verbs: list[str], how: list[tuple[int, Decimal]]) -> None:
    """Whatever the order and however late: the transmissions that stand amount to what happened, to the cent."""
    model = Model()
    with opened() as world:
        for verb, (which, amount) in zip([*BEGINNING, *verbs], how, strict=True):
            act(world, model, verb, which, amount)
        for _ in range(LAST_SENDINGS):
            world.pass_by(days=31)
            world.work()
        reports = standing(sent(world))
        totals = [total for report in reports for total in report.daily_totals]
        assert sum((one.taxable_amount for one in totals if one.category == "TPS1"), Decimal(0)) == model.services
        assert sum((one.taxable_amount for one in totals if one.category == "TLB1"), Decimal(0)) == sum(
            model.till.values(), Decimal(0)
        )
        cashed = [part.amount for report in reports for payment in report.daily_payments for part in payment.parts]
        assert sum(cashed, Decimal(0)) == sum(model.cashed.values(), Decimal(0))
        assert min(cashed, default=Decimal(0)) >= 0
        days = {total.day for total in totals} | {date(2026, 9, 1)}
        states = {draft(world, PeriodKey(SELLER, Role.SELLER, kind, day)).state for kind in Kind for day in days}
        assert states <= {"accepted", "empty"}
