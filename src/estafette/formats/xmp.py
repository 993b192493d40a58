"""The metadata of a PDF (XMP): its simple properties read, and those of PDF/A and Factur-X added to what is there.

Properties are written as elements or as attributes of a description: both are read. Adding keeps every other property;
those that are set anew are taken out first, wherever they stood. Source: ISO 16684-1; PDF/A-3 (ISO 19005-3, 6.6);
Factur-X 1.09, chapter on the PDF.
"""

from collections.abc import Mapping

from lxml import etree

from estafette.formats.xml import parse

NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "pdfaExtension": "http://www.aiim.org/pdfa/ns/extension/",
    "pdfaSchema": "http://www.aiim.org/pdfa/ns/schema#",
    "pdfaProperty": "http://www.aiim.org/pdfa/ns/property#",
    "fx": "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
}
FACTURX = {
    "DocumentType": "INVOICE for an invoice, in capitals",
    "DocumentFileName": "The name of the embedded XML file",
    "Version": "The version of the data model",
    "ConformanceLevel": "The profile of the embedded XML",
}
"""The properties of the Factur-X extension, with what the extension schema says of each."""

_EMPTY = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>"""
_HEAD = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TAIL = b'\n<?xpacket end="w"?>'
_RDF = f"{{{NAMESPACES['rdf']}}}"
_RESOURCE = {f"{_RDF}parseType": "Resource"}


class Packet:
    """The metadata of one PDF. An instance is a tree that `add` and `declare_facturx` change, and `bytes` writes."""

    def __init__(self, data: bytes | None = None) -> None:
        """Read a packet, or begin an empty one. Raises: Unreadable; ValueError when there is no RDF in it."""
        root = parse(data or _EMPTY).getroot()
        rdf = root if root.tag == f"{_RDF}RDF" else root.find(f"{_RDF}RDF")
        if rdf is None:
            raise ValueError("no RDF in the metadata")
        self._root, self._rdf = root, rdf

    def get(self, name: str) -> str | None:
        """Give the text of a property (`pdfaid:part`), None when it is not said."""
        tag = _tag(name)
        for description in self._rdf:
            if tag in description.attrib:
                return str(description.attrib[tag]).strip()
            found = description.find(tag)
            if found is not None:
                return (found.text or "").strip()
        return None

    def declares_facturx(self) -> bool:
        """Tell whether an extension schema declares the namespace of Factur-X."""
        uris = self._rdf.iter(_tag("pdfaSchema:namespaceURI"))
        attributes = (each.get(_tag("pdfaSchema:namespaceURI")) for each in self._rdf.iter())
        return NAMESPACES["fx"] in {*((uri.text or "").strip() for uri in uris), *attributes}

    def add(self, properties: Mapping[str, str]) -> None:
        """Each property has its value, once, whatever it had before."""
        for name in properties:
            for description in self._rdf:
                description.attrib.pop(_tag(name), "")
                for found in description.findall(_tag(name)):
                    description.remove(found)
        prefixes = dict.fromkeys(name.partition(":")[0] for name in properties)
        description = self._description(*prefixes)
        for name, text in properties.items():
            etree.SubElement(description, _tag(name)).text = text

    def add_title(self, title: str) -> None:
        """The document has a title; one that it had already is kept."""
        if self.get("dc:title") is None:
            held = etree.SubElement(self._description("dc"), _tag("dc:title"))
            alternative = etree.SubElement(etree.SubElement(held, f"{_RDF}Alt"), f"{_RDF}li")
            alternative.set("{http://www.w3.org/XML/1998/namespace}lang", "x-default")
            alternative.text = title

    def declare_facturx(self) -> None:
        """The extension schema of Factur-X is declared, beside those that are (PDF/A-3, 6.6.2.3)."""
        if self.declares_facturx():
            return
        schemas = self._rdf.find(f".//{_tag('pdfaExtension:schemas')}/{_RDF}Bag")
        if schemas is None:
            description = self._description("pdfaExtension", "pdfaSchema", "pdfaProperty")
            schemas = etree.SubElement(etree.SubElement(description, _tag("pdfaExtension:schemas")), f"{_RDF}Bag")
        schema = etree.SubElement(schemas, f"{_RDF}li", _RESOURCE)
        etree.SubElement(schema, _tag("pdfaSchema:schema")).text = "Factur-X PDFA Extension Schema"
        etree.SubElement(schema, _tag("pdfaSchema:namespaceURI")).text = NAMESPACES["fx"]
        etree.SubElement(schema, _tag("pdfaSchema:prefix")).text = "fx"
        sequence = etree.SubElement(etree.SubElement(schema, _tag("pdfaSchema:property")), f"{_RDF}Seq")
        for name, meaning in FACTURX.items():
            each = etree.SubElement(sequence, f"{_RDF}li", _RESOURCE)
            for field, text in (("name", name), ("valueType", "Text"), ("category", "external"),
                                ("description", meaning)):  # fmt: skip
                etree.SubElement(each, _tag(f"pdfaProperty:{field}")).text = text

    def _description(self, *prefixes: str) -> etree._Element:
        names = {prefix: NAMESPACES[prefix] for prefix in prefixes}
        about = next((str(each.get(f"{_RDF}about")) for each in self._rdf if each.get(f"{_RDF}about")), "")
        return etree.SubElement(self._rdf, f"{_RDF}Description", {f"{_RDF}about": about}, nsmap=names)

    def __bytes__(self) -> bytes:
        """Write the packet, in UTF-8, with the header that readers look for."""
        return _HEAD + etree.tostring(self._root, encoding="UTF-8") + _TAIL


def _tag(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"
