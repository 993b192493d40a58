"""Whether the audit log is as it was written: every event, every chain, every root.

What is found, and by what: a changed event, by its hash, or by the next one's when its own was made again; a deleted or
inserted one, by the numbers or by the next hash; a chain cut short, by where it is said to end; one written anew, by
the signed roots; roots written anew, by those that were kept outside (`against`); a text that was blanked before its
time, by the day of the roots that cover it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select

from estafette.store import audit, merkle
from estafette.store.audit_purge import covered
from estafette.store.roots import leaf_text
from estafette.store.tables import audit_event, audit_head, audit_leaf, audit_root
from estafette.values.retention import AUDIT, earlier, rule_of

Verifies = Callable[[str, str, bytes], bool]
AT_ONCE = 5000
"""Rows read at once (our bound on memory)."""

FINDINGS_MAX = 1000
"""Findings told; past them the log is beyond listing (our bound)."""

ROOTS = "roots"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not as it was written, and where: a chain and a place in it, or `roots` and the number of one."""

    chain: str
    seq: int
    fr: str
    en: str


@dataclass(slots=True)
class Report:
    """What was read and what was found."""

    chains: int = 0
    events: int = 0
    roots: int = 0
    findings: list[Finding] = field(default_factory=list)

    def find(self, chain: str, seq: int, fr: str, en: str) -> None:
        """One more finding, unless there are too many already."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(chain, seq, fr, en))


def verify(
    connection: Connection,
    *,
    key: str,
    verifies: Verifies,
    chain: str | None = None,
    against: Iterable[dict[str, Any]] = (),
    progress: Callable[[int], None] = lambda _events: None,
    on: date | None = None,
) -> Report:
    """Return what is not as it was written: of one chain or of all, and of the roots.

    `key` is the public key of the actor; `against` are roots that were exported; `progress` is told how many events
    were read, now and then. `on`: the day it is, by which no text may have been blanked before its time.
    """
    report = Report()
    blank = covered(connection, earlier(on, max(rule_of(kind, on=on).months for kind in AUDIT))) if on else None
    for each in [chain] if chain else _chains(connection):
        report.chains += 1
        _chain(connection, each, report, progress)
        _blanked(connection, each, report, blank)
    _roots(connection, report, key=key, verifies=verifies)
    _against(connection, report, against)
    return report


def _chains(connection: Connection) -> list[str]:
    """Return every chain that any table knows: one that was deleted whole is still named by its roots."""
    known: set[str] = set()
    for table in (audit_head, audit_event, audit_leaf):
        known |= set(connection.execute(select(table.c.chain).distinct()).scalars())
    return sorted(known)


def _chain(connection: Connection, chain: str, report: Report, progress: Callable[[int], None]) -> None:
    leaves = _leaves(connection, chain)
    expected, last = 1, audit.genesis(chain)
    for row in _events(connection, chain):
        report.events += 1
        if row.seq != expected:
            fr, en = f"événements {expected} à {row.seq - 1} absents", f"events {expected} to {row.seq - 1} missing"
            report.find(chain, expected, fr, en)
        elif audit.link(last, row.body) != row.hash:
            fr = "l'événement a été changé, ou celui d'avant"
            report.find(chain, row.seq, fr, "the event was changed, or the one before")
        _own_body(row, report)
        if (sealed := leaves.pop(row.seq, row.hash)) != row.hash:
            fr = f"la racine signée dit {sealed[:16]}…, la chaîne {row.hash[:16]}… : chaîne réécrite"
            en = f"the signed root says {sealed[:16]}…, the chain {row.hash[:16]}…: chain rewritten"
            report.find(chain, row.seq, fr, en)
        expected, last = row.seq + 1, row.hash
        if report.events % AT_ONCE == 0:
            progress(report.events)
    for seq in sorted(leaves):
        report.find(chain, seq, "une racine signée couvre un événement absent", "a signed root covers a missing event")
    _end(connection, chain, report, (expected - 1, last))


def _events(connection: Connection, chain: str) -> Iterator[Row[Any]]:
    query = select(audit_event).where(audit_event.c.chain == chain).order_by(audit_event.c.seq)
    return iter(connection.execute(query.execution_options(yield_per=AT_ONCE)))


def _leaves(connection: Connection, chain: str) -> dict[int, str]:
    query = select(audit_leaf.c.seq, audit_leaf.c.hash).where(audit_leaf.c.chain == chain)
    return {seq: hashed for seq, hashed in connection.execute(query)}  # noqa: C416 — rows are not pairs to mypy


def _own_body(row: Row[Any], report: Report) -> None:
    """The columns of an event say what its text says; of one that was blanked, nothing."""
    is_so = not row.about if audit.is_blank(row.body) else _is_of_its_place(row)
    if not is_so:
        fr = "le texte de l'événement n'est pas celui de cette place (déplacé ou changé)"
        report.find(row.chain, row.seq, fr, "the text of the event is not of this place (moved or changed)")


def _is_of_its_place(row: Row[Any]) -> bool:
    try:
        body = msgspec.json.decode(row.body)
        return bool((body["chain"], body["seq"], body["about"]) == (row.chain, row.seq, row.about))
    except (msgspec.DecodeError, KeyError, TypeError):
        return False


def _blanked(connection: Connection, chain: str, report: Report, covered_by: int | None) -> None:
    """Only the first events of a chain are blank, and none before its time; `covered_by`: the last root of then."""
    mine = (audit_event.c.chain == chain, audit_event.c.body.startswith(audit.BLANKED))
    count, last = connection.execute(select(func.count(), func.max(audit_event.c.seq)).where(*mine)).one()
    if count and count != last:
        fr, en = "un texte a été effacé hors de son tour", "a text was blanked out of turn"
        report.find(chain, last, fr, en)
    if count and covered_by is not None:
        over = (audit_leaf.c.chain == chain, audit_leaf.c.number <= covered_by)
        until = connection.execute(select(func.max(audit_leaf.c.seq)).where(*over)).scalar() or 0
        if last > until:
            fr, en = "des textes ont été effacés avant l'heure", "texts were blanked before their time"
            report.find(chain, until + 1, fr, en)


def _end(connection: Connection, chain: str, report: Report, last: tuple[int, str]) -> None:
    head = connection.execute(select(audit_head).where(audit_head.c.chain == chain)).mappings().first()
    said = (head["seq"], head["hash"]) if head else (0, audit.genesis(chain))
    if said != last:
        fr = f"la chaîne finit à {last[0]}, elle est dite finir à {said[0]} : coupée, allongée ou changée"
        en = f"the chain ends at {last[0]}, it is said to end at {said[0]}: cut, added to or changed"
        report.find(chain, min(last[0], said[0]) + 1, fr, en)


def _roots(connection: Connection, report: Report, *, key: str, verifies: Verifies) -> None:
    expected, previous = 1, audit.genesis("roots")
    for row in connection.execute(select(audit_root).order_by(audit_root.c.number)).all():
        report.roots += 1
        if row.number != expected:
            fr, en = f"racines {expected} à {row.number - 1} absentes", f"roots {expected} to {row.number - 1} missing"
            report.find(ROOTS, expected, fr, en)
        elif audit.link(previous, row.body) != row.hash:
            report.find(ROOTS, row.number, "la racine ne suit pas celle d'avant", "the root does not follow the last")
        if not verifies(key, row.signature, row.body.encode()):
            report.find(ROOTS, row.number, "la signature n'est pas de cette clé", "the signature is not of this key")
        if not _stands_on(connection, row):
            fr, en = "la racine n'est pas celle de ses feuilles", "the root is not that of its leaves"
            report.find(ROOTS, row.number, fr, en)
        expected, previous = row.number + 1, row.hash


def _stands_on(connection: Connection, row: Row[Any]) -> bool:
    """Tell whether the root is that of the leaves kept with it."""
    try:
        body = msgspec.json.decode(row.body)
        merkle_root, number = body["merkle"], body["number"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return False
    mine = select(audit_leaf).where(audit_leaf.c.number == row.number).order_by(audit_leaf.c.chain)
    leaves = [merkle.leaf(leaf_text(each.chain, each.seq, each.hash)) for each in connection.execute(mine)]
    return bool(number == row.number and merkle.root(leaves) == merkle_root)


def _against(connection: Connection, report: Report, kept: Iterable[dict[str, Any]]) -> None:
    held = set(connection.execute(select(audit_root.c.hash)).scalars())
    for number, root in enumerate(kept, start=1):
        if root.get("hash") not in held:
            fr, en = "une racine gardée au dehors n'est plus là", "a root kept outside is no longer here"
            report.find(ROOTS, number, fr, en)
