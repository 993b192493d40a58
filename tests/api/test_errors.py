"""Each error code is met where it is published, its message French then English."""

import json
from typing import Any

import pytest

from estafette.circuit.operators import operator_token

HERE, THERE = "100000009", "200000008"
Client = Any
INFO = {"flowSyntax": "CII", "name": "f.xml"}

MET = {
    "MISSING_TOKEN": (401, lambda client: client.call("GET", "/v1/flows/x", siren=None)),
    "FORBIDDEN_ACCESS": (
        403, lambda client: client.call("GET", "/v1/flows/x", headers={"Organization-Id": THERE}),
    ),
    "MISSING_REQUIRED_FIELD": (400, lambda client: client.deposit({}, b"<x/>")),
    "CHECKSUM_MISMATCH": (422, lambda client: client.deposit({**INFO, "sha256": "0" * 64}, b"<x/>")),
    "FILE_SIZE_EXCEEDED": (
        413, lambda client: client.call("POST", "/v1/flows", headers={"Content-Length": "999999999"}),
    ),
    "NOT_FOUND": (404, lambda client: client.call("GET", "/v1/flows/x")),
    "NOT_IMPLEMENTED": (405, lambda client: client.call("DELETE", "/v1/flows")),
    "INVALID_CALLBACK_URL": (
        400, lambda client: client.call("POST", "/v1/webhooks", body=b'{"callbackUrl": "https://10.0.0.1/"}'),
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", MET)
def test_a_code_and_its_words(shared_client: Client, code: str) -> None:
    """The status and code are those published; the message is in both languages."""
    status, ask = MET[code]
    answer = ask(shared_client)
    assert (answer.status, answer.json["errorCode"], answer.json["type"]) == (status, code, "about:blank")
    french, slash, english = answer.json["errorMessage"].partition(" / ")
    assert french and slash and english


def test_too_often(client: Client, again: Any) -> None:
    """TOO_MANY_REQUESTS says how long to wait, for requests and for tokens."""
    client = again(client, "requests_per_minute: 1\nrequests_at_once: 1\ntokens_per_minute: 1")
    client.call("GET", "/v1/flows/x")
    client.token(f"erp-{HERE}", "a secret of 256 bits, or nearly")
    for answer in (client.call("GET", "/v1/flows/x"), client.token(f"erp-{HERE}", "a secret of 256 bits, or nearly")):
        assert (answer.status, answer.json["errorCode"]) == (429, "TOO_MANY_REQUESTS")
        assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("body", [{"direction": "up"}, {"x": 1}, []])
def test_the_view_of_a_client_is_set_by_the_operator(client: Client, body: Any) -> None:
    """The operator sets how a client sees its flows; what is no view is told, and the client itself may not."""
    path = f"/operator/v1/clients/erp-{HERE}/view"
    headers = {"Authorization": f"Bearer {operator_token(client.running.actor.folder)}"}
    good = {"direction": "annex-c", "state_flows": True}
    told = client.call("PUT", path, siren=None, body=json.dumps(good).encode(), headers=headers)
    assert (told.status, told.json) == (200, good)
    assert client.call("PUT", path, siren=None, body=json.dumps(body).encode(), headers=headers).status == 400
    assert client.call("PUT", path, body=json.dumps(good).encode()).status == 401
