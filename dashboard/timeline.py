"""The last hour of a line as a strip: when it ran, when it stood still, when nobody knows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from dashboard.models import Stop, Tile

STILL_HEARD = timedelta(seconds=60)  # a message a minute is a line that speaks


class Part(NamedTuple):
    """A stretch of the strip, in percent of its length."""

    kind: str  # running, stopped, planned, no_signal
    left: float
    width: float


def strip(tile: Tile, stops: Sequence[Stop], since: datetime, now: datetime) -> list[Part]:
    """The parts of [since, now]; where there is none, nothing is known."""
    parts = []
    length = (now - since).total_seconds()

    def part(kind: str, start: datetime, end: datetime) -> None:
        start, end = max(start, since), min(end, now)
        if start < end:
            left = (start - since).total_seconds() / length
            parts.append(
                Part(kind, round(100 * left, 2), round(100 * (end - start).total_seconds() / length, 2))
            )

    if tile.heard_since is not None and tile.sample is not None:
        heard = tile.heard_since
        part("running", since if heard - since < STILL_HEARD else heard, tile.sample.at + STILL_HEARD)
    for stop in stops:
        kind = stop.category if stop.category in ("planned", "no_signal") else "stopped"
        part(kind, stop.start, stop.end or now)
    return parts
