"""The registration of platforms: from the file to the number, its terms and the public list.

    DRAFT → SUBMITTED → INCOMPLETE ⇄ COMPLETE → UNDER_REVIEW → REGISTERED_WITH_RESERVATION → REGISTERED → WITHDRAWN
                                                             → REGISTERED | REFUSED

Law: CGI art. 290 B; annexe II, art. 242 nonies B (documents 1° to 8°, two months to decide, reservations on tests), C
(renewal); the number has four digits (ISO 6523 scheme 0238) and is valid three years. It is not on the public list.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, insert, select, update

from estafette.administration import journal, parameters
from estafette.administration.completeness import Link, RegistrationForm, findings, missing_tests
from estafette.administration.files import Finding, plain
from estafette.administration.journal import Act, NotAllowed, Term
from estafette.administration.parameters import month_after
from estafette.administration.tables import registration, registration_file
from estafette.values.moments import paris_day
from estafette.vat.forms import Text

SUBJECT = "registration"

RESERVED = frozenset({"0000", "9997", "9998", "9999"})
"""The public portal unless it has another, Chorus Pro as it sends, the fictitious platform of default directory lines,
Chorus Pro as it receives (directory.md §5)."""


class State(StrEnum):
    """Where a file is."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    INCOMPLETE = "INCOMPLETE"
    COMPLETE = "COMPLETE"
    UNDER_REVIEW = "UNDER_REVIEW"
    RESERVED = "REGISTERED_WITH_RESERVATION"
    REGISTERED = "REGISTERED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


TRANSITIONS = journal.table("""
DRAFT: SUBMITTED
SUBMITTED: INCOMPLETE COMPLETE
INCOMPLETE: INCOMPLETE COMPLETE WITHDRAWN
COMPLETE: INCOMPLETE COMPLETE UNDER_REVIEW WITHDRAWN
UNDER_REVIEW: REGISTERED_WITH_RESERVATION REGISTERED REFUSED INCOMPLETE WITHDRAWN
REGISTERED_WITH_RESERVATION: REGISTERED WITHDRAWN
REGISTERED: WITHDRAWN
REFUSED:
WITHDRAWN:
""")

DECISIONS = (State.RESERVED, State.REGISTERED, State.REFUSED)
IN_FORCE = (State.RESERVED, State.REGISTERED)


RESERVED_CODES = frozenset({"PPF000", "PPF001"})
"""Application codes of the portal: as the platform of its direct users, and in the names of its own flows."""


@dataclass(frozen=True, slots=True)
class File:
    """A registration file as it stands; `matricule` once a number was given."""

    id: int
    state: State
    form: RegistrationForm
    submitted_at: datetime
    receipt: str
    findings: tuple[Finding, ...]
    matricule: str | None = None
    granted_on: date | None = None
    delivered_on: date | None = None
    expires_on: date | None = None
    ended_on: date | None = None


class Announcement(msgspec.Struct, frozen=True):
    """What the portal is told of a platform, as JSON; `registered_until` is the day its registration was lost."""

    matricule: str
    name: str
    siren: str | None
    application_code: str | None
    url: str | None
    public_key: str | None
    registered_from: date
    registered_until: date | None
    platform_type: str = "PDP"


def submit(connection: Connection, form: RegistrationForm, *, act: Act) -> int:
    """The file is had and its completeness known; returns its number. The same content again is the same file."""
    receipt = hashlib.sha256(msgspec.json.encode(form)).hexdigest()
    same = select(registration_file.c.id).where(registration_file.c.receipt == receipt)
    had = connection.execute(same.where(registration_file.c.state != State.REFUSED)).scalar()
    if had is not None:
        return int(had)
    row: dict[str, Any] = {"siren": form.operator.siren or "", "trade_name": form.operator.trade_name}
    row |= {"state": State.SUBMITTED.value, "receipt": receipt, "content": plain(form), "findings": []}
    made = insert(registration_file).values(**row, submitted_at=act.now).returning(registration_file.c.id)
    file_id = int(connection.execute(made).scalar_one())
    journal.write(connection, SUBJECT, file_id, before=State.DRAFT, after=State.SUBMITTED, act=act, reason=receipt)
    _complete(connection, file_id, form, act)
    return file_id


def supplement(connection: Connection, file_id: int, form: RegistrationForm, *, act: Act) -> None:
    """The file is replaced by this fuller one and its completeness known again. Raises: NotAllowed, KeyError."""
    file = one(connection, file_id)
    if file.state not in (State.INCOMPLETE, State.COMPLETE):
        journal.check(TRANSITIONS, file.state, State.COMPLETE)
        raise NotAllowed(Text("Le dossier n'attend pas de pièce.", "The file awaits no document."))
    receipt = hashlib.sha256(msgspec.json.encode(form)).hexdigest()
    values = {"content": plain(form), "receipt": receipt, "trade_name": form.operator.trade_name}
    connection.execute(update(registration_file).where(registration_file.c.id == file_id).values(**values))
    _complete(connection, file_id, form, act)


def review(connection: Connection, file_id: int, *, act: Act) -> None:
    """The complete file is under review. Raises: NotAllowed, KeyError."""
    _move(connection, one(connection, file_id), State.UNDER_REVIEW, act=act)


def decide(
    connection: Connection,
    file_id: int,
    outcome: State,
    *,
    reason: str,
    act: Act,
    reserved: frozenset[str] = RESERVED,
) -> Announcement | None:
    """The file is decided; a registration has its number, none of those `reserved`, and is announced to the portal.

    Without all test reports only a registration with reservation can be given. Raises: NotAllowed, KeyError.
    """
    file = one(connection, file_id)
    if outcome not in DECISIONS or (outcome is State.REFUSED and not reason.strip()):
        raise NotAllowed(Text("Un refus est motivé.", "A refusal gives its reasons."))
    if outcome is State.REGISTERED and (absent := missing_tests(file.form)):
        names = ", ".join(absent)
        raise NotAllowed(
            Text(
                f"Rapports de tests absents : {names}. Immatriculation sous réserve seulement.",
                f"Test reports missing: {names}. Registration with reservation only.",
            )
        )
    if outcome is not State.REFUSED:
        _check_code(connection, file_id, file.form.connection)
    _move(connection, file, outcome, act=act, reason=reason)
    if outcome is State.REFUSED:
        return None
    _give_number(connection, file, outcome, act, reserved)
    return announcement(connection, file_id)


def lift_reservation(connection: Connection, file_id: int, form: RegistrationForm, *, act: Act) -> Announcement:
    """The tests have come: the registration is definitive. Raises: NotAllowed, KeyError."""
    file = one(connection, file_id)
    if absent := missing_tests(form):
        names = ", ".join(absent)
        raise NotAllowed(Text(f"Rapports de tests absents : {names}.", f"Test reports missing: {names}."))
    _check_code(connection, file_id, form.connection)
    _move(connection, file, State.REGISTERED, act=act)
    connection.execute(update(registration_file).where(registration_file.c.id == file_id).values(content=plain(form)))
    day = paris_day(act.now)
    connection.execute(update(registration).where(registration.c.file_id == file_id).values(delivered_on=day))
    _set_audits(connection, file_id, day)
    return announcement(connection, file_id)


def withdraw(connection: Connection, file_id: int, *, reason: str, act: Act) -> Announcement | None:
    """The file or the registration is withdrawn; the portal is told of a registration that ends. Raises: NotAllowed."""
    file = one(connection, file_id)
    _move(connection, file, State.WITHDRAWN, act=act, reason=reason)
    if file.matricule is None:
        return None
    day = paris_day(act.now)
    connection.execute(update(registration).where(registration.c.file_id == file_id).values(ended_on=day))
    return announcement(connection, file_id)


def relink(connection: Connection, file_id: int, link: Link, *, act: Act) -> Announcement:
    """The registered platform is reached otherwise: another address, another key. Raises: NotAllowed, KeyError."""
    file = one(connection, file_id)
    if file.state not in IN_FORCE:
        raise NotAllowed(Text("La plateforme n'est pas immatriculée.", "The platform is not registered."))
    if link != file.form.connection:
        _check_code(connection, file_id, link)
        content = plain(msgspec.structs.replace(file.form, connection=link))
        connection.execute(update(registration_file).where(registration_file.c.id == file_id).values(content=content))
        journal.write(connection, SUBJECT, file_id, before=file.state, after=file.state, act=act, reason=link.url)
    return announcement(connection, file_id)


def _check_code(connection: Connection, file_id: int, link: Link | None) -> None:
    """The application code names one platform, for ever: its flows keep it after it left. Raises: NotAllowed."""
    if link is None:
        return
    others = (file for file in files(connection) if file.id != file_id and file.matricule is not None)
    taken = {file.form.connection.application_code for file in others if file.form.connection} | RESERVED_CODES
    if link.application_code in taken:
        code = link.application_code
        raise NotAllowed(Text(f"Le code application {code} est pris.", f"Application code {code} is taken."))


def _complete(connection: Connection, file_id: int, form: RegistrationForm, act: Act) -> None:
    """Completeness is a fact of the file: it moves by itself; the months to decide start when it is complete."""
    day = paris_day(act.now)
    found = findings(form, on=day)
    state = State.INCOMPLETE if found else State.COMPLETE
    values: dict[str, Any] = {"findings": [list(finding) for finding in found]}
    values["completed_at"] = None if found else act.now
    connection.execute(update(registration_file).where(registration_file.c.id == file_id).values(**values))
    _move(connection, one(connection, file_id), state, act=act)
    if not found:
        months = parameters.DECISION_MONTHS.on(day)
        due = month_after(day, int(months.value))
        journal.set_term(connection, SUBJECT, file_id, Term("decision", due, months.source))


def _move(connection: Connection, file: File, after: State, *, act: Act, reason: str = "") -> None:
    journal.check(TRANSITIONS, file.state, after)
    values = {"state": after.value}
    connection.execute(update(registration_file).where(registration_file.c.id == file.id).values(**values))
    journal.write(connection, SUBJECT, file.id, before=file.state, after=after, act=act, reason=reason)


def _give_number(connection: Connection, file: File, outcome: State, act: Act, reserved: frozenset[str]) -> None:
    day = paris_day(act.now)
    years = parameters.REGISTRATION_YEARS.on(day)
    expires = month_after(day, 12 * int(years.value))
    delivered = day if outcome is State.REGISTERED else None
    matricule = _number(connection, file.form.wanted_matricule, reserved)
    row = {"matricule": matricule, "file_id": file.id, "granted_on": day}
    connection.execute(insert(registration).values(**row, delivered_on=delivered, expires_on=expires))
    renewal = parameters.RENEWAL_MONTHS.on(day)
    asked = month_after(expires, -int(renewal.value))
    journal.set_term(connection, SUBJECT, file.id, Term("renewal-request", asked, renewal.source))
    journal.set_term(connection, SUBJECT, file.id, Term("expiry", expires, years.source))
    if delivered:
        _set_audits(connection, file.id, day)
    else:
        tests = parameters.RESERVATION_MONTHS.on(day)
        due = month_after(day, int(tests.value))
        journal.set_term(connection, SUBJECT, file.id, Term("test-reports", due, tests.source))


def _set_audits(connection: Connection, file_id: int, day: date) -> None:
    for kind, parameter in (("audit", parameters.AUDIT_YEARS), ("surveillance", parameters.SURVEILLANCE_YEARS)):
        if parameter.values[0].since <= day:
            years = parameter.on(day)
            due = month_after(day, 12 * int(years.value))
            journal.set_term(connection, SUBJECT, file_id, Term(kind, due, years.source))


def _number(connection: Connection, wanted: str | None, reserved: frozenset[str]) -> str:
    """Return the number asked for when it is free, else the first that is. Raises: NotAllowed."""
    taken = set(connection.execute(select(registration.c.matricule)).scalars()) | reserved
    if wanted is None:
        free = next((number for number in (f"{n:04d}" for n in range(1, 10_000)) if number not in taken), None)
        if free is None:
            raise NotAllowed(Text("Il n'y a plus de matricule libre.", "There is no free number left."))
        return free
    if wanted in taken:
        raise NotAllowed(Text(f"Le matricule {wanted} est pris.", f"The number {wanted} is taken."))
    return wanted


def files(connection: Connection) -> list[File]:
    """Return every file, the latest first."""
    query = _query().order_by(registration_file.c.id.desc())
    return [_file(row) for row in connection.execute(query).mappings()]


def one(connection: Connection, file_id: int) -> File:
    """Return this file. Raises: KeyError."""
    row = connection.execute(_query().where(registration_file.c.id == file_id)).mappings().first()
    if row is None:
        raise KeyError(file_id)
    return _file(row)


def _query() -> Any:
    number = [column for column in registration.c if column.name != "file_id"]
    joined = registration_file.outerjoin(registration, registration.c.file_id == registration_file.c.id)
    return select(registration_file, *number).select_from(joined)


def _file(row: RowMapping) -> File:
    fields = {name: row[name] for name in ("id", "submitted_at", "receipt", "matricule")}
    days = {name: row[name] for name in ("granted_on", "delivered_on", "expires_on", "ended_on")}
    found = tuple(Finding(*finding) for finding in row["findings"])
    form = msgspec.convert(row["content"], RegistrationForm)
    return File(**fields, **days, state=State(row["state"]), form=form, findings=found)


def announcement(connection: Connection, file_id: int) -> Announcement:
    """Return what the portal is told of this registration. Raises: KeyError when it has no number."""
    file = one(connection, file_id)
    if file.matricule is None or file.granted_on is None:
        raise KeyError(file_id)
    link = file.form.connection
    return Announcement(
        matricule=file.matricule,
        name=file.form.operator.trade_name,
        siren=file.form.operator.siren,
        application_code=link.application_code if link else None,
        url=link.url if link else None,
        public_key=link.public_key if link else None,
        registered_from=file.granted_on,
        registered_until=file.ended_on,
    )


class Listed(msgspec.Struct, frozen=True):
    """A platform on the public list: everything that is public, hence no number."""

    trade_name: str
    street: str
    postal_code: str
    town: str
    country: str
    website: str
    contact_email: str
    delivered_on: date | None


def public_list(connection: Connection) -> tuple[list[Listed], list[Listed]]:
    """Return list 1 (registered, with the day of delivery) and list 2 (awaiting their interoperability tests)."""
    held = sorted(files(connection), key=lambda file: file.form.operator.trade_name)
    first = [_listed(file) for file in held if file.state is State.REGISTERED]
    second = [_listed(file) for file in held if file.state is State.RESERVED]
    return first, second


def _listed(file: File) -> Listed:
    operator = file.form.operator
    names = ("trade_name", "street", "postal_code", "town", "country", "website", "contact_email")
    return Listed(**{name: getattr(operator, name) for name in names}, delivered_on=file.delivered_on)
