"""The tables of e-reporting: regimes, the ledger of unit records, the files that brought them, transmissions.

They join those of the platform. The ledger is only added to: of a key the latest row stands, and a row without data
takes the unit back.
"""

from sqlalchemy import JSON, Boolean, Column, Date, ForeignKey, Index, Integer, String, Table

from estafette.platform.tables import metadata
from estafette.store.columns import Instant, partial_index

reporting_regime = Table(
    "reporting_regime",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("siren", String(9), ForeignKey("company.siren"), nullable=False),
    Column("since", Date, nullable=False),
    Column("regime", String(12), nullable=False),
    Column("on_debits", Boolean, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("reporting_regime_siren", "siren"),
)
"""VAT regimes of a company; of one day the latest row stands."""

unit_record = Table(
    "unit_record",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("siren", String(9), ForeignKey("company.siren"), nullable=False),
    Column("role", String(2), nullable=False),  # TT-15
    Column("kind", String(12), nullable=False),
    Column("block", String(4), nullable=False),
    Column("key", String(300), nullable=False),
    Column("day", Date, nullable=False),  # decides the period
    Column("data", JSON(none_as_null=True)),  # None: taken back
    Column("source", String(10), nullable=False),  # invoice, status, file, report, desk
    Column("source_id", String(200), nullable=False),
    Column("place", Integer, nullable=False),  # the line of a file, the rank in a report
    Column("reference", String(255)),  # the number of the invoice it is about
    Column("recorded_at", Instant, nullable=False),
    Index("unit_record_key", "siren", "key", "id"),
    Index("unit_record_day", "siren", "role", "kind", "day"),
    Index("unit_record_reference", "siren", "reference"),
    Index("unit_record_kept", "day", "id"),
)
"""Every operation and payment to be reported, where it came from, and every change of it."""

reporting_file = Table(
    "reporting_file",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("siren", String(9), ForeignKey("company.siren"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("source", String(10), nullable=False),  # api, desk
    Column("state", String(10), nullable=False),  # taken, partial, refused
    Column("rows", Integer, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("faults", JSON, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("reporting_file_siren", "siren", "recorded_at"),
    partial_index("reporting_file_kept", "recorded_at", where="sha256 != ''"),
)
"""Files of unit records as they came, and what was wrong in them."""

transmission = Table(
    "transmission",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("siren", String(9), ForeignKey("company.siren"), nullable=False),
    Column("role", String(2), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("start", Date, nullable=False),
    Column("end", Date, nullable=False),
    Column("identifier", String(50), nullable=False),  # TT-1
    Column("type_code", String(2), nullable=False),  # TT-4
    Column("state", String(12), nullable=False),
    Column("digest", String(64), nullable=False),  # of the content alone
    Column("sha256", String(64), nullable=False),
    Column("flow_name", String(60)),
    Column("details", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Index("transmission_once", "siren", "identifier", unique=True),
    Index("transmission_period", "siren", "role", "kind", "start"),
    Index("transmission_state", "state"),
    Index("transmission_flow", "flow_name"),
    partial_index("transmission_kept", "end", "id", where="sha256 != ''"),
)
"""What was sent for a period. `state`: blocked (our own controls), waiting, packed, receivable, accepted, rejected,
irreceivable."""
