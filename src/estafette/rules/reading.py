"""Bytes to a parsed document, hostile or not: bounded, without entities, without access to anything outside."""

import contextlib
from typing import Any, NoReturn, cast

from lxml import etree

from estafette.rules.own import own_finding
from estafette.rules.verdict import Finding
from estafette.values.limits import FILE_BYTES_MAX, XML_DEPTH_MAX, XML_NODES_MAX


class XmlRefusedError(Exception):
    """The bytes are not a document that we read; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.id)
        self.finding = finding


class _Found(Exception):
    pass


class _Prolog:
    """A parser target that refuses a DOCTYPE and stops at the first element."""

    def doctype(self, *_: object) -> NoReturn:
        raise XmlRefusedError(own_finding("EST-DOCTYPE"))

    def start(self, *_: object) -> NoReturn:
        raise _Found

    def close(self) -> None:
        """Nothing was kept."""


def read(data: bytes) -> etree._ElementTree:
    """Parse a document; raise `XmlRefusedError` when it is not XML, carries a DOCTYPE, or passes a limit."""
    if len(data) > FILE_BYTES_MAX:
        raise XmlRefusedError(own_finding("EST-SIZE", value=str(len(data))))
    try:
        if b"<!DOCTYPE" in data or data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"encoding" in data[:200]:
            _refuse_doctype(data)
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=True,
            remove_comments=True,
            remove_pis=True,
        )
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else None
        raise XmlRefusedError(own_finding("EST-XML", value=str(error.msg), line=line)) from error
    _bound(root)
    return root.getroottree()


def _refuse_doctype(data: bytes) -> None:
    with contextlib.suppress(_Found):
        etree.fromstring(data, etree.XMLParser(target=cast(Any, _Prolog()), resolve_entities=False, no_network=True))


def _bound(root: etree._Element) -> None:
    count = depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        count += 1
        depth += 1
        if depth > XML_DEPTH_MAX:
            raise XmlRefusedError(own_finding("EST-DEPTH", line=element.sourceline))
        if count > XML_NODES_MAX:
            raise XmlRefusedError(own_finding("EST-NODES", line=element.sourceline))
