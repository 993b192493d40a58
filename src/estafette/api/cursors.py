"""Where a search goes on: an opaque mark, good for the same company and the same criteria only.

It is the moment of the last flow seen, in milliseconds, and a code that only this actor can make of that moment, the
company and the criteria: nothing in it can be changed, and it is kept nowhere.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import msgspec

from estafette.api.flow_models import SearchFlowFilters
from estafette.api.problems import Problem

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CODE_BYTES = 16


class Cursors:
    """Writes and reads the marks of one actor; `key` has 256 bits."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, siren: str, where: SearchFlowFilters, moment: datetime) -> str:
        """Return the mark after this moment."""
        at = ((moment - EPOCH) // timedelta(milliseconds=1)).to_bytes(8, "big")
        return base64.urlsafe_b64encode(at + self._code(siren, where, at)).decode()

    def read(self, siren: str, where: SearchFlowFilters, cursor: str) -> datetime:
        """Return the moment to go on after. Raises: Problem 400 for any other mark than one of this very search."""
        try:
            raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        at, code = raw[:8], raw[8:]
        if not hmac.compare_digest(code, self._code(siren, where, at)):
            fr = "cursor : inconnu, ou d'une recherche aux critères différents ; recommencez sans cursor."
            raise Problem(400, f"{fr} / cursor: unknown, or of a search with other criteria; start again without one.")
        return EPOCH + int.from_bytes(at, "big") * timedelta(milliseconds=1)

    def _code(self, siren: str, where: SearchFlowFilters, at: bytes) -> bytes:
        signed = msgspec.json.encode([siren, where], order="sorted") + at
        return hmac.new(self._key, signed, hashlib.sha256).digest()[:CODE_BYTES]
