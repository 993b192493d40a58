"""The life cycle: which statuses exist, who may set them, after what, for which reasons, and how they are told.

Three tables hold the law, everything else reads them: `statuses.STATUSES` (one row a status), `guards.GUARDS` (after
what a status may come), `reasons.REASONS` (why, and for which status). Read first: `statuses`, then `guards` (`may`,
`possible`), then `messages` (a status becomes a message for the parties, for the portal, about a flow, about an
object). `contents` judges what a status must carry, `obligatory` is the control of the public portal.

The life cycle is a set of facts with guards, not an automaton: the texts give a partial order, the parties act in any
order, messages arrive late. `docs/lifecycle.md` is generated from the tables by `description`.

Deliberately absent: a clock, a store, the syntax of messages (`formats.cdar`), the decision of a business.
"""

from estafette.lifecycle.guards import Refusal, Side, StatusEvent, may, possible
from estafette.lifecycle.statuses import STATUSES, Status

__all__ = ["STATUSES", "Refusal", "Side", "Status", "StatusEvent", "may", "possible"]
