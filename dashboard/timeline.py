"""A line's last hour: when it ran, when it stood still, when nothing is known."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from dashboard.models import StopRow, Tile

STILL_HEARD = timedelta(seconds=60)  # a line that sends one message a minute counts as heard throughout


class Part(NamedTuple):
    """An interval of the timeline, in percent of its length."""

    kind: str  # running, stopped, planned, no_signal
    left: float
    width: float


def timeline(tile: Tile, stops: Sequence[StopRow], since: datetime, now: datetime) -> list[Part]:
    """The parts of [since, now]; where no part lies, nothing is known."""
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
