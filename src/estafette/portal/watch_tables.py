"""What the watch desk counts: flows and objects by hour, partner and interface, and why some were rejected."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from estafette.portal.tables import metadata
from estafette.store.columns import Instant

flow_hour = Table(
    "flow_hour",
    metadata,
    Column("hour", Instant, primary_key=True),
    Column("partner", String(10), primary_key=True),
    Column("interface", String(8), primary_key=True),
    Column("flows", Integer, nullable=False),
    Column("irreceivable", Integer, nullable=False),
    Column("objects", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("lag_ms", BigInteger, nullable=False),
    Column("lag_ms_max", BigInteger, nullable=False),
)
"""Flows answered in an hour. `lag_ms`: milliseconds from deposit to answer, summed; `late`: objects past their term."""

reject_hour = Table(
    "reject_hour",
    metadata,
    Column("hour", Instant, primary_key=True),
    Column("partner", String(10), primary_key=True),
    Column("interface", String(8), primary_key=True),
    Column("code", String(50), primary_key=True),
    Column("rule", String(30), primary_key=True),
    Column("count", Integer, nullable=False),
)
"""Reasons of the rejections of an hour: one count for each reason of each object, or of each irreceivable flow."""
