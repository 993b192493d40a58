"""What every answer of an actor has, and what becomes of a fault of ours."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from estafette.circuit.compose import compose
from estafette.circuit.network import SEATS, Network, WrongNetwork
from estafette.circuit.running import Running
from estafette.circuit.serve import _config, _now
from estafette.exchange.bodies import Lingering
from estafette.store import correlation

HEARD = {"type": "http.request", "body": b"", "more_body": False}
LEFT = {"type": "http.disconnect"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give an actor, with a page that fails at once, one that fails half-way and one that reads its request."""

    async def fail(_request: Request) -> Response:
        raise ZeroDivisionError("the secret is 42")

    async def half(_request: Request) -> Response:
        async def pieces() -> Any:
            yield b"half"
            raise ZeroDivisionError("the secret is 42")

        return StreamingResponse(pieces())

    async def read(request: Request) -> Response:
        return PlainTextResponse(await request.body())

    made = compose(SEATS[3], Network(tmp_path_factory.mktemp("answers"), 8400), _now)
    made.application.routes.extend(
        [Route("/v1/fail", fail), Route("/v1/half", half), Route("/v1/read", read, methods=["POST"])]
    )
    yield made
    made.actor.database.close()


def ask(
    app: Any,
    path: str,
    *,
    method: str = "GET",
    scheme: str = "http",
    headers: dict[str, str] | None = None,
    heard: dict[str, Any] = HEARD,
    client: str = "192.0.2.1",
) -> list[dict[str, Any]]:
    """Ask once; return what was sent."""
    sent: list[dict[str, Any]] = []
    coming = [heard]

    async def receive() -> dict[str, Any]:
        return coming.pop() if coming else await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    given = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": given, "scheme": scheme,
        "server": ("test", 80), "client": (client, 1),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent


def told(sent: list[dict[str, Any]]) -> dict[str, str]:
    """Return the headers of an answer."""
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize("path", ["/health", "/sign-in", "/static/estafette.css", "/v1/fail", "/nowhere", "/metrics"])
def test_headers_that_every_answer_has(running: Running, path: str) -> None:
    """Whatever is answered, a refusal and a fault too, is what it says it is; over TLS alone, TLS is asked for."""
    with structlog.testing.capture_logs():
        plain, secured = (told(ask(running.application, path, scheme=scheme)) for scheme in ("http", "https"))
    for headers in (plain, secured):
        assert headers["x-content-type-options"] == "nosniff"
        assert UUID(headers["request-id"])
    assert secured["strict-transport-security"].startswith("max-age=")
    assert "strict-transport-security" not in plain


@pytest.mark.parametrize(("accept", "kind"), [("*/*", "application/json"), ("text/html", "text/html; charset=utf-8")])
def test_a_fault_of_ours_is_answered_and_in_the_log(running: Running, accept: str, kind: str) -> None:
    """Software and people are each told in their way, nothing of the fault; the log has it, under its identifier."""
    with structlog.testing.capture_logs(processors=[correlation.say]) as logged:
        sent = ask(running.application, "/v1/fail", headers={"accept": accept})
    assert (sent[0]["status"], told(sent)["content-type"]) == (500, kind)
    assert b"42" not in sent[1]["body"]
    (line,) = [line for line in logged if line["event"] == "http.failed"]
    assert (line["correlation_id"], line["path"]) == (told(sent)["request-id"], "/v1/fail")


@pytest.mark.parametrize(("accept", "told_as"), [("*/*", b"RESOURCE_ERROR"), ("text/html", b"Momentan\xc3\xa9ment")])
@pytest.mark.parametrize("fault", [OperationalError("SELECT", None, Exception("42")), OSError("disk 42 full")])
def test_a_store_that_does_not_answer(
    running: Running, monkeypatch: pytest.MonkeyPatch, accept: str, told_as: bytes, fault: Exception
) -> None:
    """Software and people, signed in too, are told to try again: it may pass, and nobody can say who they are."""

    def gone() -> None:
        raise fault

    monkeypatch.setattr(running.actor.database, "read", gone)
    headers = {"accept": accept, "cookie": "estafette-administration=open"}
    with structlog.testing.capture_logs():
        sent = ask(running.application, "/", headers=headers)
    assert (sent[0]["status"], int(told(sent)["retry-after"]) > 0) == (503, True)
    assert told_as in sent[1]["body"]
    assert b"42" not in sent[1]["body"]


def test_a_verb_that_is_not_there_is_told_which_are(running: Running) -> None:
    """405 says what the address knows (RFC 9110 §15.5.6), in the published form."""
    sent = ask(running.application, "/health", method="DELETE")
    assert (sent[0]["status"], "GET" in told(sent)["allow"]) == (405, True)
    assert b"NOT_IMPLEMENTED" in sent[1]["body"]


def test_who_is_no_operator_is_told_so_in_the_published_form(running: Running) -> None:
    """Whatever is the operator's asks for the token, as any other route does."""
    sent = ask(running.application, "/metrics")
    assert (sent[0]["status"], told(sent)["www-authenticate"]) == (401, "Bearer")
    assert b"MISSING_TOKEN" in sent[1]["body"]


def test_an_answer_that_breaks_off_is_not_ended(running: Running) -> None:
    """What fails once the answer has begun ends nothing: the server cuts the connection, and the log says why."""
    with structlog.testing.capture_logs() as logged:
        sent = ask(running.application, "/v1/half")
    assert [message.get("more_body") for message in sent] == [None, True]
    assert [line["event"] for line in logged if line["log_level"] == "error"] == ["http.failed"]


def test_who_left_is_no_fault(running: Running) -> None:
    """A sender who goes away half-way is answered nothing, and is no error in the log."""
    with structlog.testing.capture_logs() as logged:
        assert ask(running.application, "/v1/read", method="POST", heard=LEFT) == []
    assert [line for line in logged if line["log_level"] == "error"] == []


def seen(proxies: list[str], *, client: str, forwarded: str) -> tuple[str, str]:
    """Return for whom an application takes a request, behind these proxies: an address and a scheme."""

    async def tell(scope: Any, _receive: Any, send: Any) -> None:
        body = f"{scope['client'][0]} {scope['scheme']}".encode()
        await PlainTextResponse(body)(scope, _receive, send)

    config = _config(tell, proxies=proxies)  # type: ignore[arg-type]
    config.load()
    headers = {"x-forwarded-for": forwarded, "x-forwarded-proto": "https"}
    address, scheme = ask(config.loaded_app, "/", client=client, headers=headers)[1]["body"].decode().split()
    return address, scheme


@pytest.mark.parametrize(
    ("proxies", "client", "forwarded", "expected"),
    [
        ([], "127.0.0.1", "198.51.100.7", ("127.0.0.1", "http")),
        (["10.0.0.1"], "127.0.0.1", "198.51.100.7", ("127.0.0.1", "http")),
        (["10.0.0.1"], "10.0.0.1", "198.51.100.7", ("198.51.100.7", "https")),
        (["10.0.0.1"], "10.0.0.1", "203.0.113.9, 198.51.100.7", ("198.51.100.7", "https")),
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.9, 198.51.100.7, 10.2.0.1", ("198.51.100.7", "https")),
    ],
)
def test_only_a_proxy_that_is_named_is_believed(
    proxies: list[str], client: str, forwarded: str, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default nobody, not even this machine; else the last address that no proxy has, whatever a visitor adds."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert seen(proxies, client=client, forwarded=forwarded) == expected


def test_the_proxies_of_the_network_file(tmp_path: Path) -> None:
    """Those of an actor stand for those of the file; what is no address is refused at the start."""
    file = tmp_path / "network.yaml"
    file.write_text('proxies: ["127.0.0.1"]\nactors: {portal: {proxies: []}, platform-a: {proxies: ["10.0.0.0/8"]}}')
    network = Network(tmp_path, 8400)
    assert [network.proxies(seat) for seat in SEATS] == [[], ["10.0.0.0/8"], ["127.0.0.1"], ["127.0.0.1"]]
    for wrong in ("'*'", "proxy.example", "10.0.0.1/8"):
        file.write_text(f"proxies: [{wrong}]")
        with pytest.raises(WrongNetwork, match="proxies"):
            Network(tmp_path, 8400)


def lingered(status: int, messages: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Return what is sent and heard, in order, of an answer to a request that comes in so many messages."""
    order: list[str] = []
    coming = iter(messages)

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await PlainTextResponse("told", status)(scope, receive, send)

    async def receive() -> dict[str, Any]:
        order.append("heard")
        return next(coming, LEFT)

    async def send(message: dict[str, Any]) -> None:
        order.append("sent" if message.get("more_body") or message["type"].endswith("start") else "ended")

    wrapped: Callable[..., Any] = Lingering(refuse)
    asyncio.run(wrapped({"type": "http", "method": "POST"}, receive, send))
    return order, len(list(coming))


def test_what_comes_after_a_refusal_for_size_is_let_go_of() -> None:
    """The answer goes first, the rest is read, then it ends; a whole request and any other answer end at once."""
    more, last = {"type": "http.request", "body": b"x", "more_body": True}, HEARD
    assert lingered(413, [more, more, more, last]) == (["heard", "sent", "sent", "heard", "heard", "heard", "ended"], 0)
    assert lingered(413, [last]) == (["heard", "sent", "ended"], 0)
    assert lingered(400, [more, more, last]) == (["heard", "sent", "ended"], 2)
    assert lingered(413, [more, LEFT]) == (["heard", "sent", "sent", "heard", "ended"], 0)
