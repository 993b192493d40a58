"""The operator opens companies with a token that only the folder's owner can read; doing twice is doing once."""

import json
from typing import Any

import pytest

from estafette.circuit.operators import operator_token

Client = Any
PATH = "/operator/v1/companies"
COMPANY = {
    "siren": "300000007", "name": "Nouvelle", "status_address": "300000007", "login": "new", "password": "p" * 12,
    "client_id": "erp-new", "client_secret": "s" * 16,
}  # fmt: skip


def call(client: Client, body: Any, token: str | None = None) -> Any:
    """Ask as the operator, or with another token."""
    token = operator_token(client.running.actor.folder) if token is None else token
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.call("POST", PATH, siren=None, body=raw, headers={"Authorization": f"Bearer {token}"})


def test_a_company_opened_twice_is_opened_once(client: Client) -> None:
    """The company has its account and its software; opened again, with other secrets, it is left as it was."""
    assert [call(client, COMPANY).status, call(client, {**COMPANY, "client_secret": "t" * 16}).status] == [201, 201]
    assert client.token("erp-new", "s" * 16).status == 200
    assert client.token("erp-new", "t" * 16).status == 401


@pytest.mark.parametrize("taken", ["login", "client_id"])
def test_what_is_another_s_is_not_given(client: Client, taken: str) -> None:
    """A login or a client that is another company's opens nothing here, and whoever asks is told so."""
    other = {**COMPANY, "siren": "500000005", "status_address": "500000005", "login": "other", "client_id": "erp-other"}
    assert call(client, COMPANY).status == 201
    refused = call(client, {**other, taken: COMPANY[taken]})
    assert (refused.status, refused.json["errorMessage"].startswith(f"{taken}: ")) == (422, True)
    assert client.token("erp-other", "s" * 16).status == 401
    assert call(client, other).status == 201
    assert client.token("erp-other", "s" * 16).status == 200


@pytest.mark.parametrize("token", ["", "x", "é"])
def test_nobody_else(client: Client, token: str) -> None:
    """Without the operator's token nothing is opened, a company's own token being none."""
    for given in (token, client.tokens["100000009"]):
        assert call(client, COMPANY, given).status == 401
    assert client.token("erp-new", "s" * 16).status == 401


WRONG = {
    "no SIREN": {**COMPANY, "siren": "30000000"},
    "weak password": {**COMPANY, "password": "p" * 11},
    "weak secret": {**COMPANY, "client_secret": "s" * 15},
    "unknown field": {**COMPANY, "role": "operator"},
    "nothing": b"",
    "not UTF-8": b'{"siren":"\xff"}',
    "nested without end": b"[" * 60_000,
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(shared_client: Client, body: Any) -> None:
    """What does not open a company is answered 400 with what is wrong."""
    answer = call(shared_client, body)
    assert (answer.status, bool(answer.json["errorMessage"])) == (400, True)


def test_an_endless_request_is_cut(shared_client: Client) -> None:
    """Even the operator is read no further than ten megabytes."""
    headers = {"Authorization": f"Bearer {operator_token(shared_client.running.actor.folder)}"}
    endless = (b" " * 1024 * 1024 for _ in range(1000))
    assert shared_client.call("POST", PATH, siren=None, body=endless, headers=headers).status == 400
    assert shared_client.given <= 11 * 1024 * 1024
