"""Bad bytes get the code of the field, and cost neither memory nor time."""

import pytest

from estafette.formats import xml
from estafette.formats.xml import Syntax, Unreadable
from estafette.values import limits

CII = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
BOMB = '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>'


def code_of(data: bytes) -> str:
    """Give the code with which the bytes are refused."""
    with pytest.raises(Unreadable) as caught:
        xml.parse(data)
    assert caught.value.reason_fr
    assert caught.value.reason_en
    return caught.value.code


@pytest.mark.parametrize("data", [b"", b" \n", b"\xef\xbb\xbf", b"\x00\x00\x00"])
def test_empty(data: bytes) -> None:
    """Nothing, blanks, a lone byte order mark or NUL bytes are an empty file."""
    assert code_of(data) == "IRR_VIDE_F"


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"hello", b"{}", b"\x89PNG\r\n"])
def test_not_xml(data: bytes) -> None:
    """A file of another kind is refused for its kind."""
    assert code_of(data) == "IRR_TYPE_F"


@pytest.mark.parametrize(
    "data",
    [b"<a>", b"<a></b>", b"<a/>b", b"<a>\x00</a>", b"<a>\xe9</a>", b"<a>&unknown;</a>", b"<a x='1' x='2'/>"],
)
def test_not_well_formed(data: bytes) -> None:
    """What breaks XML, NUL bytes and bytes outside the declared character set included, is refused with its place."""
    with pytest.raises(Unreadable) as caught:
        xml.parse(data)
    assert caught.value.code == "IRR_SYNTAX"
    assert caught.value.where.startswith("line 1, column ")


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"\xef\xbb\xbf",
        b"<?xml version='1.0'?>",
        b'<?xml version="1.0" encoding="utf-8" standalone="no"?>',
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n<!-- <a> -->',
        b"<?xml version='1.0' encoding='ISO-8859-1'?>",
    ],
)
def test_a_doctype_is_refused_whatever_comes_before(before: bytes) -> None:
    """Neither a declaration, nor a mark, nor a comment hides a DOCTYPE; without it the same is read."""
    assert code_of(before + b"<!DOCTYPE a><a/>") == "IRR_SYNTAX"
    assert xml.parse(before + b"<a/>").getroot().tag == "a"


def test_a_doctype_in_another_alphabet_is_refused() -> None:
    """A character set in which the mark of a DOCTYPE is written with other bytes is read before it is trusted."""
    hidden = b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4APA-a/+AD4-'
    assert code_of(hidden) == "IRR_SYNTAX"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_any_doctype_is_refused(encoding: str) -> None:
    """A DOCTYPE is refused in every encoding, before anything that it defines exists."""
    assert code_of(BOMB.encode(encoding)) == "IRR_SYNTAX"
    assert code_of('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'.encode(encoding)) == "IRR_SYNTAX"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_declared_character_sets_are_read(encoding: str) -> None:
    """A document in the character set that it declares is read, byte order mark or not."""
    name = encoding.removesuffix("-sig")
    tree = xml.parse(f'<?xml version="1.0" encoding="{name}"?><a>é</a>'.encode(encoding))
    assert tree.getroot().text == "é"


def test_depth_at_the_limit_and_past_it() -> None:
    """Elements nest up to the bound, and not one more."""
    deep = limits.XML_DEPTH_MAX
    assert xml.parse(b"<a>" * deep + b"</a>" * deep).getroot().tag == "a"
    assert code_of(b"<a>" * (deep + 1) + b"</a>" * (deep + 1)) == "IRR_TAILLE_F"


def test_size_nodes_and_attributes_at_the_limit_and_past_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes, elements and attributes are counted before a tree is built (bounds made small here)."""
    monkeypatch.setattr(limits, "FILE_BYTES_MAX", 100)
    monkeypatch.setattr(limits, "XML_NODES_MAX", 5)
    monkeypatch.setattr(limits, "XML_ATTRIBUTES_MAX", 1)
    assert xml.parse(b"<a>" + b"<b/>" * 4 + b"</a>").getroot().tag == "a"
    assert code_of(b"<a>" + b"<b/>" * 5 + b"</a>") == "IRR_TAILLE_F"
    assert code_of(b"<a b='1' c='2'/>") == "IRR_TAILLE_F"
    assert xml.parse(b"<a>" + b" " * 93 + b"</a>").getroot().tag == "a"
    assert code_of(b"<a>" + b" " * 94 + b"</a>") == "IRR_TAILLE_F"


def test_comments_and_instructions_leave_no_trace() -> None:
    """Comments and processing instructions split no text and hold no data."""
    assert xml.parse(b"<?p x?><a>1<!-- 9 -->2<?p y?>3</a>").getroot().text == "123"


@pytest.mark.parametrize(
    ("data", "syntax"),
    [
        (b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>', Syntax.UBL),
        (b'<CreditNote xmlns="urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"/>', Syntax.UBL),
        (
            b'<x:CrossIndustryInvoice xmlns:x="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"/>',
            Syntax.CII,
        ),
        (b"<Report/>", Syntax.FRR),
        (b"<Invoice/>", Syntax.UNKNOWN),
        (b"junk %PDF-1.7", Syntax.FACTURX),
        (BOMB.encode(), Syntax.UNKNOWN),
        (b"", Syntax.UNKNOWN),
    ],
)
def test_recognise(data: bytes, syntax: Syntax) -> None:
    """A file is what its first bytes or its root element say, and recognising never fails."""
    assert xml.recognise(data) is syntax
