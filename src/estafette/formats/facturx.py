"""Factur-X: the invoice taken out of a PDF, whatever the PDF tries.

The XML is one file embedded in the document, named in its table of embedded files or among its associated files.
Streams are inflated here, not by the PDF library, so that a small file cannot become a big one.
Deliberately absent: reading the page. What a person sees is not what a platform judges.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pikepdf

from estafette.formats.xml import DAMAGED, OTHER_KIND, TOO_BIG, Unreadable
from estafette.values import limits

NAMES = ("factur-x.xml", "xrechnung.xml", "zugferd-invoice.xml")
"""Names under which the XML of an invoice is embedded: Factur-X 1.0, and its elder brothers, which are read too."""

_STREAM = re.compile(rb"stream\r?\n")
_MAY_BE_TABLE = re.compile(rb"ObjStm|XRef|#(?!2[fF])")
"""A name may hide its letters as #xx: such a dictionary is looked at too, but for the slash of a MIME type (#2f)."""
_CHUNK_BYTES = 64 * 1024
_DICTIONARY_BYTES = 2048
"""How far before a stream its dictionary is looked for (our bound)."""


def extract(data: bytes) -> tuple[str, bytes]:
    """Give the name and the bytes of the one invoice embedded in a PDF.

    Raises: Unreadable, when the PDF is broken, encrypted, swells past the limits, or holds no invoice or several.
    """
    with opened(data) as pdf:
        if pdf.is_encrypted:
            raise _encrypted()
        return _the_invoice(pdf)


@contextmanager
def opened(data: bytes) -> Iterator[pikepdf.Pdf]:
    """Open a PDF that may be hostile; what fails inside for its structure is told as a broken file.

    Raises: Unreadable, when it is broken, wants a password, or swells past the limits.
    """
    if len(data) > limits.FILE_BYTES_MAX:
        raise _too_big(f"Le PDF a {len(data)} octets", f"The PDF has {len(data)} bytes")
    _refuse_bombs(data)
    try:
        with pikepdf.open(BytesIO(data), suppress_warnings=True) as pdf:
            yield pdf
    except pikepdf.PasswordError as error:
        raise _encrypted() from error
    except (pikepdf.PdfError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(
            DAMAGED,
            f"Le PDF est endommagé : {_said(error)}",
            f"The PDF is broken: {_said(error)}",
        ) from error


def _the_invoice(pdf: pikepdf.Pdf) -> tuple[str, bytes]:
    files = [(name, stream) for name, _, stream in embedded(pdf)]
    invoices = [(name, stream) for name, stream in files if name.lower() in NAMES]
    if not invoices:
        names = ", ".join(name for name, _ in files[:10])
        raise Unreadable(
            OTHER_KIND,
            "Le PDF n'embarque aucune facture (factur-x.xml)"
            + (f" ; il embarque : {names}." if names else " et aucun autre fichier."),
            "The PDF embeds no invoice (factur-x.xml)" + (f"; it embeds: {names}." if names else " and no other file."),
        )
    if len(invoices) > 1:
        raise Unreadable(
            DAMAGED,
            f"Le PDF embarque {len(invoices)} factures, une seule est permise.",
            f"The PDF embeds {len(invoices)} invoices, only one is allowed.",
            where=", ".join(name for name, _ in invoices[:10]),
        )
    name, stream = invoices[0]
    return name, inflated(stream, name)


def embedded(pdf: pikepdf.Pdf) -> Iterator[tuple[str, pikepdf.Object, pikepdf.Object]]:
    """Give each embedded file once: its name, its specification, its stream; the table of files first, then `AF`."""
    seen: set[tuple[int, int]] = set()
    for specification in _specifications(pdf):
        name = specification.get("/UF", specification.get("/F"))
        files = specification.get("/EF")
        stream = files.get("/F", files.get("/UF")) if isinstance(files, pikepdf.Dictionary) else None
        if name is None or not isinstance(stream, pikepdf.Stream) or stream.objgen in seen:
            continue
        if len(seen) >= limits.PDF_ATTACHMENTS_MAX:
            raise _too_big(
                f"Le PDF embarque plus de {limits.PDF_ATTACHMENTS_MAX} fichiers",
                f"The PDF embeds more than {limits.PDF_ATTACHMENTS_MAX} files",
            )
        seen.add(stream.objgen)
        yield str(name), specification, stream


def _specifications(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    names = pdf.Root.get("/Names")
    if isinstance(names, pikepdf.Dictionary) and "/EmbeddedFiles" in names:
        for _, specification in pikepdf.NameTree(names.EmbeddedFiles).items():
            if isinstance(specification, pikepdf.Dictionary):
                yield specification
    associated = pdf.Root.get("/AF")
    if isinstance(associated, pikepdf.Array):
        for specification in associated:
            if isinstance(specification, pikepdf.Dictionary):
                yield specification


def inflated(stream: pikepdf.Object, name: str, *, most: int = limits.FILE_BYTES_MAX) -> bytes:
    """Give the bytes of a stream, compressed by Flate or not at all; `name` says where, in the error.

    Raises: Unreadable, when it is compressed otherwise, damaged, or swells past `most` bytes.
    """
    filters = stream.get("/Filter")
    steps = [str(step) for step in filters] if isinstance(filters, pikepdf.Array) else [str(filters)] if filters else []
    raw = stream.read_raw_bytes()
    if not steps:
        if len(raw) > most:
            raise _too_big("Le fichier embarqué", "The embedded file")
        return bytes(raw)
    if steps != ["/FlateDecode"] or stream.get("/DecodeParms") is not None:
        raise Unreadable(
            DAMAGED,
            f"Le fichier embarqué est comprimé d'une façon qui n'est pas lue : {' '.join(steps)}.",
            f"The embedded file is compressed in a way that is not read: {' '.join(steps)}.",
            where=name,
        )
    try:
        return _bounded_inflate(raw, most)
    except zlib.error as error:
        raise Unreadable(
            DAMAGED, "Le fichier embarqué est endommagé.", f"The embedded file is damaged: {error}.", where=name
        ) from error


def _bounded_inflate(raw: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj()
    content = inflater.decompress(raw, most)
    if inflater.unconsumed_tail:
        raise _too_big("Une fois décomprimé, le fichier embarqué", "Once inflated, the embedded file")
    return content


def _refuse_bombs(data: bytes) -> None:
    """Inflate, within bounds, the streams that the PDF library will inflate by itself: its tables of objects."""
    left = limits.FILE_BYTES_MAX
    for stream in _STREAM.finditer(data):
        dictionary = data[max(0, stream.start() - _DICTIONARY_BYTES) : stream.start()].rpartition(b"obj")[2]
        if _MAY_BE_TABLE.search(dictionary):
            left -= _inflated_size(data, start=stream.end(), most=left)
        if left <= 0:
            raise _too_big("Une fois décomprimées, les tables du PDF", "Once inflated, the tables of the PDF")


def _inflated_size(data: bytes, *, start: int, most: int) -> int:
    """Give the size of what inflates from a place, up to a bound; what does not inflate has none."""
    inflater = zlib.decompressobj()
    size = 0
    try:
        while size < most and not inflater.eof and start < len(data):
            chunk = inflater.unconsumed_tail or data[start : start + _CHUNK_BYTES]
            start += 0 if inflater.unconsumed_tail else _CHUNK_BYTES
            size += len(inflater.decompress(chunk, _CHUNK_BYTES * 16))
    except zlib.error:
        return size
    return size


def _too_big(what_fr: str, what_en: str) -> Unreadable:
    return Unreadable(TOO_BIG, f"{what_fr} : au-delà de la limite.", f"{what_en}: over the limit.")


def _encrypted() -> Unreadable:
    return Unreadable(
        DAMAGED,
        "Le PDF est chiffré : une facture ne l'est jamais (PDF/A-3), déposez-la sans mot de passe.",
        "The PDF is encrypted: an invoice never is (PDF/A-3), send it without a password.",
    )


def _said(error: Exception) -> str:
    """Say what the library says, without the name it gives to bytes in memory."""
    return re.sub(r"<_io\.BytesIO object at 0x[0-9a-f]+>:? *", "", str(error))[:200]
