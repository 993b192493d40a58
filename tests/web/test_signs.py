"""How states are shown: a word in both languages for every state there is, and the state itself where none is known."""

import pytest

from estafette.formats.status_message import Role
from estafette.invoice.codes import FRAMEWORK_CODES, INVOICE_TYPES, VAT_CATEGORIES
from estafette.lifecycle.contents import CHARACTERISTICS, REQUESTED_ACTIONS
from estafette.lifecycle.reasons import REASONS
from estafette.lifecycle.statuses import STATUSES
from estafette.readable.typography import amount, day, number
from estafette.web.platform import signs


def test_everything_has_words_in_both_languages() -> None:
    """Every status, reason, action, datum, type, framework and category has French and English words of its own."""
    shown = [
        *map(signs.of_status, STATUSES),
        *map(signs.of_reason, REASONS),
        *map(signs.of_action, REQUESTED_ACTIONS),
        *map(signs.of_characteristic, CHARACTERISTICS),
        *(signs.of_type(each.code) for each in INVOICE_TYPES),
        *map(signs.of_framework, FRAMEWORK_CODES),
        *(signs.of_code(signs.words.VAT_CATEGORIES, code) for code in VAT_CATEGORIES),
    ]
    for sign in shown:
        assert sign.fr
        assert sign.en
        assert sign.code
        assert sign.fr != sign.code


@pytest.mark.parametrize("code", ["219", "299"])
def test_an_unknown_status_is_shown_by_its_code(code: str) -> None:
    """A status that no table knows is shown, not hidden."""
    assert signs.of_status(code) == signs.Sign(code, code, code=code)


@pytest.mark.parametrize(("states", "shown"), [
    (None, "—"),
    ("receivable", "Recevable"),
    ("accepted,receivable", "Acceptée"),
    ("accepted,receivable,waiting", "À transmettre"),
    ("packed,receivable", "Transmis"),
    ("accepted,rejected,waiting", "Rejetée"),
    ("irreceivable,packed", "Irrecevable"),
])  # fmt: skip
def test_what_the_administration_has_is_told_by_its_worst(states: str | None, shown: str) -> None:
    """One rejection colours the whole; what is still to be sent comes before what is accepted."""
    assert signs.of_declared(states).fr == shown


def test_a_status_is_accepted_by_silence() -> None:
    """The portal answers statuses only to reject them: receivable is accepted, for a status and not for data."""
    assert signs.of_declaration({"state": "receivable", "status": "200"}).fr == "Acceptée"
    assert signs.of_declaration({"state": "receivable", "status": None}).fr == "Recevable"


def test_an_undelivered_invoice_says_so_until_it_moves() -> None:
    """A submitted invoice that reached nobody says so; once collected it says collected."""
    row = {"standing": "undelivered", "status": "200"}
    assert signs.of_invoice(row).en == "Submitted, not transmitted"
    assert signs.of_invoice({**row, "status": "212"}).en == "Collected"


def test_who_set_a_status() -> None:
    """A party is named, a platform is ours or the other's."""
    row = {"seller_name": "Ponant", "buyer_name": "Levant", "side": "issued"}
    assert signs.of_emitter({"emitter_role": Role.BUYER, "received": True}, row).fr == "Levant (l'acheteur)"
    assert signs.of_emitter({"emitter_role": Role.PLATFORM, "received": False}, row).en == "your platform"
    assert signs.of_emitter({"emitter_role": Role.PLATFORM, "received": True}, row).en == "the customer's platform"
    assert signs.of_emitter({"emitter_role": "", "received": True}, {**row, "side": "received"}).fr.endswith(
        "fournisseur"
    )


def test_a_platform_speaks_both_languages_a_party_its_own() -> None:
    """The comment of a platform is shown in the reader's language, a party's as it was written."""
    said = {"emitter_role": Role.PLATFORM, "comment": "faux / wrong\nabsent / missing"}
    assert (signs.of_comment(said).fr, signs.of_comment(said).en) == ("faux\nabsent", "wrong\nmissing")
    assert signs.of_comment({**said, "emitter_role": Role.BUYER, "comment": "1 / 2"}).en == "1 / 2"


def test_terms_by_their_names() -> None:
    """Terms are named and keep their codes; a path stays a path."""
    assert [(sign.en, sign.code) for sign in signs.of_terms("BT-1, /Invoice")] == [
        ("Invoice number", "BT-1"),
        ("/Invoice", ""),
    ]


def test_numbers_and_days_as_each_language_writes_them() -> None:
    """French writes a comma, narrow spaces and the day first; English a point, commas and the month in letters."""
    from datetime import date
    from decimal import Decimal

    assert amount(Decimal("1234567.5")) == "1\u202f234\u202f567,50\u00a0EUR"
    assert amount(Decimal("1234.5"), "USD", "en") == "1,234.50\u00a0USD"
    assert number(Decimal("20.00")) == "20"
    assert number(Decimal("0.123456")) == "0,123456"
    assert (day(date(2026, 1, 2)), day(date(2026, 1, 2), "en")) == ("02/01/2026", "2 Jan 2026")
