"""Alerts: what a detector saw, its evidence, and what a human decides; an alert by itself changes nothing.

One detector: an invoice sent twice under two numbers (D6). Two invoices of one seller to one buyer, of one type, whose
amounts agree within half a percent and whose dates are a few days apart, and whose numbers are the same once cleaned
(case, separators, zeros, a suffix, two figures swapped) or which bill the same delivery or period. Consecutive numbers
are not alike: selling the same thing twice is a trade. An invoice refused or rejected may be sent again: once one of
the two has ended, the alert lapses.

Source: order of 10 July 2026 on fraud targeting as quoted (human analysis before any audit, no automatic decision).
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, insert, literal, select

from estafette.administration import journal
from estafette.administration.facts import document_in
from estafette.administration.files import plain
from estafette.administration.journal import Act
from estafette.administration.parameters import DUPLICATE_DAYS, DUPLICATE_TOLERANCE
from estafette.administration.tables import alert, alert_decision, fact, status_event
from estafette.vat.exigibility import ended_keys
from estafette.vat.facts import Document, Status
from estafette.vat.forms import Text

SENT_TWICE = "D6-sent-twice"

CANDIDATES_MAX = 200
"""Invoices of one amount between two parties that a new one is compared with, the latest first."""


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
"""Why two invoices look like one, beyond their amounts and dates."""


class NoReason(ValueError):
    """A decision without a reason is none."""


def look(connection: Connection, document: Document, *, now: datetime) -> list[int]:
    """The pairs that this invoice makes with those already known are alerts, once; returns the new ones."""
    if document.preceding_invoices:
        return []  # it says itself what it follows
    days = timedelta(days=int(DUPLICATE_DAYS.on(document.issue_date).value))
    near = fact.c.issue_date.between(document.issue_date - days, document.issue_date + days)
    total, tolerance = total_cents(document), DUPLICATE_TOLERANCE.on(document.issue_date).value
    margin = int(abs(total) * tolerance / (1 - tolerance)) + 1
    alike = fact.c.total_cents.between(total - margin, total + margin)
    pair = (fact.c.seller == document.seller, fact.c.buyer == document.buyer)
    query = select(fact.c.data).where(*pair, alike, near).order_by(fact.c.received_at.desc()).limit(CANDIDATES_MAX)
    others = {other.key: other for other in map(document_in, connection.execute(query).scalars())}
    others.pop(document.key, None)
    raised = (_raise(connection, other, document, now) for _, other in sorted(others.items()))
    return [alert_id for alert_id in raised if alert_id is not None]


def total_cents(document: Document) -> int:
    """Return the total with VAT in cents: what pairs are first looked for by."""
    return int(_total(document) * 100)


def likeness(one: Document, other: Document) -> tuple[str, ...]:
    """Return why these two look like one invoice sent twice; an empty tuple when they do not.

    The dates are the caller's: here the type, the amounts, then the numbers or what is billed.
    """
    if one.type_code != other.type_code or one.preceding_invoices or other.preceding_invoices:
        return ()
    if one.currency != other.currency or not _same_amount(one, other):
        return ()
    reasons = []
    if _same_number(one.number, other.number):
        reasons.append("same-number")
    elif _swapped(one.number, other.number):
        reasons.append("swapped")
    if one.delivery_date and one.delivery_date == other.delivery_date:
        reasons.append("same-delivery")
    if one.period_end and (one.period_start, one.period_end) == (other.period_start, other.period_end):
        reasons.append("same-period")
    return tuple(reasons)


def _same_amount(one: Document, other: Document) -> bool:
    tolerance = DUPLICATE_TOLERANCE.on(one.issue_date).value
    first, second = _total(one), _total(other)
    return first != 0 and abs(first - second) <= tolerance * abs(first)


def _total(document: Document) -> Decimal:
    return sum((part.taxable_amount + part.tax_amount for part in document.vat_breakdown), Decimal(0))


_SUFFIX = re.compile(r"(?:[-_/ .]*(?:BIS|TER|COPIE|COPY|DUPLICATA)|[-_/ .]V?[1-9]|(?<=[0-9])[A-Z])$")


def _same_number(one: str, other: str) -> bool:
    """Tell whether they are one number once cleaned, or one is the other with a suffix."""
    first, second = one.upper(), other.upper()
    shorter = {_clean(_SUFFIX.sub("", first)) == _clean(second), _clean(first) == _clean(_SUFFIX.sub("", second))}
    return _clean(first) == _clean(second) or any(shorter)


def _clean(number: str) -> str:
    """Take away separators and the leading zeros of each figure."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", re.sub(r"[^A-Z0-9]+", " ", number)).replace(" ", "")


def _swapped(one: str, other: str) -> bool:
    if len(one) != len(other):
        return False
    places = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(places) != 2 or places[1] != places[0] + 1:
        return False
    first, second = places
    return (one[first], one[second]) == (other[second], other[first])


def _raise(connection: Connection, earlier: Document, later: Document, now: datetime) -> int | None:
    reasons = likeness(earlier, later)
    pair = sorted((earlier, later), key=lambda each: (each.issue_date, each.key))
    key = ":".join([SENT_TWICE, later.seller, *(f"{each.key.year}/{each.number}" for each in pair)])
    if not reasons or connection.execute(select(literal(1)).where(alert.c.key == key)).first():
        return None
    evidence = {"reasons": list(reasons), "documents": [plain(each) for each in pair]}
    at_risk = sum((part.tax_amount for part in pair[1].vat_breakdown), Decimal(0))
    row = {"detector": SENT_TWICE, "key": key, "siren": later.seller, "raised_at": now, "vat_at_risk": at_risk}
    made = connection.execute(insert(alert).values(**row, evidence=evidence).returning(alert.c.id)).scalar_one()
    journal.write(connection, "alert", made, before=None, after=Decision.OPEN, act=Act("detector", now), reason=key)
    return int(made)


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands: the last human decision holds; `lapsed` when one invoice ended refused or rejected."""

    id: int
    detector: str
    siren: str
    raised_at: datetime
    vat_at_risk: Decimal
    reasons: tuple[str, ...]
    documents: tuple[Document, Document]
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
    first, second = (msgspec.convert(each, Document) for each in row["evidence"]["documents"])
    lapsed = any(_ended(connection, document) for document in (first, second))
    fields = (row["id"], row["detector"], row["siren"], row["raised_at"], row["vat_at_risk"])
    return Alert(*fields, tuple(row["evidence"]["reasons"]), (first, second), _decision(connection, row["id"]), lapsed)


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
