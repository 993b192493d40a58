"""The public portal: the directory authority and the data concentrator.

Read first: `portal` (what the room is made of and which job does what), `concentrator` (an envelope comes in, is
controlled in stages, is answered; each kind of object in `flow1`, `flow6`, `reports`), `facts` (what was accepted),
`known` (what stands of it, at any moment), `feed` and `partitions` (how it is given on), `watch` (its desk),
`authority` (who can be reached where, and what the platforms are told of it), `register` (the one way into the
directory) and `holdings` (what it holds, on any day, as known at any moment), `updates` (what platforms change of it by
F13), `feeds` (what the national and the tax register make of it), `directory_search` and `directory_words` (what
platforms, and anyone, find in it), `tables`.

Invariants: every flow received is answered, but an acknowledgement never is; one bad file makes its whole flow
irreceivable, one bad object harms only itself; a fact goes to the administration once, in the transaction that accepts
it, and no fact is ever changed; no version of anything in the directory is deleted or rewritten.

Deliberately absent: invoices. The companies that use the portal directly do so through the room of the platforms.
"""
