"""The engine of rules: the official law of formats, applied to a document and answered with findings.

`check` is the one verb: bytes in, a `Verdict` out, never an exception; `check_parsed` takes a tree. Read first
`verdict.py` (the answer), then `judge.py` (the chain: recognise, schema, sheets), then `catalogue.py` (which packs
judge what, since when).

Deliberately absent: no rule of CEN, FNFE or AIFE is written here by hand, they come from their published artefacts;
no directory, no uniqueness, no clock (those belong to the platforms, who know them); no network.
"""

from estafette.rules.judge import check, check_parsed
from estafette.rules.verdict import Finding, Severity, Verdict

__all__ = ["Finding", "Severity", "Verdict", "check", "check_parsed"]
