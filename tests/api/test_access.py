"""A token is granted against a secret, speaks for one company, and ends."""

from datetime import timedelta
from typing import Any

import pytest

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
def test_no_token_without_it(shared_client: Client, basic: bool, client_id: str, secret: str) -> None:
    """A wrong secret and an unknown client get the same answer (RFC 6749 §5.2)."""
    answer = shared_client.token(client_id, secret, basic=basic)
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
def test_a_malformed_basic_is_no_client(shared_client: Client, value: str) -> None:
    """What is no HTTP Basic proves nothing, and is no error of ours."""
    headers = {**FORM, "Authorization": value}
    answer = shared_client.call(
        "POST", "/oauth2/token", siren=None, body=b"grant_type=client_credentials", headers=headers
    )
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
