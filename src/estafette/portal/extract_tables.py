"""The tables of the directory's extracts: what was produced, in which files, for whom."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from estafette.portal.tables import metadata
from estafette.store.columns import Instant

directory_extract = Table(
    "directory_extract",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("is_full", Boolean, nullable=False),
    Column("produced_at", Instant, nullable=False),  # DT-0
    Column("previous_at", Instant),  # DT-1
    Column("after_change", Integer, nullable=False),
    Column("to_change", Integer, nullable=False),
    Column("after_instance", Integer, nullable=False),
    Column("to_instance", Integer, nullable=False),
    Column("is_for_all", Boolean, nullable=False),
    Column("job", String(80), nullable=False),
    Column("portions", Integer),
    Column("ready_at", Instant),
    UniqueConstraint("is_full", "produced_at"),
    Index("directory_extract_job", "job"),
)
"""Extracts. Of a differential, the changes and versions after those of the one before, to its own; of a full one, all
to its own. `portions`: how many files, once it is ready."""

directory_portion = Table(
    "directory_portion",
    metadata,
    Column("extract", ForeignKey("directory_extract.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("entries", Integer, nullable=False),
)
"""The files of an extract: one envelope each, the same bytes for every platform."""

directory_delivery = Table(
    "directory_delivery",
    metadata,
    Column("partner", String(10), primary_key=True),
    Column("extract", ForeignKey("directory_extract.id"), primary_key=True),
    Column("sent_at", Instant, nullable=False),
)
"""Which platform was sent which extract; one without a full one is owed it."""
