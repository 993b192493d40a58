"""Files of unit records: what is good is read, what is wrong is told where, as seen and as expected."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estafette.formats.flux10 import DailyPayment, DailyTotal, InvoicePayment, PaidPart, ReportedInvoice, Role
from estafette.reporting.columns import COLUMNS
from estafette.reporting.records import FAULTS_MAX, Records, read_records
from estafette.values.limits import REPORTING_ROWS_MAX

ON = date(2026, 9, 15)
HEAD = "id;date;categorie;taux;base;tva"
GOOD = "Z1;14/09/2026;TLB1;20;100,00;20,00"


def read(*lines: str, **terms: Any) -> Records:
    """Read the lines of a file."""
    return read_records("\n".join(lines).encode(), on=ON, **terms)


def faults(records: Records) -> list[tuple[int, str, str]]:
    """Return where the faults are and what was seen."""
    assert all("attendu" in fault.fr and "expected" in fault.en for fault in records.faults)
    return [(fault.line, fault.column, fault.seen) for fault in records.faults]


def unit(records: Records) -> Any:
    """Return the first unit of a file that is good."""
    assert records.faults == ()
    return records.records[0].units[0][1]


@pytest.mark.parametrize(
    "data",
    [
        f"{HEAD}\n{GOOD}\n".encode(),
        f"\ufeff{HEAD}\r\n{GOOD}\r\n".encode(),
        "id;Date;Catégorie;Taux;Base;TVA\nZ1;2026-09-14;tlb1;20,0 %;100.00;20".encode("cp1252"),
        b"id,date,category,rate,taxable_amount,tax_amount\nZ1,20260914,TLB1,20.00,100,20.0",
        b"id\tdate\tcategory\trate\ttaxable_amount\ttax_amount\nZ1\t2026-09-14\tTLB1\t20\t100\t20",
        b'[{"id":"Z1","date":"2026-09-14","category":"TLB1","rate":20,"taxable_amount":100.00,"tax_amount":"20"}]',
        b'{"records":[{"id":"Z1","date":"2026-09-14","categorie":"TLB1","taux":20,"base":1e2,"tva":20}]}',
    ],
)
def test_one_sale_many_writings(data: bytes) -> None:
    """French or English names, any separator, point or comma, two encodings, JSON: the same sale."""
    sold = unit(read_records(data, on=ON))
    assert (sold.day, sold.category, sold.taxable_amount, sold.tax_amount) == (date(2026, 9, 14), "TLB1", 100, 20)
    assert sold.parts[0].rate == 20


def test_what_each_kind_gives() -> None:
    """A sale paid at once is a payment too; a payment is of the day, or of an invoice."""
    head = "type;id;date;categorie;taux;base;tva;encaisse;montant;facture;date_facture;nombre"
    records = read(
        head,
        "vente;a;14/09/2026;TPS1;10;50;5;oui;;;;3",
        "encaissement;b;14/09/2026;;20;;;;120;;;",
        "payment;c;2026-09-14;;20;;;;240;F1;01/09/2026;",
    )
    assert records.faults == ()
    sale, payment, of_invoice = records.records
    total, paid = (unit for _key, unit in sale.units)
    assert isinstance(total, DailyTotal)
    assert total.count == 3
    assert paid == DailyPayment(date(2026, 9, 14), (PaidPart(Decimal(10), Decimal(55)),))
    assert payment.units[0][1] == DailyPayment(date(2026, 9, 14), (PaidPart(Decimal(20), Decimal(120)),))
    assert isinstance(of_invoice.units[0][1], InvoicePayment)
    assert of_invoice.invoice_number == "F1"


def test_the_option_on_debits() -> None:
    """The company's option applies to services only, and a row may say otherwise; nothing is due on payment then."""
    head = f"{HEAD};debits;encaisse"
    day = "14/09/2026"
    rows = (f"a;{day};TPS1;20;1;0,2;;oui", f"b;{day};TPS1;20;1;0,2;non;oui", f"c;{day};TLB1;20;1;0,2;;oui")
    records = read(head, *rows, on_debits=True).records
    points = [record.units[0][1].vat_point_code for record in records]  # type: ignore[union-attr]
    assert points == ["3", None, None]
    assert [record.units[1][1] is None for record in records] == [True, False, False]


@pytest.mark.parametrize(
    ("row", "column", "seen"),
    [
        ("a;31/02/2026;TLB1;20;1;0,2", "date", "31/02/2026"),
        ("a;16/09/2026;TLB1;20;1;0,2", "date", "2026-09-16"),
        ("a;hier;TLB1;20;1;0,2", "date", "hier"),
        ("a;14/09/2026;TLB2;20;1;0,2", "category", "TLB2"),
        ("a;14/09/2026;TLB1;21;1;0,2", "rate", "21"),
        ("a;14/09/2026;TLB1;20;1,005;0,2", "taxable_amount", "1,005"),
        ("a;14/09/2026;TLB1;20;1e3;0,2", "taxable_amount", "1e3"),
        ("a;14/09/2026;TLB1;20;NaN;0,2", "taxable_amount", "NaN"),
        (f"a;14/09/2026;TLB1;20;{'9' * 30};0,2", "taxable_amount", "9" * 30),
        ("a;14/09/2026;TLB1;20;100;2", "tax_amount", "2"),
        ("a;14/09/2026;TLB1;20;;20", "taxable_amount", ""),
        ("a;14/09/2026;TNT1;20;100;20", "rate", "20 / 20"),
        (f"{'a' * 101};14/09/2026;TLB1;20;1;0,2", "id", "a" * 60),
    ],
)
def test_a_bad_value_is_told(row: str, column: str, seen: str) -> None:
    """The line, the column, what was seen and what is expected; the good row beside is read all the same."""
    records = read(HEAD, GOOD, row)
    assert faults(records) == [(3, column, seen)]
    assert len(records.records) == 1


@pytest.mark.parametrize(
    ("data", "column"),
    [
        (b"", ""),
        (HEAD.encode(), ""),
        (f"{HEAD};couleur\n{GOOD};bleu".encode(), "couleur"),
        (f'{HEAD}\n"Z1;14/09/2026'.encode(), ""),
        (b"[{]", ""),
        (b'{"lignes":[]}', "records"),
        (b"[1]", ""),
        (b'[{"couleur":"bleu"}]', "couleur"),
        (b"[" * 100_000, ""),
        (b"\x00\xff\xfe", "\x00ÿþ"),
    ],
)
def test_a_bad_file_is_told(data: bytes, column: str) -> None:
    """Empty, no row, an unknown column, a broken quote or bracket, nested without end, not text at all."""
    records = read_records(data, on=ON)
    assert not records.is_whole
    assert records.faults[0].column == column


def test_an_id_makes_a_row_one() -> None:
    """The same id twice in a file is a mistake; without one, a row is that line of that very file."""
    assert faults(read(HEAD, GOOD, GOOD)) == [(3, "id", "Z1")]
    row = GOOD.removeprefix("Z1")
    first, second = read(HEAD, row, row).records
    again = read(HEAD, row, row).records[0]
    assert first.units[0][0] != second.units[0][0]
    assert first.units[0][0] == again.units[0][0]


def test_an_international_invoice_in_json() -> None:
    """An invoice of block 10.1 has the fields of the model; its total is that of its parts when it says none."""
    invoice = {
        "number": "X1",
        "issue_date": "2026-09-14",
        "type_code": "380",
        "currency": "EUR",
        "business_process": "S1",
        "seller": {"identifier": "DE123456789", "scheme": "0223", "vat_identifier": "DE123456789", "country": "DE"},
        "vat_breakdown": [{"category": "AE", "rate": 20, "taxable_amount": "100.00", "tax_amount": "20.00"}],
    }
    data = json.dumps([{"record": "invoice", "role": "BY", "invoice": invoice}]).encode()
    (record,) = read_records(data, on=ON).records
    read_one = record.units[0][1]
    assert isinstance(read_one, ReportedInvoice)
    assert (record.role, read_one.total_without_vat) == (Role.BUYER, Decimal("100.00"))
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({"number": ""}, "invoice.number"),
        ({"couleur": 1}, "invoice"),
        ({"issue_date": "2026-09-16"}, "invoice.issue_date"),
        ({"seller": 3}, "invoice"),
    ]
    for broken, column in mistakes:
        data = json.dumps([{"record": "invoice", "invoice": {**invoice, **broken}}]).encode()
        assert read_records(data, on=ON).faults[0].column == column


def test_a_file_has_so_many_rows() -> None:
    """REPORTING_ROWS_MAX rows are read, one more is told; of very many faults the first are told."""
    row = "14/09/2026;TLB1;20;1;0,2"
    head = HEAD.removeprefix("id;")
    whole = read(head, *[row] * REPORTING_ROWS_MAX)
    assert (len(whole.records), whole.faults) == (REPORTING_ROWS_MAX, ())
    assert read(head, *[row] * (REPORTING_ROWS_MAX + 1)).faults[0].line == 0
    assert len(read(head, *["x;y;z;t;u"] * 1000).faults) == FAULTS_MAX


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nothing_breaks_the_reading(data: bytes) -> None:
    """Whatever comes, an answer comes out."""
    records = read_records(data, on=ON)
    assert records.faults or records.records


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
                    | st.integers(), lambda each: st.lists(each, max_size=3) | st.dictionaries(
                        st.sampled_from([column.name for column in COLUMNS]), each, max_size=4)))  # fmt: skip
def test_no_json_breaks_the_reading(value: Any) -> None:
    """Whatever JSON comes, an answer comes out."""
    read_records(msgspec.json.encode([value, {"record": value}]), on=ON)
