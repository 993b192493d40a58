"""What is wrong in a draft whatever it asks for: codes of no list, numbers and characters of no document."""

import re
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from estafette.invoice import codes_lists
from estafette.invoice.comparison import said_values
from estafette.invoice.mistakes import Mistake
from estafette.invoice.model import Identifier, Invoice
from estafette.values.limits import NUMBER_CHARACTERS_MAX
from estafette.values.money import plain

_MOST = NUMBER_CHARACTERS_MAX
_FOREIGN = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that no XML document can hold (XML 1.0, §2.2)."""


def unknown_codes(invoice: Invoice) -> Iterator[Mistake]:
    """Tell each code, and each scheme of an identifier, that is not in its list on the day of the invoice."""
    for term, path, value in said_values(invoice):
        name, code = codes_lists.list_of(term), value
        if isinstance(value, Identifier):
            name, code = "EAS" if term.field == "electronic_address" else "ISO 6523", value.scheme
        if name is None or not isinstance(code, str):
            continue
        known = codes_lists.of(name, on=invoice.issue_date)
        if code not in known:
            yield _unknown(term.id, path, code, known)


def _unknown(term: str, path: str, code: str, known: codes_lists.CodeList) -> Mistake:
    near = ", ".join(known.near(code))
    hint = f" ({near} ?)" if near else ""
    fr, en = f"Attendu : un code de la liste {known.name}{hint}.", f"Expected: a code of the list {known.name}{hint}."
    return Mistake(path=path, term=term, seen=code, fr=fr, en=en)


def unfit(value: object, path: str = "") -> Iterator[Mistake]:
    """Tell, in a structure and those it holds, each number and each text that no document can hold."""
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > _MOST or len(plain(value)) > _MOST:
            fr, en = f"un nombre de {_MOST} chiffres au plus", f"a number of {_MOST} digits at most"
            yield Mistake(path=path, seen=str(value)[:60], fr=f"Attendu : {fr}.", en=f"Expected: {en}.")
    elif isinstance(value, str):
        if found := _FOREIGN.search(value):
            fr, en = "Attendu : du texte sans caractère de contrôle.", "Expected: text without control characters."
            yield Mistake(path=path, seen=repr(found[0]), fr=fr, en=en)
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from unfit(getattr(value, field), f"{path}.{field}" if path else field)
    elif isinstance(value, list | tuple | dict):
        for at, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from unfit(each, f"{path}[{at}]")
