"""The countries of the national register as the directory writes them: INSEE's codes to ISO 3166-1 alpha-2.

INSEE numbers foreign countries its own way (code officiel géographique, five digits that begin with 99), and places the
French territories by the first three of a commune's code. A country that is not here keeps its name, not a code.

>>> country_of("99109", ""), country_of("", "75056"), country_of("", "98735"), country_of("99999", "")
('DE', 'FR', 'PF', None)
"""

TERRITORIES = {"975": "PM", "977": "BL", "978": "MF", "984": "TF", "986": "WF", "987": "PF", "988": "NC"}
"""French territories with a code of their own, by the beginning of the code of the commune; the rest is FR."""

COUNTRIES = {
    "99101": "DK", "99102": "IS", "99103": "NO", "99104": "SE", "99105": "FI", "99106": "EE", "99107": "LV",
    "99108": "LT", "99109": "DE", "99110": "AT", "99111": "BG", "99112": "HU", "99113": "LI", "99114": "RO",
    "99116": "CZ", "99117": "SK", "99118": "BA", "99119": "HR", "99120": "ME", "99121": "RS", "99122": "PL",
    "99123": "RU", "99125": "AL", "99126": "GR", "99127": "IT", "99128": "SM", "99129": "VA", "99130": "AD",
    "99131": "BE", "99132": "GB", "99133": "GI", "99134": "ES", "99135": "NL", "99136": "IE", "99137": "LU",
    "99138": "MC", "99139": "PT", "99140": "CH", "99144": "MT", "99145": "SI", "99148": "BY", "99151": "MD",
    "99155": "UA", "99156": "MK", "99208": "TR", "99207": "IL", "99216": "CN", "99217": "JP", "99223": "IN",
    "99226": "SG", "99230": "HK", "99239": "KR", "99254": "CY", "99350": "MA", "99351": "TN", "99352": "DZ",
    "99401": "CA", "99404": "US", "99416": "BR", "99501": "AU",
}  # fmt: skip
"""Those whose companies are met in the register (code officiel géographique)."""


def country_of(country: str, commune: str) -> str | None:
    """Give the country of an address from INSEE's codes of its country, where foreign, or of its commune."""
    if country:
        return COUNTRIES.get(country)
    return TERRITORIES.get(commune[:3], "FR")
