"""The JSON form carries the whole model, and refuses what is not it."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from estafette import formats
from estafette.formats import json_form
from estafette.formats.xml import Unreadable
from estafette.invoice.model import Invoice, SupportingDocument, Totals
from estafette.invoice.terms import TABLE
from estafette.values import limits


def test_official_invoices_go_through_json(official: Path) -> None:
    """Every official invoice, written in JSON and read again, is the same, what was unread included."""
    invoice = formats.read(official.read_bytes())
    assert json_form.read(json_form.write(invoice)) == invoice


def test_numbers_and_bytes_are_text() -> None:
    """Numbers keep their zeros as text, and bytes are base64."""
    documents = (SupportingDocument(content=b"\x00\xff"),)
    said = json.loads(
        json_form.write(Invoice(totals=Totals(amount_due=Decimal("12.50")), supporting_documents=documents))
    )
    assert said == {"totals": {"amount_due": "12.50"}, "supporting_documents": [{"content": "AP8="}]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"colour":"red"}',
        b'{"number":1}',
        b'{"issue_date":"2026-02-31"}',
        b'{"totals":{"amount_due":"NaN"}}',
        b'{"totals":{"amount_due":"1e1000"}}',
        b'{"lines":' + b"[" * 100_000,
    ],
)
def test_what_is_not_the_form(data: bytes) -> None:
    """Broken JSON, an unknown field, a wrong type, a number without end: each is refused with a reason."""
    with pytest.raises(Unreadable) as caught:
        json_form.read(data)
    assert caught.value.code == "IRR_SYNTAX"
    assert caught.value.reason_fr


def test_digits_at_the_limit_and_past_it() -> None:
    """A number has as many digits as the limit, and not one more."""
    text = '{{"totals":{{"amount_due":"{}"}}}}'
    most = "9" * limits.NUMBER_CHARACTERS_MAX
    assert json_form.read(text.format(most).encode()).totals.amount_due == Decimal(most)
    with pytest.raises(Unreadable):
        json_form.read(text.format(most + "9").encode())


def test_the_schema_names_every_term() -> None:
    """Each term of the table is named in the schema, and every definition forbids what it does not know."""
    schema = json_form.schema()
    text = json.dumps(schema)
    assert [term.id for term in TABLE if term.field and f"{term.id} " not in text] == []
    assert all(each["additionalProperties"] is False for each in schema["$defs"].values())
