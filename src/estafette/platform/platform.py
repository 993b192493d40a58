"""A platform: what it takes from other actors, and the verbs that its API and its desk call."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from io import BufferedReader
from typing import Any, BinaryIO

from sqlalchemy import Connection, RowMapping, insert, select

from estafette.exchange.messages import Kind, Message
from estafette.exchange.post import Peer, Refused
from estafette.formats import read
from estafette.invoice.model import Invoice
from estafette.lifecycle import Status
from estafette.platform import (
    acknowledgements,
    addresses,
    answers,
    archives,
    deadlines,
    flows,
    intake,
    life_cycle,
    look_ahead,
    reception,
    retransmission,
    webhooks,
)
from estafette.platform.addresses import Addresses
from estafette.platform.answers import Answer
from estafette.platform.flows import Deposit
from estafette.platform.home import Home
from estafette.platform.invoice_list import Sought, listed
from estafette.platform.keeping_package import Packages
from estafette.platform.keeping_settings import settings_of
from estafette.platform.reporting import Reporting
from estafette.platform.tables import company, declaration, event, flow, invoice
from estafette.platform.views import View
from estafette.platform.work import DEPOSIT, STATUS, Work
from estafette.store import audit, correlation, jobs
from estafette.store.company import InCompany
from estafette.store.queries import AnyRow

PIECE_BYTES = 1024 * 1024
"""A file is read by so much at a time."""


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice as its tenant sees it: the document, its life cycle, what the State was told, what may be said now."""

    row: RowMapping
    invoice: Invoice
    events: list[RowMapping]
    declarations: list[RowMapping]
    possible: tuple[Status, ...]
    may_be_sent_again: bool = False


class Platform:
    """One platform. Every verb that names a SIREN shows and changes what is that company's, and nothing else."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._database = home.actor.database
        self._documents = home.actor.documents
        self._registered = InCompany(
            self._database, lambda connection, asked: self.register_kept(connection, *asked), look_ahead.registrations
        )
        self.reporting = Reporting(home)
        self.packages = Packages(home, settings_of(home.actor.folder).retention)

    def take_work(self) -> None:
        """The worker knows what each queue of this room asks."""
        Work(self.home).take()
        self.reporting.take_work(self.home.actor.worker)
        self.packages.take_work()

    # ------------------------------------------------------------------------------------------------- the exchange

    def taken(self, connection: Connection, message: Message, _body: bytes) -> None:
        """What another actor sent is kept and will be worked on. Raises: Refused for what is not taken here."""
        if message.kind is Kind.INVOICE:
            reception.keep(self.home, connection, message)
        elif message.kind is Kind.STATUS:
            payload = {"sender": message.sender, "sha256": message.sha256}
            key = f"{STATUS}:{message.sender}:{message.id}"
            jobs.add(connection, queue=STATUS, key=key, payload=payload, now=self.home.actor.clock())
        elif message.kind is Kind.FLOW and message.sender == self.home.identity.portal:
            acknowledgements.keep(self.home, connection, message)
        else:
            raise Refused(403, f"{message.kind} of {message.sender} is not taken here")

    def delivered(self, connection: Connection, messages: list[Message]) -> None:
        """Other actors have taken what was sent."""
        for message in messages:
            if message.kind is Kind.INVOICE:
                with correlation.bound(message.correlation):
                    intake.delivered(self.home, connection, message)

    def peer(self, connection: Connection, matricule: str) -> Peer | None:
        """Return another platform as the directory tells it."""
        return self.home.mirror.peer(connection, matricule)

    # -------------------------------------------------------------------------------------------------- the deposits

    def open_company(self, *, siren: str, name: str, status_address: str) -> None:
        """The company is a customer of this platform."""
        with self._database.begin() as connection:
            self.enter_company(connection, siren=siren, name=name, status_address=status_address)

    def enter_company(self, connection: Connection, *, siren: str, name: str, status_address: str) -> None:
        """The company is a customer of this platform, in this transaction, and is declared to the directory; once."""
        row = {"siren": siren, "name": name, "status_address": status_address, "opened_at": self.home.actor.clock()}
        if connection.execute(select(company.c.siren).where(company.c.siren == siren)).first() is None:
            connection.execute(insert(company).values(row))
            addresses.reconcile(self.home, connection, siren=siren)

    def addresses(self, siren: str) -> Addresses:
        """Return the company's addresses, and what was asked of the directory for it."""
        with self._database.read() as connection:
            return addresses.of_company(connection, siren)

    def move_addresses(self, siren: str, on: date, *, arrives: bool) -> None:
        """The company's invoices will be received here from a day on, or no longer. Raises: CannotAsk."""
        with self._database.begin() as connection:
            (addresses.arrive if arrives else addresses.leave)(self.home, connection, siren, on)

    def keep(self, file: BinaryIO, size: int) -> str:
        """The bytes of a file are kept, read piece by piece; returns their SHA-256, for `deposit_kept`."""
        return self._documents.put_pieces(iter(partial(file.read, PIECE_BYTES), b""), size=size)

    async def deposit_kept(self, siren: str, deposit: Deposit, sha256: str) -> AnyRow:
        """The file that is kept will be judged; returns its flow."""
        return await self._registered.write((siren, deposit, sha256))

    async def deposit(self, siren: str, deposit: Deposit, data: bytes) -> AnyRow:
        """The file is kept and will be judged; returns its flow."""
        put = partial(self._documents.put, data)
        return await self.deposit_kept(
            siren, deposit, put() if len(data) <= PIECE_BYTES else await self._database.away(put)
        )

    def register_kept(self, connection: Connection, siren: str, deposit: Deposit, sha256: str) -> AnyRow:
        """The deposit of a document that is kept already is written in this transaction; returns its flow."""
        now = self.home.actor.clock()
        row, new = flows.open_flow(connection, siren=siren, deposit=deposit, sha256=sha256, now=now)
        identifier = row["id"]
        if new:
            audit.record(connection, siren, "deposit", about=identifier, at=now, name=deposit.name, sha256=sha256)
        jobs.add(connection, queue=DEPOSIT, key=f"{DEPOSIT}:{identifier}", payload={"flow": identifier}, now=now)
        return row

    # -------------------------------------------------------------------------------------------------- the customers

    def answer(self, siren: str, invoice_id: str, said: Answer) -> None:
        """The company's status is set and on its way. Raises: NotAllowed; KeyError when the invoice is not its own."""
        with self._database.begin() as connection:
            row = _own(connection, siren, invoice_id)
            if row is None:
                raise KeyError(invoice_id)
            document = read(self._documents.get(row["sha256"]))
            answers.answer(self.home, connection, row, document, said)

    def send_again(self, siren: str, invoice_id: str) -> str:
        """The invoice, which reached nobody, is on its way; returns to which platform. Raises: CannotSend, KeyError."""
        with self._database.begin() as connection:
            row = _own(connection, siren, invoice_id)
            if row is None:
                raise KeyError(invoice_id)
            return retransmission.send_again(self.home, connection, row, self.home.invoice(row["sha256"]))

    def flow(self, siren: str, identifier: str) -> AnyRow | None:
        """Return the company's flow."""
        with self._database.read() as connection:
            return flows.get(connection, siren, identifier)

    def members(self, siren: str, archive_id: str) -> list[RowMapping]:
        """Return the flows of an archive that the company deposited, in its order; none when it is no archive."""
        with self._database.read() as connection:
            return archives.members_of(connection, siren, archive_id)

    def search(self, siren: str, where: dict[str, Any], limit: int, view: View | None = None) -> list[RowMapping]:
        """Return the company's flows that meet the criteria, as a client wants to see them (XP Z12-013 §3.5)."""
        with self._database.read() as connection:
            return flows.search(connection, siren, where=where, limit=limit, view=view)

    def view(self, client_id: str) -> View:
        """Return how a client wants to see its flows."""
        with self._database.read() as connection:
            return flows.view_of(connection, client_id)

    def set_view(self, client_id: str, view: View) -> None:
        """The client sees its flows so from now on."""
        with self._database.begin() as connection:
            flows.set_view(connection, client_id, view)

    def state(self) -> dict[str, int]:
        """Return what an operator looks at first: work waiting, parked, late for the State, lines of the directory."""
        with self._database.read() as connection:
            return {
                "waiting": jobs.waiting(connection),
                "parked": jobs.parked(connection),
                "late": deadlines.count_late(connection, now=self.home.actor.clock()),
                "directory_lines": self.home.mirror.size(connection),
                "webhooks_disabled": webhooks.disabled(connection),
            }

    def late(self, limit: int = 100) -> list[RowMapping]:
        """Return what the State should have by now and has not, the longest due first (`deadlines.late`)."""
        with self._database.read() as connection:
            return deadlines.late(connection, now=self.home.actor.clock(), limit=limit)

    def document(self, sha256: str) -> bytes:
        """Return the bytes of a document."""
        return self._documents.get(sha256)

    def document_size(self, sha256: str) -> int:
        """Return how many bytes a document has."""
        return self._documents.size(sha256)

    def open_document(self, sha256: str) -> BufferedReader:
        """Return a document to be read forward, piece by piece. Raises: Damaged, from the last reading too."""
        return self._documents.open(sha256)

    def flows(self, siren: str, limit: int = 50) -> list[RowMapping]:
        """Return the company's latest deposits, the last first."""
        query = select(flow).where(flow.c.siren == siren, flow.c.origin == "client")
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(flow.c.updated_at.desc()).limit(limit)).mappings())

    def invoices(
        self, siren: str, side: str, limit: int = 100, offset: int = 0, *, sought: Sought | None = None
    ) -> list[dict[str, Any]]:
        """Return the company's invoices on one side that are sought, the last first (`invoice_list.listed`)."""
        with self._database.read() as connection:
            return listed(connection, siren, side, sought or Sought(), limit=limit, offset=offset)

    def invoice(self, siren: str, invoice_id: str) -> InvoiceView | None:
        """Return one of the company's invoices whole; None when there is none such."""
        with self._database.read() as connection:
            row = _own(connection, siren, invoice_id)
            if row is None:
                return None
            document = read(self._documents.get(row["sha256"]))
            mine = select(event).where(event.c.invoice_id == invoice_id)
            events = list(connection.execute(mine.order_by(*life_cycle.IN_ORDER)).mappings())
            owed = select(declaration).where(declaration.c.invoice_id == invoice_id).order_by(declaration.c.id)
            return InvoiceView(
                row=row,
                invoice=document,
                events=events,
                declarations=list(connection.execute(owed).mappings()),
                possible=answers.offered(connection, row, document),
                may_be_sent_again=retransmission.may_be_sent_again(row, [each["status"] for each in events]),
            )

    def original(self, siren: str, invoice_id: str) -> tuple[str, bytes]:
        """Return the file name and the very bytes that came. Raises: KeyError."""
        with self._database.read() as connection:
            row = _own(connection, siren, invoice_id)
        if row is None:
            raise KeyError(invoice_id)
        return str(row["file_name"]), self._documents.get(row["sha256"])


def _own(connection: Connection, siren: str, invoice_id: str) -> RowMapping | None:
    query = select(invoice).where(invoice.c.siren == siren, invoice.c.id == invoice_id)
    return connection.execute(query).mappings().first()
