"""The copy of the directory has generations, versions, and the extracts it is made of."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant, bytewise

revision = "platform_mirror"
down_revision = "platform_addresses"
branch_labels = None
depends_on = None

_FLAGS = (
    "commitment_required",
    "service_required",
    "commitment_or_service_required",
    "is_contracting_authority",
    "is_contracting_authority_only",
    "manages_payment_status",
)
_INDEXES = {
    "mirror_unit": {"name": "folded_name"},
    "mirror_establishment": {
        "siren": "siren", "name": "folded_name", "postal_code": "postal_code", "city": "folded_city",
    },
    "mirror_routing_code": {"code": "code"},
    "mirror_platform": {},
    "mirror_line": {"address": "address", "siren": "siren", "siret": "siret"},
}  # fmt: skip


def upgrade() -> None:
    """What the copy holds is its generation 0; the next full extract replaces it."""
    _change(with_generation=True)
    op.create_table(
        "mirror_current",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("generation", sa.Integer(), nullable=False),
    )
    op.create_table(
        "mirror_extract",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("produced_at", Instant(), nullable=False),
        sa.Column("previous_at", Instant()),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("generation", sa.Integer()),
        sa.Column("portions", sa.Integer()),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("applied_at", Instant()),
        sa.UniqueConstraint("is_full", "produced_at"),
    )
    op.create_index("mirror_extract_state", "mirror_extract", ["state", "produced_at"])
    op.create_table(
        "mirror_portion",
        sa.Column("extract", sa.Integer(), sa.ForeignKey("mirror_extract.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("file", sa.String(100), nullable=False),
        sa.Column("flow", sa.String(60), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """Keep the generation that is read."""
    _change(with_generation=False)
    for table in ("mirror_portion", "mirror_extract", "mirror_current"):
        op.drop_table(table)


def _change(*, with_generation: bool) -> None:
    """Make the tables anew with what they held, their key and indexes under a generation or not."""
    for table, indexes in _INDEXES.items():
        for index in indexes:
            op.drop_index(f"{table}_{index}", table_name=table)
        op.rename_table(table, f"former_{table}")
        if op.get_bind().dialect.name == "postgresql":  # its key has a name of its own
            op.execute(f"ALTER INDEX {table}_pkey RENAME TO former_{table}_pkey")
    _make(with_generation=with_generation)
    for table, indexes in _INDEXES.items():
        names = ", ".join(f'"{column.name}"' for column in _COLUMNS[table]())
        current = "(SELECT coalesce(max(generation), 0) FROM mirror_current)"
        where = "" if with_generation else f" WHERE generation = {current}"
        op.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM former_{table}{where}")  # noqa: S608
        op.drop_table(f"former_{table}")
        for index, column in indexes.items():
            op.create_index(f"{table}_{index}", table, ["generation", column] if with_generation else [column])


def _make(*, with_generation: bool) -> None:
    for table, columns in _COLUMNS.items():
        generation: list[sa.Column[int]] = []
        if with_generation:
            generation.append(
                sa.Column("generation", sa.Integer(), primary_key=True, autoincrement=False, server_default="0")
            )
            if table != "mirror_line":
                generation.append(sa.Column("instance", sa.Integer(), nullable=False, server_default="0"))
        op.create_table(table, *generation, *columns())


def _unit() -> list[sa.Column[object]]:
    return [
        sa.Column("siren", sa.String(9), primary_key=True),
        sa.Column("name", sa.String(150), nullable=False),
        sa.Column("entity_type", sa.String(1), nullable=False),
        sa.Column("status", sa.String(1), nullable=False, server_default="A"),
        sa.Column("diffusion", sa.String(1), nullable=False, server_default="O"),
        sa.Column("folded_name", bytewise(300)),
    ]


def _establishment() -> list[sa.Column[object]]:
    return [
        sa.Column("siret", sa.String(14), primary_key=True),
        sa.Column("siren", sa.String(9), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(1), nullable=False),
        sa.Column("status", sa.String(1), nullable=False),
        sa.Column("diffusion", sa.String(1), nullable=False),
        *_place(),
        *(sa.Column(name, sa.Boolean()) for name in _FLAGS),
        *_folded(),
    ]


def _routing_code() -> list[sa.Column[object]]:
    return [
        sa.Column("siret", sa.String(14), primary_key=True),
        sa.Column("code", sa.String(100), primary_key=True),
        sa.Column("scheme", sa.String(4), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("status", sa.String(1), nullable=False),
        sa.Column("diffusion", sa.String(1), nullable=False),
        *_place(),
        sa.Column("commitment_required", sa.Boolean()),
        *_folded(),
    ]


def _platform() -> list[sa.Column[object]]:
    return [
        sa.Column("matricule", sa.String(4), primary_key=True),
        sa.Column("platform_type", sa.String(3), nullable=False),
        sa.Column("name", sa.String(99), nullable=False),
        sa.Column("contact", sa.String(100)),
        sa.Column("status", sa.String(1), nullable=False),
        sa.Column("siren", sa.String(9)),
        sa.Column("trade_name", sa.String(99)),
        sa.Column("registered_from", sa.Date()),
        sa.Column("registered_until", sa.Date()),
    ]


def _line() -> list[sa.Column[object]]:
    return [
        sa.Column("instance", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("address", sa.String(125), nullable=False),
        sa.Column("siren", sa.String(9), nullable=False),
        sa.Column("siret", sa.String(14)),
        sa.Column("routing", sa.String(100)),
        sa.Column("routing_scheme", sa.String(4), nullable=False, server_default="0224"),
        sa.Column("suffix", sa.String(100)),
        sa.Column("nature", sa.String(1), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date()),
        sa.Column("effective_end", sa.Date()),
        sa.Column("matricule", sa.String(4), nullable=False),
    ]


def _place() -> list[sa.Column[object]]:
    return [
        sa.Column("line_1", sa.String(255)),
        sa.Column("line_2", sa.String(255)),
        sa.Column("line_3", sa.String(255)),
        sa.Column("city", sa.String(255)),
        sa.Column("postal_code", bytewise(10)),
        sa.Column("subdivision", sa.String(255)),
        sa.Column("country", sa.String(2)),
    ]


def _folded() -> list[sa.Column[object]]:
    return [
        sa.Column("folded_name", bytewise(300), nullable=False),
        sa.Column("folded_city", bytewise(600), nullable=False),
        sa.Column("folded_street", bytewise(2000), nullable=False),
    ]


_COLUMNS = {
    "mirror_unit": _unit,
    "mirror_establishment": _establishment,
    "mirror_routing_code": _routing_code,
    "mirror_platform": _platform,
    "mirror_line": _line,
}
