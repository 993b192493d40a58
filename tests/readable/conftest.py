"""An invoice that says every term of the table, each with a value of its own, and what a reader sees of a document."""

import html
import re
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest
from tests.formats.test_round_trip import IBAN, saying

from estafette.invoice.model import Invoice
from estafette.invoice.terms import TABLE, Term
from estafette.readable import typography

CORPUS = Path(__file__).parents[2] / "../shared/corpus"
FIXED: dict[str, Any] = {"BT-3": "380", "BT-5": "EUR", "BT-6": "USD", "BT-23": "S1", "BT-84": IBAN}
TERMS_SAID = tuple(term for term in TABLE if not term.is_group)
_SPACES = re.compile(r"[\s\u00a0\u202f\u200b]")


def value_of(term: Term) -> Any:
    """Give a value that no other term has."""
    place = TERMS_SAID.index(term)
    values = {
        "date": date(2026, 1, 1) + timedelta(days=place),
        "binary": b"what is in it",
        "identifier": {"value": f"I{place:04}", "scheme": f"9{place:03}"},
        **dict.fromkeys(("amount", "amount_in_bt6", "price", "quantity", "rate", "percentage"),
                        Decimal(f"{1000 + place}.{place % 9 + 11}")),
    }  # fmt: skip
    return FIXED.get(term.id, values.get(term.type, f"T{place:04}"))


def expected(term: Term, language: str) -> list[str]:
    """Give what must be read of the value of a term, without its spaces."""
    value = value_of(term)
    if term.type == "date":
        return [squeezed(typography.day(value, language))]
    if isinstance(value, Decimal):
        digits = f"{value:,f}"
        return [digits if language == "en" else digits.replace(",", "").replace(".", ",")]
    if isinstance(value, dict):
        return [value["value"], value["scheme"]]
    return [str(value)]


def squeezed(text: str) -> str:
    """Give a text without any space, since lines break where they can."""
    return _SPACES.sub("", text)


def text_of_pdf(data: bytes) -> str:
    """Give what is written on the pages of a PDF, without spaces."""
    return squeezed("".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(data)).pages))


def text_of_html(page: str) -> str:
    """Give what is written on a page, without spaces."""
    body = page.partition("</style>")[2]
    return squeezed(html.unescape(re.sub(r"<[^>]*>", "", body)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `official` on every document of the corpus."""
    if "official" in metafunc.fixturenames:
        found = sorted(each for each in CORPUS.rglob("*") if each.suffix.lower() in {".xml", ".pdf"})
        metafunc.parametrize("official", found, ids=[file.stem for file in found])


@pytest.fixture(scope="session")
def whole() -> Invoice:
    """The invoice that says every term."""
    return saying((term, value_of(term)) for term in TERMS_SAID)
