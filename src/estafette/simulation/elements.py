"""How simulated documents are written: elements of XML, and what those of both syntaxes say alike."""

from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

UNECE = "urn:un:unece:uncefact:data:standard:"
PROFILES = {
    "EN16931": "urn:cen.eu:en16931:2017",
    "EXTENDED-CTC-FR": "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr",
    "EXTENDED": "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended",
    "BASIC": "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic",
    "BASICWL": "urn:factur-x.eu:1p0:basicwl",
    "MINIMUM": "urn:factur-x.eu:1p0:minimum",
}
"""Profile → BT-24 (formats.md §2; Factur-X 1.09)."""

NOTES = {
    "PMT": "Indemnité forfaitaire pour frais de recouvrement : 40 EUR.",
    "PMD": "Pénalités de retard : trois fois le taux d'intérêt légal.",
    "AAB": "Pas d'escompte pour paiement anticipé.",
}


def tag(name: str, *content: str | Decimal | date, **attributes: str) -> str:
    """Write an element: texts that begin with `<` are elements already, the others are escaped."""
    inner = "".join(str(item) if str(item).startswith("<") else escape(str(item)) for item in content)
    marks = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{marks}>{inner}</{name}>"
