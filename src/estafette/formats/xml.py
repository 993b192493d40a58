"""XML read safely: bounded in size, depth and nodes, and refused before a tree is built when it brings a DOCTYPE.

No document of the field has a document type; one that has is an attack or a mistake, so entities never come into being.
Two parsers are run: the first looks at the prolog only and stops at the first element, the second builds the tree. A
document in UTF-8 whose bytes nowhere spell a document type is spared the first: it would find nothing.
Any character set that the document declares and keeps to is read (UTF-8, UTF-16, ISO-8859-1 …).

Errors: one, `Unreadable`, with the code that the field gives to inadmissible files (life cycle, status 501).
"""

import re
from enum import StrEnum

from lxml import etree

from estafette.values import limits

DAMAGED, EMPTY, OTHER_KIND, TOO_BIG = "IRR_SYNTAX", "IRR_VIDE_F", "IRR_TYPE_F", "IRR_TAILLE_F"
"""The reasons of inadmissibility of a file (external specifications v3.2, life cycle, status 501)."""

_TOO_DEEP = etree.XPath("/*" * (limits.XML_DEPTH_MAX + 1))
_SAFE = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": True}


class Unreadable(Exception):
    """The bytes are no document that can be read; nothing else can be said of them."""

    def __init__(self, code: str, reason_fr: str, reason_en: str, where: str = "") -> None:
        super().__init__(reason_en)
        self.code = code
        self.reason_fr = reason_fr
        self.reason_en = reason_en
        self.where = where
        """A line and a column, a path, or the name of a file inside the file; empty when the whole is meant."""

    def __str__(self) -> str:
        return f"{self.code}: {self.reason_en}" + (f" ({self.where})" if self.where else "")


class Syntax(StrEnum):
    """What a file is, by the names of the flow service (XP Z12-013)."""

    UBL = "UBL"
    CII = "CII"
    FACTURX = "Factur-X"
    CDAR = "CDAR"
    FRR = "FRR"
    UNKNOWN = "unknown"


_ROOTS = {
    "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice": Syntax.UBL,
    "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote": Syntax.UBL,
    "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice": Syntax.CII,
    "{urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100}"
    "CrossDomainAcknowledgementAndResponse": Syntax.CDAR,
    "Report": Syntax.FRR,
}


def recognise(data: bytes) -> Syntax:
    """Tell what a file is by its first bytes or its root element; UNKNOWN for anything else, however broken.

    >>> recognise(b"<Report/>"), recognise(b"%PDF-1.7"), recognise(b"PK")
    (<Syntax.FRR: 'FRR'>, <Syntax.FACTURX: 'Factur-X'>, <Syntax.UNKNOWN: 'unknown'>)
    """
    if is_pdf(data):
        return Syntax.FACTURX
    try:
        return _ROOTS.get(root_tag(data), Syntax.UNKNOWN)
    except Unreadable:
        return Syntax.UNKNOWN


def is_pdf(data: bytes) -> bool:
    """Tell whether the header of a PDF stands in the first 1024 bytes, as its readers allow (ISO 32000-1, annex H)."""
    return b"%PDF-" in data[:1024]


def parse(data: bytes) -> etree._ElementTree:
    """Build the tree of a document, without comments and processing instructions.

    Raises: Unreadable, when it is empty, too big or too deep, not XML, not well formed, or has a DOCTYPE.
    """
    if _has_no_doctype(data):
        _bounded(data)
    else:
        root_tag(data)
    try:
        tree = etree.fromstring(data, _tree_parser()).getroottree()
    except etree.XMLSyntaxError as error:
        root_tag(data)  # says it better, when the fault is in the beginning
        raise _damaged(error) from error
    if _TOO_DEEP(tree):
        raise Unreadable(
            TOO_BIG,
            f"Plus de {limits.XML_DEPTH_MAX} éléments emboîtés.",
            f"More than {limits.XML_DEPTH_MAX} nested elements.",
        )
    return tree


def syntax_of(tree: etree._ElementTree) -> Syntax:
    """Tell what a document is by the root element of its tree."""
    return _ROOTS.get(str(tree.getroot().tag), Syntax.UNKNOWN)


def _has_no_doctype(data: bytes) -> bool:
    """Tell whether bytes that are UTF-8, declared so or not at all, spell no document type anywhere."""
    return _DECLARED_UTF_8.match(data) is not None and b"<!DOCTYPE" not in data


_DECLARED_UTF_8 = re.compile(
    rb"""(?:\xef\xbb\xbf)?<(?:[A-Za-z]|\?xml\s+version=["']1\.0["'](?:\s+encoding=["'](?i:utf-8)["'])?"""
    rb"""(?:\s+standalone=["'](?:yes|no)["'])?\s*\?>)"""
)

PROLOG_BYTES = 512
"""How much is read at once in search of the root element."""


def root_tag(data: bytes) -> str:
    """Give the qualified name of the root element without building a tree; raises Unreadable as `parse` does."""
    _bounded(data)
    parser = etree.XMLParser(target=_Prolog(), **_SAFE)  # type: ignore[arg-type]
    try:
        for start in range(0, len(data), PROLOG_BYTES):  # the parser reads what it is fed to its end, root found or not
            parser.feed(data[start : start + PROLOG_BYTES])
        parser.close()
    except _RootFound as found:
        return found.tag
    except etree.XMLSyntaxError as error:
        raise _damaged(error) if _looks_like_xml(data) else _not_xml(data) from error
    raise _not_xml(data)


def _tree_parser() -> etree.XMLParser:
    return etree.XMLParser(remove_comments=True, remove_pis=True, **_SAFE)  # type: ignore[arg-type]


class _RootFound(Exception):
    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


class _Prolog:
    """A parser target that stops at the root element and refuses a document type."""

    def start(self, tag: str, _attributes: object) -> None:
        raise _RootFound(tag)

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise Unreadable(
            DAMAGED,
            "Le document a une déclaration DOCTYPE : aucune facture n'en a, retirez-la.",
            "The document has a DOCTYPE declaration: no invoice has one, remove it.",
            where=f"<!DOCTYPE {name}",
        )

    def close(self) -> None:
        return None


def _bounded(data: bytes) -> None:
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise Unreadable(EMPTY, "Le fichier est vide.", "The file is empty.")
    if len(data) > limits.FILE_BYTES_MAX:
        raise Unreadable(
            TOO_BIG,
            f"Le fichier a {len(data)} octets ; la limite est {limits.FILE_BYTES_MAX} (100 Mo).",
            f"The file has {len(data)} bytes; the limit is {limits.FILE_BYTES_MAX} (100 MB).",
        )
    # Every element has one "<" that no "/" follows: the markup is counted before it can take memory.
    if data.count(b"<") - data.count(b"</") > limits.XML_NODES_MAX or data.count(b"=") > limits.XML_ATTRIBUTES_MAX:
        raise Unreadable(
            TOO_BIG,
            f"Plus de {limits.XML_NODES_MAX} éléments ou de {limits.XML_ATTRIBUTES_MAX} attributs.",
            f"More than {limits.XML_NODES_MAX} elements or {limits.XML_ATTRIBUTES_MAX} attributes.",
        )


def _looks_like_xml(data: bytes) -> bool:
    return data[:64].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")


def _not_xml(data: bytes) -> Unreadable:
    return Unreadable(
        OTHER_KIND,
        f"Le fichier n'est pas du XML (il commence par {data[:12]!r}).",
        f"The file is not XML (it begins with {data[:12]!r}).",
    )


def _damaged(error: etree.XMLSyntaxError) -> Unreadable:
    line, column = error.position
    seen = " ".join((error.msg or "").partition(", line")[0].split())
    return Unreadable(
        DAMAGED,
        f"Le XML n'est pas bien formé : {seen}",
        f"The XML is not well formed: {seen}",
        where=f"line {line}, column {column}",
    )
