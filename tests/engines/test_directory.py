"""On PostgreSQL the portal's directory answers and changes as on a file: its API, and its public page."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
from tests.api.portal import HALL, HALL_1, MILL, SHOP, SHOP_1, Portal, opened
from tests.postgresql import Server


@pytest.fixture(scope="module")
def portal(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Give a portal that is filled, in a database of its own."""
    name = postgresql.fresh()
    made = opened(tmp_path_factory.mktemp("portal"), postgresql.url(name))
    yield made
    made.running.actor.database.close()
    postgresql.drop(name)


def found(portal: Portal, kind: str, key: str, **filters: Any) -> list[Any]:
    """Return the keys of what meets the criteria."""
    answer = portal.ask_api("POST", f"/{kind}/recherche", {"filtres": filters})
    assert answer.status in (200, 204), answer.body
    return [one[key] for one in answer.json["resultats"]] if answer.status == 200 else []


def test_searches(portal: Portal) -> None:
    """By number, by a part whatever its case, by day, by author; each field may be ordered by."""
    assert found(portal, "siren", "siren") == [SHOP, MILL, HALL]
    assert found(portal, "siren", "siren", raisonSociale="épicerie") == [SHOP]
    assert found(portal, "siret", "siret", siren=SHOP, localite="LYON", lignesAdresse="bellecour") == [SHOP_1]
    assert found(portal, "ligne-annuaire", "identifiantAdressage", siren=SHOP) == [SHOP, f"{SHOP}_DEMAIN"]
    asked = {"historisation": {"dateObservation": "2025-06-01"}}
    assert found(portal, "ligne-annuaire", "identifiantAdressage", siren=SHOP, **asked) == [SHOP, f"{SHOP}_AVANT"]
    assert found(portal, "siren", "siren", historisation={"creePar": "insee", "dateFinRecherche": "2026-08-31"})
    assert found(portal, "code-routage", "identifiantRoutage", siret=HALL_1) == ["VOIRIE"]
    for field in ("siret", "siren", "adresse", "moa", "dateDefinition", "masque", "creePar"):
        body = {"tris": [{"champ": field, "ordre": "descendant"}]}
        assert portal.ask_api("POST", "/siret/recherche", body).status == 200


def test_a_line_lives(portal: Portal) -> None:
    """A line is created, ended and masked."""
    body = {
        "periodeEffet": {"dateDebutEffet": "2026-09-10"},
        "informationAdressage": {"siren": SHOP, "matriculePlateforme": "0003", "suffixeAdressage": "X"},
    }
    made = portal.ask_api("POST", "/ligne-annuaire", body).json["idInstance"]
    path = f"/ligne-annuaire/id-instance:{made}"
    assert portal.ask_api("PATCH", path, {"dateFinEffet": "2027-01-01"}).status == 200
    assert portal.ask_api("DELETE", path).status == 204
    assert portal.ask_api("GET", f"/ligne-annuaire/code:{SHOP}_X", query="dateObservation=2026-09-10").status == 404


def test_the_public_page(portal: Portal) -> None:
    """Companies are found by their words, and shown."""
    for query, siren in (("épicerie lyon", SHOP), (f"{HALL}_{HALL_1}", HALL), ("moulin", MILL)):
        answer = portal.call("GET", "/directory", siren=None, query=f"q={quote_plus(query)}")
        assert answer.headers.get("location") == f"/directory/{siren}", query
        assert portal.call("GET", f"/directory/{siren}", siren=None).status == 200
