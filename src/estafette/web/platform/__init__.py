"""The desk of a company on its platform: deposit, read, answer, follow.

Read first: `pages` (every address and what it shows), then `answers` (which form each status asks, and what a form
says), `deposits` (a file from the browser to its verdict), `reports` (e-reporting), `addresses` (where the company
receives), `archives` (what is kept), `attention` (what the home page puts first), `signs` (how a state is shown: words
and tone), `files` (what comes and leaves). The templates stand in `templates/`; what several share is in
`templates/parts.html`.

Invariants: a page shows one company what is its own, anything else is not found; the words of the life cycle come from
`estafette.lifecycle`, those of the terms from `estafette.invoice.terms`; every page works without a script.

Deliberately absent: any decision about an invoice, and the statuses that ask for bank details (224 to 228), which come
with factoring.
"""

from pathlib import Path

from estafette.web.platform.pages import routes

TEMPLATES = Path(__file__).parent / "templates"

NAVIGATION = (
    ("/", "Accueil", "Home"),
    ("/issued", "Émises", "Issued"),
    ("/received", "Reçues", "Received"),
    ("/deposits", "Dépôts", "Deposits"),
    ("/deposit", "Déposer", "New deposit"),
    ("/reports", "E-reporting", "E-reporting"),
    ("/addresses", "Adresses", "Addresses"),
    ("/archives", "Archives", "Archives"),
)
"""Where one can go from every page: address, French and English words."""

__all__ = ["NAVIGATION", "TEMPLATES", "routes"]
