"""The tables of a platform: its customers, what they deposit and receive, every status, what the State is owed."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from estafette.store.columns import Amount, Instant, partial_index

metadata = MetaData()

company = Table(
    "company",
    metadata,
    Column("siren", String(9), primary_key=True),
    Column("name", String(150), nullable=False),
    Column("status_address", String(125), nullable=False),
    Column("opened_at", Instant, nullable=False),
)
"""A customer of the platform. `status_address`: where it wants its statuses (MDT-73)."""

flow = Table(
    "flow",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("siren", String(9), ForeignKey("company.siren"), nullable=False),
    Column("origin", String(10), nullable=False),  # client, platform, peer, portal
    Column("flow_type", String(40), nullable=False),
    Column("syntax", String(10), nullable=False),
    Column("profile", String(20), nullable=False),
    Column("name", String(255), nullable=False),
    Column("tracking_id", String(64)),
    Column("processing_rule", String(20), nullable=False),
    Column("processing_rule_source", String(10), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("acknowledgement", String(10), nullable=False),
    Column("details", JSON, nullable=False),
    Column("invoice_id", String(36), ForeignKey("invoice.id")),
    Index("flow_updated", "siren", "updated_at", unique=True),
    partial_index("flow_document", "siren", "sha256", where="origin = 'client'"),
    Index("flow_invoice", "invoice_id"),
    partial_index("flow_irreceivable", "submitted_at", where="invoice_id IS NULL AND acknowledgement = 'Error'"),
    partial_index("flow_alone", "submitted_at", where="invoice_id IS NULL AND acknowledgement = 'Ok'"),
)
"""What crosses the API of one customer (XP Z12-013 §3): one file, its acknowledgement, in strict order of update."""

archive_member = Table(
    "archive_member",
    metadata,
    Column("flow_id", String(36), ForeignKey("flow.id"), primary_key=True),
    Column("archive_id", String(36), ForeignKey("flow.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Index("archive_member_archive", "archive_id", "position"),
)
"""Which flows came in one archive, itself a flow."""

invoice = Table(
    "invoice",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("siren", String(9), ForeignKey("company.siren"), nullable=False),
    Column("side", String(8), nullable=False),  # issued, received
    Column("standing", String(12), nullable=False),
    Column("seller_siren", String(20), nullable=False),
    Column("seller_name", String(255), nullable=False),
    Column("buyer_siren", String(20), nullable=False),
    Column("buyer_name", String(255), nullable=False),
    Column("number", String(255), nullable=False),
    Column("year", Integer, nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("due_date", Date),
    Column("type_code", String(3), nullable=False),
    Column("total_with_vat", Amount),
    Column("currency", String(3), nullable=False),
    Column("syntax", String(10), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("peer", String(10)),  # the matricule of the platform at the other end
    Column("matricule", String(10)),  # that of ours under which it came: the portal's room answers for several
    Column("message_id", String(200)),  # of the exchange that brought it or took it away
    Column("received_at", Instant, nullable=False),  # MDT-95 of every status of this side
    Column("explanation", JSON),  # why it was rejected or set aside, in both languages
    Index("invoice_list", "siren", "side", "received_at"),
    Index("invoice_number", "seller_siren", "number", "year"),
    Index("invoice_issued", "siren", "issue_date", "id"),
    partial_index(
        *("invoice_once", "siren", "side", "seller_siren", "number", "year"),
        where="standing != 'rejected'",
        unique=True,
    ),
    partial_index("invoice_kept", "issue_date", "id", where="standing != 'rejected'"),
    partial_index("invoice_rejected", "received_at", where="standing = 'rejected'"),
)
"""One delivery of one invoice, on one side. `standing`: live, rejected, undelivered, archived, reportable. A rejected
delivery never stands in the way of another with its number (BR-FR-CO-02)."""

event = Table(
    "event",
    metadata,
    Column("invoice_id", String(36), ForeignKey("invoice.id"), primary_key=True),
    Column("message_id", String(200), primary_key=True),  # MDT-4
    Column("status", String(3), nullable=False),
    Column("emitter_role", String(3), nullable=False),
    Column("set_at", Instant, nullable=False),  # MDT-78
    Column("recorded_at", Instant, nullable=False),
    Column("received", Boolean, nullable=False),  # from another platform, or set here
    Column("reasons", JSON, nullable=False),
    Column("characteristics", JSON, nullable=False),
    Column("comment", Text),
    Column("sha256", String(64), nullable=False),  # the CDAR itself
)
"""The life cycle: every status as it was set, none ever changed. A status is the same by its MDT-4."""

early_status = Table(
    "early_status",
    metadata,
    Column("sender", String(10), primary_key=True),
    Column("message_id", String(200), primary_key=True),
    Column("seller_siren", String(20), nullable=False),
    Column("number", String(255), nullable=False),
    Column("year", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("received_at", Instant, nullable=False),
    Index("early_status_key", "seller_siren", "number", "year"),
    Index("early_status_received", "received_at"),
)
"""Statuses that came before their invoice; they join it when it comes."""

declaration = Table(
    "declaration",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("interface", String(8), nullable=False),
    Column("object_id", String(255), nullable=False),  # MDT-87 of the portal's answer: BT-1 or MDT-4
    Column("seller_siren", String(20), nullable=False),
    Column("issue_date", Date, nullable=False),
    Column("invoice_id", String(36), ForeignKey("invoice.id"), nullable=False),
    Column("status", String(3)),
    Column("flow_id", String(36)),  # its mirror among the company's flows
    Column("file_name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("state", String(12), nullable=False),  # waiting, packed, receivable, accepted, rejected, irreceivable
    Column("flow_name", String(60)),
    Column("details", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant),  # by when the portal must have it (lifecycle.deadlines)
    Column("answered_at", Instant),
    partial_index("declaration_due", "due_at", where="state IN ('waiting', 'packed', 'irreceivable')"),
    partial_index("declaration_refused", "due_at", where="state IN ('rejected', 'irreceivable')"),
    partial_index("declaration_waiting", "interface", "id", where="state = 'waiting'"),
    Index("declaration_object", "interface", "object_id"),
    Index("declaration_flow", "flow_name"),
    Index("declaration_invoice", "invoice_id"),
    partial_index("declaration_kept", "created_at", where="sha256 != ''"),
)
"""What the State is owed, one row an object: a Flow 1 or an obligatory status, and what the portal answered."""

portal_flow = Table(
    "portal_flow",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("direction", String(3), nullable=False),
    Column("state", String(12), nullable=False),  # sent, receivable, irreceivable; received
    Column("sha256", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("details", JSON, nullable=False),
    partial_index("portal_flow_kept", "created_at", where="sha256 != ''"),
)
"""Envelopes to and from the public portal, by their published name."""
