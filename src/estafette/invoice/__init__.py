"""The invoice: the semantic model of EN 16931 with the French extension, and the one table of its terms.

- `model`: immutable records with the standard's English names; read `Invoice` first.
- `terms`: the table (`terms.txt`), one row a term: id, names, type, cardinality, its place in the model, in UBL and
  in CII, whether the regulatory data hold it. Everything that speaks of a place derives from it.
- `codes`: the lists that decide (types, frameworks, categories, rates, exemptions), with their sources;
  `codes_lists`: the lists that are read from the official artefacts.
- `building`: `complete`, which computes every figure of a draft and explains it; `drafts` reads a draft that a person
  wrote; `correction` makes credit notes and corrective invoices; `comparison` tells two invoices apart by term.

Deliberately absent: bytes and XML (the room of formats), and any judgement of what an invoice says (the room of rules).
"""

from estafette.invoice.building import Completion, complete
from estafette.invoice.model import Invoice, Line, Note, Party, Unread

__all__ = ["Completion", "Invoice", "Line", "Note", "Party", "Unread", "complete"]
