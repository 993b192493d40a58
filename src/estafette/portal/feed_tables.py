"""What the feeds of the directory remember: the loads, the moments of daily changes, the tax register."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, UniqueConstraint

from estafette.portal.tables import metadata
from estafette.store.columns import Instant, bytewise

feed_load = Table(
    "feed_load",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("feed", String(12), nullable=False),  # sirene-stock, sirene-daily, tax, chorus-pro
    Column("name", String(100), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("line", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("written", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("units_until", Instant),
    Column("establishments_until", Instant),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    UniqueConstraint("feed", "fingerprint", name="feed_load_once"),
)
"""Files loaded, once by their contents. `line`: the last one whose effect is in the directory, written with it.

`…_until`: the latest moment of treatment in the file; a stock has everything that was treated by then.
"""

feed_treatment = Table(
    "feed_treatment",
    metadata,
    Column("number", bytewise(14), primary_key=True),
    Column("treated_at", Instant, nullable=False),
)
"""When INSEE last treated what a daily file brought, SIREN or SIRET: what is older changes nothing any more."""

tax_status = Table(
    "tax_status",
    metadata,
    Column("siren", bytewise(9), primary_key=True),
    Column("effective_on", Date, primary_key=True),
    Column("is_taxable", Boolean, nullable=False),
    Column("applied", Boolean, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("tax_status_due", "applied", "effective_on"),
)
"""The tax register, a row a change, also of units that are not known yet. `applied`: the directory says so since."""

directory_word = Table(
    "directory_word",
    metadata,
    Column("word", bytewise(40), primary_key=True),
    Column("siren", bytewise(9), primary_key=True),
)
"""The words of the names of legal units and establishments, folded: what the public page finds companies by."""

directory_cursor = Table(
    "directory_cursor",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("instance", Integer, nullable=False),
)
"""Up to which version, by table, the words were gathered."""

platform_client = Table(
    "platform_client",
    metadata,
    Column("client_id", String(100), primary_key=True),
    Column("matricule", String(4), nullable=False),
    Index("platform_client_matricule", "matricule"),
)
"""The software that speaks for a registered platform at the directory API."""
