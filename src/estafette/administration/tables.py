"""The tables of the administration: facts told, files judged, decisions taken, and the journal of every transition."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from estafette.store.columns import Amount, Instant

metadata = MetaData()

fact = Table(
    "fact",
    metadata,
    Column("seller", String(9), primary_key=True),
    Column("number", String(35), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("flow", String(320), primary_key=True),
    Column("taxpayer", String(9), nullable=False),
    Column("buyer", String(9), nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("platform", String(10), nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("data", JSON, nullable=False),
    Index("fact_taxpayer", "taxpayer"),
    Index("fact_buyer", "buyer"),
    Column("total_cents", BigInteger, nullable=False),
    Index("fact_pair", "seller", "buyer", "total_cents"),
)
"""Flow 1 data as told by the concentrator. Of several under one key the first accepted stands, the others stay."""

status_event = Table(
    "status_event",
    metadata,
    Column("seller", String(9), primary_key=True),
    Column("number", String(35), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("message_id", String(200), primary_key=True),
    Column("status", Integer, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("data", JSON, nullable=False),
)
"""Obligatory statuses as told by the concentrator, whether or not the data of their invoice have come."""

report_fact = Table(
    "report_fact",
    metadata,
    Column("declarant", String(9), primary_key=True),
    Column("start", Date, primary_key=True),
    Column("end", Date, primary_key=True),
    Column("transmission", String(50), primary_key=True),
    Column("role", String(2), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("type_code", String(2), nullable=False),
    Column("platform", String(10), nullable=False),
    Column("flow", String(320), nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("data", JSON, nullable=False),
    Index("report_fact_period", "declarant", "role", "kind", "start"),
)
"""Transmissions of e-reporting as told by the concentrator. Of a period one stands (`facts.reports_of`), all stay."""

journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("subject", String(40), nullable=False),
    Column("subject_id", String(60), nullable=False),
    Column("at", Instant, nullable=False),
    Column("role", String(20), nullable=False),
    Column("from_state", String(40)),
    Column("to_state", String(40), nullable=False),
    Column("reason", Text, nullable=False),
    Index("journal_subject", "subject", "subject_id", "id"),
    sqlite_autoincrement=True,
)
"""Every transition of a file, a registration, an application, a team or an alert: only added to."""

timer = Table(
    "timer",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("subject", String(40), nullable=False),
    Column("subject_id", String(60), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("due", Date, nullable=False),
    Column("source", String(100), nullable=False),
    UniqueConstraint("subject", "subject_id", "kind", name="timer_once"),
)
"""The terms that the law sets on a file or a registration, as rows."""

registration_file = Table(
    "registration_file",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("siren", String(9), nullable=False),
    Column("trade_name", String(100), nullable=False),
    Column("state", String(40), nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("completed_at", Instant),
    Column("receipt", String(64), nullable=False),
    Column("content", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    Index("registration_file_siren", "siren"),
    sqlite_autoincrement=True,
)
"""An application to become a registered platform (CGI annexe II, art. 242 nonies B)."""

registration = Table(
    "registration",
    metadata,
    Column("matricule", String(4), primary_key=True),
    Column("file_id", Integer, ForeignKey("registration_file.id"), nullable=False, unique=True),
    Column("granted_on", Date, nullable=False),
    Column("delivered_on", Date),
    Column("expires_on", Date, nullable=False),
    Column("ended_on", Date),
)
"""A number given to a platform. `delivered_on`: the day it became free of reservations."""

campaign = Table(
    "campaign",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("content", JSON, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)
"""A pilot campaign with its own dates."""

team = Table(
    "team",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("campaign_id", String(40), ForeignKey("campaign.id"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("state", String(40), nullable=False),
    UniqueConstraint("campaign_id", "name", name="team_once"),
    sqlite_autoincrement=True,
)

team_member = Table(
    "team_member",
    metadata,
    Column("team_id", Integer, ForeignKey("team.id"), primary_key=True),
    Column("siren", String(9), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("naf", String(6)),
    Column("lead", Integer, nullable=False),
    Index("team_member_siren", "siren"),
)
"""Who takes part, as the application says; `naf` is the sector that activity is counted in."""

application = Table(
    "application",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("team_id", Integer, ForeignKey("team.id"), nullable=False, unique=True),
    Column("state", String(40), nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("receipt", String(64), nullable=False),
    Column("content", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    sqlite_autoincrement=True,
)
"""The application file of a team. `submitted_at` is the campaign's own time: a campaign may be replayed."""

alert = Table(
    "alert",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("detector", String(40), nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("siren", String(9), nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("vat_at_risk", Amount, nullable=False),
    Column("evidence", JSON, nullable=False),
    sqlite_autoincrement=True,
)
"""What a detector saw, once per key, with the evidence as it was then."""

alert_decision = Table(
    "alert_decision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("alert_id", Integer, ForeignKey("alert.id"), nullable=False),
    Column("decision", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("decided_at", Instant, nullable=False),
    Index("alert_decision_alert", "alert_id", "id"),
    sqlite_autoincrement=True,
)
"""What humans decided on an alert; the last one holds."""
