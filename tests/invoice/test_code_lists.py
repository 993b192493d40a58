"""The code lists: complete, dated, sourced, and the terms that draw from them."""

import doctest
from datetime import date

import pytest

from estafette.formats import read
from estafette.invoice import codes, codes_lists
from estafette.invoice.terms import TERMS
from estafette.simulation import samples


def test_the_examples_hold() -> None:
    """What the module shows is what it does."""
    assert doctest.testmod(codes_lists).failed == 0


@pytest.mark.parametrize(
    ("name", "known", "unknown"),
    [
        ("ISO 4217", "EUR", "EURO"),
        ("ISO 3166-1", "FR", "FX"),
        ("UN/ECE Rec 20", "HUR", "HEURE"),
        ("VATEX", "VATEX-FR-FRANCHISE", "VATEX-FR-1"),
        ("EAS", "0225", "9999"),
        ("ISO 6523", "0002", "SEPA"),
        ("UNTDID 1001", "380", "999"),
        ("UNTDID 1153", "AVV", "---"),
        ("UNTDID 2005", "432", "72"),
        ("UNTDID 2475", "72", "432"),
        ("UNTDID 4451", "PMT", "XXX"),
        ("UNTDID 4461", "58", "0"),
        ("UNTDID 5189", "95", "1"),
        ("UNTDID 5305", "S", "X"),
        ("UNTDID 7143", "STI", "--"),
        ("UNTDID 7161", "FC", "--"),
        ("MIME", "application/pdf", "text/html"),
        ("types", "380", "325"),
        ("frameworks", "S1", "M7"),
        ("VAT categories", "AE", "L"),
        ("VAT rates", "5.5", "6"),
    ],
)
def test_a_list_knows_its_codes(name: str, known: str, unknown: str) -> None:
    """A list holds its codes and no other, says since when, and where it comes from."""
    codes_of = codes_lists.of(name)
    assert known in codes_of
    assert unknown not in codes_of
    assert codes_of.source
    assert codes_of.since > date(2020, 1, 1)


def test_every_list_can_be_had() -> None:
    """No name is announced that has no codes; a name that is not known is a KeyError."""
    assert all(codes_lists.of(name).codes for name in codes_lists.names())
    with pytest.raises(KeyError):
        codes_lists.of("UNTDID 0")


def test_a_list_is_that_of_its_day() -> None:
    """Before the first edition that is known the first one is given, and it says from when it holds."""
    early, late = (codes_lists.of("types", on=date(year, 9, 1)) for year in (2020, 2030))
    assert early == late == codes_lists.of("types")
    assert early.since == date(2026, 9, 1)


def test_the_french_lists_are_within_the_european_ones() -> None:
    """France narrows: each of its types, categories and dates of exigibility is one of the standard."""
    assert set(codes_lists.of("types").codes) <= set(codes_lists.of("UNTDID 1001").codes)
    assert set(codes_lists.of("VAT categories").codes) <= set(codes_lists.of("UNTDID 5305").codes)
    assert set(codes.VAT_POINT_CII) == set(codes_lists.of("UNTDID 2005").codes)


def test_near_codes_are_offered() -> None:
    """A code that is nearly right is answered with those it may have meant, a short list with all of its own."""
    assert codes_lists.of("VATEX").near("vatex-fr-franchize")[0] == "VATEX-FR-FRANCHISE"
    assert codes_lists.of("UNTDID 2005").near("72") == ("3", "35", "432")


def test_a_term_has_its_list() -> None:
    """Codes of the samples are in the lists of their terms, and a term of free text has none."""
    invoice = read(samples.load("goods", number="F1", issue_date=date(2026, 9, 1)))
    said = {
        "BT-3": invoice.type_code,
        "BT-5": invoice.currency,
        "BT-21": invoice.notes[0].subject_code,
        "BT-23": invoice.business_process,
        "BT-40": invoice.seller.postal_address.country_code,
        "BT-130": invoice.lines[0].unit_code,
    }
    for term, value in said.items():
        name = codes_lists.list_of(TERMS[term])
        assert name
        assert value in codes_lists.of(name)
    assert codes_lists.list_of(TERMS["BT-27"]) is None
