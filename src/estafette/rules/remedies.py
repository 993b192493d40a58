"""What to do when a rule fails, in our own words, for the identifiers that users meet most: `remedies.toml` holds them.

The identifiers: every rule that the official examples and the generated mutants break, the whole of the VAT category
families of EN 16931, the totals, the mandatory terms, the French rules of Flux 2 and the life-cycle rules. A remedy is
found by identifier, else by rule (`BR-FR-10_BT-30` → `BR-FR-10`), else by family (`BR-AE-08`).
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FAMILY_RULE = re.compile(r"BR-(?:FREXT-|FXEXT-)?(S|Z|E|AE|IC|G|O|AF|AG)-(\d\d)")


@cache
def tables() -> dict[str, dict[str, Any]]:
    """Return the tables of remedies: categories, family, missing, remedies."""
    return tomllib.loads(Path(__file__).with_name("remedies.toml").read_text(encoding="utf-8"))


@cache
def remedy(identifier: str) -> tuple[str, str]:
    """Return what to do in French and English, two empty texts where we have written nothing."""
    held = tables()
    family = FAMILY_RULE.match(identifier)
    if family and family[2] in held["family"]:
        french, english = held["categories"][family[1]]
        texts = held["family"][family[2]]
        return texts[0].format(french), texts[1].format(english)
    for key in _keys(identifier):
        if key in held["remedies"]:
            french, english = held["remedies"][key]
            return french, english
        if key in held["missing"]:
            term, french, english = held["missing"][key]
            return f"Renseignez {french} ({term}), non vide.", f"Fill in {english} ({term}), not empty."
    return "", ""


def _keys(identifier: str) -> list[str]:
    """Return the identifier, then shorter and shorter names of its rule."""
    plain = identifier.replace("-FREXT-", "-").replace("-FXEXT-", "-").removesuffix("rev")
    keys = [identifier, plain, plain.partition("_")[0]]
    while "-" in keys[-1]:
        keys.append(keys[-1].rpartition("-")[0])
    return keys


def written() -> list[str]:
    """Return every identifier, rule or family member that has a remedy, in order."""
    held = tables()
    numbers = [number for number in held["family"] if int(number) <= 10]
    members = [f"BR-{category}-{number}" for category in held["categories"] for number in numbers]
    return sorted({*held["remedies"], *held["missing"], *members})
