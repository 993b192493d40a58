"""The platform's HTTP services for software: the Flow and Directory Services of XP Z12-013, documents, access tokens.

Read first: `flow_service` (deposit, search, get), `webhooks` (who is called), `directory_service` (who is reached
where), `documents` (convert, show, complete, compare, check: ours, and nothing is kept), then `access` (who speaks for
whom) and `problems` (the one shape of an error). `contract` is the table of operations that routes and `openapi` are
made of. The portal's directory API for platforms is put together in `annuaire`. The published names are kept as they
are on the wire, and nowhere else.

Deliberately absent: any decision about an invoice.
"""
