"""The directory client of mcp-facture-electronique-fr runs as it is against the portal's directory API."""

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mcp_einvoicing_core.http_client import TokenCache
from mcp_facture_electronique_fr.clients.directory_client import DirectoryClient
from mcp_facture_electronique_fr.config import PAConfig
from mcp_facture_electronique_fr.models import annuaire as bodies
from tests.clients.conftest import Seat
from tests.running import Circuit

from estafette.circuit.operators import operator_token
from estafette.values.moments import paris_day

Run = Callable[[Awaitable[Any]], Any]
SECRET = "a secret of 256 bits, or nearly"


@pytest.fixture
def loop() -> Iterator[Run]:
    """Give what runs a coroutine to its end, always in the same loop: the client keeps its connections."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def ours(loop: Run, circuit: Circuit) -> Iterator[DirectoryClient]:
    """The client of platform A, opened by the portal's operator."""
    portal = circuit.urls["portal"]
    asked = urllib.request.Request(  # noqa: S310 — our own address
        f"{portal}/operator/v1/platforms/0003/clients",
        data=json.dumps({"client_id": "mcp-0003", "client_secret": SECRET}).encode(),
        headers={"Authorization": f"Bearer {operator_token(circuit.data / 'portal')}"},
    )
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        assert answer.status == 201
    configuration = PAConfig(
        pa_base_url_flow=f"{portal}/flow-service",
        pa_token_url=f"{portal}/oauth2/token",
        pa_client_id="mcp-0003",
        pa_client_secret=SECRET,
        ppf_annuaire_base_url=f"{portal}/ppf/annuaire-public/v1",
        _env_file=None,
    )
    client = DirectoryClient(configuration, TokenCache())
    yield client
    loop(client.aclose())


def test_looking_up(loop: Run, ours: DirectoryClient, supplier: Seat) -> None:
    """Health, searches by the client's bare values and reads by key answer as the client expects."""
    siren = supplier.entry.siren
    assert loop(ours.check_health())["http_status"] == 200
    assert loop(ours.get_company_by_siren(siren))["siren"] == siren
    page = loop(ours.search_company(siren=siren, type_entite="Privée assujettie", etat_administratif="A"))
    (company,) = page["resultats"]
    assert loop(ours.get_company_by_id_instance(company["historisation"]["idInstance"]))["siren"] == siren
    lines = loop(ours.search_directory_line(siren=siren))
    assert lines["nombre_total_resultats"] == len(lines["resultats"]) >= 1
    line = loop(ours.get_directory_line_by_code(lines["resultats"][0]["identifiantAdressage"]))
    assert line["matriculePlateforme"] == "0003"
    assert loop(ours.search_establishment(denomination="nobody is called that")) == {"total": 0}


def test_a_line_lives(loop: Run, ours: DirectoryClient, supplier: Seat) -> None:
    """A line is created, changed, read and masked before it starts."""
    start = paris_day(datetime.now(UTC)) + timedelta(days=30)
    body = bodies.CreateLigneAnnuaireBody.model_validate(
        {
            "periodeEffet": {"dateDebutEffet": start.isoformat()},
            "informationAdressage": {
                "siren": supplier.entry.siren, "matriculePlateforme": "0003", "suffixeAdressage": "MCP",
            },
        }
    )  # fmt: skip
    made = loop(ours.create_directory_line(body))
    assert made["identifiantAdressage"] == f"{supplier.entry.siren}_MCP"
    end = (start + timedelta(days=30)).isoformat()
    change = bodies.UpdatePatchLigneAnnuaireBody.model_validate({"dateFinEffet": end})
    changed = loop(ours.update_directory_line(made["idInstance"], change))
    assert loop(ours.get_directory_line(changed["idInstance"]))["dateFinEffet"] == end
    assert loop(ours.delete_directory_line(changed["idInstance"]))["status"] == "deleted"
