"""The tables of the public portal: the directory, the platforms, the flows and the facts they brought."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from estafette.store.columns import Instant, bytewise

metadata = MetaData()

directory_change = Table(
    "directory_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("recorded_at", Instant, nullable=False),
    Column("source", String(12), nullable=False),
    Column("author", String(20), nullable=False),
    Column("message", String(120)),
    Index("directory_change_moment", "recorded_at", "id"),
)
"""What changed the directory, in its order: when it was recorded, who made it (a matricule, a feed), by which message.

`recorded_at` never goes back from a change to the next. Every version below was made by one change (`known_from`) and
replaced by another (`known_until`, none yet for what holds now): what was known at a moment is what the last change at
or before it left. No foreign key: eleven million lines are loaded under one change.
"""


def _known() -> tuple[Column[int], Column[int]]:
    """Return the time of a version: the change that made it, the one that replaced it."""
    return Column("known_from", Integer, nullable=False), Column("known_until", Integer)


def _place() -> list[Column[str]]:
    return [
        Column("line_1", String(255)),
        Column("line_2", String(255)),
        Column("line_3", String(255)),
        Column("city", String(255)),
        Column("postal_code", String(10)),
        Column("subdivision", String(255)),
        Column("country", String(2)),
    ]


legal_unit = Table(
    "legal_unit",
    metadata,
    Column("instance", Integer, primary_key=True),
    Column("siren", bytewise(9), nullable=False),
    Column("name", String(150), nullable=False),
    Column("entity_type", String(1), nullable=False),  # P public, A private taxable
    Column("is_taxable", Boolean, nullable=False),
    Column("status", String(1), nullable=False),
    Column("diffusion", String(1), nullable=False),
    *_known(),
    Index("legal_unit_siren", "siren"),
)
"""Legal units. `is_taxable`: as the tax register says; a private one that is not stays, and is shown to nobody."""

establishment = Table(
    "establishment",
    metadata,
    Column("instance", Integer, primary_key=True),
    Column("siret", bytewise(14), nullable=False),
    Column("name", String(100), nullable=False),
    Column("kind", String(1), nullable=False),
    Column("status", String(1), nullable=False),
    Column("diffusion", String(1), nullable=False),
    *_place(),
    Column("commitment_required", Boolean),
    Column("service_required", Boolean),
    Column("commitment_or_service_required", Boolean),
    Column("is_contracting_authority", Boolean),
    Column("is_contracting_authority_only", Boolean),
    Column("manages_payment_status", Boolean),
    *_known(),
    Index("establishment_siret", "siret"),
)
"""Establishments; the six flags are those of public entities, absent of the others. Those of a SIREN begin with it."""

routing_code = Table(
    "routing_code",
    metadata,
    Column("instance", Integer, primary_key=True),
    Column("siret", bytewise(14), nullable=False),
    Column("code", bytewise(100), nullable=False),
    Column("name", String(100), nullable=False),
    Column("scheme", String(4), nullable=False),
    Column("status", String(1), nullable=False),
    *_place(),
    Column("commitment_required", Boolean),
    *_known(),
    Index("routing_code_key", "siret", "code"),
)

receiving_platform = Table(
    "receiving_platform",
    metadata,
    Column("instance", Integer, primary_key=True),
    Column("matricule", String(4), nullable=False),
    Column("platform_type", String(3), nullable=False),  # PPF, PDP, AP, NA
    Column("name", String(99), nullable=False),
    Column("siren", String(9)),
    Column("contact", String(100)),
    Column("application_code", String(6)),
    Column("registered_from", Date, nullable=False),
    Column("registered_until", Date),
    *_known(),
    Index("receiving_platform_matricule", "matricule"),
)
"""Platforms as the registration service tells them. `contact`: where other platforms reach it, and its key."""

directory_line = Table(
    "directory_line",
    metadata,
    Column("instance", Integer, primary_key=True),
    Column("nature", String(1), nullable=False),  # D definition, M masking
    Column("address", bytewise(125), nullable=False),
    Column("siret", String(14)),
    Column("routing", String(100)),
    Column("suffix", String(100)),
    Column("start", Date, nullable=False),
    Column("end", Date),
    Column("effective_end", Date),
    Column("matricule", String(4), nullable=False),
    *_known(),
    Index("directory_line_address", "address"),
    Index("directory_line_matricule", "matricule"),
)
"""Addresses. A line is an address and a start; its versions follow each other, the mask of it is one of them.

An address begins with its SIREN, so that the lines of a SIREN are one range of the index. Narrow, since there are
eleven million: what each version owes to its change is there.
"""

partner_flow = Table(
    "partner_flow",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("direction", String(3), nullable=False),
    Column("interface", String(8), nullable=False),
    Column("application_code", String(6), nullable=False),
    Column("identifier", String(25), nullable=False),
    Column("partner", String(10), nullable=False),  # the matricule of the platform
    Column("state", String(12), nullable=False),  # received, receivable, irreceivable, noted (an answer); sent, resent
    Column("details", JSON, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Index("partner_flow_identifier", "direction", "identifier"),
    Index("partner_flow_partner", "partner", "created_at"),
    Index("partner_flow_state", "state", "created_at"),
)

invoice_data = Table(
    "invoice_data",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("seller_siren", String(9), nullable=False),
    Column("number", String(35), nullable=False),
    Column("year", Integer, nullable=False),
    Column("buyer_siren", String(9), nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("partner", String(10), nullable=False),
    Column("flow_name", String(60), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("seller_siren", "number", "year", name="invoice_data_once"),
)
"""Flow 1 data accepted, once by seller, number and year (G1.45); those rejected stay in their flow's details."""

obligatory_status = Table(
    "obligatory_status",
    metadata,
    Column("partner", String(10), primary_key=True),
    Column("message_id", String(200), primary_key=True),
    Column("seller_siren", String(9), nullable=False),
    Column("number", String(35), nullable=False),
    Column("year", Integer, nullable=False),
    Column("status", String(3), nullable=False),
    Column("emitter_role", String(3), nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("flow_name", String(60), nullable=False),
    Column("file_name", String(255)),
    Column("sha256", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("fact", BigInteger),
    Index("obligatory_status_key", "seller_siren", "number", "year", "set_at"),
    Index("obligatory_status_set", "status", "set_at"),
)
"""Statuses 200, 210, 212 and 213 accepted, by who sent them and their own identifier (MDT-4)."""

outgoing_object = Table(
    "outgoing_object",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("interface", String(8), nullable=False),
    Column("partner", String(10), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("flow_name", String(60)),
    Index("outgoing_object_waiting", "partner", "interface", "flow_name"),
)
"""Answers about objects, waiting to leave in a batch."""
