"""Whatever is wrong in a document, reading, converting and the command line say it, or report it, in one way."""

import tracemalloc
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from typer.testing import CliRunner

from estafette.cli import app
from estafette.formats import Syntax, Unreadable, convert, read
from estafette.formats.conversion import EN16931, Fate
from estafette.rules import check
from estafette.simulation import samples
from estafette.values import limits

SAMPLE = samples.load("service", number="F-1", issue_date=date(2026, 9, 1))
run = CliRunner()


def pdf(*names: str, key: str | None = None) -> bytes:
    """Make a PDF that embeds the sample under these names, perhaps encrypted."""
    document = pikepdf.new()
    document.add_blank_page()
    for name in names:
        document.attachments[name] = pikepdf.AttachedFileSpec(document, SAMPLE, filename=name)
    document.save(out := BytesIO(), **({"encryption": pikepdf.Encryption(owner="o", user=key)} if key else {}))
    return out.getvalue()


REFUSED = {
    "a PDF with two invoices": (pdf("factur-x.xml", "zugferd-invoice.xml"), "IRR_SYNTAX"),
    "an encrypted PDF": (pdf("factur-x.xml", key="secret"), "IRR_SYNTAX"),
    "a PDF without an invoice": (pdf(), "IRR_TYPE_F"),
    "a NUL byte inside": (SAMPLE.replace(b"F-1", b"F\x00-1"), "IRR_SYNTAX"),
    "NUL bytes only": (b"\x00" * 1000, "IRR_VIDE_F"),
    "Latin-1 that calls itself UTF-8": (SAMPLE.decode().encode("iso-8859-1", "replace"), "IRR_SYNTAX"),
    "JSON of another kind": (b'{"colour": "red"}', "IRR_SYNTAX"),
    "half a document": (SAMPLE[: len(SAMPLE) // 2], "IRR_SYNTAX"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(tmp_path: Path, name: str) -> None:
    """The code of the field and both languages, from each verb; nothing is written, and the original is as it was."""
    data, code = REFUSED[name]
    if not data.startswith(b"{"):
        for verb in (read, lambda given: convert(given, Syntax.CII)):
            with pytest.raises(Unreadable) as refused:
                verb(data)
            assert refused.value.code == code
            assert refused.value.reason_fr
            assert refused.value.reason_en
    file = tmp_path / "bad.xml"
    file.write_bytes(data)
    done = run.invoke(app, ["convert", str(file), "--to", "cii", "-o", str(tmp_path / "out")])
    assert (done.exit_code, done.stdout) == (2, "")
    assert code in done.stderr
    assert "Traceback" not in done.output
    assert not (tmp_path / "out").exists()
    assert file.read_bytes() == data


REREAD: dict[str, Callable[[str], bytes]] = {
    "a byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.replace("UTF-8", "UTF-16").encode("utf-16"),
    "ISO-8859-1": lambda text: text.replace("UTF-8", "ISO-8859-1").encode("iso-8859-1", "xmlcharrefreplace"),
}


@pytest.mark.parametrize("name", REREAD)
def test_what_is_read_all_the_same(tmp_path: Path, name: str) -> None:
    """Another character set, declared and kept to, changes nothing of what the invoice says."""
    text = SAMPLE.decode()
    assert "UTF-8" in text
    data = REREAD[name](text)
    assert read(data) == read(SAMPLE)
    file = tmp_path / "other.xml"
    file.write_bytes(data)
    done = run.invoke(app, ["convert", str(file), "--to", "cii", "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert check((tmp_path / "out").read_bytes()).accepted


def between(data: bytes, start: bytes, end: bytes) -> bytes:
    """Give what stands between two marks."""
    return data[data.index(start) : data.index(end, data.index(start)) + len(end)]


JUDGED = {
    "a document that breaks the schema": SAMPLE.replace(b"<cbc:ID>", b"<cbc:Colour>red</cbc:Colour><cbc:ID>", 1),
    "an unknown profile": SAMPLE.replace(EN16931.encode(), b"urn:example:nobody"),
    "wrong totals": SAMPLE.replace(
        between(SAMPLE, b"<cbc:PayableAmount", b"</cbc:PayableAmount>"),
        b'<cbc:PayableAmount currencyID="EUR">1.00</cbc:PayableAmount>',
    ),
    "a currency without decimals": SAMPLE.replace(b"EUR", b"JPY"),
}


@pytest.mark.parametrize("name", JUDGED)
def test_what_is_read_and_reported(tmp_path: Path, name: str) -> None:
    """What breaks a rule is read and converted as it stands, or told as lost or moved; judging is for `check`."""
    data = JUDGED[name]
    assert data != SAMPLE
    made = convert(data, Syntax.CII)
    assert read(made.document).totals == read(data).totals
    file = tmp_path / "wrong.xml"
    file.write_bytes(data)
    done = run.invoke(app, ["convert", str(file), "--to", "cii", "-o", str(tmp_path / "out")])
    assert done.exit_code == int(bool(made.of(Fate.LOST)))
    judged = run.invoke(app, ["check", str(file)])
    assert "Traceback" not in done.output + judged.output
    assert file.read_bytes() == data
    if "schema" in name:
        assert (made.of(Fate.LOST)[0].term, done.exit_code, judged.exit_code) == ("/*/cbc:Colour", 1, 1)
    if "profile" in name:
        assert "BT-24" in {outcome.term for outcome in made.of(Fate.MOVED)}
    if "totals" in name:
        assert "BR-CO-16" in judged.output
        assert judged.exit_code == 1


def test_an_attachment_as_big_as_is_allowed() -> None:
    """An invoice of 100 MB is read and converted within a few times its size, unless what is made is over the limit."""
    data, content = with_attachment(limits.FILE_BYTES_MAX - 64 * 1024)
    tracemalloc.start()
    try:
        made = convert(data, Syntax.CII)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read(made.document).supporting_documents[0].content == content
    assert peak < 4 * limits.FILE_BYTES_MAX
    data, _ = with_attachment(limits.FILE_BYTES_MAX)
    for past in (data, data + b" " * 4):
        with pytest.raises(Unreadable) as refused:
            convert(past, Syntax.CII)
        assert refused.value.code == "IRR_TAILLE_F"


def with_attachment(size: int) -> tuple[bytes, bytes]:
    """Make a document of that size, to three bytes, that holds an attachment, and give the attachment."""
    head = (
        b"<cac:AdditionalDocumentReference><cbc:ID>P</cbc:ID><cac:Attachment><cbc:EmbeddedDocumentBinaryObject "
        b'mimeCode="application/pdf" filename="p.pdf">'
    )
    tail = b"</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
    place = SAMPLE.index(b"<cac:AccountingSupplierParty")
    room = (size - len(SAMPLE) - len(head) - len(tail)) // 4
    return b"".join((SAMPLE[:place], head, b"QUJD" * room, tail, SAMPLE[place:])), b"ABC" * room
