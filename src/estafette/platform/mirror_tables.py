"""The platform's copy of the directory: what a full export (F14) carries, replaced whole by the next one.

`folded_*`: the text as one looks for it (`values.folding`), empty where it is withheld. `diffusion` of a routing code
is that of its establishment, where that withholds something.
"""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table

from estafette.platform.tables import metadata
from estafette.store.columns import bytewise

mirror_unit = Table(
    "mirror_unit",
    metadata,
    Column("siren", String(9), primary_key=True),
    Column("name", String(150), nullable=False),
    Column("entity_type", String(1), nullable=False),
    Column("status", String(1), nullable=False, server_default="A"),
    Column("diffusion", String(1), nullable=False, server_default="O"),
    Column("folded_name", bytewise(300)),
    Index("mirror_unit_name", "folded_name"),
)

mirror_establishment = Table(
    "mirror_establishment",
    metadata,
    Column("siret", String(14), primary_key=True),
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
    Index("mirror_establishment_siren", "siren"),
    Index("mirror_establishment_name", "folded_name"),
    Index("mirror_establishment_postal_code", "postal_code"),
    Index("mirror_establishment_city", "folded_city"),
)

mirror_routing_code = Table(
    "mirror_routing_code",
    metadata,
    Column("siret", String(14), primary_key=True),
    Column("code", String(100), primary_key=True),
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
    Index("mirror_routing_code_code", "code"),
)

mirror_platform = Table(
    "mirror_platform",
    metadata,
    Column("matricule", String(4), primary_key=True),
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
    Column("instance", Integer, primary_key=True),
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
    Index("mirror_line_address", "address"),
    Index("mirror_line_siren", "siren"),
    Index("mirror_line_siret", "siret"),
)
