"""The use cases UC1 to UC5 of XP Z12-014, and e-reporting, replayed through the running actors, on four planes.

Each step says what is expected and waits until it is so, or until the deadline. The planes: `exchange` (the very bytes
arrived), `statuses` (which, in which order, on both sides), `administration` (what the portal accepted and the
administration holds), `business` (the lines of the VAT returns of both parties).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol

import aiohttp
from msgspec.structs import replace

from estafette.formats import read
from estafette.formats.status_message import Role
from estafette.formats.writing import write
from estafette.formats.xml import recognise
from estafette.invoice.correction import corrective_of, credit_note_of
from estafette.invoice.model import Invoice
from estafette.simulation import samples
from estafette.simulation.company import POLL, Company, Reference, Refused, TooLong
from estafette.simulation.reporting_case import reported, till

EXCHANGE, STATUSES, ADMINISTRATION, BUSINESS = "exchange", "statuses", "administration", "business"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was expected, and what was seen."""

    plane: str
    title: str
    expected: str
    observed: str

    @property
    def holds(self) -> bool:
        """Tell whether what was seen is what was expected."""
        return self.expected == self.observed


@dataclass(slots=True)
class Stage:
    """Where a use case is played: a supplier, a customer, the administration, and how each step is told."""

    supplier: Company
    customer: Company
    administration: str
    operator: Mapping[str, str]
    tell: Callable[[Step], None]
    steps: list[Step] = field(default_factory=list)

    async def expect(self, plane: str, title: str, expected: str, look: Callable[[], Awaitable[str]]) -> None:
        """Wait until what is seen is what is expected, and record the step either way."""
        deadline = time.monotonic() + self.supplier.patience
        observed = await self._look(look)
        while observed != expected and time.monotonic() < deadline:
            await asyncio.sleep(POLL)
            observed = await self._look(look)
        self.steps.append(Step(plane, title, expected, observed))
        self.tell(self.steps[-1])

    def note(self, plane: str, title: str, expected: str, observed: str) -> None:
        """Record a step that is known at once."""
        self.steps.append(Step(plane, title, expected, observed))
        self.tell(self.steps[-1])

    async def _look(self, look: Callable[[], Awaitable[str]]) -> str:
        try:
            return await look()
        except (TimeoutError, aiohttp.ClientError, TooLong) as fault:
            return f"{type(fault).__name__}: {fault}"

    async def facts(self, about: Reference) -> dict[str, Any]:
        """Return what the administration holds of an invoice, and what it makes of it."""
        path = f"/api/facts/{about.seller}/{about.issue_date.year}/{about.number}"
        async with self.supplier.session.get(self.administration + path, headers=self.operator) as answer:
            if answer.status == 404:
                return {}
            answer.raise_for_status()
            held: dict[str, Any] = await answer.json()
            return held


async def nominal(stage: Stage, data: bytes) -> None:
    """UC1: deposited, received, approved, paid; VAT falls due when it is collected."""
    await _paid(stage, data, await _deposited(stage, data, tracking="UC1"))


async def rejected(stage: Stage, data: bytes, copy: bytes) -> None:
    """UC2: the customer already has the invoice (`copy`, which it archived); its platform rejects the second."""
    first = await stage.customer.deposit(
        copy,
        syntax=recognise(copy).value,
        name="copie.xml",
        tracking_id="UC2-copy-" + Reference.of(data).number,
        processingRule="ArchiveOnly",
    )
    seen = str(first["acknowledgement"]["status"])
    stage.note(EXCHANGE, "copie archivée par le client / copy archived by the customer", "Ok", seen)
    about = await _deposited(stage, data, tracking="UC2")
    await stage.expect(STATUSES, "fournisseur / supplier", "200 201 213:DOUBLON", lambda: _seen(stage.supplier, about))
    await stage.expect(EXCHANGE, "rien n'est remis / nothing handed over", "0", lambda: _copies(stage, about))
    await _told(stage, about, "200 213")
    await _effect(stage, about, "ne compte pas / counts for nothing", ())


async def refused(stage: Stage, data: bytes) -> None:
    """UC3: the customer refuses the whole invoice, wrong VAT rate; it counts for nothing."""
    about = await _deposited(stage, data, tracking="UC3")
    await _handed_over(stage, data, about)
    await _answered(stage, stage.customer, about, "210", reason="TX_TVA_ERR", comment="Taux de TVA de 20 % attendu.")
    await _told(stage, about, "200 210")
    await _effect(stage, about, "ne compte pas / counts for nothing", ())


async def replaced(stage: Stage, data: bytes, corrective: bytes) -> None:
    """UC4: the customer disputes the VAT rate; a corrective invoice (384) replaces the first, which is cancelled."""
    about = await _disputed(stage, data, tracking="UC4", action="NIN")
    new = await _deposited(stage, corrective, tracking="UC4-R")
    await _answered(stage, stage.supplier, about, "220")
    await _told(stage, about, "200")
    await _paid(stage, corrective, new)
    await _effect(stage, about, "la facture annulée ne compte pas / the cancelled one counts for nothing", ())


async def credited(stage: Stage, data: bytes, credit_note: bytes, again: bytes) -> None:
    """UC5: the customer disputes the VAT rate; a credit note (381) takes the invoice back, another is made."""
    about = await _disputed(stage, data, tracking="UC5", action="CNF")
    credit = await _deposited(stage, credit_note, tracking="UC5-A")
    await _handed_over(stage, credit_note, credit)
    await _answered(stage, stage.customer, credit, "204")
    for document in (about, credit):
        await _answered(stage, stage.customer, document, "205")
    rate, net, total = _single_rate(data)
    for document, sign in ((about, 1), (credit, -1)):
        await _answered(stage, stage.supplier, document, "212", amounts=((sign * total, rate),))
        await _told(stage, document, "200 212")
        lines = _lines(document, rate, sign * net, sign * (total - net))
        await _effect(stage, document, "se compensent / set each other off", lines)
    await _paid(stage, again, await _deposited(stage, again, tracking="UC5-N"))


USE_CASES: dict[str, Callable[..., Awaitable[None]]] = {
    "uc1": nominal,
    "uc2": rejected,
    "uc3": refused,
    "uc4": replaced,
    "uc5": credited,
    "ereporting": reported,
}


class Entrance(Protocol):
    """What is needed to enter the actors: addresses and operators' headers by actor, credentials by login."""

    urls: dict[str, str]
    by_login: dict[str, Any]
    operators: dict[str, dict[str, str]]


def samples_of(case: str, *, number: str, today: date) -> tuple[bytes, ...]:
    """Return our own documents for a case, under this number (and others made from it), dated today."""
    if case == "ereporting":
        return tuple(till(number, today))
    due = today + timedelta(days=30)
    names = {"uc1": ("service",), "uc2": ("service", "service-cii")}.get(case, ("service-10",))
    first, *others = (samples.load(name, number=number, issue_date=today, due_date=due) for name in names)
    if case == "uc4":
        others = [write(_at_20(read(first), number=f"{number}-R"), recognise(first))]
    if case == "uc5":
        credit_note = credit_note_of(read(first), number=f"{number}-A", issue_date=today)
        again = replace(_at_20(read(first), number=f"{number}-N"), type_code="380", preceding_invoices=())
        others = [write(document, recognise(first)) for document in (credit_note, again)]
    return first, *others


def _at_20(invoice: Invoice, *, number: str) -> Invoice:
    """Return the corrective invoice of one whose VAT rate should have been 20 %."""
    lines = tuple(replace(line, vat_rate=Decimal(20)) for line in invoice.lines)
    return corrective_of(invoice, number=number, issue_date=invoice.issue_date or date.min, lines=lines)


async def play(
    case: str,
    entrance: Entrance,
    *,
    documents: tuple[bytes, ...],
    patience: float = 30.0,
    tell: Callable[[Step], None] = lambda _step: None,
) -> list[Step]:
    """Play a case with these documents through the running actors; returns its steps, each held or not."""
    async with aiohttp.ClientSession() as session:
        stage = Stage(
            supplier=_company(entrance, "fournisseur", Role.SELLER, session, patience),
            customer=_company(entrance, "client", Role.BUYER, session, patience),
            administration=entrance.urls["administration"],
            operator=entrance.operators["administration"],
            tell=tell,
        )
        try:
            await USE_CASES[case](stage, *documents)
        except TooLong as late:
            stage.note(EXCHANGE, "réponse / answer", "à temps / in time", str(late))
        except Refused as refused:
            stage.note(EXCHANGE, "demande / request", "acceptée / accepted", str(refused))
    return stage.steps


def _company(entrance: Entrance, login: str, role: Role, session: aiohttp.ClientSession, patience: float) -> Company:
    entry = entrance.by_login[login]
    return Company(
        siren=entry.siren,
        role=role,
        url=entrance.urls[entry.actor],
        client_id=entry.client_id,
        client_secret=entry.client_secret,
        session=session,
        patience=patience,
    )


# ------------------------------------------------------------------------------------------------------- the steps


async def _deposited(stage: Stage, data: bytes, *, tracking: str) -> Reference:
    """The supplier deposits; its platform takes the file and certifies the invoice (200)."""
    about = Reference.of(data)
    flow = await stage.supplier.deposit(
        data,
        syntax=recognise(data).value,
        name=f"{about.number}.xml",
        tracking_id=f"{tracking}-{about.number}",
    )
    stage.note(EXCHANGE, "dépôt / deposit", "Ok", str(flow["acknowledgement"]["status"]))
    await stage.expect(STATUSES, "déposée / submitted", "200", lambda: _first(stage.supplier, about))
    return about


async def _disputed(stage: Stage, data: bytes, *, tracking: str, action: str) -> Reference:
    """An invoice is at the customer's, who disputes its VAT rate and asks for something; the State hears nothing."""
    about = await _deposited(stage, data, tracking=tracking)
    await _handed_over(stage, data, about)
    await _answered(stage, stage.customer, about, "207", reason="TX_TVA_ERR", action=action, comment="20 % attendus.")
    await _told(stage, about, "200")
    return about


async def _paid(stage: Stage, data: bytes, about: Reference) -> None:
    """An invoice deposited reaches the customer, is approved and paid; VAT falls due when it is collected."""
    await _handed_over(stage, data, about)
    rate, net, total = _single_rate(data)
    await _answered(stage, stage.customer, about, "204")
    await _answered(stage, stage.customer, about, "205")
    await _answered(stage, stage.customer, about, "211", amounts=((total, None),))
    await _effect(stage, about, "avant l'encaissement / before collection", ())
    await _answered(stage, stage.supplier, about, "212", amounts=((total, rate),))
    await _told(stage, about, "200 212")
    await _effect(stage, about, "à l'encaissement / on collection", _lines(about, rate, net, total - net))


async def _handed_over(stage: Stage, data: bytes, about: Reference) -> None:
    """The customer has the very bytes; both sides are told; the administration has the data."""

    async def same_bytes() -> str:
        for flow in await stage.customer.received(["SupplierInvoice"]):
            if await stage.customer.original(flow["flowId"]) == data:
                return "identique / identical"
        return "absente / absent"

    await stage.expect(EXCHANGE, "chez le client / at the customer's", "identique / identical", same_bytes)
    await stage.expect(STATUSES, "fournisseur / supplier", "200 201 202 203", lambda: _seen(stage.supplier, about))
    await stage.expect(STATUSES, "client / customer", "202 203", lambda: _seen(stage.customer, about))
    await _told(stage, about, "200")


async def _answered(
    stage: Stage,
    who: Company,
    about: Reference,
    status: str,
    *,
    reason: str = "",
    action: str = "",
    comment: str = "",
    amounts: tuple[tuple[Decimal, Decimal | None], ...] = (),
) -> None:
    """A party sets a status; the other one has it in its life cycle."""
    flow = await who.say(status, about, reason=reason, action=action, comment=comment, amounts=amounts)
    stage.note(EXCHANGE, f"{status} déposé / deposited", "Ok", _acknowledged(flow))
    other = stage.supplier if who is stage.customer else stage.customer
    expected = f"{status}:{reason}" if reason else status
    title = f"{status} chez l'autre / at the other's"
    await stage.expect(STATUSES, title, expected, lambda: _last(other, about, status))


async def _told(stage: Stage, about: Reference, statuses: str) -> None:
    """The portal accepted the data, the administration holds them and these obligatory statuses."""

    async def held() -> str:
        facts = await stage.facts(about)
        seen = " ".join(str(status["code"]) for status in facts.get("statuses", ()))
        return f"F1 {'250' if facts.get('data') else '-'}, {seen or '-'}"

    await stage.expect(ADMINISTRATION, "données et statuts / data and statuses", f"F1 250, {statuses}", held)


async def _effect(stage: Stage, about: Reference, title: str, lines: tuple[str, ...]) -> None:
    """The returns of both parties carry these lines for the invoice, and no other."""

    async def carried() -> str:
        facts = await stage.facts(about)
        seen = [
            f"{line['siren']} {line['line']} {line['column']} {Decimal(line['amount']):.2f}"
            for line in facts.get("lines", ())
        ]
        return " · ".join(sorted(seen)) or "∅"

    await stage.expect(BUSINESS, title, " · ".join(sorted(lines)) or "∅", carried)


def _lines(about: Reference, rate: Decimal, net: Decimal, vat: Decimal) -> tuple[str, ...]:
    """What a service invoice at one rate puts on the returns (administration.md §4.5)."""
    line = {Decimal(20): "08", Decimal(10): "9B"}[rate]
    return (
        f"{about.seller} A1 amount {net:.2f}",
        f"{about.seller} {line} base {net:.2f}",
        f"{about.seller} {line} tax {vat:.2f}",
        f"{about.buyer} 20 amount {vat:.2f}",
    )


def _single_rate(data: bytes) -> tuple[Decimal, Decimal, Decimal]:
    """Return rate, net and total of an invoice with one VAT rate."""
    invoice = read(data)
    (group,) = invoice.vat_breakdown
    net, total = invoice.totals.total_without_vat, invoice.totals.total_with_vat
    if group.rate is None or net is None or total is None:
        raise ValueError("an invoice with its totals is needed")
    return group.rate, net, total


async def _seen(who: Company, about: Reference) -> str:
    """Say every status the company was given of the invoice, in order of its moment, with the reasons."""
    messages = sorted(await who.statuses(about), key=lambda message: (message.set_at, message.status))
    return " ".join(":".join((message.status, *message.reason_codes)) for message in messages)


async def _first(who: Company, about: Reference) -> str:
    return (await _seen(who, about)).partition(" ")[0]


async def _last(who: Company, about: Reference, status: str) -> str:
    seen = [one for one in (await _seen(who, about)).split() if one.startswith(status)]
    return seen[-1] if seen else "∅"


async def _copies(stage: Stage, about: Reference) -> str:
    """Count the times the customer was given the invoice to treat."""
    given = await stage.customer.received(["SupplierInvoice"])
    return str(sum(flow["name"] == f"{about.number}.xml" for flow in given))


def _acknowledged(flow: dict[str, Any]) -> str:
    """Say the acknowledgement, with its reason when it is an error."""
    told = flow["acknowledgement"]
    return " ".join([told["status"], *(detail["reasonMessage"] for detail in told.get("details", ()))])
