"""The columns of a file of unit records, the same in CSV and in JSON, and how each is read.

A column has an English and a French name; either is taken, without regard to case and accents. A reader raises
ValueError on what its column does not take; what is expected is said in both languages.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from estafette.invoice import codes
from estafette.reporting.extraction import CATEGORIES
from estafette.values.money import decimal

SALE, PAYMENT, INVOICE = "sale", "payment", "invoice"
"""Kinds of records: of block 10.3, of 10.2 or 10.4, of 10.1 (JSON only)."""

IDENTIFIER_CHARACTERS_MAX = 100

AMOUNT_MAX = Decimal(10) ** 17
"""An amount has nineteen digits, two of them after the point (G1.14)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its names, what reads it, what it expects, in both languages."""

    name: str
    french: str
    read: Callable[[str], Any]
    expected: tuple[str, str]


def plain_name(text: str) -> str:
    """Return a name as it is compared: lower case, no accents, spaces as underscores.

    >>> plain_name(" Catégorie "), plain_name("Date facture")
    ('categorie', 'date_facture')
    """
    bare = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(letter for letter in bare if not unicodedata.combining(letter)).replace(" ", "_")


def _word(words: dict[str, Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return words[plain_name(text)]
        except KeyError:
            raise ValueError(text) from None

    return read


def _day(text: str) -> date:
    """Read AAAA-MM-JJ, AAAAMMJJ or JJ/MM/AAAA."""
    if "/" in text:
        day, month, year = text.split("/")
        text = f"{year}-{month:>02}-{day:>02}"
    found = date.fromisoformat(text)
    if not 2000 <= found.year <= 2099 or not text.replace("-", "").isdigit():
        raise ValueError(text)
    return found


def _number(text: str) -> Decimal:
    """Read a number with a point or a comma, thousands apart or not."""
    bare = "".join(text.split())
    return decimal(bare.replace(",", ".") if "." not in bare else bare)


def _amount(text: str) -> Decimal:
    value = _number(text)
    if abs(value) >= AMOUNT_MAX or value != value.quantize(Decimal("0.01")):
        raise ValueError(text)
    return value


def _rate(text: str) -> Decimal:
    value = _number(text.replace("%", ""))
    if value not in codes.VAT_RATES:
        raise ValueError(text)
    return value


def _category(text: str) -> str:
    if text.strip().upper() not in CATEGORIES:
        raise ValueError(text)
    return text.strip().upper()


def _currency(text: str) -> str:
    code = text.strip().upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise ValueError(text)
    return code


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise ValueError(text)
    return int(text)


def _label(text: str) -> str:
    if len(text) > IDENTIFIER_CHARACTERS_MAX or not text.isprintable():
        raise ValueError(text)
    return text


_KINDS = {SALE: SALE, "vente": SALE, PAYMENT: PAYMENT, "encaissement": PAYMENT}
_YES_NO = {word: answer for words, answer in ((("yes", "oui", "true", "1"), True), (("no", "non", "false", "0"), False))
           for word in words}  # fmt: skip
_A_DAY = ("un jour AAAA-MM-JJ ou JJ/MM/AAAA, de 2000 à 2099", "a day YYYY-MM-DD or DD/MM/YYYY, from 2000 to 2099")
_AN_AMOUNT = ("un montant à deux décimales au plus", "an amount with two decimals at most")
_A_WORD = ("oui ou non", "yes or no")
_RATES = ", ".join(format(rate, "f") for rate in sorted(codes.VAT_RATES))
_A_LABEL = (f"au plus {IDENTIFIER_CHARACTERS_MAX} caractères", f"at most {IDENTIFIER_CHARACTERS_MAX} characters")

COLUMNS = (
    Column("record", "type", _word(_KINDS), ("vente ou encaissement", "sale or payment")),
    Column("id", "identifiant", _label, _A_LABEL),
    Column("date", "date", _day, _A_DAY),
    Column("category", "categorie", _category, (", ".join(CATEGORIES), ", ".join(CATEGORIES))),
    Column("currency", "devise", _currency, ("un code à trois lettres (EUR)", "a code of three letters (EUR)")),
    Column("rate", "taux", _rate, (f"un taux de TVA : {_RATES}", f"a VAT rate: {_RATES}")),
    Column("taxable_amount", "base", _amount, _AN_AMOUNT),
    Column("tax_amount", "tva", _amount, _AN_AMOUNT),
    Column(
        "count", "nombre", _count, ("un nombre entier d'au plus neuf chiffres", "an integer of at most nine digits")
    ),
    Column("debits", "debits", _word(_YES_NO), _A_WORD),
    Column("paid", "encaisse", _word(_YES_NO), _A_WORD),
    Column("amount", "montant", _amount, _AN_AMOUNT),
    Column("invoice_number", "facture", _label, _A_LABEL),
    Column("invoice_date", "date_facture", _day, _A_DAY),
)
BY_NAME = {name: column for column in COLUMNS for name in (column.name, column.french)}

NEEDED = {
    SALE: ("date", "category", "rate", "taxable_amount", "tax_amount"),
    PAYMENT: ("date", "rate", "amount"),
}
"""What each kind of record cannot do without."""
