"""A portal with a small directory, and the software of two platforms at its API."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.api.conftest import SECRET, Answer, Client

from estafette.circuit.compose import compose
from estafette.circuit.network import SEATS, Network
from estafette.circuit.operators import operator_token
from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.portal.register import Register, Source

API = "/ppf/annuaire-public/v1"
NOW = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
TODAY, SINCE = date(2026, 9, 1), date(2024, 1, 1)
SHOP, MILL, HALL, HIDDEN = "100000009", "300000007", "400000006", "500000005"
SHOP_1, HALL_1 = f"{SHOP}00017", f"{HALL}00014"
FLAGS = {
    "commitment_required": True, "service_required": False, "commitment_or_service_required": False,
    "is_contracting_authority": False, "is_contracting_authority_only": False, "manages_payment_status": True,
}  # fmt: skip


class Portal(Client):
    """The portal, spoken to as HTTP does; the moment it is may be moved."""

    times: list[datetime]

    def at(self, moment: datetime) -> None:
        """It is that moment."""
        self.now = self.times[0] = moment

    def ask_api(
        self, method: str, path: str, body: Any = None, *, who: str | None = "writer", query: str = "", **headers: str
    ) -> Answer:
        """Ask the API as one of its clients."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            given["Authorization"] = f"Bearer {self.tokens[who]}"
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if raw:
            given["Content-Type"] = "application/json"
        return asyncio.run(self.ask(method, API + path, body=raw, headers=given, query=query))

    def register(self, source: Source = Source.OPENING, author: str = "PPF") -> Any:
        """Open the register for a change made now, in a transaction of its own."""
        return _Change(self, source, author)


class _Change:
    def __init__(self, portal: Portal, source: Source, author: str) -> None:
        self._portal, self._source, self._author = portal, source, author
        self._transaction = portal.running.actor.database.begin()

    def __enter__(self) -> Register:
        connection = self._transaction.__enter__()
        return Register(connection, at=self._portal.now, source=self._source, author=self._author)

    def __exit__(self, *fault: Any) -> None:
        self._transaction.__exit__(*fault)


def opened(folder: Path, database: str | None = None) -> Portal:
    """Open a portal, its directory filled, with a client that reads, one that writes and one of another platform."""
    portal = again(folder, {}, moment=NOW - timedelta(days=30), database=database)
    fill(portal)
    operator = {"Authorization": f"Bearer {operator_token(folder / SEATS[0].name)}"}
    for name, matricule, may_write in (("writer", "0003", True), ("reader", "0003", False), ("other", "0005", True)):
        body = json.dumps({"client_id": name, "client_secret": SECRET, "may_write": may_write}).encode()
        path = f"/operator/v1/platforms/{matricule}/clients"
        assert portal.call("POST", path, siren=None, body=body, headers=operator).status == 201
        portal.tokens[name] = portal.token(name, SECRET).json["access_token"]
    return portal


def again(folder: Path, tokens: dict[str, str], *, moment: datetime = NOW, database: str | None = None) -> Portal:
    """Open a portal that is there, or a new one."""
    times = [moment]
    portal = Portal(compose(SEATS[0], Network(folder, 8400, database=database), lambda: times[0]), tokens=dict(tokens))
    portal.times = times
    portal.at(moment)
    return portal


def fill(portal: Portal) -> None:
    """The directory has three shown units, one that is not, two platforms, lines in force, past and to come."""
    with portal.register(Source.REGISTRATION, "DGFIP") as register:
        for matricule, name in (("0003", "Relais Atlantique"), ("0005", "Relais Rhône")):
            register.put_platform(
                ReceivingPlatform(matricule=matricule, name=name, trade_name=name, siren="600000004",
                                  registered_from=SINCE)
            )  # fmt: skip
    with portal.register(Source.SIRENE, "INSEE") as register:
        register.put_unit(LegalUnit(siren=SHOP, name="ÉPICERIE DU MAIL"))
        register.put_unit(LegalUnit(siren=MILL, name="Moulin des Ormes", diffusion="M"))
        register.put_unit(LegalUnit(siren=HALL, name="Commune de Valbrune", entity_type="P", is_taxable=False))
        register.put_unit(LegalUnit(siren=HIDDEN, name="Caché", is_taxable=False))
        register.put_establishment(
            Establishment(siret=SHOP_1, name="Épicerie", line_1="8 place Bellecour", city="Lyon", postal_code="69002",
                          country="FR")
        )  # fmt: skip
        register.put_establishment(Establishment(siret=f"{SHOP}00025", name="Réserve", kind="S", city="Villeurbanne"))
        register.put_establishment(Establishment(siret=HALL_1, name="Mairie", city="Valbrune", **FLAGS))
        register.put_establishment(Establishment(siret=f"{HIDDEN}00019", name="Caché"))
    with portal.register() as register:
        register.put_routing_code(RoutingCode(siret=SHOP_1, code="ACHATS", name="Service achats"))
        register.put_routing_code(RoutingCode(siret=HALL_1, code="VOIRIE", name="Voirie", commitment_required=True))
        register.define(DirectoryLine(siren=SHOP, matricule="0003", start=SINCE))
        register.define(DirectoryLine(siren=SHOP, suffix="AVANT", matricule="0005", start=SINCE, end=date(2026, 1, 1)))
        register.define(DirectoryLine(siren=HALL, siret=HALL_1, matricule="9999", start=SINCE))
        register.define(DirectoryLine(siren=HALL, siret=HALL_1, routing_code="VOIRIE", matricule="9999", start=SINCE))
        register.give_default(MILL)
    portal.at(NOW)
    with portal.register(Source.API, "0003") as register:
        held = register.define(DirectoryLine(siren=SHOP, suffix="DEMAIN", matricule="0003", start=date(2026, 10, 1)))
        assert not held.faults
