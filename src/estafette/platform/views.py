"""How one client sees the flows of its company: which way each went, and whether the mirrors of the State are shown.

The norm gives two readings of the direction of what a platform makes (XP Z12-013 §3.8): its schema says `In` is from
the platform to the client, its annex C gives `Out` to the statuses that the sender's own platform sets. Installed
clients read it as the schema does (`delivery`); a client may ask for the other (`annex-c`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from estafette.platform.flow_form import Flow, FlowDirection, form_of

ORIGINS = ("client", "platform", "peer", "portal")
"""Who made the file of a flow: the company's software, this platform, another one, the public portal."""

OUTWARD = {"delivery": frozenset({"client"}), "annex-c": frozenset({"client", "platform"})}
"""Whose files go out, by how the direction is read."""


@dataclass(frozen=True, slots=True)
class View:
    """How a client sees its flows. `direction`: `delivery` or `annex-c`; `state_flows`: the mirrors are shown unasked.

    `only`: the types of flow it may see, where it acts for another company; None: every type.
    """

    direction: str = "delivery"
    state_flows: bool = False
    only: frozenset[str] | None = None

    def direction_of(self, origin: str) -> FlowDirection:
        """Return the direction of a flow of this origin."""
        return "Out" if origin in OUTWARD[self.direction] else "In"

    def origins(self, directions: Iterable[str]) -> list[str]:
        """Return the origins that go in these directions."""
        return [origin for origin in ORIGINS if self.direction_of(origin) in directions]

    def form(self, row: Mapping[str, Any] | RowMapping) -> Flow:
        """Return a row of the table of flows as this client sees it."""
        return form_of(row, self.direction_of(row["origin"]))
