"""The directory: who can be reached, at which address, on which platform, and since when one knew it.

Read first: `formats.directory_entries` (what the directory holds), then `resolution` (an address and a day give a
platform, or the reason why not), then `updates` (which changes the portal takes), its table of rules `annex7`, and what
the texts leave open (`readings`).

Deliberately absent: a store, a clock, the files (`formats.directory`), any fallback from a grain to another: no text
allows one, an invoice to SIREN_SIRET is never sent to SIREN.
"""

from estafette.directory.resolution import Outcome, Resolution, resolve
from estafette.formats.directory_entries import (
    DirectoryLine,
    Establishment,
    Grain,
    LegalUnit,
    ReceivingPlatform,
    RoutingCode,
)

__all__ = [
    "DirectoryLine",
    "Establishment",
    "Grain",
    "LegalUnit",
    "Outcome",
    "ReceivingPlatform",
    "Resolution",
    "RoutingCode",
    "resolve",
]
