"""A piece of generated Python, with what is known of its value before it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

NUMERIC = frozenset({"int", "dec", "dbl"})
TEXTUAL = frozenset({"str", "untyped"})


@dataclass(frozen=True, slots=True)
class Code:
    """Python source of a value.

    `kind`: node, str, untyped, int, dec, dbl, bool, truth (any Python truth value), date, or item (known only when
    running). `many`: one, opt (None, or the node that is nothing, when absent) or many (a list). For nodes: whether
    they come in document order, each once, none inside another; `raw` ones are a sequence that keeps its own order and
    repetitions. `loops` and `item` are the source as the clauses of a comprehension, so that what follows continues
    it. `atoms` is the source of the values where better than generic, `lone` that of the one value.
    """

    source: str
    kind: str
    many: str = "one"
    ordered: bool = True
    unique: bool = True
    flat: bool = True
    loops: tuple[str, ...] = ()
    item: str = ""
    atoms: tuple[str, str] | None = None
    exists: str = ""
    constant: tuple[str, ...] | None = None
    raw: bool = False
    lone: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: the context item, its position, the rule's node, the variables."""

    node: str = ""
    kind: str = "node"
    position: str = ""
    size: str = ""
    rule: str = ""
    variables: dict[str, Code] = field(default_factory=dict)

    def focus(self, node: str, kind: str = "node", position: str = "", size: str = "") -> Scope:
        """Return the scope inside a predicate or a step."""
        return replace(self, node=node, kind=kind, position=position, size=size)

    def bind(self, name: str, code: Code) -> Scope:
        """Return the scope with one more variable."""
        return replace(self, variables={**self.variables, name: code})


def quoted(value: Any) -> str:
    """Write a constant."""
    return repr(value)


def as_list(code: Code) -> str:
    """Write a value as a sequence."""
    if code.many == "many":
        return code.source
    if code.many == "one":
        return f"({value(code)},)"
    if code.kind == "node":
        return f"node_listed({code.source})"
    return f"listed({code.source})"


def value(code: Code) -> str:
    """Write a single value, a truth as a real boolean."""
    return f"bool({code.source})" if code.kind == "truth" else code.source


def atomized(code: Code) -> Code:  # noqa: PLR0911 - one branch a kind
    """Return the values of nodes; other values as they are."""
    if code.kind == "truth":
        return Code(f"bool({code.source})", "bool", code.many)
    if code.kind == "item":
        return Code(f"atoms({as_list(code)})", "item", "many")
    if code.kind != "node":
        return code
    if code.atoms is not None:
        return Code(code.atoms[0], "untyped", code.atoms[1])
    if code.many == "one":
        return Code(f"{code.source}.value", "untyped")
    if code.many == "opt":
        return Code(f"[x.value for x in node_listed({code.source})]", "untyped", "many")
    if code.loops:
        return Code(f"[{code.item}.value {' '.join(code.loops)}]", "untyped", "many")
    return Code(f"[x.value for x in {code.source}]", "untyped", "many")


def optional(code: Code) -> Code:
    """Return an atomic value as one item or None; several are an error when it runs."""
    if code.lone:
        return Code(code.lone, "untyped", "opt")
    code = atomized(code)
    if code.many == "many":
        return Code(f"only({code.source})", code.kind, "opt")
    return code


def truth(code: Code) -> str:
    """Write the effective boolean value, as anything that Python finds true or false."""
    if code.kind == "node":
        return code.exists or code.source
    if code.kind in {"item", "dbl"} or code.many == "many":
        return f"truth({code.source})"
    return code.source


def text(code: Code) -> str:
    """Write an argument that is a string, the empty one when absent."""
    code = optional(code)
    if code.kind in TEXTUAL:
        return code.source if code.many == "one" else f"({code.source} or '')"
    return f"item_text({code.source})"


def string(code: Code) -> str:
    """Write string() of a value."""
    code = optional(code)
    if code.kind in TEXTUAL:
        return code.source if code.many == "one" else f"({code.source} or '')"
    return f"text_of({code.source})"


def ordered(code: Code) -> Code:
    """Return nodes in document order, each once."""
    if code.kind != "node" or code.many != "many" or (code.ordered and code.unique):
        return code
    return Code(f"in_order({code.source})", "node", "many", flat=code.flat)


def unique(code: Code) -> Code:
    """Return nodes each once, in any order."""
    if code.kind != "node" or code.many != "many" or code.unique:
        return code
    return Code(f"distinct({code.source})", "node", "many", ordered=code.ordered, flat=code.flat)
