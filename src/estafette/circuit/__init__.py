"""The circuit: every actor composed, opened and served, in one process or each alone.

Read first: `network` (who the actors are and where), then `serve` (opening, refusing clearly, serving, stopping),
`compose` (which rooms make an actor), `seed` (the pilot team of the first start).

Deliberately absent: any rule of the field. This room only puts the others together.
"""
