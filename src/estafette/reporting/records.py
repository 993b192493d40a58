"""What a till, a marketplace or a software hands in: unit records in CSV or JSON, and every row that is wrong.

A row is a day's sales of one category at one rate (or one ticket, as the company likes), or a payment. Its `id` makes
it one: sent again with other values it replaces, sent again as it was it changes nothing. Without an id a row is that
line of that very file. Columns are in `columns`; a JSON file is a list of objects, or `{"records": [...]}`, with the
same names, and may hold international invoices: `{"record": "invoice", "role": "SE", "invoice": {...}}`.

Nothing stops at the first fault: each is told with its line, its column, what was seen and what is expected.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from estafette.formats.flux10 import (
    DailyPayment,
    DailyTotal,
    InvoicePayment,
    PaidPart,
    RatePart,
    ReportedInvoice,
    Role,
)
from estafette.invoice.codes import VAT_ON_DEBITS
from estafette.reporting.aggregation import ZERO, Unit, totalled
from estafette.reporting.columns import BY_NAME, COLUMNS, INVOICE, NEEDED, SALE, plain_name
from estafette.reporting.extraction import SERVICES, UNTAXED
from estafette.values.limits import REPORTING_ROWS_MAX

FAULTS_MAX = 200
"""Faults told of one file."""

SEEN_MAX = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a file: where, what was seen, what is expected, in both languages. Line 0 is the whole file."""

    line: int
    column: str
    seen: str
    fr: str
    en: str

    def row(self) -> dict[str, Any]:
        """Return the fault as it is kept and answered."""
        return {"line": self.line, "column": self.column, "seen": self.seen, "fr": self.fr, "en": self.en}


@dataclass(frozen=True, slots=True)
class Record:
    """One row taken: what it gives, each under the key that makes it one; None where it gives no more of a key."""

    line: int
    role: Role
    units: tuple[tuple[str, Unit | None], ...]
    invoice_number: str | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """A file once read: its good rows and its faults, in order."""

    records: tuple[Record, ...]
    faults: tuple[Fault, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every row is good."""
        return not self.faults


def read_records(data: bytes, *, on: date, on_debits: bool = False) -> Records:
    """Return the rows of a file handed in on a day. Never raises on what `data` holds.

    `on_debits`: the company opted to owe VAT on services when invoicing; a row may say otherwise.
    """
    reading = _Reading(hashlib.sha256(data).hexdigest()[:16], on, on_debits)
    text = _text(data)
    rows = _json(text.encode(), reading) if text.lstrip().startswith(("{", "[")) else _csv(text, reading)
    try:
        for line, row in rows:
            if line > REPORTING_ROWS_MAX + 1:
                at_most = REPORTING_ROWS_MAX
                reading.fault(0, "", str(line), f"au plus {at_most} lignes : coupez-le", f"at most {at_most} rows")
                break
            reading.row(line, row)
    except csv.Error as error:
        reading.fault(0, "", str(error), "un fichier CSV bien formé", "a well-formed CSV file")
    if not (reading.records or reading.faults):
        reading.fault(0, "", "", "au moins une ligne", "at least one row")
    return Records(tuple(reading.records), tuple(reading.faults))


def _text(data: bytes) -> str:
    """Decode UTF-8, else what French spreadsheets write."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


class _Reading:
    """One reading of one file."""

    def __init__(self, file: str, on: date, on_debits: bool) -> None:
        self.records: list[Record] = []
        self.faults: list[Fault] = []
        self._file = file
        self.on = on
        self._on_debits = on_debits
        self._seen: dict[str, int] = {}

    def fault(self, line: int, column: str, seen: str, fr: str, en: str) -> None:
        """Remember a fault; `fr` and `en` say what is expected."""
        if len(self.faults) < FAULTS_MAX:
            shown = seen[:SEEN_MAX]
            self.faults.append(Fault(line, column, shown, f"attendu : {fr}", f"expected: {en}"))

    def row(self, line: int, row: Mapping[str, Any]) -> None:
        """Read one row: a record, or its faults."""
        before = len(self.faults)
        said = _international(self, line, row) if row.get("record") == INVOICE else self._flat(line, row)
        if said is None or len(self.faults) > before:
            return
        for key, _unit in said.units:
            if key in self._seen:
                fr, en = f"un id par ligne, déjà lu ligne {self._seen[key]}", f"one id a row, had on {self._seen[key]}"
                self.fault(line, "id", key.partition(":")[2], fr, en)
                return
            self._seen[key] = line
        self.records.append(said)

    def _flat(self, line: int, row: Mapping[str, Any]) -> Record | None:
        said = dict(self._values(line, row))
        kind = said.get("record", SALE)
        for name in NEEDED[kind]:
            if name not in said and not row.get(name):
                self.fault(line, name, "", "une valeur", "a value")
        if any(name not in said for name in NEEDED[kind]):
            return None
        if said["date"] > self.on:
            self.fault(line, "date", str(said["date"]), "un jour passé (G1.07)", "a day past (G1.07)")
        key = f"{kind}:{said['id']}" if "id" in said else f"{kind}:{self._file}:{line}"
        return self._sale(line, key, said) if kind == SALE else self._payment(line, key, said)

    def _values(self, line: int, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for column in COLUMNS:
            text = _as_text(row.get(column.name))
            if not text:
                continue
            try:
                yield column.name, column.read(text)
            except ValueError:
                self.fault(line, column.name, text, *column.expected)

    def _sale(self, line: int, key: str, said: dict[str, Any]) -> Record:
        base, tax, rate = said["taxable_amount"], said["tax_amount"], said["rate"]
        self._check_tax(line, said)
        debits = said.get("debits", self._on_debits) and said["category"] == SERVICES
        currency = said.get("currency", "EUR")
        total = totalled(
            DailyTotal(
                day=said["date"],
                category=said["category"],
                currency=currency,
                vat_point_code=VAT_ON_DEBITS if debits else None,
                count=said.get("count"),
                parts=(RatePart(rate, base, tax),),
            )
        )
        paid: Unit | None = None
        if said.get("paid") and said["category"] != UNTAXED and not debits:
            if currency != "EUR":
                fr, en = "des encaissements en euros (G6.27), à part", "payments in euros (G6.27), apart"
                self.fault(line, "paid", currency, fr, en)
            paid = DailyPayment(said["date"], (PaidPart(rate, base + tax),))
        return Record(line, Role.SELLER, ((key, total), (f"{key}:paid", paid)), said.get("invoice_number"))

    def _check_tax(self, line: int, said: dict[str, Any]) -> None:
        """The VAT is of its category, and of its rate within what rounding explains: one per cent, or one euro."""
        base, tax, rate = said["taxable_amount"], said["tax_amount"], said["rate"]
        if said["category"] == UNTAXED and (rate or tax):
            self.fault(line, "rate", f"{rate} / {tax}", "taux et TVA à 0 pour TNT1", "rate and VAT of 0 for TNT1")
        owed = base * rate / 100
        if said.get("currency", "EUR") == "EUR" and abs(tax - owed) > max(Decimal(1), abs(base) / 100):
            self.fault(line, "tax_amount", str(tax), f"environ {owed:.2f} ({base} à {rate} %)", f"about {owed:.2f}")

    def _payment(self, line: int, key: str, said: dict[str, Any]) -> Record | None:
        number, issued = said.get("invoice_number"), said.get("invoice_date")
        if (number is None) != (issued is None):
            missing = "invoice_date" if issued is None else "invoice_number"
            fr, en = (
                "le numéro et la date de la facture, ou aucun des deux",
                "number and date of the invoice, or neither",
            )
            self.fault(line, missing, "", fr, en)
            return None
        if said.get("currency", "EUR") != "EUR":
            self.fault(line, "currency", said["currency"], "EUR (G6.27)", "EUR (G6.27)")
        parts = (PaidPart(said["rate"], said["amount"]),)
        if number is None or issued is None:
            return Record(line, Role.SELLER, ((key, DailyPayment(said["date"], parts)),))
        return Record(line, Role.SELLER, ((key, InvoicePayment(number, issued, said["date"], parts)),), number)


def invoice_unit_key(role: Role, invoice: ReportedInvoice) -> str:
    """Return what makes a reported invoice one in a ledger, however it came."""
    year = invoice.issue_date.year if invoice.issue_date else 0
    return f"invoice:{role}:{invoice.seller.identifier}:{year}:{invoice.number}"


def _international(reading: _Reading, line: int, row: Mapping[str, Any]) -> Record | None:
    """Read an international invoice (JSON only)."""
    try:
        role = Role(str(row.get("role", Role.SELLER)))
        invoice = msgspec.convert(row.get("invoice"), ReportedInvoice, strict=False)
    except (ValueError, msgspec.ValidationError) as wrong:
        reading.fault(line, "invoice", str(wrong), "une facture du modèle 10.1", "an invoice of the model 10.1")
        return None
    needed = {
        "number": invoice.number,
        "issue_date": invoice.issue_date,
        "seller.identifier": invoice.seller.identifier,
        "vat_breakdown": invoice.vat_breakdown,
    }
    for name, value in needed.items():
        if not value:
            reading.fault(line, f"invoice.{name}", "", "une valeur", "a value")
    if invoice.issue_date and invoice.issue_date > reading.on:
        reading.fault(
            line, "invoice.issue_date", str(invoice.issue_date), "un jour passé (G1.07)", "a day past (G1.07)"
        )
    if invoice.total_without_vat is None:
        bases = (part.taxable_amount or ZERO for part in invoice.vat_breakdown)
        invoice = msgspec.structs.replace(invoice, total_without_vat=sum(bases, ZERO))
    return Record(line, role, ((invoice_unit_key(role, invoice), invoice),), invoice.number)


def _csv(text: str, reading: _Reading) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """Give the rows of a CSV file, each with its line; separators `;`, `,` or tabulation, as the header has them."""
    header = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=max(";,\t", key=header.count), strict=True)
    names = []
    for name in next(rows, []):
        column = BY_NAME.get(plain_name(name))
        if column is None:
            known = ", ".join(each.french for each in COLUMNS), ", ".join(each.name for each in COLUMNS)
            reading.fault(1, name, name, f"une colonne parmi {known[0]}", f"a column among {known[1]}")
        names.append(column.name if column else "")
    for row in rows:
        if any(cell.strip() for cell in row):
            yield rows.line_num, dict(zip(names, row, strict=False))


def _json(data: bytes, reading: _Reading) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """Give the records of a JSON file, each with its rank from 1."""
    try:
        read = msgspec.json.Decoder(float_hook=Decimal).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as wrong:
        reading.fault(0, "", str(wrong), "un fichier JSON bien formé", "a well-formed JSON file")
        return
    held = read.get("records") if isinstance(read, dict) else read
    if not isinstance(held, list):
        reading.fault(0, "records", type(held).__name__, "une liste", "a list")
        return
    for line, each in enumerate(held, start=1):
        if not isinstance(each, dict):
            reading.fault(line, "", str(each), "un objet", "an object")
            continue
        named = {}
        for name, value in each.items():
            column = BY_NAME.get(plain_name(str(name)))
            if column is None and each.get("record") != INVOICE:
                known = ", ".join(one.name for one in COLUMNS)
                reading.fault(line, str(name), str(name), f"un champ parmi {known}", f"a field among {known}")
            named[column.name if column and each.get("record") != INVOICE else str(name)] = value
        yield line, named


def _as_text(value: Any) -> str:
    """Return a value of a row as text: JSON has numbers and booleans of its own."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() and abs(value.adjusted()) < 40 else str(value)
    return str(value).strip()
