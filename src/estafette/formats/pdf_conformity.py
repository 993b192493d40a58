"""Whether a PDF is built as PDF/A-3 and Factur-X require, as far as its structure tells.

Looked at: the metadata, the output intent, the embedding of fonts, the embedded files and their association, the
identifier of the file, encryption, active content, forbidden filters, the one invoice and what is announced of it.

Limits. This is no proof of conformity: what pages draw is not read (colours of the device against the output intent,
glyphs and their widths, transparency, the operators), nor fonts, images and profiles from inside; a font that no page
uses is reported as any other; an output intent is asked of every document. A validator such as veraPDF judges the rest;
that of pikepdf cannot, since it admits no extension schema, hence no Factur-X.
Memory is bounded: no stream is inflated but the metadata and the invoice, each within the limits.
Source: ISO 19005-3, ISO 32000-1, Factur-X 1.09.
"""

from collections.abc import Iterator

import msgspec
from pikepdf import Array, Dictionary, Object, Pdf, Stream

from estafette.formats import facturx
from estafette.formats.conversion import EN16931, FACTURX_EXTENDED
from estafette.formats.reading import value_of
from estafette.formats.xml import Syntax, Unreadable, parse
from estafette.formats.xmp import FACTURX, Packet

LEVELS = {
    "urn:factur-x.eu:1p0:minimum": "MINIMUM",
    "urn:factur-x.eu:1p0:basicwl": "BASIC WL",
    f"{EN16931}#compliant#urn:factur-x.eu:1p0:basic": "BASIC",
    EN16931: "EN 16931",
    FACTURX_EXTENDED: "EXTENDED",
}
"""The conformance level that the metadata announce, by the profile that BT-24 names."""

OBJECTS_MAX = 500_000
"""Objects of a document that are looked at: a page has about ten (our bound)."""

METADATA_BYTES_MAX = 4 * 1024 * 1024
"""Metadata once inflated; those of an invoice have a few kilobytes (our bound)."""

DEPTH_MAX = 50
"""Dictionaries and arrays one in another within one object (our bound)."""

RULES: dict[str, tuple[str, str]] = {
    "EST-PDF-ENCRYPTED": ("Le PDF est chiffré.", "The PDF is encrypted."),
    "EST-PDF-VERSION": ("La version du PDF dépasse 1.7.", "The version of the PDF is past 1.7."),
    "EST-PDF-ID": ("Le PDF n'a pas d'identifiant (ID).", "The PDF has no identifier (ID)."),
    "EST-PDF-XMP": ("Les métadonnées XMP sont absentes ou illisibles.", "The XMP metadata are missing or unreadable."),
    "EST-PDF-PART": (
        "Les métadonnées ne déclarent pas PDF/A-3 (pdfaid:part 3, conformance A, B ou U).",
        "The metadata do not declare PDF/A-3 (pdfaid:part 3, conformance A, B or U).",
    ),
    "EST-PDF-INTENT": (
        "Aucune intention de sortie PDF/A n'a de profil de couleurs.",
        "No output intent of PDF/A has a profile of colours.",
    ),
    "EST-PDF-FONT": ("Une police n'est pas embarquée.", "A font is not embedded."),
    "EST-PDF-ACTION": ("Une action interdite est présente.", "A forbidden action is present."),
    "EST-PDF-ANNOTATION": ("Une annotation interdite est présente.", "A forbidden annotation is present."),
    "EST-PDF-FORM": ("Le PDF a un formulaire XFA.", "The PDF has an XFA form."),
    "EST-PDF-FILTER": (
        "Un flux est comprimé ou rangé d'une façon interdite (LZW, chiffrement, fichier externe).",
        "A stream is compressed or kept in a forbidden way (LZW, encryption, external file).",
    ),
    "EST-PDF-LIMIT": ("Le PDF est trop gros pour être regardé en entier.", "The PDF is too big to be looked at."),
    "EST-PDF-FILE": (
        "Un fichier embarqué n'a pas ses deux noms (F et UF).",
        "An embedded file lacks one of its names (F and UF).",
    ),
    "EST-PDF-ASSOCIATION": (
        "Un fichier embarqué n'est pas associé au document (AF) ou ne dit pas sa relation (AFRelationship).",
        "An embedded file is not associated with the document (AF), or says no relation (AFRelationship).",
    ),
    "EST-PDF-TYPE": ("Un fichier embarqué n'a pas de type MIME (Subtype).", "An embedded file has no MIME type."),
    "EST-PDF-DATE": (
        "Un fichier embarqué n'a pas de date de modification (ModDate).",
        "An embedded file has no date of modification (ModDate).",
    ),
    "EST-PDF-ATTACHMENT": (
        "Le PDF n'embarque pas une facture factur-x.xml, et une seule, qui se lise.",
        "The PDF does not embed one factur-x.xml, and one only, that reads.",
    ),
    "EST-PDF-RELATIONSHIP": (
        "La relation de factur-x.xml n'est ni Data, ni Source, ni Alternative (Data seul sans lignes).",
        "The relation of factur-x.xml is neither Data, nor Source, nor Alternative (Data only without lines).",
    ),
    "EST-PDF-SCHEMA": (
        "Les métadonnées ne déclarent pas le schéma d'extension de Factur-X.",
        "The metadata do not declare the extension schema of Factur-X.",
    ),
    "EST-PDF-FACTURX": (
        "Une propriété Factur-X des métadonnées est absente ou fausse.",
        "A Factur-X property of the metadata is missing or wrong.",
    ),
    "EST-PDF-PROFILE": (
        "Le profil annoncé par les métadonnées n'est pas celui de la facture (BT-24).",
        "The profile that the metadata announce is not that of the invoice (BT-24).",
    ),
}
"""What may be wrong, French then English, under our own prefix."""

_MENDED = frozenset({"EST-PDF-ID", "EST-PDF-XMP", "EST-PDF-PART", "EST-PDF-INTENT"})
"""What adding mends."""
_ACTIONS = {"JavaScript", "Launch", "Sound", "Movie", "ResetForm", "ImportData", "Hide", "SetOCGState", "Rendition",
            "Trans", "GoTo3DView"}  # fmt: skip
_ANNOTATIONS = {"3D", "Sound", "Screen", "Movie", "RichMedia"}
_FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
_FONTS = {"/Type1", "/TrueType", "/MMType1", "/CIDFontType0", "/CIDFontType2"}


class Finding(msgspec.Struct, frozen=True):
    """Something that PDF/A-3 or Factur-X does not allow: a key of RULES, and where or what was seen."""

    rule: str
    seen: str = ""

    @property
    def fr(self) -> str:
        """What is wrong, in French."""
        return RULES[self.rule][0]

    @property
    def en(self) -> str:
        """What is wrong, in English."""
        return RULES[self.rule][1]


def check(data: bytes) -> tuple[Finding, ...]:
    """Give what in a PDF is not as PDF/A-3 and Factur-X require, each thing once; nothing when all is.

    Raises: Unreadable, when it is broken, wants a password, or swells past the limits.
    """
    with facturx.opened(data) as document:
        return tuple(dict.fromkeys((*_of_archive(document), *_of_invoice(document))))


def prevents(document: Pdf) -> tuple[Finding, ...]:
    """Give what in an open document prevents PDF/A-3 and that adding to it does not mend."""
    return tuple(dict.fromkeys(finding for finding in _of_archive(document) if finding.rule not in _MENDED))


def is_signed(document: Pdf) -> bool:
    """Tell whether the document has a digital signature."""
    form = document.Root.get("/AcroForm")
    return isinstance(form, Dictionary) and bool(int(form.get("/SigFlags", 0)) & 1)


def output_profile(document: Pdf) -> Stream | None:
    """Give the profile of colours of the output intent of PDF/A, if there is one."""
    intents = document.Root.get("/OutputIntents")
    for intent in intents if isinstance(intents, Array) else ():
        if isinstance(intent, Dictionary) and intent.get("/S") == "/GTS_PDFA1":
            profile = intent.get("/DestOutputProfile")
            if isinstance(profile, Stream):
                return profile
    return None


def packet(document: Pdf) -> Packet | None:
    """Give the metadata of a document; None when there are none that read."""
    stream = document.Root.get("/Metadata")
    if not isinstance(stream, Stream):
        return None
    try:
        return Packet(facturx.inflated(stream, "XMP", most=METADATA_BYTES_MAX))
    except (Unreadable, ValueError):
        return None


def _of_archive(document: Pdf) -> Iterator[Finding]:
    if document.is_encrypted:
        yield Finding("EST-PDF-ENCRYPTED")
    if document.pdf_version > "1.7":
        yield Finding("EST-PDF-VERSION", document.pdf_version)
    if "/ID" not in document.trailer:
        yield Finding("EST-PDF-ID")
    if output_profile(document) is None:
        yield Finding("EST-PDF-INTENT")
    metadata = packet(document)
    if metadata is None:
        yield Finding("EST-PDF-XMP")
    elif metadata.get("pdfaid:part") != "3" or metadata.get("pdfaid:conformance") not in {"A", "B", "U"}:
        yield Finding("EST-PDF-PART", f"{metadata.get('pdfaid:part')}{metadata.get('pdfaid:conformance') or ''}")
    names = document.Root.get("/Names")
    if isinstance(names, Dictionary) and "/JavaScript" in names:
        yield Finding("EST-PDF-ACTION", "JavaScript")
    yield from _of_files(document)
    yield from _of_objects(document)


def _of_files(document: Pdf) -> Iterator[Finding]:
    associated = document.Root.get("/AF")
    known = {each.objgen for each in associated} if isinstance(associated, Array) else set()
    for name, specification, stream in facturx.embedded(document):
        if "/F" not in specification or "/UF" not in specification:
            yield Finding("EST-PDF-FILE", name)
        if specification.objgen not in known or "/AFRelationship" not in specification:
            yield Finding("EST-PDF-ASSOCIATION", name)
        if "/Subtype" not in stream:
            yield Finding("EST-PDF-TYPE", name)
        parameters = stream.get("/Params")
        if not isinstance(parameters, Dictionary) or "/ModDate" not in parameters:
            yield Finding("EST-PDF-DATE", name)


def _of_objects(document: Pdf) -> Iterator[Finding]:
    """Look at every object, one after the other; what one holds indirectly is looked at as itself."""
    for count, held in enumerate(document.objects):
        if count >= OBJECTS_MAX:
            yield Finding("EST-PDF-LIMIT")
            return
        pending = [(held, 0)]
        while pending:
            one, depth = pending.pop()
            if isinstance(one, Dictionary | Stream):
                yield from _of_dictionary(one)
            if depth >= DEPTH_MAX:
                yield Finding("EST-PDF-LIMIT")
                return
            pending += [(child, depth + 1) for child in _direct(one)]


def _direct(held: Object) -> Iterator[Object]:
    if isinstance(held, Array):
        children = iter(held)
    elif isinstance(held, Dictionary | Stream):
        children = (child for _, child in held.items())
    else:
        return
    for child in children:
        if isinstance(child, Array | Dictionary) and not child.is_indirect:
            yield child


def _of_dictionary(held: Object) -> Iterator[Finding]:
    kind, subtype = str(held.get("/Type", "")), str(held.get("/Subtype", ""))
    if kind == "/Font" and subtype in _FONTS and not _is_embedded(held):
        yield Finding("EST-PDF-FONT", str(held.get("/BaseFont", "?")))
    action = str(held.get("/S", "")).removeprefix("/")
    if action in _ACTIONS and kind in {"", "/Action"}:
        yield Finding("EST-PDF-ACTION", action)
    if subtype.removeprefix("/") in _ANNOTATIONS and "/Rect" in held:
        yield Finding("EST-PDF-ANNOTATION", subtype)
    if "/XFA" in held:
        yield Finding("EST-PDF-FORM")
    if isinstance(held, Stream):
        filters = held.get("/Filter")
        names = {str(each) for each in filters} if isinstance(filters, Array) else {str(filters)}
        if names & {"/LZWDecode", "/Crypt"} or "/F" in held:
            yield Finding("EST-PDF-FILTER", str(held.objgen[0]))


def _is_embedded(font: Object) -> bool:
    descriptor = font.get("/FontDescriptor")
    return isinstance(descriptor, Dictionary) and any(name in descriptor for name in _FONT_FILES)


def _of_invoice(document: Pdf) -> Iterator[Finding]:
    invoices = [each for each in facturx.embedded(document) if each[0].lower() in facturx.NAMES]
    if len(invoices) != 1 or invoices[0][0] != facturx.NAMES[0]:
        yield Finding("EST-PDF-ATTACHMENT", ", ".join(name for name, _, _ in invoices[:10]))
        return
    name, specification, stream = invoices[0]
    try:
        profile = value_of(parse(facturx.inflated(stream, name)).getroot(), "BT-24", Syntax.CII) or ""
    except Unreadable as unreadable:
        yield Finding("EST-PDF-ATTACHMENT", unreadable.reason_en)
        return
    relation = str(specification.get("/AFRelationship", "")).removeprefix("/")
    without_lines = LEVELS.get(profile) in {"MINIMUM", "BASIC WL"}
    if relation not in ({"Data"} if without_lines else {"Data", "Source", "Alternative"}):
        yield Finding("EST-PDF-RELATIONSHIP", relation)
    yield from _of_announcement(packet(document), name, profile)


def _of_announcement(metadata: Packet | None, name: str, profile: str) -> Iterator[Finding]:
    if metadata is None:
        return
    if not metadata.declares_facturx():
        yield Finding("EST-PDF-SCHEMA")
    said = {each: metadata.get(f"fx:{each}") for each in FACTURX}
    for each, wanted in (("DocumentType", "INVOICE"), ("DocumentFileName", name)):
        if said[each] != wanted:
            yield Finding("EST-PDF-FACTURX", f"{each}: {said[each]}")
    if not said["Version"]:
        yield Finding("EST-PDF-FACTURX", "Version: None")
    if said["ConformanceLevel"] != LEVELS.get(profile):
        yield Finding("EST-PDF-PROFILE", f"{said['ConformanceLevel']} / {profile}")
