"""The table of the rules in the documentation is that of the code, and each rule names a test that is there."""

import re
from pathlib import Path

from estafette.directory.annex7 import RULES
from estafette.directory.readings import Readings

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/directory.md").read_text()
ROW = re.compile(r"^\| (\S+) \| (code|line) (D[TG]-[\d-]+) \| [^|]+ \| (REJ_\w+) \| (test_\w+) \|$", re.MULTILINE)


def test_the_table_is_that_of_the_code() -> None:
    """Rule, object, term and code, in the same order."""
    told = [(rule, about, term, code) for rule, about, term, code, _test in ROW.findall(DOCUMENT)]
    assert told == [(rule.id, rule.stage.split(",")[0], rule.term, rule.code) for rule in RULES]


def test_each_rule_names_a_test_that_speaks_of_it() -> None:
    """The test exists, and names the rule."""
    source = (Path(__file__).parent / "test_updates.py").read_text()
    for rule, _about, _term, _code, test in ROW.findall(DOCUMENT):
        before, found, body = source.partition(f"def {test}(")
        assert found, test
        decorated = before[before.rindex("\n\n\n") :]
        assert f'"{rule}"' in decorated + body.split("\n\n\n")[0], (rule, test)


def test_each_switch_is_told() -> None:
    """What can be read in two ways is in the table of doubts."""
    assert all(f"`{name}" in DOCUMENT for name in Readings.__struct_fields__)
