"""What the page shows, as it was read: times are aware, rates in pieces per minute, durations in seconds."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class State(StrEnum):
    """How a line stands; a text of the catalogue and an icon each."""

    RUNNING = "running"
    STOPPED = "stopped"
    PLANNED = "planned"
    NO_SIGNAL = "no_signal"
    WAITING = "waiting"  # known, but without any message yet


@dataclass(frozen=True)
class Sums:
    """The sums that KPIs are ratios of: seconds by state, pieces, and the output that the rates stand for."""

    running_s: float = 0.0
    stopped_s: float = 0.0
    pieces: int = 0
    defects: int = 0
    theoretical: float = 0.0
    real: float = 0.0  # what is held against it


@dataclass(frozen=True)
class Sample:
    """A line's latest message."""

    at: datetime
    rate: float | None
    target_rate: float | None
    running: bool
    temperature: float | None
    pressure: float | None


@dataclass(frozen=True)
class Stop:
    """A stop; `end` and `duration_s` are None while it is open."""

    start: datetime
    end: datetime | None
    duration_s: float | None
    category: str
    reason: str | None
    line: str = ""


@dataclass(frozen=True)
class Order:
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
        """How much of it is done, floored: 100 only when it is."""
        return self.produced * 100 // self.quantity if self.quantity > 0 else 0


@dataclass(frozen=True)
class Alert:
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
    stop: Stop | None  # the open one
    order: Order | None  # the latest that was started
    shift: Shift | None
    open_alerts: int
    worst: str | None  # severity of the worst open alert
    heard_since: datetime | None  # its first message within the strip's time

    @property
    def state(self) -> State:
        """The open stop tells; without one the line runs."""
        if self.stop is None:
            return State.WAITING if self.sample is None else State.RUNNING
        if self.stop.category == "no_signal":
            return State.NO_SIGNAL
        return State.PLANNED if self.stop.category == "planned" else State.STOPPED


@dataclass(frozen=True)
class CurvePoint:
    """A stretch of time of the KPI curve."""

    start: datetime
    sums: Sums


@dataclass(frozen=True)
class Detail:
    """A line in full."""

    curve: tuple[CurvePoint, ...] = ()
    stops: tuple[Stop, ...] = ()
    alerts: tuple[Alert, ...] = ()
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True)
class InForce:
    """What the page needs of the rules in force."""

    plant: str = "Usine"
    time_zone: str = "Europe/Paris"


@dataclass(frozen=True)
class Overview:
    """Everything at a glance."""

    tiles: tuple[Tile, ...] = ()
    strips: dict[str, tuple[Stop, ...]] = field(default_factory=dict)
    stops: tuple[Stop, ...] = ()
    alerts: tuple[Alert, ...] = ()
