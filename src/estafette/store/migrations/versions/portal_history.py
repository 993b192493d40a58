"""The directory keeps its whole history: every version of everything, by the change that made it and the one after."""

# ruff: noqa: S608 — the names that the statements are made of are those below

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant, bytewise

revision = "portal_history"
down_revision = "portal_reporting"
branch_labels = None
depends_on = None

_PLACE = ("line_1", "line_2", "line_3", "city", "postal_code", "subdivision", "country")
_FLAGS = (
    "commitment_required",
    "service_required",
    "commitment_or_service_required",
    "is_contracting_authority",
    "is_contracting_authority_only",
    "manages_payment_status",
)
_COPIED = {
    "legal_unit": ("siren", "name", "entity_type", "status", "diffusion"),
    "establishment": ("siret", "name", "kind", "status", "diffusion", *_PLACE, *_FLAGS),
    "routing_code": ("siret", "code", "name", "scheme", "status", *_PLACE, "commitment_required"),
    "receiving_platform": (
        "matricule", "platform_type", "name", "siren", "contact", "application_code",
        "registered_from", "registered_until",
    ),
}  # fmt: skip
_LINE = ("nature", "address", "siret", "routing", "suffix", "start", "end", "effective_end", "matricule")


def upgrade() -> None:
    """Put what is held under the change of the moment it was recorded."""
    op.drop_index("directory_line_address", table_name="directory_line")
    op.drop_index("directory_line_siren", table_name="directory_line")
    tables = (*_COPIED, "directory_line")
    for name in tables:
        op.rename_table(name, f"former_{name}")
    _make()
    moments = " UNION ".join(f"SELECT recorded_at AS moment FROM former_{name}" for name in _COPIED)
    op.execute(
        "INSERT INTO directory_change (id, recorded_at, source, author)"
        " SELECT row_number() OVER (ORDER BY moment), moment, 'earlier', 'PPF'"
        f" FROM ({moments} UNION SELECT defined_at FROM former_directory_line) AS moments"
    )
    for name, columns in _COPIED.items():
        taxable = {"legal_unit": ", is_taxable"}.get(name, "")
        op.execute(
            f"INSERT INTO {name} (instance, known_from, {', '.join(columns)}{taxable})"
            f" SELECT instance, change.id, {', '.join(columns)}{taxable and ', true'}"
            f" FROM former_{name} JOIN directory_change AS change USING (recorded_at)"
        )
    quoted = ", ".join(f'"{name}"' for name in _LINE)
    op.execute(
        f"INSERT INTO directory_line (instance, {quoted}, known_from, known_until)"
        f" SELECT instance, {quoted}, change.id,"
        ' lead(change.id) OVER (PARTITION BY address, "start" ORDER BY instance)'
        " FROM former_directory_line JOIN directory_change AS change ON change.recorded_at = defined_at"
    )
    op.execute("INSERT INTO sequence (name, value) SELECT 'directory-change', count(*) FROM directory_change")
    for name in tables:
        op.drop_table(f"former_{name}")


def downgrade() -> None:
    """Keep what holds now only; lines keep their versions."""
    op.drop_index("directory_line_address", table_name="directory_line")
    for name in (*_COPIED, "directory_line"):
        op.rename_table(name, f"later_{name}")
    _make_former()
    for name, columns in _COPIED.items():
        op.execute(
            f"INSERT INTO {name} (instance, recorded_at, {', '.join(columns)})"
            f" SELECT instance, recorded_at, {', '.join(columns)} FROM later_{name}"
            " JOIN directory_change AS change ON change.id = known_from WHERE known_until IS NULL"
        )
    quoted = ", ".join(f'"{name}"' for name in _LINE)
    op.execute(
        f"INSERT INTO directory_line (instance, siren, {quoted}, defined_at)"
        f" SELECT instance, substr(address, 1, 9), {quoted}, recorded_at FROM later_directory_line"
        " JOIN directory_change AS change ON change.id = known_from"
    )
    for name in (*_COPIED, "directory_line"):
        op.drop_table(f"later_{name}")
    op.drop_table("directory_change")
    op.execute("DELETE FROM sequence WHERE name = 'directory-change'")


def _make() -> None:
    op.create_table(
        "directory_change",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("author", sa.String(20), nullable=False),
        sa.Column("message", sa.String(120)),
    )
    op.create_index("directory_change_moment", "directory_change", ["recorded_at", "id"])
    op.create_table(
        "legal_unit",
        sa.Column("instance", sa.Integer(), primary_key=True),
        sa.Column("siren", bytewise(9), nullable=False),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("entity_type", sa.String(1), nullable=False),
        sa.Column("is_taxable", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(1), nullable=False),
        sa.Column("diffusion", sa.String(1), nullable=False),
        *_known(),
    )
    op.create_index("legal_unit_siren", "legal_unit", ["siren"])
    op.create_table(
        "establishment",
        sa.Column("instance", sa.Integer(), primary_key=True),
        sa.Column("siret", bytewise(14), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(1), nullable=False),
        sa.Column("status", sa.String(1), nullable=False),
        sa.Column("diffusion", sa.String(1), nullable=False),
        *_place(),
        *(sa.Column(name, sa.Boolean()) for name in _FLAGS),
        *_known(),
    )
    op.create_index("establishment_siret", "establishment", ["siret"])
    op.create_table(
        "routing_code",
        sa.Column("instance", sa.Integer(), primary_key=True),
        sa.Column("siret", bytewise(14), nullable=False),
        sa.Column("code", bytewise(100), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("scheme", sa.String(4), nullable=False),
        sa.Column("status", sa.String(1), nullable=False),
        *_place(),
        sa.Column("commitment_required", sa.Boolean()),
        *_known(),
    )
    op.create_index("routing_code_key", "routing_code", ["siret", "code"])
    op.create_table(
        "receiving_platform",
        sa.Column("instance", sa.Integer(), primary_key=True),
        *_platform(),
        *_known(),
    )
    op.create_index("receiving_platform_matricule", "receiving_platform", ["matricule"])
    op.create_table(
        "directory_line",
        sa.Column("instance", sa.Integer(), primary_key=True),
        sa.Column("nature", sa.String(1), nullable=False),
        sa.Column("address", bytewise(125), nullable=False),
        *_line(),
        *_known(),
    )
    op.create_index("directory_line_address", "directory_line", ["address"])
    op.create_index("directory_line_matricule", "directory_line", ["matricule"])


def _make_former() -> None:
    op.create_table(
        "legal_unit",
        sa.Column("siren", sa.String(9), primary_key=True),
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("entity_type", sa.String(1), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("status", sa.String(1), nullable=False, server_default="A"),
        sa.Column("diffusion", sa.String(1), nullable=False, server_default="O"),
    )
    op.create_table(
        "establishment",
        sa.Column("siret", sa.String(14), primary_key=True),
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(1), nullable=False),
        sa.Column("status", sa.String(1), nullable=False),
        sa.Column("diffusion", sa.String(1), nullable=False),
        *_place(),
        *(sa.Column(name, sa.Boolean()) for name in _FLAGS),
        sa.Column("recorded_at", Instant(), nullable=False),
    )
    op.create_table(
        "routing_code",
        sa.Column("siret", sa.String(14), primary_key=True),
        sa.Column("code", sa.String(100), primary_key=True),
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("scheme", sa.String(4), nullable=False),
        sa.Column("status", sa.String(1), nullable=False),
        *_place(),
        sa.Column("commitment_required", sa.Boolean()),
        sa.Column("recorded_at", Instant(), nullable=False),
    )
    op.create_table(
        "receiving_platform",
        sa.Column("instance", sa.Integer(), nullable=False),
        *_platform(),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("matricule"),
        sa.UniqueConstraint("application_code"),
    )
    op.create_table(
        "directory_line",
        sa.Column("instance", sa.Integer(), primary_key=True),
        sa.Column("nature", sa.String(1), nullable=False),
        sa.Column("address", sa.String(125), nullable=False),
        sa.Column("siren", sa.String(9), nullable=False),
        *_line(),
        sa.Column("defined_at", Instant(), nullable=False),
    )
    op.create_index("directory_line_address", "directory_line", ["address", "start"])
    op.create_index("directory_line_siren", "directory_line", ["siren"])


def _known() -> list[sa.Column[int]]:
    return [sa.Column("known_from", sa.Integer(), nullable=False), sa.Column("known_until", sa.Integer())]


def _place() -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String({"postal_code": 10, "country": 2}.get(name, 255))) for name in _PLACE]


def _platform() -> list[sa.Column[object]]:
    return [
        sa.Column("matricule", sa.String(4), nullable=False),
        sa.Column("platform_type", sa.String(3), nullable=False),
        sa.Column("name", sa.String(99), nullable=False),
        sa.Column("siren", sa.String(9)),
        sa.Column("contact", sa.String(100)),
        sa.Column("application_code", sa.String(6)),
        sa.Column("registered_from", sa.Date(), nullable=False),
        sa.Column("registered_until", sa.Date()),
    ]


def _line() -> list[sa.Column[object]]:
    return [
        sa.Column("siret", sa.String(14)),
        sa.Column("routing", sa.String(100)),
        sa.Column("suffix", sa.String(100)),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date()),
        sa.Column("effective_end", sa.Date()),
        sa.Column("matricule", sa.String(4), nullable=False),
    ]
