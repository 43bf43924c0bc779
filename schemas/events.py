"""Derived events: the final form of one row, as JSON on a topic of its own.

An attribute `bottles_produced` is the JSON key and the column `bottlesProduced`. Times are RFC 3339 text in
UTC with milliseconds, identifiers are UUID text. An event replaces the row of the same `id` if its
`version` is higher; samples and dead letters never change.

A release may add attributes. Events that an older one sent lack them: null is their default where that is
true (it was not known), and there is no other default. Where it is not, the sinks keep them waiting until a
rebuild makes their rows anew from the raw log.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import msgspec

from schemas.marks import marked

Version = tuple[int, int]
"""(the line's highest `received_at` in ms, offset in `production.raw`) of the record that caused it."""

Priority = Literal["low", "medium", "high", "urgent"]
OrderStatus = Literal["waiting", "running", "completed", "cancelled"]
DowntimeCategory = Literal["unplanned", "planned", "micro", "no_signal"]
Severity = Literal["info", "warning", "critical"]
AlertStatus = Literal["open", "resolved"]
PerformanceFrom = Literal["rate", "pieces"]


Seconds = Annotated[float, msgspec.Meta(extra={"summed_to": 1e3})]
Output = Annotated[float, msgspec.Meta(extra={"summed_to": 1e6})]
Number = Annotated[int, msgspec.Meta(extra={"summed_to": 1})]
"""What is summed over windows, each to so many parts of one: `"KPISum"` and the views follow from it."""


class Event(msgspec.Struct, frozen=True, rename="camel", kw_only=True, gc=False):
    """What every derived event says: the rules that made it, its row, its line, its version."""

    sent_to: ClassVar[str]  # the derived topic that it goes to, without the prefix
    generation: int
    version: Version
    id: str
    line_id: str
    line: str


class SampleEvent(Event, frozen=True, rename="camel", kw_only=True, gc=False):
    """One data message: one row of `"ProductionData"`. Rates in pieces per minute, °C, bar."""

    sent_to: ClassVar[str] = "samples"
    timestamp: str
    bottles_produced: int
    target_rate: float | None
    actual_rate: float | None
    defect_count: int
    is_running: bool
    shift_id: str | None
    shift_date: str | None
    temperature: float | None
    pressure: float | None
    received_at: str


class OrderEvent(Event, frozen=True, rename="camel", kw_only=True, gc=False):
    """A row of `"ProductionOrder"`. Quantities in pieces, rates in pieces per minute.

    `reason`: why it ended otherwise than by a message of the line or of a person; see `OpenRowsEvent`.
    """

    sent_to: ClassVar[str] = "orders"
    order_number: str
    product_type: str
    quantity: int
    produced: int
    defects: int
    target_rate: float | None
    actual_rate: float | None
    start_time: str | None
    estimated_end_time: str | None
    end_time: str | None
    status: OrderStatus
    priority: Priority
    shift: str | None
    operator: str | None
    reason: str | None = None
    created_at: str
    updated_at: str


class DowntimeEvent(Event, frozen=True, rename="camel", kw_only=True, gc=False):
    """A row of `"Downtime"`. `duration` in seconds, null while the stop is open.

    `required_seconds`: those of it in which the line should have run, breaks and closing time left out; null
    while it is open, and where that is not known.
    """

    sent_to: ClassVar[str] = "downtimes"
    start_time: str
    end_time: str | None
    duration: float | None
    required_seconds: float | None = None
    category: DowntimeCategory
    reason: str | None
    order_number: str | None
    shift_id: str | None
    created_at: str
    updated_at: str


class AlertEvent(Event, frozen=True, rename="camel", kw_only=True, gc=False):
    """A row of `"Alert"`. `value` and `threshold` in the unit of the alert's type; `reason` as an order's."""

    sent_to: ClassVar[str] = "alerts"
    type: str  # one of `plant.alert_rules.AlertType`
    severity: Severity
    message: str
    value: float | None
    threshold: float | None
    status: AlertStatus
    started_at: str
    resolved_at: str | None
    reason: str | None = None
    created_at: str
    updated_at: str


class KpiEvent(Event, frozen=True, rename="camel", kw_only=True, gc=False):
    """A row of `"KPISnapshot"`: percentages (0-100, or null with a `reason`) and the sums they come from.

    Seconds: running (slow among them), stopped (micro-stops among them), planned, no signal, closed (outside
    opening time), and unknown (before the line's first message) add up to the time charged so far. Pieces:
    `timed_pieces` are those that count for performance. Output in pieces: what the target rate
    (`theoretical_output`) and the reported rate (`reported_output`) give, both integrated over running time.
    Stops: those that began in the window. A coarser figure is a ratio of these sums, never a mean of
    percentages. A row may be a correction of windows published long ago: its sums, negative ones
    too, are what changes.
    """

    sent_to: ClassVar[str] = "kpis"
    window_start: str
    window_end: str
    day: str  # of the plant's calendar
    hour: str  # start of the local hour
    time_zone: str  # of that day and hour
    order_number: str | None
    product_type: str | None
    shift_id: str | None
    shift_date: str | None
    trs: float | None
    availability: float | None
    performance: float | None
    quality: float | None
    oee: float | None
    do: float | None
    tp: float | None
    tq: float | None
    reason: str | None
    performance_from: PerformanceFrom
    running_seconds: Seconds
    slow_seconds: Seconds
    stopped_seconds: Seconds
    micro_seconds: Seconds
    planned_seconds: Seconds
    no_signal_seconds: Seconds
    closed_seconds: Seconds
    unknown_seconds: Seconds
    pieces: Number
    timed_pieces: Number
    defects: Number
    theoretical_output: Output
    reported_output: Output
    stops: Number
    micro_stops: Number
    created_at: str
    updated_at: str


SUMMED: Mapping[str, float] = marked(KpiEvent, "summed_to")
"""The attributes of `KpiEvent` that are summed over windows, and the parts of one that each is rounded to."""


class DeadLetterEvent(Event, frozen=True, rename="camel", kw_only=True, gc=False):
    """A row of `"DeadLetter"`: a record that could not be applied, why, and its bytes (base64 here)."""

    sent_to: ClassVar[str] = "dead-letters"
    topic: str
    partition: int
    offset: int
    mqtt_topic: str | None
    payload: bytes
    reason: str
    detail: str
    received_at: str


class OpenRowsEvent(Event, frozen=True, rename="camel", kw_only=True, gc=False):
    """No row: all that is open on the lines of a partition after a record (`line_id` is empty).

    Sent once by a stage that began at the start of the log, when it has read what the log held then.
    Whatever else of these lines is open under a lower version was opened by a log that is lost: no event will
    ever close it, so it is closed with the reason `log_lost`.
    """

    partition: int
    open: tuple[str, ...]  # ids
    at: str  # the record's `received_at`


class OpenOrders(OpenRowsEvent, frozen=True, rename="camel", kw_only=True, gc=False):
    """Orders that wait or run."""

    sent_to: ClassVar[str] = "orders"


class OpenDowntimes(OpenRowsEvent, frozen=True, rename="camel", kw_only=True, gc=False):
    """Stops that are open."""

    sent_to: ClassVar[str] = "downtimes"


class OpenAlerts(OpenRowsEvent, frozen=True, rename="camel", kw_only=True, gc=False):
    """Alerts that are open."""

    sent_to: ClassVar[str] = "alerts"


DERIVED: tuple[type[Event], ...] = (
    SampleEvent,
    OrderEvent,
    DowntimeEvent,
    AlertEvent,
    KpiEvent,
    DeadLetterEvent,
    OpenOrders,
    OpenDowntimes,
    OpenAlerts,
)
"""Every kind of event. Topics, tables and columns follow from these declarations."""
