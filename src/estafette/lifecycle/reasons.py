"""Why a status was set: the codes of reasons (MDT-113), where each may be used, and which one a failed rule gives.

Source: list and uses, assertions BR-FR-CDV-CL-09 (FNFE-MPE 1.4.0.04); codes of the portal, G7.18 and G7.19 (external
specifications v3.2, annex 7). Labels are our own words. Codes that only older texts have are read and shown as they
are; they are never set.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

B2G = "210-B2G"
"""In the column of uses: a refusal that Chorus Pro sends (sender 0238 = 9999)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason: its code, its French label, its English one, the statuses that may have it."""

    code: str
    label: str
    name: str
    statuses: frozenset[str]


# fmt: off
_ROWS = (
    ("NON_TRANSMISE", "Destinataire sans plateforme de réception", "No platform receives for the recipient", "200"),
    ("JUSTIF_ABS", "Justificatif manquant ou insuffisant", "Supporting document missing or insufficient", "208"),
    ("ROUTAGE_ERR", "Données de routage erronées ou périmées", "Routing data wrong or out of date", "221"),
    ("AUTRE", "Autre motif", "Other reason", "206 207 B2G"),
    ("COORD_BANC_ERR", "Coordonnées bancaires erronées", "Bank details wrong", "207 208 B2G"),
    ("TX_TVA_ERR", "Taux de TVA erroné", "VAT rate wrong", "207 210 B2G"),
    ("MONTANTTOTAL_ERR", "Un montant total est erroné", "A total is wrong", "207 210 B2G 213"),
    ("CALCUL_ERR", "Erreur de calcul", "Calculation error", "207 210 B2G 213"),
    ("NON_CONFORME", "Une mention légale manque", "A legal mention is missing", "207 210 B2G"),
    ("DOUBLON", "Facture en double", "Duplicate invoice", "207 210 B2G 213"),
    ("DEST_INC", "Destinataire inconnu", "Recipient unknown", "207 213"),
    ("DEST_ERR", "Erreur de destinataire", "Wrong recipient", "207 210 B2G"),
    ("TRANSAC_INC", "Aucune livraison ni prestation ne correspond", "No such delivery or service", "207 210 B2G"),
    ("EMMET_INC", "Émetteur inconnu du destinataire", "Sender unknown to the recipient", "207 210 B2G"),
    ("CONTRAT_TERM", "Contrat terminé", "Contract ended", "207 210 B2G"),
    ("DOUBLE_FACT", "Déjà facturé sur une autre facture", "Already billed on another invoice", "207 210 B2G"),
    ("CMD_ERR", "Numéro de commande erroné ou absent", "Order number wrong or missing", "206 207 208 210 B2G"),
    ("ADR_ERR", "Adresse de facturation absente ou erronée", "Billing address missing or wrong", "207 210 B2G 213"),
    ("SIRET_ERR", "SIRET du destinataire absent ou erroné", "Recipient's SIRET missing or wrong", "206 207 208"),
    ("CODE_ROUTAGE_ERR", "Code routage absent ou erroné", "Routing code missing or wrong", "206 207 208"),
    ("REF_CT_ABSENT", "Une référence due au contrat manque", "Contractual reference missing", "206 207 208 210 B2G"),
    ("REF_ERR", "Une référence est erronée", "A reference is wrong", "206 207 208"),
    ("PU_ERR", "Prix unitaire erroné", "Unit price wrong", "206 207"),
    ("REM_ERR", "Remise absente ou erronée", "Discount missing or wrong", "206 207"),
    ("QTE_ERR", "Quantité erronée", "Quantity wrong", "206 207"),
    ("ART_ERR", "Article erroné", "Item wrong", "206 207"),
    ("MODPAI_ERR", "Conditions de paiement erronées", "Payment terms wrong", "206 207"),
    ("QUALITE_ERR", "Marchandise défectueuse", "Goods defective", "206 207"),
    ("LIVR_INCOMP", "Livraison absente ou incomplète", "Delivery incomplete or not done", "206 207 B2G"),
    ("RETRAIT_MAN_SERV", "Retirée par le service", "Withdrawn by the service", "B2G"),
    ("ST_CT_NON_DECLAR", "Sous-traitant ou cotraitant non déclaré", "Subcontractor not declared", "B2G"),
    ("SUPPR_COMP_AVOIR", "Retirée, compensée par des avoirs", "Removed, compensated by credit notes", "B2G"),
    ("TRANSF_PMNT_REGIE", "Transférée en paiement par régie", "Moved to imprest payment", "B2G"),
    # The official list has it, the official test refuses it in every status that has a list of reasons.
    ("CONTACT_ACHTR", "Voir avec l'acheteur", "Contact the buyer", ""),
    ("REJ_SEMAN", "Contrôle du format sémantique en échec", "Semantic format control failed", "213 251 301"),
    ("REJ_UNI", "Contrôle d'unicité en échec", "Uniqueness control failed", "213 251 301"),
    ("REJ_COH", "Contrôle de cohérence en échec", "Consistency control failed", "213 251 301 401"),
    ("REJ_ADR", "Contrôle d'adressage en échec", "Addressing control failed", "213"),
    ("REJ_CONT_B2G", "Contrôles propres au secteur public en échec", "Public sector controls failed", "213"),
    ("REJ_REF_PJ", "Contrôle de référence des pièces jointes en échec", "Attachment reference failed", "213"),
    ("REJ_ASS_PJ", "Contrôle d'association des pièces jointes en échec", "Attachment association failed", "213"),
    ("REJ_PER", "Période non valide", "Period not valid", "301"),
    ("REJ_INC", "Statut incohérent", "Status incoherent", "601"),
    ("REJ_INEX", "Statut inexistant", "Status unknown", "601"),
    ("REJ_RG", "Règle de gestion non respectée", "Business rule broken", "401 601"),
    ("REJ_HAB", "Émetteur non habilité", "Emitter not entitled", "401 601"),
    ("REJ_ENCAISSEMENT", "Encaissement non ventilé par taux", "Collection not split by VAT rate", "601"),
    ("REJ_VAL_INC", "Valeur non autorisée", "Value not allowed", "401"),
    ("IRR_VIDE_F", "Fichier vide", "File empty", "501"),
    ("IRR_TYPE_F", "Type ou extension de fichier non admis", "File type or extension not allowed", "501"),
    ("IRR_SYNTAX", "Fichier non conforme à son schéma", "File against its schema", "501"),
    ("IRR_TAILLE_F", "Fichier trop grand", "File too big", "501"),
    ("IRR_NOM_F", "Nom de fichier non admis", "File name not allowed", "501"),
    ("IRR_ANTIVIRUS", "Virus détecté", "Virus found", "501"),
    ("IRR_TAILLE_PJ", "Pièce jointe trop grande", "Attachment too big", "501"),
    ("IRR_NOM_PJ", "Nom de pièce jointe non admis", "Attachment name not allowed", "501"),
    ("IRR_VID_PJ", "Pièce jointe vide", "Attachment empty", "501"),
    ("IRR_EXT_DOC", "Extension de pièce jointe non admise", "Attachment extension not allowed", "501"),
    ("IRR_TAILLE", "Flux trop grand", "Flow too big", "501-flow"),
    ("IRR_UNICITE", "Flux déjà reçu", "Flow already received", "501-flow"),
    ("IRR_VIDE", "Flux vide", "Flow empty", "501-flow"),
    ("IRR_FORM", "Nom de flux mal formé", "Flow name malformed", "501-flow"),
    ("IRR_TYPE", "Type ou extension de flux non admis", "Flow type or extension not allowed", "501-flow"),
    ("IRR_CODE_INTER", "Code interface inconnu", "Interface code unknown", "501-flow"),
    ("IRR_EXTRAC", "Archive impossible à extraire", "Archive cannot be extracted", "501-flow"),
    ("IRR_CODE_APP", "Code application sans raccordement", "No connection for the application code", "501-flow"),
)
# fmt: on

REASONS: Mapping[str, Reason] = MappingProxyType(
    {
        code: Reason(code, label, name, frozenset(B2G if use == "B2G" else use for use in uses.split()))
        for code, label, name, uses in _ROWS
    }
)
"""Every reason by its code (MDT-113)."""

ALIASES: Mapping[str, str] = MappingProxyType({"IRR_UNCITE": "IRR_UNICITE"})
"""Spellings that official texts print (general file, table 3), and what they stand for."""

_LISTED = frozenset({"200", "206", "207", "208", "210", "213", "221", "251", "301", "401", "501", "601"})


def reasons_of(status: str, *, b2g: bool = False) -> tuple[Reason, ...]:
    """Give the reasons that a status may have, in the order of the table; nothing for a status without a list.

    >>> [reason.code for reason in reasons_of("221")]
    ['ROUTAGE_ERR']
    """
    use = B2G if b2g and status == "210" else status
    return tuple(reason for reason in REASONS.values() if use in reason.statuses)


def fits(code: str, status: str, *, b2g: bool = False) -> bool:
    """Tell whether a reason may go with a status; a status without a list takes any known reason (CL-09)."""
    if code not in REASONS:
        return False
    return status not in _LISTED or REASONS[code] in reasons_of(status, b2g=b2g)


def reason_label(code: str) -> str:
    """Give the French label of a reason, or the code itself when nothing says what it is."""
    reason = REASONS.get(ALIASES.get(code, code))
    return reason.label if reason else code


REJECTION_OF: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"BR-FR-(12|13|21|22|23|25)(?![0-9])"), "ADR_ERR"),
    (re.compile(r"BR-FR-CPRO-"), "REJ_CONT_B2G"),
    (re.compile(r"BR-(FREXT-|FXEXT-)?CO-1[0-6](?![0-9])"), "MONTANTTOTAL_ERR"),
    (re.compile(r"BR-(FREXT-|FXEXT-)?CO-17(?![0-9])"), "CALCUL_ERR"),
    (re.compile(r"BR-(FREXT-|FXEXT-)?(S|Z|E|AE|IC|G|O|AF|AG|IG|IP)-0[89](?![0-9])"), "CALCUL_ERR"),
)
"""Which reason of rejection (213) an official assertion falls in; any other is REJ_SEMAN."""


def reason_of(findings: Iterable[str]) -> str:
    """Give the one reason of rejection (213) that the identifiers of the fatal findings amount to.

    A finding without a reason of its own makes the whole REJ_SEMAN; otherwise the first reason of the table wins.

    >>> reason_of(["BR-CO-15"]), reason_of(["BR-S-08", "BR-CO-15"]), reason_of(["BR-CO-15", "BR-01"])
    ('MONTANTTOTAL_ERR', 'MONTANTTOTAL_ERR', 'REJ_SEMAN')
    """
    found = {_rejection(finding) for finding in findings}
    order = [reason for _, reason in REJECTION_OF]
    return min(found, key=order.index) if found and found <= set(order) else "REJ_SEMAN"


def _rejection(finding: str) -> str:
    return next((reason for pattern, reason in REJECTION_OF if pattern.match(finding)), "REJ_SEMAN")
