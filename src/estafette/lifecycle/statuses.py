"""The statuses, one row each: what they are called, in which phase they stand, who sets them, who is told.

Source: external specifications v3.2, general file §3.4–3.6 and annex 2; annex of AIFE on B2G and G2B statuses;
published examples of XP Z12-014. The codes 215–219, 222 and 223 are attributed to nothing; a code
that is not in the table is kept and shown as it is (`label_of`), never set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from estafette.formats.status_message import Role

SELLER_SIDE = frozenset({Role.SELLER, Role.SELLER_AGENT, Role.INVOICER})
BUYER_SIDE = frozenset({Role.BUYER, Role.BUYER_AGENT, Role.INVOICEE})
PAYERS = BUYER_SIDE | {Role.PAYER, Role.SELLER}
"""The seller pays too, when it refunds."""
PAYEES = SELLER_SIDE | {Role.PAYEE, Role.FACTOR}
FACTORING = frozenset({Role.SELLER, Role.SELLER_AGENT, Role.FACTOR})
PLATFORM = frozenset({Role.PLATFORM})
PORTAL = frozenset({Role.PORTAL})
AGENTS = frozenset({Role.BUYER_AGENT, Role.SELLER_AGENT})
CONFIDENTIAL = frozenset({Role.SELLER, Role.FACTOR})
"""Those who know of a confidential factoring; it never reaches the buyer nor its platform."""

SELF_BILLED = frozenset({"389", "501", "500", "471", "473", "261", "502"})
"""Types of invoice (BT-3) that the buyer makes: seller and buyer exchange their roles before the invoice (BR-FR-22)."""


class Phase(StrEnum):
    """What MDT-77 says: set by a platform, in order, or by a party, at any time."""

    TRANSMISSION = "305"
    TREATMENT = "23"


class ObjectKind(StrEnum):
    """What a status is about."""

    INVOICE = "invoice"
    FLOW = "flow"
    INVOICE_DATA = "invoice data"
    TRANSMISSION = "e-reporting transmission"
    DIRECTORY = "directory update"
    STATUS = "status message"


class Duty(StrEnum):
    """Whether the portal must be told (G7.44 refuses what it needs not know)."""

    ALWAYS = "M"
    CONDITIONAL = "C"
    NEVER = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One status. `emitters`: the roles that may set it (MDT-40), as for an invoice that the seller makes."""

    code: str
    name: str
    label: str
    phase: Phase
    emitters: frozenset[Role]
    document_status: str = ""
    """MDT-88 (UNTDID 1373); empty where the phase allows none, or the published examples have none."""
    objects: frozenset[ObjectKind] = frozenset({ObjectKind.INVOICE})
    duty: Duty = Duty.NEVER
    is_terminal: bool = False
    """Nothing may follow it."""
    needs_reason: bool = False
    """BR-FR-CDV-15 between platforms, G7.08 for the portal."""
    needs_comment: bool = False
    """MDT-126 is asked for (G7.25)."""
    asks_action: bool = False
    """The one who sets it may ask the other for an action (MDT-121)."""
    data: frozenset[str] = frozenset()
    """The data that go with it (MDT-207), beside the one that goes with any (MAJ)."""
    in_b2g: bool = False
    """A platform and Chorus Pro exchange it about an invoice to a public entity."""
    in_g2b: bool = False
    """A public entity's invoice to a company may have it."""
    told: frozenset[Role]
    """The parties that are told of it, the one who sets it apart."""

    @property
    def is_obligatory(self) -> bool:
        """Tell whether the portal is told of it, always or sometimes."""
        return self.duty is not Duty.NEVER


_SE, _BOTH, _WK = frozenset({Role.SELLER}), frozenset({Role.SELLER, Role.BUYER}), PLATFORM
_T, _P = Phase.TRANSMISSION, Phase.TREATMENT
_IN, _FL, _DA = ObjectKind.INVOICE, ObjectKind.FLOW, ObjectKind.INVOICE_DATA
_TR, _DI, _ST = ObjectKind.TRANSMISSION, ObjectKind.DIRECTORY, ObjectKind.STATUS


def _status(  # noqa: PLR0917 - a row of the table
    code: str, name: str, label: str, mdt_88: str, phase: Phase, emitters: frozenset[Role], told: frozenset[Role],
    flags: str, *objects: ObjectKind,
) -> Status:  # fmt: skip
    """Make a row; `flags` are words: ! obligatory, ? sometimes, end, reason, comment, action, b2g, g2b, and data."""
    words = set(flags.split())
    return Status(
        code=code,
        name=name,
        label=label,
        phase=phase,
        emitters=emitters,
        told=told,
        document_status=mdt_88,
        objects=frozenset(objects) or frozenset({_IN}),
        duty=Duty.ALWAYS if "!" in words else Duty.CONDITIONAL if "?" in words else Duty.NEVER,
        is_terminal="end" in words,
        needs_reason="reason" in words,
        needs_comment="comment" in words,
        asks_action="action" in words,
        data=frozenset(word for word in words if word.isupper()),
        in_b2g="b2g" in words,
        in_g2b="g2b" in words,
    )


_DISPUTE = "reason action g2b MNA MNATTC DIV DVA"
_PARTLY = _DISPUTE + " MAP MAPTTC RAB REM"

# fmt: off
_ROWS = tuple(_status(*row) for row in (
    ("200", "Submitted", "Déposée", "10", _T, PLATFORM, _SE, "! b2g g2b"),
    ("201", "Sent by the platform", "Émise par la plateforme", "51", _T, PLATFORM, _SE, "g2b"),
    ("202", "Received by the platform", "Reçue par la plateforme", "43", _T, PLATFORM, _BOTH, "b2g g2b"),
    ("203", "Made available", "Mise à disposition", "48", _T, PLATFORM, _BOTH, "b2g g2b"),
    ("204", "Acknowledged", "Prise en charge", "45", _P, BUYER_SIDE, _BOTH, "b2g g2b"),
    ("205", "Approved", "Approuvée", "1", _P, BUYER_SIDE, _BOTH, "g2b"),
    ("206", "Partially approved", "Approuvée partiellement", "49", _P, BUYER_SIDE, _BOTH, _PARTLY),
    ("207", "Disputed", "En litige", "46", _P, BUYER_SIDE, _BOTH, _DISPUTE),
    ("208", "Suspended", "Suspendue", "39", _P, BUYER_SIDE, _BOTH, "reason comment action b2g g2b DIV DVA"),
    ("209", "Completed", "Complétée", "37", _P, SELLER_SIDE, _BOTH, "b2g g2b"),
    ("210", "Refused", "Refusée", "50", _P, BUYER_SIDE, _BOTH, "! reason comment action b2g g2b DIV DVA"),
    ("211", "Payment sent", "Paiement transmis", "47", _P, PAYERS, _BOTH, "b2g g2b MPA RAP RAB REM"),
    ("212", "Collected", "Encaissée", "47", _P, PAYEES, _BOTH, "? b2g g2b MEN RAP ESC RAB REM"),
    ("213", "Rejected", "Rejetée", "8", _T, PLATFORM, _BOTH, "! end reason b2g g2b"),
    ("214", "Endorsed", "Visée", "5", _P, AGENTS, _BOTH, "b2g g2b"),
    ("220", "Cancelled", "Annulée", "", _P, SELLER_SIDE, _BOTH, "g2b"),
    ("221", "Misrouted", "Erreur de routage", "", _T, PLATFORM, _WK, "reason g2b"),
    ("224", "Direct payment asked", "Demande de paiement direct", "5", _P, SELLER_SIDE | AGENTS, _BOTH, ""),
    ("225", "Factored", "Affacturée", "5", _P, FACTORING, _BOTH, "CBB"),
    ("226", "Factored in confidence", "Affacturée confidentiel", "5", _P, FACTORING, CONFIDENTIAL, ""),
    ("227", "Payee account changed", "Changement de compte à payer", "5", _P, PAYEES, _BOTH, "b2g g2b CBB"),
    ("228", "No longer factored", "Non affacturée", "5", _P, FACTORING, _BOTH, "CBB"),
    ("500", "Receivable", "Recevable", "", _T, PLATFORM | PORTAL, _WK, "end b2g", _FL),
    ("501", "Irreceivable", "Irrecevable", "", _T, PLATFORM | PORTAL, _WK, "end reason b2g g2b", _FL, _IN),
    ("250", "Data accepted", "Déposée", "", _T, PORTAL, _WK, "end", _DA),
    ("251", "Data rejected", "Rejetée", "", _T, PORTAL, _WK, "end reason", _DA),
    ("300", "Transmission accepted", "Déposée", "", _T, PORTAL, _WK, "end", _TR),
    ("301", "Transmission rejected", "Rejetée", "", _T, PORTAL, _WK, "end reason", _TR),
    ("400", "Update accepted", "Acceptée", "", _T, PORTAL, _WK, "end", _DI),
    ("401", "Update rejected", "Rejetée", "", _T, PORTAL, _WK, "end reason", _DI),
    ("601", "Status rejected", "Rejeté", "", _T, PLATFORM | PORTAL, _WK, "end reason b2g g2b", _ST),
))
# fmt: on

STATUSES: Mapping[str, Status] = MappingProxyType({row.code: row for row in _ROWS})
"""Every status by its code (MDT-105)."""

OBLIGATORY = frozenset(row.code for row in _ROWS if row.is_obligatory)
"""The statuses that the portal takes: 200, 210, 212 and 213 (G7.44)."""


def label_of(code: str) -> str:
    """Give the French label of a status, or the code itself when nothing says what it is.

    >>> label_of("204"), label_of("219")
    ('Prise en charge', '219')
    """
    status = STATUSES.get(code)
    return status.label if status else code


def emitters_of(status: Status, *, self_billed: bool = False) -> frozenset[Role]:
    """Give the roles that may set a status; on a self-billed invoice, the one who answers is the seller.

    Money does not turn with the invoice: the buyer still pays, the seller still collects.

    >>> sorted(emitters_of(STATUSES["205"], self_billed=True))
    [<Role.INVOICER: 'II'>, <Role.SELLER: 'SE'>, <Role.SELLER_AGENT: 'SR'>]
    """
    if not self_billed:
        return status.emitters
    return {BUYER_SIDE: SELLER_SIDE, SELLER_SIDE: BUYER_SIDE}.get(status.emitters, status.emitters)
