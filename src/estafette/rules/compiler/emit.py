"""Expressions written as Python, with the types that can be known before running."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from hashlib import blake2b

from estafette.rules.compiler import calls, compare, paths
from estafette.rules.compiler.analysis import Needs, heavy, lowered, needs
from estafette.rules.compiler.code import (
    Code,
    Scope,
    as_list,
    atomized,
    optional,
    ordered,
    quoted,
    truth,
    value,
)
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
    Union,
    UnsupportedError,
    Variable,
)
from estafette.rules.compiler.xpath import CURRENT

LITERALS = {str: "str", int: "int", Decimal: "dec", float: "dbl"}
TYPES = {
    "xs:string": "str",
    "xs:boolean": "bool",
    "xs:decimal": "dec",
    "xs:integer": "int",
    "xs:int": "int",
    "xs:double": "dbl",
    "xs:float": "dbl",
    "xs:number": "dbl",
    "xs:date": "date",
    "xs:anyAtomicType": "item",
    "item()": "item",
    "element()": "node",
    "node()": "node",
    "attribute()": "node",
    "document-node()": "node",
}


class Emitter:
    """Writes expressions; keeps the functions that they call: hoisted parts, variables, functions of the sheet."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.globals: dict[str, Code] = {}
        self.functions: dict[str, tuple[str, tuple[str, ...], str, bool]] = {}
        self.made: dict[str, Code] = {}
        self.count = 0
        self.constants: dict[tuple[str, ...], str] = {}
        self.texts: dict[str, str] = {}

    def fresh(self, prefix: str = "x") -> str:
        """Return a name not yet used."""
        self.count += 1
        return f"{prefix}{self.count}"

    def constant_set(self, items: tuple[str, ...]) -> str:
        """Return the name of a constant set of texts."""
        name = self.constants.get(items)
        if name is None:
            name = self.constants[items] = self.fresh("K")
            self.lines.append(f"{name} = frozenset({sorted(set(items))!r})")
        return name

    def constant_text(self, text: str) -> str:
        """Return the name of a constant text, written once however often it is used."""
        name = self.texts.get(text)
        if name is None:
            name = self.texts[text] = self.fresh("K")
            self.lines.append(f"{name} = {text!r}")
        return name

    def emit(self, expression: Expression, scope: Scope) -> Code:
        """Write an expression, or the call of what was already computed for the document."""
        hoisted = self._hoisted(expression, scope)
        return hoisted if hoisted is not None else self.plain(expression, scope)

    def plain(self, expression: Expression, scope: Scope) -> Code:
        """Write an expression where it stands."""
        return _WRITERS[type(expression)](self, expression, scope)

    # -- computed once per document, or once per ancestor -------------------------------------------------------------

    def _hoisted(self, expression: Expression, scope: Scope) -> Code | None:
        if not heavy(expression):
            return None
        need = needs(expression)
        if need.position:
            return None
        if need.variables - self.globals.keys():
            return self._per_value(expression, need, scope)
        if not need.context:
            return self._once(expression, need)
        if need.lift and scope.kind == "node" and scope.node:
            return self._per_ancestor(expression, need, scope)
        return None

    def _once(self, expression: Expression, need: Needs) -> Code:
        """Return the call of an expression that is the same wherever it stands in the document."""
        key = f"{expression!r}"
        if key not in self.made:
            code = self.plain(expression, Scope())
            name = self.fresh("h")
            memo = "STATIC" if need.resource and not need.root else "D.memo"
            self._memoized(name, "D", repr(_digest(key)), memo, code)
            self.made[key] = _called(code, f"{name}(D)")
        return self.made[key]

    def _per_ancestor(self, expression: Expression, need: Needs, scope: Scope) -> Code:
        """Return the call of an expression that depends only on an ancestor of the context."""
        base = lowered(expression, need.lift)
        key = f"lift {base!r}"
        if key not in self.made:
            code = self.plain(base, Scope(node="n"))
            name = self.fresh("p")
            self._memoized(name, "n, D", f"({_digest(key)!r}, n)", "D.memo", code)
            self.made[key] = _called(code, f"{name}(%s, D)")
        code = self.made[key]
        return _called(code, code.source % (scope.node + ".parent" * need.lift))

    def _per_value(self, expression: Expression, need: Needs, scope: Scope) -> Code | None:
        """Return the call of an expression that depends only on an ancestor and on values that are already there."""
        bound = {name: scope.variables.get(name) for name in sorted(need.variables - self.globals.keys())}
        codes = [code for code in bound.values() if code is not None and _is_plain_value(code)]
        if len(codes) < len(bound) or (need.context and not (need.lift and scope.kind == "node" and scope.node)):
            return None
        base = lowered(expression, need.lift) if need.context else expression
        kinds = [(name, code.kind, code.many) for name, code in zip(bound, codes, strict=True)]
        key = f"values {kinds!r} {need.context} {base!r}"
        if key not in self.made:
            names = [self.fresh("a") for _ in codes]
            inner = {
                name: Code(item, code.kind, code.many) for name, item, code in zip(bound, names, codes, strict=True)
            }
            code = self.plain(base, Scope(node="n" if need.context else "", variables=inner))
            function = self.fresh("q")
            parameters = ["n", *names] if need.context else names
            memo_key = f"({', '.join([repr(_digest(key)), *parameters])})"
            self._memoized(function, ", ".join([*parameters, "D"]), memo_key, "D.memo", code)
            self.made[key] = _called(code, function)
        arguments = [code.source for code in codes]
        if need.context:
            arguments.insert(0, scope.node + ".parent" * need.lift)
        code = self.made[key]
        return _called(code, f"{code.source}({', '.join([*arguments, 'D'])})")

    def _memoized(self, name: str, parameters: str, key: str, memo: str, code: Code) -> None:
        self.lines += [
            f"def {name}({parameters}):",
            f"    m = {memo}",
            f"    k = {key}",
            "    if k in m:",
            "        return m[k]",
            f"    v = m[k] = {value(code)}",
            "    return v",
        ]

    def variable(self, name: str, expression: Expression, scope: Scope) -> Code:
        """Write the variable of a rule as a function, computed once for each node of the rule."""
        del name
        code = self.emit(expression, scope)
        function = self.fresh("v")
        self._memoized(function, "n, D", f"({_digest(function + repr(expression))!r}, n)", "D.memo", code)
        return _called(code, f"{function}({scope.rule}, D)")

    def global_variable(self, name: str, expression: Expression) -> None:
        """Write a variable of the sheet, computed once for the document when first needed."""
        code = self.emit(expression, Scope(node="D", rule="D"))
        function = self.fresh("g")
        self._memoized(function, "D", repr(_digest(function + repr(expression))), "D.memo", code)
        self.globals[name] = _called(code, f"{function}(D)")

    # -- each kind of expression --------------------------------------------------------------------------------------

    def _literal(self, expression: Literal, _scope: Scope) -> Code:
        kind = LITERALS[type(expression.value)]
        if kind == "dec":
            name = self.fresh("K")
            self.lines.append(f"{name} = Decimal({str(expression.value)!r})")
            return Code(name, "dec")
        constant = (expression.value,) if isinstance(expression.value, str) else None
        return Code(quoted(expression.value), kind, constant=constant)

    def _variable(self, expression: Variable, scope: Scope) -> Code:
        if expression.name == CURRENT:
            if not scope.rule:
                raise UnsupportedError("current() outside a rule")
            return Code(scope.rule, "node")
        code = scope.variables.get(expression.name) or self.globals.get(expression.name)
        if code is None:
            raise UnsupportedError(f"variable ${expression.name} is not declared")
        return code

    def _context(self, _expression: Context, scope: Scope) -> Code:
        if not scope.node:
            raise UnsupportedError("no context item here")
        return Code(scope.node, scope.kind)

    def _root(self, _expression: Root, _scope: Scope) -> Code:
        return Code("D", "node")

    def _filter(self, expression: Filter, scope: Scope) -> Code:
        return paths.filtered(self, expression, scope)

    def _path(self, expression: Path, scope: Scope) -> Code:
        return paths.path(self, expression, scope)

    def _union(self, expression: Union, scope: Scope) -> Code:
        left, right = self.emit(expression.left, scope), self.emit(expression.right, scope)
        if left.kind != "node" or right.kind != "node":
            raise UnsupportedError("union of what are not nodes")
        function = {"|": "union", "intersect": "intersect", "except": "excepted"}[expression.operator]
        source = f"{function}({as_list(ordered(left))}, {as_list(ordered(right))})"
        either = f"({truth(left)} or {truth(right)})" if function == "union" else ""
        return Code(source, "node", "many", flat=False, exists=either)

    def _operation(self, expression: Operation, scope: Scope) -> Code:
        operator = expression.operator
        left, right = self.emit(expression.left, scope), self.emit(expression.right, scope)
        if operator in {"and", "or"}:
            return Code(f"({truth(left)} {operator} {truth(right)})", "truth")
        if operator in compare.GENERAL:
            return compare.general(self, operator, left, right)
        if operator in compare.VALUE:
            return compare.single(operator, left, right)
        if operator == "to":
            low, high = compare.cast("int", optional(left)), compare.cast("int", optional(right))
            return Code(f"integers({low.source}, {high.source})", "int", "many")
        if operator in compare.ARITHMETIC:
            return compare.arithmetic(operator, left, right)
        raise UnsupportedError(f"operator {operator}")

    def _negate(self, expression: Negate, scope: Scope) -> Code:
        code = compare.numeric(optional(self.emit(expression.operand, scope)))
        return Code(f"negate({code.source})", code.kind, code.many)

    def _call(self, expression: Call, scope: Scope) -> Code:
        if expression.name.startswith("{"):
            return self._own_function(expression, scope)
        return calls.call(self, expression, scope)

    def _sequence(self, expression: Sequence, scope: Scope) -> Code:
        codes = [self.emit(item, scope) for item in expression.items]
        if not codes:
            return Code("EMPTY", "item", "many")
        if len(codes) == 1:
            return codes[0]
        kinds = {code.kind for code in codes}
        joined = ", ".join("*" + as_list(_typed(code, kinds)) for code in codes)
        kind = kinds.pop() if len(kinds) == 1 else "item"
        constants = [code.constant for code in codes]
        constant = tuple(c[0] for c in constants if c) if all(constants) else None
        if constant is not None:
            return Code(repr(constant), "str", "many", constant=constant)
        return Code(f"[{joined}]", "bool" if kind == "truth" else kind, "many", flat=False, raw=True)

    def _if(self, expression: If, scope: Scope) -> Code:
        condition = truth(self.emit(expression.condition, scope))
        then, otherwise = self.emit(expression.then, scope), self.emit(expression.otherwise, scope)
        kinds = {then.kind, otherwise.kind}
        if kinds <= {"bool", "truth"} and then.many == otherwise.many == "one":
            return Code(f"({value(then)} if {condition} else {value(otherwise)})", "bool")
        then, otherwise = _typed(ordered(then), kinds), _typed(ordered(otherwise), kinds)
        kind = _common(kinds)
        if then.many == otherwise.many == "one":
            return Code(f"({value(then)} if {condition} else {value(otherwise)})", kind)
        source = f"({as_list(then)} if {condition} else {as_list(otherwise)})"
        return Code(source, kind, "many", flat=False, raw=True)

    def _for(self, expression: For, scope: Scope) -> Code:
        if expression.single:
            return self._let(expression, scope)
        loops, inner = self.bindings(expression.bindings, scope)
        body = self.emit(expression.body, inner)
        if body.many == "one":
            source = f"[{value(body)} {loops}]"
        else:
            item = self.fresh()
            source = f"[{item} {loops} for {item} in {as_list(body)}]"
        kind = "bool" if body.kind == "truth" else body.kind
        return Code(source, kind, "many", flat=False, raw=True)

    def bindings(self, bindings: tuple[tuple[str, Expression], ...], scope: Scope) -> tuple[str, Scope]:
        """Return the clauses of a comprehension over bindings, and the scope inside."""
        clauses = []
        for name, expression in bindings:
            code = self.emit(expression, scope)
            item = self.fresh()
            clauses.append(f"for {item} in {as_list(code)}")
            scope = scope.bind(name, Code(item, "bool" if code.kind == "truth" else code.kind))
        return " ".join(clauses), scope

    def _let(self, expression: For, scope: Scope) -> Code:
        """Bind a value that is computed only if asked for, once."""
        (name, bound), *others = expression.bindings
        body: Expression = For(tuple(others), expression.body, single=True) if others else expression.body
        code = self.emit(bound, scope)
        item = self.fresh("l")
        inner = self.emit(body, scope.bind(name, _called(code, f"{item}()")))
        source = f"(lambda {item}: {value(inner)})(later(lambda: {value(code)}))"
        return _called(inner, source)

    def _quantified(self, expression: Quantified, scope: Scope) -> Code:
        loops, inner = self.bindings(expression.bindings, scope)
        body = truth(self.emit(expression.body, inner))
        return Code(f"{'all' if expression.every else 'any'}({body} {loops})", "bool")

    def _castable(self, expression: Castable, scope: Scope) -> Code:
        kind = TYPES.get(expression.type)
        code = atomized(self.emit(expression.operand, scope))
        if kind == "str":
            return Code("True", "bool")
        if kind not in {"dec", "dbl", "int", "bool", "date"}:
            raise UnsupportedError(f"castable as {expression.type}")
        return Code(f"castable({kind!r}, {as_list(code)}, {expression.optional})", "bool")

    # -- functions of the sheet ---------------------------------------------------------------------------------------

    def function(self, name: str, parameters: tuple[tuple[str, str], ...], returns: str, body: Expression) -> None:
        """Write a function of the sheet; one that depends on its texts and numbers alone remembers its results."""
        function = self.fresh("f")
        kinds = tuple(kind for _, kind in parameters)
        names = [self.fresh("a") for _ in parameters]
        scope = Scope()
        for (parameter, declared), item in zip(parameters, names, strict=True):
            kind, many = declared_type(declared)
            scope = scope.bind(parameter, Code(item, kind, many))
        pure = is_pure(body, self) and all(declared_type(kind)[0] not in {"node", "item"} for kind in kinds)
        self.functions[name] = (function, kinds, returns, pure)
        result = converted(self.emit(body, scope), returns, name)
        self.lines += [
            f"def {function}({', '.join([*names] if pure else [*names, 'D'])}):",
            f"    return {result.source}",
        ]
        if pure:
            self.lines.append(f"{function} = remembered({function})")

    def _own_function(self, expression: Call, scope: Scope) -> Code:
        known = self.functions.get(expression.name)
        if known is None:
            raise UnsupportedError(f"function {expression.name} is not known")
        function, kinds, returns, pure = known
        if len(kinds) != len(expression.arguments):
            raise UnsupportedError(f"function {expression.name} with {len(expression.arguments)} arguments")
        arguments = [
            converted(self.emit(argument, scope), kind, expression.name).source
            for argument, kind in zip(expression.arguments, kinds, strict=True)
        ]
        kind, many = declared_type(returns)
        return Code(f"{function}({', '.join(arguments if pure else [*arguments, 'D'])})", kind, many)


_WRITERS: dict[type, Callable[..., Code]] = {
    Literal: Emitter._literal,
    Variable: Emitter._variable,
    Context: Emitter._context,
    Root: Emitter._root,
    Path: Emitter._path,
    Filter: Emitter._filter,
    Union: Emitter._union,
    Operation: Emitter._operation,
    Negate: Emitter._negate,
    Call: Emitter._call,
    Sequence: Emitter._sequence,
    If: Emitter._if,
    For: Emitter._for,
    Quantified: Emitter._quantified,
    Castable: Emitter._castable,
}


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=9).hexdigest()


def _is_plain_value(code: Code) -> bool:
    """Say whether a value is in a local name, and equal to another only where nothing can tell them apart."""
    return (
        code.kind in {"dec", "int", "str", "untyped", "date", "bool"}
        and code.many != "many"
        and (code.source.isidentifier())
    )


def _called(code: Code, source: str) -> Code:
    """Return what a call gives, knowing what the called expression gives."""
    kind = "bool" if code.kind == "truth" else code.kind
    return Code(source, kind, code.many, code.ordered, code.unique, code.flat, constant=code.constant, raw=code.raw)


def _common(kinds: set[str]) -> str:
    kinds = {"bool" if kind == "truth" else kind for kind in kinds}
    if len(kinds) == 1:
        return kinds.pop()
    return "dec" if kinds == {"int", "dec"} else "item"


def _typed(code: Code, kinds: set[str]) -> Code:
    """Return a value that keeps its type when it is mixed with values of others."""
    if _common(kinds) == "item" and code.kind == "untyped":
        return Code(f"untyped({as_list(code)})", "item", "many")
    return code


def declared_type(declared: str) -> tuple[str, str]:
    """Return kind and number of a sequence type; optional nodes are lists."""
    base, occurrence = (declared[:-1], declared[-1]) if declared[-1:] in {"?", "*", "+"} else (declared, "")
    base = base.strip()
    if base.startswith(("element(", "attribute(", "document-node(")):
        base = base.partition("(")[0] + "()"
    kind = TYPES.get(base)
    if kind is None:
        raise UnsupportedError(f"type {declared}")
    if kind in {"node", "item"}:
        return kind, "many"
    return kind, {"": "one", "?": "opt"}.get(occurrence, "many")


def converted(code: Code, declared: str, where: str) -> Code:
    """Apply the conversion rules of a function call: atomize, cast the untyped, check how many."""
    kind, many = declared_type(declared)
    if kind in {"node", "item"}:
        if kind == "node" and code.kind not in {"node", "item"}:
            raise UnsupportedError(f"{where}: nodes expected")
        source = as_list(_typed(code, {code.kind, "item"})) if kind == "item" else as_list(code)
        if not declared.endswith(("*", "?", "+")):
            source = f"({source})"
        return Code(source, kind, "many")
    code = atomized(code)
    if many == "many":
        cast = compare.cast(kind, Code("x", code.kind))
        return Code(f"[{cast.source} for x in {as_list(code)}]", kind, "many")
    code = compare.cast(kind, optional(code))
    if many == "one" and code.many == "opt":
        return Code(f"present({code.source})", kind)
    return code


def is_pure(body: Expression, emitter: Emitter) -> bool:
    """Say whether a function depends on its parameters alone."""
    need = needs(body)
    if need.root or need.resource or need.context or need.variables & emitter.globals.keys():
        return False
    return all(emitter.functions.get(name, ("", (), "", False))[3] for name in need.functions)


__all__ = ["Each", "Emitter"]
