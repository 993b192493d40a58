"""What a document says it is: its syntax by the root element, its profile by BT-24."""

from dataclasses import dataclass

from lxml import etree

ROOTS = {
    "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice": "UBL",
    "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote": "UBL",
    "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice": "CII",
    "{urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100}"
    "CrossDomainAcknowledgementAndResponse": "CDAR",
    "Report": "FLUX10",
}
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"

PROFILES: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("extended-ctc-fr", "EXTENDED-CTC-FR", frozenset({"UBL", "CII"})),
    (":extended", "EXTENDED", frozenset({"CII"})),
    (":basicwl", "BASICWL", frozenset({"CII"})),
    (":basic", "BASIC", frozenset({"CII"})),
    (":minimum", "MINIMUM", frozenset({"CII"})),
)
"""End of BT-24 (formats.md §2) → profile, for these syntaxes; any other BT-24 is judged as EN 16931."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Syntax, profile and local name of the root of a document."""

    syntax: str
    profile: str
    root: str


def recognise(root: etree._Element) -> Kind | None:
    """Say what the document is, or None when its root is none that we know."""
    tag = str(root.tag)
    syntax = ROOTS.get(tag)
    if syntax is None:
        return None
    return Kind(syntax, _profile(syntax, root), tag.rpartition("}")[2])


def _profile(syntax: str, root: etree._Element) -> str:
    if syntax == "CDAR":
        return "CDV"
    if syntax == "FLUX10":
        return "FLUX10"
    specification = _specification(syntax, root)
    for end, profile, syntaxes in PROFILES:
        if syntax in syntaxes and specification.endswith(end):
            return profile
    return "EN16931"


def _specification(syntax: str, root: etree._Element) -> str:
    """Return BT-24, without the spaces around it."""
    if syntax == "UBL":
        element = next(root.iterchildren(CBC + "CustomizationID"), None)
        return "" if element is None else (element.text or "").strip()
    return (root.findtext(f"*/{RAM}GuidelineSpecifiedDocumentContextParameter/{RAM}ID") or "").strip()
