"""The life cycle told to a reader: `docs/lifecycle.md`, generated from the tables and never written by hand."""

from collections.abc import Iterable, Iterator

from estafette.lifecycle.contents import CHARACTERISTICS, REQUESTED_ACTIONS
from estafette.lifecycle.deadlines import DEADLINES
from estafette.lifecycle.guards import GUARDS, Guard, Side
from estafette.lifecycle.reasons import REASONS
from estafette.lifecycle.statuses import STATUSES, Duty, ObjectKind

_DUTIES = {Duty.ALWAYS: "always", Duty.CONDITIONAL: "when VAT falls due on collection", Duty.NEVER: "never"}
_SIDES = {Side.SENDING: "sending platform", Side.RECEIVING: "receiving platform", None: "either"}

_INTRODUCTION = """# Life cycle

This page is generated from the tables of `estafette.lifecycle`; a test fails when it is stale. To write it again:

    .venv/bin/python -c "from estafette.lifecycle.description import page; print(page(), end='')" > docs/lifecycle.md

An invoice has a set of facts, the statuses already set. A plain arrow reads *must come before* (one of them is enough),
a dotted one *forbids*. What 213 forbids is not drawn: everything. Statuses of treatment come in any order and may be
repeated; what arrives late is placed by the moment it was set.
"""


def page() -> str:
    """Give the whole page, in Markdown, the same for the same tables."""
    sections = (
        _INTRODUCTION,
        f"## Guards\n\n```mermaid\n{diagram()}```\n",
        _table(("Status", "Side", "Needs one of", "Forbidden after", "Why"), map(_guard_row, GUARDS)),
        "## Statuses\n",
        _table(
            (
                *("Code", "French label", "Name", "Object", "MDT-77", "MDT-88", "Set by", "Told to", "To the portal"),
                *("Reason", "Comment", "Action", "Data", "B2G"),
            ),
            _status_rows(),
        ),
        "## Time limits\n",
        _table(("Owed to the portal", "Within", "From", "Since", "Source"), _deadline_rows()),
        "## Reasons (MDT-113)\n",
        _table(("Code", "French label", "Name", "Statuses"), _reason_rows()),
        "## Requested actions (MDT-121)\n",
        _table(("Code", "French label", "Name"), ((code, *labels) for code, labels in REQUESTED_ACTIONS.items())),
        "## Data of a status (MDT-207)\n",
        _table(("Code", "French label", "Name"), ((code, *labels) for code, labels in CHARACTERISTICS.items())),
    )
    return "\n".join(sections)


def diagram() -> str:
    """Give the guards as a Mermaid flow chart: nodes in the order of the codes, then the arrows."""
    nodes = [f'    s{code}["{code} {STATUSES[code].label}"]' for code in sorted({guard.status for guard in GUARDS})]
    return "\n".join(["flowchart LR", *nodes, *_arrows(), ""])


def _arrows() -> Iterator[str]:
    needs = dict.fromkeys(guard.needs for guard in GUARDS if guard.needs)
    for needed in needs:
        followers = (guard.status for guard in GUARDS if guard.needs == needed)
        yield f"    {_nodes(sorted(needed))} --> {_nodes(dict.fromkeys(followers))}"
    for guard in GUARDS:
        drawn = sorted(guard.bars - {"213", guard.status})
        if drawn:
            label = f"|{_SIDES[guard.side]}|" if guard.side else ""
            yield f"    {_nodes(drawn)} -.-x{label} s{guard.status}"


def _nodes(codes: Iterable[str]) -> str:
    return " & ".join(f"s{code}" for code in codes)


def _guard_row(guard: Guard) -> tuple[str, ...]:
    return (guard.status, _SIDES[guard.side], _codes(guard.needs), _codes(guard.bars), guard.why[1])


def _status_rows() -> Iterator[tuple[str, ...]]:
    for row in STATUSES.values():
        yield (
            row.code,
            row.label,
            row.name,
            ", ".join(kind.value for kind in ObjectKind if kind in row.objects),
            row.phase.value,
            row.document_status or "–",
            _codes(row.emitters),
            _codes(row.told),
            _DUTIES[row.duty],
            *("yes" if said else "–" for said in (row.needs_reason, row.needs_comment, row.asks_action)),
            _codes(row.data),
            "yes" if row.in_b2g else "–",
        )


def _deadline_rows() -> Iterator[tuple[str, ...]]:
    for row in DEADLINES:
        hours = f"{row.within.total_seconds() / 3600:.0f} h"
        yield (_codes(row.owed), hours, row.runs_from[1], row.since.isoformat(), row.source)


def _reason_rows() -> Iterator[tuple[str, ...]]:
    return ((reason.code, reason.label, reason.name, _codes(reason.statuses)) for reason in REASONS.values())


def _codes(codes: Iterable[str]) -> str:
    return ", ".join(sorted(codes)) or "–"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
