"""A flow as XP Z12-013 writes it: the names and values of its edition 1.3, for the API, its document and webhooks.

The names are on the wire exactly as published; every field that edition 1.3 requires is always there.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import RowMapping

ProcessingRule = Literal[
    "B2B", "B2BInt", "B2C", "B2G", "B2GInt", "OutOfScope", "B2GOutOfScope", "ArchiveOnly", "NotApplicable", "Undefined"
]
FlowSyntax = Literal["CII", "UBL", "Factur-X", "CDAR", "FRR"]
FlowProfile = Literal["Basic", "CIUS", "Extended-CTC-FR", "Undefined"]
FlowType = Literal[
    "CustomerInvoice",
    "SupplierInvoice",
    "CustomerInvoiceLC",
    "SupplierInvoiceLC",
    "StateCustomerInvoiceLC",
    "StateSupplierInvoiceLC",
    "AggregatedCustomerTransactionReport",
    "UnitaryCustomerTransactionReport",
    "AggregatedCustomerPaymentReport",
    "UnitaryCustomerPaymentReport",
    "UnitarySupplierTransactionReport",
    "MultiFlowReport",
    "StateCustomerInvoice",
    "StateSupplierInvoice",
    "StateTransactionReport",
    "StateTransactionReportLC",
    "StatePaymentReport",
    "StatePaymentReportLC",
    "Undefined",
]
FlowDirection = Literal["In", "Out"]
AckStatus = Literal["Pending", "Ok", "Error"]
Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
Identifier = Annotated[str, msgspec.Meta(max_length=64)]
Name = Annotated[str, msgspec.Meta(max_length=255)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[a-f0-9]{64}$")]


class AcknowledgementDetail(msgspec.Struct, rename="camel", frozen=True):
    """Why a file could not be taken, or what its sender should know of it (§3.7)."""

    level: Literal["Error", "Warning"]
    item: str
    reason_code: str
    reason_message: str


class Acknowledgement(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """Whether the file could be taken; it says nothing of whether the invoice is good."""

    status: AckStatus
    details: Annotated[list[AcknowledgementDetail], msgspec.Meta(min_length=1)] | None = None


class Flow(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """A flow of a company. `sha256` and what begins with `invoice` are ours, beside the norm's names."""

    flow_id: Identifier
    name: Name
    flow_syntax: FlowSyntax
    flow_profile: FlowProfile
    flow_type: FlowType
    flow_direction: FlowDirection
    processing_rule: ProcessingRule
    processing_rule_source: Literal["Input", "Computed"]
    submitted_at: Moment
    updated_at: Moment
    acknowledgement: Acknowledgement
    tracking_id: Identifier | None = None
    sha256: Sha256 | None = None
    invoice_standing: str | None = None
    invoice_explanation: dict[str, Any] | None = None


def form_of(row: Mapping[str, Any] | RowMapping, direction: FlowDirection) -> Flow:
    """Return a row of the table of flows as it travels, with how its invoice stands where the row says it."""
    details = [
        AcknowledgementDetail(each["level"], each["item"], each["reasonCode"], each["reasonMessage"])
        for each in row["details"]
    ]
    return Flow(
        flow_id=row["id"],
        name=row["name"],
        flow_syntax=row["syntax"],
        flow_profile=row["profile"],
        flow_type=row["flow_type"],
        flow_direction=direction,
        processing_rule=row["processing_rule"],
        processing_rule_source=row["processing_rule_source"],
        submitted_at=instant(row["submitted_at"]),
        updated_at=instant(row["updated_at"]),
        acknowledgement=Acknowledgement(row["acknowledgement"], details or None),
        tracking_id=row["tracking_id"],
        sha256=row["sha256"],
        invoice_standing=row.get("standing"),
        invoice_explanation=row.get("explanation"),
    )


def instant(value: datetime) -> str:
    """Write an instant as the API does: RFC 3339, UTC, three digits of milliseconds."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
