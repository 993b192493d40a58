"""A token is granted against a secret, speaks for one company, and ends."""

import base64
import dataclasses
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from estafette.api.settings import WrongSettings
from estafette.store import identity
from estafette.store.identity import TOKEN_LIFE

HERE, THERE = "100000009", "200000008"
SECRET = "a secret of 256 bits, or nearly"
Client = Any
PARTS = {"Content-Type": "multipart/form-data; boundary=b"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("basic", [True, False])
@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth/token"])
def test_a_token_for_the_secret(shared_client: Client, basic: bool, path: str) -> None:
    """With the secret in the form or in HTTP Basic a token is granted, told with its life, and kept in no cache."""
    answer = shared_client.token(f"erp-{HERE}", SECRET, basic=basic)
    assert answer.status == 200
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 3600)
    assert answer.headers["cache-control"] == "no-store"
    shared_client.tokens["fresh"] = answer.json["access_token"]
    assert shared_client.search(siren="fresh", where={"trackingId": "x"}).status == 200
    assert (
        shared_client.call("POST", path, siren=None, body=b"grant_type=client_credentials", headers=FORM).status == 401
    )


@pytest.mark.parametrize("basic", [True, False])
@pytest.mark.parametrize(
    ("client_id", "secret"), [(f"erp-{HERE}", "wrong"), (f"erp-{HERE}", ""), ("erp-x", SECRET), ("", "")]
)
def test_no_token_without_it(client: Client, basic: bool, client_id: str, secret: str) -> None:
    """A wrong secret and an unknown client get the same answer (RFC 6749 §5.2)."""
    answer = client.token(client_id, secret, basic=basic)
    assert (answer.status, answer.json, answer.headers["www-authenticate"]) == (
        401,
        {"error": "invalid_client"},
        "Basic",
    )


@pytest.mark.parametrize("grant", ["", "password", "authorization_code", "client_credentials "])
def test_only_client_credentials(shared_client: Client, grant: str) -> None:
    """Any other grant is refused by its name (RFC 6749 §5.2), the secret being right."""
    answer = shared_client.token(f"erp-{HERE}", SECRET, grant_type=grant)
    assert (answer.status, answer.json) == (400, {"error": "unsupported_grant_type"})


@pytest.mark.parametrize("value", ["Basic", "Basic é", "Basic !!!!", "Basic /w==", "Basic bm9jb2xvbg=="])
def test_a_malformed_basic_is_no_client(client: Client, value: str) -> None:
    """What is no HTTP Basic proves nothing, and is no error of ours."""
    headers = {**FORM, "Authorization": value}
    answer = client.call("POST", "/oauth2/token", siren=None, body=b"grant_type=client_credentials", headers=headers)
    assert answer.status == 401


@pytest.mark.parametrize(
    ("headers", "piece"),
    [
        (FORM, b"a=" + b"x" * 8000),
        (
            {"Content-Type": "multipart/form-data; boundary=b"},
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n',
        ),
    ],
)
def test_an_endless_request_is_cut(shared_client: Client, headers: dict[str, str], piece: bytes) -> None:
    """Whoever asks without end is answered after a few kilobytes, in either kind of form."""
    endless = (piece for _ in range(100_000))
    answer = shared_client.call("POST", "/oauth2/token", siren=None, body=endless, headers=headers)
    assert (answer.status, answer.json) == (400, {"error": "invalid_request"})
    assert shared_client.given < 64 * 1024


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic eDp5", "Bearer x", "bearer é", "x"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/flows"), ("POST", "/v1/flows/search"), ("GET", "/v1/flows/x")]
)
def test_nothing_without_a_token(shared_client: Client, method: str, path: str, authorization: str | None) -> None:
    """Every route of the service asks for a token and says which scheme, before it reads anything."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = shared_client.call(method, path, siren=None, body=(b"x" for _ in range(1000)), headers=headers)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json["errorCode"] == "MISSING_TOKEN"
    assert shared_client.given == 0


@pytest.mark.parametrize(("scheme", "status"), [("Bearer", 404), ("bearer", 404), ("Basic", 401), ("Token", 401)])
def test_a_token_under_its_scheme_only(shared_client: Client, scheme: str, status: int) -> None:
    """A good token is one under the scheme Bearer, in any case (RFC 9110 §11.1), and under no other."""
    headers = {"Authorization": f"{scheme} {shared_client.tokens[HERE]}"}
    assert shared_client.call("GET", "/v1/flows/unknown", siren=None, headers=headers).status == status


def test_a_token_ends(client: Client) -> None:
    """A token is refused from the end of its life on."""
    client.now += TOKEN_LIFE - timedelta(seconds=1)
    assert client.search(where={"trackingId": "x"}).status == 200
    client.now += timedelta(seconds=1)
    assert client.search(where={"trackingId": "x"}).status == 401


@pytest.mark.parametrize("header", ["Organization-Id", "organization-id"])
def test_a_token_speaks_for_its_company_only(shared_client: Client, header: str) -> None:
    """A request that names another organization is refused, not done in the name of the token's."""
    path = "/v1/flows/unknown"
    assert shared_client.call("GET", path, headers={header: THERE}).status == 403
    assert shared_client.call("GET", path, headers={header: HERE}).status == 404
    assert shared_client.call("GET", path, headers={header: THERE}).json["errorCode"] == "FORBIDDEN_ACCESS"


def test_health_needs_no_token(shared_client: Client) -> None:
    """Anyone may ask whether the service is up."""
    for prefix in ("", "/flow-service", "/afnor-flow"):
        assert shared_client.call("GET", f"{prefix}/v1/healthcheck", siren=None).status == 200


@pytest.mark.parametrize("header", ["Organization-Id", "Organisation-Id"])
def test_both_spellings_of_the_organization(shared_client: Client, header: str) -> None:
    """The header is spelled two ways in the norm, and means the same."""
    path = "/v1/flows/unknown"
    assert shared_client.call("GET", path, headers={header: f" {HERE} "}).status == 404
    assert shared_client.call("GET", path, headers={header: THERE}).status == 403


def basic(client_id: str, secret: str) -> str:
    """Write a client's credentials as HTTP Basic."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def test_a_token_in_every_style_that_clients_use(shared_client: Client) -> None:
    """A JSON object, and HTTP Basic without a grant or a body, get a token as the forms do."""
    here = {"client_id": f"erp-{HERE}", "client_secret": SECRET}
    whole = json.dumps({"grant_type": "client_credentials", **here}).encode()
    asked: list[tuple[bytes, dict[str, str], int]] = [
        (whole, {"Content-Type": "application/json"}, 200),
        (b"", {"Authorization": basic(f"erp-{HERE}", SECRET)}, 200),
        (b"scope=flow.read", {**FORM, "Authorization": basic(f"erp-{HERE}", SECRET)}, 200),
        (json.dumps(here).encode(), {"Content-Type": "application/json"}, 400),
        (b"[1]", {"Content-Type": "application/json"}, 400),
        (b'{"grant_type":', {"Content-Type": "application/json; charset=utf-8"}, 400),
        (b'{"grant_type": {}}', {"Content-Type": "application/json"}, 400),
        (b" " * 20_000, {"Content-Type": "application/json"}, 400),
    ]
    for body, headers, status in asked:
        assert shared_client.call("POST", "/oauth2/token", siren=None, body=body, headers=headers).status == status
    told = shared_client.token(f"erp-{HERE}", SECRET).json
    assert {"flow.read", "flow.write"} <= set(told["scope"].split())


def test_who_guesses_waits_and_keeps_nobody_else_waiting(client: Client) -> None:
    """After a few wrong secrets the guesser waits, told how long; the right client, from elsewhere, does not."""
    statuses = [client.token(f"erp-{HERE}", "wrong").status for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    refused = client.token(f"erp-{HERE}", SECRET)
    assert (refused.status, refused.json["errorCode"]) == (429, "TOO_MANY_REQUESTS")
    assert int(refused.headers["retry-after"]) >= 1
    client.now += timedelta(minutes=5)
    assert client.token(f"erp-{HERE}", SECRET).status == 200


def test_who_asks_too_often_waits(client: Client, again: Any) -> None:
    """Past the rate of the settings a client is told 429 with the wait, in both languages; another is not concerned."""
    client = again(client, "requests_per_minute: 60\nrequests_at_once: 2\n")
    answers = [client.search(where={"trackingId": "x"}) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    last = answers[-1]
    assert (last.json["errorCode"], last.headers["retry-after"]) == ("TOO_MANY_REQUESTS", "1")
    assert "Trop de demandes" in last.json["errorMessage"]
    assert client.search(siren=THERE, where={"trackingId": "x"}).status == 200
    client.now += timedelta(seconds=1)
    assert client.search(where={"trackingId": "x"}).status == 200


def test_tokens_are_not_given_without_end(client: Client, again: Any) -> None:
    """A client that takes token after token, with the right secret, waits too."""
    client = again(client, "tokens_per_minute: 2")
    assert [client.token(f"erp-{HERE}", SECRET).status for _ in range(3)] == [200, 200, 429]


def test_guesses_take_nobody_s_share_of_tokens(client: Client, again: Any) -> None:
    """Wrong secrets under a client's name use up none of its tokens; its own haste is not counted as guessing."""
    client = again(client, "tokens_per_minute: 1")
    assert [client.token(f"erp-{HERE}", "wrong").status for _ in range(4)] == [401] * 4
    assert client.token(f"erp-{HERE}", SECRET).status == 200
    assert [client.token(f"erp-{HERE}", SECRET).status for _ in range(9)] == [429] * 9
    client.now += timedelta(minutes=1)
    assert client.token(f"erp-{HERE}", SECRET).status == 200


@pytest.mark.parametrize("text", ["requests_per_minute: 0", "requests: 5", "[]", "a: [", "\ud800"])
def test_settings_that_cannot_be_used_are_told(client: Client, again: Any, text: str) -> None:
    """A platform is not opened on settings that say something else."""
    with pytest.raises(WrongSettings, match=r"api\.yaml"):
        again(client, text.encode("utf-8", "surrogatepass").decode("latin-1"))


def test_a_scope_is_asked_of_each_route(shared_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client without the right of a route is refused, and told which one it lacks."""
    granted = identity.holder

    def narrowed(*given: Any, **named: Any) -> identity.Holder | None:
        held = granted(*given, **named)
        return held and dataclasses.replace(held, scopes=frozenset({"directory.read"}))

    monkeypatch.setattr(identity, "holder", narrowed)
    for method, path, scope in (
        ("POST", "/v1/flows", "flow.write"),
        ("POST", "/v1/flows/search", "flow.read"),
        ("GET", "/v1/flows/x", "flow.read"),
    ):
        answer = shared_client.call(method, path)
        assert (answer.status, answer.json["errorCode"]) == (403, "FORBIDDEN_ACCESS")
        assert f'scope="{scope}"' in answer.headers["www-authenticate"]


REQUEST_ID = "0d4a30d0-7f3b-4a5b-9d0a-0c6f4a3a1b2c"


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Request-Id": REQUEST_ID}, ""),
        ({"X-Request-Id": REQUEST_ID.upper()}, ""),
        ({}, f"Request-Id={REQUEST_ID}"),
        ({"Request-Id": "abc"}, f"a=b&request-id={REQUEST_ID}"),
    ],
)
def test_the_identifier_of_a_request_comes_back(shared_client: Client, headers: dict[str, str], query: str) -> None:
    """Wherever a client writes it, the answer carries the identifier of its request, a refusal too."""
    for siren in (HERE, None):
        answer = shared_client.call("GET", "/v1/flows/unknown", siren=siren, headers=headers, query=query)
        assert answer.headers["request-id"] == REQUEST_ID


@pytest.mark.parametrize("given", ["abc", "", "é", "0" * 5000])
def test_what_is_no_identifier_is_replaced(shared_client: Client, given: str) -> None:
    """A malformed identifier is no error: the request has one of ours."""
    answer = shared_client.call("GET", "/v1/flows/unknown", headers={"Request-Id": given}, query=f"Request-Id={given}")
    assert (answer.status, bool(UUID(answer.headers["request-id"]))) == (404, True)
