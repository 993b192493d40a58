"""The findings of our own prefix: what the engine says where no official rule speaks."""

from estafette.rules.verdict import Finding, Severity

OWN: dict[str, tuple[str, str, str]] = {
    "EST-XML": (
        "Le document n'est pas un XML bien formé.",
        "Ouvrez le fichier à la ligne indiquée, corrigez le balisage, et vérifiez son encodage (UTF-8 conseillé).",
        "Open the file at the given line, repair the markup, and check its encoding (UTF-8 advised).",
    ),
    "EST-DOCTYPE": (
        "Le document porte une déclaration DOCTYPE, refusée parce qu'elle permet des entités.",
        "Retirez la déclaration DOCTYPE : aucun format de facture n'en a besoin.",
        "Remove the DOCTYPE declaration: no invoice format needs one.",
    ),
    "EST-LIMIT": (
        "Le document dépasse une limite : taille, profondeur, nombre d'éléments ou d'attributs, travail demandé.",
        "Réduisez les pièces jointes ou scindez l'envoi : un fichier ne dépasse pas 100 Mo.",
        "Reduce the attachments or split the deposit: a file is at most 100 MB.",
    ),
    "EST-SYNTAX": (
        "Le document n'est d'aucune syntaxe connue (UBL Invoice ou CreditNote, CII, CDAR, Flux 10).",
        "Vérifiez l'élément racine et son espace de noms ; pour un autre format, ajoutez son paquet de règles.",
        "Check the root element and its namespace; for another format, add its pack of rules.",
    ),
    "EST-XSD": (
        "Le document ne suit pas le schéma XML de sa syntaxe.",
        "Corrigez l'élément indiqué (nom, ordre, nombre ou type de valeur) selon le schéma officiel.",
        "Correct the element shown (name, order, count or type of value) after the official schema.",
    ),
    "EST-SHEET": (
        "La règle officielle n'a pas pu être évaluée : une valeur n'a pas la forme qu'elle suppose.",
        "Vérifiez les nombres, les dates et les éléments répétés à l'endroit indiqué.",
        "Check the numbers, dates and repeated elements at the place shown.",
    ),
    "EST-PDF": (
        "Le PDF ne peut pas être lu.",
        "Régénérez le PDF : il doit être un PDF/A-3 non chiffré.",
        "Generate the PDF again: it must be a PDF/A-3, not encrypted.",
    ),
    "EST-PDF-ATTACHMENT": (
        "Le PDF n'embarque aucun fichier de facture.",
        "Joignez au PDF le fichier CII nommé factur-x.xml.",
        "Attach to the PDF the CII file named factur-x.xml.",
    ),
    "EST-PDF-NAME": (
        "La facture embarquée ne porte pas le nom factur-x.xml.",
        "Nommez la pièce embarquée factur-x.xml (F et UF du Filespec).",
        "Name the embedded file factur-x.xml (F and UF of the Filespec).",
    ),
    "EST-PDF-RELATIONSHIP": (
        "La relation de la pièce embarquée (AFRelationship) n'est pas celle que Factur-X prescrit.",
        "Déclarez AFRelationship Data (MINIMUM, BASIC WL), ou Data, Source ou Alternative (autres profils).",
        "Declare AFRelationship Data (MINIMUM, BASIC WL), or Data, Source or Alternative (other profiles).",
    ),
    "EST-PDF-PROFILE": (
        "Le profil annoncé par le XMP du PDF n'est pas celui de la facture embarquée.",
        "Écrivez dans fx:ConformanceLevel le profil qu'annonce BT-24.",
        "Write in fx:ConformanceLevel the profile that BT-24 announces.",
    ),
}
"""Identifier → message (French), remedy in French, remedy in English."""


def own_finding(
    identifier: str, *, value: str = "", path: str = "", line: int | None = None, severity: Severity = Severity.FATAL
) -> Finding:
    """Make the finding of one of our own identifiers, fatal unless said otherwise."""
    message, remedy_fr, remedy_en = OWN[identifier]
    return Finding(
        id=identifier,
        severity=severity,
        path=path,
        line=line,
        value=value[:500],
        message=message,
        remedy_fr=remedy_fr,
        remedy_en=remedy_en,
        pack="estafette",
    )
