"""What a document is and whether it can be taken: the pure part of intake and of reception.

An unreadable document is refused (technical, IRR_*); a readable one is judged by the official rules; what those cannot
know (who deposits, what was already had, the directory, the clock) is for the platform.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from estafette.formats import read, read_parsed
from estafette.formats.xml import DAMAGED, OTHER_KIND, Syntax, Unreadable, is_pdf, parse, recognise, syntax_of
from estafette.invoice.model import Invoice
from estafette.lifecycle.reasons import reason_of
from estafette.platform import attachments
from estafette.platform.flows import Refusal
from estafette.rules import Finding, Severity, Verdict, check, check_parsed

ACKNOWLEDGEMENT_OF = {
    "IRR_VIDE_F": "EmptyFlow",
    "IRR_SYNTAX": "InvalidSchema",
    "IRR_TYPE_F": "FlowTypeError",
    "IRR_TAILLE_F": "FileSizeExceeded",
    "IRR_VID_PJ": "EmptyAttachement",  # spelled as published
    "IRR_EXT_DOC": "AttachmentTypeError",
    "IRR_TAILLE_PJ": "FileSizeExceeded",
    "IRR_ANTIVIRUS": "VirusFound",
}
"""Norm code to acknowledgement reason (XP Z12-013 §3.7, table 4)."""


FAULTS_MAX = 5
"""Rules quoted in a refusal, which is one line."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an invoice is rejected (213): the reason code, what failed and where, in both languages."""

    reason: str
    rule: str
    fr: str
    en: str
    terms: str = ""

    def row(self) -> dict[str, str]:
        """Return the fault as it is kept."""
        return {"reason": self.reason, "rule": self.rule, "fr": self.fr, "en": self.en, "terms": self.terms}


@dataclass(frozen=True, slots=True)
class Examined:
    """A document once looked at. `invoice` is None when it is not one or cannot be read."""

    syntax: Syntax
    invoice: Invoice | None
    faults: tuple[Fault, ...]
    refusal: Refusal | None

    @property
    def irreceivable(self) -> str | None:
        """The IRR_* code of a refusal."""
        return self.refusal.details.get("irr") if self.refusal else None


def examine(data: bytes, *, on: date) -> Examined:
    """Return what the document is and what the rules of the day say of it. Never raises on what `data` holds."""
    try:
        if is_pdf(data):
            return _examined(Syntax.FACTURX, read(data), lambda: check(data, on=on))
        tree = parse(data)
        syntax = syntax_of(tree)
        if syntax is Syntax.UNKNOWN:
            return refused(syntax, OTHER_KIND, "ni facture ni statut / neither invoice nor status")
        if syntax is Syntax.FRR:
            return _judged_report(check_parsed(tree, on=on))
        if syntax is Syntax.CDAR:
            return Examined(syntax, None, (), None)
        return _examined(syntax, read_parsed(tree), lambda: check_parsed(tree, on=on))
    except Unreadable as unreadable:
        return refused(recognise(data), unreadable.code, f"{unreadable.reason_fr} / {unreadable.reason_en}")


def _examined(syntax: Syntax, invoice: Invoice, judge: Callable[[], Verdict]) -> Examined:
    if why := attachments.wrong(invoice):
        code, fr, en = why
        return refused(syntax, code, f"{fr} / {en}")
    return _judged(syntax, invoice, judge())


def _judged_report(verdict: Verdict) -> Examined:
    """Return what the schema and the rules say of a transmission of e-reporting (Flow 10)."""
    if verdict.schema:
        return refused(Syntax.FRR, DAMAGED, " ; ".join(map(_schema_fault, verdict.schema[:FAULTS_MAX])))
    return Examined(Syntax.FRR, None, tuple(faults_of(verdict)), None)


def _judged(syntax: Syntax, invoice: Invoice, verdict: Verdict) -> Examined:
    """Return what the rules say of an invoice; one that cannot be named, of which nobody can be told, is refused."""
    if verdict.schema:
        return refused(syntax, DAMAGED, " ; ".join(map(_schema_fault, verdict.schema[:FAULTS_MAX])))
    faults = tuple(faults_of(verdict))
    if not (invoice.number and invoice.issue_date):
        told = "; ".join(f"{fault.rule} {fault.fr} / {fault.en}" for fault in faults[:FAULTS_MAX])
        return refused(syntax, DAMAGED, told or "BT-1, BT-2 : absents ou illisibles / missing or unreadable")
    return Examined(syntax, invoice, faults, None)


def _schema_fault(finding: Finding) -> str:
    """Say where, what was seen, what the schema says, what to do in both languages."""
    place = f"{finding.path} (l. {finding.line})" if finding.line else finding.path
    seen = f" [{finding.value[:80]}]" if finding.value else ""
    remedy = " / ".join(filter(None, (finding.remedy_fr, finding.remedy_en)))
    return f"{place}{seen} : {finding.message}" + (f" → {remedy}" if remedy else "")


def faults_of(verdict: Verdict) -> Sequence[Fault]:
    """Return one fault for each fatal finding, under the reason code it falls in."""
    fatal = [finding for finding in verdict.findings if finding.severity is Severity.FATAL]
    return [
        Fault(
            reason=reason_of([finding.id]),
            rule=finding.id,
            fr=finding.remedy_fr or finding.message,
            en=finding.remedy_en or finding.message,
            terms=", ".join(finding.terms) or finding.path,
        )
        for finding in fatal
    ]


def refused(syntax: Syntax, code: str, text: str) -> Examined:
    """Return that a file is irreceivable, under the field's code (IRR_*) and that of the acknowledgement."""
    reason = ACKNOWLEDGEMENT_OF.get(code, "OtherTechnicalError")
    return Examined(syntax, None, (), Refusal(reason, f"{code}: {text}", details={"irr": code}))
