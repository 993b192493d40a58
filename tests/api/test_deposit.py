"""A file deposited is kept and told, whatever client wrote the form; what is none is told why and leaves nothing."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from estafette.api import flow_service
from estafette.readable import facturx
from estafette.simulation import samples
from estafette.store.documents import Documents
from estafette.values.limits import FILE_BYTES_MAX

HERE, THERE = "100000009", "200000008"
Client = Any
INFO = {"flowSyntax": "CII", "name": "facture.xml"}
DATA = b"<Invoice>42</Invoice>"
ALL = {"updatedAfter": "1970-01-01T00:00:00.000Z"}


def held(client: Client, siren: str = HERE) -> list[Any]:
    """Give every flow of a company."""
    return list(client.search(siren=siren, where=ALL, limit=100).json["results"])


def test_a_deposit_is_kept_and_told(client: Client) -> None:
    """The answer is 202 with what was said, an identifier, the moment and the fingerprint; the file can be had back."""
    info = {
        "flowSyntax": "UBL",
        "name": "Facture n° 1.xml",
        "trackingId": "F-1",
        "processingRule": "B2B",
        "flowProfile": "CIUS",
    }
    answer = client.deposit(info, DATA)
    assert answer.status == 202
    assert {name: answer.json[name] for name in info} == info
    assert UUID(answer.json["flowId"])
    assert answer.json["submittedAt"].endswith("Z")
    assert answer.json["sha256"] == hashlib.sha256(DATA).hexdigest()
    [flow] = held(client)
    assert (flow["flowId"], flow["acknowledgement"]) == (answer.json["flowId"], {"status": "Pending"})
    assert (flow["flowDirection"], flow["processingRuleSource"]) == ("Out", "Input")
    original = client.call("GET", f"/v1/flows/{flow['flowId']}", query="docType=Original")
    assert (original.status, original.body) == (200, DATA)


def test_an_invoice_has_a_readable_view(client: Client) -> None:
    """A UBL is given as a PDF that shows it, a Factur-X as its sender's own PDF; what is no invoice has none."""
    invoice = samples.load("service", number="F-7", issue_date=date(2026, 9, 1))
    paper = facturx(samples.load("service-cii", number="F-8", issue_date=date(2026, 9, 1)))
    for data, name in ((invoice, "f7.xml"), (paper, "f8.pdf"), (b"<n/>", "n.xml")):
        client.deposit({**INFO, "name": name}, data)
    views = [client.call("GET", f"/v1/flows/{flow['flowId']}", query="docType=ReadableView") for flow in held(client)]
    by_name = {view.headers.get("content-disposition"): view for view in views}
    assert by_name["attachment;filename=f7.pdf"].body.startswith(b"%PDF-")
    assert by_name["attachment;filename=f8.pdf"].body == paper
    assert by_name[None].status == 404


FORMS = {
    "pyfrctc": {"info_head": "Content-Type: text/plain\r\n", "file_head": "", "file_first": True},
    "PHP curl": {"info_head": "", "file_head": "Content-Type: application/octet-stream\r\n"},
    "PHP curl, file first": {"info_head": "", "file_first": True},
    "browser blob": {"info_filename": "blob"},
    "charset": {"info_head": "Content-Type: application/json; charset=UTF-8\r\n"},
    "no types": {"info_head": "", "file_head": ""},
    "no file name": {"info_head": "", "filename": ""},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_as_every_client_writes_it(shared_client: Client, form: dict[str, Any]) -> None:
    """Parts in any order, typed or not, the information as a field or as a file: the same deposit."""
    info = {"flowSyntax": "CII", "name": "facture été.xml", "flowType": "CustomerInvoice"}
    answer = shared_client.deposit(json.dumps(info, ensure_ascii=False), DATA, **form)
    assert (answer.status, answer.json["name"], answer.json["flowSyntax"]) == (202, "facture été.xml", "CII")
    assert answer.json["sha256"] == hashlib.sha256(DATA).hexdigest()


@pytest.mark.parametrize("prefix", ["", "/flow-service", "/afnor-flow"])
def test_under_every_prefix(shared_client: Client, form: Any, prefix: str) -> None:
    """The service is the same at the root and under the prefixes that clients have built in."""
    body, headers = form(INFO, DATA)
    answer = shared_client.call("POST", f"{prefix}/v1/flows", body=body, headers=headers)
    assert answer.status == 202
    assert shared_client.call("GET", f"{prefix}/v1/flows/{answer.json['flowId']}").status == 200


def test_the_name_of_the_part_when_none_is_said(shared_client: Client) -> None:
    """Clients of version 1.1 give the name with the file only; every answer has a name."""
    assert shared_client.deposit({"flowSyntax": "CII"}, DATA, filename="avoir.xml").json["name"] == "avoir.xml"
    assert len(shared_client.deposit({"flowSyntax": "CII"}, DATA, filename="x" * 300).json["name"]) == 255


def test_bytes_are_not_touched(shared_client: Client) -> None:
    """Line ends, null bytes and what looks like a boundary come back as they were, over a megabyte too."""
    data = b"\r\n--frontie\x00\xff\r\r\n--\r\n" * 90_000
    flow = shared_client.deposit(INFO, data).json["flowId"]
    assert shared_client.call("GET", f"/v1/flows/{flow}", query="docType=Original").body == data


def test_a_large_file_is_sent_piece_by_piece(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be held at hand is never whole in memory: neither when it comes nor when it is asked for."""
    data = bytes(range(256)) * 12_000
    flow = client.deposit(INFO, data).json["flowId"]

    def whole(_documents: Documents, _name: str) -> bytes:
        raise AssertionError("read whole")

    monkeypatch.setattr(Documents, "get", whole)
    answer = client.call("GET", f"/v1/flows/{flow}", query="docType=Original")
    assert (answer.status, answer.headers["content-length"]) == (200, str(len(data)))
    assert answer.body == data


def test_sent_again_is_one_deposit(client: Client) -> None:
    """The same bytes under the same tracking identifier are the same flow; other bytes or another company's are not."""
    info = {**INFO, "trackingId": "F-1"}
    first, again = client.deposit(info, DATA).json, client.deposit(info, DATA).json
    assert first == again
    assert client.deposit(info, DATA + b" ").json["flowId"] != first["flowId"]
    assert client.deposit(info, DATA, siren=THERE).json["flowId"] != first["flowId"]
    assert client.deposit({**INFO, "trackingId": "F-2"}, DATA).json["flowId"] != first["flowId"]
    assert (len(held(client)), len(held(client, THERE))) == (3, 1)


def test_the_fingerprint_is_checked(client: Client) -> None:
    """A deposit whose fingerprint is not that of its file is refused and leaves no flow; the right one is taken."""
    wrong = client.deposit({**INFO, "sha256": "0" * 64}, DATA)
    assert (wrong.status, wrong.json["errorCode"], held(client)) == (422, "CHECKSUM_MISMATCH", [])
    assert client.deposit({**INFO, "sha256": hashlib.sha256(DATA).hexdigest()}, DATA).status == 202


WRONG = {
    "no syntax": {"name": "f"},
    "unknown syntax": {"flowSyntax": "EDIFACT"},
    "empty name": {**INFO, "name": ""},
    "name too long": {**INFO, "name": "x" * 256},
    "tracking too long": {**INFO, "trackingId": "x" * 65},
    "unknown rule": {**INFO, "processingRule": "B2X"},
    "rule of answers only": {**INFO, "processingRule": "Undefined"},
    "unknown profile": {**INFO, "flowProfile": "EN16931"},
    "fingerprint in capitals": {**INFO, "sha256": "A" * 64},
    "fingerprint in base64": {**INFO, "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
    "a list": [INFO],
    "nothing": "",
    "not JSON": "flowSyntax=CII",
    "half": '{"flowSyntax": "CII"',
    "half a surrogate": '{"flowSyntax":"CII","name":"\\ud800"}',
    "nested without end": '{"flowSyntax":"CII","x":' + "[" * 50_000 + "]" * 50_000 + "}",
}


@pytest.mark.parametrize("info", WRONG.values(), ids=WRONG)
def test_what_is_no_information_is_told(shared_client: Client, info: Any) -> None:
    """Information that is not what the norm says is answered 400 with what is wrong, and no flow is made."""
    before = len(held(shared_client))
    answer = shared_client.deposit(info, DATA)
    assert (answer.status, bool(answer.json["errorMessage"])) == (400, True)
    assert len(held(shared_client)) == before


def test_information_in_another_encoding(shared_client: Client) -> None:
    """Information that is not UTF-8 is read as Latin-1 in a field, as PHP may send it; as a JSON file it is told."""
    latin = '{"flowSyntax":"CII","name":"é.xml"}'.encode("latin-1")
    assert shared_client.deposit(latin, DATA, info_head="").json["name"] == "é.xml"
    assert shared_client.deposit(latin, DATA, info_filename="blob").status == 400


def test_bounds_are_within(shared_client: Client) -> None:
    """The longest name and tracking identifier are taken."""
    info = {"flowSyntax": "CII", "name": "é" * 255, "trackingId": "t" * 64}
    assert shared_client.deposit(info, DATA).json["name"] == "é" * 255


FORM = "multipart/form-data; boundary=b"
BODIES = {
    "not a form": (b"{}", "application/json"),
    "no type": (b"{}", ""),
    "empty form": (b"--b--\r\n", FORM),
    "no boundary": (b"--b--\r\n", "multipart/form-data"),
    "cut": (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nabc',
        FORM,
    ),
    "part without name": (
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        FORM,
    ),
    "file as a field": (
        b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n'
        b'--b\r\nContent-Disposition: form-data; name="flowInfo"\r\n\r\n{"flowSyntax":"CII"}\r\n--b--\r\n',
        FORM,
    ),
    "no information": (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n',
        FORM,
    ),
    "three files": (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n' * 3 + b"--b--\r\n",
        FORM,
    ),
    "many fields": (
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 50 + b"--b--\r\n",
        FORM,
    ),
    "endless head": (
        b"--b\r\n" + b"X-Y: z\r\n" * 5000 + b"\r\nx\r\n--b--\r\n",
        FORM,
    ),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Starlette leaves a cut file open
@pytest.mark.parametrize(("body", "kind"), BODIES.values(), ids=BODIES)
def test_what_is_no_form_is_told(shared_client: Client, body: bytes, kind: str) -> None:
    """A body that is not the form of the norm is answered 400 in the one shape of errors, and no flow is made."""
    before = len(held(shared_client))
    answer = shared_client.call("POST", "/v1/flows", body=body, headers={"Content-Type": kind} if kind else {})
    assert (answer.status, answer.json["type"]) == (400, "about:blank")
    assert answer.json["errorCode"] == "MISSING_REQUIRED_FIELD"
    assert len(held(shared_client)) == before


def test_an_empty_file_is_kept_to_be_refused(client: Client) -> None:
    """An empty file is a deposit: what is wrong with it is said in its acknowledgement (EmptyFlow)."""
    flow = client.deposit(INFO, b"").json["flowId"]
    client.work()
    [told] = client.call("GET", f"/v1/flows/{flow}").json["acknowledgement"]["details"]
    assert (told["reasonCode"], told["level"], told["item"]) == ("EmptyFlow", "Error", "file")


def streamed(form: Any, size: int) -> Iterator[bytes]:
    """Give the pieces of a form whose file has this size, without ever holding it."""
    body, _ = form(INFO, b"@")
    head, _, tail = body.rpartition(b"@")
    yield head
    piece = bytes(1024 * 1024)
    whole, rest = divmod(size, len(piece))
    yield from (piece for _ in range(whole))
    if rest:
        yield piece[:rest]
    yield tail


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Starlette leaves a cut file open
@pytest.mark.parametrize("announced", [None, "right", "a lie"])
def test_a_file_past_the_limit_is_refused_as_it_comes(client: Client, form: Any, announced: str | None) -> None:
    """Past FILE_BYTES_MAX the answer is 413, whatever length was announced, and no more of the file is read."""
    headers = {"Content-Type": "multipart/form-data; boundary=frontier"}
    if announced == "right":
        headers["Content-Length"] = str(FILE_BYTES_MAX * 10)
    elif announced == "a lie":
        headers["Content-Length"] = "500"
    answer = client.call("POST", "/v1/flows", body=streamed(form, FILE_BYTES_MAX * 10), headers=headers)
    assert (answer.status, answer.json["errorCode"]) == (413, "FILE_SIZE_EXCEEDED")
    assert "IRR_TAILLE_F" in answer.json["errorMessage"]
    assert client.given < FILE_BYTES_MAX + 3 * 1024 * 1024
    assert client.given == 0 or announced != "right"
    assert held(client) == []


@pytest.mark.parametrize(("over", "status"), [(0, 202), (1, 413)])
def test_a_file_at_the_limit(
    shared_client: Client, form: Any, monkeypatch: pytest.MonkeyPatch, over: int, status: int
) -> None:
    """A file of exactly the limit is taken, one byte more is not, though the form would leave it room."""
    limit = 2 * 1024 * 1024 + 1
    monkeypatch.setattr(flow_service, "FILE_BYTES_MAX", limit)
    headers = {"Content-Type": "multipart/form-data; boundary=frontier"}
    answer = shared_client.call("POST", "/v1/flows", body=streamed(form, limit + over), headers=headers)
    assert answer.status == status


def test_the_limit_is_the_published_one() -> None:
    """A file may have 100 MB (BR-FR-19), and that is what the service applies."""
    assert flow_service.FILE_BYTES_MAX == FILE_BYTES_MAX == 100 * 1024 * 1024
