"""The second factor: a code that changes every thirty seconds (TOTP, RFC 6238), and ten codes for when it is lost.

A code is taken one step early or late, for clocks that differ, and never twice. The secret must be computed with, hence
it is kept, but sealed by a key that is not in the store; the codes for recovery are kept as hashes and go when used.
"""

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from pyotp import TOTP, random_base32
from sqlalchemy import Connection, delete, func, insert, select, update

from estafette.store.tables import account, recovery_code

STEP_S = 30
"""How long a code lasts (RFC 6238 §5.2)."""

DRIFT_STEPS = 1
"""How many steps a clock may be early or late."""

RECOVERY_CODES = 10


def begin(connection: Connection, login: str, *, seal: Fernet) -> str:
    """Return the secret that is to be confirmed, new unless one was begun before; one that is in use is left."""
    row = _row(connection, login)
    if row.factor_since is None and (begun := _unsealed(row.factor_secret, seal)):
        return begun
    secret = random_base32()
    sealed = seal.encrypt(secret.encode()).decode()
    mine = (account.c.login == login, account.c.factor_since.is_(None))
    connection.execute(update(account).where(*mine).values(factor_secret=sealed, factor_step=None))
    return secret


def confirm(connection: Connection, login: str, code: str, *, seal: Fernet, now: datetime) -> list[str] | None:
    """The factor is in use once a first code is right; returns the codes for recovery, None for a wrong code."""
    row = _row(connection, login)
    step = _step(_unsealed(row.factor_secret, seal), code, after=row.factor_step, now=now)
    if step is None or row.factor_since is not None:
        return None
    connection.execute(update(account).where(account.c.login == login).values(factor_since=now, factor_step=step))
    return new_codes(connection, login)


def check(connection: Connection, login: str, code: str, *, seal: Fernet, now: datetime) -> bool:
    """Tell whether a code is right: the one of now, not taken before, or one for recovery, which is then gone."""
    row = _row(connection, login)
    if row.factor_since is None:
        return False
    step = _step(_unsealed(row.factor_secret, seal), code, after=row.factor_step, now=now)
    if step is not None:
        connection.execute(update(account).where(account.c.login == login).values(factor_step=step))
        return True
    mine = (recovery_code.c.login == login, recovery_code.c.code_hash == _digest(code))
    return connection.execute(delete(recovery_code).where(*mine)).rowcount == 1


def new_codes(connection: Connection, login: str) -> list[str]:
    """Return new codes for recovery, of 80 bits each; those before open nothing any more."""
    codes = ["-".join(secrets.token_hex(3)[:5] for _ in range(4)) for _ in range(RECOVERY_CODES)]
    connection.execute(delete(recovery_code).where(recovery_code.c.login == login))
    connection.execute(insert(recovery_code), [{"login": login, "code_hash": _digest(code)} for code in codes])
    return codes


def codes_left(connection: Connection, login: str) -> int:
    """Count the codes for recovery that were not used."""
    query = select(func.count()).select_from(recovery_code).where(recovery_code.c.login == login)
    return int(connection.execute(query).scalar_one())


def remove(connection: Connection, login: str) -> None:
    """The account has no second factor."""
    gone = {"factor_secret": None, "factor_since": None, "factor_step": None}
    connection.execute(update(account).where(account.c.login == login).values(gone))
    connection.execute(delete(recovery_code).where(recovery_code.c.login == login))


def _row(connection: Connection, login: str) -> Any:
    columns = (account.c.factor_secret, account.c.factor_since, account.c.factor_step)
    return connection.execute(select(*columns).where(account.c.login == login)).one()


def _unsealed(sealed: str | None, seal: Fernet) -> str | None:
    """Return a secret, None when there is none or it was sealed by another key."""
    try:
        return seal.decrypt(sealed.encode()).decode() if sealed else None
    except InvalidToken:
        return None


def _step(secret: str | None, code: str, *, after: int | None, now: datetime) -> int | None:
    """Return the step whose code this is, later than the last one taken, None when it is of none."""
    if secret is None:
        return None
    current = int(now.timestamp()) // STEP_S
    given = code.replace(" ", "").encode()
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        is_fresh = after is None or step > after
        if is_fresh and hmac.compare_digest(TOTP(secret).generate_otp(step).encode(), given):
            return step
    return None


def _digest(code: str) -> str:
    return hashlib.sha256("".join(code.lower().split()).replace("-", "").encode()).hexdigest()
