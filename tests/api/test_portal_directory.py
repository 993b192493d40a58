"""The portal's directory API: what a registered platform reads and writes there, and what it is refused."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from tests.api.conftest import SECRET
from tests.api.portal import API, HALL, HALL_1, HIDDEN, MILL, NOW, SHOP, SHOP_1, Portal, again, opened

from estafette.directory import LegalUnit
from estafette.portal import directory_upkeep, holdings
from estafette.portal.feed_tables import tax_status
from estafette.portal.register import Source
from estafette.store.tables import job


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Give the folder of a portal that is filled, to be copied, and the tokens of its clients."""
    folder = tmp_path_factory.mktemp("portal")
    portal = opened(folder)
    portal.running.actor.database.close()
    return folder, portal.tokens


@pytest.fixture
def portal(made: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Portal]:
    """Give a portal of its own."""
    folder, tokens = made
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    opened_again = again(tmp_path, tokens)
    yield opened_again
    opened_again.running.actor.database.close()


@pytest.fixture(scope="module")
def shared(made: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Give a portal that is only read."""
    folder, tokens = made
    copy = tmp_path_factory.mktemp("shared")
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    opened_again = again(copy, tokens)
    yield opened_again
    opened_again.running.actor.database.close()


def get(portal: Portal, path: str, query: str = "") -> Any:
    """Return the body of what is there."""
    answer = portal.ask_api("GET", path, query=query, who="reader")
    assert answer.status == 200, answer.body
    assert answer.headers["content-language"] == "fr"
    return answer.json


def search(portal: Portal, kind: str, status: int = 200, /, **body: Any) -> Any:
    """Search and return what was found."""
    answer = portal.ask_api("POST", f"/{kind}/recherche", body, who="reader")
    assert answer.status == status, answer.body
    return answer.json if status in (200, 206) else None


def found(portal: Portal, kind: str, key: str, **filters: Any) -> list[Any]:
    """Return the keys of what meets the criteria."""
    page = search(portal, kind, filtres=filters)
    assert page["nombre_total_resultats"] == len(page["resultats"])
    return [one[key] for one in page["resultats"]]


def history(**filters: Any) -> dict[str, Any]:
    """Give filters on time."""
    return {"historisation": {name: {"op": "strict", "valeur": value} for name, value in filters.items()}}


def contains(value: str) -> dict[str, str]:
    """Give a filter on a part."""
    return {"op": "contient", "valeur": value}


def line_of(portal: Portal, address: str) -> Any:
    """Return the version that counts of the one line of an address, masked or not."""
    page = search(portal, "ligne-annuaire", filtres={"siren": address[:9]} | history(modeAudit=True))
    mine = [one for one in page["resultats"] if one["identifiantAdressage"] == address]
    return max(mine, key=lambda one: one["historisation"]["idInstance"])


# ------------------------------------------------------------------------------------------------------------- reading


def test_a_legal_unit(shared: Portal) -> None:
    """A legal unit has its words, and its history: when it was defined, by whom, under which number."""
    held = get(shared, f"/siren/code-insee:{MILL}")
    instance = held["historisation"].pop("idInstance")
    assert held == {
        "siren": MILL, "raisonSociale": "Moulin des Ormes", "typeEntite": "Privée assujettie",
        "etatAdministratif": "A", "diffusible": "M",
        "historisation": {"dateDefinition": "2026-08-02T06:00:00Z", "dateDebutEffet": "2026-08-02",
                          "creePar": "INSEE", "masque": False},
    }  # fmt: skip
    assert get(shared, f"/siren/id-instance:{instance}")["siren"] == MILL
    assert get(shared, f"/siren/code-insee:{HALL}")["typeEntite"] == "Publique"


def test_who_is_shown_to_nobody(shared: Portal) -> None:
    """A private unit that is not taxable is not there, nor its establishments, whichever way one asks."""
    for path in (f"/siren/code-insee:{HIDDEN}", f"/siret/code-insee:{HIDDEN}00019"):
        assert shared.ask_api("GET", path).status == 404
    assert found(shared, "siren", "siren") == [SHOP, MILL, HALL]
    assert HIDDEN not in [one[:9] for one in found(shared, "siret", "siret")]


def test_an_establishment(shared: Portal) -> None:
    """A public one says what it asks; its unit comes along when asked."""
    held = get(shared, f"/siret/code-insee:{HALL_1}", "inclure=siren")
    assert held["donneesB2gComplementaires"] == {
        "moa": False, "moaUniquement": False, "gestionStatutMiseEnPaiement": True, "gestionEngagementJuridique": True,
        "gestionEngagementJuridiqueOuService": False, "gestionCodeService": False,
    }  # fmt: skip
    assert held["uniteLegale"]["raisonSociale"] == "Commune de Valbrune"
    held = get(shared, f"/siret/code-insee:{SHOP_1}")
    assert held["adresse"] == {
        "ligneAdresse1": "8 place Bellecour", "codePostal": "69002", "localite": "Lyon", "codePays": "FR",
    }  # fmt: skip
    assert "uniteLegale" not in held and "donneesB2gComplementaires" not in held


def test_chosen_fields(shared: Portal) -> None:
    """`champs` keeps what it names, inside the history too; what is included stays."""
    held = get(shared, f"/siret/code-insee:{HALL_1}", "champs=siret,moa,idInstance&inclure=siren")
    assert set(held) == {"siret", "donneesB2gComplementaires", "historisation", "uniteLegale"}
    assert (set(held["historisation"]), held["donneesB2gComplementaires"]) == ({"idInstance"}, {"moa": False})
    page = search(shared, "siren", champs=["siren", "creePar"], filtres={"siren": {"valeur": SHOP}})
    assert page["resultats"] == [{"siren": SHOP, "historisation": {"creePar": "INSEE"}}]


def test_a_routing_code(shared: Portal) -> None:
    """A routing code by its establishment and identifier, with both of what it is of."""
    held = get(shared, f"/code-routage/siret:{HALL_1}/code:VOIRIE", "inclure=siren,siret")
    assert (held["libelleCodeRoutage"], held["typeIdentifiantRoutage"], held["gestionEngagementJuridique"]) == (
        "Voirie", "0224", True,
    )  # fmt: skip
    assert (held["uniteLegale"]["siren"], held["etablissement"]["siret"]) == (HALL, HALL_1)


def test_a_line(shared: Portal) -> None:
    """A line has its platform's number and its dates, which platforms only are told; and what it is of, on request."""
    address = f"{HALL}_{HALL_1}_VOIRIE"
    held = get(shared, f"/ligne-annuaire/code:{address}", "inclure=siren,siret,codeRoutage,plateforme")
    assert (held["matriculePlateforme"], held["historisation"]["dateDebutEffet"]) == ("9999", "2024-01-01")
    assert (held["codeRoutage"]["libelleCodeRoutage"], held["plateforme"]["typePlateforme"]) == ("Voirie", "AP")
    assert {"uniteLegale", "etablissement"} <= set(held)
    assert "dateFinEffet" not in held
    instance = held["historisation"]["idInstance"]
    assert get(shared, f"/ligne-annuaire/id-instance:{instance}")["identifiantAdressage"] == address


def test_the_line_of_a_day(shared: Portal) -> None:
    """By its code a line is given where it is in force: today, or on the day of observation."""
    past, future = f"/ligne-annuaire/code:{SHOP}_AVANT", f"/ligne-annuaire/code:{SHOP}_DEMAIN"
    assert [shared.ask_api("GET", path).status for path in (past, future)] == [404, 404]
    assert get(shared, past, "dateObservation=2025-12-31")["dateFinEffet"] == "2026-01-01"
    assert shared.ask_api("GET", past, query="dateObservation=2026-01-01").status == 404
    assert get(shared, future, "dateObservation=2026-10-01")["matriculePlateforme"] == "0003"


# ----------------------------------------------------------------------------------------------------------- searching


def test_filters(shared: Portal) -> None:
    """Each criterion is a whole value or a part of one, whatever its case."""
    assert found(shared, "siren", "siren", raisonSociale=contains("épicerie")) == [SHOP]
    assert found(shared, "siren", "siren", typeEntite={"op": "strict", "valeur": "Publique"}) == [HALL]
    assert found(shared, "siret", "siret", siren={"valeur": SHOP}) == [SHOP_1, f"{SHOP}00025"]
    assert found(shared, "siret", "siret", siren={"valeur": SHOP}, localite=contains("LYON")) == [SHOP_1]
    assert found(shared, "siret", "siret", lignesAdresse=contains("bellecour")) == [SHOP_1]
    assert found(shared, "siret", "siret", codePostal=contains("690")) == [SHOP_1]
    assert found(shared, "siret", "siret", typeEtablissement={"valeur": "S"}) == [f"{SHOP}00025"]
    assert found(shared, "code-routage", "identifiantRoutage", libelleCodeRoutage=contains("achats")) == ["ACHATS"]
    search(shared, "code-routage", 204, filtres={"etatAdministratif": {"valeur": "F"}})
    assert found(shared, "code-routage", "siret", siret=HALL_1) == [HALL_1]


def test_filters_of_lines(shared: Portal) -> None:
    """Lines in force and to come; a filter without a value looks for what has none."""
    lines = "ligne-annuaire"
    assert found(shared, lines, "identifiantAdressage", siren={"valeur": SHOP}) == [SHOP, f"{SHOP}_DEMAIN"]
    assert found(shared, lines, "identifiantAdressage", identifiantAdressage=contains("DEM")) == [f"{SHOP}_DEMAIN"]
    assert len(found(shared, lines, "siren", matriculePlateforme={"valeur": "9999"})) == 2
    asked = {"siren": {"valeur": SHOP}, "suffixeAdressage": {"op": "strict"}}
    assert found(shared, lines, "identifiantAdressage", **asked) == [SHOP]
    assert found(shared, lines, "siret", identifiantRoutage=contains("VOI")) == [HALL_1]
    search(shared, lines, 204, filtres={"matriculePlateforme": {"valeur": "0005"}})


def test_time(shared: Portal) -> None:
    """A day of observation, days of definition, an author, the whole history."""
    lines, key = "ligne-annuaire", "identifiantAdressage"
    asked = {"siren": {"valeur": SHOP}}
    assert found(shared, lines, key, **asked, **history(dateObservation="2025-06-01")) == [SHOP, f"{SHOP}_AVANT"]
    assert found(shared, lines, key, **asked, **history(dateDebutRecherche="2026-09-01")) == [f"{SHOP}_DEMAIN"]
    assert found(shared, lines, key, **asked, **history(dateFinRecherche="2026-08-31")) == [SHOP]
    assert found(shared, lines, key, **history(modeAudit=True), **asked) == [SHOP, f"{SHOP}_AVANT", f"{SHOP}_DEMAIN"]
    assert found(shared, lines, key, historisation={"creePar": contains("0003")}) == [f"{SHOP}_DEMAIN"]
    search(shared, "siren", 204, filtres=history(dateObservation="2026-08-01"))
    assert len(found(shared, "siren", "siren", **history(dateObservation="2026-08-02"))) == 3


def test_what_was_known(portal: Portal) -> None:
    """A name as it was known on a day, and every version of it in an audit."""
    with portal.register(Source.SIRENE, "INSEE") as register:
        register.put_unit(LegalUnit(siren=SHOP, name="Épicerie fine"))
    path = f"/siren/code-insee:{SHOP}"
    assert get(portal, path)["raisonSociale"] == "Épicerie fine"
    assert get(portal, path, "dateObservation=2026-08-31")["raisonSociale"] == "ÉPICERIE DU MAIL"
    names = found(portal, "siren", "raisonSociale", siren={"valeur": SHOP}, **history(modeAudit=True))
    assert names == ["ÉPICERIE DU MAIL", "Épicerie fine"]


def test_pages(shared: Portal) -> None:
    """200 when all is given, 206 when there is more, 204 past the end; in the order asked, each once."""
    order = [{"champ": "raisonSociale", "ordre": "descendant"}]
    first = search(shared, "siren", 206, tris=order, limite=2)
    last = search(shared, "siren", tris=order, limite=2, ignorer=2)
    assert [one["siren"] for one in (*first["resultats"], *last["resultats"])] == [SHOP, MILL, HALL]
    assert first["nombre_total_resultats"] == last["nombre_total_resultats"] == 3
    assert first["recherche"] == {"tris": [{"champ": "raisonSociale", "ordre": "descendant"}], "limite": 2}
    search(shared, "siren", 204, ignorer=3)


@pytest.mark.parametrize(
    "field", ["siret", "siren", "adresse", "moa", "dateDefinition", "dateDebutEffet", "masque", "idInstance", "creePar"]
)
def test_any_order(shared: Portal, field: str) -> None:
    """Every field may be ordered by."""
    assert len(search(shared, "siret", tris=[{"champ": field}])["resultats"]) == 3


def test_a_page_is_bounded(portal: Portal) -> None:
    """More than the most that a page may have is not refused: what is given is reduced (206)."""
    with portal.register(Source.SIRENE, "INSEE") as register:
        for number in range(110):
            register.put_unit(LegalUnit(siren=f"{700000000 + number}", name="Cent"))
    page = search(portal, "siren", 206, limite=5000)
    assert (len(page["resultats"]), page["nombre_total_resultats"]) == (100, 113)
    assert len(search(portal, "siren", 206)["resultats"]) == 50


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "JSON"),
        ({"filtres": {"siren": {"op": "contient", "valeur": SHOP}}}, "strict"),
        ({"filtres": {"siren": {"valeur": "12"}}}, "filtres.siren.valeur"),
        ({"filtres": {"nom": {"valeur": "x"}}}, "champ inconnu : nom"),
        ({"tris": [{"champ": "siret"}]}, "tris"),
        ({"limite": 0}, "limite"),
        ({"ignorer": -1}, "ignorer"),
        (history(dateObservation="hier") and {"filtres": history(dateObservation="hier")}, "dateObservation"),
        (b" " * 70_000, "Kio"),
    ],
)
def test_a_search_that_cannot_be(shared: Portal, body: Any, said: str) -> None:
    """400, with where it is wrong and what is expected."""
    answer = shared.ask_api("POST", "/siren/recherche", body)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert said in answer.json["detail"]
    assert (answer.json["statut"], answer.json["titre"]) == (400, "Requête invalide")
    assert answer.json["instance"] == f"{API}/siren/recherche"


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/siren/code-insee:12", "", 400),
        ("/siret/code-insee:x", "", 400),
        ("/siren/id-instance:x", "", 400),
        ("/siren/id-instance:99999999999999", "", 404),
        ("/siren/id-instance:999999", "", 404),
        (f"/siren/code-insee:{SHOP}", "champs=nom", 400),
        (f"/siren/code-insee:{SHOP}", "dateObservation=2026", 400),
        (f"/ligne-annuaire/code:{SHOP}", "inclure=tout", 400),
        ("/ligne-annuaire/code:" + "x" * 126, "", 400),
        ("/ligne-annuaire/code:000000000", "", 404),
    ],
)
def test_a_read_that_cannot_be(shared: Portal, path: str, query: str, status: int) -> None:
    """400 for what is malformed, 404 for what is not there."""
    assert shared.ask_api("GET", path, query=query).status == status


def test_errors_in_english(shared: Portal) -> None:
    """An error is in the language that is asked."""
    answer = shared.ask_api("GET", "/siren/code-insee:12", accept_language="en")
    assert (answer.headers["content-language"], answer.json["titre"]) == ("en", "Bad request")
    assert answer.json["detail"] == "9 digits expected."


# ------------------------------------------------------------------------------------------------------- who may speak


def test_who_may_speak(portal: Portal) -> None:
    """No token, an unknown one, a scope that is not held: refused; a platform that is no longer registered too."""
    path = f"/siren/code-insee:{SHOP}"
    answer = portal.ask_api("GET", path, who=None)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    portal.tokens["nobody"] = "x"
    assert portal.ask_api("GET", path, who="nobody").status == 401
    assert portal.ask_api("POST", "/ligne-annuaire", {}, who="reader").status == 403
    with portal.register(Source.REGISTRATION, "DGFIP") as register:
        held = register.platform("0003")
        register.put_platform(replace(held, registered_until=NOW.date()))
    assert portal.ask_api("GET", path).status == 403
    assert portal.ask_api("GET", path, who="other").status == 200


def test_the_scope_is_told(portal: Portal) -> None:
    """A token says what it lets do."""
    assert portal.token("reader", SECRET).json["scope"] == "annuaire.read"
    assert portal.token("writer", SECRET).json["scope"] == "annuaire.read annuaire.write"


def test_a_platform_has_a_quota(portal: Portal) -> None:
    """All the clients of a platform share it; past it, 429 and how long to wait; the others are served."""
    answers = [portal.ask_api("GET", "/siren/code-insee:000000000", who=who) for who in ("reader", "writer") * 101]
    late = answers[-1]
    assert (answers[199].status, late.status, late.json["titre"]) == (404, 429, "Trop d'appels")
    assert int(late.headers["retry-after"]) >= 1
    assert portal.ask_api("GET", f"/siren/code-insee:{SHOP}", who="other").status == 200
    portal.at(portal.now + timedelta(minutes=1))
    assert portal.ask_api("GET", f"/siren/code-insee:{SHOP}").status == 200


# ------------------------------------------------------------------------------------------------------- writing lines


def created(portal: Portal, start: str = "2026-09-02", end: str | None = None, **parts: str) -> Any:
    """Ask for a line; return the answer."""
    told = {"siren": SHOP, "matriculePlateforme": "0003"} | parts
    period = {"dateDebutEffet": start} | ({"dateFinEffet": end} if end else {})
    return portal.ask_api("POST", "/ligne-annuaire", {"periodeEffet": period, "informationAdressage": told})


def test_a_line_is_created_once(portal: Portal) -> None:
    """201 with its number and address; sent again, the same; the directory says who made it."""
    first, second = (created(portal, suffixeAdressage="COMPTA") for _time in range(2))
    assert (first.status, second.status) == (201, 201)
    assert first.json == second.json
    assert (first.json["identifiantAdressage"], first.json["dateDebutEffet"]) == (f"{SHOP}_COMPTA", "2026-09-02")
    held = line_of(portal, f"{SHOP}_COMPTA")
    assert (held["historisation"]["creePar"], held["matriculePlateforme"]) == ("0003", "0003")


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ({"start": "2026-09-01", "suffixeAdressage": "X"}, "G1.87"),
        ({"start": "2026-09-02"}, "G1.86"),
        ({"siret": SHOP_1, "suffixeAdressage": "X"}, "G1.93"),
        ({"identifiantRoutage": "ACHATS"}, "G1.91"),
        ({"siret": SHOP_1, "identifiantRoutage": "AUTRE"}, "G1.92"),
        ({"siret": f"{SHOP}00099"}, "G1.97"),
        ({"siret": HALL_1}, "G1.80"),
        ({"siren": "800000002"}, "G1.96"),
        ({"suffixeAdressage": "a@b"}, "G1.115"),
        ({"suffixeAdressage": "X", "end": "2026-09-02"}, "G1.113"),
    ],
)
def test_a_line_that_cannot_be(portal: Portal, parts: dict[str, str], rule: str) -> None:
    """422 with the rule of annex 7, whose code is that of a file of updates; nothing is written."""
    before = search(portal, "ligne-annuaire", filtres=history(modeAudit=True))["nombre_total_resultats"]
    answer = created(portal, **parts)
    assert (answer.status, rule in answer.json["detail"], "REJ_" in answer.json["detail"]) == (422, True, True)
    assert search(portal, "ligne-annuaire", filtres=history(modeAudit=True))["nombre_total_resultats"] == before


@pytest.mark.parametrize(
    "parts",
    [{"matriculePlateforme": "0005", "suffixeAdressage": "X"}, {"siren": HALL, "siret": HALL_1}],
    ids=["another platform", "a public entity"],
)
def test_a_line_that_is_not_ours(portal: Portal, parts: dict[str, str]) -> None:
    """403: a platform writes its own lines, and none of public entities."""
    answer = created(portal, **parts)
    assert (answer.status, "REJ_HAB" in answer.json["detail"]) == (403, True)


def test_a_fictive_platform(portal: Portal) -> None:
    """The numbers that are no platform are refused (G1.112)."""
    assert "G1.112" in created(portal, matriculePlateforme="9998", suffixeAdressage="X").json["detail"]


def test_portability(portal: Portal) -> None:
    """The new platform closes the line of the old one, then creates its own from that day, each twice over."""
    old = line_of(portal, SHOP)["historisation"]["idInstance"]
    for _time in range(2):
        closing = portal.ask_api(
            "PATCH", f"/ligne-annuaire/id-instance:{old}", {"dateFinEffet": "2026-10-01"}, who="other"
        )
        assert (closing.status, closing.json["identifiantAdressage"]) == (200, SHOP)
    body = {
        "periodeEffet": {"dateDebutEffet": "2026-10-01"},
        "informationAdressage": {"siren": SHOP, "matriculePlateforme": "0005"},
    }
    assert portal.ask_api("POST", "/ligne-annuaire", body, who="other").status == 201
    path = f"/ligne-annuaire/code:{SHOP}"
    days = ("2026-09-30", "2026-10-01")
    assert [get(portal, path, f"dateObservation={day}")["matriculePlateforme"] for day in days] == ["0003", "0005"]
    assert closing.json["idInstance"] > old


def test_put_takes_away_what_is_not_given(portal: Portal) -> None:
    """PUT says the whole of what may change: without an end, there is none; PATCH changes what it names, null too."""
    made = created(portal, end="2027-01-01", suffixeAdressage="X").json["idInstance"]
    path = f"/ligne-annuaire/id-instance:{made}"
    assert portal.ask_api("PATCH", path, {}).json["idInstance"] == made
    put = portal.ask_api("PUT", path, {"matriculePlateforme": "0003"})
    assert (put.status, "dateFinEffet" in line_of(portal, f"{SHOP}_X")) == (200, False)
    portal.ask_api("PATCH", path, {"dateFinEffet": "2027-02-01"})
    assert line_of(portal, f"{SHOP}_X")["dateFinEffet"] == "2027-02-01"
    portal.ask_api("PATCH", path, {"dateFinEffet": None})
    assert "dateFinEffet" not in line_of(portal, f"{SHOP}_X")
    assert portal.ask_api("PUT", path, {}).status == 400


def test_a_line_is_masked(portal: Portal) -> None:
    """DELETE masks a line to come, once; one in force is not masked (G1.85)."""
    made = line_of(portal, f"{SHOP}_DEMAIN")["historisation"]["idInstance"]
    for _time in range(2):
        assert portal.ask_api("DELETE", f"/ligne-annuaire/id-instance:{made}").status == 204
    held = line_of(portal, f"{SHOP}_DEMAIN")
    assert held["historisation"]["masque"] is True
    assert found(portal, "ligne-annuaire", "identifiantAdressage", siren={"valeur": SHOP}) == [SHOP]
    current = line_of(portal, SHOP)["historisation"]["idInstance"]
    answer = portal.ask_api("DELETE", f"/ligne-annuaire/id-instance:{current}")
    assert (answer.status, "G1.85" in answer.json["detail"]) == (422, True)


def test_the_default_line_gives_way(portal: Portal) -> None:
    """The line of a platform takes the place of the default one from its first day."""
    body = {
        "periodeEffet": {"dateDebutEffet": "2026-09-10"},
        "informationAdressage": {"siren": MILL, "matriculePlateforme": "0003"},
    }
    assert portal.ask_api("POST", "/ligne-annuaire", body).status == 201
    path = f"/ligne-annuaire/code:{MILL}"
    days = ("2026-09-09", "2026-09-10")
    assert [get(portal, path, f"dateObservation={day}")["matriculePlateforme"] for day in days] == ["9998", "0003"]


def test_attachments(portal: Portal) -> None:
    """Where it is said for whom one acts, nobody else's lines are written."""
    where = {"siren": SHOP, "matriculePlateforme": "0003", "suffixeAdressage": "X"}
    told = {"periodeEffet": {"dateDebutEffet": "2026-09-02"}, "informationAdressage": where}
    for given, status in ((MILL, 403), ("12", 400), (f"{MILL}, {SHOP}/{SHOP_1}/ACHATS", 201)):
        assert portal.ask_api("POST", "/ligne-annuaire", told, ppf_rattachements=given).status == status


# --------------------------------------------------------------------------------------------------- writing codes


def test_a_routing_code_is_created_once(portal: Portal) -> None:
    """201 with its number; again, the same; otherwise, 422; then lines may be made to it."""
    body = {
        "natureEtablissement": "Privé", "identifiantRoutage": "PAIE", "siret": SHOP_1, "etatAdministratif": "A",
        "libelleCodeRoutage": "Paie", "adresse": {"ligneAdresse1": "1 rue du Mail", "codePays": "FR"},
    }  # fmt: skip
    first, second = (portal.ask_api("POST", "/code-routage", body) for _time in range(2))
    assert (first.status, first.json) == (201, second.json)
    assert portal.ask_api("POST", "/code-routage", body | {"libelleCodeRoutage": "Autre"}).status == 422
    assert created(portal, siret=SHOP_1, identifiantRoutage="PAIE").status == 201


def test_a_routing_code_changes(portal: Portal) -> None:
    """PATCH changes what it names, PUT all but what it is of; one that closes takes its line with it."""
    made = search(portal, "code-routage", filtres={"siret": {"valeur": SHOP_1}})["resultats"][0]
    path = f"/code-routage/id-instance:{made['historisation']['idInstance']}"
    assert created(portal, siret=SHOP_1, identifiantRoutage="ACHATS").status == 201
    assert portal.ask_api("PATCH", path, {"adresse": {"localite": "Lyon"}}).status == 200
    assert get(portal, f"/code-routage/siret:{SHOP_1}/code:ACHATS")["adresse"] == {"localite": "Lyon"}
    put = {"typeIdentifiantRoutage": "0224", "libelleCodeRoutage": "Achats", "etatAdministratif": "F"}
    assert portal.ask_api("PUT", path, put).status == 200
    held = get(portal, f"/code-routage/siret:{SHOP_1}/code:ACHATS")
    assert (held["etatAdministratif"], held["libelleCodeRoutage"], held["adresse"]) == ("F", "Achats", {})
    assert line_of(portal, f"{SHOP}_{SHOP_1}_ACHATS")["historisation"]["masque"] is True


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"identifiantRoutage": "a b"}, 400, "identifiantRoutage"),
        ({"identifiantRoutage": "a/b"}, 422, "G1.95"),
        ({"siret": f"{SHOP}00099"}, 422, "G1.97"),
        ({"typeIdentifiantRoutage": "0088"}, 422, "G1.83"),
        ({"libelleCodeRoutage": " "}, 400, "libelleCodeRoutage"),
        ({"adresse": {"codePays": "fr"}}, 422, "G2.01"),
        ({"siret": HALL_1}, 403, "REJ_HAB"),
        ({"natureEtablissement": "Public"}, 403, "REJ_HAB"),
        ({"autre": 1}, 400, "autre"),
    ],
)
def test_a_routing_code_that_cannot_be(portal: Portal, change: dict[str, Any], status: int, said: str) -> None:
    """400 for what is malformed, 422 for what the rules refuse, 403 for what is Chorus Pro's."""
    body = {
        "natureEtablissement": "Privé", "identifiantRoutage": "X", "siret": SHOP_1, "etatAdministratif": "A",
        "libelleCodeRoutage": "X",
    }  # fmt: skip
    answer = portal.ask_api("POST", "/code-routage", body | change)
    assert (answer.status, said in answer.json["detail"]) == (status, True), answer.json


def test_an_instance_of_nothing(portal: Portal) -> None:
    """404 for a version that is not there, for every verb that changes one."""
    for method, path, body in (
        ("PATCH", "/code-routage", {}),
        ("PUT", "/ligne-annuaire", {"matriculePlateforme": "0003"}),
        ("PATCH", "/ligne-annuaire", {}),
        ("DELETE", "/ligne-annuaire", None),
    ):
        assert portal.ask_api(method, f"{path}/id-instance:999999", body).status == 404


def test_a_client_is_of_one_platform(portal: Portal) -> None:
    """An identifier that is taken is not given to another platform; the same again is no fault."""
    headers = {"Authorization": f"Bearer {(portal.running.actor.folder / 'operator.token').read_text().strip()}"}
    body = b'{"client_id": "writer", "client_secret": "' + SECRET.encode() + b'"}'
    statuses = [
        portal.call(
            "POST", f"/operator/v1/platforms/{matricule}/clients", siren=None, body=body, headers=headers
        ).status
        for matricule in ("0003", "0005", "0042", "9998")
    ]
    assert statuses == [201, 422, 404, 404]


def test_a_client_is_closed(portal: Portal) -> None:
    """Its token is over at once, it gets no other; twice is once; it is not another platform's to be closed."""
    headers = {"Authorization": f"Bearer {(portal.running.actor.folder / 'operator.token').read_text().strip()}"}
    paths = [f"/operator/v1/platforms/{matricule}/clients/writer" for matricule in ("0005", "0003", "0003")]
    statuses = [portal.call("DELETE", path, siren=None, headers=headers).status for path in paths]
    assert statuses == [404, 204, 204]
    assert portal.ask_api("GET", f"/siren/code-insee:{SHOP}").status == 401
    assert portal.token("writer", SECRET).status == 401
    body = b'{"client_id": "writer", "client_secret": "' + SECRET.encode() + b'"}'
    reopened = portal.call("POST", "/operator/v1/platforms/0003/clients", siren=None, body=body, headers=headers)
    assert (reopened.status, "take another identifier" in reopened.body.decode()) == (422, True)
    assert portal.ask_api("GET", f"/siren/code-insee:{SHOP}", who="reader").status == 200


def test_what_the_texts_leave_open(made: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    """What the portal chose to read otherwise is read so here too, as it is of files."""
    folder, tokens = made
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "network.yaml").write_text("actors: {portal: {readings: {takes_wide_identifiers: true}}}")
    wide = again(tmp_path, tokens)
    assert created(wide, suffixeAdressage="a@b").status == 201
    wide.running.actor.database.close()


def planned(portal: Portal) -> int:
    """Count the publications of the directory that were ever planned."""
    with portal.running.actor.database.read() as connection:
        return connection.execute(select(func.count()).where(job.c.queue == "export")).scalar_one()


def test_a_change_is_published(portal: Portal) -> None:
    """What a platform writes will be told to every platform; what changes nothing, or is refused, is not."""
    before = planned(portal)
    assert created(portal, suffixeAdressage="COMPTA").status == 201
    assert planned(portal) == before + 1
    assert created(portal, suffixeAdressage="COMPTA").status == 201
    assert created(portal, suffixeAdressage="a@b").status == 422
    assert planned(portal) == before + 1


def test_feeds_are_published(portal: Portal) -> None:
    """What a file changed beside the portal is told once, at its next visit, and a tax status on its day."""
    actor, told = portal.running.actor, []
    visit = directory_upkeep.visit_of(actor, lambda _connection: told.append(portal.now.date()))
    for _time in range(2):
        asyncio.run(visit())
    assert told == [portal.now.date()]
    with actor.database.begin() as connection:
        row = {"siren": HIDDEN, "effective_on": date(2026, 9, 10), "is_taxable": True, "applied": False}
        connection.execute(insert(tax_status).values(**row, recorded_at=portal.now))
    asyncio.run(visit())
    assert len(told) == 1
    portal.at(portal.now + timedelta(days=9))
    for _time in range(2):
        asyncio.run(visit())
    assert told[1:] == [date(2026, 9, 10)]
    with actor.database.read() as connection:
        held = holdings.line_at(connection, HIDDEN, on=date(2026, 9, 10))
    assert held is not None and held.matricule == "9998"
