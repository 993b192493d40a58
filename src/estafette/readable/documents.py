"""From a document to what a person opens: its readable form, or the Factur-X that holds both.

The sender's own PDF is the readable form of a Factur-X: it is given as it came.
"""

from collections.abc import Sequence

from estafette.formats import facturx_writing
from estafette.formats.reading import read
from estafette.formats.xml import is_pdf
from estafette.invoice.model import Invoice
from estafette.lifecycle.guards import StatusEvent
from estafette.readable.paper import pdf as readable_pdf


def facturx(
    invoice: Invoice | bytes, *, pdf: bytes | None = None, profile: str | None = None, language: str = "fr"
) -> bytes:
    """Give the Factur-X of an invoice, on the sender's PDF, or on the readable form where there is none.

    `facturx_writing.write` says what becomes of the document and of the PDF.
    Raises: Unreadable, as it does; ValueError for a language that is not written.
    """
    if pdf is None:
        pdf = readable_pdf(read(invoice) if isinstance(invoice, bytes) else invoice, language=language)
    return facturx_writing.write(invoice, pdf=pdf, profile=profile)


def view(document: bytes, *, language: str = "fr", statuses: Sequence[StatusEvent] = ()) -> bytes:
    """Give the PDF to read a document by: itself when it is one, else its readable form.

    Raises: Unreadable, when it is no invoice; ValueError for a language that is not written.
    """
    return document if is_pdf(document) else readable_pdf(read(document), language=language, statuses=statuses)
