"""One mistake reads as one: findings that follow from another are put under it.

Two ways: the table below, and repetition (one rule that says the same in several places; each keeps its own place).
"""

from __future__ import annotations

import re

import msgspec

from estafette.rules.verdict import Finding

FOLLOWS: tuple[tuple[str, str], ...] = (
    (r"BR-09", r"BR-08"),
    (r"BR-11", r"BR-10"),
    (r"BR-20", r"BR-19"),
    (r"BR-CO-13", r"BR-CO-1[012]"),
    (r"BR-[A-Z]+-08", r"BR-CO-10"),
    (r"BR-[A-Z]+-09", r"BR-CO-17"),
    (r"BR-CO-14", r"BR-CO-17|BR-[A-Z]+-09"),
    (r"BR-CO-15", r"BR-CO-1[34]"),
    (r"BR-CO-16", r"BR-CO-15"),
    (r"BR-CO-18", r"BR-[A-Z]+-01"),
    (r"BR-CO-04", r"BR-CL-18"),
    (r"BR-CO-21", r"BR-33"),
    (r"BR-CO-22", r"BR-38"),
    (r"BR-CO-23", r"BR-42"),
    (r"BR-CO-24", r"BR-44"),
    (r"BR-FR-01_(?:BT|EXT).*-2", r"BR-FR-02_.*"),
    (r"BR-FR-04_.*", r"BR-CL-01"),
    (r"BR-FR-08_BT-151-2|BR-FR-15_.*_LM", r"BR-FR-15_.*"),
    (r"BR-FR-15_.*", r"BR-CL-1[78]"),
    (r"BR-FR-11_.*|BR-FR-21_.*|BR-FR-22_.*", r"BR-FR-32-LEGALID"),
    (r"BR-FR-10_.*", r"BR-FR-32-LEGALID"),
    (r"BR-FR-23_.*", r"BR-FR-2[12]_.*"),
    (r"BR-FR-DEC-01_.*|UBL-DT-01", r"BR-DEC-.*"),
    (r"BR-FR-CDV-CL-01_.*", r"BR-FR-CDV-02_.*"),
)
"""Identifier of a finding → identifier of what it follows from, when both are there."""

_FOLLOWS = tuple((re.compile(follower), re.compile(cause)) for follower, cause in FOLLOWS)


def grouped(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings, each that follows from another naming the first cause."""
    if len(findings) < 2:
        return findings
    present = dict.fromkeys(finding.id for finding in findings)
    direct = {identifier: _cause(identifier, list(present)) for identifier in present}
    roots = {identifier: _root(identifier, direct) for identifier in present}
    seen: set[tuple[str, str]] = set()
    made = []
    for finding in findings:
        cause = roots[finding.id] if roots[finding.id] != finding.id else ""
        key = (finding.id, finding.message)
        if not cause and key in seen:
            cause = finding.id
        seen.add(key)
        made.append(msgspec.structs.replace(finding, cause=cause) if cause else finding)
    return tuple(made)


def _cause(identifier: str, present: list[str]) -> str:
    for follower, cause in _FOLLOWS:
        if follower.fullmatch(identifier):
            found = next((other for other in present if other != identifier and cause.fullmatch(other)), "")
            if found:
                return found
    return ""


def _root(identifier: str, direct: dict[str, str]) -> str:
    walked = {identifier}
    while direct[identifier] and direct[identifier] not in walked:
        identifier = direct[identifier]
        walked.add(identifier)
    return identifier
