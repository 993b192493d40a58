"""The national register is read as INSEE publishes it, and every row that cannot be is told where it is wrong."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estafette.formats import sirene, tax_register
from estafette.formats.sirene import NationalEstablishment, NationalUnit, Wrong, WrongHeader

PUBLISHED = """
    siren statutDiffusionUniteLegale unitePurgeeUniteLegale dateCreationUniteLegale sigleUniteLegale
    sexeUniteLegale prenom1UniteLegale prenom2UniteLegale prenom3UniteLegale prenom4UniteLegale
    prenomUsuelUniteLegale pseudonymeUniteLegale identifiantAssociationUniteLegale trancheEffectifsUniteLegale
    anneeEffectifsUniteLegale dateDernierTraitementUniteLegale nombrePeriodesUniteLegale categorieEntreprise
    anneeCategorieEntreprise dateDebut etatAdministratifUniteLegale nomUniteLegale nomUsageUniteLegale
    denominationUniteLegale denominationUsuelle1UniteLegale denominationUsuelle2UniteLegale
    denominationUsuelle3UniteLegale categorieJuridiqueUniteLegale activitePrincipaleUniteLegale
    nomenclatureActivitePrincipaleUniteLegale nicSiegeUniteLegale economieSocialeSolidaireUniteLegale
    societeMissionUniteLegale caractereEmployeurUniteLegale
"""
UNIT_HEADER = tuple(PUBLISHED.split())
"""The columns of StockUniteLegale, in the order in which they are published."""

SHOP = {
    "siren": "100000009", "statutDiffusionUniteLegale": "O", "dateDernierTraitementUniteLegale": "2026-08-31T10:00:00",
    "etatAdministratifUniteLegale": "A", "denominationUniteLegale": "ÉPICERIE DU MAIL",
    "categorieJuridiqueUniteLegale": "5710", "nicSiegeUniteLegale": "00017",
}  # fmt: skip
PERSON = {
    "siren": "200000008", "statutDiffusionUniteLegale": "O", "dateDernierTraitementUniteLegale": "2026-08-31T10:00:00",
    "etatAdministratifUniteLegale": "A", "nomUniteLegale": "DURAND", "nomUsageUniteLegale": "MARTIN",
    "prenom1UniteLegale": "JEANNE", "prenomUsuelUniteLegale": "ANNE", "categorieJuridiqueUniteLegale": "1000",
}  # fmt: skip
PLACE = {
    "siret": "10000000900017", "statutDiffusionEtablissement": "O", "etatAdministratifEtablissement": "A",
    "etablissementSiege": "true", "numeroVoieEtablissement": "8", "indiceRepetitionEtablissement": "B",
    "typeVoieEtablissement": "RUE", "libelleVoieEtablissement": "DU MAIL", "codePostalEtablissement": "69002",
    "libelleCommuneEtablissement": "LYON 2", "codeCommuneEtablissement": "69382",
    "dateDernierTraitementEtablissement": "2026-08-31T10:00:00.000",
}  # fmt: skip
TREATED = datetime(2026, 8, 31, 8, tzinfo=UTC)


def read_unit(**cells: str) -> Any:
    """Read a unit through the published header."""
    read = sirene.reader_of(UNIT_HEADER)
    return read([cells.get(name, "") for name in UNIT_HEADER])


def read_place(**cells: str) -> Any:
    """Read an establishment whose columns come in some other order."""
    header = sorted(sirene.ESTABLISHMENT_COLUMNS)
    return sirene.reader_of(header)([cells.get(name, "") for name in header])


def test_a_company() -> None:
    """A legal person has its name, its state and its diffusion; the moment is that of Paris."""
    assert read_unit(**SHOP) == NationalUnit("100000009", "ÉPICERIE DU MAIL", "A", "O", False, TREATED)


def test_a_natural_person() -> None:
    """A natural person is called by the first name in use and the name of use, else those of birth."""
    assert read_unit(**PERSON).name == "ANNE MARTIN"
    assert read_unit(**PERSON | {"nomUsageUniteLegale": "", "prenomUsuelUniteLegale": ""}).name == "JEANNE DURAND"
    withheld = dict.fromkeys(("nomUniteLegale", "nomUsageUniteLegale", "prenom1UniteLegale"), "[ND]")
    held = read_unit(**PERSON | withheld | {"prenomUsuelUniteLegale": "[ND]", "statutDiffusionUniteLegale": "P"})
    assert (held.name, held.diffusion) == ("[ND]", "P")


@pytest.mark.parametrize(("category", "is_public"), [("7210", True), ("4110", True), ("5710", False), ("1000", False)])
def test_public_entities(category: str, is_public: bool) -> None:
    """What is public is told by the legal category."""
    assert read_unit(**SHOP | {"categorieJuridiqueUniteLegale": category}).is_public is is_public


def test_a_ceased_unit_needs_no_name() -> None:
    """A purged unit has nothing left but its number."""
    assert read_unit(**SHOP | {"etatAdministratifUniteLegale": "C", "denominationUniteLegale": ""}).status == "I"


@pytest.mark.parametrize(("published", "kept"), [("O", "O"), ("P", "P"), ("M", "M"), ("N", "P")])
def test_diffusion(published: str, kept: str) -> None:
    """The former N is taken as partial."""
    assert read_unit(**SHOP | {"statutDiffusionUniteLegale": published}).diffusion == kept
    assert read_place(**PLACE | {"statutDiffusionEtablissement": published}).diffusion == kept


def test_an_establishment() -> None:
    """Its street is one line; without a name of its own it has none."""
    assert read_place(**PLACE) == NationalEstablishment(
        "10000000900017", None, "P", "A", "O", "8 B RUE DU MAIL", None, None, "LYON 2", "69002", "FR", TREATED
    )


def test_lines_of_an_address() -> None:
    """What completes the address comes before the street, the box after it; a cedex has its own town and code."""
    more = {
        "complementAdresseEtablissement": "BATIMENT C", "distributionSpecialeEtablissement": "BP 12",
        "codeCedexEtablissement": "69281", "libelleCedexEtablissement": "LYON CEDEX 02",
    }  # fmt: skip
    held = read_place(**PLACE | more)
    assert (held.line_1, held.line_2, held.line_3) == ("BATIMENT C", "8 B RUE DU MAIL", "BP 12")
    assert (held.city, held.postal_code) == ("LYON CEDEX 02", "69281")


def test_an_address_withheld() -> None:
    """What INSEE withholds is said once."""
    names = ("numeroVoieEtablissement", "typeVoieEtablissement", "libelleVoieEtablissement")
    nothing = dict.fromkeys((*names, "indiceRepetitionEtablissement"), "[ND]")
    assert read_place(**PLACE | nothing | {"statutDiffusionEtablissement": "P"}).line_1 == "[ND]"


def test_an_address_abroad() -> None:
    """A country has its ISO code; one that we do not know keeps its name."""
    abroad = dict.fromkeys(("codePostalEtablissement", "libelleCommuneEtablissement", "codeCommuneEtablissement"), "")
    abroad |= {"libelleCommuneEtrangerEtablissement": "KÖLN", "codePaysEtrangerEtablissement": "99109"}
    held = read_place(**PLACE | abroad)
    assert (held.city, held.country, held.postal_code) == ("KÖLN", "DE", None)
    unknown = abroad | {"codePaysEtrangerEtablissement": "99999", "libellePaysEtrangerEtablissement": "ATLANTIDE"}
    held = read_place(**PLACE | unknown)
    assert (held.line_1, held.line_2, held.country) == ("8 B RUE DU MAIL", "ATLANTIDE", None)


@pytest.mark.parametrize(
    ("column", "seen"),
    [
        ("siren", "12345678"),
        ("statutDiffusionUniteLegale", "X"),
        ("etatAdministratifUniteLegale", "F"),
        ("dateDernierTraitementUniteLegale", "hier"),
        ("denominationUniteLegale", ""),
    ],
)
def test_a_wrong_unit(column: str, seen: str) -> None:
    """The column and what was seen in it are told, in both languages."""
    wrong = read_unit(**SHOP | {column: seen})
    assert isinstance(wrong, Wrong)
    assert (wrong.field, wrong.seen) == (column, seen)
    assert wrong.fr and wrong.en


@pytest.mark.parametrize(
    ("column", "seen"),
    [
        ("siret", "1000000090001X"),
        ("statutDiffusionEtablissement", ""),
        ("etatAdministratifEtablissement", "C"),
        ("etablissementSiege", "oui"),
        ("dateDernierTraitementEtablissement", "2026-13-01"),
    ],
)
def test_a_wrong_establishment(column: str, seen: str) -> None:
    """The column and what was seen in it are told."""
    wrong = read_place(**PLACE | {column: seen})
    assert (wrong.field, wrong.seen) == (column, seen)


def test_a_row_of_another_width() -> None:
    """A row that has lost a cell is not read askew."""
    assert read_unit(**SHOP) != Wrong
    assert isinstance(sirene.reader_of(UNIT_HEADER)(["100000009", "O"]), Wrong)


@pytest.mark.parametrize("header", [["siren", "nom"], ["siret"], ["siren", "dateFin", "dateDebut"], []])
def test_a_file_of_another_kind(header: list[str]) -> None:
    """A header that lacks columns, or is of past periods, is refused before any row."""
    with pytest.raises(WrongHeader):
        sirene.reader_of(header)


def test_answers_of_the_api() -> None:
    """An answer of the API has the same variables, those of the period that has no end and of the address within."""
    outside = {name: SHOP[name] for name in ("siren", "statutDiffusionUniteLegale", "dateDernierTraitementUniteLegale")}
    dated = {name: value for name, value in SHOP.items() if name not in outside}
    past = {"dateFin": "2020-01-01", "denominationUniteLegale": "AUTREFOIS", "etatAdministratifUniteLegale": "C"}
    one = outside | {"periodesUniteLegale": [{"dateFin": None, **dated}, past]}
    assert sirene.of_answer({"unitesLegales": [one, {"siren": None}]}) == [
        read_unit(**SHOP),
        Wrong("siren", "", "9 chiffres attendus", "9 digits expected"),
    ]
    street = {name: value for name, value in PLACE.items() if "Voie" in name or "Commune" in name or "Postal" in name}
    rest = {name: value for name, value in PLACE.items() if name not in street and "etat" not in name}
    period = {"dateFin": None, "etatAdministratifEtablissement": "A", "enseigne1Etablissement": "LE MAIL"}
    place = rest | {"etablissementSiege": True, "adresseEtablissement": street, "periodesEtablissement": [period]}
    assert sirene.of_answer({"etablissements": [place]}) == [replace(read_place(**PLACE), name="LE MAIL")]


@pytest.mark.parametrize("answer", [None, [], {}, {"unitesLegales": 3}, "x"])
def test_an_unknown_answer(answer: Any) -> None:
    """Anything else is refused as a whole."""
    with pytest.raises(WrongHeader):
        sirene.of_answer(answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(JSON, max_size=3), st.lists(st.text(max_size=12), min_size=34, max_size=34))
def test_nothing_makes_it_fail(objects: list[Any], cells: list[str]) -> None:
    """Whatever is in an answer or a row is read or told wrong."""
    for name in ("unitesLegales", "etablissements"):
        assert len(sirene.of_answer({name: objects})) == len(objects)
    assert isinstance(sirene.reader_of(UNIT_HEADER)(cells), Wrong | NationalUnit)


def test_the_tax_register() -> None:
    """A row says from which day a unit is taxable, or is not."""
    rows = list(csv.reader(io.StringIO("date_effet,SIREN,statut\n2026-09-01,100000009,A\n2026-12-31,200000008,N\n")))
    read = tax_register.reader_of(rows[0])
    first, second = map(read, rows[1:])
    assert (first.siren, first.is_taxable, str(first.effective_on)) == ("100000009", True, "2026-09-01")  # type: ignore[union-attr]
    assert not second.is_taxable  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (["1", "A", "2026-09-01"], "siren"),
        (["100000009", "O", "2026-09-01"], "statut"),
        (["100000009", "A", "01/09/2026"], "date_effet"),
        (["100000009", "A", "0001-01-01"], "date_effet"),
        (["100000009", "A"], "*"),
    ],
)
def test_a_wrong_row_of_the_tax_register(cells: list[str], field: str) -> None:
    """The column that is wrong is told."""
    wrong = tax_register.reader_of(["siren", "statut", "date_effet"])(cells)
    assert isinstance(wrong, Wrong) and wrong.field == field


def test_a_file_that_is_no_tax_register() -> None:
    """A header that lacks columns is refused."""
    with pytest.raises(WrongHeader):
        tax_register.reader_of(["siren", "status"])
