"""What asks for a person's attention: what waits for an answer of theirs, and what went wrong lately.

What waits stays until it is answered. What ended badly (rejected, refused, irreceivable) is shown for thirty days, or
until the same number, or the same file name, has been taken; what the State rejected, for thirty days; a period of
e-reporting that failed, for thirty days or until it is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from estafette.platform.deliveries import Row
from estafette.values.moments import paris_day
from estafette.web.platform.signs import Sign

SHOWN_FOR = timedelta(days=30)
TO_ANSWER = frozenset({"202", "203", "204", "209"})
ASKED_BACK = frozenset({"206", "207", "208"})
ENDED = frozenset({"210", "213", "221", "501"})


@dataclass(frozen=True, slots=True)
class Concern:
    """One reason for attention and the invoices, the deposits or the periods it is about; never none.

    `stands`: under which of `lists.STANDS` the list has them all.
    """

    words: Sign
    invoices: tuple[Row, ...] = ()
    deposits: tuple[Row, ...] = ()
    periods: tuple[Row, ...] = ()
    stands: str = ""


def concerns(
    received: Sequence[Row], issued: Sequence[Row], deposits: Sequence[Row], periods: Sequence[Row] = (), *, on: date
) -> list[Concern]:
    """Return what asks for attention, the most pressing first. Each list comes latest first.

    `periods`: the transmissions that failed and that none followed.
    """
    taken = {row["number"] for row in issued if row["status"] not in ENDED}
    found = (
        Concern(
            Sign("Reçues, à répondre", "Received, to be answered", "wait"),
            tuple(row for row in received if row["status"] in TO_ANSWER),
            stands="open",
        ),
        Concern(
            Sign("Émises, le client attend de vous", "Issued, the customer waits for you", "wait"),
            tuple(row for row in issued if row["status"] in ASKED_BACK),
            stands="disputed",
        ),
        Concern(
            Sign("Rejetées ou refusées", "Rejected or refused", "bad"),
            tuple(
                row
                for row in issued
                if row["status"] in ENDED and row["number"] not in taken and _recent(row["received_at"], on)
            ),
            stands="ended",
        ),
        Concern(
            Sign("Données rejetées par l'administration", "Data rejected by the administration", "bad"),
            tuple(row for row in issued if _is_refused(row) and _recent(row["received_at"], on)),
            stands="refused",
        ),
        Concern(
            Sign("Déposées, non transmises", "Submitted, not transmitted", "wait"),
            tuple(row for row in issued if row["standing"] == "undelivered" and row["status"] == "200"),
            stands="undelivered",
        ),
        Concern(
            Sign("E-reporting à corriger", "E-reporting to be corrected", "bad"),
            periods=tuple(row for row in periods if _recent(row["created_at"], on)),
        ),
        Concern(Sign("Dépôts irrecevables", "Irreceivable deposits", "bad"), deposits=_irreceivable(deposits, on)),
    )
    return [concern for concern in found if concern.invoices or concern.deposits or concern.periods]


def _is_refused(row: Row) -> bool:
    """Tell whether the portal rejected the data or a status of an invoice that lives."""
    states = (row.get("declared") or "").split(",")
    return row["status"] not in ENDED and not {"rejected", "irreceivable"}.isdisjoint(states)


def _irreceivable(deposits: Sequence[Row], on: date) -> tuple[Row, ...]:
    taken: set[str] = set()
    found = []
    for row in deposits:
        if row["acknowledgement"] == "Ok":
            taken.add(row["name"])
        elif row["acknowledgement"] == "Error" and row["name"] not in taken and _recent(row["submitted_at"], on):
            found.append(row)
    return tuple(found)


def _recent(moment: datetime, on: date) -> bool:
    return on - paris_day(moment) <= SHOWN_FOR
