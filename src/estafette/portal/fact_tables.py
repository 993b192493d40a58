"""The tables of facts: what accepted messages say, one row a fact, only ever added to.

A message that was accepted has a number, in the order of acceptance; its own record (`invoice_data`,
`obligatory_status`, `accepted_report`) says who sent it, in which flow and file, with which digest.
"""

from sqlalchemy import BigInteger, Column, Date, Index, Integer, String, Table

from estafette.portal.tables import metadata
from estafette.store.columns import Amount, Instant

fact = Table(
    "accepted_fact",
    metadata,
    Column("message", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False),  # invoice, status, collected, 10.1, 10.2, 10.3, 10.4
    Column("platform", String(10), nullable=False),
    Column("siren", String(9), nullable=False),  # the seller of an invoice, the declarant of a transmission
    Column("role", String(2), nullable=False),  # SE, BY
    Column("counterpart", String(18)),
    Column("number", String(35)),
    Column("year", Integer),
    Column("day", Date, nullable=False),
    Column("status", Integer),
    Column("type_code", String(3)),
    Column("process", String(3)),
    Column("vat_point", String(3)),
    Column("category", String(10)),
    Column("rate", Amount),
    Column("base", Amount),
    Column("vat", Amount),
    Column("amount", Amount),
    Column("currency", String(3)),
    Column("known_from", Instant, nullable=False),
    Index("fact_of_company", "siren", "day"),
)
"""Facts. `day` is what they concern: issue, operation or cashing; `known_from`, when the message was accepted.

`base` is without VAT, `amount` with it; both as declared, a credit note's above zero (`type_code` tells). Category and
rate are those of one part of a VAT breakdown; the category of daily totals is theirs (TT-81).
"""

replaced_fact = Table(
    "replaced_fact",
    metadata,
    Column("message", BigInteger, primary_key=True, autoincrement=False),
    Column("by", BigInteger, nullable=False),
    Column("known_until", Instant, nullable=False),
    Index("replaced_fact_by", "by"),
)
"""Messages whose facts stand no more, since when, and because of which other message; once, and never taken back."""
