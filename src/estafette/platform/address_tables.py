"""What a platform asks of the directory for its customers, and what the portal answered."""

from sqlalchemy import JSON, Column, Date, Index, Integer, String, Table

from estafette.platform.tables import metadata
from estafette.store.columns import Instant

address_request = Table(
    "address_request",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("siren", String(9), nullable=False),
    Column("address", String(125), nullable=False),
    Column("nature", String(1), nullable=False),  # D definition, M masking
    Column("start", Date, nullable=False),
    Column("end", Date),
    Column("matricule", String(4), nullable=False),
    Column("state", String(12), nullable=False),  # packed, receivable, accepted, rejected, irreceivable
    Column("flow_name", String(60), nullable=False),
    Column("details", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("found_at", Instant),
    Index("address_request_siren", "siren"),
    Index("address_request_flow", "flow_name"),
    Index("address_request_state", "state", "found_at"),
)
"""One line asked for, alone in its flow: the portal's answers name the flow and nothing else (annex 7 G7.23).

`found_at`: when the copy of the directory was first seen to show it as it was asked.
"""
