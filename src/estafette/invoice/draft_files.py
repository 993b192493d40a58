"""A draft that a person writes, in YAML or in CSV, read safely: an answer says where, what was seen, what was expected.

YAML: every value is text until its field gives it a type, so that 0123 and 12.10 stay what was typed; no tag makes an
object, no alias repeats a node, no key comes twice, nothing is deep. CSV: one row a line of the invoice; a column is a
field of the line, or the path of a field of the draft (`seller.name`), said on one row or alike on all. The separator
is the comma, the semicolon or the tab; with the last two a decimal comma is one. UTF-8, or Windows-1252 as
spreadsheets save CSV.
"""

import csv
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec
import yaml

from estafette.invoice.mistakes import Mistake, Mistaken
from estafette.values.limits import DRAFT_BYTES_MAX, DRAFT_DEPTH_MAX

_BASE: Any = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader
T = TypeVar("T", bound=msgspec.Struct)
_SEPARATORS = ";\t,"
_DECIMAL_COMMA = re.compile(r"-?[0-9]{1,3}([ \u00a0\u202f][0-9]{3})*(,[0-9]+)?|-?[0-9]+,[0-9]+")
_SPACES = re.compile(r"[ \u00a0\u202f]")


class _Bomb(yaml.YAMLError):
    def __init__(self, problem: str, mark: Any) -> None:
        super().__init__(problem)
        self.problem_mark = mark


class _Loader(_BASE):  # type: ignore[misc]
    """Text only, and no key said twice."""

    def construct_scalar(self, node: Any) -> Any:
        is_null = not node.style and node.value in {"~", "null", "Null", "NULL"}
        return "" if is_null else super().construct_scalar(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.MarkedYAMLError(problem=f"{key}: ×2", problem_mark=node.value[place][0].start_mark)
        return super().construct_mapping(node, deep)


def read(data: bytes, draft: type[T], line: type[msgspec.Struct]) -> T:
    """Give the file as a draft, whose lines are of the type `line`. Raises: Mistaken, with what to repair."""
    if len(data) > DRAFT_BYTES_MAX:
        raise _mistaken("$", f"{len(data)}", f"au plus {DRAFT_BYTES_MAX} octets", f"at most {DRAFT_BYTES_MAX} bytes")
    if not data.strip():
        raise _mistaken("$", "", "un brouillon : le fichier est vide", "a draft: the file is empty")
    columns = _columns(data)
    content, rows = _from_csv(data, columns, draft, line) if columns else (_from_yaml(data), None)
    content = _said(content)
    try:
        return msgspec.convert(content, draft, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(str(error), content, draft, rows) from None


def _mistaken(path: str, seen: str, fr: str, en: str) -> Mistaken:
    return Mistaken(Mistake(path=path, seen=seen[:200], fr=f"Attendu : {fr}.", en=f"Expected: {en}."))


def _from_yaml(data: bytes) -> Any:
    try:
        text = data.decode("utf-8-sig")
        _refuse_bombs(text)
        return yaml.load(text, _Loader)  # noqa: S506 -- text only, and stricter
    except UnicodeDecodeError as error:
        raise _mistaken("$", f"octet {error.start}", "du texte en UTF-8", "text in UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{mark.line + 1}:{mark.column + 1}" if mark else "$"
        problem = getattr(error, "problem", None) or str(error)
        expected = "un YAML simple, sans alias ni clef répétée", "plain YAML, without aliases or repeated keys"
        raise _mistaken(where, str(problem), *expected) from None
    except (RecursionError, ValueError, TypeError) as error:
        raise _mistaken("$", type(error).__name__, "un YAML simple", "plain YAML") from None


def _refuse_bombs(text: str) -> None:
    """Refuse what stands for more than it is: aliases, and lists in lists in lists."""
    depth = 0
    for event in yaml.parse(text, _BASE):
        if isinstance(event, yaml.AliasEvent):
            raise _Bomb("alias", event.start_mark)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DRAFT_DEPTH_MAX:
            raise _Bomb(f"> {DRAFT_DEPTH_MAX} [ {{", event.start_mark)


def _said(content: Any) -> Any:
    """Give the content without what is left blank."""
    if isinstance(content, dict):
        return {key: _said(value) for key, value in content.items() if value not in ("", None)}
    return [_said(each) for each in content] if isinstance(content, list) else content


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _columns(data: bytes) -> list[str] | None:
    """Give the columns that the first line names, when the file is CSV: names between separators, and no colon."""
    first = _text(data).lstrip().partition("\n")[0].rstrip()
    separator = max(_SEPARATORS, key=first.count)
    if ":" in first or first[:1] in {"[", "{"} or not first.count(separator):
        return None
    return [separator, *(name.strip().strip('"') for name in first.split(separator))]


def _from_csv(
    data: bytes, columns: list[str], draft: type[msgspec.Struct], line: type[msgspec.Struct]
) -> tuple[dict[str, Any], list[int]]:
    """Give the content of a table, and the row of the file that each line comes from."""
    separator, *names = columns
    of_lines = set(line.__struct_fields__)
    roots = set(draft.__struct_fields__) - {"lines"}
    unknown = [name for name in names if name not in of_lines and name.partition(".")[0] not in roots]
    if unknown or len(set(names)) < len(names):
        seen = ", ".join(unknown or [name for name in names if names.count(name) > 1])
        expected = f"{', '.join(sorted(of_lines))}, {', '.join(sorted(roots))}"
        raise _mistaken("1", seen, f"des colonnes distinctes parmi {expected}", f"distinct columns among {expected}")
    content: dict[str, Any] = {"lines": []}
    rows = []
    for number, cells in _rows(data, separator, len(names)):
        said = {
            name: _number(cell, separator) if _is_number(line, name) else cell
            for name, cell in zip(names, cells, strict=True)
            if cell
        }
        if of_lines & said.keys():
            content["lines"].append({name: value for name, value in said.items() if name in of_lines})
            rows.append(number)
        for name, cell in said.items():
            if name not in of_lines:
                _put(content, name, cell, number)
    return content, rows


def _rows(data: bytes, separator: str, width: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(_text(data).lstrip(), newline=""), delimiter=separator, strict=True)
    try:
        next(reader)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != width:
                    seen = f"{len(cells)}"
                    raise _mistaken(str(reader.line_num), seen, f"{width} cellules", f"{width} cells")
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise _mistaken(str(reader.line_num), str(error), "du CSV bien formé", "well-formed CSV") from None


def _is_number(line: type[msgspec.Struct], name: str) -> bool:
    return "Decimal" in str(line.__annotations__.get(name, ""))


def _number(cell: str, separator: str) -> str:
    """Give a cell as a number of the draft: with a separator other than the comma, a comma is that of decimals."""
    if separator == "," or not _DECIMAL_COMMA.fullmatch(cell):
        return cell
    return _SPACES.sub("", cell).replace(",", ".")


def _put(content: dict[str, Any], path: str, value: str, row: int) -> None:
    *groups, field = path.split(".")
    place = content
    for group in groups:
        place = place.setdefault(group, {})
        if not isinstance(place, dict):
            raise _mistaken(f"{row}, {path}", value, f"une seule des deux : {group}", f"only one of the two: {group}")
    if place.setdefault(field, value) != value:
        fr, en = f"« {place[field]} », comme plus haut", f'"{place[field]}", as above'
        raise _mistaken(f"{row}, {path}", value, fr, en)


_SHAPES = (
    (r"Expected `(?P<expected>[^`]+)`, got `(?P<seen>.+)`", "{expected}", "{expected}"),
    (r"Object missing required field `(?P<expected>.+)`", "le champ {expected}", "the field {expected}"),
    (r"Object contains unknown field `(?P<seen>.+)`", "un champ parmi {fields}", "a field among {fields}"),
    (r"Invalid enum value (?P<seen>.+)", "une valeur de la liste", "a value of the list"),
    (r"Invalid (?P<expected>.+)", "{expected}", "{expected}"),
    (r"(?P<expected>.+)", "{expected}", "{expected}"),
)
_WORDS = (
    ("decimal string", "un nombre comme 1234.50", "a number such as 1234.50"),
    ("decimal", "un nombre comme 1234.50", "a number such as 1234.50"),
    ("date", "une date AAAA-MM-JJ", "a date YYYY-MM-DD"),
    ("RFC3339 encoded date", "une date AAAA-MM-JJ", "a date YYYY-MM-DD"),
    ("bool", "true ou false", "true or false"),
    ("object", "des champs", "fields"),
    ("array", "une liste", "a list"),
)
"""How the reader of structures says what is wrong, and how we say it."""


def _explained(message: str, content: Any, draft: type[msgspec.Struct], rows: list[int] | None) -> Mistaken:
    problem, _, path = message.partition(" - at ")
    matches = ((re.fullmatch(shape, problem), fr, en) for shape, fr, en in _SHAPES)
    match, fr, en = next((match, fr, en) for match, fr, en in matches if match)
    parts = {"expected": "", "seen": "", "fields": _fields_at(draft, path), **match.groupdict()}
    words = next(((fr, en) for word, fr, en in _WORDS if parts["expected"].startswith(word)), None)
    fr, en = words or (fr.format(**parts), en.format(**parts))
    seen = _scalar_at(content, path.strip("`")) or parts["seen"]
    return _mistaken(_where(path.strip("`"), rows), seen, fr, en)


def _fields_at(kind: Any, path: str) -> str:
    """Name the fields that a structure has at a path."""
    for key in re.findall(r"\.(\w+)", path):
        held = get_type_hints(kind).get(key) if hasattr(kind, "__struct_fields__") else None
        kind = next(iter(get_args(held)), held)
    return ", ".join(getattr(kind, "__struct_fields__", ()))


def _scalar_at(content: Any, path: str) -> str:
    """Give what was written at a path, when it is a text; else nothing."""
    for key, at in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        held = isinstance(content, dict) if key else isinstance(content, list)
        content = (content.get(key) if key else content[int(at)]) if held else None
    return content if isinstance(content, str) else ""


def _where(path: str, rows: list[int] | None) -> str:
    """Give the place in the file: a path in a YAML, a row and a column in a CSV."""
    path = path.removeprefix("$").removeprefix(".") or "$"
    at = re.match(r"lines\[(\d+)\]\.?(.*)", path)
    return f"{rows[int(at[1])]}, {at[2]}" if rows and at else path
