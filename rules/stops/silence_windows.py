"""The windows of a silence: shown while it lasts, charged once it ends, with the same bounds both times.

For the first day of a silence, which counts from the line's last message, they are as long as any window;
then an hour each, for as long as the log is kept. Each row that was shown is published again at the line's
next message. If the line later sends messages of the silent time, the rows of hours are replaced by rows of
minutes, which begin wherever hours do.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from rules.kpi import windowing
from rules.kpi.remembered import Of
from rules.kpi.windowing import StateInterval
from rules.record_context import RecordContext
from schemas.instant import DAY, HOUR
from schemas.kpi_state import Kpi, Window
from schemas.topics import RAW_RETENTION_DAYS

SHORT_WINDOWS = DAY  # at the beginning of a silence, in which windows are `window_s` long
LONGEST = RAW_RETENTION_DAYS * DAY  # later time is in no window, or one message could make any number of them
SHOWN_AT_ONCE = 60  # windows of a line that a tick shows: after an outage, all lines are shown together


def following(window: Window, heard: int, last: int | None, context: RecordContext) -> Window:
    """The window after one that is charged to its end, with the same order; else as `around`."""
    return around(window.end, (window.order_number, window.product), heard, last, context)


def around(at: int, order: Of, heard: int, last: int | None, context: RecordContext) -> Window:
    """The window at a point in time in a silence: it begins there, unless it is `window_s` long.

    It never reaches over the end of a local hour, a shift or a day, nor over a change of rules.

    Args:
        at: ms.
        order: the window's.
        heard: the line's last message, ms.
        last: the end of the silence, or of the order: an hour ends with the last whole minute before it.
        context: the record.
    """
    window = windowing.begin(at, *order, context)
    return window if window.start < heard + SHORT_WINDOWS else _up_to_an_hour(window, last, context)


def _up_to_an_hour(window: Window, last: int | None, context: RecordContext) -> Window:
    at, shift = window.start, context.shift(window.start)
    end = min(at + HOUR - (at + shift.offset) % HOUR, shift.end)
    _, changed = context.rules.in_force(context.line_id, at)
    for bound in (changed, last):
        if bound is not None and bound < end:
            end = windowing.start_of(bound, context)
    return replace(window, end=end) if end > window.end else window


def shown(
    kpi: Kpi, intervals: Sequence[StateInterval], heard: int, context: RecordContext
) -> tuple[Kpi, list[Window]]:
    """The windows as they are if the line's state is as the intervals say, those not shown yet.

    Nothing is charged: a message may still report another state. At most SHOWN_AT_ONCE windows are shown; the
    next ticks show the rest. An hour of a long silence is shown when it is over.

    Args:
        kpi: the windows.
        intervals: the line's states since the time up to which it is charged.
        heard: the line's last message, ms.
        context: the tick.
    """
    until = min(intervals[-1].until, heard + LONGEST)
    if kpi.shown >= until:
        return kpi, []
    at, window = kpi.charged, kpi.open
    if kpi.ends:
        window = _until_order_ends(kpi, window)
    if kpi.shown >= window.end:
        window = _next(kpi, kpi.shown, window, heard, context)
        at = window.start
    changed: list[Window] = []
    for interval in intervals:
        seen = replace(interval, until=min(interval.until, until))
        while at < seen.until and len(changed) < SHOWN_AT_ONCE:
            window, at = windowing.charge(window, at, seen, context)
            if at == window.end:
                changed.append(window)
                window = _next(kpi, at, window, heard, context)
    if window.start < at and window.start < heard + SHORT_WINDOWS:
        changed.append(window)
    elif window.start < at:
        at = window.start
    return (replace(kpi, shown=at) if at > kpi.shown else kpi), changed


def _next(kpi: Kpi, at: int, window: Window, heard: int, context: RecordContext) -> Window:
    """The window of `at`, after another one: once the order has ended, a window without order."""
    of = (window.order_number, window.product)
    if not kpi.ends:
        return around(at, of, heard, None, context)
    if at < kpi.ends:
        return _until_order_ends(kpi, around(at, of, heard, kpi.ends, context))
    window = around(at, (None, None), heard, None, context)
    return window if window.start >= kpi.ends else windowing.begin_at(kpi.ends, None, None, context)


def _until_order_ends(kpi: Kpi, window: Window) -> Window:
    return replace(window, end=kpi.ends) if window.start < kpi.ends < window.end else window
