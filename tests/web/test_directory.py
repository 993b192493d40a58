"""The public page of the directory: what anyone finds there, and what nobody does."""

import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from tests.api.portal import HALL, HALL_1, HIDDEN, MILL, NOW, SHOP, SHOP_1, Portal, again, opened

from estafette.directory import DirectoryLine, Establishment, LegalUnit
from estafette.portal import directory_words
from estafette.portal.directory_limits import PUBLISHED, Limit
from estafette.portal.directory_words import words
from estafette.portal.register import Source

PERSON = "200000008"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Give the folder of a portal, its words gathered, to be copied."""
    folder = tmp_path_factory.mktemp("portal")
    portal = opened(folder)
    with portal.register(Source.SIRENE, "INSEE") as register:
        register.put_unit(LegalUnit(siren=PERSON, name="[ND]", diffusion="P"))
        register.put_establishment(
            Establishment(siret=f"{PERSON}00017", name="[ND]", diffusion="P", line_1="3 rue Cachée", city="Lyon",
                          postal_code="69001")
        )  # fmt: skip
        register.give_default(PERSON)
    with portal.register() as register:
        register.define(DirectoryLine(siren=SHOP, siret=SHOP_1, matricule="0005", start=date(2024, 1, 1)))
    gather(portal)
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


def gather(portal: Portal) -> None:
    """The words of all that is new are gathered, a part at a time."""
    while True:
        with portal.running.actor.database.begin() as connection:
            if not directory_words.gather(connection):
                return


def look(portal: Portal, path: str, query: str = "", **headers: str) -> Any:
    """Open a page as anyone; a minute passes, so that nothing here is about pace."""
    portal.at(portal.now + timedelta(minutes=1))
    return portal.call("GET", path, siren=None, query=query, headers={"Accept": "text/html", **headers})


def text(answer: Any) -> str:
    """Return the words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.body.decode()).split())


def found(portal: Portal, query: str) -> list[str]:
    """Return the SIREN that a search gives, whether it leads to one company or lists several."""
    answer = look(portal, "/directory", f"q={quote_plus(query)}")
    if answer.status == 303:
        return [answer.headers["location"].rsplit("/", 1)[-1]]
    assert answer.status == 200, answer.body
    return re.findall(r'href="/directory/(\d{9})"', answer.body.decode())


def test_searches(portal: Portal) -> None:
    """By SIREN, SIRET, electronic address, name, town, whatever the case and the accents; all words must fit."""
    for query in (SHOP, "100 000 009", SHOP_1, f"{SHOP}_{SHOP_1}", "épicerie", "EPICERIE DU MAIL", "lyon epicerie"):
        assert found(portal, query) == [SHOP], query
    assert found(portal, "villeurbanne") == [SHOP]
    assert found(portal, "commune valbrune") == [HALL]
    assert found(portal, "lyon") == [SHOP, PERSON]
    for query in ("epicerie valbrune", "123456789", "personne", f"{SHOP[:8]}7_X"):
        assert found(portal, query) == [], query


def test_no_enumeration(portal: Portal) -> None:
    """A beginning finds nothing, nor does a short word; nobody is found by what withholds a name."""
    for query in ("epiceri", "épi", "mou", "100000", "nd"):
        answer = look(portal, "/directory", f"q={quote_plus(query)}")
        assert answer.status in (200, 400) and "/directory/1" not in answer.body.decode()
    assert look(portal, "/directory", "q=du").status == 400
    assert "entiers" in text(look(portal, "/directory", "q=a+b"))


def test_no_bulk(portal: Portal) -> None:
    """Ten at most, no count, no next page: there are others, give more."""
    with portal.register(Source.SIRENE, "INSEE") as register:
        for number in range(15):
            register.put_unit(LegalUnit(siren=f"{700000000 + number}", name=f"Boulangerie {number}"))
    gather(portal)
    answer = look(portal, "/directory", "q=boulangerie")
    page = answer.body.decode()
    assert len(re.findall(r'href="/directory/7', page)) == 10
    assert "précisez" in text(answer) and "15" not in text(answer)
    assert found(portal, "boulangerie 12") == ["700000012"]


def test_who_is_shown_to_nobody(portal: Portal) -> None:
    """A company that is not taxable is not there, by any way."""
    assert found(portal, HIDDEN) == found(portal, "caché") == []
    assert look(portal, f"/directory/{HIDDEN}").status == 404
    assert look(portal, "/directory/x").status == look(portal, "/directory/000000000").status == 404


def test_a_company(portal: Portal) -> None:
    """Its addresses in force and to come and whether they can be used; neither platform nor date nor number."""
    answer = look(portal, f"/directory/{SHOP}")
    page, said = answer.body.decode(), text(answer)
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert "ÉPICERIE DU MAIL" in said and "8 place Bellecour, 69002 Lyon" in said
    assert f"{SHOP}_DEMAIN DEMAIN à venir" in said
    assert f"{SHOP} toute l&#39;entreprise utilisable" in said
    assert f"{SHOP}_AVANT" not in said
    for hidden in ("0003", "0005", "9998", "2024", "2026", "Relais"):
        assert hidden not in said.replace("©", ""), hidden
    assert "<script" not in page


def test_what_an_address_is_good_for(portal: Portal) -> None:
    """No platform chosen, no longer served: it is said."""
    assert "aucune plateforme choisie" in text(look(portal, f"/directory/{MILL}"))
    with portal.register(Source.SIRENE, "INSEE") as register:
        shop = register.establishment(SHOP_1)
        register.put_establishment(Establishment(siret=SHOP_1, name=shop.name, status="I"))
    said = text(look(portal, f"/directory/{SHOP}"))
    assert re.search(rf"{SHOP}_{SHOP_1} .*?n&#39;est plus desservie", said)


def test_a_public_entity(portal: Portal) -> None:
    """What it asks of invoices is open to all."""
    said = text(look(portal, f"/directory/{HALL}"))
    assert "entité publique" in said
    assert f"{HALL}_{HALL_1}_VOIRIE Mairie, VOIRIE utilisable numéro d&#39;engagement" in said


def test_diffusion(portal: Portal) -> None:
    """Who is partly diffusible has no street shown; who refuses prospecting says so."""
    said = text(look(portal, f"/directory/{PERSON}"))
    assert "[ND]" in said and "69001 Lyon" in said and "Cachée" not in said
    assert "Refus de prospection" in text(look(portal, f"/directory/{MILL}"))
    assert "Refus de prospection" not in text(look(portal, f"/directory/{SHOP}"))


def test_english(portal: Portal) -> None:
    """Every word of the page is in the reader's language."""
    said = text(look(portal, f"/directory/{HALL}", accept_language="en", **{"Accept-Language": "en"}))
    assert "Electronic invoicing addresses" in said and "commitment number" in said
    assert "words are looked for whole" in text(look(portal, "/directory", "q=a", **{"Accept-Language": "en"}))


def test_pace(portal: Portal) -> None:
    """Twenty at once from one address, then 429 and how long to wait; another address is served."""
    limit = PUBLISHED.at(Limit.PUBLIC_SEARCHES_AT_ONCE, NOW.date())
    ask = {"siren": None, "headers": {"Accept": "text/html"}}
    statuses = [portal.call("GET", "/directory", query=f"q={SHOP}", **ask).status for _time in range(limit + 1)]
    assert statuses[:limit] == [303] * limit
    late = portal.call("GET", "/directory", **ask)
    assert (late.status, "Trop de recherches" in text(late), int(late.headers["retry-after"]) >= 1) == (429, True, True)
    portal.at(portal.now + timedelta(minutes=1))
    assert portal.call("GET", "/directory", **ask).status == 200


@pytest.mark.parametrize(
    "query", ["%00", "'; drop", "%ff", "a" * 400, "100000009_" + "x" * 200, "١٢٣٤٥٦٧٨٩", "&lang=zz"]
)
def test_odd_searches(portal: Portal, query: str) -> None:
    """Whatever is typed is answered without a fault of ours."""
    assert look(portal, "/directory", f"q={query}").status in (200, 303, 400)


def test_the_longest_lists_are_cut(portal: Portal) -> None:
    """A company with more addresses than are shown is cut there, and it is said."""
    with portal.register(Source.SIRENE, "INSEE") as register:
        for number in range(60):
            register.put_establishment(Establishment(siret=f"{SHOP}{number + 100:05}", name="x", kind="S"))
    answer = look(portal, f"/directory/{SHOP}")
    assert "La liste est coupée ici" in text(answer)
    limit = PUBLISHED.at(Limit.PUBLIC_LINES, NOW.date())
    assert len(re.findall(rf'class="date">{SHOP}', answer.body.decode())) == limit


def test_who_has_just_come(portal: Portal) -> None:
    """A company that entered a moment ago is found by its name."""
    with portal.register(Source.SIRENE, "INSEE") as register:
        register.put_unit(LegalUnit(siren="700000003", name="Tisanerie"))
    assert found(portal, "tisanerie") == ["700000003"]


def test_gathering_twice_adds_nothing(portal: Portal) -> None:
    """Words are gathered once a version."""
    with portal.running.actor.database.begin() as connection:
        assert directory_words.gather(connection) == 0
    assert words("L'Épicerie", None, "du  MAIL") == ["l", "epicerie", "du", "mail"]
