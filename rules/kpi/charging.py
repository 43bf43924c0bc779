"""Time into windows: charged to the line's state, and cut where an order starts or ends.

A state holds until the line's next message; that of a running line for `silence_s` at most.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from rules.kpi import windowing
from rules.kpi.production import longer, span
from rules.kpi.remembered import time_of
from rules.kpi.windowing import StateInterval
from rules.record_context import RecordContext
from rules.stops import silence_windows
from schemas.ids import uuid_of
from schemas.kpi_state import Kpi, Window

MAX_GAPS = 100


def begin(at: int, order_number: str | None, product: str | None, context: RecordContext) -> Kpi:
    """The first window of a line: the time before its first message, at `at`, is unknown.

    Where a log begins again in the middle of a window, it stands beside the window that the older log gave.
    """
    window = windowing.begin(at, order_number, product, context)
    window = replace(window, id=uuid_of("kpi", context.line_id, window.start, "first"))
    return charge(Kpi(charged=window.start, open=window), [StateInterval(at, "unknown")], at, context)


def charge(kpi: Kpi, intervals: Iterable[StateInterval], heard: int, context: RecordContext) -> Kpi:
    """Charge time to the line's states, interval by interval; the line was last heard at `heard` (ms)."""
    for interval in intervals:
        if interval.until > kpi.charged:
            kpi = _charge(kpi, interval, heard, context)
    return kpi


def _charge(kpi: Kpi, interval: StateInterval, heard: int, context: RecordContext) -> Kpi:
    at, window, until = kpi.charged, kpi.open, interval.until
    if until > heard + silence_windows.LONGEST:
        interval = replace(interval, until=max(at, heard + silence_windows.LONGEST))
    closed, gaps = list[Window](), kpi.gaps
    while at < interval.until:
        window, at = windowing.charge(window, at, interval, context)
        if at == window.end:
            closed.append(window)
            window = silence_windows.following(window, heard, interval.until, context)
    if at < until:  # in no window
        if at > window.start:
            closed.append(replace(window, end=at))
        window = windowing.begin_at(until, window.order_number, window.product, context)
        gaps = (*gaps, (at, until))[-MAX_GAPS:]
    remembered = (*kpi.closed, *closed) if closed else kpi.closed
    production = kpi.production
    if production is not None and interval.mode != "stopped":
        production = longer(production, kpi.charged, at, interval.mode == "running")
    kpi = replace(kpi, charged=until, open=window, closed=remembered, gaps=gaps)
    return replace(kpi, production=production, shown=0, dirty=True)


def starts(kpi: Kpi, order_number: str, product: str, context: RecordContext) -> Kpi:
    """Start an order with the data message up to which time is charged: its pieces were made before.

    So the time in which they were made becomes the order's, as far as no other order ran in it.
    """
    if _unknown_only(kpi.open):  # the line's first order: no need to set its past apart
        return replace(kpi, open=replace(kpi.open, order_number=order_number, product=product), dirty=True)
    if not kpi.production:
        return cut(kpi, order_number, product, context)
    since, until = span(kpi.production)
    kpi = replace(
        kpi,
        closed=tuple(
            replace(window, order_number=order_number, product=product)
            if window.order_number is None and window.start < until and window.end > since
            else window
            for window in kpi.closed
        ),
    )
    if kpi.open.start < until:
        return replace(kpi, open=replace(kpi.open, order_number=order_number, product=product), dirty=True)
    production = kpi.production
    return replace(cut(kpi, order_number, product, context), production=production)


def cut(kpi: Kpi, order_number: str | None, product: str | None, context: RecordContext) -> Kpi:
    """Begin a new window where the order changes, at the point up to which time is charged.

    Pieces made from here on do not count for the order that ran before.
    """
    production = None if kpi.production is None else ()
    before = kpi.open
    if kpi.charged == before.start and not (before.pieces or before.defects):
        window = replace(before, order_number=order_number, product=product)
        return replace(kpi, open=window, production=production, ends=0, shown=0, dirty=True)
    window = windowing.begin_at(kpi.charged, order_number, product, context)
    if window.start == before.start:  # the one before has pieces and no time: their start is the same
        window = replace(window, id=uuid_of("kpi", before.id))
    closed = (*kpi.closed, replace(before, end=kpi.charged))
    return replace(kpi, open=window, closed=closed, production=production, ends=0, shown=0, dirty=True)


def ends(kpi: Kpi, at: int) -> Kpi:
    """End the order at `at` (ms), up to which time is not charged yet: a window will end there.

    The line's next message may still report its state until then.
    """
    return replace(kpi, ends=at, shown=0, dirty=True)


def _unknown_only(window: Window) -> bool:
    return window.unknown > 0 and window.unknown == time_of(window) and not (window.pieces or window.defects)
