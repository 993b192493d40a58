"""What any post must keep, whatever carries it: each message has its effect once, in order, or is shown as impossible.

Every test here speaks of two actors, `0003` who sends and `0005` who receives, and of `place`, where the latter can be
reached. Another way to carry messages (SFTP, AS4) is one more parameter of `pair`, and must pass them unchanged.
"""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from tests.exchange.authority import Authority

from estafette.exchange.messages import Kind, Message
from estafette.exchange.post import Peer

Run = Callable[[Coroutine[Any, Any, None]], None]
Network = Any
PATH = "/exchange/v1/messages"


@pytest.fixture(params=["http", "https"])
def pair(request: pytest.FixtureRequest, network: Network, authority: Authority) -> tuple[Any, Any, Any]:
    """Give who sends, who receives, and where the latter can be reached, in the clear or with certificates."""
    sender, recipient = network.open("0003"), network.open("0005")
    place = network.place(recipient)
    if request.param == "https":
        network.secure(place, {home: authority.certify(home.identifier) for home in (sender, recipient)})
    return sender, recipient, place


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Give an authority that every actor trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


def test_what_is_sent_is_taken_once(network: Network, pair: Any, run: Run) -> None:
    """Messages sent are taken with their bytes and their name, once each, and the sender is told."""
    sender, recipient, place = pair
    bodies = {f"Facture n° {number}.xml": f"<Invoice>{number}</Invoice>".encode() for number in range(12)}

    async def story() -> None:
        async with place.open(), network.working(sender):
            for number, (name, body) in enumerate(bodies.items()):
                sender.send(recipient, body, name=name, identifier=f"F-{number}")
            assert {how for _, how in await sender.outcome(12)} == {"taken"}

    run(story())
    assert {message.name: body for message, body in recipient.taken} == bodies
    assert recipient.effects() == {f"F-{number}": 1 for number in range(12)}
    assert sorted(sender.delivered) == sorted(bodies)
    assert {state for state, _ in sender.states().values()} == {"done"}


def test_what_was_not_committed_never_leaves(network: Network, pair: Any, run: Run) -> None:
    """A message of a transaction that fails does not exist."""
    sender, recipient, place = pair
    sha256 = sender.documents.put(b"<Invoice/>")

    async def story() -> None:
        async with place.open(), network.working(sender):
            with pytest.raises(InterruptedError), sender.database.begin() as connection:
                message = Message("lost", Kind.INVOICE, "0003", "0005", "lost.xml", sha256)
                sender.post.send(connection, message, lane="x")
                raise InterruptedError
            sender.send(recipient, b"<Invoice/>", name="kept.xml")
            assert await sender.outcome(1) == [("kept.xml", "taken")]

    run(story())
    assert [message.name for message, _ in recipient.taken] == ["kept.xml"]


def test_a_recipient_that_is_away_has_it_when_it_is_back(network: Network, pair: Any, run: Run) -> None:
    """Nobody answers: the message is tried again, and is taken once when its recipient is there again."""
    sender, recipient, place = pair

    async def story() -> None:
        async with network.working(sender):
            sender.send(recipient, b"<Invoice/>", name="f.xml")
            assert await sender.outcome(1) == [("f.xml", "Later")]
            assert await sender.later(1) == [("f.xml", "Later")]
            state, error = sender.states()["f.xml"]
            assert (state, "0005 cannot be reached" in error) == ("pending", True)
            async with place.open():
                assert await sender.later(1) == [("f.xml", "taken")]

    run(story())
    assert (recipient.effects(), sender.delivered) == ({"f.xml": 1}, ["f.xml"])


def test_a_recipient_not_yet_known_has_it_when_it_is(network: Network, pair: Any, run: Run) -> None:
    """A message for an actor that the directory does not know yet waits until it does."""
    sender, recipient, place = pair
    peer = network.known.pop("0005")

    async def story() -> None:
        async with place.open(), network.working(sender):
            sender.send(recipient, b"<Invoice/>", name="f.xml")
            assert await sender.outcome(1) == [("f.xml", "Later")]
            network.known["0005"] = peer
            assert await sender.later(1) == [("f.xml", "taken")]

    run(story())
    assert recipient.effects() == {"f.xml": 1}


def test_an_answer_that_is_lost_costs_nothing(network: Network, pair: Any, run: Run) -> None:
    """The recipient took it but its answer was lost: the copy that comes again is acknowledged and changes nothing."""
    sender, recipient, place = pair
    honest, lost = recipient.application, [True, True]

    async def lossy(scope: Any, receive: Any, send: Any) -> None:
        async def swallow(event: Any) -> None:
            if event["type"] == "http.response.start":
                event = {**event, "status": 502}
            await send(event)

        await honest(scope, receive, swallow if lost and lost.pop() else send)

    place.application = lossy

    async def story() -> None:
        async with place.open(), network.working(sender):
            sender.send(recipient, b"<Invoice/>", name="f.xml")
            assert await sender.outcome(1) == [("f.xml", "Later")]
            assert recipient.effects() == {"f.xml": 1}
            assert [*await sender.later(1), *await sender.later(1)] == [("f.xml", "Later"), ("f.xml", "taken")]

    run(story())
    assert (recipient.effects(), len(recipient.taken)) == ({"f.xml": 1}, 1)


def test_a_sender_that_dies_after_sending_changes_nothing(network: Network, pair: Any, run: Run) -> None:
    """The sender dies before it has written that the message was taken: it sends again, and the effect is still one."""
    sender, recipient, place = pair
    taken = asyncio.Event()
    real = sender.post.deliver

    async def dies(job: Any) -> Any:
        await real(job)
        taken.set()
        await asyncio.sleep(3600)

    async def story() -> None:
        async with place.open():
            sender.worker.handles_together("deliver", dies)
            async with network.working(sender):
                sender.send(recipient, b"<Invoice/>", name="f.xml")
                await taken.wait()
            assert (sender.states()["f.xml"][0], recipient.effects()) == ("pending", {"f.xml": 1})
            sender.worker.handles_together("deliver", sender.deliver)
            async with network.working(sender):
                assert await sender.outcome(1) == [("f.xml", "taken")]

    run(story())
    assert (recipient.effects(), sender.delivered) == ({"f.xml": 1}, ["f.xml"])


def test_a_refusal_is_shown_and_not_repeated(network: Network, pair: Any, run: Run) -> None:
    """The recipient answers 422: the message is parked with its reason, and those after it in its lane go on."""
    sender, recipient, place = pair
    stranger = network.open("0007", known=False)
    network.known["0007"] = Peer("0007", network.known["0005"].url, recipient.public_key)

    async def story() -> None:
        async with place.open(), network.working(sender):
            sender.send(stranger, b"<Invoice/>", name="wrong.xml", lane="x")
            sender.send(stranger, b"<Invoice/>", name="wrong too.xml", lane="x", identifier="W-2")
            sender.send(recipient, b"<Invoice/>", name="right.xml", lane="x")
            assert sorted(await sender.outcome(3)) == [
                ("right.xml", "taken"), ("wrong too.xml", "Never"), ("wrong.xml", "Never"),
            ]  # fmt: skip

    run(story())
    state, error = sender.states()["wrong.xml"]
    assert (state, "422" in error, "0007" in error) == ("parked", True, True)
    assert recipient.inbox() == ["right.xml"]


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_what_no_attempt_can_change_is_parked(network: Network, pair: Any, run: Run, status: int) -> None:
    """Each final answer parks the message at once, with what the recipient said."""
    sender, recipient, place = pair

    async def answer(_request: Request) -> Response:
        return PlainTextResponse("because", status)

    place.application = Starlette(routes=[Route(PATH, answer, methods=["POST"])])

    async def story() -> None:
        async with place.open(), network.working(sender):
            sender.send(recipient, b"<Invoice/>", name="f.xml")
            assert await sender.outcome(1) == [("f.xml", "Never")]

    run(story())
    assert sender.states()["f.xml"] == ("parked", f"0005 answers {status}: because")


@pytest.mark.parametrize("status", [204, 302, 401, 404, 409, 429, 500, 503])
def test_any_other_answer_is_not_the_end(network: Network, pair: Any, run: Run, status: int) -> None:
    """No other answer is taken for an acknowledgement or a refusal: not a proxy's page, not a login, not a bug."""
    sender, recipient, place = pair

    async def answer(_request: Request) -> Response:
        return Response(status_code=status)

    place.application = Starlette(routes=[Route(PATH, answer, methods=["POST"])])

    async def story() -> None:
        async with place.open(), network.working(sender):
            sender.send(recipient, b"<Invoice/>", name="f.xml")
            assert await sender.outcome(1) == [("f.xml", "Later")]

    run(story())
    assert sender.states()["f.xml"][0] == "pending"


def test_a_page_elsewhere_is_no_acknowledgement(network: Network, pair: Any, run: Run) -> None:
    """A redirection to a page that answers 200 does not pass for the message being taken."""
    sender, recipient, place = pair

    async def moved(_request: Request) -> Response:
        return RedirectResponse("/maintenance", 302)

    async def page(_request: Request) -> Response:
        return PlainTextResponse("back soon")

    place.application = Starlette(routes=[Route(PATH, moved, methods=["POST"]), Route("/maintenance", page)])

    async def story() -> None:
        async with place.open(), network.working(sender):
            sender.send(recipient, b"<Invoice/>", name="f.xml")
            assert await sender.outcome(1) == [("f.xml", "Later")]

    run(story())
    assert (sender.states()["f.xml"][0], sender.delivered) == ("pending", [])


def test_lanes_keep_their_order_under_failures(network: Network, pair: Any, run: Run) -> None:
    """Whatever fails on the way, what concerns one invoice is taken in order, and no invoice waits for another."""
    sender, recipient, place = pair
    names = [f"{lane}{number}" for number in range(1, 5) for lane in "abc"]
    honest, requests = recipient.application, 0

    async def one_in_three(scope: Any, receive: Any, send: Any) -> None:
        nonlocal requests
        requests += 1
        if requests % 3:
            await Response(status_code=503)(scope, receive, send)
            return
        await honest(scope, receive, send)

    place.application = one_in_three

    async def story() -> None:
        async with place.open(), network.working(sender):
            for name in names:
                sender.send(recipient, name.encode(), name=name, lane=name[0])
            while len(recipient.taken) < len(names):
                network.time.pass_by(hours=1)
                sender.worker.wake()
                await sender.outcome(1)
                while sender.worker._running:  # what was put off is written before time passes again
                    await asyncio.sleep(0)

    run(story())
    for lane in "abc":
        assert [message.name for message, _ in recipient.taken if message.name[0] == lane] == [
            f"{lane}{number}" for number in range(1, 5)
        ]
    assert recipient.effects() == dict.fromkeys(names, 1)
    assert requests > 12


def test_both_ways_at_once(network: Network, pair: Any, run: Run) -> None:
    """Two actors that write to each other at the same time both have everything."""
    one, other, place = pair
    back = network.place(one)

    async def story() -> None:
        async with place.open(), back.open(), network.working(one, other):
            for number in range(5):
                one.send(other, b"there", name=f"t{number}")
                other.send(one, b"back", name=f"b{number}")
            await one.outcome(5)
            await other.outcome(5)

    run(story())
    assert other.effects() == {f"t{number}": 1 for number in range(5)}
    assert one.effects() == {f"b{number}": 1 for number in range(5)}


def test_who_is_here(network: Network, pair: Any, run: Run) -> None:
    """Anyone may ask an actor who it is and by which key it is known."""
    _, recipient, place = pair

    async def story() -> None:
        import aiohttp

        url = f"{network.known['0005'].url}/exchange/v1/identity"
        trust: Any = ssl.create_default_context(cafile=recipient.post.tls.authorities) if recipient.post.tls else True
        async with place.open(), aiohttp.ClientSession() as session, session.get(url, ssl=trust) as answer:
            assert await answer.json() == {"identifiers": ["0005"], "public_key": recipient.public_key}

    run(story())
