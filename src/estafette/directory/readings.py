"""How the portal reads what the texts of the directory leave open: each doubt is one switch, with its default.

Source: external specifications v3.2 (annex 3, annex 7, general file §3.5); docs/directory.md says which texts disagree.
Chosen under `readings` of the portal in `network.yaml`.
"""

import msgspec


class Readings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was chosen where the texts can be read in two ways."""

    takes_fictive_lines: bool = False
    """Whether a platform may write a line of the fictitious platform (9998), at the grain of the SIREN.

    The general file (note 85) advises it when a contract ends; annex 7 (G1.112) refuses the number, and is followed.
    """
    closes_lapsed_from_start: bool = True
    """Whether « date d'effet de la ligne de clôture » of G1.94 is its start (DT-7-3-1).

    A line of a platform that lapsed is then closed as any other: its end is tomorrow at the earliest (G1.88). Otherwise
    it is the end (DT-7-3-2), which is before today: G1.88 is not asked of that closing.
    """
    frees_effective_end: bool = False
    """Whether the days after the effective end (DT-7-3-3) are free for another line (G1.86).

    Annex 3 lets platforms go on until the end agreed, and is followed: the line is closed first. The general file holds
    that the line is over.
    """
    takes_wide_identifiers: bool = False
    """Whether routing codes and suffixes may have what the API's document allows beyond annex 7: `/`, `@`, and `.`."""
