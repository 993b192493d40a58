"""The desk of the administration: returns, registrations, pilot, activity, alerts; and the public list of platforms.

Read first: `pages` (every address and what it shows), then one module per service (`returns`, `registrations`, `pilot`,
`alerts`, `activity`), each reading its forms and asking the administration; `twins` gives the same as JSON.

Invariants: a page shows and asks, the administration decides; every decision carries the role of who is signed in; the
public list is the only page for those who are not, and it holds no number.

Deliberately absent: scripts, and any page that names a person.
"""

from pathlib import Path

from estafette.web.administration.pages import routes

TEMPLATES = Path(__file__).parent / "templates"

NAVIGATION = (
    ("/", "Accueil", "Home"),
    ("/returns", "Déclarations", "Returns"),
    ("/registrations", "Immatriculations", "Registrations"),
    ("/pilot", "Pilote", "Pilot"),
    ("/activity", "Activité", "Activity"),
    ("/alerts", "Alertes", "Alerts"),
)
"""Where one can go from every page: address, French and English words."""

__all__ = ["NAVIGATION", "TEMPLATES", "routes"]
