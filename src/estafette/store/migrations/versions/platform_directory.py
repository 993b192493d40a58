"""The copy of the directory has all that an export carries: establishments, routing codes, diffusion statuses."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import bytewise

revision = "platform_directory"
down_revision = "platform0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of establishments and routing codes; widen those there are. The next export fills them."""
    with op.batch_alter_table("mirror_unit") as unit:
        unit.add_column(sa.Column("status", sa.String(1), nullable=False, server_default="A"))
        unit.add_column(sa.Column("diffusion", sa.String(1), nullable=False, server_default="O"))
        unit.add_column(sa.Column("folded_name", bytewise(300)))
        unit.create_index("mirror_unit_name", ["folded_name"])
    with op.batch_alter_table("mirror_platform") as platform:
        platform.add_column(sa.Column("siren", sa.String(9)))
        platform.add_column(sa.Column("trade_name", sa.String(99)))
        platform.add_column(sa.Column("registered_from", sa.Date()))
        platform.add_column(sa.Column("registered_until", sa.Date()))
    with op.batch_alter_table("mirror_line") as line:
        line.add_column(sa.Column("routing_scheme", sa.String(4), nullable=False, server_default="0224"))
        line.create_index("mirror_line_siret", ["siret"])
    op.create_table(
        "mirror_establishment",
        sa.Column("siret", sa.String(14), primary_key=True),
        sa.Column("siren", sa.String(9), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(1), nullable=False),
        sa.Column("status", sa.String(1), nullable=False),
        sa.Column("diffusion", sa.String(1), nullable=False),
        *_address(),
        sa.Column("commitment_required", sa.Boolean()),
        sa.Column("service_required", sa.Boolean()),
        sa.Column("commitment_or_service_required", sa.Boolean()),
        sa.Column("is_contracting_authority", sa.Boolean()),
        sa.Column("is_contracting_authority_only", sa.Boolean()),
        sa.Column("manages_payment_status", sa.Boolean()),
        *_folded(),
    )
    op.create_index("mirror_establishment_siren", "mirror_establishment", ["siren"])
    op.create_index("mirror_establishment_name", "mirror_establishment", ["folded_name"])
    op.create_index("mirror_establishment_postal_code", "mirror_establishment", ["postal_code"])
    op.create_index("mirror_establishment_city", "mirror_establishment", ["folded_city"])
    op.create_table(
        "mirror_routing_code",
        sa.Column("siret", sa.String(14), primary_key=True),
        sa.Column("code", sa.String(100), primary_key=True),
        sa.Column("scheme", sa.String(4), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("status", sa.String(1), nullable=False),
        sa.Column("diffusion", sa.String(1), nullable=False),
        *_address(),
        sa.Column("commitment_required", sa.Boolean()),
        *_folded(),
    )
    op.create_index("mirror_routing_code_code", "mirror_routing_code", ["code"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("mirror_routing_code")
    op.drop_table("mirror_establishment")
    with op.batch_alter_table("mirror_line") as line:
        line.drop_index("mirror_line_siret")
        line.drop_column("routing_scheme")
    with op.batch_alter_table("mirror_platform") as platform:
        for name in ("registered_until", "registered_from", "trade_name", "siren"):
            platform.drop_column(name)
    with op.batch_alter_table("mirror_unit") as unit:
        unit.drop_index("mirror_unit_name")
        for name in ("folded_name", "diffusion", "status"):
            unit.drop_column(name)


def _address() -> list[sa.Column[str]]:
    return [
        sa.Column("line_1", sa.String(255)),
        sa.Column("line_2", sa.String(255)),
        sa.Column("line_3", sa.String(255)),
        sa.Column("city", sa.String(255)),
        sa.Column("postal_code", bytewise(10)),
        sa.Column("subdivision", sa.String(255)),
        sa.Column("country", sa.String(2)),
    ]


def _folded() -> list[sa.Column[str]]:
    return [
        sa.Column("folded_name", bytewise(300), nullable=False),
        sa.Column("folded_city", bytewise(600), nullable=False),
        sa.Column("folded_street", bytewise(2000), nullable=False),
    ]
