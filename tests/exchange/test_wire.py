"""What knocks at an actor's door gets the right answer, and changes nothing unless it is a parcel for it."""

from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from estafette.exchange import wire
from estafette.exchange.keys import load_key, sign
from estafette.exchange.messages import Kind, Message, manifest_of

Run = Callable[[Coroutine[Any, Any, None]], None]
Network = Any
PATH = "/exchange/v1/messages"
BODY = b"<Invoice>42</Invoice>"


def message(identifier: str = "F-1", body: bytes = BODY, **changes: Any) -> Message:
    """Give a message from 0003 to 0005."""
    given = Message(identifier, Kind.INVOICE, "0003", "0005", "facture 1.xml", sha256(body).hexdigest())
    return replace(given, **changes)


def parcel(network: Network, *messages: Message, bodies: tuple[bytes, ...] = (BODY,)) -> tuple[bytes, dict[str, str]]:
    """Give the body and the headers of a parcel, signed by 0003."""
    manifest = manifest_of(messages, bodies)
    signature = sign(load_key(network.folder / "0003" / "key.pem"), manifest)
    return b"\n".join((manifest, b"".join(bodies))), {"Estafette-Signature": signature}


def statuses(answer: tuple[int, str]) -> list[int]:
    """Give the status of each message of a parcel that was answered."""
    assert answer[0] == 200, answer
    return [reply["status"] for reply in msgspec.json.decode(answer[1])]


@pytest.fixture
def door(network: Network) -> Any:
    """Give the actor 0005, who knows 0003."""
    network.open("0003")
    return network.open("0005")


def test_taken_then_already_had(network: Network, door: Any, run: Run) -> None:
    """A message is taken with 202; a copy is acknowledged with 200; its effect is there once, and its bytes too."""
    body, headers = parcel(network, message())

    async def story() -> None:
        answers = [await door.ask(PATH, body=body, headers=headers) for _ in range(3)]
        assert [statuses(answer) for answer in answers] == [[202], [200], [200]]

    run(story())
    [(taken, document)] = door.taken
    assert (taken.id, taken.name, taken.sender, document) == ("F-1", "facture 1.xml", "0003", BODY)
    assert (door.effects(), door.inbox(), door.documents_held()) == ({"F-1": 1}, ["F-1"], 1)
    assert door.documents.get(taken.sha256) == BODY
    assert door.woken, "the worker is told of what was taken"


def test_several_are_answered_each(network: Network, door: Any, run: Run) -> None:
    """Of a parcel each message has its own reply, in order; one that comes twice in it is had once."""
    other = b"<Invoice>43</Invoice>"
    messages = (message("F-1"), message("F-2", other), message("F-1"), message("F-1", other), message("F-3"))
    body, headers = parcel(network, *messages, bodies=(BODY, other, BODY, other, b"altered"))

    async def story() -> None:
        assert statuses(await door.ask(PATH, body=body, headers=headers)) == [202, 202, 200, 422, 401]

    run(story())
    assert door.inbox() == ["F-1", "F-2"]
    assert door.effects() == {"F-1": 1, "F-2": 1}


UNSIGNED = [
    ("wrong signature", {"Estafette-Signature": "AAAA" * 21 + "AA=="}),
    ("signature that is none", {"Estafette-Signature": "é ?"}),
    ("no signature", {"Estafette-Signature": ""}),
]
REFUSALS = [
    ("unknown sender", {"sender": "0042"}, 401),
    ("sender it is not", {"sender": "0005"}, 401),
    ("another's", {"recipient": "0003"}, 422),
    ("unknown kind", {"kind": "letter"}, 400),
    ("endless name", {"name": "x" * 256}, 400),
]


@pytest.mark.parametrize("changes", [case[1] for case in UNSIGNED], ids=[case[0] for case in UNSIGNED])
def test_what_is_not_signed_changes_nothing(network: Network, door: Any, run: Run, changes: dict[str, str]) -> None:
    """A parcel without the signature of its sender is answered 401, and nothing is stored of it."""
    body, headers = parcel(network, message())
    refused(door, run, body, {**headers, **changes}, status=401)


@pytest.mark.parametrize(("changes", "status"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_what_is_refused_changes_nothing(
    network: Network, door: Any, run: Run, changes: dict[str, str], status: int
) -> None:
    """What is not a parcel of its sender for this actor is answered by its status, and nothing is stored of it."""
    body, headers = parcel(network, message(**changes))
    refused(door, run, body, headers, status=status)


@pytest.mark.parametrize("altered", [b"autre 1.xml", b"facture 2.xml"])
def test_a_manifest_altered_is_not_signed(network: Network, door: Any, run: Run, altered: bytes) -> None:
    """Whatever is changed in the manifest, its signature is another's."""
    body, headers = parcel(network, message())
    refused(door, run, body.replace(b"facture 1.xml", altered), headers, status=401)


@pytest.mark.parametrize("body", [b"", b"\n", b"not a manifest\n", b"[]\n"])
def test_what_is_no_parcel(door: Any, run: Run, body: bytes) -> None:
    """A body that begins with no manifest is answered 400."""
    refused(door, run, body, {}, status=400)


def test_more_bytes_than_told(network: Network, door: Any, run: Run) -> None:
    """Bytes after the last document are no part of what was signed: nothing of the parcel is taken."""
    body, headers = parcel(network, message())
    refused(door, run, body + b" ", headers, status=400)


def refused(door: Any, run: Run, body: bytes, headers: dict[str, str], *, status: int) -> None:
    """The parcel is answered so, and changes nothing."""

    async def story() -> None:
        assert (await door.ask(PATH, body=body, headers=headers))[0] == status

    run(story())
    assert (door.taken, door.inbox(), door.documents_held(), door.woken) == ([], [], 0, [])


def test_an_altered_body_changes_nothing_and_the_true_one_is_taken_after(network: Network, door: Any, run: Run) -> None:
    """Bytes that are not those signed get 401, which their sender tries again: what was sent is not lost."""
    body, headers = parcel(network, message())

    async def story() -> None:
        assert statuses(await door.ask(PATH, body=body[:-1] + b" ", headers=headers)) == [401]
        assert statuses(await door.ask(PATH, body=body[:-1], headers=headers)) == [401]
        assert door.inbox() == []
        assert statuses(await door.ask(PATH, body=body, headers=headers)) == [202]

    run(story())
    assert door.effects() == {"F-1": 1}


def test_what_fails_while_it_is_taken_is_not_had(network: Network, door: Any, run: Run) -> None:
    """When the actor fails half way its transaction is undone, so that the next copy is taken as the first."""
    body, headers = parcel(network, message())
    door.wrong.append(RuntimeError("a bug"))

    async def story() -> None:
        with pytest.raises(RuntimeError, match="a bug"):
            await door.ask(PATH, body=body, headers=headers)
        assert (door.inbox(), door.effects()) == ([], {})
        assert statuses(await door.ask(PATH, body=body, headers=headers)) == [202]

    run(story())
    assert (door.inbox(), door.effects()) == (["F-1"], {"F-1": 1})


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_at_the_limit_and_one_past_it(
    network: Network, door: Any, run: Run, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    """A parcel of PARCEL_BYTES_MAX is read, one byte more is refused with 413, its length being announced or not."""
    body, headers = parcel(network, message())
    monkeypatch.setattr(wire, "PARCEL_BYTES_MAX", len(body))

    async def answered(body: bytes) -> tuple[int, str]:
        length = {"Content-Length": str(len(body))} if announced else {}
        answer: tuple[int, str] = await door.ask(PATH, body=body, headers={**headers, **length}, chunks=3)
        return answer

    async def story() -> None:
        assert (await answered(body + b" "))[0] == 413
        assert (door.inbox(), door.documents_held()) == ([], 0)
        assert statuses(await answered(body)) == [202]

    run(story())


def test_sizes_past_the_limit_are_refused_before_any_document(network: Network, door: Any, run: Run) -> None:
    """A manifest that announces more than a parcel may hold is refused as it is read."""
    manifest = manifest_of([message()], [BODY]).replace(b'"size":21', b'"size":%d' % (wire.PARCEL_BYTES_MAX + 1))
    signature = sign(load_key(network.folder / "0003" / "key.pem"), manifest)
    refused(door, run, manifest + b"\n" + BODY, {"Estafette-Signature": signature}, status=413)


@pytest.mark.parametrize("known", [True, False], ids=["documents of a peer", "the manifest of a stranger"])
def test_the_shipped_limits_are_enforced_as_bytes_come(network: Network, door: Any, run: Run, known: bool) -> None:
    """Nothing past the real limits is read, however much would come: 105 MB of a peer, 1 MB of who knows whom."""
    chunk, given = bytes(256 * 1024), 0
    manifest = manifest_of([message()], [bytes(100)]).replace(b'"size":100', b'"size":%d' % (104 * 1024 * 1024))
    signature = sign(load_key(network.folder / "0003" / "key.pem"), manifest)
    first = [manifest + b"\n"] if known else []

    async def receive() -> dict[str, Any]:
        nonlocal given
        body = first.pop() if first else chunk
        given += len(body)
        return {"type": "http.request", "body": body, "more_body": True}

    answers: list[Any] = []

    async def send(event: Any) -> None:
        answers.append(event)

    raw = [(b"estafette-signature", signature.encode()), (b"content-length", b"\xb2")]
    scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": raw, "root_path": ""}

    async def story() -> None:
        await door.application(scope, receive, send)

    run(story())
    limit = wire.PARCEL_BYTES_MAX if known else wire.MANIFEST_BYTES_MAX
    assert answers[0]["status"] in ((413, 400) if known else (413,))
    assert given <= limit + 2 * len(chunk)


def test_a_stranger_is_refused_before_its_documents_are_read(network: Network, door: Any, run: Run) -> None:
    """Who is not known, or signs wrongly, has nothing read of what it sends but the manifest: memory is for peers."""
    body, headers = parcel(network, message(sender="0666"))
    events = [{"type": "http.request", "body": body.partition(b"\n")[0] + b"\n", "more_body": True}]
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "root_path": "",
        "query_string": b"", "headers": raw, "scheme": "http", "http_version": "1.1",
        "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    answers: list[Any] = []

    async def receive() -> Any:
        assert events, "a document was read"
        return events.pop()

    async def send(event: Any) -> None:
        answers.append(event)

    run(door.application(scope, receive, send))
    assert answers[0]["status"] == 401
