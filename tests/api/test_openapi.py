"""Our own document says what is served, and differs from the published one only where it is written why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Client = Any
DOC = (Path(__file__).parents[2] / "docs/api.md").read_text()

DEVIATIONS = {
    "+ GET /v1/webhooks/{webhookUid}": "edition 1.2",
    "+ PATCH /v1/webhooks/{webhookUid}": "edition 1.2",
    "+ POST /v1/webhooks/{webhookUid}/replay": "ours",
    "+ GET /v1/webhooks response 429": "any call is counted",
    "+ POST /v1/webhooks response 429": "any call is counted",
    "+ DELETE /v1/webhooks/{webhookUid} response 429": "any call is counted",
    "+ GET /v1/flows/{flowId} parameter to": "ours: the form of a conversion",
    "optional POST /v1/flows body $.flowInfo.name": "1.1 leaves it out",
    "values POST /v1/flows body $.flowInfo.processingRule": "`Undefined` is for answers",
    "+ field POST /v1/flows/search body $.where.flowProfile": "§5.3 of the norm",
    "+ field POST /v1/flows/search 200 $.filters.flowProfile": "said back",
    "+ field POST /v1/flows/search body $.where.flowProfile[]": "§5.3 of the norm",
    "+ field POST /v1/flows/search 200 $.filters.flowProfile[]": "said back",
    "+ field POST /v1/flows/search body $.where.ackStatus[]": "§5.3 of the norm: one status or several",
    "+ field POST /v1/flows/search 200 $.filters.ackStatus[]": "said back",
    "values POST /v1/flows/search body $.where.flowType[]": "`StateInvoice` of 1.2",
    "values POST /v1/flows/search 200 $.filters.flowType[]": "said back",
    "required POST /v1/flows/search 200 $.limit": "always given",
    "required POST /v1/flows/search 200 $.filters": "always given",
    "required POST /v1/flows/search 200 $.results": "always given",
    "+ field POST /v1/flows/search 200 $.results[].sha256": "ours",
    "+ field POST /v1/flows/search 200 $.results[].invoiceStanding": "ours",
    "+ field POST /v1/flows/search 200 $.results[].invoiceExplanation": "ours",
    "+ field GET /v1/flows/{flowId} 200 $.sha256": "ours",
    "+ field GET /v1/flows/{flowId} 200 $.invoiceStanding": "ours",
    "+ field GET /v1/flows/{flowId} 200 $.invoiceExplanation": "ours",
}
"""Where our document differs from the published one, and why; docs/api.md tells it."""


def resolved(whole: Any, schema: Any) -> Any:
    """Return a schema without references, its parts put together, what may be null without that."""
    if "$ref" in schema:
        target = whole
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return resolved(whole, target)
    made = {name: value for name, value in schema.items() if name not in ("allOf", "anyOf", "oneOf")}
    parts = [resolved(whole, part) for part in schema.get("allOf", ())]
    choices = [part for word in ("anyOf", "oneOf") for part in schema.get(word, ()) if part.get("type") != "null"]
    parts += [resolved(whole, part) for part in choices]
    for part in parts:
        values = [*made.get("enum", ()), *part.get("enum", ())]
        properties = {**part.get("properties", {}), **made.get("properties", {})}
        required = [*made.get("required", ()), *part.get("required", ())] if "allOf" in schema else made.get("required")
        made = {**part, **made, "properties": properties, **({"enum": values} if values else {})}
        made["required"] = required if required is not None else part.get("required", [])
    return made


def fields(whole: Any, schema: Any, path: str = "$") -> Iterator[tuple[str, bool, frozenset[str], Any]]:
    """Give each field under a schema: where, whether it is required, its values, its length."""
    here = resolved(whole, schema)
    for name, part in here.get("properties", {}).items():
        inner, mark = resolved(whole, part), f"{path}.{name}"
        yield mark, name in here.get("required", ()), frozenset(inner.get("enum", ())), inner.get("maxLength")
        if inner.get("type") == "array" and "items" in inner:
            item = resolved(whole, inner["items"])
            yield f"{mark}[]", False, frozenset(item.get("enum", ())), item.get("maxLength")
            yield from fields(whole, item, f"{mark}[]")
        else:
            yield from fields(whole, inner, mark)


def operations(whole: Any) -> dict[str, Any]:
    """Return the operations of a document by method and path."""
    return {f"{verb.upper()} {path}": one for path, verbs in whole["paths"].items() for verb, one in verbs.items()}


def bodies(whole: Any, operation: Any) -> Iterator[tuple[str, Any]]:
    """Give the schemas of what comes in and of what goes out when it is done."""
    if "requestBody" in operation:
        content = resolved(whole, operation["requestBody"])["content"]
        yield "body", next(iter(content.values()))["schema"]
    for status, answer in operation["responses"].items():
        content = resolved(whole, answer).get("content", {})
        if status.startswith("2") and "application/json" in content:
            yield status, content["application/json"]["schema"]


def differences(ours: Any, published: Any) -> Iterator[str]:
    """Tell where two documents differ: operations, parameters, responses, fields, what is required, values, lengths."""
    mine, theirs = operations(ours), operations(published)
    yield from (f"- {name}" for name in theirs.keys() - mine.keys())
    yield from (f"+ {name}" for name in mine.keys() - theirs.keys())
    for name in mine.keys() & theirs.keys():
        statuses = [set(one[name]["responses"]) for one in (mine, theirs)]
        yield from (f"+ {name} response {status}" for status in statuses[0] - statuses[1])
        yield from (f"- {name} response {status}" for status in statuses[1] - statuses[0])
        given = [{each["name"] for each in one[name].get("parameters", ())} for one in (mine, theirs)]
        yield from (f"+ {name} parameter {each}" for each in given[0] - given[1])
        yield from (f"- {name} parameter {each}" for each in given[1] - given[0])
        here, there = dict(bodies(ours, mine[name])), dict(bodies(published, theirs[name]))
        assert here.keys() == there.keys(), name
        if "webhooks" not in name:  # one answer for both editions: what each asks is tested for itself
            for part, schema in here.items():
                yield from of_fields(ours, schema, published, there[part], f"{name} {part}")


def of_fields(ours: Any, mine: Any, published: Any, theirs: Any, place: str) -> Iterator[str]:
    """Tell where two schemas differ."""
    here = {path: rest for path, *rest in fields(ours, mine) if "invoiceExplanation." not in path}
    there = {path: rest for path, *rest in fields(published, theirs)}
    yield from (f"- field {place} {path}" for path in there.keys() - here.keys())
    yield from (f"+ field {place} {path}" for path in here.keys() - there.keys())
    for path in here.keys() & there.keys():
        (required, values, length), (is_required, published_values, published_length) = here[path], there[path]
        if required != is_required:
            yield f"{'required' if required else 'optional'} {place} {path}"
        if values != published_values and not path.endswith("reasonCode"):  # an open list, published beside any text
            yield f"values {place} {path}"
        if length != published_length:
            yield f"length {place} {path}"


@pytest.fixture(scope="module")
def ours(shared_client: Client) -> Any:
    """Give our own document, as it is served."""
    answer = shared_client.call("GET", "/flow-service/openapi.json", siren=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer.json


def test_it_differs_only_where_it_is_written_why(contract: Any, ours: Any) -> None:
    """Paths, methods, parameters, codes, fields, what is required, values, lengths: the same, or in the table."""
    assert set(differences(ours, contract)) == set(DEVIATIONS)


@pytest.mark.parametrize("deviation", DEVIATIONS)
def test_the_table_is_in_the_documentation(deviation: str) -> None:
    """What we depart from is told to whoever reads the page of the API."""
    assert f"`{deviation}`" in DOC


def test_the_difference_is_seen(contract: Any) -> None:
    """A field, a value, a code or a verb that goes missing is told."""
    changed = json.loads(json.dumps(contract))
    del changed["paths"]["/v1/healthcheck"]
    del changed["paths"]["/v1/flows"]["post"]["responses"]["413"]
    schemas = changed["components"]["schemas"]
    schemas["FlowAckStatus"]["enum"].remove("Ok")
    del schemas["CoreFlowInfo"]["properties"]["name"]
    told = set(differences(changed, contract))
    assert {"- GET /v1/healthcheck", "- POST /v1/flows response 413"} <= told
    assert "values GET /v1/flows/{flowId} 200 $.acknowledgement.status" in told
    assert "- field POST /v1/flows body $.flowInfo.name" in told


def test_what_it_says_is_served(shared_client: Client, ours: Any) -> None:
    """Every operation of the document is a route, and asks for a token unless it is of health."""
    for name in operations(ours):
        method, path = name.split(" ")
        place = path.replace("{flowId}", "x").replace("{webhookUid}", "0d4a30d0-7f3b-4a5b-9d0a-0c6f4a3a1b2c")
        answer = shared_client.call(method, f"/flow-service{place}", siren=None)
        assert answer.status == (200 if path.endswith("healthcheck") else 401), name
