"""What is wrong with a platform's own duties: late declarations, early statuses, failed packages, no scanner, the
directory: a copy that is old, what was asked of it in vain (`address_checks`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from estafette.exchange.scanning import DOWN
from estafette.platform import address_checks, mirror_extracts
from estafette.platform.deadlines import IS_OWED, IS_REFUSED, OWED
from estafette.platform.keeping_tables import package
from estafette.platform.redeclaration import TOLD_FOR
from estafette.platform.reporting_drafts import failed
from estafette.platform.reporting_sending import REPORTS
from estafette.platform.reporting_tables import transmission
from estafette.platform.tables import declaration, early_status
from estafette.store.alarms import Condition
from estafette.store.jobs import PENDING
from estafette.store.tables import job
from estafette.values.moments import PARIS

UNSCANNED_AFTER = timedelta(minutes=5)
"""How long a deposit may wait for the scanner before someone is told (ours)."""

REPORTED_WITHIN = timedelta(hours=8)
"""How long the platform has from the end of the company's last day (external specifications v3.2, table 13)."""

EARLY_AFTER = timedelta(hours=24)
"""How long a status may wait for its invoice before someone is told (ours: no text says)."""

EARLY_UNTIL = timedelta(days=30)
"""How long one is told: the invoice will not come, its sender was to be asked. It is kept, and still joined if it comes
(`keeping_messages`)."""

EARLY_SHOWN_MAX = PACKAGES_SHOWN_MAX = 100

REJECTED_MAX = 10_000
"""Of how many objects that the portal did not accept one is told at most (ours)."""

STALE_AFTER = timedelta(hours=36)
"""How old the copy of the directory may be before someone is told: a day, since one extract leaves a day, and half."""


def conditions(connection: Connection, now: datetime) -> Iterator[Condition]:
    """Give what the platform is late with, or waits for in vain."""
    yield from _late(connection, now)
    yield from _late_reports(connection, now)
    yield from _rejected(connection, now)
    yield from _failed_reports(connection, now)
    yield from _early(connection, now)
    yield from _packages(connection)
    yield from _unscanned(connection, now)
    yield from _directory(connection, now)
    yield from address_checks.conditions(connection, now)


def _late(connection: Connection, now: datetime) -> Iterator[Condition]:
    """What the State should have had by now, by the law's delay, and has not acknowledged."""
    owed = (IS_OWED, declaration.c.due_at < now)
    query = select(declaration.c.interface, func.count(), func.min(declaration.c.due_at)).where(*owed)
    for interface, count, due_at in connection.execute(query.group_by(declaration.c.interface)):
        yield Condition(
            "late", interface, due_at,
            f"{interface} : {count} objet(s) que le portail aurait dû avoir et n'a pas acquitté(s).",
            f"{interface}: {count} object(s) that the portal should have had and has not acknowledged.",
        )  # fmt: skip


def _late_reports(connection: Connection, now: datetime) -> Iterator[Condition]:
    """Transmissions of e-reporting that left, or should have, and that the portal has not acknowledged in time."""
    owed = (transmission.c.state.in_(OWED), transmission.c.created_at < now - REPORTED_WITHIN)
    count, since = connection.execute(select(func.count(), func.min(transmission.c.created_at)).where(*owed)).one()
    if count:
        yield Condition(
            "late", REPORTS, since + REPORTED_WITHIN,
            f"{REPORTS} : {count} transmission(s) d'e-reporting que le portail n'a pas acquittée(s) à temps.",
            f"{REPORTS}: {count} transmission(s) of e-reporting that the portal has not acknowledged in time.",
        )  # fmt: skip


def _rejected(connection: Connection, now: datetime) -> Iterator[Condition]:
    """What the portal did not accept (251, 501, 601): the State has not what it is owed. Names no invoice."""
    columns = declaration.c
    lately = (IS_REFUSED, columns.due_at > now - TOLD_FOR)
    query = select(columns.interface, columns.created_at, columns.details).where(*lately).order_by(columns.id)
    since: dict[str, datetime] = {}
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for interface, created_at, details in connection.execute(query.limit(REJECTED_MAX)):
        since.setdefault(interface, created_at)
        reasons[interface][details[0]["reason"] if details else "?"] += 1
    for interface, told in sorted(reasons.items()):
        why = ", ".join(f"{reason} × {count}" for reason, count in told.most_common(5))
        yield Condition(
            "rejected", interface, since[interface],
            f"{interface} : {told.total()} objet(s) que le portail n'a pas accepté(s) depuis 7 jours : {why}. "
            "Le motif de chacun est sur sa facture, au bureau de l'entreprise. Une cause qui est la vôtre réparée : "
            f"POST /operator/v1/declarations/{interface}/again.",
            f"{interface}: {told.total()} object(s) that the portal did not accept in the last 7 days: {why}. "
            "The reason of each is with its invoice, at the desk of the company. A cause of yours once mended: "
            f"POST /operator/v1/declarations/{interface}/again.",
        )  # fmt: skip


def _failed_reports(connection: Connection, now: datetime) -> Iterator[Condition]:
    """Periods of e-reporting that the portal rejected (301), or that our own controls keep back. Names no company."""
    rows = failed(connection, since=now - TOLD_FOR, limit=REJECTED_MAX)
    told = [row for row in rows if row["state"] != "irreceivable"]  # those are set aside, and late
    if told:
        reasons = Counter(row["details"][0]["reason"] if row["details"] else "?" for row in told)
        why = ", ".join(f"{reason} × {count}" for reason, count in reasons.most_common(5))
        yield Condition(
            "rejected", REPORTS, told[-1]["created_at"],
            f"{REPORTS} : {len(told)} période(s) d'e-reporting rejetée(s) ou bloquée(s) depuis 7 jours : {why}. "
            "L'entreprise en voit le motif à son bureau et la corrige.",
            f"{REPORTS}: {len(told)} period(s) of e-reporting rejected or blocked in the last 7 days: {why}. "
            "The company sees the reason at its desk and corrects it.",
        )  # fmt: skip


def _early(connection: Connection, now: datetime) -> Iterator[Condition]:
    """Statuses that came before their invoice and whose invoice does not come."""
    key = (early_status.c.sender, early_status.c.seller_siren, early_status.c.number, early_status.c.year)
    query = select(*key, func.count(), func.min(early_status.c.received_at)).group_by(*key)
    lately = query.where(early_status.c.received_at > now - EARLY_UNTIL)
    overdue = lately.having(func.min(early_status.c.received_at) < now - EARLY_AFTER).limit(EARLY_SHOWN_MAX)
    for sender, siren, number, year, count, since in connection.execute(overdue):
        yield Condition(
            "early", f"{siren}/{year}/{number[:150]}", since,
            f"{count} statut(s) de {sender} sur une facture qui n'est jamais arrivée : {siren}, {number}, {year}.",
            f"{count} status(es) of {sender} about an invoice that never came: {siren}, {number}, {year}.",
        )  # fmt: skip


def _packages(connection: Connection) -> Iterator[Condition]:
    """Restitution packages that could not be made, until they are gone."""
    failed = select(package.c.id, package.c.siren, package.c.asked_at, package.c.error)
    for row in connection.execute(failed.where(package.c.state == "failed").limit(PACKAGES_SHOWN_MAX)):
        yield Condition(
            "package", row.id, row.asked_at,
            f"Le dossier de restitution de {row.siren} n'a pu être fait : {row.error}. Réparer, puis le redemander.",
            f"The restitution package of {row.siren} could not be made: {row.error}. Mend it, then ask for it again.",
        )  # fmt: skip


def _unscanned(connection: Connection, now: datetime) -> Iterator[Condition]:
    """Documents that wait because the scanner does not answer."""
    waiting = (job.c.state == PENDING, job.c.tries > 0, job.c.error.startswith(DOWN))
    query = select(func.count(), func.min(job.c.created_at), func.max(job.c.error)).where(*waiting)
    count, since, error = connection.execute(query).one()
    if count and now - since > UNSCANNED_AFTER:
        yield Condition(
            "scanner", "clamd", since,
            f"L'antivirus ne répond pas : {count} document(s) attendent, aucun ne passe sans contrôle. {error}",
            f"The scanner does not answer: {count} document(s) wait, none passes unscanned. {error}",
        )  # fmt: skip


def _directory(connection: Connection, now: datetime) -> Iterator[Condition]:
    """The copy of the directory is older than it should be: since when, and what would bring it up to date."""
    copy = mirror_extracts.state(connection)
    if copy.as_of is None:
        return
    since = f"{copy.as_of.astimezone(PARIS):%d/%m/%Y %H:%M}"
    if copy.missing_since is not None:
        yield Condition(
            "directory", "gap", copy.missing_since,
            f"L'annuaire est arrêté au {since} : {copy.held} extrait(s) attendent un différentiel qui manque. Le "
            "demander au portail, ou attendre l'extrait complet de la nuit de dimanche à lundi.",
            f"The directory stands at {since}: {copy.held} extract(s) wait for a differential that is missing. Ask the "
            "portal for it, or wait for the full extract of the night from Sunday to Monday.",
        )  # fmt: skip
    elif now - copy.as_of > STALE_AFTER:
        yield Condition(
            "directory", "stale", copy.as_of,
            f"L'annuaire est arrêté au {since} : rien n'est venu du portail depuis. Vérifier le raccordement.",
            f"The directory stands at {since}: nothing has come from the portal since. Check the connection.",
        )  # fmt: skip
