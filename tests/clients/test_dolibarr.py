"""The bytes that the Dolibarr module sends, replayed by hand: PHP's curl writes its forms in its own way.

A part without a type, a file without one that says what it is, a query that carries an identifier, metadata asked for
as bytes: all of it is what installed modules do (XP Z12-013 clients observed in 2026).
"""

import hashlib
import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from tests.clients.conftest import Seat, invoice, until

BOUNDARY = "------------------------d74496d66958873e"
SINCE = {"where": {"updatedAfter": "1970-01-01T00:00:00.000Z"}, "limit": 100}


def ask(seat: Seat, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send one request as it is; return its status, headers and body."""
    connection = http.client.HTTPConnection(urlsplit(seat.url).netloc, timeout=30)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def bearer(supplier: Seat) -> str:
    """The module's token: the secret in the form, as PHP writes it."""
    form = {"grant_type": "client_credentials", "client_id": supplier.client_id, "client_secret": supplier.secret}
    kind = "application/x-www-form-urlencoded"
    status, _headers, body = ask(supplier, "POST", "/oauth2/token", urlencode(form).encode(), Content_Type=kind)
    assert status == 200
    return f"Bearer {json.loads(body)['access_token']}"


def form(info: dict[str, str], name: str, document: bytes, kind: str = "application/octet-stream") -> bytes:
    """Write the form as curl does from a `CURLFile` and a bare string, in that order."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    head += f"Content-Type: {kind}\r\n\r\n"
    tail = f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="flowInfo"\r\n\r\n{json.dumps(info)}\r\n'
    return head.encode() + document + tail.encode() + f"--{BOUNDARY}--\r\n".encode()


def deposit(seat: Seat, bearer: str, info: dict[str, str], document: bytes, prefix: str = "/afnor-flow") -> Any:
    """Deposit as the module does; return the flow, which is taken."""
    body = form(info, info["name"], document)
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    status, _headers, answer = ask(
        seat, "POST", f"{prefix}/v1/flows", body, Authorization=bearer, Content_Type=kind, Accept="application/json"
    )
    assert status == 202, answer
    return json.loads(answer)


def metadata(seat: Seat, bearer: str, flow: str) -> Any:
    """Return the metadata of a flow, asked for as bytes."""
    path = f"/afnor-flow/v1/flows/{flow}?docType=Metadata"
    status, headers, body = ask(seat, "GET", path, Authorization=bearer, Accept="application/octet-stream")
    assert (status, headers["content-type"]) == (200, "application/json")
    return json.loads(body)


def search(seat: Seat, bearer: str, path: str = "/afnor-flow/v1/flows/search?Request-Id=abc") -> list[Any]:
    """Return the first page of all that there is."""
    body = json.dumps(SINCE).encode()
    status, _headers, answer = ask(seat, "POST", path, body, Authorization=bearer, Content_Type="application/json")
    assert status == 200, answer
    return list(json.loads(answer)["results"])


def test_an_invoice_as_the_module_sends_it(supplier: Seat, bearer: str) -> None:
    """The deposit is taken, its metadata are there at once, and the search that carries an identifier is answered."""
    document = invoice("FA2611-0001")
    info = {
        "flowProfile": "CIUS", "flowSyntax": "UBL", "trackingId": "FA2611-0001", "name": "FA2611-0001.xml",
        "sha256": hashlib.sha256(document).hexdigest(),
    }  # fmt: skip
    flow = deposit(supplier, bearer, info, document)
    assert (flow["flowSyntax"], flow["trackingId"]) == ("UBL", "FA2611-0001")
    first = metadata(supplier, bearer, flow["flowId"])
    assert first["flowId"] == flow["flowId"]
    assert first["acknowledgement"]["status"] in ("Pending", "Ok")
    settled = until(
        lambda: metadata(supplier, bearer, flow["flowId"]), lambda seen: seen["acknowledgement"]["status"] != "Pending"
    )
    assert settled["acknowledgement"]["status"] == "Ok"
    moments = [one["updatedAt"] for one in search(supplier, bearer)]
    assert moments == sorted(moments)
    assert len(set(moments)) == len(moments)


def test_the_same_reference_twice(supplier: Seat, bearer: str) -> None:
    """A reference that the module gives twice is no duplicate: two documents are two flows, each under it."""
    flows = set()
    for number in ("FA2611-0002", "FA2611-0003"):
        info = {"flowSyntax": "UBL", "trackingId": "FA2611-SAME", "name": f"{number}.xml"}
        flows.add(deposit(supplier, bearer, info, invoice(number))["flowId"])
    assert len(flows) == 2
    assert {metadata(supplier, bearer, flow)["trackingId"] for flow in flows} == {"FA2611-SAME"}


def test_a_status_with_two_words_only(supplier: Seat, bearer: str) -> None:
    """A status is deposited with its name and syntax alone; one that cannot be read is acknowledged in error."""
    flow = deposit(supplier, bearer, {"name": "cdar.xml", "flowSyntax": "CDAR"}, b"<not-a-status/>")
    settled = until(
        lambda: metadata(supplier, bearer, flow["flowId"]), lambda seen: seen["acknowledgement"]["status"] != "Pending"
    )
    (detail,) = settled["acknowledgement"]["details"]
    assert all(detail[word] for word in ("level", "item", "reasonCode", "reasonMessage"))


@pytest.mark.parametrize("prefix", ["", "/afnor-directory", "/directory-service"])
@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_the_directory_as_the_module_asks(supplier: Seat, bearer: str, prefix: str, colon: str) -> None:
    """A unit and an address are had with their colon as it is or encoded; what is not there is NOT_FOUND."""
    path = f"{prefix}/v1/siren/code-insee{colon}200000008"
    status, _headers, body = ask(supplier, "GET", path, Authorization=bearer, Accept="application/json")
    assert (status, json.loads(body)["businessName"]) == (200, "Maison Tilleul")
    path = f"{prefix}/v1/directory-line/code{colon}200000008_COMPTABILITE?include=siren"
    status, _headers, body = ask(supplier, "GET", path, Authorization=bearer)
    assert (status, json.loads(body)["legalUnit"]["siren"]) == (200, "200000008")
    status, _headers, body = ask(
        supplier, "GET", f"{prefix}/v1/siret/code-insee{colon}73282932000074", Authorization=bearer
    )
    assert (status, json.loads(body)["errorCode"]) == (404, "NOT_FOUND")
