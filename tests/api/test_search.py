"""A company finds its flows, all of them, once each, in the order they changed, and nobody else's."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

HERE, THERE = "100000009", "200000008"
Client = Any
ALL = {"updatedAfter": "1970-01-01T00:00:00.000Z"}


def deposits(client: Client, count: int, *, siren: str = HERE, **info: str) -> list[str]:
    """Deposit so many files within the same instant; return their flows."""
    flows = []
    for number in range(count):
        answer = client.deposit(
            {"flowSyntax": "CII", "name": f"{number}.xml", **info}, f"<n>{number}</n>".encode(), siren=siren
        )
        client.now = client.now.replace(microsecond=0)
        flows.append(answer.json["flowId"])
    return flows


def found(client: Client, **asked: Any) -> list[str]:
    """Give the flows a search finds."""
    return [flow["flowId"] for flow in client.search(**asked).json["results"]]


def test_updates_are_strictly_in_order(client: Client) -> None:
    """However many in one instant, no two flows of a company have the same moment of update, to the millisecond."""
    flows = deposits(client, 20)
    results = client.search(where=ALL, limit=100).json["results"]
    moments = [flow["updatedAt"] for flow in results]
    assert [flow["flowId"] for flow in results] == flows
    assert moments == sorted(set(moments))
    assert all(len(moment) == len("2026-09-01T06:00:00.000Z") for moment in moments)


@pytest.mark.parametrize("limit", [1, 5, 12, 100])
@pytest.mark.parametrize("way", ["cursor", "updatedAfter"])
def test_page_after_page_all_is_seen_once(client: Client, way: str, limit: int) -> None:
    """By the cursor or by the last moment received, a client sees every flow once, in order, then the end."""
    flows, seen = deposits(client, 12), []
    asked: dict[str, Any] = {"where": dict(ALL), "limit": limit}
    for _ in range(20):
        page = client.search(**asked).json
        seen += [flow["flowId"] for flow in page["results"]]
        if way == "cursor":
            if "nextCursor" not in page:
                break
            asked["cursor"] = page["nextCursor"]
        else:
            if not page["results"]:
                break
            asked["where"] = {"updatedAfter": page["results"][-1]["updatedAt"]}
    assert seen == flows


def test_a_flow_that_changes_is_seen_again_at_the_end(client: Client) -> None:
    """What was acknowledged since the last page comes after it, so that a client that follows misses nothing."""
    flow, *_ = deposits(client, 3)
    before = client.search(where=ALL).json["results"]
    client.work()
    after = client.search(where={"updatedAfter": before[-1]["updatedAt"]}).json["results"]
    assert {one["flowId"] for one in after} == {one["flowId"] for one in before}
    assert all(one["acknowledgement"]["status"] != "Pending" for one in after)
    assert client.call("GET", f"/v1/flows/{flow}").json["updatedAt"] > before[0]["updatedAt"]


def test_criteria_hold_together(client: Client) -> None:
    """All criteria hold at once; a list is one of its values; the moments are strict."""
    deposits(client, 2, processingRule="B2B")
    [third] = deposits(client, 1, processingRule="B2C", trackingId="T-3")
    whole = client.search(where=ALL).json["results"]
    assert found(client, where={"trackingId": "T-3"}) == [third]
    assert found(client, where={"processingRule": ["B2C", "B2G"]}) == [third]
    assert len(found(client, where={"processingRule": ["B2C", "B2B"]})) == 3
    assert found(client, where={"trackingId": "T-3", "processingRule": ["B2B"]}) == []
    assert len(found(client, where={"ackStatus": "Pending", "flowDirection": ["Out"]})) == 3
    assert found(client, where={"flowDirection": ["In"]}) == []
    middle = whole[1]["updatedAt"]
    assert found(client, where={"updatedAfter": middle}) == [third]
    assert found(client, where={"updatedBefore": middle}) == [whole[0]["flowId"]]
    assert found(client, where={"updatedAfter": middle, "updatedBefore": middle}) == []


def test_a_moment_in_another_zone_is_the_same_moment(client: Client) -> None:
    """A client may write its moments in any zone."""
    deposits(client, 3)
    middle = client.search(where=ALL).json["results"][1]["updatedAt"]
    shifted = (
        datetime.fromisoformat(middle).astimezone(UTC).isoformat().replace("T06:", "T08:").replace("+00:00", "+02:00")
    )
    assert found(client, where={"updatedAfter": shifted}) == found(client, where={"updatedAfter": middle})


def test_a_company_sees_its_own(client: Client) -> None:
    """Another company's flow is in no search, and is unknown by its identifier, for its file too."""
    [mine], [theirs] = deposits(client, 1, trackingId="T"), deposits(client, 1, siren=THERE, trackingId="T")
    assert found(client, where={"trackingId": "T"}) == [mine]
    assert found(client, siren=THERE, where=ALL) == [theirs]
    for query in ("", "docType=Original", "docType=Converted", "docType=nonsense"):
        answer = client.call("GET", f"/v1/flows/{theirs}", query=query)
        unknown = client.call("GET", "/v1/flows/unknown", query=query)
        assert (answer.status, answer.body) == (404, unknown.body)


def test_the_cursor_of_another_shows_nothing_of_it(client: Client) -> None:
    """A cursor is good for the company and the criteria it was made for; for any other it is told to be none."""
    deposits(client, 3, siren=THERE)
    deposits(client, 3)
    cursor = client.search(siren=THERE, where=ALL, limit=1).json["nextCursor"]
    other = {**ALL, "ackStatus": "Pending"}
    assert client.search(siren=THERE, where=ALL, cursor=cursor, limit=7).status == 200
    for answer in (
        client.search(where=ALL, cursor=cursor),
        client.search(siren=THERE, where=other, cursor=cursor),
        client.search(siren=THERE, where=ALL, cursor=cursor[:-2] + "AA"),
        client.search(siren=THERE, where=ALL, cursor="AAAA" + cursor[4:]),
    ):
        assert (answer.status, "cursor" in answer.json["errorMessage"]) == (400, True)


def test_what_was_asked_is_said_back(client: Client) -> None:
    """The answer repeats the criteria and the limit, which is 25 unless another was asked."""
    deposits(client, 26)
    where = {"updatedAfter": "2026-01-01T00:00:00Z", "ackStatus": "Pending", "flowDirection": ["Out"]}
    answer = client.search(where=where).json
    assert (answer["filters"], answer["limit"], len(answer["results"])) == (where, 25, 25)


WRONG = {
    "no criterion": {"where": {}},
    "no where": {"limit": 3},
    "unknown criterion only": {"where": {"flowId": "x"}},
    "limit past 100": {"where": ALL, "limit": 101},
    "limit 0": {"where": ALL, "limit": 0},
    "limit no number": {"where": ALL, "limit": "25"},
    "moment without zone": {"where": {"updatedAfter": "2026-09-01T00:00:00"}},
    "day only": {"where": {"updatedAfter": "2026-09-01"}},
    "no moment": {"where": {"updatedBefore": "yesterday"}},
    "empty list": {"where": {"flowType": []}},
    "empty list of rules": {"where": {"processingRule": []}},
    "unknown direction": {"where": {"flowDirection": ["Up"]}},
    "unknown acknowledgement": {"where": {"ackStatus": ["Fine"]}},
    "empty list of acknowledgements": {"where": {"ackStatus": []}},
    "unknown type": {"where": {"flowType": ["Invoice"]}},
    "unknown profile": {"where": {"flowProfile": ["EN16931"]}},
    "cursor of nobody": {"where": ALL, "cursor": "x"},
    "cursor not ASCII": {"where": ALL, "cursor": "é"},
    "empty cursor": {"where": ALL, "cursor": ""},
    "cursor without zone": {"where": ALL, "cursor": base64.urlsafe_b64encode(b"2026-09-01T00:00:00").decode()},
    "a list": [ALL],
}


@pytest.mark.parametrize("asked", WRONG.values(), ids=WRONG)
def test_what_is_no_search_is_told(shared_client: Client, asked: Any) -> None:
    """A search that is not what the norm says is answered 400 with what is wrong."""
    answer = shared_client.call("POST", "/v1/flows/search", body=json.dumps(asked).encode())
    assert (answer.status, bool(answer.json["errorMessage"])) == (400, True)


RAW = {
    "nothing": b"",
    "not JSON": b"where=x",
    "half": b'{"where":',
    "not UTF-8": b'{"where":{"trackingId":"\xff"}}',
    "half a surrogate": b'{"where":{"trackingId":"\\ud800"}}',
    "nested without end": b'{"where":{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}}",
    "too long": b" " * 64 * 1024 + b'{"where":{"trackingId":"x"}}',
}


@pytest.mark.parametrize("body", RAW.values(), ids=RAW)
def test_what_is_no_json_is_told(shared_client: Client, body: bytes) -> None:
    """Whatever the bytes, the answer is 400 in the one shape of errors."""
    answer = shared_client.call("POST", "/v1/flows/search", body=body)
    assert (answer.status, answer.json["errorCode"]) == (400, "MISSING_REQUIRED_FIELD")


def test_a_search_at_the_limit_is_read(shared_client: Client) -> None:
    """64 KiB of search are read, and an endless one is cut there."""
    body = b'{"where":{"trackingId":"x"}}'
    whole = b" " * (64 * 1024 - len(body)) + body
    assert shared_client.call("POST", "/v1/flows/search", body=whole).status == 200
    endless = (b" " * 4096 for _ in range(10_000))
    assert shared_client.call("POST", "/v1/flows/search", body=endless).status == 400
    assert shared_client.given < 80 * 1024


@pytest.mark.parametrize("path", ["/v1/flows", "/v1/flows/search"])
def test_another_verb_is_told(shared_client: Client, path: str) -> None:
    """A verb that a route has not is answered in the one shape of errors, as is an unknown route of the API."""
    answer = shared_client.call("DELETE", path)
    assert (answer.status, answer.json["errorCode"]) == (405, "NOT_IMPLEMENTED")


@pytest.mark.parametrize("wanted", ["Converted", "ReadableView"])
def test_a_form_that_does_not_exist(client: Client, wanted: str) -> None:
    """A form of the document that there is not is 404; one that the norm does not know is 400."""
    [flow] = deposits(client, 1)
    assert client.call("GET", f"/v1/flows/{flow}", query=f"docType={wanted}").status == 404
    assert client.call("GET", f"/v1/flows/{flow}", query="docType=Facsimile").status == 400


@pytest.mark.parametrize("accept", ["application/octet-stream", "*/*", "text/html"])
def test_metadata_is_json_whatever_is_accepted(client: Client, accept: str) -> None:
    """Clients that accept bytes only still get the metadata as JSON."""
    [flow] = deposits(client, 1)
    answer = client.call("GET", f"/v1/flows/{flow}", query="docType=Metadata", headers={"Accept": accept})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json == client.search(where=ALL).json["results"][0]


@pytest.mark.parametrize("name", ['a"; filename="b.exe', "a\r\nSet-Cookie: x=y", "../../etc/passwd", "é\u202efdp.xml"])
def test_a_name_cannot_leave_its_header(client: Client, name: str) -> None:
    """Whatever the name of a file, the header that carries it has only letters, digits and . _ - in it."""
    flow = client.deposit({"flowSyntax": "CII", "name": name}, b"<x/>").json["flowId"]
    answer = client.call("GET", f"/v1/flows/{flow}", query="docType=Original")
    kind, _, given = answer.headers["content-disposition"].partition(";filename=")
    assert (kind, answer.headers["content-type"]) == ("attachment", "application/octet-stream")
    assert set(given) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ({"updatedAfter": "0001-01-01T00:00:00Z"}, 1),
        ({"updatedAfter": "0001-01-01T00:00:00+14:00"}, 1),
        ({"updatedBefore": "0001-01-01T00:00:00+14:00"}, 0),
        ({"updatedBefore": "9999-12-31T23:59:59.999-14:00"}, 1),
    ],
)
def test_the_first_and_the_last_moments(client: Client, where: dict[str, str], count: int) -> None:
    """A moment that only its own zone can tell is the first or the last there is, and no fault of ours."""
    deposits(client, 1)
    assert len(found(client, where=where)) == count
