"""XPath expressions as a small tree of our own, read from the tokens of elementpath's parser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from elementpath import ElementPathError
from elementpath.xpath31 import XPath31Parser

from estafette.rules.compiler.syntax import (
    Call,
    Castable,
    Context,
    Each,
    Expression,
    Filter,
    For,
    If,
    Literal,
    Negate,
    Operation,
    Path,
    Quantified,
    Root,
    Sequence,
    Step,
    Union,
    UnsupportedError,
    Variable,
    may_count,
)

XS = "http://www.w3.org/2001/XMLSchema"
FN = "http://www.w3.org/2005/xpath-functions"
CODEPOINTS = "http://www.w3.org/2005/xpath-functions/collation/codepoint"
EXPRESSION_CHARACTERS_MAX = 200_000
CURRENT = "current-context"


AXES = {
    "child",
    "parent",
    "self",
    "ancestor",
    "ancestor-or-self",
    "descendant",
    "descendant-or-self",
    "preceding",
    "following",
    "preceding-sibling",
    "following-sibling",
    "attribute",
}
OPERATORS = {"=", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge", "+", "-", "*", "div", "idiv", "mod"}
OPERATORS |= {"and", "or", "to", "is", "<<", ">>"}
LITERAL = re.compile(r"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\(:.*?:\)", re.S)


@dataclass(slots=True)
class Names:
    """What names mean where an expression stands: prefixes, default element namespace, functions of the sheet."""

    prefixes: Mapping[str, str]
    default: str = ""
    functions: Iterable[str] = field(default_factory=tuple)


ANYWHERE = Step("descendant-or-self", "node()")
_PARSERS: dict[tuple[tuple[str, str], ...], XPath31Parser] = {}


def parse(text: str, names: Names) -> Expression:
    """Parse an expression; raise `UnsupportedError` when it is not XPath or beyond what the compiler knows."""
    if len(text) > EXPRESSION_CHARACTERS_MAX:
        raise UnsupportedError(f"expression of {len(text)} characters")
    try:
        token = _parser(names).parse(_prepared(text))
        return _Reader(names).expression(token)
    except (ElementPathError, RecursionError, IndexError, KeyError) as error:
        raise UnsupportedError(f"{error} in: {text[:200]}") from error


def _prepared(text: str) -> str:
    """Write `document()` and `current()`, that XSLT adds to XPath, with what the parser knows; strings are kept."""
    pieces = LITERAL.split(text)
    kept = LITERAL.findall(text)
    for i, piece in enumerate(pieces):
        replaced = re.sub(r"(?<![\w:-])document\s*\(", "doc(", piece)
        pieces[i] = re.sub(r"(?<![\w:-])current\s*\(\s*\)", f"${CURRENT}", replaced)
    return "".join(piece + literal for piece, literal in zip(pieces, [*kept, ""], strict=True))


def _parser(names: Names) -> XPath31Parser:
    prefixes = dict(names.prefixes) | {"xs": names.prefixes.get("xs", XS)}
    key = tuple(sorted(prefixes.items())) + tuple(("()", name) for name in sorted(names.functions))
    parser = _PARSERS.get(key)
    if parser is None:
        parser = XPath31Parser(namespaces=prefixes, default_collation=CODEPOINTS)
        by_namespace = {uri: prefix for prefix, uri in prefixes.items()}
        for function in names.functions:
            uri, _, local = function[1:].rpartition("}")
            if uri in by_namespace:
                parser.external_function(_placeholder, name=local, prefix=by_namespace[uri])
        _PARSERS[key] = parser
    return parser


def _placeholder(*_arguments: Any) -> bool:
    return False


class _Reader:
    """Reads tokens into expressions, with names resolved."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def expression(self, token: Any) -> Expression:
        symbol = token.symbol
        method = getattr(self, _METHODS.get(symbol, ""), None)
        if method is not None:
            return method(token)  # type: ignore[no-any-return]
        if symbol in OPERATORS:
            return self._operator(token)
        if symbol in AXES or symbol in {"@", "..", "(name)", "text", "node", "*", "element"}:
            return Path(Context(), (self.step(token),))
        if token.label and "function" in str(token.label):
            return self._call(token, symbol)
        raise UnsupportedError(f"construct {symbol!r}")

    def _operator(self, token: Any) -> Expression:
        symbol = token.symbol
        if len(token) == 0:
            return Path(Context(), (self.step(token),))
        if len(token) == 1:
            if symbol == "-":
                return Negate(self.expression(token[0]))
            return self.expression(token[0])
        return Operation(symbol, self.expression(token[0]), self.expression(token[1]))

    def _literal(self, token: Any) -> Expression:
        return Literal(token.value)

    def _variable(self, token: Any) -> Expression:
        return Variable(self._variable_name(token))

    def _variable_name(self, token: Any) -> str:
        name = token[0]
        if name.symbol == ":":
            return f"{{{self._namespace(name[0].value)}}}{name[1].value}"
        return str(name.value)

    def _context(self, _token: Any) -> Expression:
        return Context()

    def _parenthesis(self, token: Any) -> Expression:
        return self.expression(token[0]) if len(token) else Sequence()

    def _comma(self, token: Any) -> Expression:
        items: list[Expression] = []
        for operand in token:
            item = self.expression(operand)
            items.extend(item.items if operand.symbol == "," and isinstance(item, Sequence) else (item,))
        return Sequence(tuple(items))

    def _union(self, token: Any) -> Expression:
        operator = "|" if token.symbol == "union" else token.symbol
        return Union(operator, self.expression(token[0]), self.expression(token[1]))

    def _slash(self, token: Any) -> Expression:
        if len(token) == 0:
            return Root()
        if len(token) == 1:
            return self._continued(Root(), token[0])
        return self._continued(self.expression(token[0]), token[1])

    def _double_slash(self, token: Any) -> Expression:
        start = Root() if len(token) == 1 else self.expression(token[0])
        return _joined(self._continued(_path(start, ANYWHERE), token[-1]))

    def _continued(self, start: Expression, token: Any) -> Expression:
        if self._is_step(token):
            return _path(start, self.step(token))
        if token.symbol == "[":
            base, predicates = self._predicates(token)
            if base.symbol in {"/", "//"}:
                return _path(start, Each(Filter(self.expression(base), predicates)))
            return _path(start, Each(self.expression(base), predicates))
        return _path(start, Each(self.expression(token)))

    def _is_step(self, token: Any) -> bool:
        if token.symbol == "[":
            return self._is_step(token[0])
        if token.symbol == ":":
            return token[1].symbol in {"(name)", "*"} and not str(token[1].label).endswith("function")
        if token.symbol == "*":
            return len(token) == 0
        return token.symbol in AXES or token.symbol in {"@", "..", "(name)", "text", "node"}

    def _predicates(self, token: Any) -> tuple[Any, tuple[Expression, ...]]:
        predicates: list[Expression] = []
        while token.symbol == "[":
            predicates.insert(0, self.expression(token[1]))
            token = token[0]
        return token, tuple(predicates)

    def _bracket(self, token: Any) -> Expression:
        base, predicates = self._predicates(token)
        if self._is_step(base):
            return Path(Context(), (self.step(token),))
        return Filter(self.expression(base), predicates)

    def _colon(self, token: Any) -> Expression:
        if self._is_step(token):
            return Path(Context(), (self.step(token),))
        namespace = self._namespace(token[0].value)
        function = token[1]
        local = function.symbol if function.symbol != "(name)" else function.value
        if namespace == XS:
            return self._call(function, "xs:" + local)
        if namespace == FN:
            return self._call(function, local)
        return self._call(function, f"{{{namespace}}}{local}")

    def _call(self, token: Any, name: str) -> Expression:
        arguments: list[Expression] = [self.expression(operand) for operand in token]
        return Call(name, tuple(arguments))

    def _condition(self, token: Any) -> Expression:
        return If(self.expression(token[0]), self.expression(token[1]), self.expression(token[2]))

    def _loop(self, token: Any) -> Expression:
        return For(self._bindings(token), self.expression(token[-1]), single=token.symbol == "let")

    def _quantified(self, token: Any) -> Expression:
        return Quantified(token.symbol == "every", self._bindings(token), self.expression(token[-1]))

    def _bindings(self, token: Any) -> tuple[tuple[str, Expression], ...]:
        operands = list(token)[:-1]
        pairs = zip(operands[::2], operands[1::2], strict=True)
        return tuple((self._variable_name(name), self.expression(value)) for name, value in pairs)

    def _cast(self, token: Any) -> Expression:
        operand, kind = self.expression(token[0]), self._type(token)
        if token.symbol == "castable":
            return Castable(operand, kind, "?" in token.source.rpartition("as")[2])
        return Call(kind, (operand,))

    def _type(self, token: Any) -> str:
        name = token[1]
        if name.symbol == ":" and self._namespace(name[0].value) == XS:
            return f"xs:{name[1].value}"
        raise UnsupportedError(f"type {name.source}")

    def _bang(self, token: Any) -> Expression:
        return _path(self.expression(token[0]), Each(self.expression(token[1])))

    def step(self, token: Any) -> Step:
        """Read an axis step with its predicates."""
        base, predicates = self._predicates(token)
        symbol = base.symbol
        if symbol == "@":
            return Step("attribute", self._name(base[0], attribute=True), predicates)
        if symbol == "..":
            return Step("parent", "node()", predicates)
        if symbol in AXES:
            return Step(symbol, self._name(base[0], attribute=symbol == "attribute"), predicates)
        return Step("child", self._name(base), predicates)

    def _name(self, token: Any, *, attribute: bool = False) -> str:
        symbol = token.symbol
        if symbol in {"text", "node"}:
            return f"{symbol}()"
        if symbol in {"*", "element"}:
            return "*"
        if symbol == ":":
            if token[0].symbol == "*":
                return f"*:{token[1].value}"
            namespace = self._namespace(token[0].value)
            local = "*" if token[1].symbol == "*" else token[1].value
            return f"{{{namespace}}}{local}" if namespace else local
        if symbol == "(name)":
            if self.names.default and not attribute:
                return f"{{{self.names.default}}}{token.value}"
            return str(token.value)
        raise UnsupportedError(f"name test {symbol!r}")

    def _namespace(self, prefix: str) -> str:
        known = {"xs": XS, "fn": FN, "xml": "http://www.w3.org/XML/1998/namespace"}
        namespace = self.names.prefixes.get(prefix, known.get(prefix))
        if namespace is None:
            raise UnsupportedError(f"prefix {prefix!r} is not declared")
        return namespace


_METHODS = {
    "(string)": "_literal",
    "(integer)": "_literal",
    "(decimal)": "_literal",
    "(float)": "_literal",
    "$": "_variable",
    ".": "_context",
    "(": "_parenthesis",
    ",": "_comma",
    "|": "_union",
    "union": "_union",
    "intersect": "_union",
    "except": "_union",
    "/": "_slash",
    "//": "_double_slash",
    "[": "_bracket",
    ":": "_colon",
    "if": "_condition",
    "for": "_loop",
    "let": "_loop",
    "every": "_quantified",
    "some": "_quantified",
    "cast": "_cast",
    "castable": "_cast",
    "!": "_bang",
}


def _path(start: Expression, step: Step | Each) -> Path:
    if isinstance(start, Path):
        return Path(start.start, (*start.steps, step))
    return Path(start, (step,))


def _joined(path: Expression) -> Expression:
    """Write `descendant-or-self::node()/child::x` as `descendant::x`, the same where no predicate counts positions."""
    if not isinstance(path, Path) or len(path.steps) < 2 or path.steps[-2] != ANYWHERE:
        return path
    last = path.steps[-1]
    joined: Step | Each | None = None
    if isinstance(last, Step):
        joined = _descendant(last)
    elif isinstance(last.expression, Union):
        union = _descendants(last.expression)
        joined = Each(union, last.predicates) if union is not None else None
    return path if joined is None else Path(path.start, (*path.steps[:-2], joined))


def _descendant(step: Step) -> Step | None:
    if step.axis != "child" or any(may_count(predicate) for predicate in step.predicates):
        return None
    return Step("descendant", step.name, step.predicates)


def _descendants(expression: Expression) -> Expression | None:
    """Write a union of children as a union of descendants, where each side is one child."""
    if isinstance(expression, Union) and expression.operator == "|":
        left, right = _descendants(expression.left), _descendants(expression.right)
        return Union("|", left, right) if left is not None and right is not None else None
    if isinstance(expression, Path) and expression.start == Context() and isinstance(expression.steps[0], Step):
        first = _descendant(expression.steps[0])
        return Path(Context(), (first, *expression.steps[1:])) if first is not None else None
    return None
