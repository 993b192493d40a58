"""Transmissions of e-reporting: read as written, written as the portal's schema and rules want."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree
from msgspec.structs import replace
from pyfrctc.ereporting import check_ereporting_xsd
from tests.mutants import mutants

from estafette.formats import flux10
from estafette.formats.flux10 import (
    DailyPayment,
    DailyTotal,
    InvoicePayment,
    Kind,
    PaidPart,
    RatePart,
    Report,
    ReportedInvoice,
    ReportedParty,
    Role,
)
from estafette.formats.xml import Unreadable
from estafette.invoice.model import (
    Address,
    AllowanceCharge,
    Delivery,
    Item,
    Line,
    Note,
    Period,
    PrecedingInvoice,
    Price,
    VatBreakdown,
)
from estafette.rules import check
from estafette.rules.catalogue import SCHEMAS
from estafette.rules.schema import schema_findings
from estafette.simulation.messages import payments_report, transactions_report

DAY = date(2026, 9, 5)
OFFICIAL = Path(__file__).parents[2] / "../shared/schemas/dgfip-v3.2/1-E-reporting/ereporting.xsd"

WHOLE_INVOICE = ReportedInvoice(
    number="F-1",
    issue_date=DAY,
    type_code="381",
    currency="EUR",
    due_date=date(2026, 10, 5),
    vat_point_code="3",
    notes=(Note("Membre d'un assujetti unique", "TXD"),),
    business_process="M1",
    preceding_invoices=(PrecedingInvoice("F-0", date(2026, 8, 1)),),
    seller=ReportedParty("100000009", "0002", "FR15100000009", "FR"),
    buyer=ReportedParty("DE123456789", "0223", "DE123456789", "DE"),
    representative_vat_identifier="FR15100000009",
    deliveries=(
        Delivery(
            actual_delivery_date=DAY,
            postal_address=Address("1", "2", "3", city="Bonn", post_code="5", subdivision="N", country_code="DE"),
        ),
    ),
    period=Period(date(2026, 9, 1), date(2026, 9, 4)),
    allowances=(AllowanceCharge(amount=Decimal("1.00"), vat_category="S", vat_rate=Decimal(20)),),
    charges=(AllowanceCharge(amount=Decimal("2.00"), vat_category="S", vat_rate=Decimal(20)),),
    total_without_vat=Decimal("100.00"),
    total_vat=Decimal("20.00"),
    vat_breakdown=(
        VatBreakdown(Decimal("100.00"), Decimal("20.00"), "S", Decimal(20)),
        VatBreakdown(Decimal("0.00"), Decimal("0.00"), "E", Decimal(0), "Exonération", "VATEX-FR-CNWVAT"),
    ),
    lines=(
        Line(
            notes=(Note("x", "BLU"),),
            quantity=Decimal("2.5"),
            unit_code="C62",
            preceding_invoice=PrecedingInvoice("F-0", date(2026, 8, 1)),
            delivery=Delivery(name="Quai", postal_address=Address(line_one="1", country_code="DE")),
            period=Period(date(2026, 9, 1), date(2026, 9, 4)),
            allowances=(AllowanceCharge(amount=Decimal("1.00")),),
            charges=(AllowanceCharge(amount=Decimal("1.00")),),
            price=Price(net=Decimal("40.0"), discount=Decimal("1.0"), gross=Decimal("41.0")),
            item=Item(name="Vis"),
        ),
    ),
)
TRANSACTIONS = Report(
    identifier="R-1",
    name="Septembre",
    issued_at=datetime(2026, 9, 21, 4, 15, tzinfo=UTC),
    type_code="IN",
    platform="0003",
    platform_name="Relais",
    declarant="100000009",
    declarant_name="Atelier & Cie",
    role=Role.SELLER,
    kind=Kind.TRANSACTIONS,
    start=date(2026, 9, 1),
    end=date(2026, 9, 10),
    invoices=(WHOLE_INVOICE,),
    daily_totals=(
        DailyTotal(
            day=DAY,
            category="TPS1",
            vat_point_code="3",
            taxable_amount=Decimal("-10.00"),
            tax_amount=Decimal("-1.00"),
            count=3,
            parts=(RatePart(Decimal(10), Decimal("-10.00"), Decimal("-1.00")),),
        ),
    ),
)
PAYMENTS = replace(
    TRANSACTIONS,
    kind=Kind.PAYMENTS,
    invoices=(),
    daily_totals=(),
    invoice_payments=(InvoicePayment("F-1", DAY, DAY, (PaidPart(Decimal("5.5"), Decimal("105.50")),)),),
    daily_payments=(DailyPayment(DAY, (PaidPart(Decimal(20), Decimal("120.00")),)),),
)


@pytest.mark.parametrize("report", [TRANSACTIONS, PAYMENTS], ids=["transactions", "payments"])
def test_every_datum_comes_back(report: Report) -> None:
    """What is written is read again, every field of every block."""
    assert flux10.read(flux10.write(report)) == report


@pytest.mark.parametrize("report", [TRANSACTIONS, PAYMENTS], ids=["transactions", "payments"])
def test_the_official_artefacts_accept_it(report: Report) -> None:
    """The portal's schema, as two readers of it apply it, and its Schematron find nothing."""
    data = flux10.write(report)
    check_ereporting_xsd(data)
    verdict = check(data)
    assert (verdict.accepted, verdict.findings) == (True, ())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("made", [transactions_report, payments_report])
def test_others_transmissions_are_read(seed: int, made: object) -> None:
    """A transmission from elsewhere is read, and written again to the same facts."""
    report = flux10.read(made(seed))  # type: ignore[operator]
    assert flux10.read(flux10.write(report)) == report


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"20260905", b"20260231", "date"),
        (b"<TypeCode>IN</TypeCode>", b"", "type_code"),
        (b"-10.00", b"dix", "decimal"),
        (b"TransactionsReport", b"Rapport", "G6.29"),
        (b"Report>", b"Facture>", "Flow 10"),
        (b"</Report>", b"", "well formed"),
    ],
)
def test_what_cannot_be_read_is_said(old: bytes, new: bytes, says: str) -> None:
    """A day that is none, a datum missing or of another type, a file of another kind: said, with the place."""
    with pytest.raises(Unreadable, match=says):
        flux10.read(flux10.write(TRANSACTIONS).replace(old, new))


def test_the_head_survives_the_rest() -> None:
    """A transmission that cannot be read whole still says which it is and whose."""
    broken = flux10.write(TRANSACTIONS).replace(b"20260905", b"20260231")
    assert flux10.head(broken) == flux10.Head("R-1", "100000009", datetime(2026, 9, 21, 4, 15, tzinfo=UTC))
    assert flux10.head(b"<Report/>") == flux10.Head()


@pytest.mark.skipif(not OFFICIAL.exists(), reason="the schemas of the State are not beside the repository")
@pytest.mark.parametrize("whole", [TRANSACTIONS, PAYMENTS], ids=["transactions", "payments"])
def test_the_schema_applied_is_that_of_the_state(whole: Report) -> None:
    """Whatever one changes in a transmission, the schema that judges it and that of v3.2 say the same of it."""
    official, said = etree.XMLSchema(etree.parse(OFFICIAL)), set()
    for changed in mutants(etree.fromstring(flux10.write(whole))):
        tree = etree.ElementTree(changed)
        is_taken = official.validate(tree)
        assert (schema_findings(tree, SCHEMAS[("FLUX10", "")]) == ()) == is_taken, etree.tostring(changed)
        said.add(is_taken)
    assert said == {True, False}
