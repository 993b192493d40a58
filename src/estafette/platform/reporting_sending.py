"""Transmissions leave when their time comes, are answered, and reopened when the portal rejects them.

A job a period waits for the company's last day to be over; it sends what the portal has not had, nothing twice, and
nothing while an earlier transmission is unanswered. What our own controls would see rejected stays here, blocked and
shown: one file against the schema would make a whole envelope irreceivable. Corrections replace the period (RE).
"""

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from estafette.formats import flux10
from estafette.formats.flow_limits import lot
from estafette.formats.flux10 import Kind, Role
from estafette.formats.status_message import StatusMessage
from estafette.platform import envelopes, flows
from estafette.platform.examination import Fault
from estafette.platform.home import Home
from estafette.platform.reporting_drafts import Draft, draft, faults_of
from estafette.platform.reporting_ledger import PeriodKey, ask, regimes, sending_time
from estafette.platform.reporting_tables import transmission
from estafette.reporting.calendar import period_of
from estafette.store import audit, jobs
from estafette.store.jobs import Job
from estafette.store.worker import Apply, nothing
from estafette.values.moments import paris_day

REPORTS = "FFE1025A"
PACK = "report-pack"
MIRRORS = {Kind.TRANSACTIONS: "StateTransactionReport", Kind.PAYMENTS: "StatePaymentReport"}
"""What the company finds among its flows of what was sent for it (XP Z12-013 §3.6)."""

ANSWERED = {"300": "accepted", "301": "rejected"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft with its file and why the portal would reject it."""

    draft: Draft
    report: flux10.Report
    data: bytes
    faults: tuple[Fault, ...]


async def prepare(home: Home, key: PeriodKey) -> Prepared:
    """Return the draft of the period that holds a day, written and controlled as it would leave now."""

    def written() -> tuple[Draft, flux10.Report, bytes]:
        with home.actor.database.read() as connection:
            held = draft(home, connection, key)
        report = held.report(home)
        return held, report, flux10.write(report)

    held, report, data = await to_thread(written)
    examined = await home.examine(data)
    return Prepared(held, report, data, faults_of(examined, report, on=paris_day(held.at)))


async def send(home: Home, job: Job) -> Apply:
    """What the portal has not had of the period leaves, or is blocked; nothing, when there is nothing."""
    said = job.payload
    day = date.fromisoformat(said["day"])
    prepared = await prepare(home, PeriodKey(said["siren"], Role(said["role"]), Kind(said["kind"]), day))
    held = prepared.draft
    if held.is_under_way or not held.is_over or not (held.is_unsent or (said["forced"] and held.was_refused)):
        return nothing
    if held.was_refused and not said["forced"]:
        return nothing
    return lambda connection: _send(home, connection, prepared)


def _send(home: Home, connection: Connection, prepared: Prepared) -> None:
    held, report = prepared.draft, prepared.report
    mine = (transmission.c.siren == held.siren, transmission.c.identifier == report.identifier)
    if connection.execute(select(transmission.c.id).where(*mine)).first():
        return
    now = home.actor.clock()
    blocked = bool(prepared.faults)
    row: dict[str, Any] = {
        "siren": held.siren,
        "role": held.role.value,
        "kind": held.kind.value,
        "start": held.period.start,
        "end": held.period.end,
        "identifier": report.identifier,
        "type_code": report.type_code,
        "state": "blocked" if blocked else "waiting",
        "digest": held.digest,
        "sha256": home.actor.documents.put(prepared.data),
        "details": [fault.row() for fault in prepared.faults],
        "created_at": now,
    }
    connection.execute(insert(transmission).values(row))
    _audit(connection, row, "report.blocked" if blocked else "report.sent", at=now, sha256=row["sha256"])
    if blocked:
        return
    jobs.add(connection, queue=PACK, key=f"{PACK}:{held.siren}:{report.identifier}", lane=PACK, payload={}, now=now)
    name = f"{report.identifier}.xml"
    _give(home, connection, row, MIRRORS[held.kind], syntax="FRR", sha256=row["sha256"], name=name)


async def pack(home: Home, _job: Job) -> Apply:
    """The transmissions that wait leave in one envelope; none, when an earlier one took them all."""
    return lambda connection: _pack(home, connection)


def _pack(home: Home, connection: Connection) -> None:
    columns = transmission.c
    most = lot("F10", paris_day(home.actor.clock()))
    waiting = select(columns.id, columns.identifier, columns.sha256).where(columns.state == "waiting")
    rows = connection.execute(waiting.order_by(columns.id).limit(most)).all()
    if not rows:
        return
    files = {f"{row.identifier}.xml": home.actor.documents.get(row.sha256) for row in rows}
    name = envelopes.send_flow(home, connection, REPORTS, files)
    mine = columns.id.in_([row.id for row in rows])
    connection.execute(update(transmission).where(mine).values(state="packed", flow_name=name))


def receivable(connection: Connection, names: Sequence[str]) -> None:
    """The portal can use the envelopes of these names: it will answer what is in them."""
    packed = update(transmission).where(transmission.c.flow_name.in_(names), transmission.c.state == "packed")
    connection.execute(packed.values(state="receivable"))


def answered(
    home: Home, connection: Connection, message: StatusMessage, sha256: str, details: list[dict[str, str]]
) -> None:
    """The portal accepts or rejects a transmission; what has changed meanwhile will follow it."""
    columns = transmission.c
    mine = (columns.siren == message.seller_siren, columns.identifier == message.object_identifier)
    row = connection.execute(select(transmission).where(*mine)).mappings().first()
    if row is None or row["state"] in ANSWERED.values():
        return
    now = home.actor.clock()
    values = {"state": ANSWERED[message.status], "details": details, "answered_at": now}
    connection.execute(update(transmission).where(columns.id == row["id"]).values(values))
    _audit(connection, row, "report.answered", at=now, status=message.status, sha256=sha256)
    name = f"{row['identifier']}_{message.status}.xml"
    _give(home, connection, row, f"{MIRRORS[Kind(row['kind'])]}LC", syntax="CDAR", sha256=sha256, name=name)
    kind, changes = Kind(row["kind"]), regimes(connection, row["siren"])
    due = sending_time(row["siren"], kind, period_of(row["start"], kind, changes), changes, now)
    ask(connection, PeriodKey(row["siren"], Role(row["role"]), kind, row["start"]), due=due, now=now)


def _audit(connection: Connection, row: RowMapping | dict[str, Any], what: str, *, at: datetime, **told: str) -> None:
    period = {"role": row["role"], "kind": row["kind"], "from": row["start"].isoformat(), "type": row["type_code"]}
    audit.record(connection, row["siren"], what, about=row["identifier"], at=at, **period, **told)


def _give(home: Home, connection: Connection, row: RowMapping | dict[str, Any], flow_type: str, **file: str) -> None:
    """The company finds the file among its flows."""
    flows.give(
        connection,
        siren=row["siren"],
        flow_type=flow_type,
        invoice_id=None,
        origin="platform",
        now=home.actor.clock(),
        **file,
    )
