"""What the feeds make of the directory: rows of the national and of the tax register, a few thousand at a time.

The national register says who exists: a unit or an establishment that is active enters the directory, what changes of
one is a new version, one that ceases loses its lines (`Register`). One that ceased before it was ever known is passed
over. The tax register says who is shown: a private unit that becomes taxable has its default line from that day, one
that no longer is loses its lines; a day to come is kept, and applied on that day by whoever calls `apply_due`.

What is new is written by the thousand, everything else one by one through the register. Rows come twice, late and out
of order: what is older than what is known changes nothing, and neither does what says the same.

Source: external specifications v3.2, general file §3.5.3 to 3.5.5.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, and_, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from estafette.directory import DirectoryLine, Establishment, LegalUnit
from estafette.directory.resolution import FICTIVE
from estafette.formats.sirene import NationalEstablishment, NationalUnit, Wrong
from estafette.formats.tax_register import TaxStatus
from estafette.portal import holdings
from estafette.portal.feed_files import Feed, Record
from estafette.portal.feed_tables import feed_load, feed_treatment, tax_status
from estafette.portal.journal import row_of
from estafette.portal.register import INSTANCE, Register
from estafette.portal.tables import directory_line, establishment, legal_unit
from estafette.store import sequences

DUE_AT_ONCE = 1_000
"""Units whose tax status of the day is applied in one transaction."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

National = TypeVar("National", NationalUnit, NationalEstablishment)


@dataclass(slots=True)
class Effect:
    """What some rows did: entries added, changed, left as they were, passed over; rows that were refused, by line."""

    added: int = 0
    changed: int = 0
    same: int = 0
    passed: int = 0
    rejected: list[tuple[int, Wrong]] = field(default_factory=list)
    units_until: datetime = EPOCH
    establishments_until: datetime = EPOCH


def apply(register: Register, feed: Feed, records: Sequence[Record]) -> Effect:
    """The directory says what these records say; returns what they did."""
    effect = Effect()
    effect.rejected = [(one.line, one.content) for one in records if isinstance(one.content, Wrong)]
    units = {one.content.siren: one.content for one in records if isinstance(one.content, NationalUnit)}
    shops = [(one.line, one.content) for one in records if isinstance(one.content, NationalEstablishment)]
    if units:
        effect.units_until = max(unit.changed_at for unit in units.values())
        _units(register, _fresh(register.connection, feed, units, effect), effect)
    if shops:
        effect.establishments_until = max(shop.changed_at for _line, shop in shops)
        lines = {shop.siret: line for line, shop in shops}
        fresh = _fresh(register.connection, feed, {shop.siret: shop for _line, shop in shops}, effect)
        _establishments(register, fresh, lines, effect)
    if statuses := [one.content for one in records if isinstance(one.content, TaxStatus)]:
        _statuses(register, statuses, effect)
    return effect


# --------------------------------------------------------------------------------------------- the national register


def _fresh(connection: Connection, feed: Feed, told: Mapping[str, National], effect: Effect) -> dict[str, National]:
    """Return what is newer than what INSEE was known to have treated; of a daily file, note that it was."""
    query = select(feed_treatment).where(feed_treatment.c.number.in_(told))
    treated = {row.number: row.treated_at for row in connection.execute(query)}
    is_daily = feed is Feed.DAILY
    column = feed_load.c.units_until if len(next(iter(told))) == 9 else feed_load.c.establishments_until
    of_stock = _stock_until(connection, column) if is_daily else None
    floors = {number: treated.get(number, of_stock) for number in told}
    fresh = {number: one for number, one in told.items() if (floor := floors[number]) is None or one.changed_at > floor}
    effect.passed += len(told) - len(fresh)
    if is_daily and fresh:
        rows = [{"number": number, "treated_at": one.changed_at} for number, one in fresh.items()]
        _upsert(connection, feed_treatment, rows, ("treated_at",))
    return fresh


def _stock_until(connection: Connection, column: Any) -> datetime:
    """Return the moment up to which a stock that was loaded to its end has everything."""
    query = select(func.max(column)).where(feed_load.c.feed == Feed.STOCK, feed_load.c.ended_at.is_not(None))
    return connection.execute(query).scalar() or EPOCH


def _units(register: Register, told: Mapping[str, NationalUnit], effect: Effect) -> None:
    connection = register.connection
    held = _held(connection, LegalUnit, legal_unit, legal_unit.c.siren, told)
    unknown = [one for siren, one in told.items() if siren not in held]
    taxable = _taxable(connection, [one.siren for one in unknown if one.status == "A"], register.today)
    new = [
        LegalUnit(
            siren=one.siren,
            name=one.name,
            entity_type="P" if one.is_public else "A",
            is_taxable=one.siren in taxable,
            diffusion=one.diffusion,
        )
        for one in unknown
        if one.status == "A"
    ]
    _insert(register, new)
    _defaults(register, [unit.siren for unit in new if unit.is_taxable and unit.entity_type == "A"])
    effect.added += len(new)
    effect.passed += len(unknown) - len(new)
    for siren, before in held.items():
        one = told[siren]
        is_public = one.is_public or before.entity_type == "P"
        after = replace(
            before,
            name=one.name or before.name,
            status=one.status,
            diffusion=one.diffusion,
            entity_type="P" if is_public else "A",
        )
        _count(effect, after != before)
        if after != before:
            _change_unit(register, before, after)


def _change_unit(register: Register, before: LegalUnit, after: LegalUnit) -> None:
    """The unit is as told, its establishments without a name of their own bear its new one."""
    register.put_unit(after)
    if after.status == "A" and after.is_taxable and after.entity_type == "A":
        register.restore(after.siren)
    if after.name != before.name:
        for shop in holdings.establishments_of(register.connection, after.siren):
            if shop.name == before.name[:100]:
                register.put_establishment(replace(shop, name=after.name[:100]))


def _establishments(
    register: Register, told: Mapping[str, NationalEstablishment], lines: Mapping[str, int], effect: Effect
) -> None:
    connection = register.connection
    units = _held(connection, LegalUnit, legal_unit, legal_unit.c.siren, {siret[:9] for siret in told})
    held = _held(connection, Establishment, establishment, establishment.c.siret, told)
    new = []
    for siret, one in told.items():
        unit, before = units.get(siret[:9]), held.get(siret)
        if one.status != "A" and before is None:
            effect.passed += 1
        elif unit is None:
            effect.rejected.append((lines[siret], _orphan(siret)))
        elif before is None:
            new.append(_establishment(one, unit, Establishment(siret=siret, name="")))
        else:
            after = _establishment(one, unit, before)
            _count(effect, after != before)
            if after != before:
                register.put_establishment(after)
    effect.added += len(new)
    _insert(register, new)


def _establishment(one: NationalEstablishment, unit: LegalUnit, before: Establishment) -> Establishment:
    """Return an establishment as the national register says; what public entities ask of invoices is not its matter."""
    return replace(
        before,
        name=one.name or unit.name[:100],
        kind=one.kind,
        status=one.status,
        diffusion=one.diffusion,
        line_1=one.line_1,
        line_2=one.line_2,
        line_3=one.line_3,
        city=one.city,
        postal_code=one.postal_code,
        country=one.country,
    )


def _orphan(siret: str) -> Wrong:
    return Wrong(
        "siret",
        siret,
        "unité légale inconnue : chargez d'abord les unités légales",
        "legal unit unknown: load the legal units first",
    )


def _count(effect: Effect, is_changed: bool) -> None:
    if is_changed:
        effect.changed += 1
    else:
        effect.same += 1


# --------------------------------------------------------------------------------------------------- the tax register


def _statuses(register: Register, told: Sequence[TaxStatus], effect: Effect) -> None:
    """The changes are kept, those whose day has come are applied."""
    connection = register.connection
    latest = {(one.siren, one.effective_on): one.is_taxable for one in told}
    sirens = {one.siren for one in told}
    query = select(tax_status).where(tax_status.c.siren.in_(sirens))
    held = {(row.siren, row.effective_on): row.is_taxable for row in connection.execute(query)}
    rows = [
        {
            "siren": siren,
            "effective_on": day,
            "is_taxable": is_taxable,
            "applied": False,
            "recorded_at": register.at,
        }
        for (siren, day), is_taxable in latest.items()
        if held.get((siren, day)) is not is_taxable
    ]
    effect.added += sum((row["siren"], row["effective_on"]) not in held for row in rows)
    effect.changed += sum((row["siren"], row["effective_on"]) in held for row in rows)
    effect.same += len(told) - len(rows)
    if rows:
        _upsert(connection, tax_status, rows, ("is_taxable", "applied", "recorded_at"))
        _settle(register, {str(row["siren"]) for row in rows})


def apply_due(register: Register) -> int:
    """The directory says of some units what the tax register says today, of those whose day has come; how many."""
    due = (tax_status.c.applied.is_(False), tax_status.c.effective_on <= register.today)
    query = select(tax_status.c.siren).where(*due).distinct().limit(DUE_AT_ONCE)
    sirens = set(register.connection.execute(query).scalars())
    if sirens:
        _settle(register, sirens)
    return len(sirens)


def _settle(register: Register, sirens: Collection[str]) -> None:
    """These units are taxable, or not, as the tax register says today."""
    connection, today = register.connection, register.today
    taxable = _taxable(connection, sirens, today)
    held = _held(connection, LegalUnit, legal_unit, legal_unit.c.siren, sirens)
    gained = [unit for unit in held.values() if unit.siren in taxable and not unit.is_taxable]
    _renew(register, [replace(unit, is_taxable=True) for unit in gained])
    _defaults(register, [unit.siren for unit in gained if unit.status == "A" and unit.entity_type == "A"])
    for unit in held.values():
        if unit.siren not in taxable and unit.is_taxable:
            register.put_unit(replace(unit, is_taxable=False))
    mine = and_(tax_status.c.siren.in_(sirens), tax_status.c.effective_on <= today)
    connection.execute(update(tax_status).where(mine).values(applied=True))


def _taxable(connection: Connection, sirens: Collection[str], today: date) -> set[str]:
    """Return those of these units that the tax register says are taxable today."""
    if not sirens:
        return set()
    query = select(tax_status.c.siren, tax_status.c.is_taxable).where(
        tax_status.c.siren.in_(sirens), tax_status.c.effective_on <= today
    )
    latest = {row.siren: row.is_taxable for row in connection.execute(query.order_by(tax_status.c.effective_on))}
    return {siren for siren, is_taxable in latest.items() if is_taxable}


# -------------------------------------------------------------------------------------------------- by the thousand


def _held(connection: Connection, kind: type[Any], table: Table, column: Any, numbers: Iterable[str]) -> dict[str, Any]:
    """Return what counts now of these numbers, by number."""
    query = select(table).where(column.in_(list(numbers)), holdings.counts(table))
    return {row[column.name]: holdings.entry(kind, row) for row in connection.execute(query).mappings()}


def _insert(register: Register, entries: Sequence[LegalUnit | Establishment | DirectoryLine]) -> None:
    """Write entries that the directory never had, under the change of this register."""
    if not entries:
        return
    change = register.change()
    numbers = sequences.reserve(register.connection, INSTANCE, len(entries))
    rows = [
        {**row_of(entry), "instance": instance, "known_from": change}
        for entry, instance in zip(entries, numbers, strict=True)
    ]
    register.connection.execute(insert(holdings.TABLES[type(entries[0])]), rows)


def _renew(register: Register, units: Sequence[LegalUnit]) -> None:
    """Write a new version of units whose lines it leaves as they are."""
    if not units:
        return
    change = register.change()
    old = and_(legal_unit.c.siren == bindparam("mine"), legal_unit.c.known_until.is_(None))
    values = [{"mine": unit.siren} for unit in units]
    register.connection.execute(update(legal_unit).where(old).values(known_until=change), values)
    _insert(register, units)


def _defaults(register: Register, sirens: Sequence[str]) -> None:
    """Private units without any line from today on have their default one (directory.md §5)."""
    if not sirens:
        return
    query = select(directory_line).where(
        directory_line.c.address.in_(sirens), holdings.counts(directory_line), directory_line.c.nature == "D"
    )
    rows = register.connection.execute(query).mappings().all()
    for siren in {row["address"] for row in rows}:
        register.restore(siren)
    reached = {row["address"] for row in rows}
    lines = [
        DirectoryLine(siren=siren, matricule=FICTIVE, start=register.today) for siren in sirens if siren not in reached
    ]
    _insert(register, lines)


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]], changed: Sequence[str]) -> None:
    """Rows are there, once by their key, with these columns as told."""
    make: Callable[..., Any] = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    keys = [column.name for column in table.primary_key]
    values = {name: statement.excluded[name] for name in changed}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)
