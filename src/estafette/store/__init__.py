"""The store of one actor: records with migrations, documents by content, the queue of what must still happen.

Read first: `database` (one writer, one transaction), `jobs` (outbox, retries and schedules in one table), `documents`
(the original bytes, kept for ever), then `identity` (accounts, sessions, API clients).

Invariants: what must leave is written in the same transaction as the state it follows from; a document is on disk
before a record names it; nothing here knows what an invoice is.

Two engines are behind `database`: `sqlite`, a file in the actor's folder, and `postgresql`, a schema that several
processes share.

Deliberately absent: an object-relational mapper, a message broker, any state outside the actor's folder, schema and
bucket.
"""
