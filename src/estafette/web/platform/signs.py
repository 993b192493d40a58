"""How a state is shown: in which words, French and English, and in which tone (good, bad, wait or none).

The words of statuses, reasons, requested actions and data are those of the life cycle, those of an invoice's codes the
readable form's; only what no table of the field names is named here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from estafette.formats.status_message import Role
from estafette.invoice.terms import TERMS
from estafette.lifecycle.contents import CHARACTERISTICS, REQUESTED_ACTIONS
from estafette.lifecycle.reasons import ALIASES, REASONS
from estafette.readable import words

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sign:
    """Words and tone. `code` is what the field writes, empty where it writes nothing."""

    fr: str
    en: str
    tone: str = ""
    code: str = ""


TONES = {
    **dict.fromkeys(("200", "201", "202", "203", "204", "205", "209", "211", "212", "214"), "good"),
    **dict.fromkeys(("206", "207", "208"), "wait"),
    **dict.fromkeys(("210", "213", "221", "501"), "bad"),
}
STANDINGS = {
    "undelivered": Sign("Déposée, non transmise", "Submitted, not transmitted", "wait"),
    "archived": Sign("Archivée", "Archived"),
    "reportable": Sign("À déclarer (e-reporting)", "To be e-reported", "wait"),
}
NOTHING_OWED = Sign("—", "—")
DECLARED = {
    "waiting": Sign("À transmettre", "To be sent", "wait"),
    "packed": Sign("Transmis", "Sent", "wait"),
    "receivable": Sign("Recevable", "Receivable", "good"),
    "accepted": Sign("Acceptée", "Accepted", "good"),
    "rejected": Sign("Rejetée", "Rejected", "bad"),
    "irreceivable": Sign("Irrecevable", "Irreceivable", "bad"),
}
"""What became of what the State is owed, the first of these that any part of it has being told of the whole."""
ORDER = ("irreceivable", "rejected", "waiting", "packed", "accepted", "receivable")

DRAFTS = {
    "empty": Sign("Rien à déclarer", "Nothing to report"),
    "open": Sign("Période en cours", "Period under way"),
    "ready": Sign("À transmettre", "To be sent", "wait"),
    "corrective": Sign("Rectification à transmettre", "Correction to be sent", "wait"),
    "under way": Sign("Transmise, réponse attendue", "Sent, answer awaited", "wait"),
    "accepted": Sign("Acceptée", "Accepted", "good"),
    "refused": Sign("À corriger", "To be corrected", "bad"),
}
"""How the draft of a period stands (`reporting_drafts.Draft.state`)."""

TRANSMISSIONS = {**DECLARED, "blocked": Sign("Bloquée ici", "Blocked here", "bad")}
KINDS = {"transactions": Sign("Opérations", "Transactions"), "payments": Sign("Encaissements", "Payments")}
DECLARANTS = {"SE": Sign("Ventes", "Sales"), "BY": Sign("Achats", "Purchases")}
BLOCKS = {
    "10.1": Sign("Factures internationales", "International invoices", code="10.1"),
    "10.2": Sign("Encaissements de factures", "Payments of invoices", code="10.2"),
    "10.3": Sign("Ventes à des non-assujettis", "Sales to non-taxable persons", code="10.3"),
    "10.4": Sign("Encaissements de ces ventes", "Payments of these sales", code="10.4"),
}
SOURCES = {
    "invoice": Sign("Facture", "Invoice"),
    "status": Sign("Statut", "Status"),
    "file": Sign("Fichier", "File"),
    "report": Sign("Flux 10 déposé", "Flow 10 deposited"),
    "desk": Sign("Saisie", "Entered here"),
}
FILES = {
    "taken": Sign("Pris en entier", "Taken whole", "good"),
    "partial": Sign("Pris en partie", "Taken in part", "wait"),
    "refused": Sign("Refusé", "Refused", "bad"),
}
"""What became of a file of unit records."""

ROLES = {role: Sign(*said) for role, said in words.ROLES.items() if role != Role.PLATFORM}
OUR_PLATFORM = Sign("votre plateforme", "your platform")


def of_framework(code: str) -> Sign:
    """Return how a billing framework (BT-23) is shown."""
    fr, en = words.framework_words(code)
    return Sign(fr, en, code=code) if fr else Sign(code, code)


def of_comment(event: Row) -> Sign:
    """Return the comment of a status; a platform's is in both languages, line by line, a party's in its own."""
    text = event["comment"] or ""
    if event["emitter_role"] not in ("", Role.PLATFORM):
        return Sign(text, text)
    lines = [of_both(line) for line in text.splitlines()]
    return Sign("\n".join(line.fr for line in lines), "\n".join(line.en for line in lines))


def of_code(table: Mapping[str, tuple[str, str]], code: str | None) -> Sign:
    """Return how a code of one of these tables is shown; one that is not in it is shown as it is."""
    return Sign(*table.get(code or "", (code or "", code or "")), code=code or "")


def of_both(text: str) -> Sign:
    """Return a text kept as `français / English`, each apart; a text in one language stands for both."""
    parts = text.split(" / ")
    return Sign(parts[0], parts[1]) if len(parts) == 2 else Sign(text, text)


def of_status(code: str) -> Sign:
    """Return how a status is shown; one that no table knows is shown by its code."""
    return Sign(*words.status_words(code), TONES.get(code, ""), code)


def of_invoice(row: Row) -> Sign:
    """Return where an invoice of a list stands: its latest status, unless it stands apart."""
    standing, status = row["standing"], row["status"]
    if standing in STANDINGS and status in (None, "200"):
        return STANDINGS[standing]
    return of_status(status or "")


def of_declared(states: str | None) -> Sign:
    """Return what the administration has of an invoice, from the states of all that is owed of it (comma-separated)."""
    held = set((states or "").split(","))
    return next((DECLARED[state] for state in ORDER if state in held), NOTHING_OWED)


def of_declaration(row: Row) -> Sign:
    """Return what became of one thing owed; a receivable status is accepted, since the portal only tells rejections."""
    state = row["state"]
    return DECLARED["accepted" if state == "receivable" and row["status"] else state]


def of_flow(row: Row) -> Sign:
    """Return how a deposit stands: being judged, taken, or irreceivable."""
    return {
        "Pending": Sign("En cours de contrôle", "Being checked", "wait"),
        "Ok": Sign("Pris en compte", "Taken", "good"),
        "Error": Sign("Irrecevable", "Irreceivable", "bad"),
    }[row["acknowledgement"]]


def of_emitter(event: Row, row: Row) -> Sign:
    """Return who set a status: a party by its name, a platform by whose it is."""
    role = event["emitter_role"]
    if role in (Role.SELLER, Role.BUYER):
        name = row["seller_name"] if role == Role.SELLER else row["buyer_name"]
        return Sign(f"{name} ({ROLES[role].fr})", f"{name} ({ROLES[role].en})")
    if role in ROLES:
        return ROLES[role]
    if not event["received"]:
        return OUR_PLATFORM
    if row["side"] == "issued":
        return Sign("la plateforme du client", "the customer's platform")
    return Sign("la plateforme du fournisseur", "the supplier's platform")


def of_reason(code: str) -> Sign:
    """Return how a reason is shown; one that no table knows is shown by its code."""
    reason = REASONS.get(ALIASES.get(code, code))
    return Sign(reason.label, reason.name, code=code) if reason else Sign(code, code)


def of_action(code: str) -> Sign:
    """Return how a requested action is shown."""
    return Sign(*REQUESTED_ACTIONS.get(code, (code, code)), code=code)


def of_characteristic(code: str) -> Sign:
    """Return how a datum of a status is shown."""
    return Sign(*CHARACTERISTICS.get(code, (code, code)), code=code)


def of_type(code: str) -> Sign:
    """Return how a type of invoice (BT-3) is shown."""
    return Sign(*words.type_words(code), code=code)


def of_terms(text: str) -> list[Sign]:
    """Return the business terms that a fault names, each with its name; what is not a term (a path) as it is."""
    parts = [part.strip() for part in text.split(",")] if text else []
    return [term(part) for part in parts if part]


def term(text: str) -> Sign:
    """Return the name of a business term; what is not one is shown as it is."""
    known = TERMS.get(text)
    return Sign(known.name_fr, known.name_en, code=known.id) if known else Sign(text, text)
