"""The PDF side of Factur-X: the embedded invoice taken out with bounded memory, and what its wrapping announces."""

import io
import re
import zlib
from dataclasses import dataclass
from typing import Any

from estafette.rules.own import own_finding
from estafette.rules.verdict import Finding, Severity
from estafette.values.limits import FILE_BYTES_MAX, PDF_ATTACHMENTS_MAX

NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
RELATIONSHIPS = {"MINIMUM": {"/Data"}, "BASICWL": {"/Data"}}
LEVELS = {"MINIMUM": "MINIMUM", "BASICWL": "BASIC WL", "BASIC": "BASIC", "EN16931": "EN 16931", "EXTENDED": "EXTENDED"}


@dataclass(frozen=True, slots=True)
class Wrapping:
    """The embedded invoice, and how the PDF presents it."""

    xml: bytes
    name: str
    relationship: str
    level: str


class PdfRefusedError(Exception):
    """The PDF gives no invoice; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.id)
        self.finding = finding


def unwrap(data: bytes) -> Wrapping:
    """Return the invoice that a PDF embeds; raise `PdfRefusedError` when there is none or it cannot be read."""
    import pikepdf  # noqa: PLC0415 - 100 ms that XML documents need not pay

    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            return _invoice(pdf)
    except PdfRefusedError:
        raise
    except (pikepdf.PdfError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, zlib.error) as error:
        raise PdfRefusedError(own_finding("EST-PDF", value=str(error).rpartition(">: ")[2])) from error


def _invoice(pdf: Any) -> Wrapping:
    specs = _file_specifications(pdf)
    for wanted in NAMES:
        for name, spec in specs:
            if name.lower() == wanted:
                return Wrapping(
                    xml=_bounded(spec.EF.get("/F") or spec.EF["/UF"]),
                    name=name,
                    relationship=str(spec.get("/AFRelationship", "")),
                    level=_level(pdf),
                )
    raise PdfRefusedError(own_finding("EST-PDF-ATTACHMENT", value=", ".join(name for name, _ in specs)))


def _file_specifications(pdf: Any) -> list[tuple[str, Any]]:
    specs: list[tuple[str, Any]] = []
    for key in list(pdf.attachments)[:PDF_ATTACHMENTS_MAX]:
        spec = pdf.attachments[key].obj
        specs.append((str(spec.get("/UF", spec.get("/F", key))), spec))
    return specs


def _bounded(stream: Any) -> bytes:
    """Return the bytes of an embedded file, never inflating past the limit of a file."""
    raw = bytes(stream.read_raw_bytes())
    filters = stream.get("/Filter")
    if filters is None:
        return raw
    if str(filters) == "/FlateDecode" or [str(item) for item in filters] == ["/FlateDecode"]:
        inflate = zlib.decompressobj()
        content = inflate.decompress(raw, FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise PdfRefusedError(own_finding("EST-LIMIT"))
        return content
    raise PdfRefusedError(own_finding("EST-PDF", value=str(filters)))


def _level(pdf: Any) -> str:
    metadata = pdf.Root.get("/Metadata")
    text = _bounded(metadata) if metadata is not None else b""
    found = re.search(rb"ConformanceLevel(?:>|=[\"'])\s*([A-Z0-9 ]+?)\s*[<\"']", text)
    return found[1].decode("ascii") if found else ""


def wrapping_findings(wrapping: Wrapping, profile: str) -> tuple[Finding, ...]:
    """Return what is wrong around the invoice: name, relationship and profile announced (Factur-X 1.09)."""
    findings = []
    if wrapping.name != "factur-x.xml":
        findings.append(own_finding("EST-PDF-NAME", value=wrapping.name, severity=Severity.WARNING))
    allowed = RELATIONSHIPS.get(profile, {"/Data", "/Source", "/Alternative"})
    if wrapping.relationship not in allowed:
        findings.append(own_finding("EST-PDF-RELATIONSHIP", value=wrapping.relationship))
    if profile in LEVELS and wrapping.level != LEVELS[profile]:
        findings.append(own_finding("EST-PDF-PROFILE", value=wrapping.level))
    return tuple(findings)
