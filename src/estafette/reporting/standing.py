"""Which transmission of a period stands, of all that were accepted: the same whatever the order in which they came.

A corrective one cancels and replaces all that was sent for the same declarant, role, kind and period (external
specifications v3.2, §3.7.7); of two, the one that was made last (TT-3), then the one whose identifier is last.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from estafette.formats.flux10 import Report

CORRECTIVE = "RE"

Rank = tuple[bool, datetime, str]


def rank(type_code: str, issued_at: datetime | None, identifier: str) -> Rank:
    """Return what orders the transmissions of one period; one without a moment comes before every other."""
    return type_code == CORRECTIVE, issued_at or datetime.min.replace(tzinfo=UTC), identifier


def standing(reports: Iterable[Report]) -> tuple[Report, ...]:
    """Return the transmissions that stand, one for each declarant, role, kind and period."""
    held: dict[tuple[object, ...], Report] = {}
    for report in reports:
        key = (report.declarant, report.role, report.kind, report.start, report.end)
        before = held.get(key)
        if before is None or _rank(report) > _rank(before):
            held[key] = report
    return tuple(held[key] for key in sorted(held, key=repr))


def _rank(report: Report) -> Rank:
    return rank(report.type_code, report.issued_at, report.identifier)
