"""The tables of the portal's intake: connections of partners, what was turned away, gaps, what waits to be fetched."""

from sqlalchemy import JSON, Column, Date, Index, Integer, String, Table

from estafette.portal.tables import metadata
from estafette.store.columns import Instant

partner_connection = Table(
    "partner_connection",
    metadata,
    Column("application_code", String(6), primary_key=True),
    Column("protocol", String(5), nullable=False),  # https, sftp
    Column("interfaces", JSON),  # those subscribed to; none: all
    Column("until", Date),
    Column("recorded_at", Instant, nullable=False),
)
"""What was declared of a connection; one of which nothing is declared goes by HTTPS, for every interface, for ever."""

refused_flow = Table(
    "refused_flow",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("file_name", String(255), nullable=False),
    Column("partner", String(10), nullable=False),
    Column("code", String(20), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("answer_sha256", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("refused_flow_partner", "partner", "recorded_at"),
)
"""Flows that could not be entered under their name: malformed, already had, of another's connection."""

sequence_gap = Table(
    "sequence_gap",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("partner", String(10), nullable=False),
    Column("flow_name", String(60), nullable=False),
    Column("missing", Integer, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("sequence_gap_partner", "partner", "recorded_at"),
)
"""Flows that came after numbers that had not: nothing forbids it, somebody may want to know."""

retrieval = Table(
    "retrieval",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("application_code", String(6), nullable=False),
    Column("file_name", String(80), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("ready_at", Instant, nullable=False),
    Column("laid_at", Instant),
    Column("ended_at", Instant),
    Column("fate", String(8)),  # fetched, purged
    Index("retrieval_open", "ended_at", "id"),
)
"""Flows of the portal for a partner that fetches them by SFTP: ready, laid in its area, fetched or purged."""
