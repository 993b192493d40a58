"""What is wrong in a draft whatever it asks for: codes of no list, numbers of no invoice."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from estafette.invoice import codes_lists
from estafette.invoice.comparison import said_values
from estafette.invoice.mistakes import Mistake
from estafette.invoice.model import Invoice
from estafette.values.limits import NUMBER_CHARACTERS_MAX
from estafette.values.money import plain


def unknown_codes(invoice: Invoice) -> Iterator[Mistake]:
    """Tell each code that is not in the list of its term on the day of the invoice."""
    for term, path, value in said_values(invoice):
        name = codes_lists.list_of(term)
        if name is None or not isinstance(value, str):
            continue
        known = codes_lists.of(name, on=invoice.issue_date)
        if value in known:
            continue
        near = ", ".join(known.near(value))
        fr, en = f"Attendu : un code de la liste {name}", f"Expected: a code of the list {name}"
        hint = f" ({near} ?)" if near else ""
        yield Mistake(path=path, term=term.id, seen=value, fr=f"{fr}{hint}.", en=f"{en}{hint}.")


def numbers_out_of_bounds(value: object, path: str = "") -> Iterator[Mistake]:
    """Tell each number, in a structure and those it holds, that is infinite or has too many digits."""
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > _MOST or len(plain(value)) > _MOST:
            fr, en = f"un nombre de {_MOST} chiffres au plus", f"a number of {_MOST} digits at most"
            yield Mistake(path=path, seen=str(value)[:60], fr=f"Attendu : {fr}.", en=f"Expected: {en}.")
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from numbers_out_of_bounds(getattr(value, field), f"{path}.{field}" if path else field)
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from numbers_out_of_bounds(each, f"{path}[{at}]")


_MOST = NUMBER_CHARACTERS_MAX
