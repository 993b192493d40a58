"""What is wrong is seen, told while it lasts, and cleared once it is over; what waits can be looked at and pushed."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update
from tests.platform.world import BUYER, SELLER, World, service
from tests.portal.envelopes import data_file, send
from tests.web.visitor import Visitor

from estafette.circuit.operators import operator_token
from estafette.exchange.messages import Kind
from estafette.store import alarms, identity
from estafette.store.tables import job

PASSWORD = "correct horse battery"


def look(world: World, name: str = "platform-a") -> None:
    """The actor has looked at what is wrong with it."""
    asyncio.run(world.running[name].rounds.once())


def raised(world: World, name: str = "platform-a") -> list[tuple[str, str]]:
    """Return the alarms of an actor after it has looked: kind and subject."""
    look(world, name)
    with world.running[name].actor.database.read() as connection:
        return [(row["kind"], row["subject"]) for row in alarms.raised(connection)]


def call(
    world: World,
    path: str,
    *,
    method: str = "GET",
    token: str | None = None,
    body: bytes = b"",
    of: str = "platform-a",
) -> tuple[int, Any]:
    """Ask an actor, platform A unless another is named, as its operator."""
    running = world.running[of]
    token = operator_token(running.actor.folder) if token is None else token
    path, _, query = path.partition("?")
    heard: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: Any) -> None:
        heard.append(event)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "root_path": "", "query_string": query.encode(), "scheme": "http",
        "headers": [(b"authorization", f"Bearer {token}".encode())], "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    asyncio.run(running.application(scope, receive, send))
    answer = b"".join(event.get("body", b"") for event in heard[1:])
    return heard[0]["status"], json.loads(answer) if answer.startswith((b"{", b"[")) else answer


def delivery(world: World) -> Any:
    """Return the only delivery that waits."""
    rows = call(world, "/operator/v1/jobs?state=pending")[1]["jobs"]
    (row,) = [row for row in rows if row["queue"].startswith("deliver")]
    return row


def test_a_peer_that_is_down(own_world: World) -> None:
    """A platform out of reach for a while is an alarm, with the last error; taken at last, it is over."""
    world = own_world
    world.wire.down.add("0005")
    world.leave(service("D1"))
    world.work_with_troubles()
    assert raised(world) == [], "a moment is nothing"
    world.pass_by(minutes=20)
    assert raised(world) == [("peer", "0005")]
    _status, told = call(world, "/operator/v1/alarms")
    assert "0005 is down" in told["alarms"][0]["en"]
    (waits,) = call(world, "/operator/v1/waiting")[1]["waiting"]
    assert (waits["queue"], waits["recipient"], waits["count"], waits["error"]) == (
        "deliver",
        "0005",
        1,
        "0005 is down",
    )
    world.wire.down.clear()
    world.work()
    assert raised(world) == []
    assert [row["subject"] for row in call(world, "/operator/v1/alarms?past=1")[1]["alarms"]] == ["0005"]
    assert call(world, "/operator/v1/waiting")[1] == {"waiting": []}
    assert world.statuses(BUYER, "D1") == "202 203"


def test_a_parked_job(own_world: World) -> None:
    """What a peer will never take is parked, alarmed, shown, and leaves once mended and run again."""
    world = own_world
    good = world.wire.change
    world.wire.change = lambda message, body: b"" if message.kind is Kind.INVOICE else body
    world.leave(service("P1"))
    world.running["platform-b"].post.identifiers = frozenset()
    world.work_with_troubles()
    assert raised(world) == [("parked", "deliver:0005")]
    (parked,) = call(world, "/operator/v1/jobs?state=parked")[1]["jobs"]
    assert ("0005 is not served here" in parked["error"], "payload" in parked) == (True, False)
    world.running["platform-b"].post.identifiers = frozenset({"0005"})
    world.wire.change = good
    assert call(world, f"/operator/v1/jobs/{parked['id']}/retry", method="POST")[0] == 200
    world.work()
    assert world.statuses(BUYER, "P1") == "202 203"
    assert raised(world) == []
    assert call(world, f"/operator/v1/jobs/{parked['id']}/retry", method="POST")[0] == 404, "it is done"


def test_a_job_set_aside_by_hand(own_world: World) -> None:
    """The operator sets a job aside: its lane goes on without it."""
    world = own_world
    world.wire.down.add("0005")
    world.leave(service("H1"))
    world.work_with_troubles()
    waits = delivery(world)
    assert call(world, f"/operator/v1/jobs/{waits['id']}/park", method="POST")[0] == 200
    assert call(world, "/operator/v1/waiting")[1] == {"waiting": []}
    assert [row["id"] for row in call(world, "/operator/v1/jobs")[1]["jobs"]] == [waits["id"]]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/operator/v1/jobs?state=done", "GET", 400),
        ("/operator/v1/jobs?after=-1", "GET", 400),
        ("/operator/v1/jobs?limit=²", "GET", 400),
        ("/operator/v1/jobs/1/delete", "POST", 404),
        ("/operator/v1/jobs/999999/retry", "POST", 404),
    ],
)
def test_what_cannot_be_asked(world: World, path: str, method: str, status: int) -> None:
    """A wrong question is answered with what is right, in both languages."""
    seen, told = call(world, path, method=method)
    assert (seen, bool(told["errorMessage"])) == (status, True)


@pytest.mark.parametrize("path", ["alarms", "waiting", "jobs"])
def test_operators_only(world: World, path: str) -> None:
    """Without the operator's token nothing is told."""
    assert call(world, f"/operator/v1/{path}", token="x")[0] == 401


def test_late_to_the_portal(own_world: World) -> None:
    """Data and statuses that the portal has not acknowledged within the law's delay are an alarm each, not before."""
    world = own_world
    world.wire.down.add("PPF")
    world.leave(service("L1"))
    world.work_with_troubles()
    world.pass_by(hours=23, minutes=50)
    assert {kind for kind, _subject in raised(world)} == {"peer"}
    world.pass_by(minutes=20)
    assert [one for one in raised(world) if one[0] == "late"] == [("late", "FFE0111A"), ("late", "FFE0614A")]
    world.wire.down.clear()
    world.work_with_troubles()
    assert raised(world) == []


def test_a_transmission_that_the_portal_does_not_take(own_world: World) -> None:
    """E-reporting that has not reached the portal eight hours after it left is an alarm, until it has."""
    world = own_world
    platform = world.platform("platform-a")
    rows = b"id;date;categorie;taux;base;tva\nZ1;14/09/2026;TLB1;20;100;20\n"
    asyncio.run(platform.reporting.hand_in(SELLER, rows, name="z.csv", source="api"))
    world.wire.down.add("PPF")
    world.clock.now = datetime(2026, 10, 1, 5, tzinfo=UTC)
    world.work_with_troubles()
    assert ("late", "FFE1025A") not in raised(world)
    world.pass_by(hours=9)
    world.work_with_troubles()
    assert ("late", "FFE1025A") in raised(world)
    world.wire.down.clear()
    world.work_with_troubles()
    assert ("late", "FFE1025A") not in raised(world)


def test_what_the_portal_did_not_accept(own_world: World) -> None:
    """Data rejected by the portal are an alarm for a week, with the reason and without the invoice."""
    world = own_world
    send(world, dict([data_file("R1")]))  # had already when the platform sends them
    world.deposit(service("R1"))
    assert raised(world) == [("rejected", "FFE0111A")]
    with world.running["platform-a"].actor.database.read() as connection:
        (alarm,) = alarms.raised(connection)
    assert "REJ_UNI × 1" in alarm["en"]
    assert "R1" not in alarm["fr"] + alarm["en"]
    world.pass_by(days=9)
    assert ("rejected", "FFE0111A") not in raised(world)


def test_a_status_without_its_invoice(own_world: World) -> None:
    """A status whose invoice does not come is an alarm after its delay, and none once it has come."""
    world = own_world
    world.wire.held = []
    world.leave(service("E1"))
    asyncio.run(world._drain())
    held, world.wire.held = world.wire.held, None
    invoice = next(pair for pair in held if pair[0].kind is Kind.INVOICE)
    for pair in held:
        if pair[0].kind is not Kind.INVOICE:
            world.wire.hand(*pair, key=world.running["platform-a"])
    world.work_with_troubles()
    world.wire.hand(*invoice, key=world.running["platform-a"])
    with world.running["platform-a"].actor.database.begin() as connection:  # the sender forgets what it sent
        connection.exec_driver_sql("UPDATE invoice SET peer = '0009' WHERE number = 'E1'")
    world.work_with_troubles()
    assert [one for one in raised(world) if one[0] == "early"] == []
    world.pass_by(hours=25)
    (early,) = [one for one in raised(world) if one[0] == "early"]
    assert early == ("early", f"{SELLER}/2026/E1")
    world.pass_by(days=29)
    assert [one for one in raised(world) if one[0] == "early"] == [], "it will not come: it is kept, nobody is told"


def test_a_scanner_that_is_down(own_world: World) -> None:
    """Deposits that wait for the scanner are an alarm after five minutes, with its address."""
    world = own_world
    world.leave(service("S1"))
    with world.running["platform-a"].actor.database.begin() as connection:
        mine = job.c.queue == "deposit"
        connection.execute(update(job).where(mine).values(tries=1, error="antivirus: /run/clamd TimeoutError"))
    assert [one for one in raised(world) if one[0] == "scanner"] == []
    world.pass_by(minutes=6)
    assert [one for one in raised(world) if one[0] == "scanner"] == [("scanner", "clamd")]


def test_seen_twice_is_raised_once(own_world: World) -> None:
    """An alarm that lasts is one alarm; what is said of it is kept true."""
    world = own_world
    world.wire.down.add("0005")
    world.leave(service("T1"))
    world.work_with_troubles()
    world.pass_by(minutes=20)
    first = raised(world)
    world.leave(service("T2"))
    world.work_with_troubles()
    assert raised(world) == first
    assert "2 message(s)" in call(world, "/operator/v1/alarms")[1]["alarms"][0]["fr"]


def test_page_of_the_operator(own_world: World) -> None:
    """The operator sees alarms, what waits and what was set aside, and runs a job again; nobody else sees the page."""
    world, running = own_world, own_world.running["platform-a"]
    with running.actor.database.begin() as connection:
        for login, role, tenant in (("exploitant", "operator", None), ("vendeur", "administrator", SELLER)):
            identity.add_account(
                connection, login=login, held=identity.hashed(PASSWORD), role=role, tenant=tenant, now=world.clock.now
            )
    world.wire.down.add("0005")
    world.leave(service("W1"))
    world.work_with_troubles()
    world.pass_by(minutes=20)
    look(world)
    waits = delivery(world)
    call(world, f"/operator/v1/jobs/{waits['id']}/park", method="POST")
    world.wire.down.clear()
    person, other = Visitor(running.application), Visitor(running.application)
    person.sign_in("exploitant", PASSWORD)
    page = person.get("/operations")
    assert page.status == 200
    assert "Correspondant injoignable" in page.text
    assert "W1" not in page.text
    assert "Peer out of reach" in person.get("/operations?lang=en").text
    person.post(f"/operations/jobs/{waits['id']}/retry", csrf=page.hidden("csrf"))
    other.sign_in("vendeur", PASSWORD)
    assert other.get("/operations").status == 403
    world.work()
    assert world.statuses(BUYER, "W1") == "202 203"


def test_all_that_was_set_aside_is_run_again_at_once(own_world: World) -> None:
    """One button for each queue of which several jobs were set aside; nobody but an operator has it."""
    world, running = own_world, own_world.running["platform-a"]
    with running.actor.database.begin() as connection:
        held = identity.hashed(PASSWORD)
        identity.add_account(
            connection, login="exploitant", held=held, role="operator", tenant=None, now=world.clock.now
        )
    world.wire.down.add("0005")
    for number in ("A1", "A2"):
        world.leave(service(number))
    world.work_with_troubles()
    person = Visitor(running.application)
    person.sign_in("exploitant", PASSWORD)
    for row in call(world, "/operator/v1/jobs?state=pending")[1]["jobs"]:
        call(world, f"/operator/v1/jobs/{row['id']}/park", method="POST")
    page = person.get("/operations")
    assert "Relancer les 2 deliver:0005" in page.text
    world.wire.down.clear()
    assert person.post("/operations/jobs/retry", queue="deliver:0005").status == 403
    assert person.post("/operations/jobs/retry", csrf=page.hidden("csrf"), queue="deliver:0005").status == 200
    world.work()
    assert [world.statuses(BUYER, number) for number in ("A1", "A2")] == ["202 203", "202 203"]
    assert person.post("/operations/jobs/retry", csrf=page.hidden("csrf"), queue="deliver:0005").status == 404
