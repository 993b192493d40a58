"""Where the time of each actor goes, from what py-spy recorded: each sample counts for the innermost room it is in."""

import re
from collections import Counter
from pathlib import Path

ROOMS = (
    ("judging by the rules", ("estafette/rules/", "<pack")),
    ("reading and writing XML", ("estafette/formats/", "estafette/invoice/")),
    ("decisions", ("estafette/platform/", "estafette/portal/", "estafette/administration/", "estafette/lifecycle/",
                   "estafette/directory/", "estafette/reporting/", "estafette/values/", "estafette/vat/")),
    ("audit log", ("estafette/store/audit", "estafette/store/merkle")),
    ("documents", ("estafette/store/documents", "estafette/store/packs")),
    ("records", ("estafette/store/", "sqlalchemy/", "psycopg/")),
    ("exchange with peers", ("estafette/exchange/", "aiohttp/", "yarl/")),
    ("HTTP service", ("estafette/api/", "estafette/circuit/", "starlette/", "uvicorn/", "python_multipart/")),
)  # fmt: skip
OTHER = "event loop, threads"

_FRAME = re.compile(r"\((.*):\d+\)$")


def tell(folder: Path) -> None:
    """Print a table: the share of each room in what each actor's interpreter did."""
    shares = {file.stem: _shares(file) for file in sorted(folder.glob("*.raw"))}
    print(f"{'':<26}" + "".join(f"{name:>16}" for name in shares))
    for room in [name for name, _ in ROOMS] + [OTHER]:
        print(f"{room:<26}" + "".join(f"{share.get(room, 0.0):>15.0%} " for share in shares.values()))


def _shares(file: Path) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for line in file.read_text().splitlines():
        stack, _, samples = line.rpartition(" ")
        counts[_room(stack.split(";"))] += int(samples)
    return {room: count / counts.total() for room, count in counts.items()}


def _room(frames: list[str]) -> str:
    """Name the room of the innermost frame that is in one."""
    for frame in reversed(frames):
        found = _FRAME.search(frame)
        place = found[1] if found else ""
        for room, marks in ROOMS:
            if any(mark in place for mark in marks):
                return OTHER if "store/worker" in place or "store/writer" in place else room
    return OTHER
