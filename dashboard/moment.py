"""How a reading looks at a moment: a line without recent news is never shown as running.

Rows carry log time, which is the bridge's clock. It is compared with PostgreSQL's, less the difference
between the two clocks where that is known.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from dashboard.models import Overview, PageRules, StageRow, State, Tile

STALLED_AFTER = timedelta(seconds=20)  # ticks come every 5 s, and the sinks record progress every 5 s
CLOCK_DIFFERENCE = timedelta(seconds=15)  # less may be the delay with which the sinks see a record
STRAY = timedelta(minutes=1)  # a partition not seen for so long before the latest look no longer exists
AWAY = timedelta(hours=1)  # a line silent for so long beyond its limit is shown last
GONE = timedelta(days=2)  # more than the longest silence that the rules allow


class Halt(NamedTuple):
    """A stage that stands still (`kafka`, `bridge`, `streams`, `sinks`), or nothing is read (`page`)."""

    stage: str
    since: datetime


class Pipeline(NamedTuple):
    """The pipeline's health: the stage that stands still, if any, and how far the log's clock is ahead."""

    halt: Halt | None = None
    ahead: timedelta = timedelta()


def pipeline(rows: Iterable[StageRow], now: datetime) -> Pipeline:
    """The pipeline's health by what the sinks saw. Of several stages that stand still, the one that the
    others wait for is named.

    Without rows nothing is known: the sinks have not run since `setup` made the table.
    """
    rows = list(rows)
    if not rows:
        return Pipeline()
    looked = max((row.seen for row in rows if row.stage == "kafka"), default=now)
    seen = [row for row in rows if row.stage in ("sinks", "kafka") or looked - row.seen < STRAY]
    ahead = _ahead(seen)
    for stage in ("sinks", "kafka", "bridge", "streams"):
        moved = min((row.moved for row in seen if row.stage == stage), default=None)
        if moved is not None and now - moved > STALLED_AFTER:
            return Pipeline(Halt(stage, moved), ahead)
    return Pipeline(None, ahead)


def _ahead(rows: list[StageRow]) -> timedelta:
    newest = max(
        ((row.moved, row.log_time) for row in rows if row.log_time is not None), default=None, key=max
    )
    if newest is None:
        return timedelta()
    moved, log_time = newest
    return log_time - moved if abs(log_time - moved) > CLOCK_DIFFERENCE else timedelta()


@dataclass(frozen=True)
class Moment:
    """What is needed to judge a reading at a moment after it: states age without any new row."""

    now: datetime
    page_rules: PageRules = field(default_factory=PageRules)
    pipeline: Pipeline = field(default_factory=Pipeline)

    def last_news(self, tile: Tile) -> datetime | None:
        """When the line was last heard, by PostgreSQL's clock; None if never."""
        sample = tile.sample
        received = None if sample is None else sample.received or sample.at
        known = [at for at in (received, tile.updated_at) if at is not None]
        return max(known) - self.pipeline.ahead if known else None

    def state(self, tile: Tile) -> State:
        """The state of a line: that of its open stop; without one it runs, while its last message counts."""
        if tile.stop is not None:
            if tile.stop.category == "no_signal":
                return State.NO_SIGNAL
            return State.PLANNED if tile.stop.category == "planned" else State.STOPPED
        if tile.sample is None and not tile.ran:
            return State.WAITING
        return State.RUNNING if self.pipeline.halt is None and self._is_fresh(tile) else State.NO_DATA

    def is_live(self, tile: Tile) -> bool:
        """Whether the figures of its latest message are those of now."""
        if tile.sample is None or self.state(tile) is not State.RUNNING:
            return False
        received = (tile.sample.received or tile.sample.at) - self.pipeline.ahead
        return abs(self.now - received) <= self._silence(tile)

    def without_news_since(self, tile: Tile) -> datetime | None:
        """Since when the line's state is not known; None while it is."""
        halt = self.pipeline.halt
        if self.state(tile) is State.NO_DATA or (halt is not None and tile.stop is not None):
            return self.last_news(tile)
        return None

    def arranged(self, overview: Overview) -> list[Tile]:
        """The lines in the order shown: those that have been silent for long come last.

        The rules open a stop for every line that falls silent. A silent line without one was retired or
        forgotten; or the pipeline stands still, and then nothing is known of any line.
        """
        if self.pipeline.halt is not None:
            return list(overview.tiles)
        return sorted(overview.tiles, key=self._is_away)

    def gone(self) -> datetime:
        """The log time since which a line must have been heard to be shown, unless it has an open stop."""
        halt = self.pipeline.halt
        return (self.now if halt is None else halt.since) + self.pipeline.ahead - GONE

    def _is_away(self, tile: Tile) -> bool:
        heard = self.last_news(tile)
        return (
            self.state(tile) is State.NO_DATA
            and heard is not None
            and self.now - heard > self._silence(tile) + AWAY
        )

    def _is_fresh(self, tile: Tile) -> bool:
        heard = self.last_news(tile)
        return heard is not None and abs(self.now - heard) <= self._silence(tile)

    def _silence(self, tile: Tile) -> timedelta:
        return self.page_rules.silence(tile.line_id, self.now)
