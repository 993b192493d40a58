"""Alerts: what a detector saw, its evidence, and what a human decides; an alert by itself changes nothing.

One detector: an invoice sent twice under two numbers (D6). Two invoices of one seller to one buyer, of one type, whose
amounts agree within half a percent and whose dates are a few days apart, and whose numbers are one number: the same
once cleaned (case, separators, zeros, a suffix), or with two characters swapped, for one delivery and period, unless
both numbers follow from their neighbours. The same delivery or period proves nothing alone: selling the same thing
twice is a trade, a subscription and an instalment are too; it only adds to the evidence. Further copies join the alert,
unless it was dismissed. An invoice refused or rejected may be sent again: with less than two left, the alert lapses.

Source: order of 10 July 2026 on fraud targeting as quoted (human analysis before any audit, no automatic decision).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from estafette.administration import journal
from estafette.administration.facts import document_in
from estafette.administration.files import plain
from estafette.administration.journal import Act
from estafette.administration.parameters import DUPLICATE_DAYS, DUPLICATE_TOLERANCE
from estafette.administration.tables import alert, alert_decision, fact, status_event
from estafette.store.queries import Query, Row
from estafette.vat.exigibility import ended_keys
from estafette.vat.facts import Document, Status
from estafette.vat.forms import Text

SENT_TWICE = "D6-sent-twice"

CANDIDATES_MAX = 200
"""Invoices of one amount between two parties that a new one is compared with, the latest first."""


ENOUGH = 2
"""Invoices that still count, without which an alert has no object."""


class Decision(StrEnum):
    """What a human makes of an alert."""

    OPEN = "OPEN"
    DISMISSED = "DISMISSED"
    WATCH = "WATCH"
    AUDIT_PROPOSED = "AUDIT_PROPOSED"


REASONS = {
    "same-number": Text("numéros identiques une fois nettoyés", "same number once cleaned"),
    "swapped": Text("numéros à deux caractères intervertis", "numbers with two characters swapped"),
    "same-delivery": Text("même date de livraison", "same delivery date"),
    "same-period": Text("même période facturée", "same period billed"),
}
"""Why two invoices look like one, beyond their amounts and dates; the first two prove, the others add."""


class NoReason(ValueError):
    """A decision without a reason is none."""


def look(connection: Connection, document: Document, *, now: datetime) -> list[int]:
    """What this invoice copies is an alert, one for all the copies of an invoice; returns the new ones."""
    if document.preceding_invoices:
        return []  # it says itself what it follows
    days = timedelta(days=int(DUPLICATE_DAYS.on(document.issue_date).value))
    total, tolerance = total_cents(document), DUPLICATE_TOLERANCE.on(document.issue_date).value
    margin = int(abs(total) * tolerance / (1 - tolerance)) + 1
    near = {"first": document.issue_date - days, "last": document.issue_date + days}
    alike = {"least": total - margin, "most": total + margin}
    found = _ALIKE.rows(connection, seller=document.seller, buyer=document.buyer, **near, **alike)
    numbers = {document.number, *(row["number"] for row in found)}
    named = [row for row in found if _is_named_alike(row["number"], document.number)]
    data = [_DATA.value(connection, seller=document.seller, **row) for row in named if not _is_of(row, document)]
    others = {other.key: other for other in map(document_in, data)}
    copies = [other for _, other in sorted(others.items()) if _is_copy(other, document, numbers)]
    raised = (_tell(connection, other, document, now) for other in copies)
    return [alert_id for alert_id in raised if alert_id is not None]


def _is_of(row: Row, document: Document) -> bool:
    return (row["number"], row["year"]) == (document.number, document.issue_date.year)


def _is_copy(one: Document, other: Document, numbers: set[str]) -> bool:
    """Tell whether they are alike; two swapped numbers of a series that runs through both are not."""
    reasons = likeness(one, other)
    return bool(reasons) and not ("swapped" in reasons and all(_follows(each.number, numbers) for each in (one, other)))


def _follows(number: str, numbers: set[str]) -> bool:
    """Tell whether the number before or after this one was given too."""
    found = re.fullmatch(r"(.*?)([0-9]{1,18})([^0-9]*)", number)
    if found is None:
        return False
    start, figures, end = found.groups()
    beside = (int(figures) + step for step in (-1, 1))
    return any(f"{start}{each:0{len(figures)}d}{end}" in numbers for each in beside)


def total_cents(document: Document) -> int:
    """Return the total with VAT in cents: what pairs are first looked for by."""
    return int(_total(document) * 100)


def likeness(one: Document, other: Document) -> tuple[str, ...]:
    """Return why these two look like one invoice sent twice; an empty tuple when they do not.

    The dates are the caller's: here the type, the amounts, the numbers, then what is billed, which adds to them.
    """
    if one.type_code != other.type_code or one.preceding_invoices or other.preceding_invoices:
        return ()
    if one.currency != other.currency or not _same_amount(one, other):
        return ()
    if _same_number(one.number, other.number):
        reasons = ["same-number"]
    elif _swapped(one.number, other.number) and _billed(one) == _billed(other):
        reasons = ["swapped"]
    else:
        return ()
    if one.delivery_date and one.delivery_date == other.delivery_date:
        reasons.append("same-delivery")
    if one.period_end and (one.period_start, one.period_end) == (other.period_start, other.period_end):
        reasons.append("same-period")
    return tuple(reasons)


def _billed(document: Document) -> tuple[date | None, ...]:
    return document.delivery_date, document.period_start, document.period_end


def _same_amount(one: Document, other: Document) -> bool:
    tolerance = DUPLICATE_TOLERANCE.on(one.issue_date).value
    first, second = _total(one), _total(other)
    return first != 0 and abs(first - second) <= tolerance * abs(first)


def _total(document: Document) -> Decimal:
    return sum((part.taxable_amount + part.tax_amount for part in document.vat_breakdown), Decimal(0))


_SEPARATORS = re.compile(r"[^A-Z0-9]+")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_SUFFIX = re.compile(r"(?:[-_/ .]*(?:BIS|TER|COPIE|COPY|DUPLICATA)|[-_/ .]V?[1-9]|(?<=[0-9])[A-Z])$")


def _is_named_alike(one: str, other: str) -> bool:
    return _same_number(one, other) or _swapped(one, other)


def _same_number(one: str, other: str) -> bool:
    """Tell whether they are one number once cleaned, or one is the other with a suffix."""
    (first, first_bare), (second, second_bare) = _cleaned(one), _cleaned(other)
    return second in (first, first_bare) or first == second_bare


@lru_cache(maxsize=4096)
def _cleaned(number: str) -> tuple[str, str]:
    """Return a number cleaned, whole and without its suffix: an invoice is compared with many."""
    upper = number.upper()
    return _clean(upper), _clean(_SUFFIX.sub("", upper))


def _clean(number: str) -> str:
    """Take away separators and the leading zeros of each figure."""
    return _LEADING_ZEROS.sub("", _SEPARATORS.sub(" ", number)).replace(" ", "")


def _swapped(one: str, other: str) -> bool:
    if len(one) != len(other):
        return False
    places = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(places) != 2 or places[1] != places[0] + 1:
        return False
    first, second = places
    return (one[first], one[second]) == (other[second], other[first])


def _tell(connection: Connection, earlier: Document, later: Document, now: datetime) -> int | None:
    """The two are in one alert: one that holds either, else a new one, which is returned."""
    held = connection.execute(select(alert).where(alert.c.siren == later.seller)).mappings().all()
    known = [(row, {each.key for each in _documents(row)}) for row in held]
    if any({earlier.key, later.key} <= keys for _, keys in known):
        return None
    for row, keys in known:
        if {earlier.key, later.key} & keys and _decision(connection, row["id"]) is not Decision.DISMISSED:
            _join(connection, row, earlier, later, now)
            return None
    return _raise(connection, earlier, later, now)


def _raise(connection: Connection, earlier: Document, later: Document, now: datetime) -> int:
    pair = _in_order((earlier, later))
    key = ":".join([SENT_TWICE, later.seller, *(f"{each.key.year}/{each.number}" for each in pair)])
    values = {"detector": SENT_TWICE, "key": key, "siren": later.seller, "raised_at": now}
    evidence = _evidence(pair, set(likeness(earlier, later)))
    made = connection.execute(insert(alert).values(**values, **evidence).returning(alert.c.id)).scalar_one()
    act, numbers = Act("detector", now), ", ".join(each.number for each in pair)
    journal.write(connection, "alert", made, before=None, after=Decision.OPEN, act=act, reason=numbers)
    return int(made)


def _join(connection: Connection, row: RowMapping, earlier: Document, later: Document, now: datetime) -> None:
    """A further copy is in the evidence of an alert, and in its journal."""
    held = {each.key: each for each in _documents(row)}
    joining = [each for each in (earlier, later) if each.key not in held]
    documents = _in_order((*held.values(), *joining))
    evidence = _evidence(documents, {*row["evidence"]["reasons"], *likeness(earlier, later)})
    connection.execute(update(alert).where(alert.c.id == row["id"]).values(evidence))
    state, numbers = _decision(connection, row["id"]), ", ".join(f"+ {each.number}" for each in joining)
    act = Act("detector", now)
    journal.write(connection, "alert", row["id"], before=state, after=state, act=act, reason=numbers)


def _in_order(documents: Iterable[Document]) -> list[Document]:
    return sorted(documents, key=lambda each: (each.issue_date, each.key))


def _evidence(documents: list[Document], reasons: set[str]) -> dict[str, Any]:
    """Return what an alert holds of its invoices, the first being the one that the others copy."""
    at_risk = sum((part.tax_amount for copy in documents[1:] for part in copy.vat_breakdown), Decimal(0))
    listed = [reason for reason in REASONS if reason in reasons]
    return {"vat_at_risk": at_risk, "evidence": {"reasons": listed, "documents": [plain(each) for each in documents]}}


def _documents(row: RowMapping) -> tuple[Document, ...]:
    return tuple(msgspec.convert(each, Document) for each in row["evidence"]["documents"])


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands: the last human decision holds; `lapsed` when less than two invoices are left."""

    id: int
    detector: str
    siren: str
    raised_at: datetime
    vat_at_risk: Decimal
    reasons: tuple[str, ...]
    documents: tuple[Document, ...]
    decision: Decision
    lapsed: bool


def alerts(connection: Connection) -> list[Alert]:
    """Return every alert, those still open and with the most VAT at risk first."""
    found = [_alert(connection, row) for row in connection.execute(select(alert)).mappings()]
    return sorted(found, key=lambda each: (each.lapsed, each.decision is not Decision.OPEN, -each.vat_at_risk, each.id))


def one(connection: Connection, alert_id: int) -> Alert | None:
    """Return this alert, None when there is none."""
    row = connection.execute(select(alert).where(alert.c.id == alert_id)).mappings().first()
    return _alert(connection, row) if row else None


def _alert(connection: Connection, row: RowMapping) -> Alert:
    documents = _documents(row)
    lapsed = sum(not _ended(connection, document) for document in documents) < ENOUGH
    fields = (row["id"], row["detector"], row["siren"], row["raised_at"], row["vat_at_risk"])
    return Alert(*fields, tuple(row["evidence"]["reasons"]), documents, _decision(connection, row["id"]), lapsed)


def _ended(connection: Connection, document: Document) -> bool:
    seller, number, year = document.key
    mine = (status_event.c.seller == seller, status_event.c.number == number, status_event.c.year == year)
    query = select(status_event.c.message_id, status_event.c.status, status_event.c.set_at).where(*mine)
    statuses = [
        Status(seller=seller, number=number, year=year, message_id=row[0], code=row[1], set_at=row[2])
        for row in connection.execute(query)
    ]
    return bool(ended_keys(statuses))


def _decision(connection: Connection, alert_id: int) -> Decision:
    query = select(alert_decision.c.decision).where(alert_decision.c.alert_id == alert_id)
    last = connection.execute(query.order_by(alert_decision.c.id.desc()).limit(1)).scalar()
    return Decision(last) if last else Decision.OPEN


def decide(connection: Connection, alert_id: int, decision: Decision, *, reason: str, act: Act) -> None:
    """A human decided, with a reason, in a role; the decision before stays in the journal. Raises: NoReason."""
    if not reason.strip():
        raise NoReason("a decision needs its reason")
    before = _decision(connection, alert_id)
    row: dict[str, Any] = {"alert_id": alert_id, "decision": decision.value, "reason": reason.strip(), "role": act.role}
    connection.execute(insert(alert_decision).values(**row, decided_at=act.now))
    journal.write(connection, "alert", alert_id, before=before, after=decision, act=act, reason=reason.strip())


_ALIKE = Query(
    select(fact.c.number, fact.c.year, fact.c.flow)
    .where(
        fact.c.seller == bindparam("seller"),
        fact.c.buyer == bindparam("buyer"),
        fact.c.total_cents.between(bindparam("least"), bindparam("most")),
        fact.c.issue_date.between(bindparam("first"), bindparam("last")),
    )
    .order_by(fact.c.received_at.desc())
    .limit(CANDIDATES_MAX)
)
"""The latest invoices of a seller to a buyer whose totals and dates are close."""
_DATA = Query(
    select(fact.c.data).where(*(fact.c[name] == bindparam(name) for name in ("seller", "number", "year", "flow")))
)
