"""The controls of an issued invoice that no Schematron can do: they look at the directory and at what was had before.

Each gives faults under the identifier of the norm's rule where it has one. `outside` and `needless` give no fault: they
tell that the invoice is not one that e-invoicing carries.

Source: use-cases.md §2 and §6; XP Z12-012 BR-FR-10, 11, CO-13, MV-04, CPRO-10 to 13; annex 7 G1.63, G1.101, G2.32.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, exists, select

from estafette.formats import flux1
from estafette.invoice import codes
from estafette.invoice.model import Invoice, PrecedingInvoice
from estafette.platform.examination import Fault
from estafette.platform.mirror import Mirror
from estafette.platform.tables import event, invoice
from estafette.store.worker import Later

INCOHERENT = "REJ_COH"
GROUP_SCHEME, SIRET_SCHEME, SERVICE_SCHEME = "0231", "0009", "0224"

OUTSIDE = {
    "fr": "Opérations exonérées (CGI, art. 261 à 261 E) ou hors champ seulement : hors facturation électronique, "
    "aucune donnée envoyée ; remettez la facture autrement.",
    "en": "Exempt operations (CGI, art. 261 to 261 E) or out of scope only: outside e-invoicing, no data sent; "
    "hand the invoice over by other means.",
}
NEEDLESS = {
    "fr": "Avoir d'une facture rejetée ou refusée : gardé chez vous seulement, ni transmis ni déclaré ; "
    "la facture ne compte déjà plus.",
    "en": "Credit note of a rejected or refused invoice: kept for you only, neither sent nor declared; "
    "the invoice counts for nothing already.",
}


def unnumbered(document: Invoice) -> dict[str, str] | None:
    """Say that the portal will reject the data of an invoice, a party of which has no VAT number; None when both have.

    Annex 1 does not ask for the numbers and annex 7 marks G2.33 for Flow 10 only; the control that the portal runs asks
    for both all the same. The invoice is good: it goes, its data are sent in time, and its issuer is told beforehand.
    """
    named = (
        ("vendeur (BT-31)", "seller (BT-31)", document.seller),
        ("acheteur (BT-48)", "buyer (BT-48)", document.buyer),
    )
    missing = [(fr, en) for fr, en, party in named if party.siren and not party.vat_identifier]
    if not missing:
        return None
    fr, en = (", ".join(words) for words in zip(*missing, strict=True))
    return {
        "fr": f"Numéro de TVA absent : {fr}. La facture est remise et reste valable, mais le portail en rejettera les "
        "données (G2.33) : si ce numéro existe, indiquez-le sur les suivantes ; sinon (franchise en base), il se "
        "demande au service des impôts des entreprises.",
        "en": f"VAT number missing: {en}. The invoice is delivered and stays valid, but the portal will reject its "
        "data (G2.33): if there is such a number, put it on the next ones; else (small-business exemption), it is "
        "asked of the tax office for businesses.",
    }


def directory_faults(mirror: Mirror, connection: Connection, document: Invoice) -> Iterator[Fault]:
    """Give the parties that the directory should know and does not. Raises: Later, while there is no directory."""
    term = "BT-47" if document.is_self_billed else "BT-30"
    rule = "BR-FR-11" if document.is_self_billed else "BR-FR-10"
    issuer = document.buyer_siren if document.is_self_billed else document.seller_siren
    wanted = [(issuer, rule, term)]
    if document.business_process in codes.SEVERAL_INVOICES_FRAMEWORKS:
        wanted += [(unit.seller_siren, "BR-FR-10", "EXT-FR-FE-167") for unit in flux1.units(document)]
    if group := document.seller.identifier(GROUP_SCHEME):
        wanted.append((group, "G1.101", "BT-29"))
    for siren, broken, place in dict.fromkeys(wanted):
        if not mirror.has_active(connection, siren or ""):
            _wait_for_directory(mirror, connection)
            fr = f"Le SIREN {siren or '∅'} n'est pas dans l'annuaire, ou n'y est plus actif : vérifiez-le."
            en = f"SIREN {siren or '∅'} is not in the directory, or no longer active there: check it."
            yield Fault(INCOHERENT, broken, fr, en, place)


def _wait_for_directory(mirror: Mirror, connection: Connection) -> None:
    if mirror.is_empty(connection):
        raise Later("the directory has not come yet")


def content_faults(document: Invoice) -> Iterator[Fault]:
    """Give what the rules ask in words only: the VAT number of each seller that charges VAT (BR-FR-MV-04)."""
    if document.business_process not in codes.SEVERAL_INVOICES_FRAMEWORKS:
        return
    for unit in flux1.units(document):
        if unit.totals.total_vat and not unit.seller.vat_identifier:
            fr = f"Le vendeur de {unit.number} facture de la TVA : son numéro de TVA est attendu."
            en = f"The seller of {unit.number} charges VAT: its VAT number is expected."
            yield Fault("REJ_SEMAN", "BR-FR-MV-04", fr, en, "EXT-FR-FE-168")


def public_faults(mirror: Mirror, connection: Connection, document: Invoice) -> Iterator[Fault]:
    """Give what a public buyer asks and the invoice lacks: its SIRET, then what its establishment says it wants."""
    siret = document.buyer.identifier(SIRET_SCHEME)
    address = document.addressee.value if document.addressee else ""
    if not siret or address.split("_")[1:2] not in ([siret], []):
        fr = f"Client public : son SIRET (schéma 0009) est attendu, celui de son adresse ; vu {siret or '∅'}."
        en = f"Public buyer: its SIRET (scheme 0009) is expected, that of its address; seen {siret or '∅'}."
        yield _public("BR-FR-CPRO-10", fr, en, "BT-46, BT-49")
        return
    asks = mirror.establishment(connection, siret)
    if asks is None:
        return
    named = document.buyer.identifier(SERVICE_SCHEME)
    service = mirror.routing_code(connection, siret, named) if named else None
    commitment = document.purchase_order_reference or document.contract_reference
    if asks["service_required"] and service is None:
        fr = f"Le code service (schéma 0224) de {siret} est attendu, vu {named or '∅'}."
        en = f"The service code (scheme 0224) of {siret} is expected, seen {named or '∅'}."
        yield _public("BR-FR-CPRO-11", fr, en, "BT-46")
    if (asks["commitment_required"] or (service and service["commitment_required"])) and not commitment:
        fr, en = "Le numéro d'engagement ou de marché est attendu.", "The commitment or contract number is expected."
        yield _public("BR-FR-CPRO-12", fr, en, "BT-13, BT-12")
    if asks["commitment_or_service_required"] and not (commitment or service):
        fr = "Le numéro d'engagement ou le code service est attendu."
        yield _public("BR-FR-CPRO-13", fr, "The commitment number or the service code is expected.", "BT-13, BT-46")


def _public(rule: str, fr: str, en: str, terms: str) -> Fault:
    return Fault("REJ_CONT_B2G", rule, fr, en, terms)


def outside(document: Invoice) -> bool:
    """Tell whether the invoice holds nothing but exempt operations of the articles 261, or out of scope (G2.32)."""
    parts = document.vat_breakdown
    return bool(parts) and all(
        part.category == "O" or (part.category == "E" and part.exemption_code in codes.OUT_OF_SCOPE_EXEMPTIONS)
        for part in parts
    )


def needless(connection: Connection, siren: str, document: Invoice) -> bool:
    """Tell whether a credit note refers only to invoices that were rejected or refused: it would cancel them twice."""
    named = (*document.preceding_invoices, *(line.preceding_invoice for line in document.lines))
    references = tuple(reference for reference in named if reference and reference.number)
    if not document.is_credit_note or not references:
        return False
    return all(_counts_for_nothing(connection, siren, document, reference) for reference in dict.fromkeys(references))


def _counts_for_nothing(connection: Connection, siren: str, document: Invoice, named: PrecedingInvoice) -> bool:
    """Tell whether every delivery had under this number was rejected or refused; one not known is not."""
    ended = exists().where(event.c.invoice_id == invoice.c.id, event.c.status.in_(("210", "213")))
    query = select(ended).where(
        invoice.c.siren == siren,
        invoice.c.side == "issued",
        invoice.c.seller_siren == (document.seller_siren or ""),
        invoice.c.number == named.number,
    )
    if named.issue_date:
        query = query.where(invoice.c.year == named.issue_date.year)
    found = list(connection.execute(query).scalars())
    return bool(found) and all(found)
