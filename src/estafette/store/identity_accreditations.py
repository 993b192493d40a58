"""What an organization lets another do in its name: an accountant's firm, a factor, a holding (XP Z12-013 §7).

An accreditation is from organization to organization, never to a person: who of the holder uses it is the holder's
affair. It says what (read, write), which types of flow, from which day to which, and is taken back at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Row, and_, insert, or_, select, update

from estafette.store.identity_clients import Holder
from estafette.store.identity_events import By, record
from estafette.store.roles import READING, WRITING
from estafette.store.tables import accreditation

NAMES = ("id", "grantor", "holder", "scopes", "flow_types", "starts_on", "ends_on", "granted_at", "granted_by")


UNDEFINED = "Undefined"
"""The type of a flow that is not judged yet, or cannot be (XP Z12-013 §3.6)."""


class NoSuchAccreditation(Exception):
    """The organization gave no such accreditation, or took it back already."""


@dataclass(frozen=True, slots=True)
class Let:
    """One permission: these scopes, for these types of flow; None: for every type."""

    scopes: frozenset[str]
    flow_types: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Acting:
    """For whom a client or a person acts, and how far: what any one of the permissions lets. `is_own`: for itself."""

    organization: str
    lets: tuple[Let, ...]
    is_own: bool = True

    @property
    def scopes(self) -> frozenset[str]:
        """Every scope that is let for some type of flow."""
        return frozenset().union(*(let.scopes for let in self.lets))

    def may(self, scope: str, flow_type: str | None = None) -> bool:
        """Tell whether this scope is let, for flows of this type when one is named."""
        types = self.flow_types(scope)
        return scope in self.scopes and (types is None or flow_type is None or flow_type in types)

    def flow_types(self, scope: str) -> frozenset[str] | None:
        """Return the types of flow for which a scope is let; None: every type."""
        held = [let.flow_types for let in self.lets if scope in let.scopes]
        return None if None in held else frozenset().union(*(types or () for types in held))

    def reads(self, flow_type: str) -> bool:
        """Tell whether a flow may be read; one not judged has no type: where types are limited, only senders may."""
        if flow_type == UNDEFINED and self.flow_types("flow.read") is not None:
            return self.may("flow.read") and self.may("flow.write")
        return self.may("flow.read", flow_type)

    def within(self, scopes: frozenset[str]) -> "Acting":
        """Return the same, no further than these scopes."""
        return Acting(
            self.organization, tuple(Let(let.scopes & scopes, let.flow_types) for let in self.lets), self.is_own
        )


def accredit(
    connection: Connection,
    by: By,
    *,
    holder: str,
    may_read: bool,
    may_write: bool,
    starts_on: date,
    ends_on: date | None = None,
    flow_types: Iterable[str] = (),
) -> int:
    """Return the number of a new accreditation, given by the organization of whoever acts."""
    scopes = sorted((READING if may_read else frozenset()) | (WRITING if may_write else frozenset()))
    row = {
        "grantor": by.organization,
        "holder": holder,
        "scopes": scopes,
        "flow_types": sorted(flow_types),
        "starts_on": starts_on,
        "ends_on": ends_on,
        "granted_at": by.now,
        "granted_by": by.login,
    }
    query = insert(accreditation).values(row).returning(accreditation.c.id)
    number = int(connection.execute(query).scalar_one())
    said = {name: row[name] for name in ("scopes", "flow_types")} | {"from": starts_on.isoformat()}
    _both(connection, by, holder, "accreditation.given", number, **said, to=ends_on.isoformat() if ends_on else None)
    return number


def take_back(connection: Connection, by: By, number: int) -> None:
    """The accreditation is over now: taken back by who gave it, or given up. Raises: NoSuchAccreditation."""
    a = accreditation.c
    mine = and_(a.id == number, a.revoked_at.is_(None), or_(a.grantor == by.organization, a.holder == by.organization))
    row = connection.execute(select(a.grantor, a.holder).where(mine)).first()
    if row is None:
        raise NoSuchAccreditation(str(number))
    connection.execute(update(accreditation).where(a.id == number).values(revoked_at=by.now, revoked_by=by.login))
    other = row.holder if row.grantor == by.organization else row.grantor
    _both(connection, by, other, "accreditation.ended", number)


def given(connection: Connection, grantor: str) -> Sequence[Row[tuple[object, ...]]]:
    """Return every accreditation the organization ever gave, the latest first."""
    return _listed(connection, accreditation.c.grantor == grantor)


def held(connection: Connection, holder: str) -> Sequence[Row[tuple[object, ...]]]:
    """Return every accreditation the organization ever held, the latest first."""
    return _listed(connection, accreditation.c.holder == holder)


def grants(connection: Connection, holder: str, *, on: date) -> dict[str, Acting]:
    """Return the other organizations that `holder` may act for on this day, each with what is let."""
    a = accreditation.c
    in_force = (a.revoked_at.is_(None), a.starts_on <= on, or_(a.ends_on.is_(None), a.ends_on >= on))
    found: dict[str, Acting] = {}
    query = select(a.grantor, a.scopes, a.flow_types).where(a.holder == holder, *in_force)
    for row in connection.execute(query.order_by(a.grantor, a.id)):
        let = Let(frozenset(row.scopes), frozenset(row.flow_types) or None)
        before = found[row.grantor].lets if row.grantor in found else ()
        found[row.grantor] = Acting(row.grantor, (*before, let), is_own=False)
    return found


def acting(connection: Connection, held_by: Holder, organization: str | None, *, on: date) -> Acting | None:
    """Return for whom a client acts and how far, None when it may not act for the organization it names.

    Naming none is naming its own: an accreditation given to a company must not break that company's software. The
    client's scopes and those of the accreditation both hold.
    """
    if organization is None or organization == held_by.tenant:
        return Acting(held_by.tenant, (Let(held_by.scopes),))
    let = grants(connection, held_by.tenant, on=on).get(organization)
    return let.within(held_by.scopes) if let else None


def _listed(connection: Connection, mine: object) -> Sequence[Row[tuple[object, ...]]]:
    columns = [accreditation.c[name] for name in (*NAMES, "revoked_at", "revoked_by")]
    return connection.execute(select(*columns).where(mine).order_by(accreditation.c.id.desc())).all()  # type: ignore[arg-type]


def _both(connection: Connection, by: By, other: str, kind: str, number: int, **detail: object) -> None:
    """Both sides have the act in their trace."""
    record(connection, by, kind, str(number), other=other, **detail)
    record(connection, By(by.login, other, by.now), kind, str(number), other=by.organization, **detail)
