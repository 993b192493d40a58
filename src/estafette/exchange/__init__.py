"""What carries messages between actors: signed, over HTTP, at least once out and at most once in.

Read first: `messages` (what travels, and its signature), then `post` (the outbox and the inbox of one actor), then
`actor` (what every actor is made of).

Invariants: a message leaves only because a committed transaction says so; it is taken only when its signature is that
of the actor it says it comes from; a copy that comes again is acknowledged and changes nothing.

Deliberately absent: any knowledge of what a message means. AS4 and SFTP come behind the same verbs.
"""
