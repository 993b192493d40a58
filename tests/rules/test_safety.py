"""Compiling a user's pack cannot run code, and documents cannot exhaust us."""

import builtins
from collections.abc import Iterator
from random import Random
from types import CodeType

import pytest
from lxml import etree

from estafette.formats.xml import parse
from estafette.rules import semantics
from estafette.rules.catalogue import BUILT_IN
from estafette.rules.compiled import BUILTINS, compile_sheet, compiled, load
from estafette.rules.compiler.syntax import UnsupportedError
from estafette.rules.engine import asked, engine_of
from estafette.rules.plan import PLANS_MAX, Planner
from estafette.rules.tree import SHAPES_MAX, Forest, plant
from estafette.simulation.cii import cii
from estafette.simulation.documents import document
from estafette.simulation.invoices import invoice
from estafette.simulation.ubl import ubl
from estafette.values import limits

ATTRIBUTES = {"kids", "attrs", "get", "value", "parent", "memo", "join"}
ATTRIBUTES |= {"startswith", "endswith", "upper", "lower", "isdisjoint"}
EVIL = (
    "__import__('os').system('true')",
    '"+__import__("os").getcwd()+"',
    "'''\n import os\n'''",
    "\\'); import os; (\\'",
    "{0.__class__}",
    "%s%n",
    "D.__class__",
    "\u2028\x85 raise SystemExit",
)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _sheet(test: str, *, context: str = "*", identifier: str = "S-1", message: str = "m", let: str = "") -> bytes:
    schema = etree.Element("schema", nsmap={None: "http://purl.oclc.org/dsdl/schematron"})
    rule = etree.SubElement(etree.SubElement(schema, "pattern"), "rule", context=context)
    if let:
        etree.SubElement(rule, "let", name="v", value=let)
    etree.SubElement(rule, "assert", id=identifier, test=test).text = message
    data = etree.tostring(schema)
    return data.replace(b"<pattern", b'<pattern xmlns="http://purl.oclc.org/dsdl/schematron"')


@pytest.mark.parametrize("pack", BUILT_IN, ids=lambda pack: pack.coordinate)
def test_generated_code_names_only_what_the_compiler_gives(pack: object) -> None:
    """Every global name of the generated module is its own, of the semantics, or one of eight harmless builtins."""
    code, _ = compiled(pack.path.read_bytes())  # type: ignore[attr-defined]
    namespace = load(code, lambda _: b"<codedb/>")
    assert set(_names(code)) <= set(namespace) | set(BUILTINS) | ATTRIBUTES
    assert not {"open", "eval", "exec", "getattr", "__import__", "compile"} & set(namespace["__builtins__"])
    assert set(namespace["__builtins__"]) <= set(dir(builtins))


@pytest.mark.parametrize("text", EVIL)
def test_texts_of_a_pack_are_data(text: str) -> None:
    """Literals, identifiers, messages and names that look like code come out as texts."""
    literal = "'" + text.replace("'", "''") + "'"
    try:
        data = _sheet(f"not(. = {literal})", identifier=text.replace("\x85", ""), message=text.replace("\x85", ""))
        code, tables = compile_sheet(data)
    except (UnsupportedError, ValueError):
        return
    assert {"os", "system", "SystemExit"}.isdisjoint(_names(code))
    functions = load(code, lambda _: b"")
    planner = Planner(tables, functions)
    top = plant(etree.fromstring("<a>b</a>"))
    for _, (due, _) in planner.plan(frozenset(top.nodes)).plain:
        for test, _, _ in due:
            assert test(top.kids["a"][0], top)


def test_expressions_drawn_at_random_compile_or_are_refused_and_never_run_code() -> None:
    """A thousand mutated expressions: each compiles to names of ours only, or is refused with a reason."""
    chance = Random(11)  # noqa: S311 - a fuzz, not a secret
    seeds = [
        "not(a) or b/c[1] = 'x'", "every $x in //a satisfies $x/@y > 2", "sum(a/xs:decimal(b)) * 10 div 100",
        "matches(., '^[a-z]+$') and $v", "for $i in 1 to 3 return $i", "(a|b)/../c[last()]", "string-join(a, ',')",
    ]  # fmt: skip
    alphabet = [*"()[]/|$@.,*+-='\"<> ", "eval", "open", "__class__", "import", "lambda", "xs:", "::", "self", "D", "n"]
    known = (
        set(vars(semantics)) | set(BUILTINS) | {"children", "Decimal", "STATIC", "remembered", "resource", "truth_at"}
    )
    for _ in range(1000):
        text = list(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            text.insert(chance.randrange(len(text)), chance.choice(alphabet))
        try:
            code, _ = compile_sheet(_sheet("".join(text), let="a"))
        except UnsupportedError:
            continue
        free = {name for name in _names(code) if not name[-1].isdigit()}
        assert free <= known | ATTRIBUTES, "".join(text)


def test_invented_names_do_not_grow_without_bound() -> None:
    """A stream of documents with names of their own starts the shapes afresh past the limit, and plans are bounded."""
    forest = Forest()
    code, tables = compile_sheet(_sheet("true()"))
    planner = Planner(tables, load(code, lambda _: b""))
    for i in range(PLANS_MAX + 20):
        names = "".join(f"<n{i}_{j}/>" for j in range(100))
        planner.plan(frozenset(plant(etree.fromstring(f"<r>{names}</r>"), forest).nodes))
    assert forest.count <= SHAPES_MAX + 101
    assert len(planner.plans) <= PLANS_MAX


def test_a_long_number_is_malformed_and_not_slow() -> None:
    """Numbers past the bound are refused before they are converted."""
    with pytest.raises(semantics.DynamicError):
        semantics.to_decimal("9" * 1_000_000)
    with pytest.raises(semantics.DynamicError):
        semantics.integers(1, 10**12)
    with pytest.raises(semantics.DynamicError):
        semantics.matches("a", "(" * 6_000)


def test_work_at_the_limit_is_done_and_one_past_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of assertions asked of a document is bounded, and the refusal is a finding."""
    pack = next(pack for pack in BUILT_IN if pack.syntax == "CDAR")
    engine = engine_of(pack)
    top = plant(parse(document("cdar", 1)).getroot())
    work = asked(engine.planner.plan(frozenset(top.nodes), engine.planner.watched.facts_of(top)), top)
    monkeypatch.setattr(limits, "RULE_EVALUATIONS_MAX", work)
    assert not engine.judge(top)
    monkeypatch.setattr(limits, "RULE_EVALUATIONS_MAX", work - 1)
    assert [finding.id for finding in engine.judge(top)] == ["EST-LIMIT"]


def test_the_work_asked_of_an_invoice_is_linear_in_its_lines() -> None:
    """Twice as many lines ask at most twice as many assertions, in every pack."""
    for write, syntax in ((ubl, "UBL"), (cii, "CII")):
        for pack in (pack for pack in BUILT_IN if pack.judges(syntax, "EN16931")):
            works = []
            for lines in (200, 400):
                top = plant(parse(write(invoice(5, lines=lines, credit=False))).getroot())
                works.append(asked(engine_of(pack).planner.plan(frozenset(top.nodes)), top))
            assert works[1] <= 2 * works[0], pack.coordinate
