"""The store of facts: whatever the order of arrival the same is known, and what was known is known for ever."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from tests.platform.world import BUYER, SELLER, World
from tests.portal.envelopes import STATUSES, data_file, send, status, status_file
from tests.postgresql import ENGINE, world_database

from estafette.circuit.compose import compose
from estafette.circuit.network import SEATS, Network
from estafette.formats.envelope import FlowName
from estafette.formats.flux1 import Flux1
from estafette.formats.flux10 import DailyPayment, DailyTotal, Kind, PaidPart, RatePart, Report, Role
from estafette.formats.status_message import Characteristic, Detail, Identifier, StatusMessage
from estafette.invoice.model import VatBreakdown
from estafette.portal import facts, held, known
from estafette.portal.fact_tables import fact
from estafette.portal.hall import Came, Hall, Partner

NUMBERS = count(1)
DAY = date(2026, 9, 14)
PARTNER = Partner("0003", "PA0003")
Sent = Flux1 | StatusMessage | Report


@dataclass
class Ledger:
    """The portal's facts, fed message by message; time goes on with each."""

    hall: Hall
    hours: Iterator[datetime]
    moments: list[tuple[datetime, object]] = field(default_factory=list)
    now: datetime = datetime(2026, 11, 1, tzinfo=UTC)

    def arrive(self, siren: str, sent: Sequence[Sent]) -> None:
        """These messages arrive, in one transaction, as the concentrator takes them."""
        self.now = next(self.hours)
        with self.hall.actor.database.begin() as connection:
            for one in sent:
                came = Came(PARTNER, _flow(), f"{next(NUMBERS)}.xml", "0" * 64)
                if isinstance(one, Flux1):
                    if not held.is_sent(connection, one):
                        facts.accept_data(self.hall, connection, came, one)
                elif isinstance(one, StatusMessage):
                    if not held.told_under(connection, PARTNER.matricule, one):
                        facts.accept_status(self.hall, connection, came, one)
                elif one.identifier not in {had.identifier for had in held.transmissions_of(connection, one)}:
                    facts.accept_report(self.hall, connection, came, one)
        self.moments.append((self.now, self.known(siren)))

    def known(self, siren: str, **asked: Any) -> list[tuple[object, ...]]:
        """Return what stands of a company, without what tells one arrival from another."""
        with self.hall.actor.database.read() as connection:
            return sorted((_told(one) for one in known.facts(connection, siren=siren, **asked)), key=repr)


def _told(one: known.Fact) -> tuple[object, ...]:
    amounts = (one.rate, one.base, one.vat, one.amount)
    return (one.kind, one.role, one.number, one.day, one.status, one.category, *amounts, one.currency)


def _flow() -> FlowName:
    return FlowName.numbered("FFE0111A", application_code="PA0003", number=next(NUMBERS))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Give the store of a real portal, and a clock that tells another hour each time."""
    folder: Path = tmp_path_factory.mktemp("portal")
    start = datetime(2026, 11, 1, tzinfo=UTC)
    made: list[Ledger] = []
    with world_database(ENGINE) as database:
        network = Network(folder, 8400, database=database)
        running = compose(SEATS[0], network, lambda: made[0].now if made else start)
        hall = running.post._taken.__self__.portal.hall  # type: ignore[attr-defined]
        made.append(Ledger(hall, (start + timedelta(hours=hour) for hour in count())))
        yield made[0]
        running.actor.database.close()


# ---------------------------------------------------------------------------------------------------------- messages


def invoice(siren: str, number: str, *rates: str) -> Flux1:
    """Return the data of an invoice of 100 euros at each rate."""
    parts = tuple(
        VatBreakdown(taxable_amount=Decimal(100), tax_amount=Decimal(rate), category="S", rate=Decimal(rate))
        for rate in rates or ("20",)
    )
    given_ = {"type_code": "380", "business_process": "S1", "currency": "EUR", "buyer_siren": BUYER}
    return Flux1(profile="BASE", number=number, issue_date=DAY, seller_siren=siren, vat_breakdown=parts, **given_)


def set_status(siren: str, number: str, code: str, at: int, *amounts: tuple[str, str]) -> StatusMessage:
    """Return a status of an invoice, set at a minute, with what was collected at each rate."""
    data = tuple(
        Characteristic(type_code="MEN", amount=Decimal(amount), percent=Decimal(rate), currency="EUR", changed=False)
        for rate, amount in amounts
    )
    made = status(number, code, at=at, object_issuers=(Identifier(siren, "0002"),))
    return replace(made, details=(Detail(characteristics=data),)) if data else made


def report(
    siren: str, identifier: str, *, hour: int, corrective: bool = False, amount: int = 100, **more: Any
) -> Report:
    """Return a transmission of September, of one day's sales, or of one day's cash."""
    kind = more.pop("kind", Kind.TRANSACTIONS)
    parts = (RatePart(Decimal(20), Decimal(amount), Decimal(amount) / 5),)
    totals = (DailyTotal(DAY, "TLB1", taxable_amount=Decimal(amount), tax_amount=Decimal(amount) / 5, parts=parts),)
    paid = (DailyPayment(DAY, (PaidPart(Decimal(20), Decimal(amount)),)),)
    content: dict[str, Any] = {"daily_totals": totals} if kind is Kind.TRANSACTIONS else {"daily_payments": paid}
    return Report(
        identifier=identifier,
        issued_at=datetime(2026, 10, 11, hour, tzinfo=UTC),
        type_code="RE" if corrective else "IN",
        platform="0003",
        platform_name="Relais Atlantique",
        declarant=siren,
        declarant_name="Société",
        role=Role.SELLER,
        kind=kind,
        start=date(2026, 9, 1),
        end=date(2026, 9, 30),
        **content,
    )


def siren() -> str:
    """Return a company that nothing was said of."""
    return f"{500_000_000 + next(NUMBERS)}"


# ------------------------------------------------------------------------------------------------------------- facts


def test_an_invoice_is_one_fact_a_rate(ledger: Ledger) -> None:
    """The base and the VAT of each part of the breakdown, on the day of issue."""
    mine = siren()
    ledger.arrive(mine, [invoice(mine, "A", "20", "10")])
    base = ("invoice", "SE", "A", DAY, None, "S")
    expected = [(*base, Decimal(rate), Decimal(100), Decimal(rate), None, "EUR") for rate in ("10", "20")]
    assert ledger.known(mine) == expected


def test_a_refusal_cancels_a_collection_adds(ledger: Ledger) -> None:
    """What is collected adds up rate by rate, less what is given back; once refused, only that it was stays."""
    mine = siren()
    ledger.arrive(mine, [invoice(mine, "A"), set_status(mine, "A", "212", 1, ("20", "60"), ("10", "11"))])
    ledger.arrive(mine, [set_status(mine, "A", "212", 2, ("20", "-60"))])
    collected = [one[9] for one in ledger.known(mine) if one[0] == "collected"]
    assert sorted(collected) == [Decimal(-60), Decimal(11), Decimal(60)]
    before = ledger.now
    ledger.arrive(mine, [set_status(mine, "A", "210", 3)])
    assert [(one[0], one[4]) for one in ledger.known(mine)] == [("status", 210)]
    assert len(ledger.known(mine, at=before)) == 4


def test_a_number_that_lives_again(ledger: Ledger) -> None:
    """A rejection set before the last deposit of the number does not count, even told after it."""
    mine = siren()
    ledger.arrive(mine, [invoice(mine, "A"), set_status(mine, "A", "200", 5)])
    ledger.arrive(mine, [set_status(mine, "A", "213", 4)])
    assert [one[0] for one in ledger.known(mine)] == ["invoice", "status", "status"]


def test_a_correction_replaces_its_period(ledger: Ledger) -> None:
    """Of the same role and kind, whatever their order of arrival; another kind stays."""
    mine = siren()
    ledger.arrive(mine, [report(mine, "R1", hour=1), report(mine, "P1", hour=1, kind=Kind.PAYMENTS, amount=7)])
    first = ledger.now
    ledger.arrive(mine, [report(mine, "R3", hour=3, corrective=True, amount=300)])
    ledger.arrive(mine, [report(mine, "R2", hour=2, corrective=True, amount=200)])  # late: it never stood
    assert [one[7] or one[9] for one in ledger.known(mine)] == [Decimal(300), Decimal(7)]
    assert [one[7] or one[9] for one in ledger.known(mine, at=first)] == [Decimal(100), Decimal(7)]


def test_facts_of_some_days(ledger: Ledger) -> None:
    """A period is asked by the days that facts concern."""
    mine = siren()
    ledger.arrive(mine, [invoice(mine, "A")])
    assert ledger.known(mine, since=DAY, until=DAY)
    assert not ledger.known(mine, since=DAY + timedelta(days=1))
    assert not ledger.known(mine, until=DAY - timedelta(days=1))


CHOICES = st.lists(st.sampled_from(range(13)), max_size=30)


def messages(mine: str) -> list[Sent]:
    """Return what can be said of two invoices and of a period, twice corrected."""
    lives = [invoice(mine, "A", "20", "10"), set_status(mine, "A", "200", 1), set_status(mine, "A", "213", 3)]
    lives += [set_status(mine, "A", "200", 5), set_status(mine, "A", "212", 7, ("20", "60"), ("10", "11"))]
    lives += [set_status(mine, "A", "212", 9, ("20", "-60")), invoice(mine, "B"), set_status(mine, "B", "210", 2)]
    reports = [report(mine, "R1", hour=1), report(mine, "R2", hour=2, corrective=True, amount=200)]
    reports += [report(mine, "R3", hour=3, corrective=True, amount=300), report(mine, "R4", hour=3, corrective=True)]
    return [*lives, *reports, report(mine, "P1", hour=1, kind=Kind.PAYMENTS, amount=7)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHOICES, st.permutations(range(13)), st.integers(1, 4))
def test_whatever_the_order_of_arrival(ledger: Ledger, first: list[int], rest: list[int], together: int) -> None:
    """Late, twice and out of order come to the same facts; and each moment is remembered as it was."""
    mine = siren()
    sent = messages(mine)
    order = [sent[each] for each in (*first, *rest)]
    ledger.moments.clear()
    for place in range(0, len(order), together):
        ledger.arrive(mine, order[place : place + together])
    straight = siren()
    ledger_moments = list(ledger.moments)
    ledger.arrive(straight, messages(straight))
    assert ledger.known(mine) == ledger.known(straight)
    for moment, seen in ledger_moments:
        assert ledger.known(mine, at=moment) == seen


def test_what_was_accepted_has_its_facts_and_its_source(world: World) -> None:
    """By the whole way in: the facts of an invoice and of its status, each with the message that brought it."""
    number = world.number("K")
    flow = send(world, dict([data_file(number)]))
    message = status(number, "200")
    send(world, dict([status_file(message)]), STATUSES)
    with world.running["portal"].actor.database.read() as connection:
        mine = [one for one in known.facts(connection, siren=SELLER) if one.number == number]
        sources = [known.source_of(connection, one.message) for one in mine]
        assert connection.execute(select(func.count()).select_from(fact)).scalar_one() >= 2
        assert known.source_of(connection, 10**9) is None
    assert [one.kind for one in mine] == ["invoice", "status"]
    (_file, content), data, told = data_file(number), *sources
    assert data is not None and told is not None
    assert (data.platform, data.flow) == ("0003", str(flow))
    assert data.sha256 == hashlib.sha256(content).hexdigest()
    assert told.file == f"{message.identifier}.xml"
