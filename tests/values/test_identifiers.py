"""Identifiers are judged as their issuers judge them."""

import pytest

from estafette.values.identifiers import ADDRESS, MATRICULE, SIREN, SIRET, VAT_NUMBER, Address, vat_number_of


@pytest.mark.parametrize("siren", ["100000009", "200000008", "300000007", "400000006", "356000000"])
def test_siren_with_a_right_key(siren: str) -> None:
    """A SIREN whose Luhn key is right is valid, and gives a valid VAT number."""
    assert SIREN.is_valid(siren)
    assert VAT_NUMBER.is_valid(vat_number_of(siren))


@pytest.mark.parametrize("siren", ["", "10000000", "1000000090", "10000000A", "100000008", "١٠٠٠٠٠٠٠٩"])
def test_siren_that_is_none(siren: str) -> None:
    """A wrong length, a letter, a wrong key or foreign digits are refused."""
    assert not SIREN.is_valid(siren)


def test_la_poste_counts_by_five() -> None:
    """An establishment of La Poste is valid when its digits sum to a multiple of five; its head office follows Luhn."""
    assert SIRET.is_valid("35600000000048")
    assert SIRET.is_valid("35600000059845")
    assert not SIRET.is_valid("35600000059846")


@pytest.mark.parametrize(("text", "valid"), [("0003", True), ("3", False), ("00003", False), ("000A", False)])
def test_matricule(text: str, valid: bool) -> None:
    """A platform is named by exactly four digits."""
    assert MATRICULE.is_valid(text) is valid


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("200000008", Address("200000008")),
        ("200000008_20000000800017", Address("200000008", siret="20000000800017")),
        ("200000008_20000000800017_A_B", Address("200000008", siret="20000000800017", routing_code="A_B")),
        ("200000008_STATUTS", Address("200000008", suffix="STATUTS")),
        ("200000008_30000000700017", Address("200000008", suffix="30000000700017")),
    ],
)
def test_address_grains(text: str, address: Address) -> None:
    """The four grains are told apart, and each address writes back as it was."""
    assert Address.parse(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "20000000", "200000008_", "200000008 X", "X00000008", "200000008_" + "A" * 116])
def test_address_that_is_none(text: str) -> None:
    """An address without SIREN, with an empty suffix, a space, or over 125 characters is refused."""
    assert not ADDRESS.is_valid(text)


def test_address_at_the_limit() -> None:
    """125 characters are still an address."""
    assert ADDRESS.is_valid("200000008_" + "A" * 115)
