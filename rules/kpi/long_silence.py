"""The windows of a long silence: for a day as long as any, then an hour each, as far as the log goes back.

What is shown while the silence lasts and what is charged once it ends are cut at the same points: each row
that was shown is told anew. A silence counts from the line's last message. Where it tells some of that time
later, what was shown by the hour is told by the minute, and minutes begin wherever hours do.
"""

from msgspec.structs import replace

from rules.kpi import windowing
from rules.kpi.remembered import Of
from rules.record_context import RecordContext
from schemas.instant import DAY, HOUR
from schemas.state import Window
from schemas.topics import RAW_RETENTION_DAYS

AS_EVER = DAY  # the first of a silence: its windows are `window_s` long
LONGEST = RAW_RETENTION_DAYS * DAY  # what lies beyond is in no window: one message would make any number
SHOWN_AT_ONCE = 60  # windows that a tick shows of a line: after an outage, all lines are shown together


def following(window: Window, heard: int, last: int | None, context: RecordContext) -> Window:
    """The window after one that is charged to its end, of the same order; else as `around`."""
    return around(window.end, (window.order_number, window.product), heard, last, context)


def around(at: int, order: Of, heard: int, last: int | None, context: RecordContext) -> Window:
    """The window of a point in time, where windows begin or are a minute (`window_s`) long.

    Never over the end of a local hour, a shift or a day, nor over a change of rules.

    Args:
        at: ms.
        order: whose it is.
        heard: the line's last message, ms.
        last: the end of the silence, or of the order: an hour ends with the last whole minute before it.
        context: the record.
    """
    window = windowing.begin(at, *order, context)
    return window if window.start < heard + AS_EVER else _up_to_an_hour(window, last, context)


def _up_to_an_hour(window: Window, last: int | None, context: RecordContext) -> Window:
    at, shift = window.start, context.shift(window.start)
    end = min(at + HOUR - (at + shift.offset) % HOUR, shift.end)
    _, changed = context.rules.in_force(context.line_id, at)
    for bound in (changed, last):
        if bound is not None and bound < end:
            end = windowing.start_of(bound, context)
    return replace(window, end=end) if end > window.end else window
