"""From a file of the register to the software of a company: the portal is fed, publishes, a platform's copy answers."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.api.conftest import SECRET, Client
from tests.platform.world import SELLER, World
from tests.portal.feed_rows import place, taxed, unit, written

from estafette.directory import DirectoryLine
from estafette.portal import directory_upkeep, extracts
from estafette.portal.feed_files import Feed
from estafette.portal.feeding import Feeding
from estafette.portal.register import Register, Source
from estafette.store import identity
from estafette.values.moments import paris_day

MILL = "800000002"
HIDDEN_WORDS = ("0003", "9998", "matricule", "instance", "start", "date")


def feed(world: World, folder: Path) -> None:
    """A company that refuses prospecting is taxable, and chooses platform A from a day to come."""
    actor = world.running["portal"].actor
    feeding = Feeding(actor.database, clock=actor.clock, rejects=folder / "rejects")
    feeding.load(written(folder / "tax.csv", [taxed(MILL)]), Feed.TAX)
    refusing = unit(MILL, "MOULIN DES ORMES", statutDiffusionUniteLegale="M")
    hidden = unit("800000010", "CACHÉ")
    feeding.load(written(folder / "units.csv", [refusing, hidden]), Feed.STOCK)
    feeding.load(written(folder / "shops.csv", [place(f"{MILL}00019"), place("80000001000019")]), Feed.STOCK)
    start = paris_day(actor.clock()) + timedelta(days=10)
    with actor.database.begin() as connection:
        register = Register(connection, at=actor.clock(), source=Source.API, author="0003")
        line = DirectoryLine(siren=MILL, suffix="COMPTA", matricule="0003", start=start)
        assert not register.define(line).faults
    hall = world.hall
    asyncio.run(directory_upkeep.visit_of(actor, lambda connection: extracts.publish(hall, connection))())


def client_of(world: World) -> Client:
    """Return the software of a company of platform A."""
    running = world.running["platform-a"]
    with running.actor.database.begin() as connection:
        asked: dict[str, Any] = {"client_id": "erp", "secret": SECRET, "now": running.actor.clock()}
        identity.create_client(connection, tenant=SELLER, **asked)
        token = identity.grant_token(connection, **asked)
    return Client(running, tokens={SELLER: str(token)})


def search(client: Client, kind: str, **filters: str) -> list[dict[str, Any]]:
    """Return what a search of the Directory Service gives."""
    asked = {"filters": {name: {"op": "strict", "value": value} for name, value in filters.items()}}
    headers = {"Content-Type": "application/json"}
    path = f"/directory-service/v1/{kind}/search"
    answer = client.call("POST", path, siren=SELLER, body=json.dumps(asked).encode(), headers=headers)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json["results"]
    return found


def test_from_the_register_to_the_client(own_world: World, tmp_path: Path) -> None:
    """The copy knows it by the extracts alone: to come, not chosen, against prospecting; nothing restricted is told."""
    feed(own_world, tmp_path)
    own_world.work()
    client = client_of(own_world)
    (company,) = search(client, "siren", siren=MILL)
    assert company["instructions"] == {"isSalesProspectingForbidden": True}
    assert [one["siret"] for one in search(client, "siret", siren=MILL)] == [f"{MILL}00019"]
    lines = search(client, "directory-line", siren=MILL)
    states = {one["addressingIdentifier"]: one["directoryLineStatus"] for one in lines}
    assert states == {MILL: "Disabled", f"{MILL}_COMPTA": "Upcoming"}
    said = json.dumps([company, lines]).lower().replace("updated", "")
    assert [word for word in HIDDEN_WORDS if word in said] == []
    assert search(client, "siren", siren="800000010") == search(client, "siret", siren="800000010") == []
