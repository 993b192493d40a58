"""An invoice in each form that can be asked for: UBL, CII, Factur-X, JSON, from any of them.

What a core document (EN 16931) cannot say of one under the French extension is lost by it, and told; the readable
version of the whole then goes along (BT-123 = LISIBLE), so that who receives it can read everything. Source: XP
Z12-012, conversion of EXTENDED-CTC-FR.
"""

from enum import StrEnum

from msgspec.structs import replace

from estafette.formats import conversion, facturx_writing, json_form, writing
from estafette.formats import read as read_document
from estafette.formats.conversion import EN16931, Conversion, Fate, Outcome
from estafette.formats.xml import Syntax
from estafette.invoice.model import Invoice, SupportingDocument
from estafette.readable.paper import pdf

LISIBLE = "LISIBLE"
"""What BT-123 says of the readable version: one at most (BR-FR-17, BR-FR-18)."""


class Form(StrEnum):
    """What an invoice can be written as."""

    UBL = "ubl"
    CII = "cii"
    FACTURX = "facturx"
    JSON = "json"


ENDINGS = {Form.UBL: ".ubl.xml", Form.CII: ".cii.xml", Form.FACTURX: ".pdf", Form.JSON: ".json"}
"""The end of the name of a file of each form."""

MEDIA_TYPES = {
    Form.UBL: "application/xml",
    Form.CII: "application/xml",
    Form.FACTURX: "application/pdf",
    Form.JSON: "application/json",
}
_SYNTAXES = {Form.UBL: Syntax.UBL, Form.CII: Syntax.CII, Form.FACTURX: Syntax.CII}


def read(data: bytes) -> Invoice:
    """Give the invoice of a document in any form. Raises: Unreadable."""
    is_json = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    return json_form.read(data.removeprefix(b"\xef\xbb\xbf")) if is_json else read_document(data)


def written(invoice: Invoice, form: Form) -> bytes:
    """Give the invoice in a form; a Factur-X shows it in its readable form. Raises: Unreadable, where it cannot be."""
    if form is Form.JSON:
        return json_form.write(invoice) + b"\n"
    if form is Form.FACTURX:
        return facturx_writing.write(invoice, pdf=pdf(invoice))
    return writing.write(invoice, _SYNTAXES[form])


def converted(data: bytes, form: Form, *, profile: str | None = None) -> Conversion:
    """Give the document in another form, and what became of each term; JSON holds every term that was read.

    Under `profile` = EN 16931, what only the extension has is lost and told, and the readable version is attached.
    Raises: Unreadable, when the source is no invoice or cannot be written; ValueError for a profile that is
    none, or any for JSON.
    """
    if form is Form.JSON and profile is not None:
        raise ValueError("JSON is the whole model: it has no profile of its own")
    return conversion.referring(_made(read(data), form, profile), data)


def _made(invoice: Invoice, form: Form, profile: str | None) -> Conversion:
    if form is Form.JSON:
        return Conversion(conversion.bounded(written(invoice, form)), conversion.accounted(invoice))
    made = conversion.of_invoice(invoice, _SYNTAXES[form], profile=profile)
    if form is Form.FACTURX:
        document = conversion.bounded(facturx_writing.write(made.document, pdf=pdf(invoice)))
        return Conversion(document, (*made.outcomes, *_shown(made)))
    return _with_readable(made, invoice, _SYNTAXES[form]) if profile == EN16931 and made.of(Fate.LOST) else made


def _shown(made: Conversion) -> tuple[Outcome, ...]:
    """Say that the page of a Factur-X shows what its data do not hold."""
    if not made.of(Fate.LOST):
        return ()
    return (Outcome("PDF", Fate.ADDED, "La page montre aussi ce qui est perdu.", "The page also shows what is lost."),)


def _with_readable(made: Conversion, whole: Invoice, syntax: Syntax) -> Conversion:
    """Attach the readable version of the whole invoice, unless the sender attached one, and say so."""
    narrowed = read_document(made.document)
    if any(each.description == LISIBLE for each in narrowed.supporting_documents):
        return made
    attached = SupportingDocument(
        reference=LISIBLE,
        description=LISIBLE,
        content=pdf(whole),
        mime_code="application/pdf",
        filename=f"{LISIBLE.lower()}.pdf",
    )
    held = replace(narrowed, supporting_documents=(*narrowed.supporting_documents, attached), unread=())
    why_fr = "Le lisible de l'original, qui dit tout, est joint (BT-123 = LISIBLE)."
    why_en = "The readable version of the original, which says everything, is attached (BT-123 = LISIBLE)."
    outcome = Outcome("BG-24", Fate.ADDED, why_fr, why_en, LISIBLE)
    return Conversion(conversion.bounded(writing.write(held, syntax)), (*made.outcomes, outcome))
