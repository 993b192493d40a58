"""Where a party is for VAT: inside France, elsewhere in the Union, or outside.

France for VAT is the mainland and Corsica, Guadeloupe, Martinique, La Réunion, and Monaco (CGI art. 256-0, 294 and 297;
convention of 18 May 1963). Guyane, Mayotte and the other territories are exports, whatever the invoice writes (XP
Z12-014, case 44).
"""

from estafette.invoice.model import Address, Party

VAT_FRANCE = frozenset({"FR", "GP", "MQ", "RE", "MC"})
"""Country codes inside the territory of French VAT."""

UNION = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
"""The other member states, since 1 February 2020."""

TERRITORY_OF_POST_CODE = {
    "973": "GF", "975": "PM", "976": "YT", "977": "BL", "978": "MF", "984": "TF", "986": "WF", "987": "PF", "988": "NC",
}  # fmt: skip
"""Territories whose addresses are often written with the country FR, by the first digits of the post code."""

NEW_CALEDONIA, POLYNESIA = "NC", "PF"


def country_of(party: Party) -> str:
    """Return the country or territory of a party; France when it has a SIREN and says no country, empty otherwise.

    >>> country_of(Party(postal_address=Address(post_code="97600", country_code="FR")))
    'YT'
    """
    address: Address = party.postal_address
    code = (address.country_code or "").strip().upper()
    if code == "FR":
        return TERRITORY_OF_POST_CODE.get((address.post_code or "")[:3], "FR")
    if code == "EL":
        return "GR"
    return code or ("FR" if party.siren else "")


def is_in_france(party: Party) -> bool:
    """Tell whether the party is inside the territory of French VAT; one that says nothing of where it is counts so."""
    return country_of(party) in VAT_FRANCE | {""}
