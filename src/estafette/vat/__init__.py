"""When VAT falls due and on which line of which form: dated tables and pure functions.

Read first: `facts` (what the administration knows of an invoice), then `exigibility` (when the VAT of these facts falls
due, rules X0 to X10), then `allocation` (on which line), then `returns` (the form filled, each cell with its evidence).
`rates` and `forms` are the law as dated data.

Invariants: the same facts and statuses give the same return, in whatever order and however often they came; an invoice
refused (210) or rejected (213, 251) gives nothing at all; every cell is the sum of its evidence, rounded once.

Deliberately absent: e-reporting (Flow 10), customs, fixed assets and taxation coefficients, the margin scheme, group
returns beyond their own members' invoices. What cannot be known from an invoice is a residual, never a guess in a cell.
"""
