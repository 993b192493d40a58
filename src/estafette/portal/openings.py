"""A company without a platform opens its account at the portal by itself: who may, and the proof of who asks.

Who asks is proved by a letter: a code goes to the seat of the company as the national register has it, and whoever
brings the code back speaks for the company. One letter lives thirty days and bears ten wrong tries. With its account
the company is a customer of the platforms' room, which declares it to the directory as any platform does (F13).
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import Fernet
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from estafette.portal import holdings
from estafette.portal.opening_tables import direct_opening
from estafette.values.identifiers import SIREN

LIVES = timedelta(days=30)
TRIES_MAX = 10
"""How long the code of a letter may be used, and how many wrong ones are borne (our bounds)."""

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 12
"""Sixty bits, in letters and digits that a person does not take for each other."""


class NotEligible(Exception):
    """Why a company has no account to open here, in French and in English."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr, self.en = fr, en


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written to a company: its name, the lines of its address, its code."""

    siren: str
    name: str
    address: tuple[str, ...]
    code: str
    asked_at: datetime


def name_of(connection: Connection, siren: str) -> str:
    """Return the name of a company that may open an account here. Raises: NotEligible."""
    if not SIREN.is_valid(siren):
        raise NotEligible(f"« {siren[:20]} » n'est pas un SIREN de neuf chiffres.", f"'{siren[:20]}' is no SIREN.")
    unit = holdings.legal_unit_of(connection, siren)
    if unit is None or unit.status != "A" or (unit.entity_type != "P" and not unit.is_taxable):
        raise NotEligible(
            "L'annuaire n'a pas cette entreprise : elle a cessé, ou n'est pas assujettie à la TVA.",
            "The directory has no such company: it has ceased, or is not taxable for VAT.",
        )
    if unit.entity_type == "P":
        raise NotEligible("Une entité publique reçoit par Chorus Pro.", "A public entity receives through Chorus Pro.")
    return unit.name


def ask(connection: Connection, siren: str, *, seal: Fernet, now: datetime, is_customer: bool = False) -> None:
    """A letter to the company waits to be sent; one that still lives is not written again. Raises: NotEligible.

    `is_customer`: the company has its account here already.
    """
    name_of(connection, siren)
    held = _held(connection, siren)
    if is_customer or (held is not None and held["opened_at"] is not None):
        raise NotEligible(
            "Cette entreprise a déjà son compte ici : son administrateur y donne les accès.",
            "This company has its account here already: its administrator gives access to it.",
        )
    if held is not None and _lives(held, now):
        return
    code = "".join(secrets.choice(CODE_LETTERS) for _letter in range(CODE_LENGTH))
    row = {
        "siren": siren,
        "sealed_code": seal.encrypt(code.encode()).decode(),
        "tries": 0,
        "asked_at": now,
        "expires_at": now + LIVES,
    }
    connection.execute(delete(direct_opening).where(direct_opening.c.siren == siren))
    connection.execute(insert(direct_opening).values(row))


def letters(connection: Connection, *, seal: Fernet, now: datetime) -> list[Letter]:
    """Return the letters whose code may still be used, the oldest first."""
    waiting = select(direct_opening).where(direct_opening.c.opened_at.is_(None))
    rows = connection.execute(waiting.order_by(direct_opening.c.asked_at)).mappings()
    return [_letter(connection, row, seal) for row in list(rows) if _lives(row, now)]


def _letter(connection: Connection, row: RowMapping, seal: Fernet) -> Letter:
    unit = holdings.legal_unit_of(connection, row["siren"])
    seats = holdings.establishments_of(connection, row["siren"])
    seat = next((one for one in seats if one.kind == "P"), seats[0] if seats else None)
    town = " ".join(part for part in (seat.postal_code, seat.city) if part) if seat else ""
    lines = (seat.line_1, seat.line_2, seat.line_3, town) if seat else ()
    code = seal.decrypt(row["sealed_code"].encode()).decode()
    address = tuple(line for line in lines if line)
    return Letter(row["siren"], unit.name if unit else "", address, code, row["asked_at"])


def is_code(connection: Connection, siren: str, code: str, *, seal: Fernet, now: datetime) -> bool:
    """Tell whether this is the code of the company's letter; a wrong one is counted."""
    held = _held(connection, siren)
    if held is None or held["opened_at"] is not None or not _lives(held, now):
        return False
    typed = "".join(code.upper().split()).replace("-", "")
    if hmac.compare_digest(seal.decrypt(str(held["sealed_code"]).encode()), typed.encode()):
        return True
    connection.execute(update(direct_opening).where(direct_opening.c.siren == siren).values(tries=held["tries"] + 1))
    return False


def opened(connection: Connection, siren: str, *, now: datetime) -> None:
    """The account of the company is open, its code used."""
    connection.execute(update(direct_opening).where(direct_opening.c.siren == siren).values(opened_at=now))


def _held(connection: Connection, siren: str) -> RowMapping | None:
    return connection.execute(select(direct_opening).where(direct_opening.c.siren == siren)).mappings().first()


def _lives(row: RowMapping, now: datetime) -> bool:
    return bool(now < row["expires_at"] and row["tries"] < TRIES_MAX)
