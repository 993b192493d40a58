"""The semantics of XPath: each expression gives what SaxonC gives on the same document."""

from collections.abc import Callable
from decimal import localcontext

import pytest
from lxml import etree
from saxonche import PySaxonApiError, PySaxonProcessor

from estafette.rules.compiled import load
from estafette.rules.compiler.code import Scope, truth
from estafette.rules.compiler.emit import Emitter
from estafette.rules.compiler.syntax import UnsupportedError
from estafette.rules.compiler.xpath import Names, parse
from estafette.rules.semantics import EXACT, DynamicError
from estafette.rules.tree import plant

XML = """<r xmlns:p="urn:p"><a x="1">1.10</a><a x="2">2.2</a><b> deux  mots </b><c/><n>-2.5</n><n>0.125</n>
<d>2026-02-28</d><t>true</t><g><a>9</a><g><a>10</a><h y=" z "/></g></g><p:q>é</p:q><e>abc<f>d</f>e</e></r>"""

EXPRESSIONS = r"""
a = 1.1
a = '1.10'
a != 2.2
a = 'x'
not(a = 'x')
a > 2
a[2] > 10
a < '2'
z = 1
z != 1
not(z != 1)
xs:decimal(a[1]) + xs:decimal(a[2]) = 3.3
a[1] + a[2] = 3.3
xs:decimal(a[1]) * 3 = 3.3
0.1 + 0.2 = 0.3
1 div 3 = 0.333333333333333333
10 idiv 3 = 3
-10 idiv 3 = -3
-7 mod 3 = -1
5.5 mod 2 = 1.5
1 div 8 = 0.125
round(-2.5) = -2
round(2.5) = 3
round(n[1]) = -2
round(xs:decimal(n[1])) = -2
round(0.125 * 100) div 100 = 0.13
sum(a) = 3.3
sum(a/xs:decimal(.)) = 3.3
sum(z) = 0
count(a) = 2
count(//a) = 4
count(g//a) = 2
count(.//g) = 2
abs(n[1]) = 2.5
floor(-0.5) = -1
ceiling(-0.5) = 0
number(b) = number(b)
number('x') = 1
number(a[1]) = 1.1
normalize-space(b) = 'deux mots'
string-length(b) = 12
upper-case(b) = ' DEUX  MOTS '
contains(b, 'x  m')
starts-with(b, ' d')
ends-with(b, 'ts ')
substring(b, 2, 4) = 'deux'
substring(b, 0) = b
substring('12345', 1.5, 2.6) = '234'
substring-before(b, 'x') = ' deu'
substring-after(b, 'zz') = ''
substring-after('12.345', '.') = '345'
translate(b, ' d', '_') = '_eux__mots_'
concat(a[1], '-', 2) = '1.10-2'
string-join(a, '+') = '1.10+2.2'
string-join(//a/@x, ',') = '1,2'
string(1.50) = '1.5'
string(1e7) = '1.0E7'
string(0.00001) = '0.00001'
string(xs:double('1.5')) = '1.5'
string(100) = '100'
string(true()) = 'true'
matches(a[1], '^\d+\.\d{2}$')
matches('a b', '^\S+$')
matches(b, 'deux\s+mots')
matches('ab', '^[a-z-[b]]+$')
matches('É', '^\w$')
replace('a.b.c', '\.', '') = 'abc'
replace('abc', '(b)', '[$1]') = 'a[b]c'
tokenize('a,b,,c', ',')[3] = ''
count(tokenize('a b  c', '\s+')) = 3
every $x in a satisfies $x > 1
some $x in a satisfies $x > 2
every $x in z satisfies false()
(for $x in a return $x + 1)[1] = 2.1
if (c) then true() else false()
if (z) then true() else false()
exists(c)
empty(z)
boolean(c)
not(c)
t = true()
t = false()
a[1]
a[3]
a[last()] = 2.2
a[position() = 2] = 2.2
a[@x = '2'] = 2.2
a[@x][2]/@x = 2
(//a)[3] = 9
//a[1] = 9
(//a)[last()] = 10
g/g/a/../../a = 9
//h/ancestor::g[1]/a = 10
count(//h/ancestor::*) = 3
//h/parent::g/a = 10
//a[parent::g][1] = 9
//h/@y = ' z '
normalize-space(//h/@y) = 'z'
name(//h) = 'h'
local-name(*[last() - 1]) = 'q'
name(*[last() - 1]) = 'p:q'
*[self::b or self::c][2]/self::c
count(*) = 11
count(@*) = 0
count(a/@*) = 2
//*[ends-with(name(), 'q')] = 'é'
count(g/node()) = 2
c/preceding-sibling::a = 2.2
c/following-sibling::n[1] = -2.5
count(c/preceding::*) = 3
count(//h/preceding::a) = 4
d/following::a = 9
a | b
count((a, a)) = 4
(1, 2, 3) = 3
('a', 'b') = 'c'
count(1 to 5) = 5
(1 to 5)[. > 4] = 5
distinct-values((1, 1.0, 2)) = 2
count(distinct-values(('a', 'b', 'a'))) = 2
max(a) = 2.2
min((3, 1, 2)) = 1
index-of((5, 6), 6) = 2
xs:date(d) > xs:date('2026-02-27')
xs:date(d) = xs:date('2026-02-28')
d castable as xs:date
b castable as xs:decimal
a[1] castable as xs:decimal
a[1] eq '1.10'
z eq 1
string-length(a[1]) le 4
2 gt 1.5
xs:integer('7') = 7
xs:decimal('  7.50 ') = 7.5
-a[1] = -1.1
e = 'abcde'
e/text() = 'abc'
count(e/text()) = 2
string(e) = 'abcde'
string-length(string(.)) > 20
/r/a = 1.1
count(/) = 1
//a/text() = '9'
let $v := a[1] return $v = 1.1
a/(@x, .) = 2
a/@x/.. = 2.2
reverse((1, 2))[1] = 2
codepoints-to-string((65, 66)) = 'AB'
(a, b)[2] = 2.2
xs:decimal(0.1) = 0.1
xs:double('0.1') + 0.2 = 0.3
xs:decimal(xs:double('0.5')) = 0.5
xs:double('INF') > 1
1e0 = 1
0.1e0 = 0.1
b/normalize-space(.) = 'deux mots'
g/a/xs:decimal(.) = 9
a/number(.) = 2.2
sum(for $x in a return $x * 2) = 6.6
not(//@nope)
//@y
count(//@x) = 2
xs:decimal(b) = 1
a = 'x' or xs:decimal(b) = 1
a + 1 = 2
string(a) = 'x'
substring(a, 1, 1) = '1'
xs:date(b) = xs:date(d)
1 div 0 = 1
t + 1 = 2
count(a | b | a) = 3
(a | b)[1] = 1.1
"""


@pytest.fixture(scope="module")
def saxon() -> Callable[[str], object]:
    """The truth of an expression by SaxonC, or its error."""
    processor = PySaxonProcessor(license=False)
    node = processor.parse_xml(xml_text=XML)

    def evaluate(expression: str) -> object:
        xpath = processor.new_xpath_processor()
        xpath.declare_namespace("xs", "http://www.w3.org/2001/XMLSchema")
        xpath.set_context(xdm_item=node.children[0])
        try:
            return xpath.effective_boolean_value(expression)
        except PySaxonApiError:
            return "error"

    return evaluate


def _ours(text: str) -> object:
    emitter = Emitter()
    try:
        source = truth(emitter.emit(parse(text, Names({})), Scope(node="n", rule="n")))
    except UnsupportedError:
        return "error"
    module = "\n".join([*emitter.lines, "def test(n, D):", f"    return {source}", ""])
    functions = load(compile(module, "<test>", "exec"), lambda _: b"")
    top = plant(etree.fromstring(XML))
    try:
        with localcontext(EXACT):
            return bool(functions["test"](top.kids["r"][0], top))
    except (DynamicError, ArithmeticError, ValueError, TypeError):
        return "error"


@pytest.mark.parametrize("expression", EXPRESSIONS.strip().splitlines())
def test_an_expression_means_what_saxon_says(expression: str, saxon: Callable[[str], object]) -> None:
    """Truth, or the fact that there is none, is the same."""
    assert _ours(expression) == saxon(expression), expression
