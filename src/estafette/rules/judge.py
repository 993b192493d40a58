"""The chain of judgement: open the container, read, recognise, follow the schema, then run the sheets."""

import gc
from datetime import date

import msgspec
from lxml import etree

from estafette.formats.xml import is_pdf
from estafette.rules.catalogue import Pack, schema_for
from estafette.rules.causes import grouped
from estafette.rules.container import PdfRefusedError, unwrap, wrapping_findings
from estafette.rules.engine import engine_of
from estafette.rules.own import own_finding
from estafette.rules.reading import RefusedError, read
from estafette.rules.recognition import recognise
from estafette.rules.schema import schema_findings
from estafette.rules.shelf import judging_packs
from estafette.rules.tree import fell, plant
from estafette.rules.verdict import Finding, Severity, Verdict, verdict


def check(data: bytes, *, on: date | None = None, packs: tuple[Pack, ...] | None = None) -> Verdict:
    """Judge a document, XML or PDF, as of that day; without a day, as of the newest packs as published.

    `packs` judge instead of those that the catalogue gives. Never raises on any bytes: what cannot be read is rejected
    with a finding of our prefix `EST-`.
    """
    if is_pdf(data):
        return _check_pdf(data, on, packs)
    return _check_xml(data, on, packs)


def check_parsed(tree: etree._ElementTree, *, on: date | None = None) -> Verdict:
    """Judge a document of which the tree was built by `formats.xml`, which is left as it was."""
    return _check_tree(tree, on, None)


def _check_pdf(data: bytes, on: date | None, chosen: tuple[Pack, ...] | None) -> Verdict:
    try:
        wrapping = unwrap(data)
    except PdfRefusedError as refused:
        return verdict(findings=(refused.finding,))
    inner = _check_xml(wrapping.xml, on, chosen)
    return verdict(
        syntax=inner.syntax,
        profile=inner.profile,
        packs=inner.packs,
        schema=inner.schema,
        findings=wrapping_findings(wrapping, inner.profile) + inner.findings,
    )


def _check_xml(data: bytes, on: date | None, chosen: tuple[Pack, ...] | None) -> Verdict:
    try:
        tree = read(data)
    except RefusedError as refused:
        return verdict(findings=(refused.finding,))
    return _check_tree(tree, on, chosen)


def _check_tree(tree: etree._ElementTree, on: date | None, chosen: tuple[Pack, ...] | None) -> Verdict:
    root = tree.getroot()
    kind = recognise(root)
    if kind is None:
        return verdict(findings=(own_finding("EST-SYNTAX", value=str(root.tag), path="/*", line=_line(root)),))
    schema = schema_findings(tree, schema_for(kind.syntax, kind.profile, kind.root))
    if schema:
        return verdict(syntax=kind.syntax, profile=kind.profile, schema=schema)
    packs = judging_packs(kind.syntax, kind.profile, on) if chosen is None else chosen
    found = [_dated(finding, pack, on) for pack, finding in _found(root, packs)]
    return verdict(
        syntax=kind.syntax,
        profile=kind.profile,
        packs=tuple(pack.coordinate for pack in packs),
        findings=grouped(tuple(sorted(found, key=_in_document_order))),
    )


def _found(root: etree._Element, packs: tuple[Pack, ...]) -> list[tuple[Pack, Finding]]:
    """Run the packs over one tree.

    The collector of cycles rests meanwhile: the tree is many small objects that all live to the end, and is undone by
    hand, so that a collection would look at each of them again and again for nothing (a fifth of the time).
    """
    resting = gc.isenabled()
    gc.disable()
    try:
        top = plant(root)
        found = [(pack, finding) for pack in packs for finding in engine_of(pack).judge(top)]
        fell(top)
    finally:
        if resting:
            gc.enable()
    return found


def _in_document_order(finding: Finding) -> tuple[bool, int, str]:
    """The fatal first, then by line, then by identifier."""
    return finding.severity is Severity.WARNING, finding.line or 0, finding.id


def _dated(finding: Finding, pack: Pack, on: date | None) -> Finding:
    """Return the finding with the severity that it has on that day."""
    for overlay in pack.overlays:
        if on is not None and overlay.applies(finding.id, on):
            return msgspec.structs.replace(finding, severity=overlay.severity)
    return finding


def _line(element: etree._Element) -> int | None:
    return element.sourceline if isinstance(element.sourceline, int) else None
