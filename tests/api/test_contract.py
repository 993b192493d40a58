"""What the service answers is what the published contract says (XP Z12-013, annex A, version 1.3.0)."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

Client = Any
INFO = {"flowSyntax": "UBL", "name": "f.xml", "trackingId": "T-1", "processingRule": "B2B", "flowProfile": "CIUS"}
ALL = {"updatedAfter": "1970-01-01T00:00:00.000Z"}
CORPUS = Path(__file__).parents[2] / "../shared/corpus/brfr-probes"
TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float)}
KNOWN = {
    "$ref", "allOf", "oneOf", "type", "required", "properties", "items", "enum", "pattern", "maxLength", "maximum",
    "minItems", "format", "description", "example", "default",
}  # fmt: skip


def breaches(contract: Any, schema: Any, value: Any, path: str = "$") -> Iterator[str]:
    """Tell where a value is not what its schema says: the part of JSON Schema that the contract uses, and no other."""
    assert set(schema) <= KNOWN, f"the contract uses more than is checked here: {set(schema) - KNOWN}"
    if "$ref" in schema:
        target = contract
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        yield from breaches(contract, target, value, path)
        return
    for part in schema.get("allOf", ()):
        yield from breaches(contract, part, value, path)
    if "oneOf" in schema and all(any(breaches(contract, part, value, path)) for part in schema["oneOf"]):
        yield f"{path}: none of oneOf"
    wanted = schema.get("type")
    if wanted and (not isinstance(value, TYPES[wanted]) or (wanted == "integer" and isinstance(value, bool))):
        yield f"{path}: {value!r} is no {wanted}"
        return
    yield from of_its_bounds(schema, value, path)
    if isinstance(value, dict):
        yield from (f"{path}: {name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, part in schema.get("properties", {}).items():
            if name in value:
                yield from breaches(contract, part, value[name], f"{path}.{name}")
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from breaches(contract, schema.get("items", {}), item, f"{path}[{place}]")


def of_its_bounds(schema: Any, value: Any, path: str) -> Iterator[str]:
    """Tell which of the bounds of its schema a value breaks."""
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not in the list"
    if isinstance(value, str):
        if not re.search(schema.get("pattern", ""), value) or len(value) > schema.get("maxLength", len(value)):
            yield f"{path}: {value!r} is out of its pattern or length"
        if schema.get("format") == "date-time" and not is_moment(value):
            yield f"{path}: {value!r} is no date-time"
    if isinstance(value, int) and value > schema.get("maximum", value):
        yield f"{path}: {value} is over {schema['maximum']}"
    if isinstance(value, list) and len(value) < schema.get("minItems", 0):
        yield f"{path}: too few items"


def is_moment(text: str) -> bool:
    """Tell whether a text is a date-time of RFC 3339, zone included."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def keeps(contract: Any, path: str, method: str, answer: Any) -> None:
    """The answer has a status that the contract declares for the operation, and the body declared for that status."""
    declared = contract["paths"][path][method]["responses"]
    assert str(answer.status) in declared, f"{answer.status} is not declared: {answer.body[:300]!r}"
    name = declared[str(answer.status)]["$ref"].rpartition("/")[2]
    content = contract["components"]["responses"][name].get("content", {})
    kind = answer.headers.get("content-type", "")
    assert kind in content or not content
    if kind == "application/json":
        schema = content[kind]["schema"]
        assert list(breaches(contract, schema, answer.json)) == []


def test_the_checker_sees(contract: Any) -> None:
    """The checker finds what is missing, of another type, out of its list, its pattern, its bounds."""
    flow = {"$ref": "#/components/schemas/Flow"}
    assert sum("missing" in breach for breach in breaches(contract, flow, {})) == 11
    info = {"$ref": "#/components/schemas/FlowInfo"}
    assert list(breaches(contract, info, {**INFO, "sha256": "0" * 64})) == []
    for wrong in ({"sha256": "0"}, {"flowSyntax": "ODF"}, {"name": 3}, {"trackingId": "x" * 65}):
        assert len(list(breaches(contract, info, {**INFO, **wrong}))) == 1
    page = {"$ref": "#/components/schemas/SearchFlowContent"}
    assert list(breaches(contract, page, {"limit": 101, "results": [], "filters": {"updatedAfter": "now"}})) != []
    acknowledgement = {"$ref": "#/components/schemas/Acknowledgement"}
    assert list(breaches(contract, acknowledgement, {"status": "Ok", "details": []})) != []


def test_answers_of_a_deposit(contract: Any, client: Client) -> None:
    """A deposit taken, malformed, of another fingerprint, without token or for another keeps the contract."""
    taken = client.deposit(INFO, b"<x/>")
    keeps(contract, "/v1/flows", "post", taken)
    keeps(contract, "/v1/flows", "post", client.deposit({"flowSyntax": "CII"}, b"<x/>"))
    for answer, status in (
        (client.deposit({}, b"<x/>"), 400),
        (client.call("POST", "/v1/flows", body=b"{}"), 400),
        (client.deposit({**INFO, "sha256": "0" * 64}, b"<x/>"), 422),
        (client.call("POST", "/v1/flows", siren=None), 401),
        (client.call("POST", "/v1/flows", headers={"Organization-Id": "200000008"}), 403),
        (client.call("POST", "/v1/flows", headers={"Content-Length": "999999999"}), 413),
    ):
        assert answer.status == status
        keeps(contract, "/v1/flows", "post", answer)


def test_answers_of_a_search(contract: Any, client: Client) -> None:
    """Pages, whatever state their flows are in, and refusals of a search keep the contract."""
    for number in range(3):
        client.deposit({**INFO, "name": f"{number}.xml"}, f"<n>{number}</n>".encode())
    pages = [client.search(where=ALL, limit=2)]
    client.work()
    pages += [client.search(where=ALL, limit=2), client.search(where=ALL), client.search(where={"trackingId": "none"})]
    assert ["nextCursor" in page.json for page in pages] == [True, True, False, False]
    refusals = [client.search(where={}), client.search(siren=None, where=ALL), client.search(where=ALL, limit=999)]
    refusals.append(client.call("POST", "/v1/flows/search", body=b" " * 70_000))
    assert [answer.status for answer in refusals] == [400, 401, 400, 400]
    for answer in (*pages, *refusals):
        keeps(contract, "/v1/flows/search", "post", answer)


def test_answers_of_a_get(contract: Any, client: Client) -> None:
    """Metadata, bytes and refusals of a flow keep the contract."""
    flow = client.deposit(INFO, b"<x/>").json["flowId"]
    path = f"/v1/flows/{flow}"
    for query, status in (("", 200), ("docType=Metadata", 200), ("docType=Original", 200), ("docType=Converted", 404),
                          ("docType=x", 400)):  # fmt: skip
        answer = client.call("GET", path, query=query)
        assert answer.status == status
        keeps(contract, "/v1/flows/{flowId}", "get", answer)
    keeps(contract, "/v1/flows/{flowId}", "get", client.call("GET", path, siren=None))
    keeps(contract, "/v1/flows/{flowId}", "get", client.call("GET", path, siren="200000008"))
    keeps(contract, "/v1/healthcheck", "get", client.call("GET", "/v1/healthcheck"))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not beside the project")
@pytest.mark.parametrize(
    "name", ["ubl-synth-B1-pass.xml", "ubl-date-2026-02-31.xml", "ubl-siren-lettres.xml", "cii-date-suffix.xml"]
)
def test_answers_once_judged(contract: Any, client: Client, name: str) -> None:
    """Invoices taken, rejected or refused: their flows, and those the platform makes of them, keep the contract."""
    client.deposit({"flowSyntax": "UBL", "name": name}, (CORPUS / name).read_bytes())
    client.work()
    page = client.search(where=ALL)
    keeps(contract, "/v1/flows/search", "post", page)
    assert {flow["acknowledgement"]["status"] for flow in page.json["results"]} <= {"Ok", "Error"}
    for flow in page.json["results"]:
        keeps(contract, "/v1/flows/{flowId}", "get", client.call("GET", f"/v1/flows/{flow['flowId']}"))
        assert client.call("GET", f"/v1/flows/{flow['flowId']}", query="docType=Original").status == 200
