"""The rules of annex 7 on e-reporting, by the official artefacts: good ones break none, each change its own."""

import re

import pytest
from tests.formats.test_flux10 import PAYMENTS, TRANSACTIONS

from estafette.formats import flux10
from estafette.rules import check

SALES, CASHED = flux10.write(TRANSACTIONS), flux10.write(PAYMENTS)
ALONE = re.sub(rb"<SellerTaxRepresentative>.*?</SellerTaxRepresentative>", b"", SALES, flags=re.DOTALL)
"""Without a tax representative."""

VAT_NUMBER = b'<TaxRegistrationId qualifyingId="VAT">FR15100000009</TaxRegistrationId>'
BOTH = CASHED[CASHED.index(b"<PaymentsReport>") :]
"""The payments, to be put after the sales in one file."""

BREAKS: dict[str, tuple[bytes, bytes, bytes]] = {
    "G1.01": (SALES, b"<TypeCode>381<", b"<TypeCode>325<"),
    "G1.02": (SALES, b"<ID>M1<", b"<ID>S3<"),
    "G1.05": (SALES, b"<ID>F-1<", b"<ID>F  1<"),
    "G1.09": (SALES, b"<Date>20260905<", b"<Date>2026-9-5<"),
    "G1.10": (SALES, b"<CurrencyCode>EUR<", b"<CurrencyCode>eur<"),
    "G1.102": (ALONE, VAT_NUMBER, b""),
    "G1.104": (SALES, b"<Id>R-1<", b"<Id>R  1<"),
    "G1.14": (SALES, b"<TaxExclusiveAmount>100.00<", b"<TaxExclusiveAmount>100.001<"),
    "G1.15": (SALES, b">2.5<", b">2.00001<"),
    "G1.16": (CASHED, b"<Amount>120.00<", b"<Amount>-120.00<"),
    "G1.24": (CASHED, b"<TaxPercent>20<", b"<TaxPercent>21<"),
    "G1.32": (SALES, b"<IssueDate>20260801</IssueDate>", b""),
    "G1.36": (SALES, b"<IssueDate>20260905<", b"<IssueDate>21000905<"),
    "G1.40": (SALES, b"<TaxExemptionReason>Exon\xc3\xa9ration</TaxExemptionReason>", b""),
    "G1.53": (SALES, b"<TaxExclusiveAmount>100.00<", b"<TaxExclusiveAmount>100.50<"),
    "G1.55": (SALES, b"<PriceAmount>40.0<", b"<PriceAmount>45.0<"),
    "G1.60": (SALES.replace(b"<TypeCode>381<", b"<TypeCode>386<"), b"<ID>M1<", b"<ID>M4<"),
    "G1.68": (SALES, b">TPS1<", b">TPS9<"),
    "G2.01": (SALES, b"<CountryId>DE<", b"<CountryId>de<"),
    "G2.19": (SALES, b'schemeId="0223"', b'schemeId="0088"'),
    "G2.31": (SALES, b"<Code>S<", b"<Code>L<"),
    "G2.33": (SALES, b'<TaxRegistrationId qualifyingId="VAT">DE123456789</TaxRegistrationId>', b""),
    "G6.21": (SALES, b"<TypeCode>381<", b"<TypeCode>380<"),
    "G6.22": (SALES, b'schemeId="0238"', b'schemeId="0002"'),
    "G6.23": (SALES, b'CurrencyCode="EUR"', b'CurrencyCode="USD"'),
    "G6.25": (SALES, b"<EndDate>20260910<", b"<EndDate>20260901<"),
    "G6.26": (SALES, b'<Id schemeId="0002">100000009<', b'<Id schemeId="0002">10000000<'),
    "G6.27": (CASHED, b"<CurrencyCode>EUR<", b"<CurrencyCode>USD<"),
    "G6.28": (SALES, b'<CompanyId schemeId="0223">DE123456789</CompanyId>', b""),
    "G6.29": (SALES, b"</Report>", BOTH),
    "G7.34": (SALES, b"<Id>R-1<", b"<Id>" + b"R" * 51 + b"<"),
    "G7.51": (SALES, b"<RoleCode>WK<", b"<RoleCode>SE<"),
    "G7.52": (SALES, b"<RoleCode>SE<", b"<RoleCode>WK<"),
    "G7.53": (SALES, b">20260921061500<", b">20260921<"),
    "G8.01": (SALES, b"<TypeCode>IN<", b"<TypeCode>CO<"),
    "P1.11": (SALES, b"<TaxDueDateTypeCode>3<", b"<TaxDueDateTypeCode>9<"),
    "S1.12": (SALES, b"<TypeID>urn.cpro.gouv.fr:1p0:ereporting<", b"<TypeID>urn:x<"),
}
"""For each rule, a good transmission and what to change in it to break the rule."""

SAID_BY_ANOTHER = {"G7.34": "G1.104"}
"""Rules that the official artefact tells under the name of another, which holds them too."""

SAID_BY_THE_SCHEMA = {"G6.28", "G6.29", "G1.40"}
"""Rules whose breach may already be against the schema."""


@pytest.mark.parametrize("rule", BREAKS)
def test_each_rule_is_told(rule: str) -> None:
    """With the one change, the rule is told, or the schema speaks; without it, nothing is."""
    good, old, new = BREAKS[rule]
    assert old in good, "the change changes something"
    verdict = check(good.replace(old, new))
    told = {found for one in verdict.findings for found in re.findall(r"[GPS]\d\.\d+", one.id)}
    wanted = SAID_BY_ANOTHER.get(rule, rule)
    assert wanted in told or (rule in SAID_BY_THE_SCHEMA and verdict.schema), (told, verdict.schema[:1])


def test_good_ones_break_none() -> None:
    """Nothing is said of what the changes begin from."""
    for data in (SALES, CASHED):
        verdict = check(data)
        assert (verdict.syntax, verdict.schema, verdict.findings) == ("FLUX10", (), ())
