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

_RSM, _RAM = NAMESPACES[0][1], NAMESPACES[1][1]
TRANSACTION = f"{{{_RSM}}}SupplyChainTradeTransaction"
PARTS = tuple(f"{{{_RAM}}}ApplicableHeaderTrade{part}" for part in ("Agreement", "Delivery", "Settlement"))
"""The three parts of the transaction, which the schema wants even when they say nothing."""
