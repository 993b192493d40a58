"""People at several organizations, second factor, providers of identity, keys of software, accreditations."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from estafette.store import columns

revision = "shared_identity"
down_revision = "shared_packs"
branch_labels = None
depends_on = None

ADDED = ("identity_event", "accreditation", "client_secret", "openid_attempt", "external_identity", "recovery_code")
"""The tables that were not there, in an order in which they can be dropped."""


_OLD_ACCOUNT = sa.table(
    "account",
    sa.column("login", sa.String),
    sa.column("password_hash", sa.String),
    sa.column("role", sa.String),
    sa.column("tenant", sa.String),
    sa.column("created_at", columns.Instant),
)
_OLD_CLIENT = sa.table(
    "client",
    sa.column("client_id", sa.String),
    sa.column("secret_hash", sa.String),
    sa.column("tenant", sa.String),
    sa.column("created_at", columns.Instant),
)
_ACCOUNT = sa.table(
    "account",
    sa.column("login", sa.String),
    sa.column("password_hash", sa.String),
    sa.column("created_at", columns.Instant),
)
_MEMBERSHIP = sa.table(
    "membership",
    sa.column("login", sa.String),
    sa.column("organization", sa.String),
    sa.column("role", sa.String),
    sa.column("created_at", columns.Instant),
)
_CLIENT = sa.table(
    "client",
    sa.column("client_id", sa.String),
    sa.column("tenant", sa.String),
    sa.column("name", sa.String),
    sa.column("scopes", sa.JSON),
    sa.column("created_at", columns.Instant),
)
_SECRET = sa.table(
    "client_secret",
    sa.column("client_id", sa.String),
    sa.column("secret_hash", sa.String),
    sa.column("created_at", columns.Instant),
)
SCOPES = ["flow.read", "flow.write", "directory.read", "webhook.write", "report.write"]
"""What every client could do until then."""


def upgrade() -> None:
    """Make the tables anew and put accounts and clients back; sessions and tokens, which are short, are let go."""
    accounts, clients = _all(_OLD_ACCOUNT), _all(_OLD_CLIENT)
    for table in ("token", "session", "client", "account"):
        op.drop_table(table)
    op.create_table(
        "account",
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("closed_at", columns.Instant(), nullable=True),
        sa.Column("password_given_at", columns.Instant(), nullable=True),
        sa.Column("factor_secret", sa.String(length=300), nullable=True),
        sa.Column("factor_since", columns.Instant(), nullable=True),
        sa.Column("factor_step", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("login"),
    )
    op.create_table(
        "accreditation",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("grantor", sa.String(length=20), nullable=False),
        sa.Column("holder", sa.String(length=20), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("flow_types", sa.JSON(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("granted_at", columns.Instant(), nullable=False),
        sa.Column("granted_by", sa.String(length=100), nullable=False),
        sa.Column("revoked_at", columns.Instant(), nullable=True),
        sa.Column("revoked_by", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("accreditation_grantor", "accreditation", ["grantor"], unique=False)
    op.create_index("accreditation_holder", "accreditation", ["holder"], unique=False)
    op.create_table(
        "client",
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("tenant", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("revoked_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_index("client_tenant", "client", ["tenant"], unique=False)
    op.create_table(
        "identity_event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", columns.Instant(), nullable=False),
        sa.Column("organization", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("identity_event_organization", "identity_event", ["organization", "id"], unique=False)
    op.create_table(
        "openid_attempt",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash"),
    )
    op.create_table(
        "client_secret",
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=True),
        sa.Column("used_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.client_id"],
        ),
        sa.PrimaryKeyConstraint("client_id", "secret_hash"),
    )
    op.create_table(
        "external_identity",
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("linked_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["login"],
            ["account.login"],
        ),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("external_identity_login", "external_identity", ["login"], unique=False)
    op.create_table(
        "membership",
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("organization", sa.String(length=20), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["login"],
            ["account.login"],
        ),
        sa.PrimaryKeyConstraint("login", "organization"),
    )
    op.create_index("membership_organization", "membership", ["organization"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["login"],
            ["account.login"],
        ),
        sa.PrimaryKeyConstraint("login", "code_hash"),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("organization", sa.String(length=20), nullable=False),
        sa.Column("through", sa.String(length=20), nullable=True),
        sa.Column("factor_at", columns.Instant(), nullable=True),
        sa.Column("opened_at", columns.Instant(), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.Column("seen_at", columns.Instant(), nullable=False),
        sa.Column("peer", sa.String(length=60), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["login"],
            ["account.login"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("session_login", "session", ["login"], unique=False)
    op.create_table(
        "token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.client_id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("token_client", "token", ["client_id"], unique=False)
    _put(_ACCOUNT, accounts)
    _put(
        _MEMBERSHIP,
        [
            {
                **row,
                "organization": row["tenant"] or "",
                "role": "administrator" if row["role"] == "company" else row["role"],
            }
            for row in accounts
        ],
    )
    _put(_CLIENT, [{**row, "name": row["client_id"], "scopes": SCOPES} for row in clients])
    _put(_SECRET, clients)


def downgrade() -> None:
    """Drop what was added, and put back the tables as they were."""
    accounts, clients = _all(_MEMBERSHIP, _ACCOUNT), _all(_SECRET, _CLIENT)
    for table in (*ADDED, "token", "session", "membership", "client", "account"):
        op.drop_table(table)
    op.create_table(
        "account",
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("tenant", sa.String(length=20), nullable=True),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("login"),
    )
    op.create_table(
        "client",
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("tenant", sa.String(length=20), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["account.login"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("tenant", sa.String(length=20), nullable=False),
        sa.Column("expires_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"]),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    _put(
        _OLD_ACCOUNT,
        [
            {
                **row,
                "tenant": row["organization"] or None,
                "role": "company" if row["organization"] else row["role"],
            }
            for row in _once(accounts, "login")
        ],
    )
    _put(_OLD_CLIENT, _once(clients, "client_id"))


def _all(*tables: sa.TableClause) -> list[dict[str, Any]]:
    """Return every row of the first table, with what the next says of the same first column."""
    wanted: dict[str, sa.ColumnElement[Any]] = {
        column.name: column for table in reversed(tables) for column in table.columns
    }
    query = sa.select(*wanted.values())
    for other in tables[1:]:
        key = next(iter(other.columns)).name
        query = query.where(other.c[key] == tables[0].c[key])
    order = next(iter(tables[0].columns))
    return [dict(row) for row in op.get_bind().execute(query.order_by(order)).mappings()]


def _put(table: sa.TableClause, rows: list[dict[str, Any]]) -> None:
    """The rows are in the table, each with the columns it has there."""
    names = [column.name for column in table.columns]
    if rows:
        op.bulk_insert(table, [{name: row[name] for name in names} for row in rows])


def _once(rows: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return the last row of each key."""
    return list({row[key]: row for row in rows}.values())
