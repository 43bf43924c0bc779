"""Windows of time: where they begin and end, what an interval of a line's time adds to them.

A window is a whole part of the local day, cut where a shift, a day or an order changes. Each of its ms has
one time state: the states partition the window.
"""

from msgspec import Struct
from msgspec.structs import replace

from plant.line_rules import LineRules
from rules.record_context import RecordContext
from rules.stops.planned import Intervals
from rules.stops.required_time import kind_of_time
from schemas.ids import uuid_of
from schemas.instant import MINUTE, SECOND
from schemas.kpi_state import Window
from schemas.state import Mode


class StateInterval(Struct, frozen=True, gc=False):
    """Up to `until` (ms), the line is in `mode`. Rates in pieces per minute.

    `planned`: intervals in which a stop is planned, beside those of the calendar. `ruled`: the target rate is
    that of the rules in force at each moment.
    """

    until: int
    mode: Mode
    target_rate: float | None = None
    rate: float | None = None
    planned: Intervals = ()
    ruled: bool = False


def begin(at: int, order_number: str | None, product: str | None, context: RecordContext) -> Window:
    """The whole window around a point in time."""
    length = context.rules.line(context.line_id, at).window_s * SECOND
    shift = context.shift(at)
    into = (at + shift.offset) % length
    start = max(at - into, shift.start)
    return Window(
        id=window_id(context, start),
        start=start,
        end=min(at - into + length, shift.end),
        created_at=context.received_at,
        order_number=order_number,
        product=product,
        shift_id=shift.id,
        shift_date=shift.date,
        day=shift.day,
    )


def begin_at(at: int, order_number: str | None, product: str | None, context: RecordContext) -> Window:
    """What is left of a window from a point in time on."""
    window = begin(at, order_number, product, context)
    return window if window.start == at else replace(window, start=at, id=window_id(context, at))


def start_of(at: int, context: RecordContext) -> int:
    """Where the whole window around a point in time begins."""
    length = context.rules.line(context.line_id, at).window_s * SECOND
    shift = context.shift(at)
    return max(at - (at + shift.offset) % length, shift.start)


def window_id(context: RecordContext, start: int) -> str:
    """A line's windows do not overlap: its start alone identifies it."""
    return uuid_of("kpi", context.line_id, start)


def charge(window: Window, at: int, interval: StateInterval, context: RecordContext) -> tuple[Window, int]:
    """Charge the window's time from `at` on to what the line was, as far as one time state goes.

    Returns:
        The window, and up to where its time is charged now: the interval's end, or the window's, or before
        both where the calendar or the rules change.
    """
    until = interval.until if interval.until < window.end else window.end
    if interval.mode == "running":
        rules, bound = context.rules.in_force(context.line_id, at)
        until = until if until < bound else bound
        return _run(window, until - at, interval, rules), until
    if interval.mode == "unknown":
        return replace(window, unknown=window.unknown + until - at), until
    kind, bound = kind_of_time(at, interval.planned, context)
    until = min(until, bound)
    part = until - at
    if kind == "planned":
        return replace(window, planned=window.planned + part), until
    if kind == "closed":
        return replace(window, closed=window.closed + part), until
    if interval.mode == "no_signal":
        return replace(window, no_signal=window.no_signal + part), until
    return replace(window, unplanned=window.unplanned + part), until


def _run(window: Window, part: int, interval: StateInterval, rules: LineRules) -> Window:
    """A line that runs is running, whatever the calendar says."""
    target, rate = (rules.target_rate if interval.ruled else interval.target_rate) or 0.0, interval.rate
    if target <= 0:  # neither output counts: a real one without a possible one would flatter the rest
        return replace(window, producing=window.producing + part)
    theoretical = window.theoretical + target * part / MINUTE
    if rate is None:
        return replace(window, producing=window.producing + part, theoretical=theoretical)
    reported = window.reported + (rate if rate > 0 else 0.0) * part / MINUTE
    if rate < target * rules.slow_rate:
        return replace(window, slow=window.slow + part, theoretical=theoretical, reported=reported)
    return replace(window, producing=window.producing + part, theoretical=theoretical, reported=reported)
