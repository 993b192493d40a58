"""When the VAT of an invoice falls due: rules X0 to X10 over its data and its statuses.

Theory of operation. An affair (`affairs`) is told in the order of time, in four kinds of step: the supply makes the
whole invoice due (X1, X3, X4, X6), a payment makes its part due (X2, X5, X7), a credit note lowers what is due (X9), a
corrective takes the place of another invoice (X10). Two rules keep money from being counted twice: a credit note lowers
no more than what was due before it, and what it has lowered is not lowered again when it is paid back.
An invoice that ended refused or rejected is not told at all (X0). Without VAT (X8) the base follows the same dates.

Law: CGI art. 269 (goods: delivery; services: receipt of the price, or debits by option; deposits: receipt), 271 I-2
(the buyer's right arises at the same time), 272-1 (credit notes). Codes: external specifications v3.2, XP Z12-014 §4.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from estafette.values.money import rounded
from estafette.vat.affairs import Member, affairs
from estafette.vat.events import (
    ZERO,
    Certainty,
    Event,
    Group,
    gross,
    group_of,
    group_of_rate,
    side_of,
    split,
    total_of,
    was_reported_before,
    whole,
)
from estafette.vat.facts import (
    COLLECTED,
    CORRECTIVES,
    CREDIT_NOTES,
    DEPOSITED,
    DEPOSITS,
    ENDED,
    Document,
    DocumentKey,
    Status,
)

DEBITS_OPTION = frozenset({"3", "5"})
"""BT-8 of an invoice whose VAT falls due at its issue: code 5 in CII, 3 in UBL (XP Z12-012, BR-FR-MAP-03)."""

PAID_BEFORE_GRACE = timedelta(days=5)
"""How long the payment message of an invoice already paid (S2, M2) is awaited before its date is presumed (X6)."""


def exigibility(documents: Iterable[Document], statuses: Iterable[Status], *, as_of: date) -> tuple[Event, ...]:
    """Return what falls due on these invoices, by date, then affair by affair.

    The order and repetition of the input do not matter. Give together the invoices that refer to one another: a credit
    note whose invoice is missing is presumed right.
    `as_of` is the day on which one looks: only rule X6 waits.
    """
    once = {(status.key, status.message_id): status for status in sorted(statuses, key=repr)}
    distinct = sorted(once.values(), key=lambda status: (status.set_at, status.message_id))
    payments: dict[DocumentKey, list[Status]] = defaultdict(list)
    for status in distinct:
        if status.code == COLLECTED:
            payments[status.key].append(status)
    told = affairs(sorted(documents, key=repr), ended_keys(distinct))
    events = [event for affair in told for event in _Story(affair, payments, as_of).events()]
    return tuple(sorted(events, key=lambda event: event.on))


def ended_keys(statuses: Iterable[Status]) -> frozenset[DocumentKey]:
    """Return the invoices refused or rejected (rule X0), and not deposited again since under the same number.

    A rejection leaves the number free (G1.45): the life that counts is the one that the last deposit (200) began.
    """
    begun: dict[DocumentKey, datetime] = {}
    over: dict[DocumentKey, datetime] = {}
    for status in statuses:
        if status.code == DEPOSITED or status.code in ENDED:
            moments = begun if status.code == DEPOSITED else over
            moments[status.key] = max(status.set_at, moments.get(status.key, status.set_at))
    return frozenset(key for key, moment in over.items() if moment >= begun.get(key, moment))


@dataclass(slots=True)
class _Account:
    """Amounts including VAT of one group of an affair: due so far, lowered and not yet paid back, still to lower."""

    due: Decimal = ZERO
    lowered: Decimal = ZERO
    waiting: list[tuple[Document, Decimal]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of the story; `rank` orders one day: supply, then payments and correctives, then credits."""

    on: date
    rank: int
    member: Member
    payment: Status | None = None

    def order(self) -> tuple[date, int, float]:
        moment = self.payment.set_at.timestamp() if self.payment else 0.0
        return (self.on, self.rank, moment)


class _Story:
    """One affair, told in the order of time."""

    def __init__(self, affair: list[Member], payments: dict[DocumentKey, list[Status]], as_of: date) -> None:
        self._affair = affair
        self._payments = payments
        self._as_of = as_of
        self._accounts: dict[Group, _Account] = defaultdict(_Account)
        self._documents = {member.document.key: member.document for member in affair}
        self._balance: dict[DocumentKey, dict[Group, tuple[Decimal, Decimal]]] = defaultdict(dict)
        self._replaced: set[DocumentKey] = set()

    def events(self) -> Iterator[Event]:
        """Tell the events of the affair."""
        steps = [step for member in self._affair for step in self._steps(member)]
        for step in sorted(steps, key=_Step.order):
            for event in self._play(step):
                self._keep(event)
                yield event

    def _keep(self, event: Event) -> None:
        held, group = self._balance[event.document.key], (event.category, event.rate, event.exemption_code)
        base, vat = held.get(group, (ZERO, ZERO))
        held[group] = (base + event.base, vat + event.vat)

    def _steps(self, member: Member) -> Iterator[_Step]:
        document = member.document
        payments = self._payments[document.key] if _on_receipt(document) else []
        yield from (_Step(payment.day, 1, member, payment) for payment in payments)
        if document.type_code in CREDIT_NOTES:
            yield _Step(document.issue_date, 2, member)
        elif document.type_code in CORRECTIVES:
            yield _Step(document.issue_date, 1, member)
        elif not _on_receipt(document):
            yield _Step(self._supply_date(document), 0, member)
        elif _paid_before(document) and not payments and self._as_of >= document.issue_date + PAID_BEFORE_GRACE:
            yield _Step(document.payment_due_date or document.issue_date, 0, member)

    def _play(self, step: _Step) -> Iterator[Event]:
        document = step.member.document
        if step.payment is not None:
            yield from self._paid(document, step.payment)
        elif document.type_code in CREDIT_NOTES:
            yield from self._credited(step.member)
        elif document.type_code in CORRECTIVES:
            yield from self._corrected(step.member)
        elif document.key not in self._replaced:
            yield from self._supplied(document, step.on)

    def _supply_date(self, document: Document) -> date:
        """Rules X3 (goods: delivery, end of period, issue) and X4 (debits: issue, or the first payment)."""
        if document.business_process.startswith("S"):
            days = [payment.day for payment in self._payments[document.key]]
            if _paid_before(document) and document.payment_due_date:
                days.append(document.payment_due_date)
            return min([document.issue_date, *days])
        return document.delivery_date or document.period_end or document.issue_date

    def _supplied(self, document: Document, on: date) -> Iterator[Event]:
        """The whole invoice falls due, less the credit notes that came before it."""
        rule, certainty = _supply_rule(document)
        for part in document.vat_breakdown:
            account = self._accounts[group_of(part)]
            account.due += gross(part)
            yield whole(document, part, rule, on, certainty)
            for credit, amount in account.waiting:
                taken = min(amount, account.due)
                yield from _lower(account, credit, group_of(part), taken=taken, on=on, certainty=certainty)
            account.waiting.clear()

    def _credited(self, member: Member) -> Iterator[Event]:
        """Rule X9: lowers what was due before it, on its date; the rest lowers what is supplied later.

        A credit note on services due on receipt leaves its rest alone: that much will not be received. When its
        invoice is not known, one on receipt follows its own payments, another is presumed right.
        """
        document = member.document
        ended = document.preceding_invoices and not member.orphan  # refused or rejected: there is nothing to lower
        if not member.targets and (ended or _on_receipt(document)):
            return
        certainty = Certainty.CERTAIN if member.targets else Certainty.PRESUMED
        for part in document.vat_breakdown:
            account = self._accounts[group_of(part)]
            if not member.targets:
                account.due += gross(part)
            taken = min(gross(part), max(account.due, ZERO))
            on = document.issue_date
            yield from _lower(account, document, group_of(part), taken=taken, on=on, certainty=certainty)
            if not _on_receipt(document) and taken < gross(part):
                account.waiting.append((document, gross(part) - taken))

    def _paid(self, document: Document, payment: Status) -> Iterator[Event]:
        """Rules X2, X5, X7: what is received falls due; what a credit note lowered is not lowered again."""
        rule = _payment_rule(document)
        for collected in payment.collected:
            group = group_of_rate(document, collected.rate)
            account, amount = self._accounts[group], collected.amount
            if amount < ZERO:
                already = min(-amount, account.lowered)
                account.lowered -= already
                amount += already
            account.due += amount
            if amount != ZERO:
                yield split(document, group, amount, rule=rule, on=payment.day, message_id=payment.message_id)

    def _corrected(self, member: Member) -> Iterator[Event]:
        """Rule X10: takes back what the replaced invoices had made due and adds the new one, both on its date."""
        document, received = member.document, ZERO
        taken_back = [event for key in member.targets for event in self._reversals(key, document.issue_date)]
        for event in taken_back:
            received -= event.base + event.vat
            self._accounts[(event.category, event.rate, event.exemption_code)].due += event.base + event.vat
            yield event
        if _on_receipt(document):
            yield from self._moved(document, received)
        if _on_receipt(document) or document.key in self._replaced:
            return
        certainty = Certainty.PRESUMED if member.orphan else Certainty.CERTAIN
        for part in document.vat_breakdown:
            self._accounts[group_of(part)].due += gross(part)
            yield whole(document, part, "X10", document.issue_date, certainty)

    def _reversals(self, key: DocumentKey, on: date) -> list[Event]:
        self._replaced.add(key)
        replaced = self._documents[key]
        return [
            Event(replaced, "X10", on, *group, -base, -vat, side=side_of(replaced))
            for group, (base, vat) in self._balance[key].items()
            if base or vat
        ]

    def _moved(self, document: Document, received: Decimal) -> Iterator[Event]:
        """Money received on the replaced service stays received: it falls due at the rates of the new invoice."""
        total = sum((gross(part) for part in document.vat_breakdown), ZERO)
        if not received or not total:
            return
        left = received
        for position, part in enumerate(document.vat_breakdown, start=1):
            last = position == len(document.vat_breakdown)
            share = left if last else rounded(received * gross(part) / total)
            left -= share
            self._accounts[group_of(part)].due += share
            on = document.issue_date
            yield split(document, group_of(part), share, rule="X10", on=on, certainty=Certainty.PRESUMED)


def _lower(
    account: _Account, credit: Document, group: Group, *, taken: Decimal, on: date, certainty: Certainty
) -> Iterator[Event]:
    """The credit note lowers this much of the account; the whole of it keeps its own base and VAT."""
    if taken <= ZERO:
        return
    account.due -= taken
    account.lowered += taken
    own = next(part for part in credit.vat_breakdown if group_of(part) == group)
    if taken == gross(own):
        yield whole(credit, own, "X9", on, certainty)
    else:
        yield split(credit, group, -taken, rule="X9", on=on, certainty=certainty)


def to_confirm(
    documents: Iterable[Document], statuses: Iterable[Status], events: Iterable[Event]
) -> tuple[tuple[Document, Decimal], ...]:
    """Return the mixed invoices (M*, rule X7) of which a part has no date, with that part including VAT, signed.

    Goods and services cannot be told apart in them: Flow 1 says nothing of the nature of a line, in either profile.
    """
    dated: dict[DocumentKey, Decimal] = defaultdict(Decimal)
    for event in events:
        dated[event.document.key] += event.base + event.vat
    ended = ended_keys(statuses)
    mixed = {document.key: document for document in documents if _is_mixed(document) and document.key not in ended}
    rests = ((document, total_of(document) - dated[key]) for key, document in sorted(mixed.items()))
    return tuple((document, rest) for document, rest in rests if rest)


def _is_mixed(document: Document) -> bool:
    return (
        document.business_process.startswith("M")
        and _on_receipt(document)
        and document.type_code not in DEPOSITS | CREDIT_NOTES
    )


def _on_receipt(document: Document) -> bool:
    """Tell whether its VAT falls due as it is paid: deposits, and services, mixed or not, without the debits option."""
    if was_reported_before(document):
        return False
    if document.type_code in DEPOSITS:
        return True
    return document.business_process[:1] in {"S", "M"} and document.vat_point_date_code not in DEBITS_OPTION


def _paid_before(document: Document) -> bool:
    return document.business_process in {"S2", "M2"}


def _supply_rule(document: Document) -> tuple[str, Certainty]:
    if was_reported_before(document):
        goods = document.business_process == "B7"
        return "X1", Certainty.CERTAIN if goods else Certainty.PRESUMED
    if document.business_process.startswith("B"):
        return "X3", Certainty.CERTAIN
    return ("X6", Certainty.PRESUMED) if _on_receipt(document) else ("X4", Certainty.CERTAIN)


def _payment_rule(document: Document) -> str:
    if document.type_code in DEPOSITS:
        return "X2"
    return "X7" if document.business_process.startswith("M") else "X5"
