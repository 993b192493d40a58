"""The JSON form of an invoice: the model as it is, with exact numbers as text, dates as AAAA-MM-JJ, bytes in base64.

What is not said is not written. The JSON Schema is made from the model, each property with the business terms it holds.

>>> write(Invoice(number="F1", currency="EUR"))
b'{"number":"F1","currency":"EUR"}'
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from estafette.formats.xml import DAMAGED, TOO_BIG, Unreadable
from estafette.invoice.draft_checks import unfit
from estafette.invoice.model import Invoice
from estafette.invoice.terms import TABLE, TERMS
from estafette.values import limits

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def write(invoice: Invoice) -> bytes:
    """Give the JSON of an invoice, in UTF-8 on one line."""
    return msgspec.json.encode(invoice)


def read(data: bytes) -> Invoice:
    """Read an invoice in its JSON form.

    Raises: Unreadable, when it is too big, not JSON, has a field that the model does not know, a value of another type,
    a number that is none of an invoice (infinite, or beyond the limit of digits), or a character that no XML can hold.
    """
    if len(data) > limits.FILE_BYTES_MAX:
        raise Unreadable(TOO_BIG, f"Le fichier a {len(data)} octets.", f"The file has {len(data)} bytes.")
    try:
        invoice = msgspec.json.decode(data, type=Invoice)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        seen = str(error)
        fr, en = f"Ce n'est pas le JSON d'une facture : {seen}", f"This is no JSON of an invoice: {seen}"
        raise Unreadable(DAMAGED, fr, en) from error
    for mistake in unfit(invoice):
        raise Unreadable(DAMAGED, mistake.fr, mistake.en, where=f"{mistake.path}: {mistake.seen}")
    return invoice


def schema() -> dict[str, Any]:
    """Give the JSON Schema of the form, each property described by the business terms that it holds."""
    made = msgspec.json.schema(Invoice)
    for name, definition in made["$defs"].items():
        for field, shape in definition.get("properties", {}).items():
            if described := " · ".join(_held(name, field)):
                shape["description"] = described
    return {"$schema": SCHEMA_DIALECT, "title": "Invoice (EN 16931, EXTENDED-CTC-FR)", **made}


def _held(record: str, field: str) -> Iterator[str]:
    """Name the terms that a field of a class holds, wherever the class is used."""
    for term in TABLE:
        group = term.group
        while group and not TERMS[group].field:
            group = TERMS[group].group
        if term.field == field and (TERMS[group].type if group else "Invoice") == record:
            yield f"{term.id} {term.name_en}"
