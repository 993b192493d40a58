"""E-reporting (Flow 10): what must be reported, by whom, when, and how units become transmissions. Pure.

Read first: `decision` (e-invoiced, reported or neither, and why), then `extraction` (the unit records that an invoice
gives) and `cashing` (those of what is collected of it), `aggregation` (units of a period become the blocks of a
transmission), `calendar` (periods and deadlines by VAT regime, dated), `records` (what a till or a marketplace hands
in, CSV or JSON) and `controls` (what the portal asks that no Schematron can know).

Invariants: an operation goes one way only, Flow 1 or Flow 10; totals of a transmission are the exact sums of its units,
whatever their order and however often they came.

Deliberately absent: a store, a clock, the words of screens. Source: CGI art. 289 bis, 290 and 290 A; external
specifications v3.2 §2.3 and §3.7, annexes 6 and 7; XP Z12-014 annex A.
"""
