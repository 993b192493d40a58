"""The platform's HTTP services for software: the Flow and Directory Services of XP Z12-013, documents, access tokens.

Read first: `flow_service` (deposit, search, get), `directory_service` (who is reached where), `documents` (convert,
show, complete, compare, check: ours, and nothing is kept), then `access` (who speaks for whom) and `problems` (the one
shape of an error). The names of the norm are kept on the wire exactly as published, and nowhere else.

Deliberately absent: any decision about an invoice. Webhooks are not served yet.
"""
