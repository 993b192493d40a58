"""How much, how often, when and by which connection a platform may send: each bound at its value and one past it."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.requests import Request
from tests.formats.test_flux10 import TRANSACTIONS
from tests.platform.world import BUYER, TODAY, Clock, World
from tests.portal.envelopes import (
    REPORTS,
    STATUSES,
    UBL,
    acknowledgement,
    answer,
    data_file,
    new_name,
    send,
    status,
    status_file,
)
from tests.portal.test_updates import UPDATES

from estafette.circuit.compose import compose
from estafette.circuit.network import SEATS, Network, WrongNetwork
from estafette.directory import DirectoryLine
from estafette.exchange import wire
from estafette.exchange.keys import sign
from estafette.exchange.messages import Kind, Message, manifest_of
from estafette.formats import flow_archive, flux10
from estafette.formats.directory_update import Update, write_update
from estafette.formats.envelope import FlowName
from estafette.formats.flow_limits import PUBLISHED, ROWS, FlowLimits, Limit, Row
from estafette.portal import holdings, stages
from estafette.portal.intake_tables import sequence_gap
from estafette.portal.partners import Declared, declare
from estafette.portal.tables import partner_flow
from estafette.store.worker import Later, Never


@pytest.fixture
def house(world: World) -> Iterator[World]:
    """Give the system an hour after whatever was sent; its limits and connections are put back afterwards."""
    world.pass_by(hours=1)
    yield world
    world.hall.limits = PUBLISHED
    declared(world, Declared())


def declared(world: World, said: Declared) -> None:
    """Declare the connection of platform A."""
    with world.running["portal"].actor.database.begin() as connection:
        declare(connection, "PA0003", said, now=world.clock())


def files(world: World, count: int) -> dict[str, bytes]:
    """Return the data of so many invoices."""
    return dict(data_file(world.number("L")) for _ in range(count))


def test_files_of_a_flow(house: World) -> None:
    """A flow has as many files as its lot, and no more: IRR_TAILLE, and nothing of it is taken."""
    house.hall.limits = PUBLISHED.changed(files_of_F1=2)
    assert acknowledgement(house, send(house, files(house, 2))).status == "500"
    message = acknowledgement(house, send(house, files(house, 3)))
    assert (message.status, message.reason_codes) == ("501", ("IRR_TAILLE",))


def test_bytes_of_its_files(house: World) -> None:
    """A file past its bytes, or all of them together, make the flow irreceivable; at the bound they do not."""
    held = files(house, 2)
    longest = max(map(len, held.values()))
    house.hall.limits = PUBLISHED.changed(file_bytes=longest)
    assert acknowledgement(house, send(house, held)).status == "500"
    for limit, code in (("file_bytes", "IRR_TAILLE_F"), ("extracted_bytes", "IRR_TAILLE")):
        house.hall.limits = PUBLISHED.changed(**{limit: longest - 1})
        assert acknowledgement(house, send(house, files(house, 2))).reason_codes == (code,)


def test_bytes_of_a_flow(house: World) -> None:
    """A flow past its bytes is irreceivable; over HTTPS one past what is taken there is not even read (413)."""
    body = flow_archive.pack(files(house, 1))
    house.hall.limits = PUBLISHED.changed(flow_bytes=len(body))
    assert acknowledgement(house, send(house, body)).status == "500"
    body = flow_archive.pack(files(house, 1))
    house.hall.limits = PUBLISHED.changed(flow_bytes=len(body) - 1)
    assert acknowledgement(house, send(house, body)).reason_codes == ("IRR_TAILLE",)
    house.hall.limits = PUBLISHED.changed(flow_bytes_by_https=len(body) - 1)
    with pytest.raises(Never, match=r"^IRR_TAILLE"):
        send(house, body)


def test_flows_of_an_hour(house: World) -> None:
    """Past so many flows in an hour the next waits (429), an answer to the portal never does; then it is taken."""
    house.hall.limits = PUBLISHED.changed(flows_an_hour=2)
    for _time in range(2):
        send(house, files(house, 1))
    late = flow_archive.pack(files(house, 1))
    with pytest.raises(Later, match="2 flux par heure"):
        send(house, late)
    ours = (partner_flow.c.interface == "FFE0604A", partner_flow.c.partner == "0003")
    rows = house.rows("portal", select(partner_flow.c.name).where(*ours, partner_flow.c.state == "receivable"))
    send(house, late, file=FlowName.parse(rows[0]["name"]).acknowledgement.archive)
    house.pass_by(hours=1)
    assert acknowledgement(house, send(house, late)).status == "500"


def test_flows_turned_away_count(house: World) -> None:
    """A flow that is turned away is one of the hour too: nobody is answered without end."""
    house.hall.limits = PUBLISHED.changed(flows_an_hour=2)
    for _time in range(2):
        send(house, files(house, 1), file="flux.tar.gz")
    with pytest.raises(Later, match="2 flux par heure"):
        send(house, files(house, 1))


def test_a_name_that_only_begins_like_an_answer(own_world: World) -> None:
    """It is answered as a flow is, hence bounded as one: in number, in bytes, by its connection."""
    world = own_world
    names = ("C.tar.gz", "CFE0604A_PA0003.tar.gz", "CFE0604A_pa0003_PPF0010604000000000001.xml")
    world.hall.limits = PUBLISHED.changed(flows_an_hour=len(names))
    for file in names:
        send(world, b"x", file=file)
    for file in names:
        with pytest.raises(Later, match="3 flux par heure"):
            send(world, b"x", file=file)
    world.hall.limits = PUBLISHED.changed(flow_bytes_by_https=1)
    with pytest.raises(Never, match=r"^IRR_TAILLE"):
        send(world, b"xx", file=names[0])
    declared(world, Declared(protocol="sftp"))
    with pytest.raises(Never, match="PA0003"):
        send(world, b"x", file=names[0])


class Counted(asyncio.Lock):
    """A lock that counts how often it was taken."""

    taken = 0

    async def acquire(self) -> Any:
        """Count, then wait for it."""
        self.taken += 1
        return await super().acquire()


def test_large_flows_one_after_the_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flow above the bound is read alone, whatever it carries; one below it waits for nobody."""
    line = DirectoryLine(siren=BUYER, suffix="GRANDS", matricule="0003", start=TODAY + timedelta(days=1))
    flows = {
        UBL: files(world, 1),
        STATUSES: dict([status_file(status(world.number("L"), "200"))]),
        REPORTS: {"a.xml": flux10.write(TRANSACTIONS)},
        UPDATES: {"u.xml": write_update(Update((), (line,)))},
    }
    for bound, is_large in ((2**40, False), (0, True)):
        monkeypatch.setattr(stages, "LARGE_BYTES", bound)
        for interface, content in flows.items():
            lock = Counted()
            monkeypatch.setattr(world.hall, "large", lock)
            acknowledgement(world, send(world, content, interface))
            assert (lock.taken > 0) is is_large, interface


def test_answers_of_an_envelope(house: World) -> None:
    """More answers than go in one envelope leave in several, all of them."""
    house.wire.reset()
    house.hall.limits = PUBLISHED.changed(answers=2)
    numbers = [house.number("L") for _time in range(5)]
    send(house, dict(map(data_file, numbers)))
    assert [answer(house, number).status for number in numbers] == ["250"] * 5
    assert len([one for one in house.wire.crossed if one.name.startswith("FFE0604A")]) == 3


def test_hours(house: World) -> None:
    """Outside its hours the portal takes nothing (503) and says when it opens."""
    house.hall.limits = PUBLISHED.changed(opens=24 * 60 - 1, closes=24 * 60)
    with pytest.raises(Later, match="fermé"):
        send(house, files(house, 1))


@pytest.mark.parametrize(
    ("limits", "status", "least", "most"),
    [
        ({"flows_an_hour": 0}, 429, 1, 3600),
        ({"opens": 24 * 60 - 1}, 503, 1, 24 * 3600),
        ({"flow_bytes_by_https": 1}, 413, None, None),
    ],
)
def test_as_http_says_it(house: World, limits: dict[str, int], status: int, least: int | None, most: int) -> None:
    """The answer over HTTP has the status and, when another try may succeed, `Retry-After` in seconds."""
    house.hall.limits = PUBLISHED.changed(**limits)
    answer = posted(house, flow_archive.pack(files(house, 1)))
    assert answer.status_code == status
    after = answer.headers.get("retry-after")
    assert after is None if least is None else least <= int(after) <= most


def posted(world: World, body: bytes) -> Any:
    """Post a flow of platform A to the portal's own route; return what it answers."""
    portal, sender = world.running["portal"], world.running["platform-a"]
    name = new_name(UBL)
    message = Message(str(name), Kind.FLOW, "0003", "PPF", name.archive, "0" * 64)
    manifest = manifest_of([message], [body])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"\n".join((manifest, body)), "more_body": False}

    signature = sign(sender.actor.key, manifest).encode()
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"estafette-signature", signature)]}
    (take, _identity) = wire.routes(portal.post, portal.actor.public_key, lambda: None)
    return asyncio.run(take.endpoint(Request(scope, receive)))


def test_by_which_connection(house: World) -> None:
    """A connection that goes by SFTP, or has ended, is not entered by HTTPS (403)."""
    today = date(2026, 9, 15)
    for said in (Declared(protocol="sftp"), Declared(until=today - timedelta(days=1))):
        declared(house, said)
        with pytest.raises(Never, match="PA0003"):
            send(house, files(house, 1))
    declared(house, Declared(until=date(2099, 1, 1)))
    assert acknowledgement(house, send(house, files(house, 1))).status == "500"


def test_to_which_interfaces(house: World) -> None:
    """A connection takes the interfaces that it is subscribed to; another is turned away, IRR_CODE_INTER."""
    declared(house, Declared(interfaces=frozenset({UBL})))
    assert acknowledgement(house, send(house, files(house, 1))).status == "500"
    house.wire.reset()
    name = send(house, dict([status_file(status(house.number("L"), "200"))]), STATUSES)
    rows = house.rows("portal", select(partner_flow.c.name).where(partner_flow.c.name == str(name)))
    assert rows == []
    (sent,) = [one for one in house.wire.crossed if one.recipient == "0003"]
    assert sent.name == name.acknowledgement.archive


def test_a_gap_in_the_sequence(house: World) -> None:
    """A number that skips others is taken as any; how many were skipped is noted for who looks after the connection."""
    last = send(house, files(house, 1))
    before = len(house.rows("portal", select(sequence_gap)))
    for _time in range(3):
        new_name(UBL)
    name = send(house, files(house, 1))
    assert acknowledgement(house, name).status == "500"
    skipped = int(str(name)[-15:]) - int(str(last)[-15:]) - 1
    gaps = house.rows("portal", select(sequence_gap).order_by(sequence_gap.c.id))[before:]
    assert [(row["flow_name"], row["missing"]) for row in gaps] == [(str(name), skipped)]
    send(house, files(house, 1), file=f"{str(name)[:-15]}{int(str(name)[-15:]) - 1:015}.tar.gz")
    assert len(house.rows("portal", select(sequence_gap))) == before + 1, "a number that comes late skips none"


def test_another_matricule_of_the_portal(tmp_path: Path) -> None:
    """The matricule of the portal is a setting: in the directory, in its answers, as the platform of direct users."""
    (tmp_path / "network.yaml").write_text('portal_matricule: "9990"')
    portal, platform = (compose(seat, Network(tmp_path, 8400), Clock()) for seat in SEATS[:2])
    with portal.actor.database.read() as connection:
        known = {one.matricule: one.platform_type for one in holdings.platforms(connection)}
    assert known["9990"] == "PPF"
    assert "0000" not in known
    assert portal.post.identifiers == {"9990", "9999", "PPF"}
    for one in (portal, platform):
        one.actor.database.close()
    (tmp_path / "network.yaml").write_text("portal_matricule: x")
    with pytest.raises(WrongNetwork, match="portal_matricule"):
        Network(tmp_path, 8400)


def test_the_table() -> None:
    """Every limit has one value a day, from before the reform, each with its source; a later row takes over."""
    for limit in Limit:
        for day in (date(2026, 4, 29), date(2026, 4, 30), date(2030, 1, 1)):
            held = [row for row in ROWS if row.limit is limit and row.since <= day <= row.until]
            assert len(held) == 1, (limit, day)
            assert held[0].source
            assert PUBLISHED.at(limit, day) == held[0].value
    assert PUBLISHED.at(Limit.FILE_BYTES, date(2026, 4, 29)) > PUBLISHED.at(Limit.FILE_BYTES, date(2026, 4, 30))
    revised = FlowLimits((*ROWS, Row(Limit.FILES_OF_F1, 5, "a revision", since=date(2027, 1, 1))))
    assert [revised.files_max("F1", date(year, 1, 1)) for year in (2026, 2027)] == [1000, 5]
    with pytest.raises(LookupError):
        FlowLimits(()).at(Limit.SESSIONS, date(2026, 9, 1))
