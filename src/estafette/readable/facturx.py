"""A Factur-X whole: the sender's PDF, or the readable form where the sender brings none, with the invoice in it."""

from estafette.formats import facturx_writing
from estafette.formats.reading import read
from estafette.invoice.model import Invoice
from estafette.readable.paper import pdf as readable_pdf


def facturx(
    invoice: Invoice | bytes, *, pdf: bytes | None = None, profile: str | None = None, language: str = "fr"
) -> bytes:
    """Give the Factur-X of an invoice; `facturx_writing.write` says what becomes of the document and of the PDF.

    Raises: Unreadable, as `facturx_writing.write` does; ValueError for a language that is not written.
    """
    if pdf is None:
        pdf = readable_pdf(read(invoice) if isinstance(invoice, bytes) else invoice, language=language)
    return facturx_writing.write(invoice, pdf=pdf, profile=profile)
