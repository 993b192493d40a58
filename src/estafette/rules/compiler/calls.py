"""The functions of XPath, each written for the types of its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from estafette.rules.compiler import compare
from estafette.rules.compiler.code import (
    TEXTUAL,
    Code,
    Scope,
    as_list,
    atomized,
    optional,
    ordered,
    quoted,
    string,
    text,
    truth,
    unique,
)
from estafette.rules.compiler.syntax import Call, Context, Expression, Literal, UnsupportedError

if TYPE_CHECKING:
    from estafette.rules.compiler.emit import Emitter

Writer = Callable[["Emitter", list[Code], Call, Scope], Code]
CASTS = {
    "xs:decimal": "dec",
    "xs:double": "dbl",
    "xs:float": "dbl",
    "xs:integer": "int",
    "xs:int": "int",
    "xs:nonNegativeInteger": "int",
    "xs:boolean": "bool",
    "xs:date": "date",
}


def call(emitter: Emitter, expression: Call, scope: Scope) -> Code:
    """Write a call, with the context item where the function takes it by default."""
    name, arguments = expression.name, expression.arguments
    if name == "index":
        return _index(emitter, arguments, scope)
    if not arguments and name in DEFAULTED:
        arguments = (Context(),)
    codes = [emitter.emit(argument, scope) for argument in arguments]
    if name in CASTS:
        return compare.cast(CASTS[name], optional(codes[0]))
    writer = WRITERS.get(name)
    if writer is None:
        raise UnsupportedError(f"function {name}()")
    try:
        return writer(emitter, codes, expression, scope)
    except (IndexError, ValueError) as error:
        raise UnsupportedError(f"function {name}() with {len(codes)} arguments") from error


DEFAULTED = {
    "string",
    "normalize-space",
    "string-length",
    "number",
    "name",
    "local-name",
    "namespace-uri",
    "data",
}


def _index(emitter: Emitter, arguments: tuple[Expression, ...], scope: Scope) -> Code:
    """The table behind a join: nodes by the values of their key."""
    nodes = emitter.plain(arguments[0], scope)
    key = atomized(emitter.emit(arguments[1], Scope(node="x")))
    return Code(f"index({as_list(ordered(nodes))}, lambda x: {as_list(key)})", "index")


def _not(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    return Code(f"(not {truth(codes[0])})", "bool")


def _boolean(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    return Code(truth(codes[0]), "truth")


def _exists(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    code = codes[0]
    if code.kind == "node":
        return Code(truth(code), "truth")
    return Code(as_list(code) if code.many != "one" else "True", "truth")


def _empty(_e: Emitter, codes: list[Code], call: Call, scope: Scope) -> Code:
    return Code(f"(not {_exists(_e, codes, call, scope).source})", "bool")


def _count(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    return Code(f"len({as_list(unique(codes[0]))})", "int")


def _constant(source: str, kind: str) -> Writer:
    def write(_e: Emitter, _codes: list[Code], _c: Call, _s: Scope) -> Code:
        return Code(source, kind)

    return write


def _position(_e: Emitter, _codes: list[Code], call: Call, scope: Scope) -> Code:
    source = scope.position if call.name == "position" else scope.size
    if not source:
        raise UnsupportedError(f"{call.name}() here")
    return Code(source, "int")


def _string(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    return Code(string(codes[0]), "str")


def _data(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    return atomized(codes[0])


def _texts(function: str, kind: str, least: int, most: int) -> Writer:
    """A function of texts only."""

    def write(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
        if not least <= len(codes) <= most:
            raise ValueError
        return Code(f"{function}({', '.join(text(code) for code in codes)})", kind)

    return write


def _method(template: str, kind: str, *, second: bool = False) -> Writer:
    def write(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
        if len(codes) != 1 + second:
            raise ValueError
        return Code(template.format(*(text(code) for code in codes)), kind)

    return write


def _tokenize(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    if not 1 <= len(codes) <= 3:
        raise ValueError
    if len(codes) == 2 and codes[0].constant and codes[1].constant == (r"\s+",):
        pieces = tuple(codes[0].constant[0].split())
        return Code(repr(pieces), "str", "many", constant=pieces)
    return Code(f"tokenize({', '.join(text(code) for code in codes)})", "str", "many")


def _substring(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    numbers = [optional(code) for code in codes[1:]]
    numbers = [compare.cast("dbl", code) if code.kind == "untyped" else code for code in numbers]
    if not numbers:
        raise ValueError
    return Code(f"substring({text(codes[0])}, {', '.join(f'present({code.source})' for code in numbers)})", "str")


def _concat(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    return Code(f"({' + '.join(string(code) for code in codes)})", "str")


def _string_join(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    separator = text(codes[1]) if len(codes) > 1 else "''"
    return Code(f"joined({as_list(atomized(ordered(codes[0])))}, {separator})", "str")


def _number(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    code = optional(codes[0])
    if code.kind in TEXTUAL:
        return Code(f"number({code.source})", "dbl")
    if code.many == "one" and code.kind != "item":
        return compare.cast("dbl", code)
    return Code(f"number(text_of({code.source}))", "dbl")


def _sum(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    code = atomized(ordered(codes[0]))
    if len(codes) > 1:
        raise ValueError
    if code.kind in {"int", "dec"}:
        return Code(f"sum({as_list(code)})", code.kind)
    if code.kind in {"untyped", "dbl"}:
        values = compare.cast("dbl", Code(as_list(code), code.kind, "many"))
        return Code(f"sum_doubles({values.source})", "dbl")
    return Code(f"sum_items({as_list(code)})", "item")


def _extreme(_e: Emitter, codes: list[Code], call: Call, _s: Scope) -> Code:
    code = atomized(codes[0])
    if code.kind in {"int", "dec", "str", "date"}:
        return Code(f"extreme({as_list(code)}, {call.name == 'max'})", code.kind, "opt")
    values = compare.cast("dbl", Code(as_list(code), code.kind, "many")) if code.kind == "untyped" else code
    return Code(f"extreme({as_list(values)}, {call.name == 'max'})", "dbl" if code.kind != "item" else "item", "opt")


def _average(_e: Emitter, _codes: list[Code], _c: Call, _s: Scope) -> Code:
    raise UnsupportedError("function avg()")


def _numeric(function: str) -> Writer:
    def write(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
        code = compare.numeric(optional(codes[0]))
        if function == "rounded" and len(codes) == 2:
            digits = optional(codes[1])
            return Code(f"rounded({code.source}, {digits.source})", code.kind, code.many)
        if function == "rounded" and code.kind == "int":
            return code
        return Code(f"{function}({code.source})", code.kind, code.many)

    return write


def _distinct(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    code = atomized(ordered(codes[0]))
    return Code(f"distinct_values({as_list(code)})", code.kind, "many")


def _name(function: str) -> Writer:
    def write(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
        code = codes[0]
        if code.kind not in {"node", "item"}:
            raise UnsupportedError(f"{function} of what is no node")
        if code.many == "one":
            return Code(f"{function}({code.source})", "str")
        return Code(f"''.join([{function}(x) for x in listed(only({as_list(code)}))])", "str")

    return write


def _ends_with(emitter: Emitter, codes: list[Code], call: Call, scope: Scope) -> Code:
    """`ends-with(name(), 'Amount')` asks nothing of the prefix: the local name answers, and is at hand."""
    first, second = call.arguments
    of_context = first in {Call("name"), Call("name", (Context(),))} and scope.kind == "node"
    if of_context and isinstance(second, Literal) and isinstance(second.value, str) and ":" not in second.value:
        return Code(f"local_name({scope.node}).endswith({quoted(second.value)})", "bool")
    return _method("{0}.endswith({1})", "bool", second=True)(emitter, codes, call, scope)


def _contains(emitter: Emitter, codes: list[Code], call: Call, scope: Scope) -> Code:
    """`contains(' A B C ', concat(' ', x, ' '))` asks whether x is one of the codes."""
    first, second = call.arguments
    if isinstance(first, Literal) and isinstance(second, Call) and second.name == "concat":
        inner = second.arguments
        codes_text = str(first.value)
        if len(inner) == 3 and inner[0] == inner[2] == Literal(" ") and codes_text[:1] == codes_text[-1:] == " ":
            words = emitter.constant_set(tuple(codes_text.split(" ")))
            searched = string(emitter.emit(inner[1], scope))
            return Code(f"in_list({searched}, {words}, {emitter.constant_text(codes_text)})", "bool")
    return _method("({1} in {0})", "bool", second=True)(emitter, codes, call, scope)


def _document(_e: Emitter, _codes: list[Code], call: Call, _s: Scope) -> Code:
    first = call.arguments[0]
    if not isinstance(first, Literal) or not isinstance(first.value, str):
        raise UnsupportedError("document() of a name that is no constant")
    return Code(f"resource({first.value!r})", "node")


def _index_of(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    values, wanted = atomized(codes[0]), optional(codes[1])
    return Code(f"positions({as_list(values)}, {wanted.source})", "int", "many")


def _subsequence(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    code = ordered(codes[0])
    rest = ", ".join(optional(other).source for other in codes[1:])
    return Code(f"subsequence({as_list(code)}, {rest})", code.kind, "many", True, True, code.flat)


def _reverse(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    code = ordered(codes[0])
    return Code(f"{as_list(code)}[::-1]", code.kind, "many", False, True, code.flat)


def _codepoints(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    return Code(f"[ord(x) for x in {text(codes[0])}]", "int", "many")


def _from_codepoints(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
    return Code(f"''.join([chr(x) for x in {as_list(atomized(codes[0]))}])", "str")


def _cardinal(least: int, most: int | None) -> Writer:
    def write(_e: Emitter, codes: list[Code], _c: Call, _s: Scope) -> Code:
        code = codes[0]
        if code.kind == "node" or most is None:
            return code
        one = optional(code)
        return Code(f"present({one.source})", one.kind) if least else one

    return write


WRITERS: dict[str, Writer] = {
    "not": _not,
    "boolean": _boolean,
    "exists": _exists,
    "empty": _empty,
    "count": _count,
    "true": _constant("True", "bool"),
    "false": _constant("False", "bool"),
    "position": _position,
    "last": _position,
    "string": _string,
    "xs:string": _string,
    "data": _data,
    "normalize-space": _texts("trimmed", "str", 1, 1),
    "string-length": _texts("len", "int", 1, 1),
    "upper-case": _method("{0}.upper()", "str"),
    "lower-case": _method("{0}.lower()", "str"),
    "contains": _contains,
    "starts-with": _method("{0}.startswith({1})", "bool", second=True),
    "ends-with": _ends_with,
    "substring": _substring,
    "substring-before": _texts("before", "str", 2, 2),
    "substring-after": _texts("after", "str", 2, 2),
    "translate": _texts("translate", "str", 3, 3),
    "matches": _texts("matches", "bool", 2, 3),
    "replace": _texts("replace", "str", 3, 4),
    "tokenize": _tokenize,
    "concat": _concat,
    "string-join": _string_join,
    "number": _number,
    "sum": _sum,
    "min": _extreme,
    "max": _extreme,
    "avg": _average,
    "round": _numeric("rounded"),
    "floor": _numeric("floor"),
    "ceiling": _numeric("ceiling"),
    "abs": _numeric("absolute"),
    "distinct-values": _distinct,
    "name": _name("name_of"),
    "local-name": _name("local_name"),
    "namespace-uri": _name("namespace"),
    "doc": _document,
    "index-of": _index_of,
    "subsequence": _subsequence,
    "reverse": _reverse,
    "string-to-codepoints": _codepoints,
    "codepoints-to-string": _from_codepoints,
    "exactly-one": _cardinal(1, 1),
    "zero-or-one": _cardinal(0, 1),
    "one-or-more": _cardinal(1, None),
}
