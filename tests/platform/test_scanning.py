"""What a document carries is looked at by a real ClamAV: found, it is refused; unscanned, it waits."""

import asyncio
import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.platform.clamd import NAME, SIGNED, running
from tests.platform.world import BUYER, SELLER, World, opened, service

from estafette.exchange.messages import Kind
from estafette.exchange.scanning import Clamd, ScannerDown, WrongScanner, scanner_at
from estafette.formats import cdar, read
from estafette.formats.status_message import Attachment
from estafette.invoice.model import SupportingDocument
from estafette.platform import attachments
from estafette.values import limits


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the socket of a clamd that takes streams of a megabyte."""
    with running(tmp_path_factory.mktemp("clamd"), stream_megabytes=1) as at:
        yield at


@pytest.fixture(scope="module")
def guarded_world(clamd: Path) -> Iterator[World]:
    """Give a system whose platforms scan."""
    with opened(scanner=f"unix:{clamd}") as world:
        yield world


@pytest.fixture
def guarded(guarded_world: World) -> World:
    """Give it with a plain network."""
    guarded_world.wire.reset()
    return guarded_world


def joined(number: str, content: bytes, *, name: str = "bon.csv", mime: str = "text/csv") -> bytes:
    """Write an invoice that holds a document."""
    document = SupportingDocument(
        reference="BL-1", description="BON_LIVRAISON", content=content, mime_code=mime, filename=name
    )
    return service(number, supporting_documents=(document,))


def refusal(world: World, flow: str) -> tuple[str, str]:
    """Return the code and the text of a refusal."""
    row = world.flow(SELLER, flow)
    assert row["acknowledgement"] == "Error"
    return row["details"][0]["reasonCode"], row["details"][0]["reasonMessage"]


def test_clean(guarded: World) -> None:
    """A clean invoice with a clean attachment goes its way."""
    guarded.deposit(joined("C1", b"a;b\n1;2\n"))
    assert guarded.statuses(BUYER, "C1") == "202 203"


def test_found_in_an_attachment(guarded: World) -> None:
    """A virus in an attachment, which only decoding shows, refuses the file and is named; nothing leaves."""
    code, text = refusal(guarded, guarded.deposit(joined("V1", b"x" * 1000 + SIGNED)))
    assert code == "VirusFound"
    assert text.startswith("IRR_ANTIVIRUS: ")
    assert NAME in text
    assert guarded.invoices(SELLER, "V1") == []
    assert guarded.wire.crossed == []


def test_found_in_the_file_itself(guarded: World) -> None:
    """A virus in what is no invoice at all is named before anything else."""
    assert refusal(guarded, guarded.deposit(b"<a>" + SIGNED + b"</a>", syntax="UBL"))[0] == "VirusFound"


def test_found_in_a_status(guarded: World) -> None:
    """A virus in the document joined to a status refuses the status."""
    guarded.deposit(service("S1"))
    message = guarded.messages(BUYER, "S1")[0]
    infected = dataclasses.replace(message, attachments=(Attachment(SIGNED, "a.csv", "text/csv"),))
    flow = guarded.deposit(cdar.write(infected), by=BUYER)
    assert guarded.flow(BUYER, flow)["details"][0]["reasonCode"] == "VirusFound"


def test_found_by_the_other_platform(guarded: World) -> None:
    """A virus that the sender's platform did not see is told by the receiving one (501), and goes no further."""
    guarded.wire.change = lambda message, body: (
        body.replace(b"</Invoice>", b"<!-- " + SIGNED + b" --></Invoice>") if message.kind is Kind.INVOICE else body
    )
    guarded.deposit(service("R1"))
    assert guarded.invoices(BUYER, "R1") == []
    assert guarded.statuses(SELLER, "R1").endswith("501:IRR_ANTIVIRUS")


def test_waits_while_the_scanner_is_down(tmp_path: Path) -> None:
    """Nothing goes unscanned: the deposit waits while clamd does not answer, and goes on once it does."""
    at = tmp_path / "clamd" / "clamd.sock"
    with opened(scanner=f"unix:{at}") as world:
        flow = world.leave(service("D1"))
        (trouble,) = world.work_with_troubles()
        assert trouble.startswith("platform-a: antivirus: ")
        assert world.flow(SELLER, flow)["acknowledgement"] == "Pending"
        assert world.invoices(SELLER, "D1") == []
        with running(tmp_path / "clamd"):
            world.pass_by(hours=1)
            world.work()
        assert world.statuses(BUYER, "D1") == "202 203"


def test_too_large_for_the_scanner_is_not_clean(clamd: Path) -> None:
    """What clamd refuses to look at has no verdict."""
    with pytest.raises(ScannerDown):
        asyncio.run(Clamd(path=str(clamd)).scan(b"x" * 2_000_000))


def test_over_tcp_nobody_answers() -> None:
    """A TCP address where nobody listens is a scanner that is down."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        scanner = scanner_at(f"tcp://127.0.0.1:{bound.getsockname()[1]}")
        assert scanner is not None
        with pytest.raises(ScannerDown):
            asyncio.run(scanner.scan(b"x"))


@pytest.mark.parametrize("url", ["clamd", "tcp://host", "tcp://host:x", "unix:", "http://host:1"])
def test_wrong_addresses(url: str) -> None:
    """An address that is none is said at the start, with what one looks like."""
    with pytest.raises(WrongScanner, match="scanner: "):
        scanner_at(url)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"content": b""}, "EmptyAttachement"),
        ({"content": None}, "EmptyAttachement"),
        ({"mime_code": "image/gif"}, "AttachmentTypeError"),
        ({"mime_code": None}, "AttachmentTypeError"),
        ({"filename": "bon.exe"}, "AttachmentTypeError"),
        ({"filename": "../bon.csv"}, "OtherTechnicalError"),
        ({"filename": "a" * 252 + ".csv"}, "OtherTechnicalError"),
    ],
)
def test_attachments_not_admitted(world: World, document: dict[str, object], code: str) -> None:
    """An attachment that is empty, of another type or badly named makes the file irreceivable, and is named."""
    number = world.number()
    held = read(joined(number, b"a;b")).supporting_documents[0]
    flow = world.deposit(service(number, supporting_documents=(replace(held, **document),)))
    seen, text = refusal(world, flow)
    assert seen == code
    assert " / " in text
    assert world.invoices(SELLER, number) == []


def test_attachments_at_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Size and count are taken at the limit and refused one past it; a name of the longest length is taken."""
    held = read(joined("L1", b"12345", name="a" * 251 + ".csv")).supporting_documents[0]
    monkeypatch.setattr(limits, "ATTACHMENT_BYTES_MAX", 5)
    monkeypatch.setattr(limits, "ATTACHMENTS_MAX", 2)
    invoice = read(service("L1"))
    for count, size, code in ((2, 5, None), (3, 5, "IRR_TAILLE_PJ"), (1, 6, "IRR_TAILLE_PJ")):
        documents = (replace(held, content=b"x" * size),) * count
        found = attachments.wrong(replace(invoice, supporting_documents=documents))
        assert (found and found[0]) == code


def test_an_address_is_no_attachment() -> None:
    """A document that stands elsewhere is not fetched, and is no empty attachment."""
    document = SupportingDocument(reference="X", external_location="https://exemple.fr/bon.pdf")
    assert attachments.wrong(replace(read(service("E1")), supporting_documents=(document,))) is None
