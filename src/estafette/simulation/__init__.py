"""Companies that play: our own sample documents, their mutants, and use cases replayed through the running actors.

Read first: `pilot` (the use cases, step by step, on four planes), then `company` (a company's software, over HTTP
only), `samples` (invoices of ours, made anew under any number and date), `documents` and `mutations` (seeded
documents, good and bad, for the rules).

Deliberately absent: any reach into an actor's store. What is played here is what a stranger could play.
"""
