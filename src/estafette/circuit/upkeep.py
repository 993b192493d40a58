"""What each actor looks at by itself, every so often: its alarms, the folders where its customers deposit."""

from collections.abc import Sequence

from estafette.exchange import watch
from estafette.exchange.actor import Actor
from estafette.exchange.rounds import Rounds
from estafette.platform import watch as platform_watch
from estafette.platform.platform import Platform
from estafette.store.alarms import Watch

WATCH_S = 60.0
"""Seconds between two looks at what is wrong."""


def rounds_of(actor: Actor, platform: Platform | None = None) -> Rounds:
    """Return the rounds of an actor, those of a platform when it is one."""
    rounds, watches = Rounds(), _watches(platform)
    rounds.every(WATCH_S, watch.round_of(actor.database, watches, actor.clock))
    return rounds


def _watches(platform: Platform | None) -> Sequence[Watch]:
    return [watch.conditions] if platform is None else [watch.conditions, platform_watch.conditions]
