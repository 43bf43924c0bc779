"""Data read for the page: times are timezone-aware, rates in pieces per minute, durations in seconds."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from plant.rules import Rules, read_plant
from schemas.instant import ms_of


class State(StrEnum):
    """A line's state as shown; each has a text in the catalogue and an icon."""

    RUNNING = "running"
    STOPPED = "stopped"
    PLANNED = "planned"
    NO_SIGNAL = "no_signal"
    NO_DATA = "no_data"  # it ran when last heard, but that is too long ago, or the pipeline stands still
    WAITING = "waiting"  # known, but not yet heard


@dataclass(frozen=True)
class Sums:
    """The sums that KPIs are ratios of: seconds by state, pieces, and output in pieces."""

    running_s: float = 0.0
    stopped_s: float = 0.0
    pieces: int = 0
    defects: int = 0
    theoretical: float = 0.0
    real: float = 0.0  # compared with the theoretical output


@dataclass(frozen=True)
class Sample:
    """A line's latest data message."""

    at: datetime
    rate: float | None
    target_rate: float | None
    running: bool
    temperature: float | None
    pressure: float | None
    received: datetime | None = None  # by the bridge's clock, as every row's `updatedAt`


@dataclass(frozen=True)
class StopRow:
    """A stop; `end` and `duration_s` are None while it is open."""

    start: datetime
    end: datetime | None
    duration_s: float | None
    category: str
    reason: str | None
    line: str = ""


@dataclass(frozen=True)
class OrderRow:
    """A production order."""

    number: str
    product: str
    quantity: int
    produced: int
    defects: int
    status: str
    priority: str
    operator: str | None
    start: datetime | None
    estimated_end: datetime | None
    end: datetime | None

    @property
    def percent(self) -> int:
        """Percentage produced, rounded down: 100 only when all of it is."""
        return self.produced * 100 // self.quantity if self.quantity > 0 else 0


@dataclass(frozen=True)
class AlertRow:
    """An alert; `value` and `threshold` in the unit of its type."""

    type: str
    severity: str
    message: str  # in the plant's language
    value: float | None
    threshold: float | None
    status: str
    started: datetime
    resolved: datetime | None
    line: str = ""


@dataclass(frozen=True)
class Shift:
    """A line's shift so far."""

    name: str | None
    day: date | None
    sums: Sums


@dataclass(frozen=True)
class Tile:
    """A line at a glance."""

    line_id: str
    name: str
    sample: Sample | None
    stop: StopRow | None  # the open one
    order: OrderRow | None  # the latest that was started
    shift: Shift | None
    open_alerts: int
    worst: str | None  # severity of the worst open alert
    heard_since: datetime | None  # its first data message within the timeline
    updated_at: datetime | None = None  # when its windows last changed; status messages change them, too

    @property
    def ran(self) -> bool:
        """Whether it ran in its shift: a line that sends only status messages has no sample."""
        return self.shift is not None and self.shift.sums.running_s > 0


@dataclass(frozen=True)
class CurvePoint:
    """An interval of the KPI curve."""

    start: datetime
    sums: Sums


@dataclass(frozen=True)
class Detail:
    """A line in full."""

    curve: tuple[CurvePoint, ...] = ()
    stops: tuple[StopRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()


@dataclass(frozen=True)
class PageRules:
    """What the page needs of the rules in force."""

    plant: str = "Usine"
    time_zone: str = "Europe/Paris"
    rules: Rules = field(default_factory=lambda: Rules(0, read_plant("")))

    def silence(self, line_id: str, at: datetime) -> timedelta:
        """How long a line may be silent before its last message no longer counts."""
        return timedelta(milliseconds=self.rules.line(line_id, ms_of(at)).silence)

    @cached_property
    def reach(self) -> timedelta:
        """How far a machine's clock may at most be behind for its timestamps to be believed."""
        every = (self.rules.timeline(line_id)[1] for line_id in (None, *self.rules.named))
        return timedelta(milliseconds=max(rules.past for timeline in every for rules in timeline))


@dataclass(frozen=True)
class StageRow:
    """A stage's progress in a partition, as the sinks saw it; times by PostgreSQL's clock."""

    stage: str  # kafka, bridge, streams, sinks
    moved: datetime  # when it last moved, or had nothing left to do
    seen: datetime
    log_time: datetime | None = None  # of the newest record of the raw log, by the bridge's clock


@dataclass(frozen=True)
class Overview:
    """Everything at a glance."""

    tiles: tuple[Tile, ...] = ()
    timelines: dict[str, tuple[StopRow, ...]] = field(default_factory=dict)
    stops: tuple[StopRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    more: int = 0  # how many further lines exist and are not shown, because there are too many
