"""What may be shown of a company, by its diffusion status: a table, as the law has it.

O is diffusible, P partially (the street is withheld; the name comes withheld from the directory itself where it is), M
diffusible by someone who refuses commercial prospecting, which must be shown with the data. A status that is none of
these is taken as the most cautious of them.

Source: external specifications v3.2, annex 3 (DT-3-6, DT-4-14); XP Z12-013 §6.2.3; code de commerce, art. R. 123-232.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Diffusion:
    """Whether the lines of the address may be shown, and whether the data may serve to prospect."""

    is_street_published: bool
    is_prospecting_forbidden: bool


DIFFUSIONS = {"O": Diffusion(True, False), "P": Diffusion(False, False), "M": Diffusion(True, True)}


def diffusion(status: str) -> Diffusion:
    """Return what may be shown under a status.

    >>> diffusion("M").is_prospecting_forbidden, diffusion("P").is_street_published
    (True, False)
    """
    return DIFFUSIONS.get(status, DIFFUSIONS["P"])
