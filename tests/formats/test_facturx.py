"""An invoice is taken out of a PDF, or the reason why not is given."""

import tracemalloc
import zlib
from collections.abc import Mapping
from io import BytesIO

import pikepdf
import pytest

from estafette.formats import facturx
from estafette.formats.xml import Unreadable
from estafette.values import limits


def pdf(files: Mapping[str, bytes], **options: object) -> bytes:
    """Make a PDF that embeds these files."""
    document = pikepdf.new()
    document.add_blank_page()
    for name, content in files.items():
        document.attachments[name] = pikepdf.AttachedFileSpec(document, content, filename=name)
    document.save(out := BytesIO(), **options)
    return out.getvalue()


def code_of(data: bytes) -> str:
    """Give the code with which the PDF is refused."""
    with pytest.raises(Unreadable) as caught:
        facturx.extract(data)
    return caught.value.code


@pytest.mark.parametrize("name", ["factur-x.xml", "ZUGFeRD-invoice.xml", "Factur-X.xml"])
def test_the_one_invoice(name: str) -> None:
    """The invoice comes out byte for byte, beside other files."""
    content = b"<a>" + b"0123456789" * 1000 + b"</a>"
    assert facturx.extract(pdf({"notice.xml": b"<n/>", name: content})) == (name, content)


def test_an_association_is_enough() -> None:
    """A file that only the document's associated files name is found."""
    document = pikepdf.new()
    document.add_blank_page()
    specification = pikepdf.AttachedFileSpec(document, b"<a/>", filename="factur-x.xml")
    document.Root.AF = pikepdf.Array([specification.obj])
    document.save(out := BytesIO())
    assert facturx.extract(out.getvalue()) == ("factur-x.xml", b"<a/>")


def test_no_invoice() -> None:
    """A PDF without an invoice is a file of the wrong kind, and the answer names what it embeds."""
    with pytest.raises(Unreadable, match=r"notes\.txt") as caught:
        facturx.extract(pdf({"notes.txt": b"n"}))
    assert caught.value.code == "IRR_TYPE_F"
    assert code_of(pdf({})) == "IRR_TYPE_F"


def test_two_invoices() -> None:
    """Two invoices in one PDF are refused: nobody can tell which one counts."""
    assert code_of(pdf({"factur-x.xml": b"<a/>", "zugferd-invoice.xml": b"<b/>"})) == "IRR_SYNTAX"


@pytest.mark.parametrize("user", ["", "secret"])
def test_encrypted(user: str) -> None:
    """An encrypted PDF is refused, also when it opens without a password."""
    data = pdf({"factur-x.xml": b"<a/>"}, encryption=pikepdf.Encryption(owner="owner", user=user))
    assert code_of(data) == "IRR_SYNTAX"


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.7\n1 0 obj\n<<", b"%PDF" + bytes(range(256)) * 4])
def test_broken(data: bytes) -> None:
    """A broken PDF is refused as damaged."""
    assert code_of(data) == "IRR_SYNTAX"


def test_every_truncation_is_an_answer() -> None:
    """A PDF cut anywhere gives its invoice or a reason, never another error."""
    whole = pdf({"factur-x.xml": b"<a/>"})
    for length in range(5, len(whole), 37):
        try:
            assert facturx.extract(whole[:length])[1] == b"<a/>"
        except Unreadable as refusal:
            assert refusal.code in {"IRR_SYNTAX", "IRR_TYPE_F"}


def test_embedded_bomb() -> None:
    """A file that inflates past the limit is refused after the limit, not after all of it."""
    bomb = zlib.compress(bytes(limits.FILE_BYTES_MAX + 1))
    document = pikepdf.open(BytesIO(pdf({"factur-x.xml": b"<a/>"})))
    stream = document.attachments["factur-x.xml"].obj.EF.F
    stream.write(bomb, filter=pikepdf.Name.FlateDecode)
    document.save(out := BytesIO())
    assert code_of(out.getvalue()) == "IRR_TAILLE_F"


def test_table_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of objects that inflates past the limit is refused before the PDF library sees it."""
    monkeypatch.setattr(limits, "FILE_BYTES_MAX", 1_000_000)
    bomb = zlib.compress(bytes(100_000_000))
    data = b"%PDF-1.7\n1 0 obj\n<</Type/Obj#53tm/Filter/FlateDecode>>\nstream\n" + bomb + b"\nendstream\nendobj\n"
    tracemalloc.start()
    assert code_of(data) == "IRR_TAILLE_F"
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_too_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at up to the bound, and not one more."""
    monkeypatch.setattr(limits, "PDF_ATTACHMENTS_MAX", 3)
    assert facturx.extract(pdf({"a": b"", "b": b"", "factur-x.xml": b"<a/>"}))[1] == b"<a/>"
    assert code_of(pdf({"a": b"", "b": b"", "c": b"", "factur-x.xml": b"<a/>"})) == "IRR_TAILLE_F"


def test_foreign_filter() -> None:
    """A compression that invoices never use is refused by name rather than guessed."""
    document = pikepdf.open(BytesIO(pdf({"factur-x.xml": b"<a/>"})))
    document.attachments["factur-x.xml"].obj.EF.F.write(b"3C612F3E>", filter=pikepdf.Name.ASCIIHexDecode)
    document.save(out := BytesIO(), stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
    with pytest.raises(Unreadable, match="ASCIIHexDecode"):
        facturx.extract(out.getvalue())
