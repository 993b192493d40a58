"""The platform's HTTP services for software: the Flow Service of XP Z12-013, tools for documents, access tokens.

Read first: `flow_service` (deposit, search, get), `documents` (convert, show, complete, compare, check: ours, and
nothing is kept), then `access` (who speaks for whom) and `problems` (the one shape of an error). The names of the norm
are kept on the wire exactly as published, and nowhere else.

Deliberately absent: any decision about an invoice. Webhooks and the Directory Service are not served yet.
"""
