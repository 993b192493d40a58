"""The platform's copy of the directory: what a full extract (F14) carries, kept up by the differentials that follow.

Every row is of one generation. Readers ask for the current one (`is_current`), a full extract is loaded under another,
beside it and in as many transactions as it takes, and a change of one row makes that the current one: nobody ever sees
half.

`folded_*`: the text as one looks for it (`values.folding`), empty where it is withheld. `diffusion` of a routing code
is that of its establishment, where that withholds something.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
)

from estafette.platform.tables import metadata
from estafette.store.columns import Instant, bytewise

mirror_current = Table(
    "mirror_current",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("generation", Integer, nullable=False),
)
"""The generation that is read: one row, none before the first extract (then it is 0)."""

CURRENT = select(func.coalesce(func.max(mirror_current.c.generation), 0)).scalar_subquery()


def is_current(table: Table) -> ColumnElement[bool]:
    """Hold for the rows of a table of the copy that count: those of the current generation."""
    return table.c.generation == CURRENT


def _generation() -> Column[int]:
    return Column("generation", Integer, primary_key=True, autoincrement=False, server_default="0")


def _instance() -> Column[int]:
    """Return the version that the row is: the greater of two is the later."""
    return Column("instance", Integer, nullable=False, server_default="0")


mirror_unit = Table(
    "mirror_unit",
    metadata,
    _generation(),
    Column("siren", String(9), primary_key=True),
    _instance(),
    Column("name", String(150), nullable=False),
    Column("entity_type", String(1), nullable=False),
    Column("status", String(1), nullable=False, server_default="A"),
    Column("diffusion", String(1), nullable=False, server_default="O"),
    Column("folded_name", bytewise(300)),
    Index("mirror_unit_name", "generation", "folded_name"),
)

mirror_establishment = Table(
    "mirror_establishment",
    metadata,
    _generation(),
    Column("siret", String(14), primary_key=True),
    _instance(),
    Column("siren", String(9), nullable=False),
    Column("name", String(100), nullable=False),
    Column("kind", String(1), nullable=False),
    Column("status", String(1), nullable=False),
    Column("diffusion", String(1), nullable=False),
    Column("line_1", String(255)),
    Column("line_2", String(255)),
    Column("line_3", String(255)),
    Column("city", String(255)),
    Column("postal_code", bytewise(10)),
    Column("subdivision", String(255)),
    Column("country", String(2)),
    Column("commitment_required", Boolean),
    Column("service_required", Boolean),
    Column("commitment_or_service_required", Boolean),
    Column("is_contracting_authority", Boolean),
    Column("is_contracting_authority_only", Boolean),
    Column("manages_payment_status", Boolean),
    Column("folded_name", bytewise(300), nullable=False),
    Column("folded_city", bytewise(600), nullable=False),
    Column("folded_street", bytewise(2000), nullable=False),
    Index("mirror_establishment_siren", "generation", "siren"),
    Index("mirror_establishment_name", "generation", "folded_name"),
    Index("mirror_establishment_postal_code", "generation", "postal_code"),
    Index("mirror_establishment_city", "generation", "folded_city"),
)

mirror_routing_code = Table(
    "mirror_routing_code",
    metadata,
    _generation(),
    Column("siret", String(14), primary_key=True),
    Column("code", String(100), primary_key=True),
    _instance(),
    Column("scheme", String(4), nullable=False),
    Column("name", String(100), nullable=False),
    Column("status", String(1), nullable=False),
    Column("diffusion", String(1), nullable=False),
    Column("line_1", String(255)),
    Column("line_2", String(255)),
    Column("line_3", String(255)),
    Column("city", String(255)),
    Column("postal_code", bytewise(10)),
    Column("subdivision", String(255)),
    Column("country", String(2)),
    Column("commitment_required", Boolean),
    Column("folded_name", bytewise(300), nullable=False),
    Column("folded_city", bytewise(600), nullable=False),
    Column("folded_street", bytewise(2000), nullable=False),
    Index("mirror_routing_code_code", "generation", "code"),
)

mirror_platform = Table(
    "mirror_platform",
    metadata,
    _generation(),
    Column("matricule", String(4), primary_key=True),
    _instance(),
    Column("platform_type", String(3), nullable=False),
    Column("name", String(99), nullable=False),
    Column("contact", String(100)),
    Column("status", String(1), nullable=False),
    Column("siren", String(9)),
    Column("trade_name", String(99)),
    Column("registered_from", Date),
    Column("registered_until", Date),
)

mirror_line = Table(
    "mirror_line",
    metadata,
    _generation(),
    Column("instance", Integer, primary_key=True, autoincrement=False),
    Column("address", String(125), nullable=False),
    Column("siren", String(9), nullable=False),
    Column("siret", String(14)),
    Column("routing", String(100)),
    Column("routing_scheme", String(4), nullable=False, server_default="0224"),
    Column("suffix", String(100)),
    Column("nature", String(1), nullable=False),
    Column("start", Date, nullable=False),
    Column("end", Date),
    Column("effective_end", Date),
    Column("matricule", String(4), nullable=False),
    Index("mirror_line_address", "generation", "address"),
    Index("mirror_line_siren", "generation", "siren"),
    Index("mirror_line_siret", "generation", "siret"),
)

mirror_extract = Table(
    "mirror_extract",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("is_full", Boolean, nullable=False),
    Column("produced_at", Instant, nullable=False),  # DT-0
    Column("previous_at", Instant),  # DT-1
    Column("state", String(10), nullable=False),  # arriving, held, applied, passed
    Column("generation", Integer),
    Column("portions", Integer),
    Column("received_at", Instant, nullable=False),
    Column("applied_at", Instant),
    UniqueConstraint("is_full", "produced_at"),
    Index("mirror_extract_state", "state", "produced_at"),
)
"""The extracts that came. `generation`: where a full one is loaded; `portions`: how many files, once the last is known.

Held: whole, and something before it is missing. Passed: what it says is already in the copy.
"""

mirror_portion = Table(
    "mirror_portion",
    metadata,
    Column("extract", ForeignKey("mirror_extract.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("file", String(100), nullable=False),
    Column("flow", String(60), nullable=False),
    Column("sha256", String(64), nullable=False),  # the envelope's
)
"""The files of an extract that came."""
