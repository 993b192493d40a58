"""Factur-X written: an invoice in CII put into a PDF, which is made PDF/A-3 by adding, never by changing.

Added: the file `factur-x.xml` and its association, an output intent and an identifier when there are none, the metadata
of Factur-X with their extension schema. The pages are not touched. PDF/A-3 is declared only when nothing that is looked
at prevents it: `pdf_conformity.check` says what does.

Deliberately absent: making the page (the room `readable` does). Source: Factur-X 1.09, ISO 19005-3 (annex E).
"""

from datetime import date
from importlib.resources import files
from io import BytesIO

import msgspec
import pikepdf
from msgspec.structs import replace
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from estafette.formats import conversion, facturx, pdf_conformity, reading, writing
from estafette.formats.conversion import EXTENDED_CTC_FR, FACTURX_EXTENDED
from estafette.formats.xml import DAMAGED, Syntax, Unreadable, recognise
from estafette.formats.xmp import FACTURX, Packet
from estafette.invoice.model import Invoice

NAME = "factur-x.xml"
VERSION = "1.0"
"""What the metadata say of the version of the data model, for every profile (Factur-X 1.09)."""

LEVELS = pdf_conformity.LEVELS
_PART = "3"
_SRGB = "pdfa/data/sRGB.icc"
"""The profile of colours that comes with pikepdf."""

UNDATED = date(2000, 1, 1)
"""The day of what is not dated, since PDF/A wants one, and the same bytes are wanted for the same invoice."""


class Attachment(msgspec.Struct, frozen=True):
    """A file to put into a PDF, with what PDF/A-3 wants to know of it."""

    name: str
    content: bytes
    mime_code: str = "application/octet-stream"
    description: str = ""
    relationship: str = "Supplement"
    """What the file is to the document: Source, Data, Alternative, Supplement or Unspecified."""
    modified: date = UNDATED
    """The day of the file, as its date of modification."""


def write(invoice: Invoice | bytes, *, pdf: bytes, profile: str | None = None) -> bytes:
    """Give the Factur-X that embeds an invoice in a PDF that shows it.

    `invoice` is the model, or a document: a CII under a profile of Factur-X is embedded byte for byte; anything else
    (UBL, EXTENDED-CTC-FR, which becomes EXTENDED) is written in CII. `profile` is another BT-24 to write it under.

    Raises: Unreadable, when the document is no invoice, its profile is none of Factur-X, or the PDF is broken,
    encrypted, signed, or embeds an invoice already.
    """
    xml, held = _embeddable(invoice, profile)
    level = LEVELS[held.specification_identifier]
    with facturx.opened(pdf) as document:
        _refuse(document)
        relationship = "Data" if level in {"MINIMUM", "BASIC WL"} else "Alternative"
        modified = held.issue_date or UNDATED
        attach(document, Attachment(NAME, xml, "text/xml", "Factur-X", relationship, modified))
        _add_output_intent(document)
        _add_metadata(document, title=held.number, level=level)
        return saved(document)


def _embeddable(invoice: Invoice | bytes, profile: str | None) -> tuple[bytes, Invoice]:
    held = reading.read(invoice) if isinstance(invoice, bytes) else invoice
    wanted = profile or _profile(held.specification_identifier)
    if wanted not in LEVELS:
        raise Unreadable(
            DAMAGED,
            f"Le profil {wanted or '(vide)'} n'est pas de Factur-X ; choisissez parmi : {', '.join(LEVELS)}.",
            f"Profile {wanted or '(empty)'} is none of Factur-X; choose among: {', '.join(LEVELS)}.",
            where="BT-24",
        )
    if isinstance(invoice, bytes) and recognise(invoice) is Syntax.CII and wanted == held.specification_identifier:
        return invoice, held
    if isinstance(invoice, bytes) and recognise(invoice) is not Syntax.CII:
        held = reading.read(conversion.convert(invoice, Syntax.CII).document)
    held = replace(held, specification_identifier=wanted)
    return writing.write(held, Syntax.CII), held


def _profile(identifier: str) -> str:
    return FACTURX_EXTENDED if identifier == EXTENDED_CTC_FR else identifier


def _refuse(document: Pdf) -> None:
    """Raise: Unreadable, for a PDF to which nothing can be added."""
    embedded = [name for name, _, _ in facturx.embedded(document) if name.lower() in facturx.NAMES]
    reasons = (
        (document.is_encrypted, "Le PDF est chiffré, donnez-le sans mot de passe.",
         "The PDF is encrypted, give it without a password."),
        (bool(embedded), "Le PDF embarque déjà une facture, une seule est permise.",
         "The PDF embeds an invoice already, only one is allowed."),
        (pdf_conformity.is_signed(document), "Le PDF est signé, y ajouter romprait la signature : signez après.",
         "The PDF is signed, adding to it would break the signature: sign afterwards."),
    )  # fmt: skip
    for holds, fr, en in reasons:
        if holds:
            raise Unreadable(DAMAGED, fr, en, where=", ".join(embedded))


def attach(document: Pdf, attachment: Attachment) -> None:
    """The document embeds a file and is associated with it (PDF/A-3, annex E)."""
    day = f"D:{attachment.modified:%Y%m%d}000000Z"
    stream = Stream(document, attachment.content)
    stream.Type, stream.Subtype = Name.EmbeddedFile, Name(f"/{attachment.mime_code}")
    stream.Params = Dictionary(Size=len(attachment.content), ModDate=pikepdf.String(day))
    held = document.make_indirect(stream)
    specification = document.make_indirect(
        Dictionary(
            Type=Name.Filespec,
            F=pikepdf.String(attachment.name),
            UF=pikepdf.String(attachment.name),
            Desc=pikepdf.String(attachment.description or attachment.name),
            AFRelationship=Name(f"/{attachment.relationship}"),
            EF=Dictionary(F=held, UF=held),
        )
    )
    if Name.Names not in document.Root:
        document.Root.Names = Dictionary()
    names = document.Root.Names
    tree = names.get(Name.EmbeddedFiles)
    files_ = pikepdf.NameTree(tree) if tree is not None else pikepdf.NameTree.new(document)
    names.EmbeddedFiles = files_.obj
    files_[attachment.name] = specification
    associated = document.Root.get(Name.AF)
    document.Root.AF = Array([*(associated if isinstance(associated, Array) else ()), specification])


def _add_output_intent(document: Pdf) -> None:
    """Colours of the device are those of sRGB, where the document says nothing of them."""
    if pdf_conformity.output_profile(document) is not None:
        return
    profile = Stream(document, files("pikepdf").joinpath(_SRGB).read_bytes())
    profile.N = 3
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier=pikepdf.String("sRGB"),
        Info=pikepdf.String("sRGB"),
        DestOutputProfile=document.make_indirect(profile),
    )
    held = document.Root.get(Name.OutputIntents)
    document.Root.OutputIntents = Array([*(held if isinstance(held, Array) else ()), intent])


def _add_metadata(document: Pdf, *, title: str, level: str) -> None:
    packet = pdf_conformity.packet(document) or Packet()
    packet.add_title(title)
    packet.declare_facturx()
    said = ("INVOICE", NAME, VERSION, level)
    packet.add({f"fx:{name}": value for name, value in zip(FACTURX, said, strict=True)})
    if packet.get("pdfaid:part") != _PART and not pdf_conformity.prevents(document):
        letter = packet.get("pdfaid:conformance") if packet.get("pdfaid:part") else None
        packet.add({"pdfaid:part": _PART, "pdfaid:conformance": letter or "B"})
    stream = Stream(document, bytes(packet))
    stream.Type, stream.Subtype = Name.Metadata, Name.XML
    document.Root.Metadata = document.make_indirect(stream)


def saved(document: Pdf) -> bytes:
    """Write a document, its streams as they are, with an identifier that depends on what it holds only."""
    document.save(
        out := BytesIO(),
        deterministic_id=True,
        fix_metadata_version=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        object_stream_mode=pikepdf.ObjectStreamMode.preserve,
    )
    return out.getvalue()
