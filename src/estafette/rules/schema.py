"""The schema of a syntax, loaded once per process, applied to a parsed document."""

from collections.abc import Iterable
from functools import cache
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, cast

from lxml import etree

from estafette.rules.own import own_finding
from estafette.rules.verdict import Finding

FINDINGS_MAX = 50
_LOCK = Lock()
"""A schema keeps the errors of its last document: no other may come between the answer and its reasons."""


@cache
def _schema(path: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(path)))


def schema_findings(tree: etree._ElementTree, path: Path) -> tuple[Finding, ...]:
    """Return what breaks the schema, in document order, at most 50; empty when the document follows it."""
    schema = _schema(path)
    with _LOCK:
        if schema.validate(tree):
            return ()
        entries = list(islice(cast(Iterable[Any], schema.error_log), FINDINGS_MAX))
    return tuple(
        own_finding("EST-XSD", value=entry.message, path=entry.path or "", line=entry.line or None) for entry in entries
    )
