"""Bytes to a parsed document, with the refusals of `formats.xml` said as findings."""

from lxml import etree

from estafette.formats.xml import TOO_BIG, Unreadable, parse
from estafette.rules.own import own_finding
from estafette.rules.verdict import Finding


class RefusedError(Exception):
    """The bytes are not a document that we judge; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.id)
        self.finding = finding


def read(data: bytes) -> etree._ElementTree:
    """Parse a document; raise `RefusedError` when it is not XML, carries a DOCTYPE, or passes a limit."""
    try:
        return parse(data)
    except Unreadable as error:
        raise RefusedError(refusal(error)) from error


def refusal(error: Unreadable) -> Finding:
    """Say as a finding why a document cannot be read."""
    line = error.where.partition(",")[0].removeprefix("line ")
    identifier = "EST-LIMIT" if error.code == TOO_BIG else "EST-XML"
    if error.where.startswith("<!DOCTYPE"):
        identifier = "EST-DOCTYPE"
    return own_finding(identifier, value=error.reason_fr, line=int(line) if line.isdecimal() else None)
