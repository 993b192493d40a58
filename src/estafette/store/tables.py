"""The tables every actor has: work to do, messages already had, documents and what was purged of them, counters,
accounts and API clients, the audit log."""

from sqlalchemy import JSON, BigInteger, Column, Date, ForeignKey, Index, Integer, MetaData, String, Table, Text

from estafette.store.columns import Instant, partial_index

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
    Column("correlation", String(36)),
    Column("worker", String(36)),
    partial_index("job_ready", "due", "id", where="state = 'pending'"),
    partial_index("job_lane", "lane", "id", where="state = 'pending'"),
    partial_index("job_parked", "id", where="state = 'parked'"),
    sqlite_autoincrement=True,
)
"""Outbox, retries and schedules. `lane`: jobs of one lane run one after the other, in the order they were written.

`correlation`: what it follows from (`store.correlation`); `worker`: the process that has it leased (`store.processes`).
"""

process = Table(
    "process",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("role", String(10), nullable=False),
    Column("host", String(255), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
"""The processes that share the store now: one that is not seen any more is taken off, and its work given back."""

inbox = Table(
    "inbox",
    metadata,
    Column("sender", String(40), primary_key=True),
    Column("message_id", String(200), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("received_at", Instant, nullable=False),
    partial_index("inbox_kept", "received_at", where="sha256 != ''"),
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

condemned = Table(
    "condemned",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("sha256", String(64), nullable=False),
    Column("pack", String(100), nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("condemned_at", Instant, nullable=False),
    Column("erased_at", Instant),
    Index("condemned_waiting", "erased_at", "condemned_at"),
    Index("condemned_pack", "pack"),
    sqlite_autoincrement=True,
)
"""Documents that no record leads to any more, and where their bytes rest until they are erased. No `pack`: in a file of
its own."""

unlinked = Table(
    "unlinked",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("since", Instant, nullable=False),
    Index("unlinked_since", "since"),
)
"""Documents that a record named which is gone: whether another names them is looked at later (`store.orphans`)."""

purged = Table(
    "purged",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("object_id", String(255), primary_key=True),
    Column("organization", String(20), nullable=False),
    Column("reference", String(255), nullable=False),
    Column("dated", Date, nullable=False),
    Column("kept_until", Date, nullable=False),
    Column("rule", String(200), nullable=False),
    Column("sha256", String(64)),
    Column("run", String(36), nullable=False),
    Column("purged_at", Instant, nullable=False),
    Index("purged_organization", "organization", "dated"),
)
"""What was kept as long as it had to be, and is no more: what it was, by which rule, and the hash of its bytes."""

hold = Table(
    "hold",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("organization", String(20), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("counterpart", String(20)),
    Column("reference", String(255)),
    Column("until", Date),
    Column("set_by", String(100), nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("released_by", String(100)),
    Column("released_at", Instant),
    Index("hold_organization", "organization"),
    sqlite_autoincrement=True,
)
"""Legal holds: what an organization has of these days, with this counterpart, of this number, is purged by nobody
`until` a day, or until it is released. Never changed, only released."""

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
    Column("email", String(254)),
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("password_given_at", Instant),
    Column("factor_secret", String(300)),
    Column("factor_since", Instant),
    Column("factor_step", BigInteger),
    Index("account_closed", "closed_at"),
)
"""Who may open a desk. `password_given_at`: somebody else chose the password, it must be changed at the next sign-in.

`factor_secret`: the second factor (RFC 6238), sealed, in use from `factor_since`; `factor_step`: the last step taken.
"""

membership = Table(
    "membership",
    metadata,
    Column("login", String(100), ForeignKey("account.login"), primary_key=True),
    Column("organization", String(20), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("membership_organization", "organization"),
)
"""What a person is at an organization, by its SIREN; `organization` is empty for a role at the actor itself."""

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("login", String(100), ForeignKey("account.login"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("organization", String(20), nullable=False),
    Column("through", String(20)),
    Column("factor_at", Instant),
    Column("opened_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("peer", String(60), nullable=False),
    Column("agent", String(200), nullable=False),
    Index("session_login", "login"),
)
"""A desk open at one browser. `organization`: for whom it acts now, `through` the firm that is accredited, if so."""

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("login", String(100), ForeignKey("account.login"), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
)
"""The codes that replace a lost second factor, each once: a code that was used is gone."""

external_identity = Table(
    "external_identity",
    metadata,
    Column("issuer", String(300), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("login", String(100), ForeignKey("account.login"), nullable=False),
    Column("linked_at", Instant, nullable=False),
    Index("external_identity_login", "login"),
)
"""How a provider of OpenID Connect names the person of an account."""

openid_attempt = Table(
    "openid_attempt",
    metadata,
    Column("state_hash", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("expires_at", Instant, nullable=False),
)
"""A sign-in that is under way at a provider; taken back once, or over after some minutes."""

client = Table(
    "client",
    metadata,
    Column("client_id", String(100), primary_key=True),
    Column("tenant", String(20), nullable=False),
    Column("name", String(100), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Index("client_tenant", "tenant"),
)
"""Software that speaks for a company (OAuth2 client credentials)."""

client_secret = Table(
    "client_secret",
    metadata,
    Column("client_id", String(100), ForeignKey("client.client_id"), primary_key=True),
    Column("secret_hash", String(64), primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("used_at", Instant),
)
"""The keys of a client: the current one, and while it is being replaced the one before."""

token = Table(
    "token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("client_id", String(100), ForeignKey("client.client_id"), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("token_client", "client_id"),
)

accreditation = Table(
    "accreditation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("grantor", String(20), nullable=False),
    Column("holder", String(20), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("flow_types", JSON, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    Column("granted_at", Instant, nullable=False),
    Column("granted_by", String(100), nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", String(100)),
    Index("accreditation_grantor", "grantor"),
    Index("accreditation_holder", "holder"),
    sqlite_autoincrement=True,
)
"""What an organization lets another do in its name (XP Z12-013 §7). No `flow_types`: all of them. Never changed, only
revoked."""

identity_event = Table(
    "identity_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("organization", String(20), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("detail", JSON, nullable=False),
    Index("identity_event_organization", "organization", "id"),
    Index("identity_event_at", "at", "id"),
    sqlite_autoincrement=True,
)
"""Who gave, changed or took away an access, and when: only added to."""

audit_event = Table(
    "audit_event",
    metadata,
    Column("chain", String(20), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("about", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_event_about", "chain", "about"),
)
"""The audit log, one chain a tenant (`store.audit`); triggers refuse to change or delete a row, but for a text that
becomes its digest (`store.audit_purge`)."""

audit_blank = Table(
    "audit_blank",
    metadata,
    Column("chain", String(20), primary_key=True),
    Column("seq", Integer, nullable=False),
)
"""Up to where the events of a chain say nothing more (`store.audit_purge`); of `roots`, how many were gone through."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("chain", String(20), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("sealed", Integer, nullable=False),
)
"""The last event of each chain, and the last that a signed root covers."""

audit_root = Table(
    "audit_root",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signature", String(100), nullable=False),
)
"""The signed roots, one a day (`store.roots`), each naming the one before; triggers refuse to change or delete one."""

audit_leaf = Table(
    "audit_leaf",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("chain", String(20), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""What a root stands on: where each chain that had moved then stood."""

alarm = Table(
    "alarm",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("since", Instant, nullable=False),
    Column("fr", String(500), nullable=False),
    Column("en", String(500), nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("cleared_at", Instant),
    Index("alarm_cleared", "cleared_at", "raised_at"),
)
"""What asked for someone: raised while its cause lasted, cleared once it was over."""
