"""A whole sheet written as one Python module and the tables beside it: what is kept in the cache."""

from __future__ import annotations

from typing import Any

from estafette.rules.compiler.analysis import needs
from estafette.rules.compiler.code import Scope, string, truth
from estafette.rules.compiler.emit import Emitter
from estafette.rules.compiler.guard import guard
from estafette.rules.compiler.pattern import alternatives
from estafette.rules.compiler.sheet import Assertion, Rule, Sheet
from estafette.rules.compiler.syntax import Expression, UnsupportedError

Table = tuple[Any, ...]


def write_module(sheet: Sheet) -> tuple[str, Table]:
    """Return the source of the generated module, and its tables: for each pattern, its rules, in order of priority.

    A rule is (ways to match, assertions, source of the context); an assertion is (identifier, flag, report, guard,
    name of its test, pieces of its message, source of the test). Everything in the tables is text or number.
    """
    emitter = Emitter()
    _write_functions(emitter, sheet)
    for name, expression in sheet.variables:
        try:
            emitter.global_variable(name, expression)
        except UnsupportedError as error:
            raise UnsupportedError(f"variable ${name}: {error}") from error
    patterns = tuple(tuple(_rule(emitter, rule) for rule in pattern) for pattern in sheet.patterns)
    return "\n".join(emitter.lines) + "\n", patterns


def _write_functions(emitter: Emitter, sheet: Sheet) -> None:
    """Write the functions, those that others call first."""
    waiting = list(sheet.functions)
    names = {function.name for function in waiting}
    while waiting:
        ready = [
            function
            for function in waiting
            if not (needs(function.body).functions & names - {function.name} - emitter.functions.keys())
        ]
        for function in ready or waiting[:1]:
            try:
                emitter.function(function.name, function.parameters, function.returns, function.body)
            except UnsupportedError as error:
                raise UnsupportedError(f"function {function.name}: {error}") from error
            waiting.remove(function)


def _rule(emitter: Emitter, rule: Rule) -> Table:
    try:
        ways = tuple((way.links, way.anchored, way.by_shape, way.checks) for way in alternatives(emitter, rule.context))
    except UnsupportedError as error:
        raise UnsupportedError(f"context {rule.source[:120]}: {error}") from error
    scope = Scope(node="n", rule="n")
    bound: dict[str, Expression] = {}
    for name, expression in rule.variables:
        try:
            scope = scope.bind(name, emitter.variable(name, expression, scope))
        except UnsupportedError as error:
            raise UnsupportedError(f"variable ${name} of {rule.source[:120]}: {error}") from error
        bound[name] = expression
    return ways, tuple(_assertion(emitter, item, scope, bound) for item in rule.assertions), rule.source


def _assertion(emitter: Emitter, assertion: Assertion, scope: Scope, bound: dict[str, Expression]) -> Table:
    try:
        source = truth(emitter.emit(assertion.test, scope))
    except UnsupportedError as error:
        raise UnsupportedError(f"assertion {assertion.id or assertion.source[:80]}: {error}") from error
    name = emitter.fresh("t")
    emitter.lines += [f"def {name}(n, D):", f"    return {source}"]
    message = tuple(_piece(emitter, piece, scope) for piece in assertion.message)
    needed = guard(assertion.test, bound, assertion.report)
    return (assertion.id, assertion.flag, assertion.report, needed, name, message, assertion.source)


def _piece(emitter: Emitter, piece: str | Expression, scope: Scope) -> tuple[str, bool]:
    """Return a text of the message, or the name of the function that gives it."""
    if isinstance(piece, str):
        return piece, False
    try:
        code = emitter.emit(piece, scope)
        source = string(code) if code.many != "many" else f"joined(atoms({code.source}), ' ')"
    except UnsupportedError:
        return "…", False
    name = emitter.fresh("w")
    emitter.lines += [f"def {name}(n, D):", f"    return {source}"]
    return name, True
