"""A line's state: all that the rules remember. JSON in the changelog, under 256 KiB.

Times are ms since 1970, durations ms, rates pieces per minute.
"""

from typing import Literal, cast

import msgspec

from schemas.events import DowntimeCategory, OrderStatus, Priority
from schemas.frozen import Frozen, Interval
from schemas.kpi_state import Kpi

# Together they keep the state under 256 KiB, whatever texts fill it.
MAX_WAITING = 48
MAX_REMEMBERED = 500
MAX_WINDOWS = 20

MAX_DONE_ORDERS = 20
MAX_STOPS = 100
MAX_PLANS = 50
# Bytes as JSON: where texts are very long, fewer are kept.
MAX_WAITING_SIZE = 96 * 1024
MAX_STOPS_SIZE = 32 * 1024
MAX_SIZE = 16 * 1024  # of orders that are done, of plans, of whose windows were
MAX_UNDECLARED = 2500  # lines in a partition's own entry: with the longest names, 220 KiB

Place = tuple[int, int | None]
"""Offset of a record, and its time in ms if known."""

Mode = Literal["unknown", "running", "stopped", "no_signal"]


class Order(Frozen, frozen=True, omit_defaults=True, gc=False):
    """An order that waits or runs. `started_at` is None while it waits."""

    id: str
    number: str
    product: str
    quantity: int
    priority: Priority
    operator: str | None
    target_rate: float | None
    created_at: int
    produced: int = 0
    defects: int = 0
    actual_rate: float | None = None
    started_at: int | None = None
    shift: str | None = None
    estimated_end: int | None = None


class DoneOrder(Frozen, frozen=True, omit_defaults=True, gc=False):
    """An order that ended, kept because operators may still correct it."""

    order: Order
    status: OrderStatus
    ended_at: int


class Orders(Frozen, frozen=True, omit_defaults=True, gc=False):
    """The running order, the waiting ones in order of arrival, and what was seen before (digests)."""

    running: Order | None = None
    waiting: tuple[Order, ...] = ()
    done: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    latest: tuple[DoneOrder, ...] = ()  # the latest of `done`, in full


class Counted(Frozen, frozen=True, omit_defaults=True, array_like=True, gc=False):
    """A data message during a stop that a status message began: what it means if the line runs again.

    `place` (ms): the moment in whose window its pieces were counted, `timed` if for performance, too; None:
    they were shared over running time. `known`: whether it is known when they were made.
    """

    at: int
    pieces: int
    defects: int
    known: bool
    place: int | None
    timed: bool
    target_rate: float | None
    ruled: bool
    rate: float | None


class Counting(Frozen, frozen=True, omit_defaults=True, gc=False, rename={"messages": "told"}):
    """A stopped line makes pieces, the last ones at `made_at`: it may run again since the first message."""

    made_at: int
    messages: tuple[Counted, ...] = ()


class Stop(Frozen, frozen=True, omit_defaults=True, gc=False, rename={"status_at": "told"}):
    """The open stop.

    `planned`: an operator declared it planned. `status_at`: the time of the last status message that reported
    it, ms; 0: none did. `excused`: up to this time (ms) it is planned or in closed time, by the calendar and
    the plans that are known.
    """

    id: str
    category: DowntimeCategory
    start: int
    created_at: int
    reason: str | None = None
    order_number: str | None = None
    product: str | None = None
    shift_id: str | None = None
    planned: bool = False
    status_at: int = 0
    counting: Counting | None = None
    excused: int = 0


class PastStop(Frozen, frozen=True, omit_defaults=True, gc=False):
    """A stop that ended, kept because operators may still give its reason.

    `required`: ms of it in which the line should have run; None: nobody knows.
    """

    stop: Stop
    end: int
    required: int | None = None


class Plan(Frozen, frozen=True, omit_defaults=True, gc=False):
    """A planned stop that was announced: [start, end), identified by the digest of its `requestId`."""

    request: str
    start: int
    end: int
    reason: str | None = None


class StopHistory(Frozen, frozen=True, omit_defaults=True, gc=False):
    """What operators said of the line, and the latest stops, whose reason they may still give."""

    stops: tuple[PastStop, ...] = ()
    plans: tuple[Plan, ...] = ()
    requests: tuple[str, ...] = ()  # digests
    planned: tuple[Interval, ...] = ()  # all planned time that follows: disjoint, in order


class Alert(Frozen, frozen=True, omit_defaults=True, gc=False):
    """A condition that has held since `since`; an open alert once it has an `id`."""

    since: int
    id: str | None = None
    message: str = ""
    value: float | None = None
    threshold: float | None = None
    created_at: int = 0
    unheard: int = 0  # ms of silence since `since`: it is not known whether it held


class Mismatch(Frozen, frozen=True, omit_defaults=True, gc=False):
    """Counted pieces beside reported rate, over running time since `start`."""

    start: int
    running: int = 0
    pieces: int = 0
    reported: float = 0.0


class Alerts(Frozen, frozen=True, omit_defaults=True, gc=False):
    """Conditions by type, and the past that two of them depend on."""

    held: dict[str, Alert] = msgspec.field(default_factory=dict)  # by type
    recent: tuple[tuple[int, int], ...] = ()  # (pieces, defects) of the latest messages
    recent_pieces: int = 0  # their sums
    recent_defects: int = 0
    mismatch: Mismatch | None = None


class Reading(Frozen, frozen=True, omit_defaults=True, gc=False):
    """What a machine's counter showed, and when."""

    value: int
    at: int


class Counters(Frozen, frozen=True, omit_defaults=True, gc=False):
    """The last readings of a machine that sends its counters as they stand; when it last made a piece.

    `made_at` only where the line's rules ask for it.
    """

    count: Reading | None = None
    defects: Reading | None = None
    made_at: int = 0


class Pace(Frozen, frozen=True, omit_defaults=True, array_like=True, gc=False):
    """Messages whose timestamps lie equally far (`lag`, ms) behind arrival; when the first and last came."""

    lag: int
    since: int
    latest: int
    count: int = 1


class Belief(Frozen, frozen=True, omit_defaults=True, gc=False):
    """What makes the timestamps of a line's machines doubtful.

    `since`, `latest`, `count`: arrival of the first and the last message that was not believed; how many.
    """

    paces: tuple[Pace, ...] = ()  # the latest seen is last
    since: int = 0
    latest: int = 0
    count: int = 0


class Guest(Frozen, frozen=True, omit_defaults=True, array_like=True, gc=False):
    """What decides for how long an undeclared line is kept.

    `messages` are counted until they are enough to keep it for good; `heard_at` (ms, log time) until then.
    """

    messages: int
    heard_at: int = 0


class Undeclared(Frozen, frozen=True, omit_defaults=True, gc=False):
    """The undeclared lines of a partition, and how many of them came in the current hour."""

    lines: dict[str, Guest] = msgspec.field(default_factory=dict)
    hour: int = 0  # hours since 1970, by the log's time
    new: int = 0  # admitted in that hour


class LineState(
    msgspec.Struct,
    omit_defaults=True,
    gc=False,
    rename={"open_rows_due": "census", "stop_history": "people"},
):
    """All that is known of a line after the record at `offset`.

    The only part that can be set: a step of the fold works on a copy of its own, the draft.

    A partition's own entry (`line_id` is empty) has only the partition's position, and in which log it is.
    """

    line_id: str
    partition: int
    offset: int = -1
    log: int = 0  # time of the first record applied: which log it is
    time: int = 0  # own entry only: time of the record at `offset`
    open_rows_due: int | None = None  # own entry only: from this offset on, open rows are to be listed
    sent: dict[str, Place] = {}  # own entry only: the last batch in each derived topic
    undeclared: Undeclared | None = None  # own entry only; None: an older release wrote it
    run: int = 0  # highest bridge run seen in the partition
    received_at: int = 0  # highest seen
    heard_at: int = 0  # received_at of the last message
    ticked_at: int = 0
    ticking_since: int = 0  # ticks have come without a gap since
    clock: int | None = None  # highest event time; None before the first sample
    mode: Mode = "unknown"
    target_rate: float | None = None
    ruled: bool = False  # the plant's rules gave it
    positive_target: float | None = None
    rate: float | None = None
    orders: Orders = Orders()
    stop: Stop | None = None
    alerts: Alerts = Alerts()
    kpi: Kpi | None = None
    counters: Counters = Counters()
    stop_history: StopHistory = StopHistory()
    retired: bool = False
    belief: Belief | None = None  # None: there is no doubt
    failed_at: int = 0  # received_at of the last tick that failed on the line and left a dead letter
    forgotten: bool = False  # as if the line had never sent anything; only its offset is kept

    def copy(self) -> "LineState":
        """A copy that a step may set; the parts that it holds are shared, and never changed."""
        return cast("LineState", self.__copy__())  # type: ignore[attr-defined]

    def reset(self) -> None:
        """Reset all but the line's name and partition to the state of a line that was never heard."""
        new = LineState(line_id=self.line_id, partition=self.partition)
        for name in self.__struct_fields__:
            setattr(self, name, getattr(new, name))


def encode(state: LineState) -> bytes:
    """The state as JSON."""
    return msgspec.json.encode(state)


_decoder = msgspec.json.Decoder(LineState)


def decode(data: bytes) -> LineState:
    """The state from JSON.

    Raises:
        msgspec.DecodeError: not a line's state.
    """
    return _decoder.decode(data)
