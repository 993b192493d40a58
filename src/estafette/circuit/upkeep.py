"""What each actor looks at by itself, every so often: its alarms, the folders where its customers deposit."""

from pathlib import Path

from estafette.exchange import watch
from estafette.exchange.actor import Actor
from estafette.exchange.rounds import Rounds
from estafette.platform import watch as platform_watch
from estafette.platform.folder import Folder, Tray
from estafette.platform.platform import Platform
from estafette.store.alarms import Watch

WATCH_S, FOLDER_S = 60.0, 5.0
"""Seconds between two looks at what is wrong, and at a folder: as long as a file must stay the same to be taken."""


def rounds_of(actor: Actor, platform: Platform | None = None, deposits: Path | None = None) -> Rounds:
    """Return the rounds of an actor; of a platform, its customers' folders under `deposits` too."""
    rounds, watches = Rounds(), list[Watch]([watch.conditions])
    if platform is not None:
        watches.append(platform_watch.conditions)
    if platform is not None and deposits is not None:
        folder = Folder(platform, lambda siren: _tray(deposits, siren), name="dossier")
        rounds.every(FOLDER_S, folder.visit)
        watches.append(folder.conditions)
    rounds.every(WATCH_S, watch.round_of(actor.database, watches, actor.clock))
    return rounds


def _tray(root: Path, siren: str) -> Tray:
    own = root / siren
    return Tray(siren, own / "in", own / "done", own / "rejected")
