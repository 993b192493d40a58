"""What an invoice carries with it (BG-24): which files are admitted, before anyone judges the invoice itself.

An attachment that is not admitted makes the file irreceivable (501), as a virus does: the field controls them before
the content. What an address outside the invoice leads to is not fetched.

Source: XP Z12-012 §BG-24 and BR-FR-19; annex 7, G7.18 (IRR_VID_PJ, IRR_EXT_DOC, IRR_NOM_PJ, IRR_TAILLE_PJ).
"""

from pathlib import PurePosixPath

from estafette.invoice.model import Invoice, SupportingDocument
from estafette.values import limits

EMPTY, TYPE, NAME, SIZE = "IRR_VID_PJ", "IRR_EXT_DOC", "IRR_NOM_PJ", "IRR_TAILLE_PJ"

TYPES = {
    "application/pdf": {".pdf"},
    "image/png": {".png"},
    "image/jpeg": {".jpg", ".jpeg"},
    "text/csv": {".csv"},
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {".xlsx"},
    "application/vnd.oasis.opendocument.spreadsheet": {".ods"},
    "application/xml": {".xml"},
    "text/xml": {".xml"},
}
"""The types admitted, and the endings of their files (EN 16931 BT-125-1; XML comes with EXTENDED-CTC-FR)."""

NAME_CHARACTERS_MAX = 255


def wrong(invoice: Invoice) -> tuple[str, str, str] | None:
    """Tell why the invoice's attachments make it irreceivable: a code, in French, in English; None when they are fine.

    >>> from estafette.invoice.model import Invoice, SupportingDocument
    >>> wrong(Invoice(supporting_documents=(SupportingDocument(mime_code="image/gif", content=b"GIF"),)))[0]
    'IRR_EXT_DOC'
    """
    if len(invoice.supporting_documents) > limits.ATTACHMENTS_MAX:
        most = limits.ATTACHMENTS_MAX
        return SIZE, f"Plus de {most} pièces jointes : groupez-les.", f"More than {most} attachments: group them."
    return next(filter(None, map(_wrong, invoice.supporting_documents)), None)


def _wrong(document: SupportingDocument) -> tuple[str, str, str] | None:
    if not _is_embedded(document):
        return None
    name, size = document.filename or "", len(document.content or b"")
    shown = f"« {name or document.reference or '?'} » (BT-125)"[:120]
    if not size:
        return EMPTY, f"Pièce jointe {shown} vide ou illisible.", f"Attachment {shown} empty or unreadable."
    if size > limits.ATTACHMENT_BYTES_MAX:
        return SIZE, f"Pièce jointe {shown} : {size} octets.", f"Attachment {shown}: {size} bytes."
    if _is_no_name(name):
        return NAME, f"Nom de pièce jointe {shown} non admis.", f"Attachment name {shown} not allowed."
    endings = TYPES.get((document.mime_code or "").lower())
    ending = PurePosixPath(name).suffix.lower()
    if endings is None or (ending and ending not in endings):
        seen, admitted = f"{document.mime_code} {ending}".strip(), ", ".join(sorted(set().union(*TYPES.values())))
        fr = f"Pièce jointe {shown} : type {seen} non admis ; sont admis {admitted}."
        return TYPE, fr, f"Attachment {shown}: type {seen} not allowed; allowed are {admitted}."
    return None


def _is_embedded(document: SupportingDocument) -> bool:
    """Tell whether the invoice holds the document, or says that it does: a type or a name without content is empty."""
    return document.content is not None or bool(document.mime_code or document.filename)


def _is_no_name(name: str) -> bool:
    """Tell whether a name could lead a careless reader elsewhere, or is too long."""
    return len(name) > NAME_CHARACTERS_MAX or name in (".", "..") or any(c in "/\\" or ord(c) < 32 for c in name)
