"""What would be sent of a period now: its content, its totals, what the official rules and the calendar say of it.

A draft is computed from the ledger each time; nothing of it is kept. It is `unsent` when its content is not that of
the last transmission that stands or is under way; it is a correction (RE) once the portal has accepted one before.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, exists, select

from estafette.formats.flux10 import Block, Kind, Report, Role
from estafette.platform.examination import Examined, Fault
from estafette.platform.home import Home
from estafette.platform.reporting_ledger import PeriodKey, each_unit, in_period, regimes, sending_time, unit_of
from estafette.platform.reporting_tables import transmission, unit_record
from estafette.platform.tables import company
from estafette.reporting.aggregation import ZERO, Content, Unit, aggregate
from estafette.reporting.calendar import Period, RegimeChange, period_of
from estafette.reporting.controls import Anomaly, control, withheld
from estafette.values.moments import paris_day

UNDER_WAY = frozenset({"waiting", "packed", "receivable"})
UNITS_SHOWN = 500
"""Rows held of the units of one period; the transmission has them all, summed."""

FAILED = frozenset({"rejected", "irreceivable", "blocked"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A period of a company, as it stands now. `previous`: its transmissions, the first first.

    `units`: the rows of the first of its units, `count` how many there are. `withheld`: those that would have it
    rejected whole, each with why: they wait, the others leave in time.
    """

    siren: str
    name: str
    role: Role
    kind: Kind
    period: Period
    units: Sequence[RowMapping]
    content: Content
    digest: str
    previous: Sequence[RowMapping]
    at: datetime
    sent_at: datetime
    """When it is sent by itself."""
    withheld: tuple[tuple[RowMapping, Anomaly], ...] = ()
    count: int = 0

    @property
    def type_code(self) -> str:
        """Initial, or corrective once a transmission was accepted (TT-4)."""
        return "RE" if any(row["state"] == "accepted" for row in self.previous) else "IN"

    @property
    def last(self) -> RowMapping | None:
        """The last transmission of the period."""
        return self.previous[-1] if self.previous else None

    @property
    def is_over(self) -> bool:
        """Whether the period has ended: it may be sent."""
        return self.at >= self.period.opens_at

    @property
    def is_under_way(self) -> bool:
        """Whether a transmission has not been answered yet: none is sent meanwhile."""
        return any(row["state"] in UNDER_WAY for row in self.previous)

    @property
    def is_unsent(self) -> bool:
        """Whether there is something that the portal has not had: no blank report is sent (DSE §2.3.3)."""
        standing = [row for row in self.previous if row["state"] not in FAILED]
        if not standing:
            return not self.content.is_empty
        return bool(standing[-1]["digest"] != self.digest)

    @property
    def was_refused(self) -> bool:
        """Whether this very content was rejected, or is stopped by our own controls."""
        return self.last is not None and self.last["state"] in FAILED and self.last["digest"] == self.digest

    @property
    def state(self) -> str:
        """One word for how the period stands: open, ready, under way, accepted, refused, corrective."""
        if self.is_under_way:
            return "under way"
        if self.was_refused or (self.content.is_empty and self.withheld):
            return "refused"
        if not self.is_unsent:
            return "accepted" if any(row["state"] not in FAILED for row in self.previous) else "empty"
        if self.type_code == "RE":
            return "corrective"
        return "ready" if self.is_over else "open"

    def totals(self) -> dict[str, dict[str, Decimal]]:
        """Return what each block amounts to: base and VAT in each currency, or what was cashed."""
        sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for invoice in self.content.invoices:
            sums[Block.INVOICES][invoice.currency] += invoice.total_without_vat or ZERO
            sums[Block.INVOICES]["VAT"] += invoice.total_vat
        for total in self.content.daily_totals:
            sums[Block.DAILY_TOTALS][total.currency] += total.taxable_amount
            sums[Block.DAILY_TOTALS]["VAT"] += total.tax_amount
        for block, payments in (
            (Block.INVOICE_PAYMENTS, self.content.invoice_payments),
            (Block.DAILY_PAYMENTS, self.content.daily_payments),
        ):
            for payment in payments:
                sums[block]["EUR"] += sum((part.amount for part in payment.parts), ZERO)
        return {block: dict(of_block) for block, of_block in sums.items()}

    def whole(self) -> dict[str, Decimal]:
        """Return what all its blocks amount to: what `totals` gives of each, summed."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for of_block in self.totals().values():
            for name, amount in of_block.items():
                sums[name] += amount
        return dict(sums)

    def report(self, home: Home) -> Report:
        """Return the transmission that would leave now."""
        number = len(self.previous) + 1
        letter = "T" if self.kind is Kind.TRANSACTIONS else "P"
        identity = home.identity
        return Report(
            identifier=f"{identity.matricule}-{self.siren}-{self.period.start:%Y%m%d}-{letter}{self.role}-{number:03}",
            issued_at=self.at,
            type_code=self.type_code,
            platform=identity.matricule,
            platform_name=identity.name,
            declarant=self.siren,
            declarant_name=self.name,
            role=self.role,
            kind=self.kind,
            start=self.period.start,
            end=self.period.end,
            invoices=self.content.invoices,
            daily_totals=self.content.daily_totals,
            invoice_payments=self.content.invoice_payments,
            daily_payments=self.content.daily_payments,
        )


def draft(home: Home, connection: Connection, key: PeriodKey) -> Draft:
    """Return the draft of the period that holds a day."""
    now = home.actor.clock()
    siren, role, kind = key.siren, key.role, key.kind
    changes = regimes(connection, siren)
    period = period_of(key.day, kind, changes)
    sorting = _Sorting()
    rows = each_unit(connection, siren, in_period(role, kind, period.start, period.end))
    content = aggregate(sorting.sent(rows), on=paris_day(now))
    columns = transmission.c
    mine = (columns.siren == siren, columns.role == role.value, columns.kind == kind.value)
    same = (columns.start == period.start, columns.end == period.end)
    previous = select(transmission).where(*mine, *same).order_by(columns.id)
    return Draft(
        siren,
        connection.execute(select(company.c.name).where(company.c.siren == siren)).scalar_one(),
        role,
        kind,
        period,
        sorting.shown,
        content,
        digest_of(content),
        list(connection.execute(previous).mappings()),
        now,
        sending_time(siren, kind, period, changes, now),
        tuple(sorting.withheld),
        sorting.count,
    )


@dataclass(slots=True)
class _Sorting:
    """Which units of a period are sent, as they are read one by one; what is remembered of them."""

    shown: list[RowMapping] = field(default_factory=list)
    withheld: list[tuple[RowMapping, Anomaly]] = field(default_factory=list)
    count: int = 0

    def sent(self, rows: Iterable[RowMapping]) -> Iterator[Unit]:
        """Give the units that are sent; the others are withheld."""
        for row in rows:
            self.count += 1
            if self.count <= UNITS_SHOWN:
                self.shown.append(row)
            unit = unit_of(row)
            if why := withheld(unit):
                self.withheld.append((row, why))
            else:
                yield unit


def drafts(home: Home, connection: Connection, siren: str, *, since: date) -> list[Draft]:
    """Return the drafts of every period with a unit or a transmission since a day, the latest first."""
    changes = regimes(connection, siren)
    days = select(unit_record.c.role, unit_record.c.kind, unit_record.c.day).distinct()
    held = connection.execute(days.where(unit_record.c.siren == siren, unit_record.c.day >= since)).all()
    keys = {(Role(role), Kind(kind), period_of(day, Kind(kind), changes).start) for role, kind, day in held}
    found = [draft(home, connection, PeriodKey(siren, *key)) for key in keys]
    shown = [each for each in found if each.units or each.previous]
    return sorted(shown, key=lambda each: (each.period.start, each.kind, each.role), reverse=True)


def sent_otherwise(connection: Connection, siren: str, change: RegimeChange) -> RowMapping | None:
    """Return a transmission that stands or is under way for days that would be of another period under a regime.

    The portal replaces a period by the same days only (external specifications v3.2, §3.7.7): it would count both.
    """
    changes = {each.since: each for each in regimes(connection, siren)} | {change.since: change}
    columns = transmission.c
    mine = (columns.siren == siren, columns.end >= change.since, columns.state.not_in(FAILED))
    for row in connection.execute(select(transmission).where(*mine).order_by(columns.id)).mappings():
        period = period_of(row["start"], Kind(row["kind"]), changes.values())
        if (period.start, period.end) != (row["start"], row["end"]):
            return row
    return None


def failed(
    connection: Connection, *, since: datetime, siren: str | None = None, limit: int | None = None
) -> list[RowMapping]:
    """Return the transmissions, of a company or of all, that were rejected, irreceivable or blocked since a moment and
    that none of the same period followed, the latest first.
    """
    later, columns = transmission.alias("later"), transmission.c
    names = ("siren", "role", "kind", "start", "end")
    followed = exists().where(*(later.c[name] == columns[name] for name in names), later.c.id > columns.id)
    query = select(transmission).where(columns.state.in_(FAILED), columns.created_at >= since, ~followed)
    mine = query if siren is None else query.where(columns.siren == siren)
    return list(connection.execute(mine.order_by(columns.id.desc()).limit(limit)).mappings())


def digest_of(content: Content) -> str:
    """Return what makes two contents the same."""
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def faults_of(examined: Examined, report: Report, *, on: date) -> tuple[Fault, ...]:
    """Return why a transmission would be rejected: by schema and rules, then by its period and dates."""
    refused = examined.refusal
    schema = (Fault("REJ_SEMAN", "EST-XSD", refused.message, refused.message),) if refused else ()
    own = (Fault(each.reason, each.rule, each.fr, each.en, ", ".join(each.terms)) for each in control(report, on=on))
    return (*schema, *examined.faults, *own)


def told(draft_: Draft) -> dict[str, Any]:
    """Return a draft as JSON shows it."""
    return {
        "role": draft_.role,
        "kind": draft_.kind,
        "start": draft_.period.start,
        "end": draft_.period.end,
        "limit": draft_.period.limit,
        "advised": draft_.period.advised,
        "sentAt": draft_.sent_at,
        "dueAt": draft_.period.due_at,
        "type": draft_.type_code,
        "state": draft_.state,
        "units": draft_.count,
        "count": draft_.count,
        "withheld": [{"unit": row["id"], "reference": row["reference"], **_why(why)} for row, why in draft_.withheld],
        "totals": draft_.totals(),
        "transmissions": [_sent(row) for row in draft_.previous],
    }


def _why(anomaly: Anomaly) -> dict[str, Any]:
    return {"reason": anomaly.reason, "rule": anomaly.rule, "fr": anomaly.fr, "en": anomaly.en, "terms": anomaly.terms}


def _sent(row: RowMapping) -> dict[str, Any]:
    names = ("identifier", "type_code", "state", "created_at", "answered_at", "details", "flow_name")
    return {name: row[name] for name in names}
