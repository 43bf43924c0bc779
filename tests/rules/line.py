"""A line for tests: it runs, stops, falls silent; its rows are those that a database would hold."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

from plant.rules import Rules, read_plant
from rules.partition import Lines
from schemas.events import (
    AlertEvent,
    DeadLetterEvent,
    DowntimeEvent,
    Event,
    KpiEvent,
    OpenRowsEvent,
    OrderEvent,
    SampleEvent,
)
from schemas.instant import MINUTE, SECOND, ms_of
from schemas.raw import Kind, RawHeaders, RawRecord
from schemas.state import LineState

Row = TypeVar("Row", bound=Event)
PARIS = ZoneInfo("Europe/Paris")


def at(clock: str, day: str = "2026-01-15") -> int:
    """`13:50` or `13:50:30` in Paris, on a winter's day: ms since 1970."""
    return ms_of(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=PARIS))


def rows_of(events: Iterable[Event]) -> dict[tuple[type[Event], str], Event]:
    """What a database holds after the events: the highest version of each row, its last form."""
    rows: dict[tuple[type[Event], str], Event] = {}
    for event in events:
        if isinstance(event, OpenRowsEvent):
            continue
        known = rows.get((type(event), event.id))
        if known is None or event.version >= known.version:
            rows[type(event), event.id] = event
    return rows


class Line:
    """`ligne1`, from a point in time on. Messages arrive when they are made unless said otherwise."""

    def __init__(self, now: int, plant: str = "") -> None:
        self.now = now
        self.every = 2
        self.ticks = True
        self.behind = 0  # by how much (ms) the machine's own clock is
        self.records: list[RawRecord] = []
        self.events: list[Event] = []
        self._last_tick = now
        self._lines = Lines(Rules(1, read_plant(plant)), "production.raw", 0)

    @classmethod
    def at(cls, clock: str, plant: str = "", day: str = "2026-01-15") -> Self:
        """A line whose messages begin then."""
        return cls(at(clock, day), plant)

    def says(
        self,
        kind: Kind = Kind.DATA,
        *,
        bare: bytes | None = None,
        retain: bool = False,
        backlog: bool = False,
        **fields: Any,
    ) -> Self:
        """One message, now."""
        payload = json.dumps(fields).encode() if bare is None else bare
        headers = RawHeaders(kind, f"production/ligne1/{kind}", 1, retain, backlog=backlog)
        self._put("ligne1", headers, payload)
        return self

    def data(self, count: int = 4, **fields: Any) -> Self:
        """One data message, now: by default of a line that runs at its target of 120."""
        usual = {
            "count": count,
            "targetRate": 120,
            "rate": 120,
            "defects": 0,
            "running": True,
            "timestamp": self.now - self.behind,
        }
        return self.says(**{**usual, **fields})

    def runs(self, minutes: float = 0, seconds: float = 0, **fields: Any) -> Self:
        """Run at its target, with a message every two seconds, the last one just before the end."""
        return self._speaks(minutes, seconds, {"count": 2 * self.every, **fields})

    def stops(self, minutes: float = 0, seconds: float = 0, **fields: Any) -> Self:
        """Stand still, with a message every two seconds."""
        return self._speaks(minutes, seconds, {"count": 0, "rate": 0, "running": False, **fields})

    def silent(self, minutes: float = 0, seconds: float = 0) -> Self:
        """Send nothing while ticks go on."""
        return self._until(self.now + round(minutes * MINUTE + seconds * SECOND))

    def bridge_down(self, minutes: float = 0, seconds: float = 0) -> Self:
        """The bridge is down: no messages and no ticks."""
        self.now = self._last_tick = self.now + round(minutes * MINUTE + seconds * SECOND)
        return self

    def _speaks(self, minutes: float, seconds: float, fields: dict[str, Any]) -> Self:
        end = self.now + round(minutes * MINUTE + seconds * SECOND)
        while self.now < end:
            self.data(**fields)
            self._until(min(end, self.now + self.every * SECOND))
        return self

    def _until(self, end: int) -> Self:
        while self.ticks and self._last_tick + 5 * SECOND <= end:
            self._last_tick = self.now = self._last_tick + 5 * SECOND
            self._put(None, RawHeaders(Kind.TICK), b"")
        self.now = end
        return self

    def _put(self, line_id: str | None, headers: RawHeaders, payload: bytes) -> None:
        record = RawRecord(0, len(self.records), self.now, line_id, headers, payload)
        self.records.append(record)
        self.events += [change.form() for change in self._lines.apply(record)]

    # -- what people see

    @property
    def state(self) -> LineState:
        return self._lines.states["ligne1"]

    def rows(self, kind: type[Row]) -> list[Row]:
        """The rows of one table, in the order in which they appeared."""
        return [row for row in rows_of(self.events).values() if isinstance(row, kind)]

    @property
    def samples(self) -> list[SampleEvent]:
        return self.rows(SampleEvent)

    @property
    def orders(self) -> list[OrderEvent]:
        return self.rows(OrderEvent)

    @property
    def stopped(self) -> list[DowntimeEvent]:
        return self.rows(DowntimeEvent)

    def alerts(self, kind: str) -> list[AlertEvent]:
        return [row for row in self.rows(AlertEvent) if row.type == kind]

    @property
    def windows(self) -> list[KpiEvent]:
        return sorted(self.rows(KpiEvent), key=lambda row: (row.window_start, row.window_end))

    @property
    def dead_letters(self) -> list[DeadLetterEvent]:
        return self.rows(DeadLetterEvent)
