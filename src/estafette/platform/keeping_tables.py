"""The tables of keeping beside those of every actor: restitution packages, and companies that leave or have come."""

from sqlalchemy import JSON, BigInteger, Column, Date, ForeignKey, Index, Integer, String, Table

from estafette.platform.tables import metadata
from estafette.store.columns import Instant

package = Table(
    "package",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("siren", String(9), ForeignKey("company.siren"), nullable=False),
    Column("purpose", String(12), nullable=False),  # tenant, control, portability
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("counterpart", String(20)),
    Column("asked_by", String(100), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", String(10), nullable=False),  # asked, ready, failed, expired
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("cursor", JSON, nullable=False),  # how far it is written, while it is
    Column("size", BigInteger),
    Column("sha256", String(64)),
    Column("ready_at", Instant),
    Column("expires_at", Instant),
    Column("error", String(500)),
    Index("package_siren", "siren", "asked_at"),
    Index("package_state", "state"),
)
"""Packages that were asked for. The file is in the actor's folder, under its identifier, until it expires."""

departure = Table(
    "departure",
    metadata,
    Column("siren", String(9), ForeignKey("company.siren"), primary_key=True),
    Column("agreed_on", Date, primary_key=True),
    Column("matricule", String(10), nullable=False),
    Column("objection_until", Date, nullable=False),
    Column("line_until", Date, nullable=False),
    Column("serves_until", Date, nullable=False),
    Column("package_id", String(36)),
    Column("recorded_by", String(100), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
)
"""A company that goes to another platform, whose formal agreement is of that day: until when one may object, the lines
are to be handed over, and this platform still serves what was exchanged."""

imported = Table(
    "imported",
    metadata,
    Column("invoice_id", String(36), ForeignKey("invoice.id"), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("sha256", String(64), nullable=False),
)
"""What came with an invoice taken over from another platform, beside its original and statuses: its proof, what the
State was told."""
