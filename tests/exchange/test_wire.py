"""What knocks at an actor's door gets the right answer, and changes nothing unless it is a message for it."""

from collections.abc import Callable, Coroutine
from hashlib import sha256 as digest
from typing import Any

import pytest

from estafette.exchange import wire
from estafette.exchange.keys import load_key, sign
from estafette.exchange.messages import Kind, Message

Run = Callable[[Coroutine[Any, Any, None]], None]
Network = Any
BODY = b"<Invoice>42</Invoice>"


def written(network: Network, **changes: str) -> tuple[str, dict[str, str]]:
    """Give the path and the headers of a message from 0003 to 0005, signed before its headers are changed."""
    sha256 = digest(BODY).hexdigest()
    message = Message("F-1", Kind.INVOICE, "0003", "0005", "facture 1.xml", sha256)
    signature = sign(load_key(network.folder / "0003" / "key.pem"), message.signed_text())
    headers = {**message.headers(), "Estafette-Signature": signature, **changes}
    return "/exchange/v1/messages/F-1", {name: value for name, value in headers.items() if value != "absent"}


@pytest.fixture
def door(network: Network) -> Any:
    """Give the actor 0005, who knows 0003."""
    network.open("0003")
    return network.open("0005")


def test_taken_then_already_had(network: Network, door: Any, run: Run) -> None:
    """A message is taken with 202; a copy is acknowledged with 200; its effect is there once, and its bytes too."""
    path, headers = written(network)

    async def story() -> None:
        assert [(await door.ask(path, body=BODY, headers=headers))[0] for _ in range(3)] == [202, 200, 200]

    run(story())
    [(message, body)] = door.taken
    assert (message.id, message.name, message.sender, body) == ("F-1", "facture 1.xml", "0003", BODY)
    assert (door.effects(), door.inbox(), door.documents_held()) == ({"F-1": 1}, ["F-1"], 1)
    assert door.documents.get(message.sha256) == BODY
    assert door.woken, "the worker is told of what was taken"


REFUSALS = [
    ("wrong signature", {"Estafette-Signature": "AAAA" * 21 + "AA=="}, 401),
    ("signature that is none", {"Estafette-Signature": "é ?"}, 401),
    ("no signature", {"Estafette-Signature": "absent"}, 401),
    ("unknown sender", {"Estafette-Sender": "0042"}, 401),
    ("sender it is not", {"Estafette-Sender": "0005"}, 401),
    ("altered name", {"Estafette-Name": "autre.xml"}, 401),
    ("altered kind", {"Estafette-Kind": "status"}, 401),
    ("another's", {"Estafette-Recipient": "0003"}, 422),
    ("unknown kind", {"Estafette-Kind": "letter"}, 400),
    ("no kind", {"Estafette-Kind": "absent"}, 400),
    ("no sender", {"Estafette-Sender": "absent"}, 400),
    ("no recipient", {"Estafette-Recipient": "absent"}, 400),
    ("no name", {"Estafette-Name": "absent"}, 400),
    ("endless name", {"Estafette-Name": "x" * 256}, 400),
]


@pytest.mark.parametrize(("changes", "status"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_what_is_refused_changes_nothing(
    network: Network, door: Any, run: Run, changes: dict[str, str], status: int
) -> None:
    """What is not a message of its sender for this actor is answered by its status, and nothing is stored of it."""
    path, headers = written(network, **changes)

    async def story() -> None:
        assert (await door.ask(path, body=BODY, headers=headers))[0] == status

    run(story())
    assert (door.taken, door.inbox(), door.documents_held(), door.woken) == ([], [], 0, [])


def test_an_altered_body_changes_nothing_and_the_true_one_is_taken_after(network: Network, door: Any, run: Run) -> None:
    """Bytes that are not those signed get 401, which their sender tries again: what was sent is not lost."""
    path, headers = written(network)

    async def story() -> None:
        assert (await door.ask(path, body=BODY + b" ", headers=headers))[0] == 401
        assert door.inbox() == []
        assert (await door.ask(path, body=BODY, headers=headers))[0] == 202

    run(story())
    assert door.effects() == {"F-1": 1}


def test_another_identifier_is_not_signed(network: Network, door: Any, run: Run) -> None:
    """A message replayed under another identifier is not taken for a new one."""
    path, headers = written(network)

    async def story() -> None:
        assert (await door.ask(path, body=BODY, headers=headers))[0] == 202
        assert (await door.ask(path.replace("F-1", "F-2"), body=BODY, headers=headers))[0] == 401

    run(story())
    assert door.inbox() == ["F-1"]


def test_an_identifier_given_twice_is_told(network: Network, door: Any, run: Run) -> None:
    """Another document under an identifier already had is refused, not acknowledged and dropped."""
    path, headers = written(network)
    other = b"<Invoice>43</Invoice>"
    message = Message("F-1", Kind.INVOICE, "0003", "0005", "facture 1.xml", digest(other).hexdigest())
    signature = sign(load_key(network.folder / "0003" / "key.pem"), message.signed_text())

    async def story() -> None:
        assert (await door.ask(path, body=BODY, headers=headers))[0] == 202
        changed = {**headers, **message.headers(), "Estafette-Signature": signature}
        status, text = await door.ask(path, body=other, headers=changed)
        assert (status, "F-1" in text) == (422, True)

    run(story())
    assert [body for _, body in door.taken] == [BODY]


def test_what_fails_while_it_is_taken_is_not_had(network: Network, door: Any, run: Run) -> None:
    """When the actor fails half way its transaction is undone, so that the next copy is taken as the first."""
    path, headers = written(network)
    door.wrong.append(RuntimeError("a bug"))

    async def story() -> None:
        with pytest.raises(RuntimeError, match="a bug"):
            await door.ask(path, body=BODY, headers=headers)
        assert (door.inbox(), door.effects()) == ([], {})
        assert (await door.ask(path, body=BODY, headers=headers))[0] == 202

    run(story())
    assert (door.inbox(), door.effects()) == (["F-1"], {"F-1": 1})


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_at_the_limit_and_one_past_it(
    network: Network, door: Any, run: Run, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    """A body of MESSAGE_BYTES_MAX is read, one byte more is refused with 413, its length being announced or not."""
    path, headers = written(network)
    monkeypatch.setattr(wire, "MESSAGE_BYTES_MAX", len(BODY))

    async def status(body: bytes) -> int:
        length = {"Content-Length": str(len(body))} if announced else {}
        return int((await door.ask(path, body=body, headers={**headers, **length}, chunks=3))[0])

    async def story() -> None:
        assert await status(BODY + b" ") == 413
        assert (door.inbox(), door.documents_held()) == ([], 0)
        assert await status(BODY) == 202

    run(story())


def test_the_shipped_limit_is_enforced_as_bytes_come(network: Network, door: Any, run: Run) -> None:
    """Nothing past the real MESSAGE_BYTES_MAX is read, however much would come, whatever length is announced."""
    path, headers = written(network)
    chunk, given = bytes(5 * 1024 * 1024), 0

    async def receive() -> dict[str, Any]:
        nonlocal given
        given += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    answers: list[Any] = []

    async def send(event: Any) -> None:
        answers.append(event)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()] + [(b"content-length", b"\xb2")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": raw, "root_path": ""}

    async def story() -> None:
        await door.application(scope, receive, send)

    run(story())
    assert answers[0]["status"] == 413
    assert wire.MESSAGE_BYTES_MAX < given <= wire.MESSAGE_BYTES_MAX + len(chunk)


def test_a_stranger_is_refused_before_its_body_is_read(network: Network, door: Any, run: Run) -> None:
    """Who is not known, or signs wrongly, has nothing read of what it sends: memory is for peers only."""
    path, headers = written(network, **{"Estafette-Sender": "0666"})
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "root_path": "",
        "query_string": b"", "headers": raw, "scheme": "http", "http_version": "1.1",
        "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    answers: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(event: Any) -> None:
        answers.append(event)

    run(door.application(scope, receive, send))
    assert answers[0]["status"] == 401
