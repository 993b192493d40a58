"""What the concentrator tells is known once, in whatever order it comes."""

import random
from datetime import date

import pytest
from tests.administration.concentrator import told, told_status
from tests.vat.examples import BUYER, SELLER, invoice, part, status

from estafette.administration.facts import documents_of, statuses_of
from estafette.administration.intake import WrongMessage, receive
from estafette.administration.journal import Act
from estafette.administration.returns import as_json, effect_of, prepare, summaries
from estafette.store.database import Database
from estafette.vat.facts import DocumentKey
from estafette.vat.forms import Column
from estafette.vat.returns import Month

AS_OF = date(2026, 4, 11)
SERVICE = invoice("S-1", date(2026, 2, 20), process="S1", parts=(part("20", "600"), part("10", "400")))
PAID = status(SERVICE, 212, date(2026, 3, 10), collected=[("20", "720"), ("10", "440")])
DEPOSITED = status(SERVICE, 200, date(2026, 2, 20))
REFUSED = status(SERVICE, 210, date(2026, 3, 12))


def test_data_and_payment_fill_both_returns(database: Database, act: Act) -> None:
    """The worked example, told by messages: 160 due by the seller, 160 deducted by the buyer."""
    tell(database, act, told(SERVICE), told_status(DEPOSITED), told_status(PAID))
    with database.read() as connection:
        seller = prepare(connection, SELLER, Month(2026, 3), as_of=AS_OF)
        buyer = prepare(connection, BUYER, Month(2026, 3), as_of=AS_OF)
    assert (seller.cell("A1").amount, seller.cell("16").amount, buyer.cell("20").amount) == (1000, 160, 160)


def test_the_order_and_repetition_of_messages_do_not_matter(database: Database, act: Act) -> None:
    """A payment before its data, everything twice: the same returns; the second time nothing is new."""
    messages = [told(SERVICE), told_status(DEPOSITED), told_status(PAID)] * 2
    random.Random(7).shuffle(messages)  # noqa: S311 -- an order, not a secret
    assert sorted(tell(database, act, *messages)) == [False] * 3 + [True] * 3
    with database.read() as connection:
        assert prepare(connection, SELLER, Month(2026, 3), as_of=AS_OF).cell("16").amount == 160
        assert (len(documents_of(connection)), len(statuses_of(connection))) == (1, 2)


def test_a_refusal_told_later_takes_everything_back(database: Database, act: Act) -> None:
    """The return listed before is listed no more."""
    tell(database, act, told(SERVICE), told_status(PAID))
    with database.read() as connection:
        assert {(each.siren, str(each.month)) for each in summaries(connection, as_of=AS_OF)} == {
            (SELLER, "2026-03"),
            (BUYER, "2026-03"),
        }
    tell(database, act, told_status(REFUSED))
    with database.read() as connection:
        assert summaries(connection, as_of=AS_OF) == []
        effect = effect_of(connection, SERVICE.key, as_of=AS_OF)
    assert effect is not None
    assert (effect["ended"], effect["lines"]) == (True, [])


def test_of_two_data_under_one_key_the_first_accepted_stands(database: Database, act: Act) -> None:
    """Whichever comes first, the earlier acceptance counts and the other is kept and counted as another version."""
    other = invoice("S-1", date(2026, 2, 20), process="B1", parts=(part("20", "9000"),))
    late = told(other, flow="FFE0111A_AAA111_2/Base.xml", at="2026-03-02T09:00:00Z")
    tell(database, act, late, told(SERVICE))
    with database.read() as connection:
        assert documents_of(connection) == [SERVICE]
        effect = effect_of(connection, SERVICE.key, as_of=AS_OF)
    assert effect is not None
    assert effect["other_versions"] == 1


def test_the_effect_of_an_invoice_names_its_cells_on_both_returns(database: Database, act: Act) -> None:
    """What the scenario runner reads: lines, amounts and rules, for seller and buyer."""
    tell(database, act, told(SERVICE), told_status(PAID))
    with database.read() as connection:
        effect = effect_of(connection, SERVICE.key, as_of=AS_OF)
        assert effect_of(connection, DocumentKey(SELLER, "UNKNOWN", 2026), as_of=AS_OF) is None
    assert effect is not None
    found = {(each["siren"], each["line"], each["column"]): (each["amount"], each["rule"]) for each in effect["lines"]}
    assert found[SELLER, "08", "tax"] == ("120.00", "X5")
    assert found[SELLER, "9B", "base"] == ("400.00", "X5")
    assert {line for siren, line, _ in found if siren == BUYER} == {"20"}
    assert effect["statuses"][0]["code"] == 212


def test_a_return_as_json_keeps_exact_amounts_and_evidence(database: Database, act: Act) -> None:
    """Whole euros per cell, cents as text beside, the invoice named."""
    tell(database, act, told(SERVICE), told_status(PAID))
    with database.read() as connection:
        prepared = as_json(prepare(connection, SELLER, Month(2026, 3), as_of=AS_OF))
    [cell] = [each for each in prepared["cells"] if (each["line"], each["column"]) == ("08", Column.TAX)]
    assert (cell["amount"], cell["exact"], cell["evidence"][0]["number"]) == (120, "120.00", "S-1")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b'{"kind": "gossip"}', "gossip"),
        (b'{"kind": "status", "key": {"seller": "12", "number": "F", "year": 2026}}', "$.key.seller"),
        (told_status(PAID).replace(b"212", b"999", 1), "$.status"),
        (told_status(PAID).replace(b"+00:00", b""), "$.set_at"),
        (told(SERVICE).replace(b'"year":2026', b'"year":2025'), "$.key"),
    ],
)
def test_a_message_that_is_not_one_writes_nothing_and_says_where(
    database: Database, act: Act, body: bytes, where: str
) -> None:
    """Broken JSON, an unknown kind, a wrong field, a key that is not the data's: refused with the place."""
    with pytest.raises(WrongMessage) as caught:
        tell(database, act, body)
    assert where in str(caught.value)
    with database.read() as connection:
        assert (documents_of(connection), statuses_of(connection)) == ([], [])


def tell(database: Database, act: Act, *messages: bytes) -> list[bool]:
    """The administration is told each message in its own transaction."""
    fresh = []
    for message in messages:
        with database.begin() as connection:
            fresh.append(receive(connection, message, received_at=act.now))
    return fresh
