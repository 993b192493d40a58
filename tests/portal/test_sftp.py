"""A platform goes by SFTP: a real client at the portal's real server, one key, one area, each flow fetched once."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import select, update
from tests.platform.test_watch import call
from tests.platform.world import BUYER, SELLER, World, opened, service
from tests.portal.envelopes import UBL, data_file, new_name

from estafette.circuit.network import SEATS, Network, WrongNetwork
from estafette.exchange.keys import load_key
from estafette.exchange.messages import Kind
from estafette.exchange.sftp import Door
from estafette.formats import cdar, flow_archive
from estafette.formats.envelope import FlowName
from estafette.formats.flow_limits import PUBLISHED
from estafette.portal import alarms
from estafette.portal.intake_tables import refused_flow, retrieval
from estafette.portal.tables import partner_flow
from estafette.values.moments import PARIS, paris_day

CODE, OTHER = "PA0003", "PA0005"
PATH = "/operator/v1/connections"


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def by_sftp(folder: Path) -> dict[str, Any]:
    """Say that platform A goes to the portal by SFTP; its key and the portal's are made."""
    port = free_port()
    asyncssh.generate_private_key("ssh-rsa", key_size=2048).write_private_key(folder / "a.pem")
    (folder / "portal" / "partners").mkdir(parents=True)
    pem = load_key(folder / "portal" / "partners" / "host.pem").private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    asyncssh.import_private_key(pem).write_public_key(folder / "portal.pub")
    to_portal = {"port": port, "key": "a.pem", "host_key": "portal.pub"}
    return {"portal": {"partners": {"port": port}}, "platform-a": {"portal": to_portal}}


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    """Give a system where platform A goes by SFTP."""
    with opened(actors=by_sftp) as world:
        yield world


@pytest.fixture
def world(shared: World) -> World:
    """Give it as the portal's operator has declared it, nothing waiting."""
    shared.hall.limits = PUBLISHED
    shared.wire.reset()
    key = asyncssh.read_private_key(home(shared) / "a.pem").export_public_key().decode()
    assert declare(shared, CODE, protocol="sftp", keys=[key])[0] == 200
    play(shared, lambda: rounds(shared))
    return shared


def home(world: World) -> Path:
    """Return the data folder."""
    return world.running["portal"].actor.folder.parent


def declare(world: World, code: str, **said: Any) -> tuple[int, Any]:
    """Declare a connection as the portal's operator."""
    return call(world, f"{PATH}/{code}", method="PUT", body=json.dumps(said).encode(), of="portal")


def door(world: World) -> Door:
    """Return the portal's door for platforms."""
    found: Door = world.running["portal"].rounds._endings[0].__self__  # type: ignore[attr-defined]
    return found


async def rounds(world: World, times: int = 4) -> None:
    """Make the rounds of the portal and of platform A, and do all that follows, several times."""
    for _time in range(times):
        for name in ("portal", "platform-a"):
            await world.running[name].rounds.once()
            await world._drain()


def play(world: World, story: Callable[[], Awaitable[None]]) -> None:
    """Open the portal's door for a story."""

    async def all_of_it() -> None:
        await door(world).open()
        try:
            async with asyncio.timeout(60):
                await story()
        finally:
            await door(world).close()

    asyncio.run(all_of_it())


@asynccontextmanager
async def signed_in(world: World, code: str = CODE, key: Any = None) -> AsyncIterator[Any]:
    """Give a client signed in as a platform."""
    key = key or asyncssh.read_private_key(home(world) / "a.pem")
    said = {"client_keys": [key], "known_hosts": None, "agent_path": None, "config": []}
    async with (
        asyncssh.connect("127.0.0.1", door(world).listens_at, username=code, **said) as connection,
        connection.start_sftp_client() as client,
    ):
        yield client


async def put(client: Any, name: str, body: bytes) -> None:
    """Put a file."""
    async with client.open(f"depot/{name}", "wb") as file:
        await file.write(body)


def test_a_platform_goes_round_by_sftp(world: World) -> None:
    """Data, statuses, answers, the directory: all of platform A's flows go by SFTP, none of them by HTTPS."""

    async def story() -> None:
        world.leave(service("S1"))
        await rounds(world, times=6)

    play(world, story)
    world.work()
    assert world.statuses(SELLER, "S1") == "200 201 202 203"
    assert sorted(world.owed(SELLER, "S1").split()) == ["200:receivable", "F1:accepted"]
    assert world.statuses(BUYER, "S1") == "202 203"
    assert world.told("S1") == "F1 200"
    flows = [one for one in world.wire.crossed if one.kind is Kind.FLOW]
    assert [one for one in flows if "0003" in (one.sender, one.recipient)] == []
    assert {row["fate"] for row in world.rows("portal", select(retrieval.c.fate))} == {"fetched"}
    area = door(world).area(CODE)
    assert [list((area / name).iterdir()) for name in ("depot", "retrait")] == [[], []]


def test_fetched_once_and_whole(world: World) -> None:
    """A flow that was read in part stays; read to its end and closed it is gone; nothing else takes it away."""

    async def story() -> None:
        async with signed_in(world) as client:
            answer = await laid(world, client)
            path = f"retrait/{answer}"
            async with client.open(path, "rb") as file:
                assert await file.read(10)
                with pytest.raises(asyncssh.SFTPFailure, match="déjà en cours"):
                    await client.open(path, "rb")
            assert await client.exists(path), "a part is not the whole"
            for forbidden in (client.remove(path), client.rename(path, "retrait/x"), client.mkdir("retrait/d")):
                with pytest.raises(asyncssh.SFTPError):
                    await forbidden
            with pytest.raises(asyncssh.SFTPError):
                await put_in(client, "retrait/x", b"")
            async with client.open(path, "rb") as file:
                data = await file.read()
            ((_file, content),) = flow_archive.unpack(answer, data)
            assert cdar.read(content).status == "500"
            assert not await client.exists(path)
            assert set(await client.listdir("/")) - {".", ".."} == {"depot", "retrait"}

    play(world, story)


async def put_in(client: Any, path: str, body: bytes) -> None:
    """Put a file at a path."""
    async with client.open(path, "wb") as file:
        await file.write(body)


async def laid(world: World, client: Any) -> str:
    """A flow was put and answered; returns the name of the answer, which lies in `retrait`."""
    name = new_name(UBL)
    await put(client, f"{name}.tar.gz", flow_archive.pack(dict([data_file(world.number("E"))])))
    await portal_rounds(world)
    answer = f"{name.acknowledgement}.tar.gz"
    assert await client.exists(f"retrait/{answer}")
    return answer


async def portal_rounds(world: World) -> None:
    """The portal enters what was put, does all that follows, and lays what waits."""
    for _time in range(2):
        await world.running["portal"].rounds.once()
        await world._drain()


def test_a_connection_lost_while_fetching(world: World) -> None:
    """A flow whose fetching was cut, even after its last byte, still waits: only a close is a receipt."""

    async def story() -> None:
        async with signed_in(world) as client:
            answer = await laid(world, client)
        key = asyncssh.read_private_key(home(world) / "a.pem")
        said = {"client_keys": [key], "known_hosts": None, "agent_path": None, "config": []}
        connection = await asyncssh.connect("127.0.0.1", door(world).listens_at, username=CODE, **said)
        client = await connection.start_sftp_client()
        file = await client.open(f"retrait/{answer}", "rb")
        assert await file.read()
        connection.abort()
        async with signed_in(world) as client:
            while door(world)._held.fetching:
                await client.exists("depot")
            assert await client.exists(f"retrait/{answer}")

    play(world, story)


def test_written_then_renamed(world: World) -> None:
    """What is being written, or says so by its name, is not taken; renamed, it is."""
    number = world.number("E")
    name = new_name(UBL)
    body = flow_archive.pack(dict([data_file(number)]))

    async def story() -> None:
        async with signed_in(world) as client:
            await put(client, f"{name}.tar.gz.part", body)
            await world.running["portal"].rounds.once()
            assert await client.exists(f"depot/{name}.tar.gz.part")
            await client.rename(f"depot/{name}.tar.gz.part", f"depot/{name}.tar.gz")
            async with client.open("depot/other.tar.gz", "wb") as file:
                await file.write(body[:20])
                await world.running["portal"].rounds.once()
                assert not await client.exists(f"depot/{name}.tar.gz")
            await world._drain()

    play(world, story)
    rows = world.rows("portal", select(partner_flow.c.state).where(partner_flow.c.name == str(name)))
    assert [row["state"] for row in rows] == ["receivable"]


def test_the_same_name_while_it_waits(world: World) -> None:
    """A flow put again before it was entered is refused and leaves nothing: it would be entered under another name."""
    name = f"{new_name(UBL)}.tar.gz"
    body = flow_archive.pack(dict([data_file(world.number("E"))]))
    before = turned_away(world)

    async def story() -> None:
        async with signed_in(world) as client:
            slow = await client.open(f"depot/{name}", "wb")
            await slow.write(body)
            await put(client, name, body)
            for refused in (put(client, name, body), slow.close()):
                with pytest.raises(asyncssh.SFTPFailure, match="déjà déposé"):
                    await refused
            await put(client, f"{name}.part", body)
            with pytest.raises(asyncssh.SFTPFailure, match="déjà déposé"):
                await client.rename(f"depot/{name}.part", f"depot/{name}")
            await client.remove(f"depot/{name}.part")
            assert [one for one in await client.listdir("depot") if not one.startswith(".")] == [name]
            await portal_rounds(world)

    play(world, story)
    assert turned_away(world) == before


def test_a_file_taken_but_not_removed(world: World) -> None:
    """A file that was entered and is still there, the process having died, is not entered again; a replay is."""
    name = new_name(UBL)
    body = flow_archive.pack(dict([data_file(world.number("E"))]))
    before = turned_away(world)

    async def story() -> None:
        async with signed_in(world) as client:
            await put(client, f"{name}.tar.gz", body)
            file = door(world).area(CODE) / "depot" / f"{name}.tar.gz"
            beside = file.with_name(".kept")
            beside.hardlink_to(file)
            await world.running["portal"].rounds.once()
            beside.rename(file)
            await world.running["portal"].rounds.once()
            assert not file.exists()
            assert turned_away(world) == before
            await put(client, f"{name}.tar.gz", body)
            await put(client, "facture.xml", body)
            await world.running["portal"].rounds.once()
            await world._drain()

    play(world, story)
    assert turned_away(world)[len(before) :] == [(f"{name}.tar.gz", "IRR_UNICITE"), ("facture.xml", "IRR_FORM")]


def test_an_answer_that_is_none(world: World) -> None:
    """What is neither a flow nor an answer to one is gone from `depot`, answered by nothing, shown to the operator."""
    before = turned_away(world)
    names = ("CFE0604A_PA0003_PPF0010604000000000900001.zip", "CFE0604A_PA0003_PPF0010604000000000900001.tar.gz")

    async def story() -> None:
        async with signed_in(world) as client:
            for name in names:
                await put(client, name, b"x")
            await world.running["portal"].rounds.once()
            assert await client.listdir("depot") == []

    play(world, story)
    assert sorted(turned_away(world)[len(before) :]) == [(names[1], "IRR_FORM"), (names[0], "IRR_TYPE")]


def turned_away(world: World) -> list[tuple[str, str]]:
    """Return the flows that were not entered, and why."""
    rows = world.rows("portal", select(refused_flow).order_by("id"))
    return [(row["file_name"], row["code"]) for row in rows]


def test_seven_days(world: World) -> None:
    """What is not fetched in the days that are published is purged; the operator is warned before, and told after.

    The portal keeps the document, and lays it out again when the operator says so.
    """

    async def story() -> None:
        async with signed_in(world) as client:
            answer = await laid(world, client)
            assert alarms_of(world) == set()
            world.pass_by(days=6, hours=23)
            await world.running["portal"].rounds.once()
            assert await client.exists(f"retrait/{answer}")
            assert alarms_of(world) == {("unfetched", CODE)}
            world.pass_by(hours=2)
            await world.running["portal"].rounds.once()
            assert not await client.exists(f"retrait/{answer}")
            assert alarms_of(world) == {("purged", CODE)}
            (row,) = world.rows("portal", select(retrieval).where(retrieval.c.file_name == answer))
            assert row["fate"] == "purged"
            status, said = await asyncio.to_thread(call, world, f"{PATH}/{CODE}/purged", method="POST", of="portal")
            assert (status, said["laid"] >= 1) == (200, True)
            await world.running["portal"].rounds.once()
            async with client.open(f"retrait/{answer}", "rb") as file:
                assert await file.read() == world.running["portal"].actor.documents.get(row["sha256"])
            assert alarms_of(world) == set()
            status, _said = await asyncio.to_thread(call, world, f"{PATH}/{CODE}/purged", method="POST", of="portal")
            assert status == 404

    play(world, story)


def test_laid_and_not_noted(world: World) -> None:
    """A flow that was laid as the process died is noted when it is seen, and goes as any other."""

    async def story() -> None:
        async with signed_in(world) as client:
            answer = await laid(world, client)
        mine, actor = retrieval.c.file_name == answer, world.running["portal"].actor
        with actor.database.begin() as connection:
            connection.execute(update(retrieval).where(mine).values(laid_at=None))
        await world.running["portal"].rounds.once()
        world.pass_by(days=7)
        await world.running["portal"].rounds.once()
        (row,) = world.rows("portal", select(retrieval).where(mine))
        assert row["fate"] == "purged"

    play(world, story)


def alarms_of(world: World) -> set[tuple[str, str]]:
    """Return what the portal's operator is warned of about those who fetch."""
    with world.running["portal"].actor.database.read() as connection:
        found = alarms.conditions(connection, world.clock.now)
        return {(one.kind, one.subject) for one in found if one.kind != "refused"}


def test_one_area_holds_back_no_other(world: World) -> None:
    """What is wrong with the area of one platform stops neither what another puts, nor what it fetches."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    assert declare(world, OTHER, protocol="sftp", keys=[key.export_public_key().decode()])[0] == 200
    name = FlowName.numbered(UBL, application_code=OTHER, number=1)
    depot = door(world).area(CODE) / "depot"
    depot.rename(depot.with_name("kept"))
    depot.write_text("no folder")

    async def story() -> None:
        async with signed_in(world, OTHER, key) as client:
            await put(client, f"{name}.tar.gz", flow_archive.pack(dict([data_file(world.number("E"))])))
            await portal_rounds(world)
            assert await client.exists(f"retrait/{name.acknowledgement}.tar.gz")

    try:
        play(world, story)
    finally:
        depot.unlink()
        depot.with_name("kept").rename(depot)
        declare(world, OTHER, protocol="https")


def test_who_may_come_in(world: World) -> None:
    """A key of the connection, of no other; a protocol that is SFTP, a day before its end, the hours, the sessions."""
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    own = asyncssh.read_private_key(home(world) / "a.pem")

    async def story() -> None:
        for code, key in ((CODE, stranger), (OTHER, own), ("100000009", own), ("../x", own)):
            with pytest.raises(asyncssh.PermissionDenied):
                await come(world, code, key)
        world.hall.limits = PUBLISHED.changed(sessions=1)
        async with signed_in(world):
            with pytest.raises(asyncssh.DisconnectError, match="trop de sessions"):
                await come(world, CODE, own)
        minute = world.clock.now.astimezone(PARIS).hour * 60 + 60
        world.hall.limits = PUBLISHED.changed(opens=minute)
        with pytest.raises(asyncssh.DisconnectError, match="fermé"):
            await come(world, CODE, own)
        world.hall.limits = PUBLISHED
        today = paris_day(world.clock.now)
        for said in ({"protocol": "https"}, {"protocol": "sftp", "until": f"{today - timedelta(days=1)}"}):
            await asyncio.to_thread(declare, world, CODE, **said)
            with pytest.raises(asyncssh.DisconnectError, match="absent ou terminé"):
                await come(world, CODE, own)
        await asyncio.to_thread(declare, world, CODE, protocol="sftp", until=f"{today}")
        await come(world, CODE, own)

    play(world, story)


class Told(asyncssh.SSHClient):
    """A client that is told why its connection ends."""

    def __init__(self) -> None:
        self.why: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear of it."""
        self.why.set_result(exc)


async def come(world: World, code: str, key: Any) -> None:
    """Come in and leave, or be shown out and raise why."""
    said = {"client_keys": [key], "known_hosts": None, "agent_path": None, "config": []}
    at = door(world).listens_at
    connection, told = await asyncssh.create_connection(Told, "127.0.0.1", at, username=code, **said)
    try:
        client = await connection.start_sftp_client()
        await client.listdir("depot")
    except asyncssh.Error:
        raise (await told.why) or AssertionError from None
    finally:
        connection.close()


def test_how_often(world: World) -> None:
    """Past the flows of an hour nothing more is put, and the client is told for how long."""
    world.pass_by(hours=2)
    world.hall.limits = PUBLISHED.changed(flows_an_hour=1)

    async def story() -> None:
        async with signed_in(world) as client:
            await put(client, f"{new_name(UBL)}.tar.gz", flow_archive.pack(dict([data_file(world.number("E"))])))
            await world.running["portal"].rounds.once()
            with pytest.raises(asyncssh.SFTPFailure, match=r"1 flux par heure .* réessayez dans \d+ s"):
                await put(client, "x.tar.gz", b"")
            world.pass_by(hours=1)
            await put(client, f"{new_name(UBL)}.tar.gz", b"x")

    play(world, story)


def test_the_ciphers_of_the_specifications(world: World) -> None:
    """A client that knows AES-256-CBC and nothing else is served."""

    async def story() -> None:
        key = asyncssh.read_private_key(home(world) / "a.pem")
        said = {"client_keys": [key], "known_hosts": None, "agent_path": None, "config": []}
        at = door(world).listens_at
        async with asyncssh.connect(
            "127.0.0.1", at, username=CODE, encryption_algs=["aes256-cbc"], **said
        ) as connection:
            assert connection.get_extra_info("send_cipher") == "aes256-cbc"

    play(world, story)


def certificate(key: rsa.RSAPrivateKey, until: datetime) -> str:
    """Return a certificate of a platform, PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CODE)])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(until - timedelta(days=400)).not_valid_after(until)
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def test_declared_by_the_operator(world: World) -> None:
    """An X.509 certificate carries the key and ends the connection; what cannot be is refused, and says why."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    good = certificate(key, datetime(2027, 3, 1, tzinfo=UTC))
    status, said = declare(world, OTHER, protocol="sftp", certificate=good, interfaces=["FFE0111A"])
    assert (status, said["keys"], said["until"], said["interfaces"]) == (200, 1, "2027-03-01", ["FFE0111A"])
    for wrong, says in (
        ({"protocol": "sftp", "certificate": good}, "autre compte"),
        ({"protocol": "sftp", "certificate": certificate(key, datetime(2026, 9, 1, tzinfo=UTC))}, "expiré"),
        ({"protocol": "sftp", "certificate": "bonjour"}, "X.509"),
        ({"protocol": "sftp", "keys": ["bonjour"]}, "OpenSSH"),
        ({"protocol": "sftp", "interfaces": ["FFE9999Z"]}, "FFE9999Z"),
        ({"protocol": "ftp"}, "protocol"),
    ):
        status, answer = declare(world, CODE, **wrong)
        assert (status, says in json.dumps(answer, ensure_ascii=False)) == (400, True), answer
    assert declare(world, "ZZZZZZ", protocol="sftp")[0] == 404
    status, every = call(world, PATH, of="portal")
    assert status == 200
    shown = {one["application_code"]: one for one in every}
    assert (shown[OTHER]["protocol"], shown[OTHER]["until"]) == ("sftp", "2027-03-01")
    assert {"refused", "gaps", "waiting", "flows_last_hour"} <= set(shown[CODE])


def test_keys_that_cannot_be_read(tmp_path: Path) -> None:
    """A platform whose key for SFTP is not there does not start, and says which file it looked for."""
    (tmp_path / "network.yaml").write_text(
        "actors: {platform-a: {portal: {port: 8500, key: none.pem, host_key: portal.pub}}}"
    )
    network = Network(tmp_path, 8400)
    with pytest.raises(WrongNetwork, match=r"none\.pem"):
        network.to_portal(SEATS[1], CODE)
