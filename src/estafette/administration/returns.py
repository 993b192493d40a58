"""VAT returns prepared from what was told: which company and month, the form, and what one invoice puts on it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from estafette.administration.facts import documents_of, reports_of, statuses_of, told_of
from estafette.administration.files import plain
from estafette.formats.flux10 import Report
from estafette.vat.events import Event, Side
from estafette.vat.exigibility import ended_keys, exigibility, to_confirm
from estafette.vat.facts import Document, DocumentKey, Status
from estafette.vat.forms import NoForm
from estafette.vat.reported import events_of
from estafette.vat.returns import Month, Return, fill


@dataclass(frozen=True, slots=True)
class Summary:
    """A return that has something in it, in whole euros."""

    siren: str
    month: Month
    due: int
    deductible: int
    to_confirm: int


def prepare(connection: Connection, siren: str, month: Month, *, as_of: date) -> Return:
    """Fill the return of this company for this month from what is known now. Raises: NoForm."""
    documents, statuses = documents_of(connection, siren), statuses_of(connection, siren)
    reports = reports_of(connection, siren)
    return fill(documents, statuses, siren=siren, month=month, as_of=as_of, reports=reports)


def summaries(connection: Connection, *, as_of: date) -> list[Summary]:
    """Return every return that has something in it, newest month first, then by company.

    Reads every fact: a pilot's worth. A month without a known form is left out.
    """
    documents, statuses, reports = documents_of(connection), statuses_of(connection), reports_of(connection)
    events = exigibility(documents, statuses, as_of=as_of)
    wanted = {(siren, Month(event.on.year, event.on.month)) for event in events for siren in _declarants(event)}
    for document, _ in to_confirm(documents, statuses, events):
        month = Month(document.issue_date.year, document.issue_date.month)
        wanted |= {(document.taxpayer, month), (document.buyer, month)}
    reported: dict[str, list[Report]] = defaultdict(list)
    for report in reports:
        reported[report.declarant].append(report)
    for siren, some in reported.items():
        wanted |= {(siren, Month(event.on.year, event.on.month)) for event in events_of(some)}
    held, told = _by_company(documents), _by_invoice(statuses)
    order = sorted(wanted, key=lambda each: (-each[1].year, -each[1].month, each[0]))
    filled = (
        _filled((held[siren], _about(held[siren], told), reported[siren]), siren=siren, month=month, as_of=as_of)
        for siren, month in order
    )
    return [summary for prepared in filled if prepared and (summary := _summary(prepared))]


def _declarants(event: Event) -> tuple[str, ...]:
    document = event.document
    return (document.buyer,) if event.side is Side.BUYER else (document.taxpayer, document.buyer)


def _by_company(documents: list[Document]) -> dict[str, list[Document]]:
    held: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        for siren in {document.seller, document.taxpayer, document.buyer}:
            held[siren].append(document)
    return held


def _by_invoice(statuses: list[Status]) -> dict[DocumentKey, list[Status]]:
    told: dict[DocumentKey, list[Status]] = defaultdict(list)
    for status in statuses:
        told[status.key].append(status)
    return told


def _about(documents: list[Document], told: dict[DocumentKey, list[Status]]) -> list[Status]:
    """Return the statuses of these documents: those of others would be read again for each company and month."""
    return [status for key in {document.key for document in documents} for status in told.get(key, ())]


def _filled(
    facts: tuple[list[Document], list[Status], list[Report]], *, siren: str, month: Month, as_of: date
) -> Return | None:
    documents, statuses, reports = facts
    try:
        return fill(documents, statuses, siren=siren, month=month, as_of=as_of, reports=reports)
    except NoForm:
        return None


def _summary(prepared: Return) -> Summary | None:
    if not prepared.cells and not prepared.residuals:
        return None
    due, deductible = prepared.cell("16").amount, prepared.cell("23").amount
    return Summary(prepared.siren, prepared.month, due, deductible, len(prepared.residuals))


def effect_of(connection: Connection, key: DocumentKey, *, as_of: date) -> dict[str, Any] | None:
    """Return what is known of one invoice and what it puts on the returns, as JSON; None when nothing is known.

    `lines` names the cells, exact amounts and rules on the seller's and the buyer's returns. `ended` is true once
    refused or rejected.
    """
    rows, statuses = told_of(connection, key)
    if not rows and not statuses:
        return None
    told: dict[str, Any] = {"key": key._asdict(), "ended": bool(ended_keys(statuses)), "data": None, "lines": []}
    told["statuses"] = [plain(status) for status in statuses]
    if rows:
        first = rows[0]
        told |= {"data": first["data"], "platform": first["platform"], "accepted_at": first["accepted_at"].isoformat()}
        told["other_versions"] = len(rows) - 1
        told["lines"] = _lines_of(connection, key, (first["taxpayer"], first["buyer"]), as_of)
    return told


def _lines_of(connection: Connection, key: DocumentKey, sirens: tuple[str, str], as_of: date) -> list[dict[str, Any]]:
    lines = []
    for siren in dict.fromkeys(sirens):
        documents, statuses = documents_of(connection, siren), statuses_of(connection, siren)
        events = exigibility(documents, statuses, as_of=as_of)
        months = {Month(event.on.year, event.on.month) for event in events if event.document.key == key}
        for month in sorted(months):
            lines += _cells_with(fill(documents, statuses, siren=siren, month=month, as_of=as_of), key)
    return lines


def _cells_with(prepared: Return, key: DocumentKey) -> list[dict[str, Any]]:
    return [
        {
            "siren": prepared.siren, "month": str(prepared.month), "line": cell.line, "column": cell.column.value,
            "amount": str(evidence.amount), "rule": evidence.rule, "on": evidence.on.isoformat(),
            "certainty": evidence.certainty.value,
        }
        for cell in prepared.cells
        for evidence in cell.evidence
        if evidence.document == key
    ]  # fmt: skip


def as_json(prepared: Return) -> dict[str, Any]:
    """Return the whole return as JSON: whole euros per cell, exact amounts and evidence beside."""
    cells = [
        {
            "line": cell.line, "column": cell.column.value, "amount": cell.amount, "exact": str(cell.exact),
            "total_of": cell.total_of, "evidence": [_evidence_json(evidence) for evidence in cell.evidence],
        }
        for cell in prepared.cells
    ]  # fmt: skip
    residuals = [
        {**each.document._asdict(), "on": each.on.isoformat(), "amount": str(each.amount), **each.reason._asdict()}
        for each in prepared.residuals
    ]
    head = {"siren": prepared.siren, "month": str(prepared.month), "form": prepared.form.code}
    return {**head, "as_of": prepared.as_of.isoformat(), "cells": cells, "residuals": residuals}


def _evidence_json(evidence: Any) -> dict[str, Any]:
    return {
        **evidence.document._asdict(), "rule": evidence.rule, "on": evidence.on.isoformat(),
        "amount": str(evidence.amount), "certainty": evidence.certainty.value, "message_id": evidence.message_id,
        "reported": plain(evidence.reported) if evidence.reported else None,
    }  # fmt: skip
