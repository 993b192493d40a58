"""The tables of the Flow Service beside `flow`: how each client wants to see its flows, and whom it wants called."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from estafette.platform.tables import metadata
from estafette.store.columns import Instant

flow_view = Table(
    "flow_view",
    metadata,
    Column("client_id", String(100), primary_key=True),
    Column("direction", String(10), nullable=False),  # delivery, annex-c
    Column("state_flows", Boolean, nullable=False),
)
"""How a client wants to see its flows, where it is not as by default."""

webhook = Table(
    "webhook",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("siren", String(9), ForeignKey("company.siren"), nullable=False),
    Column("client_id", String(100), nullable=False),
    Column("callback_url", String(2048), nullable=False),
    Column("flow_types", JSON, nullable=False),
    Column("flow_direction", String(3)),
    Column("ack_status", String(10)),
    Column("processing_rule", String(20)),
    Column("sealed", Text, nullable=False),  # the signing key, headers, a password: by the actor's own key
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("failures", Integer, nullable=False),  # in a row
    Column("last_error", Text),
    Column("last_sent_at", Instant),
    Index("webhook_owner", "siren", "client_id"),
)
"""Whom a client, acting for a company, wants called when a flow changes. No `flow_types`: all of them."""
