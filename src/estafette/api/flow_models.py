"""What clients of the Flow Service send and are answered, in the names of XP Z12-013, edition 1.3.

What editions 1.1 and 1.2 send differently is read too (api: `spelled`): a type they had, a rule in other letters, one
status or several. Names of fields that are in none of them are passed over.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from estafette.platform.flow_form import (
    AckStatus,
    Flow,
    FlowDirection,
    FlowProfile,
    FlowSyntax,
    FlowType,
    Identifier,
    Moment,
    Name,
    ProcessingRule,
    Sha256,
)

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
GivenRule = Literal[
    "B2B", "B2BInt", "B2C", "B2G", "B2GInt", "OutOfScope", "B2GOutOfScope", "ArchiveOnly", "NotApplicable"
]
"""`Undefined` is for answers only."""

SPELLED = {rule.lower(): rule for rule in GivenRule.__args__} | {"bint2g": "B2GInt", "undefined": "Undefined"}  # type: ignore[attr-defined]
"""The rule that a text means, whatever its letters; the norm itself spells one of them three ways."""


FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC: the first or the last there is for one that only another zone can tell.

    >>> in_utc(datetime.fromisoformat("0001-01-01T00:00:00+14:00")).isoformat()
    '0001-01-01T00:00:00+00:00'
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return FIRST if moment.year == FIRST.year else LAST


class FlowInfo(msgspec.Struct, rename="camel", frozen=True):
    """What the client says of its file. The name may be left out (edition 1.1): that of the file part is taken."""

    flow_syntax: FlowSyntax
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | None = None
    tracking_id: Identifier | None = None
    processing_rule: GivenRule | None = None
    flow_profile: FlowProfile | None = None
    sha256: Sha256 | None = None


class FullFlowInfo(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """A deposit that was taken; its rule and its profile are said when they are known."""

    flow_id: Identifier
    submitted_at: Moment
    name: Name
    flow_syntax: FlowSyntax
    processing_rule: ProcessingRule | None = None
    flow_profile: FlowProfile | None = None
    tracking_id: Identifier | None = None
    sha256: Sha256 | None = None


class SearchFlowFilters(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """The criteria of a search, all of which hold; a list holds by any of its values. At least one is needed."""

    updated_after: Instant | None = None
    updated_before: Instant | None = None
    processing_rule: Annotated[list[ProcessingRule], msgspec.Meta(min_length=1)] | None = None
    flow_type: Annotated[list[FlowType | Literal["StateInvoice"]], msgspec.Meta(min_length=1)] | None = None
    flow_direction: Annotated[list[FlowDirection], msgspec.Meta(min_length=1)] | None = None
    flow_profile: Annotated[list[FlowProfile], msgspec.Meta(min_length=1)] | None = None
    tracking_id: Identifier | None = None
    ack_status: AckStatus | Annotated[list[AckStatus], msgspec.Meta(min_length=1)] | None = None

    def criteria(self) -> dict[str, Any]:
        """Return what is asked, by its name in our words."""
        asked = {name: getattr(self, name) for name in self.__struct_fields__}
        asked |= {name: in_utc(value) for name, value in asked.items() if isinstance(value, datetime)}
        if isinstance(self.ack_status, str):
            asked["ack_status"] = [self.ack_status]
        return {name: value for name, value in asked.items() if value is not None}


class SearchFlowParams(msgspec.Struct, frozen=True):
    """A page of a search."""

    where: SearchFlowFilters
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 25
    cursor: str | None = None


class SearchFlowContent(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """A page of flows, the oldest update first; without `nextCursor` it is the last."""

    limit: Annotated[int, msgspec.Meta(le=100)]
    filters: SearchFlowFilters
    results: list[Flow]
    next_cursor: str | None = None


def spelled(sent: Any) -> Any:
    """Return what was sent with every processing rule as it is published."""
    if isinstance(sent, dict):
        where = sent.get("where")
        changed = {"where": spelled(where)} if isinstance(where, dict) else {}
        rule = sent.get("processingRule")
        if isinstance(rule, str):
            changed["processingRule"] = SPELLED.get(rule.lower(), rule)
        elif isinstance(rule, list):
            changed["processingRule"] = [SPELLED.get(one.lower(), one) if isinstance(one, str) else one for one in rule]
        return {**sent, **changed}
    return sent
