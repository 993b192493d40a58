"""After what a status may come: a table of guards, and the two questions that are asked of it, `may` and `possible`.

Theory of operation. An invoice has a set of facts, the statuses already set. A guard row says for one status (and one
side, where platforms differ): one of `needs` must have been set, none of `bars`; `useless_after` only keeps a desk from
offering what nobody wants. Statuses may come in any order as far as the rows let them, are repeated at will, and are
ordered by the moment they were set (MDT-78): a fact of later cannot forbid one of before that arrives late.

Source: external specifications v3.2, §3.6 and its status definitions; published examples of XP Z12-014.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from estafette.formats.status_message import Role
from estafette.lifecycle.statuses import STATUSES, ObjectKind, Phase, Status, emitters_of


class Side(StrEnum):
    """Which platform acts: the one that sends the invoice (PA-E) or the one that receives it (PA-R)."""

    SENDING = "sending"
    RECEIVING = "receiving"


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """A status that an invoice has: what was set, when (MDT-78), by whom (MDT-40), in which message (MDT-4)."""

    status: str
    set_at: datetime
    emitter_role: str = ""
    message_identifier: str = ""

    def is_set_by(self, moment: datetime) -> bool:
        """Tell whether it was set before a moment or in its second: messages carry no finer time."""
        return self.set_at.replace(microsecond=0) <= moment.replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a status cannot be taken: the code of the field, the rule behind it, the terms concerned, in two languages.

    Codes (G7.19): REJ_INEX unknown, REJ_INC incoherent with what is held, REJ_HAB not entitled, REJ_RG against a rule,
    REJ_ENCAISSEMENT amounts collected not split by rate.
    """

    code: str
    rule: str
    fr: str
    en: str
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """After what one status may come. `why` is the rule in words, French then English."""

    status: str
    needs: frozenset[str]
    bars: frozenset[str]
    useless_after: frozenset[str]
    why: tuple[str, str]
    side: Side | None = None


def _guard(
    statuses: str, *, needs: str = "", bars: str = "", useless: str = "", fr: str, en: str, side: Side | None = None
) -> tuple[Guard, ...]:
    sets = (frozenset(needs.split()), frozenset(bars.split()), frozenset(useless.split()))
    return tuple(Guard(code, *sets, (fr, en), side) for code in statuses.split())


_DEPOSITED = "200 202"
_TREATED = "Une facture se traite une fois déposée, et plus du tout une fois rejetée."
_TREATED_EN = "An invoice is treated once submitted, and no more once rejected."

_ANSWERED = (
    "Une facture se traite une fois déposée, et plus du tout une fois rejetée ou refusée : le refus est définitif."
)
_ANSWERED_EN = "An invoice is answered once submitted, and no more once rejected or refused."

GUARDS: tuple[Guard, ...] = (
    *_guard(
        "200",
        bars="200 210 213",
        fr="La plateforme d'émission dépose ou rejette, une seule fois.",
        en="The sending platform submits or rejects, once.",
        side=Side.SENDING,
    ),
    *_guard(
        "213",
        bars="200 210 213",
        fr="La plateforme d'émission dépose ou rejette, une seule fois.",
        en="The sending platform submits or rejects, once.",
        side=Side.SENDING,
    ),
    *_guard(
        "201",
        needs="200",
        bars="213",
        useless="201 202",
        fr="Une facture est émise après avoir été déposée.",
        en="An invoice is sent after it was submitted.",
        side=Side.SENDING,
    ),
    *_guard(
        "202",
        bars="202 213",
        fr="La plateforme de réception reçoit ou rejette, une seule fois.",
        en="The receiving platform receives or rejects, once.",
        side=Side.RECEIVING,
    ),
    *_guard(
        "213",
        bars="202 210 213",
        fr="La plateforme de réception reçoit ou rejette, une seule fois.",
        en="The receiving platform receives or rejects, once.",
        side=Side.RECEIVING,
    ),
    *_guard(
        "221 501",
        bars="202 213",
        useless="221 501",
        fr="Une facture mal adressée ou illisible n'a pas été reçue.",
        en="A misrouted or unreadable invoice has not been received.",
        side=Side.RECEIVING,
    ),
    *_guard(
        "203",
        needs="202",
        bars="213",
        useless="203",
        fr="Une facture est mise à disposition après avoir été reçue.",
        en="An invoice is made available after it was received.",
        side=Side.RECEIVING,
    ),
    *_guard("204", needs=_DEPOSITED, bars="210 213", useless="204 205 206 207 208 220", fr=_ANSWERED, en=_ANSWERED_EN),
    *_guard("205 206 207 208", needs=_DEPOSITED, bars="210 213", useless="220", fr=_ANSWERED, en=_ANSWERED_EN),
    *_guard("211 214 224 225 226 227 228", needs=_DEPOSITED, bars="213", useless="210", fr=_TREATED, en=_TREATED_EN),
    *_guard(
        "209",
        needs="208",
        bars="210 213",
        useless="220",
        fr="On complète une facture suspendue, qui n'a pas été refusée depuis.",
        en="What is completed was suspended, and not refused since.",
    ),
    *_guard(
        "210",
        needs=_DEPOSITED,
        bars="210 213",
        useless="220",
        fr="Le refus est définitif : une facture déposée se refuse une fois.",
        en="A refusal is final: a submitted invoice is refused once.",
    ),
    *_guard(
        "212",
        needs=_DEPOSITED,
        bars="210 213",
        fr="Une facture refusée ou rejetée ne s'encaisse pas.",
        en="A refused or rejected invoice is not collected.",
    ),
    *_guard(
        "220",
        needs=_DEPOSITED,
        bars="213 220",
        useless="210",
        fr="L'annulation clôt une facture déposée, une seule fois.",
        en="Cancellation closes a submitted invoice, once.",
    ),
)
"""Every guard; a status with two rows (213) is allowed when one of them is, unless the side is known."""


def may(
    status: str,
    *,
    history: Iterable[StatusEvent],
    emitter_role: str,
    side: Side | None = None,
    self_billed: bool = False,
    set_at: datetime | None = None,
    arriving: bool = False,
    b2g: bool = False,
) -> Refusal | None:
    """Tell why a status may not be set on an invoice, or nothing when it may.

    With `set_at`, only the facts of before or of that moment count. `arriving`: the status comes from elsewhere, where
    other facts may be known; what it needs may arrive after it, so only what bars it counts. `b2g`: Chorus Pro receives
    the invoice, and knows fewer statuses (AIFE, annex of B2G statuses).

    >>> may("205", history=(), emitter_role="BY").code
    'REJ_INC'
    """
    known = STATUSES.get(status)
    if known is None or ObjectKind.INVOICE not in known.objects:
        return _unknown(status)
    if b2g and not known.in_b2g:
        return _not_in_b2g(known)
    if emitter_role not in emitters_of(known, self_billed=self_billed):
        return _not_entitled(known, emitter_role)
    facts = {event.status for event in history if set_at is None or event.is_set_by(set_at)}
    rows = [guard for guard in GUARDS if guard.status == status and side in (None, guard.side or side)]
    if not rows:
        return _wrong_side(known)
    refusals = [_against(guard, facts, arriving=arriving) for guard in rows]
    return None if None in refusals else refusals[0]


def possible(
    history: Iterable[StatusEvent],
    role: str,
    *,
    side: Side | None = None,
    self_billed: bool = False,
    b2g: bool = False,
) -> tuple[Status, ...]:
    """Give the statuses that a desk may offer now to one role, in the order of their codes.

    Less than what `may` allows: what would be pointless is left out (acknowledging what was approved, say).
    """
    held = tuple(history)
    facts = {event.status for event in held}
    useful = {guard.status for guard in GUARDS if not guard.useless_after & facts}
    return tuple(
        STATUSES[code]
        for code in sorted(useful)
        if may(code, history=held, emitter_role=role, side=side, self_billed=self_billed, b2g=b2g) is None
    )


def told_of(status: str, history: Iterable[StatusEvent]) -> frozenset[Role]:
    """Give the roles that hear of a status, in an invoice with this history; everyone of a status that is unknown.

    What ends a confidential factoring is as confidential as it was (226, then 228).

    >>> "BY" in told_of("228", ()), "BY" in told_of("226", ())
    (True, False)
    """
    assigned = [event.status for event in in_order(history) if event.status in ("225", "226")]
    if status == "228" and assigned[-1:] == ["226"]:
        status = "226"
    known = STATUSES.get(status)
    return known.told if known else frozenset(Role)


def in_order(history: Iterable[StatusEvent]) -> tuple[StatusEvent, ...]:
    """Give the events in the order they were set; at the same second, those of transmission come first."""
    return tuple(
        sorted(
            history,
            key=lambda event: (event.set_at.replace(microsecond=0), not _is_transmission(event.status), event.status),
        )
    )


def _is_transmission(code: str) -> bool:
    return code in STATUSES and STATUSES[code].phase is Phase.TRANSMISSION


def _against(guard: Guard, facts: set[str], *, arriving: bool) -> Refusal | None:
    barring = sorted(guard.bars & facts)
    if barring:
        return _incoherent(guard, seen=barring, fr="déjà posé", en="already set")
    if guard.needs and not arriving and not guard.needs & facts:
        return _incoherent(guard, seen=sorted(guard.needs), fr="attendu avant", en="expected before")
    return None


def _incoherent(guard: Guard, *, seen: Sequence[str], fr: str, en: str) -> Refusal:
    label, codes = _named(guard.status), " / ".join(map(_named, seen))
    return Refusal(
        "REJ_INC",
        "EST-LIFECYCLE",
        f"Le statut {label} n'est pas possible ({fr} : {codes}). {guard.why[0]}",
        f"Status {label} is not possible ({en}: {codes}). {guard.why[1]}",
        ("MDT-105",),
    )


def _unknown(code: str) -> Refusal:
    return Refusal(
        "REJ_INEX",
        "G7.09",
        f"Le statut {code!r} n'existe pas pour une facture.",
        f"No status of an invoice has the code {code!r}.",
        ("MDT-105",),
    )


def _not_in_b2g(status: Status) -> Refusal:
    return Refusal(
        "REJ_INEX",
        "G7.09",
        f"Le statut {_named(status.code)} n'existe pas pour une facture que Chorus Pro reçoit.",
        f"Status {_named(status.code)} does not exist for an invoice that Chorus Pro receives.",
        ("MDT-105",),
    )


def _not_entitled(status: Status, role: str) -> Refusal:
    entitled = ", ".join(sorted(status.emitters))
    return Refusal(
        "REJ_HAB",
        "G7.01",
        f"Le rôle {role or '∅'} ne peut pas poser le statut {_named(status.code)} ; le peuvent : {entitled}.",
        f"Role {role or '∅'} may not set status {_named(status.code)}; these may: {entitled}.",
        ("MDT-40",),
    )


def _wrong_side(status: Status) -> Refusal:
    return Refusal(
        "REJ_HAB",
        "EST-LIFECYCLE",
        f"Le statut {_named(status.code)} revient à l'autre plateforme.",
        f"Status {_named(status.code)} is for the other platform to set.",
        ("MDT-105",),
    )


def _named(code: str) -> str:
    status = STATUSES.get(code)
    return f"{code} {status.label}" if status else code
