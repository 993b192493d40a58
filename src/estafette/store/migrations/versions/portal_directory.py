"""The directory of the portal has establishments, routing codes and diffusion statuses."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "portal_directory"
down_revision = "portal0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of establishments and routing codes; units have a status and a diffusion status."""
    with op.batch_alter_table("legal_unit") as unit:
        unit.add_column(sa.Column("status", sa.String(1), nullable=False, server_default="A"))
        unit.add_column(sa.Column("diffusion", sa.String(1), nullable=False, server_default="O"))
    op.create_table(
        "establishment",
        sa.Column("siret", sa.String(14), primary_key=True),
        sa.Column("instance", sa.Integer(), nullable=False),
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
        *_address(),
        sa.Column("commitment_required", sa.Boolean()),
        sa.Column("recorded_at", Instant(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("routing_code")
    op.drop_table("establishment")
    with op.batch_alter_table("legal_unit") as unit:
        unit.drop_column("diffusion")
        unit.drop_column("status")


def _address() -> list[sa.Column[str]]:
    return [
        sa.Column("line_1", sa.String(255)),
        sa.Column("line_2", sa.String(255)),
        sa.Column("line_3", sa.String(255)),
        sa.Column("city", sa.String(255)),
        sa.Column("postal_code", sa.String(10)),
        sa.Column("subdivision", sa.String(255)),
        sa.Column("country", sa.String(2)),
    ]
