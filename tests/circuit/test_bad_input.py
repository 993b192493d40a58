"""Bad input meets the running system over HTTP: each gets the answer of the field, none stops the others."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pikepdf
import pytest
from tests.running import Circuit

from estafette.api.flow_service import FORM_OVERHEAD
from estafette.formats import read
from estafette.formats.status_message import Role
from estafette.formats.xml import recognise
from estafette.simulation import samples
from estafette.simulation.company import Company, Reference
from estafette.values.limits import FILE_BYTES_MAX

SELLER, BUYER = "100000009", "200000008"
NUMBERS = count(1)
MEGABYTE = b"x" * 1024 * 1024


@dataclass
class Supplier:
    """The supplier of the running system, at work."""

    circuit: Circuit

    def number(self) -> str:
        """Return an invoice number that nobody has had."""
        return f"BAD-{self.circuit.port}-{next(NUMBERS)}"

    def invoice(self, number: str, sample: str = "service", **terms: Any) -> bytes:
        """Return a good invoice of yesterday."""
        day = datetime.now(UTC).date() - timedelta(days=1)
        return samples.load(sample, number=number, issue_date=day, **terms)

    def deposit(self, data: bytes, syntax: str = "UBL", name: str = "facture.xml") -> dict[str, Any]:
        """Deposit a file; return its flow once acknowledged."""

        async def put(company: Company) -> dict[str, Any]:
            return await company.deposit(data, syntax=syntax, name=name, tracking_id=f"T{next(NUMBERS)}")

        return self._do(put)

    def statuses(self, data: bytes, enough: int = 1) -> list[str]:
        """Wait for so many statuses of an invoice; return them with their reasons."""
        invoice = read(data)
        assert invoice.issue_date is not None
        about = Reference(invoice.number, invoice.issue_date, SELLER, BUYER)

        async def wait(company: Company) -> list[str]:
            seen = await company.until(lambda: company.statuses(about), lambda seen: len(seen) >= enough)
            return [":".join((message.status, *message.reason_codes)) for message in seen]

        return self._do(wait)

    def _do(self, work: Callable[[Company], Any]) -> Any:
        async def inside() -> Any:
            async with self._company() as company:
                return await work(company)

        return asyncio.run(inside())

    @asynccontextmanager
    async def _company(self) -> AsyncIterator[Company]:
        entry = self.circuit.entries.by_login["fournisseur"]
        url = self.circuit.urls[entry.actor]
        async with aiohttp.ClientSession() as session:
            yield Company(SELLER, Role.SELLER, url, str(entry.client_id), str(entry.client_secret), session)

    def token(self) -> str:
        """Return an access token."""

        async def take(company: Company) -> str:
            return (await company._headers())["Authorization"]

        return str(self._do(take))


@pytest.fixture
def supplier(circuit: Circuit) -> Iterator[Supplier]:
    """Give the supplier; after the test no traceback is in the log, and a good invoice still gets its 200."""
    before = circuit.log.stat().st_size
    made = Supplier(circuit)
    yield made
    good = made.invoice(made.number())
    assert made.deposit(good)["acknowledgement"] == {"status": "Ok"}
    assert made.statuses(good)[0] == "200"
    assert "Traceback" not in circuit.log.read_bytes()[before:].decode()
    assert circuit.process is not None
    assert circuit.process.poll() is None


def refused(flow: dict[str, Any], reason: str, code: str) -> str:
    """Check that a file was not taken: the reason of the acknowledgement, the code of the field; return the words."""
    assert flow["acknowledgement"]["status"] == "Error"
    (detail,) = flow["acknowledgement"]["details"]
    assert (detail["level"], detail["reasonCode"]) == ("Error", reason)
    assert detail["reasonMessage"].startswith(f"{code}: ")
    assert " / " in detail["reasonMessage"], "in French and in English"
    assert "invoiceStanding" not in flow
    return str(detail["reasonMessage"])


def test_not_xml(supplier: Supplier) -> None:
    """A file that is no document at all."""
    refused(supplier.deposit(b"numero;montant\nF1;120,00\n"), "FlowTypeError", "IRR_TYPE_F")


def test_empty(supplier: Supplier) -> None:
    """A file with nothing in it."""
    refused(supplier.deposit(b""), "EmptyFlow", "IRR_VIDE_F")


def test_xml_of_another_kind(supplier: Supplier) -> None:
    """A document of another kind."""
    text = refused(
        supplier.deposit(b'<?xml version="1.0"?><catalogue><livre/></catalogue>'), "FlowTypeError", "IRR_TYPE_F"
    )
    assert "facture" in text


def test_half_an_invoice(supplier: Supplier) -> None:
    """An invoice cut in two is damaged, and the place is told."""
    data = supplier.invoice(supplier.number())
    refused(supplier.deposit(data[: len(data) // 2]), "InvalidSchema", "IRR_SYNTAX")


def test_against_the_schema(supplier: Supplier) -> None:
    """An invoice with an element that the schema does not have: the place and the line are told."""
    data = supplier.invoice(supplier.number()).replace(b"<cbc:ID>", b"<cbc:Intrus/><cbc:ID>", 1)
    flow = supplier.deposit(data)
    assert flow["acknowledgement"]["details"][0]["reasonCode"] == "InvalidSchema"
    assert "Intrus" in flow["acknowledgement"]["details"][0]["reasonMessage"]


def test_broken_pdf(supplier: Supplier) -> None:
    """A PDF that cannot be opened."""
    good = samples.facturx_from(supplier.invoice(supplier.number(), "service-cii"))
    refused(supplier.deposit(good[:200], "Factur-X", "facture.pdf"), "InvalidSchema", "IRR_SYNTAX")


def test_pdf_without_an_invoice(supplier: Supplier) -> None:
    """A sound PDF in which there is no invoice."""
    paper = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(paper)
    refused(supplier.deposit(paper.getvalue(), "Factur-X", "facture.pdf"), "FlowTypeError", "IRR_TYPE_F")


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE a [<!ENTITY e0 "ha">'
        + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
        + "]>",
        '<!DOCTYPE a [<!ENTITY e9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY e9 SYSTEM "http://127.0.0.1:9/">]>',
    ],
    ids=["billion laughs", "file", "network"],
)
def test_entities(supplier: Supplier, declared: str) -> None:
    """Entities are not expanded, whatever they hold or fetch."""
    data = supplier.invoice(supplier.number()).decode()
    head, _, body = data.partition("?>")
    bomb = f"{head}?>{declared}{body}".replace("Atelier Caravelle", "&e9;")
    refused(supplier.deposit(bomb.encode()), "InvalidSchema", "IRR_SYNTAX")


def test_200_megabytes(supplier: Supplier) -> None:
    """A file of 200 MB is refused (413, IRR_TAILLE_F) before any of it is read."""
    too_large(asyncio.run(_pour(supplier, 0, stated=200 * 1024 * 1024)))


def test_megabytes_without_end(supplier: Supplier) -> None:
    """A file that does not say its size is refused as soon as it passes the limit."""
    too_large(asyncio.run(_pour(supplier, FILE_BYTES_MAX + FORM_OVERHEAD + 1)))


def too_large(answer: tuple[int, bytes]) -> None:
    """Check that a deposit was refused for its size."""
    status, body = answer
    assert status == 413
    told = msgspec.json.decode(body)
    assert told["errorCode"] == "FILE_SIZE_EXCEEDED"
    assert "IRR_TAILLE_F" in told["errorMessage"]


@pytest.mark.parametrize("stated", [None, 200 * 1024 * 1024])
def test_who_listens_only_at_the_end(supplier: Supplier, stated: int | None) -> None:
    """A sender that reads nothing before it has sent its 200 MB, and then closes, has its answer, and no reset."""
    too_large(asyncio.run(_pour(supplier, 200 * 1024 * 1024, stated=stated)))


async def _pour(supplier: Supplier, size: int, *, stated: int | None = None) -> tuple[int, bytes]:
    """Send a deposit, so many bytes of it, and no more; return the answer. Without a stated size it goes in chunks."""
    address = urlsplit(supplier.circuit.urls["platform-a"])
    form = (
        b'--b\r\nContent-Disposition: form-data; name="flowInfo"\r\n\r\n{"flowSyntax":"UBL"}\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f.xml"\r\n\r\n'
    )
    token = await asyncio.to_thread(supplier.token)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    length = f"Content-Length: {stated}" if stated else "Transfer-Encoding: chunked"
    request = (
        f"POST /v1/flows HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: {token}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\n{length}\r\nConnection: close\r\n\r\n"
    )
    writer.write(request.encode())
    sent = 0
    while sent < size:
        piece = (form if sent == 0 else MEGABYTE)[: size - sent]
        writer.write(piece if stated else b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
        sent += len(piece)
    headers = (await reader.readuntil(b"\r\n\r\n")).lower()
    (length,) = [line.split()[1] for line in headers.split(b"\r\n") if line.startswith(b"content-length:")]
    body = await reader.readexactly(int(length))
    writer.close()
    return int(headers.split()[1]), body


def test_wrong_character_set(supplier: Supplier) -> None:
    """A file that says UTF-8 and is not."""
    data = supplier.invoice(supplier.number()).decode().encode("latin-1")
    refused(supplier.deposit(data), "InvalidSchema", "IRR_SYNTAX")


def test_the_same_invoice_twice(supplier: Supplier) -> None:
    """The same file again is a technical duplicate; the invoice lives on."""
    data = supplier.invoice(supplier.number())
    first = supplier.deposit(data)
    assert first["acknowledgement"] == {"status": "Ok"}
    again = supplier.deposit(data)["acknowledgement"]
    assert (again["status"], again["details"][0]["reasonCode"]) == ("Error", "AlreadyExistingFlow")
    assert first["flowId"] in again["details"][0]["reasonMessage"]
    assert supplier.statuses(data, enough=4)[:2] == ["200", "201"]


def test_the_same_number_with_other_content(supplier: Supplier) -> None:
    """Another invoice under a number already had is rejected as a duplicate; the first lives on."""
    number = supplier.number()
    first, other = supplier.invoice(number), supplier.invoice(number, "service-10")
    supplier.deposit(first)
    flow = supplier.deposit(other)
    assert flow["acknowledgement"] == {"status": "Ok"}, "the file could be taken: the invoice is what is rejected"
    assert flow["invoiceStanding"] == "rejected"
    (fault,) = flow["invoiceExplanation"]["faults"]
    assert (fault["reason"], fault["rule"]) == ("DOUBLON", "BR-FR-CO-02")
    assert number in fault["fr"]
    assert sorted(supplier.statuses(first, enough=5)) == ["200", "201", "202", "203", "213:DOUBLON"]


def test_a_customer_unknown_to_the_directory(supplier: Supplier) -> None:
    """A customer that the directory does not know: outside e-invoicing, and said so; no status, nothing sent."""
    known = supplier.invoice(supplier.number())
    data = known.replace(BUYER.encode(), b"800000002").replace(b"FR37800000002", b"FR20800000002")
    flow = supplier.deposit(data)
    assert flow["invoiceStanding"] == "reportable", flow
    assert "annuaire" in flow["invoiceExplanation"]["fr"]
    assert supplier.statuses(data, enough=0) == []


def test_an_address_unknown_to_the_directory(supplier: Supplier) -> None:
    """A known customer at an address that is not its own: rejected, and the term to correct is named."""
    data = supplier.invoice(supplier.number()).replace(b'"0225">200000008<', b'"0225">200000008_ACHATS<')
    flow = supplier.deposit(data)
    assert flow["invoiceStanding"] == "rejected"
    assert flow["invoiceExplanation"]["faults"][0]["terms"] == "BT-49"
    assert supplier.statuses(data) == ["213:REJ_ADR"]


def test_rules_broken(supplier: Supplier) -> None:
    """An invoice whose total is wrong: rejected, each rule told with its term."""
    data = supplier.invoice(supplier.number()).replace(b">2400.00<", b">2500.00<")
    flow = supplier.deposit(data)
    assert flow["invoiceStanding"] == "rejected"
    assert {fault["rule"] for fault in flow["invoiceExplanation"]["faults"]} == {"BR-CO-15"}
    assert supplier.statuses(data)[0].startswith("213:")


def test_announced_as_another(supplier: Supplier) -> None:
    """A CII announced as UBL: the two are told."""
    data = supplier.invoice(supplier.number(), "service-cii")
    assert recognise(data).value == "CII"
    text = refused(supplier.deposit(data, "UBL"), "FlowTypeError", "IRR_TYPE_F")
    assert "UBL" in text
    assert "CII" in text
