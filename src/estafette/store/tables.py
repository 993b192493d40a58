"""The tables every actor has: work to do, messages already had, counters, accounts and API clients."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

from estafette.store.columns import Instant

metadata = MetaData()

job = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("queue", String(40), nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("lane", String(200)),
    Column("payload", JSON, nullable=False),
    Column("state", String(10), nullable=False),
    Column("due", Instant, nullable=False),
    Column("leased_until", Instant),
    Column("tries", Integer, nullable=False),
    Column("error", Text),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("job_ready", "state", "due"),
    Index("job_lane", "lane", "state", "id"),
    sqlite_autoincrement=True,
)
"""Outbox, retries and schedules. `lane`: jobs of one lane run one after the other, in the order they were written."""

inbox = Table(
    "inbox",
    metadata,
    Column("sender", String(40), primary_key=True),
    Column("message_id", String(200), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("received_at", Instant, nullable=False),
)
"""Every message ever taken from another actor: the second copy changes nothing."""

document = Table(
    "document",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("pack", String(100), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
)
"""Where each document rests: `length` bytes of a pack, compressed, from `start`."""

sequence = Table(
    "sequence",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("value", Integer, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("login", String(100), primary_key=True),
    Column("password_hash", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("tenant", String(20)),
    Column("created_at", Instant, nullable=False),
)
"""Who may open a desk. `tenant`: the SIREN the account acts for, none for an operator."""

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("login", String(100), ForeignKey("account.login"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("expires_at", Instant, nullable=False),
)

client = Table(
    "client",
    metadata,
    Column("client_id", String(100), primary_key=True),
    Column("secret_hash", String(64), nullable=False),
    Column("tenant", String(20), nullable=False),
    Column("created_at", Instant, nullable=False),
)
"""Software that speaks for a company (OAuth2 client credentials)."""

token = Table(
    "token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("client_id", String(100), ForeignKey("client.client_id"), nullable=False),
    Column("tenant", String(20), nullable=False),
    Column("expires_at", Instant, nullable=False),
)
