"""What one rule says: where it applies, what it tests, its official message, and our remedy."""

from __future__ import annotations

from typing import Any

from estafette.rules.compiled import compiled
from estafette.rules.engine import IDENTIFIER, TERMS
from estafette.rules.own import OWN
from estafette.rules.remedies import remedy
from estafette.rules.shelf import known_packs

TEST_CHARACTERS_MAX = 1_000


def explained(identifier: str) -> list[str]:
    """Return a text for each pack that has a rule of that identifier, or for our own finding; nothing when none has."""
    if identifier in OWN:
        return [f"{identifier}\n  " + "\n  → ".join(OWN[identifier])]
    made = []
    for pack in known_packs():
        _, tables = compiled(pack.path.read_bytes())
        for rule, assertion in _assertions(tables):
            if _identifier(assertion) == identifier:
                made.append(_explanation(identifier, pack.coordinate, rule, assertion))
    return list(dict.fromkeys(made))


def _assertions(tables: Any) -> list[tuple[Any, Any]]:
    return [(rule, assertion) for pattern in tables for rule in pattern for assertion in rule[1]]


def _message(assertion: Any) -> str:
    return " ".join("".join("…" if called else piece for piece, called in assertion[5]).split())


def _identifier(assertion: Any) -> str:
    if assertion[0]:
        return str(assertion[0])
    found = IDENTIFIER.search(_message(assertion))
    return found[1] if found else "?"


def _explanation(identifier: str, coordinate: str, rule: Any, assertion: Any) -> str:
    message = _message(assertion)
    terms = ", ".join(dict.fromkeys(TERMS.findall(f"{identifier} {message}")))
    french, english = remedy(identifier)
    lines = [
        f"{identifier}  [{coordinate}, {assertion[1]}]{'  ' + terms if terms else ''}",
        f"  {message}",
        f"  contexte / context : {rule[2][:TEST_CHARACTERS_MAX]}",
        f"  test : {assertion[6][:TEST_CHARACTERS_MAX]}",
    ]
    if french:
        lines += [f"  → {french}", f"    {english}"]
    return "\n".join(lines)
