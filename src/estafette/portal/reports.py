"""Transmissions of e-reporting at the concentrator: controlled in the same stages as the rest, answered 300 or 301.

Stage 2 is the official schema: one bad file makes the envelope irreceivable. Stage 3 is the official rules, then the
period and the dates, then what the portal knows: the declarant, the platform, what was transmitted before. An initial
transmission comes once for a period; a corrective one replaces what stands, which stays in the records. What is
accepted is told to the administration as a fact.
"""

import hashlib
from asyncio import to_thread
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from estafette.formats import flux10
from estafette.formats.envelope import Irreceivable
from estafette.formats.flux10 import Head, Report, Role
from estafette.formats.xml import DAMAGED, Unreadable
from estafette.lifecycle.guards import Refusal
from estafette.lifecycle.messages import about_object
from estafette.lifecycle.statuses import ObjectKind
from estafette.portal import feed, held
from estafette.portal.concentrator import answer_flow
from estafette.portal.examination import Controlled, refused
from estafette.portal.facts import accept_report
from estafette.portal.feed import Fact
from estafette.portal.hall import Came, Hall
from estafette.portal.stages import Flow, bounds_of, flow_of, in_turn, members, scan
from estafette.portal.tally import Tally, begun, write
from estafette.reporting.calendar import last_due
from estafette.reporting.controls import COHERENCE, SEMANTIC, UNIQUE, control, invoice_key, repeated_invoice
from estafette.rules.verdict import Severity, Verdict
from estafette.store import sequences
from estafette.store.jobs import Job
from estafette.store.worker import Apply
from estafette.values.moments import paris_day

ANSWER_TO_REPORTS = "FFE0624A"
READ_HERE_BYTES = 16 * 1024
"""Up to here a transmission is read in less time than another thread takes to be asked: a millisecond."""
FINDINGS_MAX = 50
"""Rules told in one rejection."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A file of an envelope: what names it, what it says when it can be read, what its content breaks."""

    file: str
    sha256: str
    head: Head
    report: Report | None
    refusals: tuple[Refusal, ...]


async def control_reports(hall: Hall, job: Job) -> Apply:
    """The envelope of transmissions is controlled and answered."""
    flow = flow_of(hall, job)
    name, matricule = flow.name, flow.partner
    async with in_turn(hall, flow):
        judged, faults = await _all_judged(hall, flow)
    controlled = refused(name, faults) if faults else Controlled()

    def apply(connection: Connection) -> None:
        partner, tally = answer_flow(hall, connection, name, matricule, controlled), begun(controlled)
        held.foresee_reports(connection, [each.report for each in judged if each.report is not None])
        taken = (_take(hall, connection, Came(partner, name, each.file, each.sha256), each, tally) for each in judged)
        feed.tell(hall, connection, matricule, [fact for fact in taken if fact])
        write(connection, name, matricule, tally, now=hall.actor.clock())

    return apply


async def _all_judged(hall: Hall, flow: Flow) -> tuple[list[Judged], list[Irreceivable]]:
    """Return every file of an envelope judged, or why it is irreceivable (stages 1 and 2)."""
    judged, faults = [], []
    try:
        bounds = bounds_of(hall, flow)
        await scan(hall, flow, bounds)
        async for member, content in members(flow, bounds):
            try:
                judged.append(await _judged(hall, member, content))
            except Irreceivable as fault:
                faults.append(fault)
    except Irreceivable as damage:
        faults = [damage]
    return ([], faults) if faults else (judged, [])


async def _judged(hall: Hall, file: str, content: bytes) -> Judged:
    """Judge one file. Raises: Irreceivable, when it is no transmission or breaks the schema."""
    verdict = await hall.judge(content)
    if verdict.syntax != "FLUX10" or verdict.schema:
        broken = verdict.schema[0] if verdict.schema else verdict.findings[0] if verdict.findings else None
        seen = f" {broken.path} : {broken.message}" if broken else ""
        fr, en = f"Hors du schéma du flux 10.{seen}", f"Against the schema of Flow 10.{seen}"
        raise Irreceivable(DAMAGED, fr, en, file)
    refusals = tuple(_broken_rules(verdict))
    head, report = await _read(content)
    if isinstance(report, Unreadable):
        place = (report.where,)
        refusals += (Refusal(SEMANTIC, "G1.09", report.reason_fr, report.reason_en, place),)
    readable = None if isinstance(report, Unreadable) else report
    return Judged(file, hashlib.sha256(content).hexdigest(), head, readable, refusals)


async def _read(content: bytes) -> tuple[Head, Report | Unreadable]:
    """Read a transmission, a long one away from the event loop."""
    if len(content) > READ_HERE_BYTES:
        return await to_thread(flux10.read_named, content)
    return flux10.read_named(content)


def _broken_rules(verdict: Verdict) -> Iterator[Refusal]:
    fatal = [finding for finding in verdict.findings if finding.severity is Severity.FATAL]
    for finding in fatal[:FINDINGS_MAX]:
        seen = f" [{finding.value[:80]}]" if finding.value else ""
        fr, en = finding.remedy_fr or finding.message, finding.remedy_en or finding.message
        yield Refusal(SEMANTIC, finding.id, f"{fr}{seen}", f"{en}{seen}", (finding.path,))


def _take(hall: Hall, connection: Connection, came: Came, judged: Judged, tally: Tally) -> Fact | None:
    now = hall.actor.clock()
    refusals = judged.refusals
    if judged.report is not None:
        refusals += tuple(_refusals(connection, came, judged.report, on=paris_day(now)))
    tally.add(refusals, is_late=judged.report is not None and _is_late(judged.report, now))
    number = sequences.draw(connection, "answer")
    answer = about_object(
        ObjectKind.TRANSMISSION,
        identifier=f"{ANSWER_TO_REPORTS}_{hall.application_code}_{number:019d}",
        object_identifier=judged.head.identifier,
        object_siren=judged.head.declarant,
        object_issued=judged.head.issued_at,
        recipient=came.partner.matricule,
        received_at=now,
        at=now,
        refusals=refusals,
        portal=hall.matricule,
    )
    hall.answer(connection, came.partner, ANSWER_TO_REPORTS, answer)
    if judged.report is None or refusals:
        return None
    return accept_report(hall, connection, came, judged.report)


def _is_late(report: Report, now: datetime) -> bool:
    """Tell whether an initial transmission comes past the last term that its period may have (table 13)."""
    limit = None if report.is_corrective else last_due(report.kind, report.start, report.end)
    return limit is not None and now > limit


def _refusals(connection: Connection, came: Came, report: Report, *, on: date) -> Iterable[Refusal]:
    """Tell what stage 3 finds beyond the official rules."""
    for anomaly in control(report, on=on):
        yield Refusal(anomaly.reason, anomaly.rule, anomaly.fr, anomaly.en, anomaly.terms)
    if report.platform != came.partner.matricule:
        fr, en = f"L'émetteur {report.platform} n'est pas", f"Sender {report.platform} is not"
        matricule = came.partner.matricule
        yield Refusal(COHERENCE, "G6.22", f"{fr} {matricule}.", f"{en} {matricule}.", ("TT-8",))
    if not held.is_unit(connection, report.declarant):
        fr, en = f"Déclarant {report.declarant} inconnu.", f"Declarant {report.declarant} unknown."
        yield Refusal(COHERENCE, "G6.26", fr, en, ("TT-13",))
    yield from _had(connection, report)
    yield from _repeated(connection, report)


def _had(connection: Connection, report: Report) -> Iterator[Refusal]:
    """Tell what those of the period forbid: the same one again, a second initial, a correction of nothing."""
    had = held.transmissions_of(connection, report)
    if any(one.identifier == report.identifier for one in had):
        fr, en = "Transmission déjà reçue pour cette période.", "Transmission already had for this period."
        yield Refusal(UNIQUE, "G8.05", fr, en, ("TT-1", "TT-13"))
        return
    stands = any((one.role, one.kind) == (report.role, report.kind) for one in had)
    if stands and not report.is_corrective:
        fr = "La période a déjà une transmission initiale : une rectificative (RE) la remplace."
        en = "The period has an initial transmission already: a corrective one (RE) replaces it."
        yield Refusal(UNIQUE, "EST-SECOND-IN", fr, en, ("TT-4",))
    if report.is_corrective and not stands:
        fr = "Rien n'a été accepté pour la période : une transmission initiale (IN) est attendue."
        en = "Nothing was accepted for the period: an initial transmission (IN) is expected."
        yield Refusal(COHERENCE, "EST-RE-OF-NOTHING", fr, en, ("TT-4",))


def _repeated(connection: Connection, report: Report) -> Iterator[Refusal]:
    """Tell the invoices that a transmission of another period already reports, and that stands (G1.42)."""
    if report.role is not Role.SELLER:
        return
    keys = list(filter(None, map(invoice_key, report.invoices)))
    elsewhere = held.reported_elsewhere(connection, report, keys)
    for seller, year, number in keys:
        if (seller, year, number) in elsewhere:
            anomaly = repeated_invoice(number, year)
            yield Refusal(anomaly.reason, anomaly.rule, anomaly.fr, anomaly.en, anomaly.terms)
