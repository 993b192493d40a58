"""UN/CEFACT Cross Industry Invoice D22B: one document for every type of invoice, dates in format 102.

Source: UN/CEFACT SCRDM, CII 100 (D22B), uncoupled schemas.
"""

NAMESPACES = (
    ("rsm", "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"),
    ("ram", "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"),
    ("udt", "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"),
    ("qdt", "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"),
)
"""The prefixes of the paths of the table."""

ROOT = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
DAY_FORMAT = "102"
"""The code, in UNTDID 2379, of a day AAAAMMJJ."""
