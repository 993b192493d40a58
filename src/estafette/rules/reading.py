"""Bytes to a parsed document, with the refusals of `formats.xml` said as findings."""

import re

from lxml import etree

from estafette.formats.xml import TOO_BIG, Unreadable, parse
from estafette.rules.own import own_finding
from estafette.rules.verdict import Finding
from estafette.values.limits import XML_DEPTH_MAX

PLAIN_BYTES_MAX = 1_000_000
"""A document that small cannot hold more elements or attributes than the limits allow."""

_PLAIN = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:[A-Z_a-z]|\?xml(?:(?!encoding)[^>])*"
    rb"(?:encoding\s*=\s*[\"'](?:utf-8|us-ascii|iso-8859-\d+)[\"'](?:(?!encoding)[^>])*)?\?>)",
    re.IGNORECASE,
)
"""How a document begins whose letters are those of ASCII: an element, or a declaration without a stranger encoding."""

_TOO_DEEP = etree.XPath("/*" * (XML_DEPTH_MAX + 1))
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
)


class RefusedError(Exception):
    """The bytes are not a document that we judge; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.id)
        self.finding = finding


def read(data: bytes) -> etree._ElementTree:
    """Parse a document; raise `RefusedError` when it is not XML, carries a DOCTYPE, or passes a limit."""
    tree = _plain(data)
    if tree is not None:
        return tree
    try:
        return parse(data)
    except Unreadable as error:
        raise RefusedError(refusal(error)) from error


def _plain(data: bytes) -> etree._ElementTree | None:
    """Parse the common case at once: small, in a character set that extends ASCII, without the letters of a DOCTYPE.

    Anything else, and anything that goes wrong, is left to `formats.xml`, which looks at the prolog first.
    """
    if len(data) > PLAIN_BYTES_MAX or b"<!DOCTYPE" in data or not _PLAIN.match(data):
        return None
    try:
        tree = etree.fromstring(data, _PARSER).getroottree()
    except etree.XMLSyntaxError:
        return None
    return None if _TOO_DEEP(tree) else tree


def refusal(error: Unreadable) -> Finding:
    """Say as a finding why a document cannot be read."""
    line = error.where.partition(",")[0].removeprefix("line ")
    identifier = "EST-LIMIT" if error.code == TOO_BIG else "EST-XML"
    if error.where.startswith("<!DOCTYPE"):
        identifier = "EST-DOCTYPE"
    return own_finding(identifier, value=error.reason_fr, line=int(line) if line.isdecimal() else None)
