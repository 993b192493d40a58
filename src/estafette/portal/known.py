"""What the concentrator knows: the facts that stand, now or as they were known at any moment.

Two times. A fact concerns a day (`day`); it was known from the moment its message was accepted, until another message
replaced it (a correction of e-reporting) or ended its invoice (210, 213). A later deposit (200) of the number begins
another life of the invoice. Rows are only ever added: what was known at a moment can be asked for ever.

Cost: the facts of one company are one range of an index; what ended each is one probe more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, select

from estafette.portal.fact_tables import fact, replaced_fact
from estafette.portal.reporting_tables import accepted_report
from estafette.portal.tables import invoice_data, obligatory_status

ENDED = ("210", "213")
DEPOSITED = "200"
OF_AN_INVOICE = ("invoice", "collected")


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact, as it is kept (`fact_tables`)."""

    message: int
    place: int
    kind: str
    platform: str
    siren: str
    role: str
    counterpart: str | None
    number: str | None
    year: int | None
    day: date
    status: int | None
    type_code: str | None
    process: str | None
    vat_point: str | None
    category: str | None
    rate: Decimal | None
    base: Decimal | None
    vat: Decimal | None
    amount: Decimal | None
    currency: str | None
    known_from: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """The message that brought a fact: who sent it, in which flow and file, the digest of its bytes."""

    platform: str
    flow: str
    file: str
    sha256: str
    recorded_at: datetime


def facts(
    connection: Connection,
    *,
    siren: str | None = None,
    since: date | None = None,
    until: date | None = None,
    at: datetime | None = None,
) -> Iterator[Fact]:
    """Give the facts that stand of a company, of the days from `since` to `until`, in the order of acceptance.

    `at` asks what was known at that moment; without it, what is known now. Without a company, of all of them.
    """
    for row in connection.execute(standing(siren=siren, since=since, until=until, at=at)):
        yield Fact(*row)


def standing(
    *, siren: str | None = None, since: date | None = None, until: date | None = None, at: datetime | None = None
) -> Select[Any]:
    """Return the question that `facts` asks."""
    asked = [~_is_replaced(at), ~_is_over(at)]
    if siren is not None:
        asked.append(fact.c.siren == siren)
    if since is not None:
        asked.append(fact.c.day >= since)
    if until is not None:
        asked.append(fact.c.day <= until)
    if at is not None:
        asked.append(fact.c.known_from <= at)
    return select(fact).where(*asked).order_by(fact.c.message, fact.c.place)


def _is_replaced(at: datetime | None) -> ColumnElement[bool]:
    """Hold for the fact of a transmission that another one had replaced."""
    known = () if at is None else (replaced_fact.c.known_until <= at,)
    return exists().where(replaced_fact.c.message == fact.c.message, *known)


def _is_over(at: datetime | None) -> ColumnElement[bool]:
    """Hold for a fact of an invoice that was refused or rejected, and not deposited again since."""
    end, again = obligatory_status.alias("ended"), obligatory_status.alias("again")
    same = and_(*(again.c[name] == end.c[name] for name in ("seller_siren", "number", "year")))
    begun = exists().where(same, again.c.status == DEPOSITED, again.c.set_at > end.c.set_at, *_by(again, at))
    mine = (end.c.seller_siren == fact.c.siren, end.c.number == fact.c.number, end.c.year == fact.c.year)
    return and_(fact.c.kind.in_(OF_AN_INVOICE), exists().where(*mine, end.c.status.in_(ENDED), *_by(end, at), ~begun))


def _by(status: Any, at: datetime | None) -> tuple[ColumnElement[bool], ...]:
    return () if at is None else (status.c.recorded_at <= at,)


def source_of(connection: Connection, message: int) -> Source | None:
    """Return the message of this number; None when there is none."""
    for table, number in (
        (invoice_data, invoice_data.c.id),
        (accepted_report, accepted_report.c.id),
        (obligatory_status, obligatory_status.c.fact),
    ):
        columns = [table.c[name] for name in ("partner", "flow_name", "file_name", "sha256", "recorded_at")]
        row = connection.execute(select(*columns).where(number == message)).first()
        if row is not None:
            return Source(*row)
    return None
