"""The table of accounts that companies open at the portal by themselves."""

from sqlalchemy import Column, Integer, String, Table

from estafette.portal.tables import metadata
from estafette.store.columns import Instant

direct_opening = Table(
    "direct_opening",
    metadata,
    Column("siren", String(9), primary_key=True),
    Column("sealed_code", String(400), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("opened_at", Instant),
)
"""The last asking of each company. The code that a letter carries is sealed: whoever reads the records has none."""
