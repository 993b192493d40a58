"""A verdict written for its reader: lines for a terminal, one JSON object for a machine, a page for a browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import msgspec

from estafette.rules.verdict import Finding, Severity, Verdict

SHOWN_MAX = 40
"""Findings shown for one document on a terminal; the JSON and the page hold them all."""


def as_json(name: str, verdict: Verdict) -> bytes:
    """Write a verdict as one line of JSON, the fields of `Verdict` after the name of the file, sets sorted."""
    fields: Mapping[str, Any] = msgspec.to_builtins(verdict)
    sets = {"fatal": sorted(verdict.fatal), "warning": sorted(verdict.warning)}
    return msgspec.json.encode({"file": name} | dict(fields) | sets)


def as_text(name: str, verdict: Verdict) -> str:
    """Write a verdict as lines to be read: the answer, then each finding with where, seen and what to do."""
    answer = "ACCEPTÉ" if verdict.accepted else "REJETÉ"
    kind = " · ".join(word for word in (verdict.syntax, verdict.profile) if word)
    lines = [f"{answer:8} {name}  [{kind or 'illisible / unreadable'}]"]
    roots = [finding for finding in (*verdict.schema, *verdict.findings) if not finding.cause]
    followers = _followers(verdict)
    for finding in roots[:SHOWN_MAX]:
        lines += _finding_lines(finding, followers.get(finding.id, 0))
    if len(roots) > SHOWN_MAX:
        lines.append(f"    … {len(roots) - SHOWN_MAX} autres / more")
    return "\n".join(lines)


def _followers(verdict: Verdict) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in verdict.findings:
        if finding.cause:
            counts[finding.cause] = counts.get(finding.cause, 0) + 1
    return counts


def _finding_lines(finding: Finding, followers: int) -> list[str]:
    mark = "✗" if finding.severity is Severity.FATAL else "!"
    terms = f" ({', '.join(finding.terms)})" if finding.terms else ""
    place = f"{finding.path}" + (f", ligne {finding.line}" if finding.line else "")
    lines = [f"  {mark} {finding.id}{terms}", f"      {finding.message}"]
    if finding.value:
        lines.append(f"      vu / seen : {finding.value}")
    if place:
        lines.append(f"      où / where : {place}")
    if finding.remedy_fr:
        lines += [f"      → {finding.remedy_fr}", f"        {finding.remedy_en}"]
    if followers:
        lines.append(f"      + {followers} constat(s) qui en découlent / finding(s) that follow from it")
    return lines


def totals(verdicts: Iterable[Verdict]) -> str:
    """Write how many documents were accepted, rejected and not readable."""
    accepted = rejected = unreadable = 0
    for verdict in verdicts:
        accepted += verdict.accepted
        unreadable += not verdict.syntax
        rejected += not verdict.accepted and bool(verdict.syntax)
    return (
        f"{accepted} accepté(s), {rejected} rejeté(s), {unreadable} illisible(s)"
        f" / accepted, rejected, unreadable of {accepted + rejected + unreadable}"
    )


STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h2{margin:2rem 0 .3rem;font-size:1.1rem}.ok{color:#176b2c}.no{color:#a11212}"
    "li{margin:.8rem 0}code{background:#f2f2f2;padding:0 .2rem}.then{margin-left:1.5rem;color:#555}"
    "p{margin:.2rem 0}"
)


def as_html(verdicts: Iterable[tuple[str, Verdict]]) -> str:
    """Write verdicts as one page that asks nothing of the network."""
    judged = list(verdicts)
    sections = "".join(_section(name, verdict) for name, verdict in judged)
    summary = escape(totals(verdict for _, verdict in judged))
    return (
        "<!DOCTYPE html><html lang='fr'><meta charset='utf-8'><title>Estafette — contrôle</title>"
        f"<style>{STYLE}</style><h1>Contrôle de factures</h1><p>{summary}</p>{sections}</html>"
    )


def _section(name: str, verdict: Verdict) -> str:
    answer = "<span class='ok'>acceptée</span>" if verdict.accepted else "<span class='no'>rejetée</span>"
    kind = escape(f"{verdict.syntax} {verdict.profile} · {', '.join(verdict.packs)}")
    roots = [finding for finding in (*verdict.schema, *verdict.findings) if not finding.cause]
    items = "".join(_item(finding, verdict) for finding in roots)
    return f"<h2>{escape(name)} : {answer}</h2><p>{kind}</p><ul>{items}</ul>"


def _item(finding: Finding, verdict: Verdict) -> str:
    place = escape(finding.path) + (f", ligne {finding.line}" if finding.line else "")
    seen = f"<p>Vu : <code>{escape(finding.value)}</code></p>" if finding.value else ""
    then = [other for other in verdict.findings if other.cause == finding.id]
    follow = "".join(f"<p class='then'>{escape(other.id)} : {escape(other.message)}</p>" for other in then)
    terms = f" ({escape(', '.join(finding.terms))})" if finding.terms else ""
    remedy = f"<p>→ {escape(finding.remedy_fr)}</p><p lang='en'>→ {escape(finding.remedy_en)}</p>"
    return (
        f"<li class='{finding.severity}'><strong>{escape(finding.id)}</strong>{terms}<p>{escape(finding.message)}</p>"
        f"{seen}<p><code>{place}</code></p>{remedy if finding.remedy_fr else ''}{follow}</li>"
    )
