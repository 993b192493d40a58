"""The tax administration: registers platforms, runs the pilot, prepares VAT returns, watches activity, raises alerts.

Read first: `administration` (what is taken and what is told), `intake` (what the concentrator says), then the room's
services, each in its own module: `returns` (the CA3 of a company and month, each cell to its invoices), `activity`
(turnover by sector and week under statistical secrecy), `alerts` (an invoice sent twice under two numbers),
`registration` (from file to number and public list) and `pilot` (campaign, application, team). `files` reads the YAML
that people write, `completeness` and `candidacy` judge it; `parameters` holds what the law dates.

Invariants: what is told twice or in another order ends the same; an alert changes nothing without a human decision; no
registration number leaves on an unauthenticated page; every transition is a line of the journal, only ever added to.

Deliberately absent: any decision taken by a program, the names of persons (a decision is signed by a role), the
invoices themselves (the administration is given data, not documents).
"""
