"""Whoever asked to be called is called, in signed words, until it hears; and nobody is called behind our walls."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import select

from estafette.exchange import public_addresses
from estafette.exchange.public_addresses import NotPublic, PublicResolver, is_public
from estafette.platform.callbacks import Callbacks
from estafette.platform.flow_tables import webhook
from estafette.platform.views import View
from estafette.store import identity, jobs
from estafette.store.tables import client as client_table

HERE, THERE = "100000009", "200000008"
Client = Any
OPEN = "webhooks_to_private_addresses: true\nwebhooks_max: 3\nwebhook_failures_max: 3\n"
INFO = {"flowSyntax": "CII", "name": "f.xml"}
ALL = {"updatedAfter": "1970-01-01T00:00:00.000Z"}


class Ear:
    """A real server that is called: what it heard, and what it answers."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ear.heard.append((dict(self.headers), body))
                self.send_response(ear.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_said: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/heard?a=b"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def flows(self) -> list[Any]:
        """Return the flows it was told, in order."""
        return [json.loads(body) for _headers, body in self.heard]

    def close(self) -> None:
        """Hear nothing more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Give a server that is called."""
    made = Ear()
    yield made
    made.close()


@pytest.fixture
def hooked(client: Client, again: Any) -> Client:
    """Give a platform that may call a test network."""
    return again(client, OPEN)


def call(client: Client, method: str, path: str, body: Any = None, **rest: Any) -> Any:
    """Ask the service of webhooks."""
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.call(method, f"/flow-service/v1/webhooks{path}", body=raw, **rest)


def subscribed(client: Client, url: str, **asked: Any) -> Any:
    """Make a webhook; return what was answered."""
    answer = call(client, "POST", "", {"callbackUrl": url, **asked})
    assert answer.status == 201, answer.body
    return answer.json


def tell(client: Client) -> None:
    """Make the calls that are due, and nothing else."""
    worker = client.running.actor.worker

    async def due() -> None:
        with client.running.actor.database.begin() as connection:
            jobs.release(connection)  # what a worker that was stopped had claimed
        while True:
            with client.running.actor.database.begin() as connection:
                claimed = jobs.claim(connection, queues=("webhook",), now=client.now, limit=64)
            if not claimed:
                return
            await worker._work(claimed)

    asyncio.run(due())


def test_a_change_is_told_and_signed(hooked: Client, ear: Ear) -> None:
    """A deposit and its acknowledgement are each told as the flow then was; the signature is what the norm says."""
    made = subscribed(hooked, ear.url)
    key = base64.b64decode(made["signingKey"])
    assert len(key) == 32
    flow = hooked.deposit(INFO, b"<n/>").json["flowId"]
    tell(hooked)
    hooked.work()
    tell(hooked)
    assert [(one["flowId"], one["acknowledgement"]["status"]) for one in ear.flows] == [
        (flow, "Pending"),
        (flow, "Error"),
    ]
    for headers, body in ear.heard:
        signed = body + b"@" + headers["Afnor-Signature-Timestamp"].encode()
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert (headers["Afnor-Signature"], headers["Content-Type"]) == (expected, "application/json")
    assert ear.flows[-1] == {
        name: value
        for name, value in hooked.call("GET", f"/v1/flows/{flow}").json.items()
        if not name.startswith("invoice")
    }


def test_only_what_was_asked_is_told(hooked: Client, ear: Ear) -> None:
    """Types, direction and acknowledgement restrict what is told; another company's flows are never told."""
    subscribed(hooked, ear.url, flowTypes=["CustomerInvoice"], flowDirection="Out", ackStatus="Pending")
    hooked.deposit(INFO, b"<n/>")
    hooked.deposit({"flowSyntax": "CDAR", "name": "c.xml"}, b"<c/>")
    hooked.deposit(INFO, b"<theirs/>", siren=THERE)
    tell(hooked)  # before the worker runs: one that is stopped while it calls calls again
    hooked.work()
    tell(hooked)
    assert [(one["flowType"], one["acknowledgement"]["status"]) for one in ear.flows] == [
        ("CustomerInvoice", "Pending")
    ]


def test_the_key_is_told_once(hooked: Client, ear: Ear) -> None:
    """The signing key is in the answer that makes the webhook, in no other, and not readable in the store."""
    made = subscribed(hooked, ear.url, flowTypes=["StateInvoice"])
    one, listed = call(hooked, "GET", f"/{made['webhookId']}"), call(hooked, "GET", "")
    assert (one.status, listed.json["count"], listed.json["webhookIds"]) == (200, 1, [made["webhookId"]])
    assert listed.json["webhooks"] == [one.json]
    assert one.json["flowTypes"] == ["StateInvoice"]
    with hooked.running.actor.database.read() as connection:
        kept = str(connection.execute(select(webhook)).mappings().all())
    for text in (one.body.decode(), listed.body.decode(), kept):
        assert made["signingKey"] not in text


def test_a_webhook_is_its_owners(hooked: Client, ear: Ear) -> None:
    """Another company neither sees, nor changes, nor takes away, nor replays a webhook; its owner does."""
    made = subscribed(hooked, ear.url)
    path = f"/{made['webhookId']}"
    verbs = (("GET", path, None), ("DELETE", path, None), ("PATCH", path, {}))
    for method, where, body in (*verbs, ("POST", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"})):
        assert call(hooked, method, where, body, siren=THERE).status == 404
    assert call(hooked, "GET", "", siren=THERE).json == {"count": 0, "webhooks": [], "webhookIds": []}
    assert [call(hooked, "DELETE", path).status for _ in range(2)] == [204, 404]
    hooked.deposit(INFO, b"<n/>")
    tell(hooked)
    assert ear.heard == []


def test_there_is_a_limit(hooked: Client, ear: Ear) -> None:
    """Past the limit of the settings a client is told so; another client has its own limit."""
    for _ in range(3):
        made = subscribed(hooked, ear.url)
    refused = call(hooked, "POST", "", {"callbackUrl": ear.url})
    assert (refused.status, refused.json["errorCode"]) == (403, "WEBHOOK_LIMIT_REACHED")
    assert call(hooked, "POST", "", {"callbackUrl": ear.url}, siren=THERE).status == 201
    call(hooked, "DELETE", f"/{made['webhookId']}")
    subscribed(hooked, ear.url)


def shown(client: Client, made: Any) -> Any:
    """Give a webhook as its owner sees it."""
    return call(client, "GET", f"/{made['webhookId']}").json


@pytest.mark.parametrize("status", [302, 400, 500])
def test_what_is_not_heard_is_told_again(hooked: Client, ear: Ear, status: int) -> None:
    """A call that is not answered by a success is made again later, in order; a redirection is not followed."""
    made, ear.status = subscribed(hooked, ear.url), status
    flows = [hooked.deposit(INFO, f"<n>{number}</n>".encode()).json["flowId"] for number in range(2)]
    tell(hooked)
    assert [one["flowId"] for one in ear.flows] == flows[:1]
    assert (shown(hooked, made)["failures"], shown(hooked, made)["lastError"]) == (1, f"HTTP {status}")
    ear.status = 204
    hooked.now += timedelta(seconds=2)
    tell(hooked)
    assert [one["flowId"] for one in ear.flows] == [flows[0], *flows]
    assert (shown(hooked, made)["failures"], shown(hooked, made)["state"]) == (0, "active")


def test_what_comes_while_a_call_waits_is_told_after_it(hooked: Client, ear: Ear) -> None:
    """A change that comes between a call that failed and its next try does not go before it, however soon it is due."""
    subscribed(hooked, ear.url)
    heard = hooked.deposit(INFO, b"<n>0</n>").json["flowId"]
    tell(hooked)
    ear.status = 500
    failed = hooked.deposit(INFO, b"<n>1</n>").json["flowId"]
    tell(hooked)
    ear.status = 204
    later = hooked.deposit(INFO, b"<n>2</n>").json["flowId"]
    tell(hooked)
    assert [one["flowId"] for one in ear.flows] == [heard, failed]
    hooked.now += timedelta(seconds=2)
    tell(hooked)
    assert [one["flowId"] for one in ear.flows] == [heard, failed, failed, later]


def test_after_so_many_failures_it_is_disabled_then_replayed(hooked: Client, ear: Ear) -> None:
    """A webhook that fails time after time is no longer called, which is seen; replayed, it hears all it missed."""
    made, ear.status = subscribed(hooked, ear.url), 500
    first = hooked.deposit(INFO, b"<n>1</n>").json["flowId"]
    for _ in range(5):
        tell(hooked)
        hooked.now += timedelta(hours=1)
        hooked.tokens[HERE] = hooked.token(f"erp-{HERE}", "a secret of 256 bits, or nearly").json["access_token"]
    assert len(ear.heard) == 3
    assert shown(hooked, made)["state"] == "disabled"
    assert hooked.running.actor.database is not None
    second = hooked.deposit(INFO, b"<n>2</n>").json["flowId"]
    tell(hooked)
    assert len(ear.heard) == 3
    ear.status, ear.heard = 200, []
    answer = call(hooked, "POST", f"/{made['webhookId']}/replay", {"since": "2026-01-01T00:00:00Z"})
    assert (answer.status, shown(hooked, made)["state"]) == (202, "active")
    tell(hooked)
    assert sorted(one["flowId"] for one in ear.flows) == sorted([first, second])


def test_a_replay_is_of_what_changed_since(hooked: Client, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay tells page after page what changed from the moment on, that moment included, and nothing of before."""
    monkeypatch.setattr("estafette.platform.webhooks.REPLAY_PAGE", 2)
    flows = [hooked.deposit(INFO, f"<n>{number}</n>".encode()).json["flowId"] for number in range(7)]
    since = hooked.call("GET", f"/v1/flows/{flows[2]}").json["updatedAt"]
    made = subscribed(hooked, ear.url)
    assert call(hooked, "POST", f"/{made['webhookId']}/replay", {"since": since}).status == 202
    tell(hooked)
    assert [one["flowId"] for one in ear.flows] == flows[2:]
    assert call(hooked, "POST", f"/{made['webhookId']}/replay", {"since": "yesterday"}).status == 400


@pytest.mark.parametrize(
    ("since", "told"),
    [("0001-01-01T00:00:00Z", 1), ("0001-01-01T00:00:00+14:00", 1), ("9999-12-31T23:59:59-14:00", 0)],
)
def test_a_replay_since_ever_or_never(hooked: Client, ear: Ear, since: str, told: int) -> None:
    """The first and the last moments that can be written are moments as any other, in every zone."""
    hooked.deposit(INFO, b"<n/>")
    made = subscribed(hooked, ear.url)
    assert call(hooked, "POST", f"/{made['webhookId']}/replay", {"since": since}).status == 202
    tell(hooked)
    assert len(ear.heard) == told


def test_an_event_is_of_the_transaction_of_its_change(hooked: Client, ear: Ear) -> None:
    """What is undone is told to nobody; what is done is told though the process died before it could call."""
    subscribed(hooked, ear.url)
    with pytest.raises(RuntimeError), hooked.running.actor.database.begin() as connection:
        platform_flow(hooked, connection)
        raise RuntimeError
    tell(hooked)
    assert ear.heard == []
    with hooked.running.actor.database.begin() as connection:
        platform_flow(hooked, connection)
    tell(hooked)
    assert len(ear.heard) == 1


def platform_flow(client: Client, connection: Any) -> None:
    """Give a company a flow in a transaction."""
    from estafette.platform import flows

    flows.give(
        connection, siren=HERE, flow_type="SupplierInvoice", syntax="CII", name="f.xml", sha256="0" * 64,
        invoice_id=None, origin="peer", now=client.now,
    )  # fmt: skip


NESTED = {
    "callback": {
        "headers": [{"headerName": "X-Key", "headerValue": "y"}],
        "authentication": {"authType": "BASIC", "userId": "ada", "userPassword": "s3cret"},
        "signature": {"algo": "HS256", "key": "c2VjcmV0"},
    },
    "metadata": {"flowType": "CustomerInvoice", "flowDirection": "Out", "processingRule": "B2B"},
}


def nested(url: str, **callback: Any) -> Any:
    """Write a webhook as edition 1.2 does."""
    return {**NESTED, "callback": {"url": url, **NESTED["callback"], **callback}}


def test_the_form_of_edition_1_2(hooked: Client, ear: Ear) -> None:
    """Asked in the form of 1.2, calls carry the client's headers, password and signature; none is shown again."""
    made = call(hooked, "POST", "", nested(ear.url)).json
    assert set(made) == {"webhookId", "createdAt"}
    one = shown(hooked, made)
    assert one["metadata"] == NESTED["metadata"]
    assert one["callback"]["headers"] == [{"headerName": "X-Key", "headerValue": "********"}]
    assert "s3cret" not in json.dumps(one)
    hooked.deposit({**INFO, "processingRule": "B2B"}, b"<n/>")
    hooked.deposit({**INFO, "processingRule": "B2C"}, b"<m/>")
    tell(hooked)
    [(headers, body)] = ear.heard
    assert (headers["X-Key"], headers["Authorization"]) == ("y", "Basic YWRhOnMzY3JldA==")
    signed = body + b"@" + headers["Afnor-Signature-Timestamp"].encode()
    assert headers["Signature"] == base64.b64encode(hmac.new(b"secret", signed, hashlib.sha256).digest()).decode()


def test_a_webhook_changes(hooked: Client, ear: Ear) -> None:
    """Headers, password and key are changed by themselves; what is left out stays."""
    made = call(hooked, "POST", "", nested(ear.url)).json
    path = f"/{made['webhookId']}"
    assert call(hooked, "PATCH", path, {"headers": [{"headerName": "X", "headerValue": "z"}]}).status == 204
    assert call(hooked, "PATCH", path, {"signature": {"algo": "HS256", "key": "bmV3"}}).status == 204
    hooked.deposit({**INFO, "processingRule": "B2B"}, b"<n/>")
    tell(hooked)
    [(headers, body)] = ear.heard
    assert (headers["X"], "X-Key" in headers, "Authorization" in headers) == ("z", False, True)
    signed = body + b"@" + headers["Afnor-Signature-Timestamp"].encode()
    assert headers["Signature"] == base64.b64encode(hmac.new(b"new", signed, hashlib.sha256).digest()).decode()


REFUSED = {
    "no address": ({"flowTypes": []}, 400, "MISSING_REQUIRED_FIELD"),
    "unknown type": ({"callbackUrl": "https://example.org/", "flowTypes": ["X"]}, 400, "MISSING_REQUIRED_FIELD"),
    "a list": ([], 400, "MISSING_REQUIRED_FIELD"),
    "not JSON": (b"{", 400, "MISSING_REQUIRED_FIELD"),
    "too long": (b" " * 70_000, 400, "MISSING_REQUIRED_FIELD"),
    "token elsewhere": (nested("x", authentication={"authType": "OAUTH2"}), 400, "NOT_IMPLEMENTED"),
    "other signature": (nested("x", signature={"algo": "RS256", "key": "YQ=="}), 400, "NOT_IMPLEMENTED"),
    "no key": (nested("x", signature={"algo": "HS256", "key": "é"}), 400, "MISSING_REQUIRED_FIELD"),
    "our header": (
        nested("x", headers=[{"headerName": "Host", "headerValue": "x"}]), 400, "MISSING_REQUIRED_FIELD",
    ),
    "header in two": (
        nested("x", headers=[{"headerName": "X", "headerValue": "a\r\nY: b"}]), 400, "MISSING_REQUIRED_FIELD",
    ),
    "no metadata": ({"callback": {"url": "https://example.org/"}}, 400, "MISSING_REQUIRED_FIELD"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_webhook_is_told(shared_client: Client, body: Any, status: int, code: str) -> None:
    """What cannot be done is refused in both languages, never passed over; nothing is made."""
    answer = call(shared_client, "POST", "", body)
    assert (answer.status, answer.json["errorCode"]) == (status, code)
    assert " / " in answer.json["errorMessage"]
    assert call(shared_client, "GET", "").json["count"] == 0


PRIVATE = (
    "http://93.184.215.14/", "https://127.0.0.1/", "https://10.1.2.3/", "https://169.254.169.254/latest", "https://[::1]/",
    "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/", "https://[fd00::1]/", "https://0.0.0.0/", "https://localhost/",
    "https://2130706433/", "https://0x7f.1/", "https://224.0.0.1/", "https://user:word@93.184.215.14/", "https:///x", "ftp://x",
    "https://93.184.215.14/#a", "https://93.184.215.14:99999/", "//93.184.215.14", "https://[::1", "https://exa mple/",
    "https://93.184.215.14/" + "a" * 2048,
)  # fmt: skip


@pytest.mark.parametrize("url", PRIVATE)
def test_nobody_is_called_behind_our_walls(shared_client: Client, url: str) -> None:
    """An address that the whole Internet cannot call, or that is not https, is refused when it is given."""
    answer = call(shared_client, "POST", "", {"callbackUrl": url})
    assert answer.status == 400
    assert answer.json["errorCode"] in ("INVALID_CALLBACK_URL", "MISSING_REQUIRED_FIELD")
    assert len(url) > 2048 or answer.json["errorCode"] == "INVALID_CALLBACK_URL"


class Names:
    """A directory of names that a test decides of."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(self, host: str, port: int, family: int) -> list[dict[str, Any]]:
        """Give the addresses of any name."""
        if not self.addresses:
            raise OSError(host)
        shared = {"hostname": host, "port": port, "family": family, "proto": 0, "flags": 0}
        return [{**shared, "host": one} for one in self.addresses]


@pytest.mark.parametrize(
    ("addresses", "status"), [(("93.184.215.14",), 201), (("93.184.215.14", "10.0.0.1"), 400), ((), 400)]
)
def test_a_name_is_where_it_leads(
    shared_client: Client, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...], status: int
) -> None:
    """A name is taken when every address it has is public; one that leads nowhere is refused."""
    monkeypatch.setattr(public_addresses, "ThreadedResolver", lambda: Names(*addresses))
    answer = call(shared_client, "POST", "", {"callbackUrl": "https://hooks.example.org/x"})
    assert answer.status == status
    if status == 201:
        call(shared_client, "DELETE", f"/{answer.json['webhookId']}")


def test_a_name_that_changes_leads_nowhere_private(hooked: Client, ear: Ear) -> None:
    """A webhook given when its address was public is not called once that address is one of ours (DNS rebinding)."""
    made = subscribed(hooked, ear.url.replace("127.0.0.1", "localhost"))
    hooked.deposit(INFO, b"<n/>")
    strict = Callbacks(hooked.running.actor, failures_max=3)
    hooked.running.actor.worker.handles_together("webhook", strict.deliver)
    with hooked.running.actor.database.begin() as connection:  # as if it had been https all along
        secure = ear.url.replace("http://127.0.0.1", "https://localhost")
        connection.execute(webhook.update().values(callback_url=secure))
    tell(hooked)
    assert ear.heard == []
    assert "privée" in shown(hooked, made)["lastError"]


def test_the_resolver_refuses_what_it_is_led_to() -> None:
    """The very addresses that a connection is made to are looked at; allowed, private ones are given."""

    async def led(*, private: bool) -> Any:
        return await PublicResolver(private=private).resolve("localhost", 443)

    with pytest.raises(NotPublic):
        asyncio.run(led(private=False))
    assert asyncio.run(led(private=True))
    assert not is_public("2002:a00:1::")
    assert is_public("2606:4700::1111")


def test_access_that_ended_is_told_no_more(hooked: Client, ear: Ear) -> None:
    """A client that was revoked is called no more, whatever it had asked before."""
    made = subscribed(hooked, ear.url)
    hooked.deposit(INFO, b"<n/>")
    with hooked.running.actor.database.begin() as connection:
        connection.execute(client_table.update().values(revoked_at=hooked.now))
    tell(hooked)
    assert ear.heard == []
    with hooked.running.actor.database.read() as connection:
        row = connection.execute(select(webhook).where(webhook.c.id == made["webhookId"])).mappings().one()
    assert row["disabled_at"] is not None
    assert timedelta() < identity.TOKEN_LIFE


def test_a_webhook_sees_as_its_owner_sees(hooked: Client, ear: Ear) -> None:
    """Direction and mirrors are those of the client's view."""
    from estafette.platform import flows

    database = hooked.running.actor.database
    subscribed(hooked, ear.url, flowDirection="Out")
    with database.begin() as connection:
        flows.set_view(connection, f"erp-{HERE}", View("annex-c", state_flows=False))
        for flow_type in ("CustomerInvoiceLC", "StateCustomerInvoice"):
            flows.give(
                connection, siren=HERE, flow_type=flow_type, syntax="CDAR", name="s.xml", sha256="0" * 64,
                invoice_id=None, origin="platform", now=hooked.now,
            )  # fmt: skip
    tell(hooked)
    assert [(one["flowType"], one["flowDirection"]) for one in ear.flows] == [("CustomerInvoiceLC", "Out")]
