"""What a line's state holds of its KPI windows. Times are ms since 1970, durations ms, outputs pieces."""

from typing import Annotated

import msgspec

from schemas.frozen import Frozen, Interval
from schemas.marks import marked

Time = Annotated[int, msgspec.Meta(extra={"sum": "time"})]
Output = Annotated[float, msgspec.Meta(extra={"sum": "output"})]


class Window(Frozen, frozen=True, omit_defaults=True, gc=False):
    """A KPI window [start, end): its sums.

    `Time`: ms in a time state; together, the time that was charged. `Output`: pieces that a rate gives.
    """

    id: str
    start: int
    end: int
    created_at: int
    order_number: str | None = None
    product: str | None = None
    shift_id: str | None = None
    shift_date: str | None = None
    day: str = ""
    producing: Time = 0
    slow: Time = 0
    micro: Time = 0
    unplanned: Time = 0
    planned: Time = 0
    no_signal: Time = 0
    closed: Time = 0
    unknown: Time = 0
    pieces: int = 0
    timed: int = 0  # of them, those made in running time that is known: they count for performance
    defects: int = 0
    theoretical: Output = 0.0
    reported: Output = 0.0
    stops: int = 0  # unplanned ones that began here
    micro_stops: int = 0


TIMES, OUTPUTS = (
    tuple(name for name, summed in marked(Window, "sum").items() if summed == kind)
    for kind in ("time", "output")
)


class Others(Frozen, frozen=True, omit_defaults=True, array_like=True, gc=False):
    """Intervals that another one represents, too: together they lie in [since, until).

    `ran`, `unknown`: ms of them in which the line ran, and in which that is not known.
    """

    since: int
    until: int
    ran: int
    unknown: int


class ProductionInterval(Frozen, frozen=True, omit_defaults=True, array_like=True, gc=False):
    """Time [start, end) in which the next message's pieces may have been made; `known`: the line ran."""

    start: int
    end: int
    known: bool
    others: Others | None = None  # that it represents, too: only some of many intervals are remembered


class WindowOrder(Frozen, frozen=True, omit_defaults=True, array_like=True, gc=False):
    """From `since` (ms) on, windows were of this order and product; None: of no order."""

    since: int
    number: str | None = None
    product: str | None = None


_KPI_STORED_AS = {"gaps": "holes", "window_orders": "owners", "production": "making"}


class Kpi(Frozen, frozen=True, omit_defaults=True, gc=False, rename=_KPI_STORED_AS):
    """The open window, charged up to `charged`; the latest closed ones, for messages that come late.

    Time up to the line's last message is charged. Time of a silence is only shown, in rows up to `shown`: a
    gateway that sends its past later finds that time uncharged.
    """

    charged: int
    open: Window
    closed: tuple[Window, ...] = ()
    window_orders: tuple[WindowOrder, ...] = ()  # of windows that are no longer remembered
    gaps: tuple[Interval, ...] = ()  # time in no window: of a silence beyond all bounds, of a retired line
    production: tuple[ProductionInterval, ...] | None = None  # since the last data message; None: none came
    shown: int = 0
    ends: int = 0  # ms; when the order of the open window ended, if time is not charged up to then
    published: int = 0  # received_at of the open window's last row
    dirty: bool = False  # the open window has changed since
