"""The tables of the portal for e-reporting: the transmissions accepted, and the invoices they report."""

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from estafette.portal.tables import metadata
from estafette.store.columns import Instant

accepted_report = Table(
    "accepted_report",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("declarant", String(9), nullable=False),
    Column("role", String(2), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("start", Date, nullable=False),
    Column("end", Date, nullable=False),
    Column("identifier", String(50), nullable=False),
    Column("type_code", String(2), nullable=False),
    Column("partner", String(10), nullable=False),
    Column("flow_name", String(60), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("issued_at", Instant),
    UniqueConstraint("declarant", "start", "end", "identifier", name="accepted_report_once"),
    Index("accepted_report_period", "declarant", "role", "kind", "start", "end"),
)
"""Transmissions accepted (300), once by declarant, period and identifier (G8.05); of a period one stands, those
it replaced stay."""

reported_invoice = Table(
    "reported_invoice",
    metadata,
    Column("report_id", Integer, ForeignKey("accepted_report.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("seller", String(18), nullable=False),
    Column("year", Integer, nullable=False),
    Column("number", String(35), nullable=False),
    Index("reported_invoice_key", "seller", "year", "number"),
)
"""Invoices of block 10.1 that sellers reported; each once among the transmissions that stand (G1.42)."""
