"""The values of terms as text: how each type of the table is read and written in each syntax.

A date is `2026-09-01` in UBL and `20260901` in CII; the codes of BT-8 differ too. All else is the same text in both.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from estafette.invoice.codes import VAT_POINT_CII
from estafette.values import moments, money

Reader = Callable[[str], Any]
Writer = Callable[[Any], str]

_VAT_POINT_UBL = {cii: ubl for ubl, cii in VAT_POINT_CII.items()}
NUMBERS = frozenset({"amount", "amount_in_bt6", "price", "quantity", "percentage", "rate"})
"""The types of the table that are numbers."""


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error


def _iso_day(text: str) -> date:
    if len(text) != 10:  # Python also reads 20260901 and 2026-W36-2, which XML Schema does not
        raise ValueError(f"not a date AAAA-MM-JJ: {text[:40]!r}")
    return date.fromisoformat(text)


def _cii_vat_point(text: str) -> str:
    return _VAT_POINT_UBL.get(text, text)


def _ubl_vat_point(code: str) -> str:
    return VAT_POINT_CII.get(code, code)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


_COMMON: Mapping[str, Reader] = {
    **dict.fromkeys(("text", "code", "account", "vat_point", "identifier"), str),
    **dict.fromkeys(NUMBERS, money.decimal),
    "binary": _binary,
}
_COMMON_WRITERS: Mapping[str, Writer] = {
    **dict.fromkeys(("text", "code", "account", "vat_point", "identifier"), str),
    **dict.fromkeys(NUMBERS, money.plain),
    "binary": _base64,
}
READERS: Mapping[str, Mapping[str, Reader]] = {
    "UBL": {**_COMMON, "date": _iso_day},
    "CII": {**_COMMON, "date": moments.day, "vat_point": _cii_vat_point},
}
"""How a type of the table is read, by syntax; a reader raises ValueError."""

WRITERS: Mapping[str, Mapping[str, Writer]] = {
    "UBL": {**_COMMON_WRITERS, "date": date.isoformat},
    "CII": {**_COMMON_WRITERS, "date": moments.day_text, "vat_point": _ubl_vat_point},
}
"""How a type of the table is written, by syntax."""
