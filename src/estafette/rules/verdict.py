"""The answer of the engine: a verdict holds findings, a finding says what, where, seen, and what to do."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How much a finding weighs: one fatal finding rejects the document."""

    FATAL = "fatal"
    WARNING = "warning"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong in a document, at one place.

    `id` is the official identifier of the assertion (BR-CO-15, BR-FR-10_BT-30), or ours when it begins with `EST-`;
    it is `?` where the official artefact gives none. `terms` are business terms (BT-1, BG-23, EXT-FR-FE-136, MDT-91).
    `path` is an XPath with the usual prefixes, `line` the source line (None when unknown). `value` is what was seen
    there. `message` is the official text, in its own language. `pack` is the coordinate of the pack that says so.
    `cause` names the finding of the same verdict that this one follows from, or is empty.
    """

    id: str
    severity: Severity
    terms: tuple[str, ...] = ()
    path: str = ""
    line: int | None = None
    value: str = ""
    message: str = ""
    remedy_fr: str = ""
    remedy_en: str = ""
    pack: str = ""
    cause: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the law says of one document, as a whole.

    `syntax` is UBL, CII, CDAR, FLUX10 or empty when unknown; `profile` the profile judged (EN16931, EXTENDED, CDV …).
    `packs` are the coordinates of the packs that were run. When `schema` holds findings the rules were not run, as in
    the official chain. `fatal` and `warning` are the sets of identifiers of `findings`.
    """

    accepted: bool
    syntax: str = ""
    profile: str = ""
    packs: tuple[str, ...] = ()
    schema: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()
    fatal: frozenset[str] = frozenset()
    warning: frozenset[str] = frozenset()


def verdict(
    *,
    syntax: str = "",
    profile: str = "",
    packs: tuple[str, ...] = (),
    schema: tuple[Finding, ...] = (),
    findings: tuple[Finding, ...] = (),
) -> Verdict:
    """Make the verdict that the findings impose: accepted when the schema is silent and nothing is fatal."""
    fatal = frozenset(finding.id for finding in findings if finding.severity is Severity.FATAL)
    return Verdict(
        accepted=not schema and not fatal,
        syntax=syntax,
        profile=profile,
        packs=packs,
        schema=schema,
        findings=findings,
        fatal=fatal,
        warning=frozenset(finding.id for finding in findings if finding.severity is Severity.WARNING),
    )
