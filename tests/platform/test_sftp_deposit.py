"""A company deposits by SFTP and fetches there its answers, its invoices and its statuses."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncssh
import pytest
from tests.platform.test_watch import call
from tests.platform.world import BUYER, SELLER, World, opened, service

from estafette.circuit.operators import operator_token
from estafette.exchange.sftp import Door
from estafette.formats import cdar
from estafette.store import alarms


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a system whose platforms serve SFTP, at ports of the system's choice."""
    with opened(sftp={"port": 0}) as world:
        yield world


@pytest.fixture(scope="module")
def keys(world: World) -> dict[str, Any]:
    """Give the key of each company, which the operator has authorized."""
    held = {siren: asyncssh.generate_private_key("ssh-ed25519") for siren in (SELLER, BUYER)}
    for siren, name in ((SELLER, "platform-a"), (BUYER, "platform-b")):
        door(world, name).authorize(siren, held[siren].export_public_key().decode())
    return held


def door(world: World, name: str) -> Door:
    """Return the door of a platform."""
    found: Door = world.running[name].rounds._endings[0].__self__  # type: ignore[attr-defined]
    return found


async def rounds(world: World, name: str, times: int = 3) -> None:
    """Make the rounds of a platform and all that follows, several times."""
    for _time in range(times):
        await world.running[name].rounds.once()
        await world._drain()


@pytest.mark.usefixtures("keys")
def test_from_the_deposit_to_the_answer(world: World, keys: dict[str, Any]) -> None:
    """Put, judged, answered, fetched; the customer fetches the invoice, the supplier its statuses."""

    async def story() -> None:
        for name in ("platform-a", "platform-b"):
            await rounds(world, name)
        async with signed_in(world, "platform-a", SELLER, keys) as seller:
            async with seller.open("depot/facture.xml", "wb") as file:
                await file.write(service("S1"))
            await rounds(world, "platform-a")
            await rounds(world, "platform-b")
            await rounds(world, "platform-a")
            assert await seller.listdir("depot") == []
            names = await seller.listdir("retrait")
            told = json.loads(await fetched(seller, "facture.xml.json"))
            assert (told["invoice"]["number"], told["invoice"]["standing"]) == ("S1", "live")
            assert "Déposée (200)" in (await fetched(seller, "facture.xml.txt")).decode()
            statuses = [cdar.read(await fetched(seller, name)).status for name in names if name.startswith("S1_")]
            assert sorted(statuses) == ["200", "201", "202", "203"]
        async with signed_in(world, "platform-b", BUYER, keys) as buyer:
            names = await buyer.listdir("retrait")
            (invoice,) = [name for name in names if name.startswith("facture.")]
            assert await fetched(buyer, invoice) == service("S1")
            await buyer.remove(f"retrait/{invoice}")
            await rounds(world, "platform-b")
            assert invoice not in await buyer.listdir("retrait"), "fetched and removed, it does not come back"
        for name in ("platform-a", "platform-b"):
            await world.running[name].rounds.stop()

    asyncio.run(story())


@asynccontextmanager
async def signed_in(world: World, name: str, siren: str, keys: dict[str, Any]) -> AsyncIterator[Any]:
    """Give a client signed in as a company."""
    said = {"client_keys": [keys[siren]], "known_hosts": None, "agent_path": None, "config": []}
    at = door(world, name).listens_at
    async with (
        asyncssh.connect("127.0.0.1", at, username=siren, **said) as connection,
        connection.start_sftp_client() as client,
    ):
        yield client


async def fetched(client: Any, name: str) -> bytes:
    """Return the bytes of a file of `retrait`."""
    async with client.open(f"retrait/{name}", "rb") as file:
        data: bytes = await file.read()
    return data


@pytest.mark.usefixtures("keys")
def test_an_area_that_fails(world: World) -> None:
    """The operator is told of an area where nothing moves, and no longer once it does."""
    depot = door(world, "platform-a").area(SELLER) / "depot"
    kept = depot.rename(depot.with_name("kept"))
    depot.write_text("no folder")
    alarm = ("folder", f"sftp/{SELLER}")

    def told() -> bool:
        asyncio.run(_looked(world, "platform-a"))
        with world.running["platform-a"].actor.database.read() as connection:
            return alarm in [(row["kind"], row["subject"]) for row in alarms.raised(connection)]

    assert not told()
    world.pass_by(minutes=16)
    assert told()
    depot.unlink()
    kept.rename(depot)
    assert not told()


async def _looked(world: World, name: str) -> None:
    await world.running[name].rounds.once()
    await world.running[name].rounds.stop()


def test_keys_by_the_operator(world: World) -> None:
    """The operator sets the keys of a company; what is no key is refused, and nobody else may."""
    line = asyncssh.generate_private_key("ssh-ed25519").export_public_key()
    path = "/operator/v1/companies/100000009/sftp-keys"
    assert call(world, path, method="PUT", body=line) == (200, {"siren": SELLER, "keys": 1})
    assert call(world, path, method="PUT", body=b"bonjour")[0] == 400
    assert call(world, path.replace("100000009", "..%2f..%2fkeys"), method="PUT", body=line)[0] in (400, 404)
    assert call(world, path, method="PUT", body=line, token="x")[0] == 401
    assert operator_token(world.running["platform-a"].actor.folder) not in line.decode()
