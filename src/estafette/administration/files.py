"""The files that people write, in YAML: read safely, with an answer that says where, what was seen, what was expected.

No tag makes an object, no alias repeats a node, and a file is at most `REGISTRATION_BYTES_MAX`.
"""

import re
from typing import Any, NamedTuple, TypeVar

import msgspec
import yaml

from estafette.values.limits import REGISTRATION_BYTES_MAX

T = TypeVar("T")


class Finding(NamedTuple):
    """What is wrong or missing in a file: the rule, where, what was seen, what was expected, in both languages."""

    rule: str
    path: str
    seen: str
    fr: str
    en: str


class WrongFile(Exception):
    """A file that cannot be read as what it should be."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(f"{finding.path}: {finding.en}" for finding in findings))
        self.findings = findings


class _Loader(yaml.SafeLoader):
    """The safe loader, without aliases: a few lines of them can stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="alias", problem_mark=self.get_mark())
        return super().compose_node(parent, index)


def read(data: bytes, kind: type[T]) -> T:
    """Return the file as this structure. Raises: WrongFile, whose findings a person can act on."""
    if len(data) > REGISTRATION_BYTES_MAX:
        most = REGISTRATION_BYTES_MAX
        raise _wrong("$", f"{len(data)} octets", f"au plus {most} octets", f"at most {most} bytes")
    try:
        content = yaml.load(data.decode("utf-8"), _Loader)  # noqa: S506 -- a safe loader, made stricter
    except UnicodeDecodeError as error:
        raise _wrong("$", f"octet {error.start}", "du texte en UTF-8", "text in UTF-8") from None
    except yaml.YAMLError as error:
        raise _not_yaml(error) from None
    except (RecursionError, ValueError) as error:
        raise _wrong("$", type(error).__name__, "un fichier YAML simple", "a plain YAML file") from None
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None


def _wrong(path: str, seen: str, fr: str, en: str) -> WrongFile:
    return WrongFile((Finding("FILE", path, seen, f"Attendu : {fr}.", f"Expected: {en}."),))


def _not_yaml(error: yaml.YAMLError) -> WrongFile:
    mark = getattr(error, "problem_mark", None)
    where = f"ligne {mark.line + 1}, colonne {mark.column + 1}" if mark else "$"
    problem = getattr(error, "problem", None) or "not YAML"
    return _wrong(where, str(problem), "un fichier YAML sans alias", "a YAML file without aliases")


_SHAPES = (
    (r"Expected `(?P<expected>.+)`, got `(?P<seen>.+)`", "{expected}", "{expected}"),
    (r"Object missing required field `(?P<expected>.+)`", "le champ {expected}", "the field {expected}"),
    (r"Object contains unknown field `(?P<seen>.+)`", "un champ connu", "a known field"),
    (r"Invalid enum value (?P<seen>.+)", "une valeur de la liste", "a value of the list"),
    (r"(?P<expected>.+)", "{expected}", "{expected}"),
)
"""How the reader of structures says what is wrong, and how we say it."""


def _explained(message: str) -> WrongFile:
    problem, _, path = message.partition(" - at ")
    matches = ((re.fullmatch(shape, problem), fr, en) for shape, fr, en in _SHAPES)
    match, fr, en = next((match, fr, en) for match, fr, en in matches if match)
    parts = {"expected": "", "seen": "—", **match.groupdict()}
    return _wrong(path.strip("`") or "$", parts["seen"], fr.format(**parts), en.format(**parts))


def plain(value: Any) -> Any:
    """Return a structure as JSON can hold it."""
    return msgspec.to_builtins(value, builtin_types=())
