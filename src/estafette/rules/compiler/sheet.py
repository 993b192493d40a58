"""What a sheet says, whatever it was written in: patterns of rules, their assertions, variables and functions.

Three writings are read: Schematron itself (`.sch`), and the XSLT made from it by the ISO skeleton and by SchXslt.
A rule applies to the nodes that its context matches, unless an earlier rule of the same pattern took them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from estafette.rules.compiler.syntax import Call, Expression, For, If, Literal, Sequence, UnsupportedError
from estafette.rules.compiler.xpath import Names, parse

XSL = "{http://www.w3.org/1999/XSL/Transform}"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
INCLUDES_DEPTH_MAX = 5
SCH = "{http://purl.oclc.org/dsdl/schematron}"


@dataclass(slots=True)
class Assertion:
    """One test; `report` when it speaks if true. `message` alternates texts and expressions."""

    id: str
    flag: str
    test: Expression
    report: bool
    message: tuple[str | Expression, ...]
    source: str


@dataclass(slots=True)
class Rule:
    """A context, written as an XSLT pattern, with its variables and assertions."""

    context: Expression
    variables: list[tuple[str, Expression]]
    assertions: list[Assertion]
    source: str
    priority: float = 0


@dataclass(slots=True)
class Function:
    """A function of the sheet: parameters with their declared types, the declared type of the result, the body."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    returns: str
    body: Expression


@dataclass(slots=True)
class Sheet:
    """Everything that a sheet says."""

    patterns: list[list[Rule]] = field(default_factory=list)
    variables: list[tuple[str, Expression]] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)


def read_sheet(data: bytes, include: Callable[[str], bytes] | None = None) -> Sheet:
    """Read a sheet; raise `UnsupportedError` saying which assertion, rule or function is beyond the compiler."""
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        raise UnsupportedError(f"not XML: {error.msg}") from error
    if root.tag == SCH + "schema":
        return _Schematron(root, include).sheet()
    if root.tag in {XSL + "stylesheet", XSL + "transform"}:
        return _Stylesheet(root).sheet()
    raise UnsupportedError(f"neither Schematron nor XSLT: {root.tag}")


def flattened(data: bytes, include: Callable[[str], bytes]) -> bytes:
    """Return a Schematron with the files that it includes put in place."""
    try:
        root = etree.fromstring(data, _parser())
        put_in_place(root, include, 0)
    except etree.XMLSyntaxError as error:
        raise UnsupportedError(f"not XML: {error.msg}") from error
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_pis=True, huge_tree=True)


def put_in_place(root: etree._Element, include: Callable[[str], bytes] | None, depth: int) -> None:
    """Replace each call of a file by the root of that file."""
    for item in list(root.iter(SCH + "include")):
        href = item.get("href") or ""
        parent = item.getparent()
        if include is None or depth > INCLUDES_DEPTH_MAX or parent is None:
            raise UnsupportedError(f"include {href}")
        inner = etree.fromstring(include(href), _parser())
        put_in_place(inner, include, depth + 1)
        parent.replace(item, inner)


def _clean(text: str | None) -> str:
    return " ".join((text or "").split())


class _Reading:
    """What the three writings share: expressions read where they stand, functions, messages."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.functions = {self._qualified(item, item.get("name") or "") for item in root.iter(XSL + "function")}
        self.default = root.get("xpath-default-namespace") or ""

    def parse(self, text: str | None, at: etree._Element) -> Expression:
        prefixes = {prefix: uri for prefix, uri in at.nsmap.items() if prefix} | dict(self.declared())
        default = next(
            (value for item in (at, *at.iterancestors()) if (value := item.get("xpath-default-namespace"))),
            self.default,
        )
        return parse(text or "", Names(prefixes, default, sorted(self.functions)))

    def declared(self) -> Mapping[str, str]:
        return {}

    def _qualified(self, at: etree._Element, name: str) -> str:
        prefix, colon, local = name.partition(":")
        return f"{{{at.nsmap.get(prefix) or self.declared().get(prefix, '')}}}{local}" if colon else name

    def read_functions(self) -> list[Function]:
        return [self._function(item) for item in self.root.iter(XSL + "function")]

    def _function(self, item: etree._Element) -> Function:
        parameters = tuple((self._name(param), param.get("as") or "item()*") for param in item.findall(XSL + "param"))
        body = [child for child in item if isinstance(child.tag, str) and child.tag != XSL + "param"]
        try:
            expression = self._instructions(body)
        except UnsupportedError as error:
            raise UnsupportedError(f"function {item.get('name')}: {error}") from error
        return Function(
            self._qualified(item, item.get("name") or ""), parameters, item.get("as") or "item()*", expression
        )

    def _name(self, item: etree._Element) -> str:
        return self._qualified(item, item.get("name") or "")

    def _instructions(self, items: list[etree._Element]) -> Expression:
        """Turn the instructions of a function or variable into one expression."""
        made: list[Expression] = []
        for i, item in enumerate(items):
            if item.tag == XSL + "variable":
                rest = self._instructions(items[i + 1 :])
                made.append(For(((self._name(item), self._value(item)),), rest, single=True))
                break
            made.append(self._instruction(item))
        return made[0] if len(made) == 1 else Sequence(tuple(made))

    def _value(self, item: etree._Element) -> Expression:
        """Return what a variable is bound to, by its `select` or by its content."""
        declared = (item.get("as") or "").rstrip("?")
        if declared.startswith("xs:") and declared[-1] not in "*+" and declared != "xs:anyAtomicType":
            return Call(declared, (self._content_of(item),))
        return self._content_of(item)

    def _content_of(self, item: etree._Element) -> Expression:
        if item.get("select") is not None:
            return self.parse(item.get("select"), item)
        inner = [child for child in item if isinstance(child.tag, str)]
        if not inner:
            return Literal(item.text or "")
        content = self._instructions(inner)
        return content if item.get("as") else Call("string-join", (content, Literal("")))

    def _instruction(self, item: etree._Element) -> Expression:
        inner = [child for child in item if isinstance(child.tag, str)]
        match item.tag.removeprefix(XSL):
            case "sequence" | "copy-of":
                return self.parse(item.get("select"), item)
            case "value-of":
                return Call(
                    "string-join", (self.parse(item.get("select"), item), Literal(item.get("separator") or " "))
                )
            case "text":
                return Literal(item.text or "")
            case "if":
                return If(self.parse(item.get("test"), item), self._instructions(inner), Sequence())
            case "choose":
                return self._choice(inner)
        raise UnsupportedError(f"instruction {etree.QName(item).localname}")

    def _choice(self, branches: list[etree._Element]) -> Expression:
        if not branches:
            return Sequence()
        branch, inner = branches[0], [child for child in branches[0] if isinstance(child.tag, str)]
        content = self._instructions(inner) if inner else Literal(branch.text or "")
        if branch.tag == XSL + "otherwise":
            return content
        return If(self.parse(branch.get("test"), branch), content, self._choice(branches[1:]))

    def message(self, item: etree._Element | None) -> tuple[str | Expression, ...]:
        """Return the texts and expressions of a message; an expression beyond us is left out, never fatal."""
        pieces: list[str | Expression] = []
        if item is None:
            return ()
        pieces.append(item.text or "")
        for child in item:
            if isinstance(child.tag, str):
                pieces.extend(self._piece(child))
            pieces.append(child.tail or "")
        return tuple(piece for piece in pieces if piece != "")

    def _piece(self, child: etree._Element) -> tuple[str | Expression, ...]:
        local = etree.QName(child).localname
        try:
            if local == "value-of":
                return (self.parse(child.get("select"), child),)
            if local == "name":
                return (Call("name", (self.parse(child.get("path") or ".", child),)),)
        except UnsupportedError:
            return ("…",)
        return self.message(child)

    def assertion(self, test: str, report: bool, item: etree._Element, text: etree._Element | None) -> Assertion:
        known = self._attributes(item)
        source = _clean(test)
        try:
            expression = self.parse(test, item)
        except UnsupportedError as error:
            raise UnsupportedError(f"assertion {known.get('id') or source[:80]}: {error}") from error
        flag = known.get("flag") or known.get("role") or "fatal"
        return Assertion(known.get("id", ""), flag, expression, report, self.message(text), source)

    def _attributes(self, item: etree._Element) -> dict[str, str]:
        found = {str(name): str(value) for name, value in item.items()}
        for child in item.findall(XSL + "attribute"):
            found[child.get("name") or ""] = _clean("".join(str(text) for text in child.itertext()))
        return found

    def rule(self, context: str, item: etree._Element) -> Expression:
        try:
            return self.parse(context, item)
        except UnsupportedError as error:
            raise UnsupportedError(f"context {_clean(context)[:120]}: {error}") from error

    def variables(self, items: list[etree._Element], what: str) -> list[tuple[str, Expression]]:
        made = []
        for item in items:
            try:
                made.append((self._name(item), self._bound(item)))
            except UnsupportedError as error:
                raise UnsupportedError(f"{what} ${item.get('name')}: {error}") from error
        return made

    def _bound(self, item: etree._Element) -> Expression:
        if item.tag == SCH + "let":
            return self.parse(item.get("value"), item)
        return self._value(item)


class _Stylesheet(_Reading):
    """XSLT made by the ISO skeleton or by SchXslt."""

    def sheet(self) -> Sheet:
        groups: dict[str, list[Rule]] = {}
        for order, template in enumerate(self.root.iterfind(XSL + "template")):
            if template.get("match") is None or next(template.iter(SVRL + "fired-rule"), None) is None:
                continue
            rule = self._rule(template)
            if rule is not None:
                rule.priority = float(template.get("priority") or 0) + order * 1e-9
                groups.setdefault(self._group(template), []).append(rule)
        patterns = [sorted(rules, key=lambda rule: -rule.priority) for rules in groups.values()]
        if not patterns:
            raise UnsupportedError("no rule of Schematron in this XSLT")
        globals_ = [item for item in self.root.findall(XSL + "variable") if self._is_let(item)]
        return Sheet(patterns, self.variables(globals_, "variable"), self.read_functions(), dict(_prefixes(self.root)))

    def _is_let(self, item: etree._Element) -> bool:
        name = item.get("name") or ""
        return not name.startswith("schxslt:") and name != "document-uri" and "static" not in item.keys()  # noqa: SIM118

    def _group(self, template: etree._Element) -> str:
        """Return the pattern of a rule: the mode for the ISO skeleton, the identifier in its guard for SchXslt."""
        for when in template.iter(XSL + "when"):
            test = when.get("test") or ""
            if "schxslt:patterns-matched" in test:
                return test
        return template.get("mode") or ""

    def _rule(self, template: etree._Element) -> Rule | None:
        variables = [item for item in template.iter(XSL + "variable") if not self._inside_report(item)]
        assertions = []
        for item in template.iter(SVRL + "failed-assert", SVRL + "successful-report"):
            test, negated = self._test(item)
            report = item.tag == SVRL + "successful-report"
            assertion = self.assertion(test, report, item, item.find(SVRL + "text"))
            if negated:
                assertion.test = Call("not", (assertion.test,))
            assertions.append(assertion)
        context = template.get("match") or ""
        return Rule(self.rule(context, template), self.variables(variables, "variable"), assertions, _clean(context))

    def _inside_report(self, item: etree._Element) -> bool:
        name = item.get("name") or ""
        return name.startswith("schxslt:") or any(
            parent.tag in {SVRL + "failed-assert", SVRL + "successful-report"} for parent in item.iterancestors()
        )

    def _test(self, item: etree._Element) -> tuple[str, bool]:
        """Return the test that decides, and whether the assertion holds when it is false."""
        parent = item.getparent()
        if parent is not None and parent.tag == XSL + "otherwise":
            whens = list(parent.itersiblings(XSL + "when", preceding=True))
            return whens[0].get("test") or "", False
        if parent is not None and parent.tag == XSL + "if":
            return parent.get("test") or "", item.tag == SVRL + "failed-assert"
        raise UnsupportedError(f"assertion {item.get('id')}: not decided by a test")


def _prefixes(root: etree._Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in root.iter():
        for prefix, uri in item.nsmap.items():
            if prefix:
                found.setdefault(prefix, uri)
    return found


class _Schematron(_Reading):
    """Schematron as CEN, FNFE and AIFE write it: abstract patterns and rules, lets, includes."""

    def __init__(self, root: etree._Element, include: Callable[[str], bytes] | None) -> None:
        self.namespaces = {item.get("prefix") or "": item.get("uri") or "" for item in root.iter(SCH + "ns")}
        put_in_place(root, include, 0)
        self.namespaces |= {item.get("prefix") or "": item.get("uri") or "" for item in root.iter(SCH + "ns")}
        super().__init__(root)

    def declared(self) -> Mapping[str, str]:
        return self.namespaces

    def sheet(self) -> Sheet:
        lets = [*self.root.findall(SCH + "let"), *self.root.iterfind(f"{SCH}pattern/{SCH}let")]
        sheet = Sheet([], self.variables(lets, "let"), self.read_functions(), dict(self.namespaces))
        abstract = {item.get("id"): item for item in self.root.iter(SCH + "pattern") if item.get("abstract") == "true"}
        for pattern in self.root.iter(SCH + "pattern"):
            if pattern.get("abstract") == "true":
                continue
            sheet.patterns.append(self._pattern(self._instance(pattern, abstract)))
        if not sheet.patterns:
            raise UnsupportedError("no pattern in this Schematron")
        return sheet

    def _instance(self, pattern: etree._Element, abstract: Mapping[str | None, etree._Element]) -> etree._Element:
        """Return a pattern with the parameters of its instance written in its abstract one."""
        origin = pattern.get("is-a")
        if not origin:
            return pattern
        if origin not in abstract:
            raise UnsupportedError(f"abstract pattern {origin} is missing")
        text = etree.tostring(abstract[origin], encoding="unicode", with_tail=False)
        parameters = [(item.get("name") or "", item.get("value") or "") for item in pattern.iter(SCH + "param")]
        for name, value in sorted(parameters, key=lambda pair: -len(pair[0])):
            text = text.replace("$" + name, _escaped(value))
        return etree.fromstring(text)

    def _pattern(self, pattern: etree._Element) -> list[Rule]:
        shared = {item.get("id"): item for item in self.root.iter(SCH + "rule") if item.get("abstract") == "true"}
        shared |= {item.get("id"): item for item in pattern.iter(SCH + "rule") if item.get("abstract") == "true"}
        return [self._rule(rule, shared) for rule in pattern.findall(SCH + "rule") if rule.get("abstract") != "true"]

    def _rule(self, rule: etree._Element, shared: Mapping[str | None, etree._Element]) -> Rule:
        context = rule.get("context") or ""
        items = list(self._content(rule, shared))
        lets = [item for item in items if item.tag == SCH + "let"]
        assertions = [
            self.assertion(item.get("test") or "", item.tag == SCH + "report", item, item)
            for item in items
            if item.tag in {SCH + "assert", SCH + "report"}
        ]
        return Rule(self.rule(context, rule), self.variables(lets, "let"), assertions, _clean(context))

    def _content(self, rule: etree._Element, shared: Mapping[str | None, etree._Element]) -> Any:
        for item in rule:
            if item.tag == SCH + "extends" and item.get("rule") in shared:
                yield from self._content(shared[item.get("rule")], shared)
            elif item.tag == SCH + "extends":
                raise UnsupportedError(f"abstract rule {item.get('rule') or item.get('href')} is missing")
            else:
                yield item


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
