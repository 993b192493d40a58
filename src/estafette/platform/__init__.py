"""A partner platform: takes invoices, judges and routes them, receives those of its customers, carries every answer,
and gives the administration what it is owed.

Read first: `platform` (what the room is made of and which job does what), then the way of an invoice: `intake`
(deposited by a customer), `reception` (come from another platform), `statuses` (every status, in and out),
`declarations` (to the public portal and back). `mirror` is its copy of the directory, `flows` what a customer deposited
and was given (`views`: as each client sees it; `mirrors`: what the State is told), `webhooks` and `callbacks` who is
called of it, `processing` which way a deposit is to go, `tables` what is kept.

Invariants: no document is accepted unjudged; a status is stored before it is sent; 213 and 210 end what the
administration counts; a tenant sees its own invoices and nothing else.

Deliberately absent: HTTP, pages, the State's own decisions. The public portal runs this same room for the companies
that use it directly.
"""
