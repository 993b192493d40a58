"""The official sheets run as they are, by Saxon: the judge that the compiled engine is compared with."""

import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from estafette.rules.catalogue import Pack
from estafette.rules.own import own_finding
from estafette.rules.verdict import Finding, Severity

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
IDENTIFIER = re.compile(r"\[?((?:BR|CII|UBL|PEPPOL|FX|G)[A-Z0-9-]*-[A-Z0-9_./-]+|(?<=\[)[GPS][0-9]+\.[0-9]+)")
TERMS = re.compile(r"\b(?:BT|BG|MDT|MDG|TT|TG)-\d+(?:-\d+)?\b|\bEXT-FR-FE-(?:BG-)?\d+\b")


@cache
def _processor() -> Any:
    from saxonche import PySaxonProcessor

    return PySaxonProcessor(license=False)


@cache
def _sheet(path: Path) -> Any:
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


def official_findings(pack: Pack, data: bytes) -> tuple[Finding, ...]:
    """Return what the official sheet of a pack says of a document, or our own finding when the sheet crashes."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(data)
        file.flush()
        try:
            report = _sheet(pack.path).transform_to_string(source_file=file.name)
        except Exception as error:
            return (own_finding("EST-SHEET", value=str(error)),)
    if report is None:
        return (own_finding("EST-SHEET"),)
    reached = etree.fromstring(report.encode()).iter(SVRL + "failed-assert", SVRL + "successful-report")
    return tuple(_finding(pack, node) for node in reached)


def _finding(pack: Pack, node: etree._Element) -> Finding:
    message = " ".join("".join(str(text) for text in node.itertext()).split())
    identifier = node.get("id") or ""
    if not identifier:
        found = IDENTIFIER.search(message)
        identifier = found[1] if found else "?"
    level = (node.get("flag") or node.get("role") or "fatal").lower()
    return Finding(
        id=identifier,
        severity=Severity.WARNING if level.startswith(("warn", "info")) else Severity.FATAL,
        terms=tuple(dict.fromkeys(TERMS.findall(identifier + " " + message))),
        path=re.sub(r"\*:(\w+)\[namespace-uri\(\)='[^']*'\]", r"\1", node.get("location") or ""),
        message=message,
        pack=pack.coordinate,
    )


@pytest.fixture(scope="session")
def official() -> Callable[[Pack, bytes], tuple[Finding, ...]]:
    """What the official sheet of a pack says of a document."""
    return official_findings
