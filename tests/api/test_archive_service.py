"""Restitution packages by the API: asked for, followed, fetched; within one company; what cannot be is said."""

import io
import json

import pytest
from tests.api.conftest import HERE, THERE, Client

from estafette.exchange.keys import verifies
from estafette.store.sealed_check import check

PATH = "/archive/v1/packages"


def test_from_asking_to_fetching(client: Client) -> None:
    """A package is asked for (202), not there yet (404), then ready with its hash, and is what it says it is."""
    asked = client.call("POST", PATH, body=json.dumps({"from": "2026-01-01", "language": "en"}).encode())
    assert (asked.status, asked.json["state"], asked.json["from"]) == (202, "asked", "2026-01-01")
    one = f"{PATH}/{asked.json['packageId']}"
    assert client.call("GET", f"{one}/content").status == 404
    client.work()
    told = client.call("GET", one).json
    assert (told["state"], told["done"]) == ("ready", told["total"])
    content = client.call("GET", f"{one}/content")
    assert (content.status, content.headers["content-type"], len(content.body)) == (
        200,
        "application/zip",
        told["size"],
    )
    assert check(io.BytesIO(content.body), verifies).verified.told["package"] == told["packageId"]
    assert [each["packageId"] for each in client.call("GET", PATH).json["packages"]] == [told["packageId"]]
    assert client.call("GET", PATH, siren=THERE).json["packages"] == []
    for path in (one, f"{one}/content"):
        assert client.call("GET", path, siren=THERE).status == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"from": "hier"}', 400),
        (b'{"purpose": "fun"}', 400),
        (b'{"unknown": 1}', 400),
        (b'{"from": "2026-02-01", "to": "2026-01-01"}', 422),
    ],
)
def test_what_cannot_be_asked(client: Client, body: bytes, status: int) -> None:
    """A body that is no request is refused, and nothing is made."""
    answer = client.call("POST", PATH, body=body)
    assert (answer.status, " / " in answer.json["errorMessage"]) == (status, True)
    assert client.call("GET", PATH).json["packages"] == []


def test_nobody_without_its_scope(client: Client) -> None:
    """Without a token it is 401."""
    assert client.call("POST", PATH, siren=None).status == 401
    assert HERE in client.tokens
