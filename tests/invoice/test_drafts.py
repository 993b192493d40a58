"""Drafts: a few lines become an invoice that the official rules accept, and what is wrong is said where it is."""

import doctest
from datetime import date
from decimal import Decimal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from estafette.formats import Syntax, write
from estafette.invoice import Invoice, codes_lists, complete, draft_defaults, draft_files, drafts
from estafette.invoice.drafts import Draft, LineDraft, PartyDraft
from estafette.invoice.mistakes import Mistake, Mistaken
from estafette.rules import check
from estafette.values.limits import DRAFT_BYTES_MAX, DRAFT_DEPTH_MAX

SELLER = {
    "name": "Atelier Caravelle", "siren": "100 000 009", "vat_number": "auto",
    "street": "12 rue des Tisserands", "post_code": "59000", "city": "Lille",
}  # fmt: skip
BUYER = {"name": "Maison Tilleul", "siren": "200000008", "post_code": "44000", "city": "Nantes"}
LINE = {"description": "Conseil", "quantity": "3", "unit": "jours", "price": "450", "vat": "20"}
BASE = {
    "number": "F2026-42",
    "date": "2026-09-15",
    "nature": "services",
    "seller": SELLER,
    "buyer": BUYER,
    "lines": [LINE],
}
TOO_DEEP = DRAFT_DEPTH_MAX + 1
CSV = """number;date;nature;seller.name;seller.siren;seller.vat_number;buyer.name;buyer.siren;description;quantity;price;vat
F43;2026-09-15;goods;Atelier Caravelle;100000009;auto;Maison Tilleul;200000008;"Vis; boulons";1,5;1 450,50;20
;;;;;;;;Écrous;2;10;5,5
"""  # noqa: E501 -- one row a line


def draft(**changes: object) -> bytes:
    """Write the draft of the tests in YAML, with changes; None takes a field away."""
    fields = {name: value for name, value in {**BASE, **changes}.items() if value is not None}
    return yaml.safe_dump(fields, allow_unicode=True).encode()


def accepted(invoice: Invoice) -> Invoice:
    """Complete an invoice, fail unless the official rules accept it in both syntaxes, and give it."""
    completion = complete(invoice)
    assert completion.gaps == completion.contradictions == ()
    for syntax in (Syntax.UBL, Syntax.CII):
        verdict = check(write(completion.invoice, syntax))
        assert (verdict.schema, verdict.fatal) == ((), frozenset()), syntax
    return completion.invoice


def mistakes(data: bytes) -> list[Mistake]:
    """Give what is said of a draft that is wrong."""
    with pytest.raises(Mistaken) as refused:
        drafts.read(data)
    assert all(mistake.fr and mistake.en for mistake in refused.value.mistakes)
    return list(refused.value.mistakes)


@pytest.mark.parametrize("module", [drafts, draft_defaults, draft_files])
def test_the_examples_hold(module: object) -> None:
    """What the modules show is what they do."""
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_a_few_lines_make_an_invoice() -> None:
    """A YAML draft becomes an accepted invoice, its amounts computed."""
    invoice = accepted(drafts.read(draft()))
    assert invoice.totals.amount_due == Decimal("1620.00")
    assert (invoice.lines[0].unit_code, invoice.seller_siren) == ("DAY", "100000009")


def test_python_makes_the_same_invoice() -> None:
    """The same draft in Python gives the same invoice as in YAML."""
    ours = Draft(
        number="F2026-42",
        date=date(2026, 9, 15),
        nature="services",
        seller=PartyDraft(**SELLER),
        buyer=PartyDraft(**BUYER),
        lines=[
            LineDraft(description="Conseil", quantity=Decimal(3), unit="jours", price=Decimal(450), vat=Decimal(20))
        ],
    )
    assert drafts.understand(ours).invoice == drafts.read(draft())


def test_a_table_makes_an_invoice() -> None:
    """A CSV saved by a French spreadsheet, in either of its encodings, becomes an accepted invoice."""
    invoice = accepted(drafts.read(CSV.encode()))
    assert [(line.item.name, line.net_amount) for line in invoice.lines] == [
        ("Vis; boulons", Decimal("2175.75")),
        ("Écrous", Decimal("20.00")),
    ]
    assert drafts.read(CSV.encode("cp1252")) == drafts.read(b"\xef\xbb\xbf" + CSV.encode()) == drafts.read(CSV.encode())


def test_defaults_are_told_with_their_source() -> None:
    """Each term filled in is told once, in both languages, with the text that it comes from."""
    taken = drafts.understand(drafts.parse(draft())).defaults
    assert {each.term for each in taken} == {
        "BT-3", "BT-5", "BT-9", "BT-23", "BT-24", "BT-31", "BT-34", "BT-49", "BT-22 PMT", "BT-22 PMD", "BT-22 AAB",
    }  # fmt: skip
    assert all(each.source in each.text("fr") and each.text("fr") != each.text("en") for each in taken)


def test_what_is_said_takes_no_default() -> None:
    """A draft that says its dates, mentions and addresses keeps them."""
    notes = {code: f"Convenu {code}" for code in ("PMT", "PMD", "AAB", "REG")}
    said = {
        "due": "2026-10-31", "notes": notes, "framework": "B1", "profile": "extended", "currency": "EUR", "type": "380",
        "seller": {**SELLER, "vat_number": "FR88100000009", "electronic_address": "100000009_FACTURES"},
        "buyer": {**BUYER, "electronic_address": "0225:200000008_ACHATS"},
    }  # fmt: skip
    understood = drafts.understand(drafts.parse(draft(**said)))
    assert understood.defaults == ()
    invoice = accepted(understood.invoice)
    assert invoice.due_date == date(2026, 10, 31)
    assert invoice.mention("REG") == "Convenu REG"
    assert invoice.addressee is not None
    assert invoice.addressee.value == "200000008_ACHATS"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"nature": "goods"}, "B1"),
        ({"nature": "both"}, "M1"),
        ({"nature": None, "lines": [{**LINE, "nature": "goods"}, {**LINE, "nature": "services"}]}, "M1"),
        ({"paid_on": "2026-09-10"}, "S2"),
    ],
)
def test_the_framework_follows_the_nature(changes: dict[str, object], expected: str) -> None:
    """What is sold, and whether it is paid, gives the billing framework."""
    invoice = accepted(drafts.read(draft(**changes)))
    assert invoice.business_process == expected


def test_what_is_paid_leaves_nothing_due() -> None:
    """A draft paid on a day has that day as its due date and nothing to pay."""
    invoice = accepted(drafts.read(draft(paid_on="2026-09-10")))
    assert (invoice.due_date, invoice.totals.amount_due) == (date(2026, 9, 10), 0)


@pytest.mark.parametrize(
    ("line", "category", "code"),
    [
        ({"exemption": "VATEX-FR-CGI261-4", "exemption_reason": "Formation"}, "E", "VATEX-FR-CGI261-4"),
        ({"exemption": "VATEX-FR-FRANCHISE"}, "E", "VATEX-FR-FRANCHISE"),
        ({"category": "AE"}, "AE", "VATEX-EU-AE"),
        ({"category": "G"}, "G", "VATEX-EU-G"),
        ({"category": "Z"}, "Z", None),
    ],
)
def test_a_line_without_vat_says_why(line: dict[str, str], category: str, code: str | None) -> None:
    """A reason or a category stands in for a rate, and the group of VAT says it."""
    bare = {name: value for name, value in LINE.items() if name != "vat"}
    buyer = {**BUYER, "vat_number": "auto"}
    invoice = accepted(drafts.read(draft(lines=[{**bare, **line}], buyer=buyer)))
    (row,) = invoice.vat_breakdown
    assert (row.category, row.exemption_code, row.tax_amount) == (category, code, 0)


def test_several_reasons_need_the_extension() -> None:
    """Two reasons of one category make the invoice an extended one, and its lines say theirs."""
    bare = {name: value for name, value in LINE.items() if name != "vat"}
    lines = [{**bare, "exemption": code} for code in ("VATEX-FR-CGI261-4", "VATEX-FR-FRANCHISE")]
    invoice = accepted(drafts.read(draft(lines=lines)))
    assert invoice.specification_identifier.endswith("extended-ctc-fr")
    assert len(invoice.vat_breakdown) == 2
    assert [each.term for each in mistakes(draft(lines=lines, profile="en16931"))] == ["BT-24"]


def test_everything_a_draft_can_say() -> None:
    """Every other field of a draft has its term, and the invoice is accepted."""
    said = {
        "iban": "FR76 3000 6000 0112 3456 7890 189", "order": "BC-1", "contract": "M-2", "buyer_reference": "SERVICE",
        "period_from": "2026-08-01", "period_to": "2026-08-31", "delivered_on": "2026-08-31", "vat_on_debits": "true",
        "allowances": [{"reason": "Fidélité", "percent": "10", "vat": "20"}],
        "charges": [{"reason": "Port", "amount": "12.5", "vat": "20"}],
        "preceding": [{"number": "F2026-1", "date": "2026-08-01"}],
        "lines": [{**LINE, "per": "2", "discount_percent": "5", "details": "Au forfait", "reference": "C1"}],
    }  # fmt: skip
    invoice = accepted(drafts.read(draft(**said)))
    assert invoice.lines[0].net_amount == Decimal("641.25")
    assert invoice.totals.total_without_vat == Decimal("589.62")
    assert invoice.payment is not None
    assert (invoice.payment.means_code, invoice.vat_point_code) == ("58", "3")


def test_a_credit_note_can_be_drafted() -> None:
    """A draft of type 381 that names what it credits is accepted without a due date."""
    preceding = [{"number": "F2026-1", "date": "2026-08-01"}]
    invoice = accepted(drafts.read(draft(type="381", preceding=preceding)))
    assert invoice.due_date is None


def test_another_currency_wants_its_rate() -> None:
    """VAT in euros (BT-111) needs the rate; with it the invoice is accepted."""
    assert [each.path for each in mistakes(draft(currency="USD"))] == ["exchange_rate"]
    invoice = accepted(drafts.read(draft(currency="USD", exchange_rate="0.9")))
    assert invoice.totals.total_vat_in_accounting_currency == Decimal("243.00")


@pytest.mark.parametrize(
    ("changes", "path", "seen"),
    [
        ({"nature": None}, "nature", ""),
        ({"seller": {**SELLER, "siren": "100000008"}}, "seller.siren", "100000008"),
        ({"seller": {**SELLER, "siren": None}}, "seller.siren", ""),
        ({"buyer": {**BUYER, "siret": "10000000900017"}}, "buyer.siret", "10000000900017"),
        ({"buyer": {"name": "Ailleurs"}}, "buyer.electronic_address", ""),
        ({"seller": {**SELLER, "vat_number": None}}, "seller.vat_number", ""),
        ({"lines": []}, "lines", ""),
        ({"lines": [{**LINE, "vat": "19"}]}, "lines[0].vat", "19"),
        ({"lines": [{**LINE, "vat": "0"}]}, "lines[0].vat", "0"),
        ({"lines": [{**LINE, "category": "E"}]}, "lines[0].vat", "E 20"),
        ({"lines": [{**LINE, "unit": "HEURE?"}]}, "lines[0].unit_code", "HEURE?"),
        ({"lines": [{**LINE, "price": "un"}]}, "lines[0].price", "un"),
        ({"lines": [{**LINE, "price": "9" * 41}]}, "lines[0].price", "9" * 41),
        ({"lines": [{**LINE, "price": "NaN"}]}, "lines[0].price", "NaN"),
        ({"lines": [{**LINE, "colour": "red"}]}, "lines[0]", "colour"),
        ({"date": "15/09/2026"}, "date", "15/09/2026"),
        ({"number": None}, "$", ""),
        ({"currency": "EURO", "exchange_rate": "1"}, "currency", "EURO"),
        ({"type": "325"}, "type_code", "325"),
        ({"framework": "M7"}, "business_process", "M7"),
        ({"notes": {"XXX": "?"}}, "notes[3].subject_code", "XXX"),
        ({"iban": "FR7630006000011234567890180"}, "iban", "FR7630006000011234567890180"),
        ({"period_from": "2026-09-30", "period_to": "2026-09-01"}, "period_to", "2026-09-01"),
        ({"allowances": [{"reason": "?", "vat": "20"}]}, "allowances[0]", ""),
        ({"buyer": {**BUYER, "electronic_address": "XX:1"}}, "buyer.electronic_address", "XX"),
        ({"seller": {**SELLER, "name": "A\x01B"}}, "seller.name", "'\\x01'"),
        ({"notes": {"AAI": "\x00"}}, "notes[AAI]", "'\\x00'"),
        ({"vat_on_debits": "oui"}, "vat_on_debits", "oui"),
        ({"lines": {"description": "x"}}, "lines", "object"),
        ({"profile": "basic"}, "profile", "basic"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_is(changes: dict[str, object], path: str, seen: str) -> None:
    """Each mistake names its place and what was seen there."""
    found = mistakes(draft(**changes))
    assert [(each.path, each.seen) for each in found] == [(path, seen)]


def test_all_mistakes_are_said_at_once() -> None:
    """A draft with three mistakes is answered with three."""
    wrong = draft(nature=None, lines=[{**LINE, "vat": "19"}], seller={**SELLER, "siren": "123456789"})
    assert {each.term for each in mistakes(wrong)} == {"BT-23", "BT-151", "BT-30"}


def test_a_code_that_is_nearly_right_is_offered() -> None:
    """An unknown code is answered with the list it is not in and those it may have meant."""
    line = {**{name: value for name, value in LINE.items() if name != "vat"}, "exemption": "VATEX-FR-FRANCHIZE"}
    found = mistakes(draft(lines=[line]))
    assert all("VATEX-FR-FRANCHISE" in each.fr for each in found)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"", "$"),
        (b"\xff\xfe\x00", "$"),
        (b"number: F1\nnumber: F2\n", "2:1"),
        (b"a: &a [x]\nb: *a\n", "2:4"),
        (b"a: !!python/object:os.system x\n", "$"),
        (b"[1, 2]", "$"),
        (b"a: [", "2:1"),
        (b"number: " + b"[" * 3000, "1:1008"),
        (b"".join(b" " * deep + b"a:\n" for deep in range(DRAFT_DEPTH_MAX + 2)), f"{TOO_DEEP}:{TOO_DEEP}"),
        (b"number;colour\nF1;red\n", "1"),
        ("Numéro;Date\nF1;x\n".encode("cp1252"), "1"),
        (b"number;number\nF1;F1\n", "1"),
        (b"number;description\nF1\n", "2"),
        (b'number;description\nF1;"x\n', "2"),
        (b"number;description\nF1;a\nF2;b\n", "3, number"),
        (b"seller;seller.name;description\nA;B;c\n", "2, seller.name"),
        (CSV.replace("1 450,50", "cher").encode(), "2, price"),
        (b"x" * (DRAFT_BYTES_MAX + 1), "$"),
    ],
)  # fmt: skip
def test_what_is_no_draft_is_said(data: bytes, path: str) -> None:
    """A file that is no draft is refused, with the line or the cell where there is one."""
    assert [each.path for each in mistakes(data)] == [path]


def test_a_draft_of_the_greatest_size_is_read() -> None:
    """A draft of exactly the limit is read: its note is long, and nothing else."""
    start = draft(notes=None) + b"notes: {AAI: "
    data = start + b"x" * (DRAFT_BYTES_MAX - len(start) - 1) + b"}"
    assert len(data) == DRAFT_BYTES_MAX
    assert len(drafts.read(data).mention("AAI") or "") > 1_000_000


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_are_a_surprise(data: bytes) -> None:
    """Whatever the bytes, the answer is an invoice or what is wrong with them."""
    with pytest.raises(Mistaken):
        drafts.read(data)


def test_the_words_for_units_are_units() -> None:
    """Each word for a unit stands for a code of the list, and so does each default of VAT."""
    units, reasons = codes_lists.of("UN/ECE Rec 20"), codes_lists.of("VATEX")
    assert all(code in units for code in draft_defaults.UNITS.values())
    assert all(code in reasons for code in draft_defaults.CATEGORIES)
    assert all(code in reasons for code, _ in (*draft_defaults.REASONS.values(), draft_defaults.FRANCHISE))


@pytest.mark.parametrize(
    ("changes", "fr", "en"),
    [
        ({"date": "hier"}, "une date AAAA-MM-JJ", "a date YYYY-MM-DD"),
        ({"vat_on_debits": "oui"}, "true ou false", "true or false"),
        ({"exchange_rate": "un"}, "un nombre comme 1234.50", "a number such as 1234.50"),
        ({"number": None}, "le champ number", "the field number"),
        ({"preceding": [{"colour": "red"}]}, "un champ parmi number, date", "a field among number, date"),
        ({"lines": "x"}, "une liste", "a list"),
        ({"seller": "x"}, "des champs", "fields"),
        ({"nature": "x"}, "une valeur de la liste", "a value of the list"),
    ],
)
def test_shapes_are_said_in_words(changes: dict[str, object], fr: str, en: str) -> None:
    """A field of the wrong shape is answered in words, in French and in English."""
    (mistake,) = mistakes(draft(**changes))
    assert (mistake.fr, mistake.en) == (f"Attendu : {fr}.", f"Expected: {en}.")


FIELDS = [*BASE, "type", "framework", "currency", "iban", "due", "paid_on", "exchange_rate", "notes", "contract"]
VALUES = st.text(max_size=12) | st.sampled_from(["auto", "EUR", "381", "S2", "1e9", "0", "-1", "2026-09-15"])
SHAPES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*SELLER, *LINE]), inner, max_size=3),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.sampled_from(FIELDS), SHAPES, max_size=4),
    st.dictionaries(st.sampled_from([*SELLER, *LINE]), VALUES, max_size=3),
)
def test_no_field_is_a_surprise(changes: dict[str, object], deeper: dict[str, str]) -> None:
    """Whatever the fields hold, the answer is an invoice that can be written, or what is wrong."""
    party = {**SELLER, **{name: value for name, value in deeper.items() if name in SELLER}}
    line = {**LINE, **{name: value for name, value in deeper.items() if name in LINE}}
    try:
        invoice = complete(drafts.read(draft(**{"seller": party, "lines": [line], **changes}))).invoice
    except Mistaken as refused:
        assert refused.mistakes
    else:
        assert write(invoice, Syntax.UBL)
        assert write(invoice, Syntax.CII)
