"""JSON that comes in, as typed values; whatever else it is, a Problem that says in both languages what is wrong, where.

The reader of JSON says it in English and in its own terms: each of its sentences has its row in `SENTENCES`; the path
and what is expected there come from the shape itself.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import inspect
from starlette.requests import Request

from estafette.api.problems import Problem
from estafette.exchange.bodies import TooLarge, read_body

Shape = TypeVar("Shape")

_WHERE = re.compile(r" - at `(?:key in )?(?P<path>\$[^`]*)`$")
_NAMES = {
    "object": ("un objet", "an object"),
    "array": ("une liste", "a list"),
    "str": ("un texte", "a text"),
    "int": ("un entier", "an integer"),
    "float": ("un nombre", "a number"),
    "bool": ("un booléen", "a boolean"),
    "datetime": ("un instant (RFC 3339)", "an instant (RFC 3339)"),
    "date": ("un jour (AAAA-MM-JJ)", "a day (YYYY-MM-DD)"),
    "null": ("rien", "null"),
}
"""What the reader calls a kind of value, in words."""

SENTENCES: tuple[tuple[str, str, str], ...] = (
    (
        r"Object missing required field `(?P<name>.*)`",
        "champ obligatoire absent : {name}",
        "required field missing: {name}",
    ),
    (r"Object contains unknown field `(?P<name>.*)`", "champ inconnu : {name}", "unknown field: {name}"),
    (
        r"Invalid enum value (?P<seen>.*)",
        "valeur {seen} inconnue ; attendu : {expected}",
        "unknown value {seen}; expected: {expected}",
    ),
    (
        r"Expected `(?P<kind>\w+)` of length >= (?P<bound>\d+)",
        "trop court : au moins {bound}",
        "too short: at least {bound}",
    ),
    (
        r"Expected `(?P<kind>\w+)` of length <= (?P<bound>\d+)",
        "trop long : au plus {bound}",
        "too long: at most {bound}",
    ),
    (r"Expected `\w+` >= (?P<bound>\S+)", "trop petit : au moins {bound}", "too small: at least {bound}"),
    (r"Expected `\w+` <= (?P<bound>\S+)", "trop grand : au plus {bound}", "too large: at most {bound}"),
    (
        r"Expected `str` matching regex '(?P<bound>.*)'",
        "texte hors de la forme attendue : {bound}",
        "text not in the expected form: {bound}",
    ),
    (
        r"Expected `datetime` with a timezone component",
        "instant sans fuseau ; attendu : 2026-09-01T06:00:00.000Z",
        "instant without a zone; expected: 2026-09-01T06:00:00.000Z",
    ),
    (
        r"Invalid RFC3339 encoded datetime",
        "n'est pas un instant ; attendu : 2026-09-01T06:00:00.000Z",
        "is no instant; expected: 2026-09-01T06:00:00.000Z",
    ),
    (r"Invalid RFC3339 encoded date", "n'est pas un jour ; attendu : 2026-09-01", "is no day; expected: 2026-09-01"),
    (
        r"Expected `(?P<kind>[\w |]+)`, got `(?P<got>\w+)`",
        "attendu {kinds_fr}, reçu {got_fr}",
        "expected {kinds_en}, got {got_en}",
    ),
    (r"Input data was truncated", "JSON inachevé", "unfinished JSON"),
    (r"JSON is malformed: .*\(byte (?P<at>\d+)\)", "JSON mal formé à l'octet {at}", "malformed JSON at byte {at}"),
)
"""What the reader says, by its pattern, in French and in English."""

OTHERWISE = "JSON illisible (UTF-8, 1000 niveaux au plus)", "unreadable JSON (UTF-8, at most 1000 levels)"


def decode(raw: bytes, shape: type[Shape], *, prepare: Callable[[Any], Any] | None = None) -> Shape:
    """Return the value these bytes are, once `prepare` has made what was sent what is expected. Raises: Problem 400."""
    try:
        if prepare is None:
            return msgspec.json.decode(raw, type=shape)
        return msgspec.convert(prepare(msgspec.json.decode(raw)), shape)
    except (ValueError, RecursionError) as wrong:  # not JSON, not of this shape, not UTF-8; nested without end
        raise Problem(400, told(str(wrong), shape)) from None


async def decode_body(
    request: Request, shape: type[Shape], *, limit: int, prepare: Callable[[Any], Any] | None = None
) -> Shape:
    """Return the value that the body is, at most `limit` bytes long. Raises: Problem 400."""
    try:
        return decode(await read_body(request, limit), shape, prepare=prepare)
    except TooLarge:
        text = f"La demande dépasse {limit // 1024} Kio. / The request exceeds {limit // 1024} KiB."
        raise Problem(400, text) from None


def told(said: str, shape: Any) -> str:
    """Return in our words what the reader of JSON said of a value of this shape: where, what was seen, expected."""
    where = _WHERE.search(said)
    path = where["path"] if where else ""
    said = said[: where.start()] if where else said
    fr, en = OTHERWISE
    for pattern, french, english in SENTENCES:
        if found := re.fullmatch(pattern, said, re.S):
            words = _words(found.groupdict(), lambda: expected_at(shape, path))
            fr, en = french.format(**words), english.format(**words)
            break
    place = f"{path.removeprefix('$').removeprefix('.')} : " if path not in ("", "$") else ""
    return f"{place}{fr}. / {place.replace(' :', ':')}{en}."


def _words(found: dict[str, str], expected: Callable[[], str]) -> dict[str, str]:
    """Return what fills a sentence; the kinds of values in both languages."""
    kinds = [_NAMES.get(kind, (kind, kind)) for kind in found.get("kind", "").split(" | ")]
    got = _NAMES.get(found.get("got", ""), ("", ""))
    return {
        **found,
        "expected": expected() if "seen" in found else "",
        "kinds_fr": " ou ".join(kind[0] for kind in kinds),
        "kinds_en": " or ".join(kind[1] for kind in kinds),
        "got_fr": got[0],
        "got_en": got[1],
    }


def expected_at(shape: Any, path: str) -> str:
    """Return the values that a shape has at a path (`$.where.flowType[...]`), as a list in words.

    >>> from typing import Literal
    >>> expected_at(dict[str, list[Literal["a", "b"]]], "$[...][0]")
    'a, b'
    """
    here = [inspect.type_info(shape)]
    for step in re.findall(r"\.\w+|\[[^]]*\]", path):
        here = [inner for one in here for inner in _inside(one, step)]
    values = [str(value) for one in _flat(here) if isinstance(one, inspect.LiteralType) for value in one.values]
    return ", ".join(values)


def _inside(one: Any, step: str) -> list[Any]:
    """Return what a type holds one step further."""
    found = []
    for each in _flat([one]):
        if isinstance(each, inspect.StructType):
            found += [field.type for field in each.fields if f".{field.encode_name}" == step]
        elif isinstance(each, inspect.DictType):
            found.append(each.value_type)
        elif isinstance(each, inspect.ListType | inspect.VarTupleType):
            found.append(each.item_type)
    return found


def _flat(types: list[Any]) -> list[Any]:
    """Return the types with each union as its parts, without what is said about them."""
    flat: list[Any] = []
    for one in types:
        if isinstance(one, inspect.Metadata):
            flat += _flat([one.type])
        elif isinstance(one, inspect.UnionType):
            flat += _flat(list(one.types))
        else:
            flat.append(one)
    return flat
