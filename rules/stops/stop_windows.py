"""What a stop changes in the windows that it lies in: how many stops began, and the state of its time.

A window that is no longer remembered is not revised: a correction stands beside it.
"""

from rules.kpi import window_at, windowing
from rules.kpi.remembered import Of, Remembered
from rules.kpi.windowing import StateInterval
from rules.record_context import RecordContext
from rules.stops.planned import Intervals, without
from schemas.kpi_state import OUTPUTS, TIMES, Kpi, Window

RECHARGED = [*(name for name in TIMES if name != "micro"), *OUTPUTS]  # a stop is short only once it has ended


def count_stops(kpi: Kpi, at: int, stops: int, micro_stops: int, order: Of, context: RecordContext) -> Kpi:
    """Count stops that began at `at` (ms); negative numbers take them back."""
    return window_at.add(
        kpi, at, context, window_at.order_or(kpi, at, order), stops=stops, micro_stops=micro_stops
    )


def reclassify(
    kpi: Kpi, parts: Intervals, source: str, target: str, order: Of, context: RecordContext
) -> Kpi:
    """Charge time to another state than before: its windows are revised.

    Where they are no longer remembered, a correction stands beside them, with the changes as its sums. It has
    their order, or `order` if that is no longer known.
    """
    if not parts:
        return kpi
    remembered = Remembered(kpi, context)
    for start, end in without(parts, kpi.gaps):
        at = start
        while at < end:
            until = min(end, remembered.end_of(at))
            remembered.add(at, window_at.order_or(kpi, at, order), {source: at - until, target: until - at})
            at = until
    return remembered.kpi()


def recharge(
    kpi: Kpi, at: int, was: StateInterval, now: StateInterval, order: Of, context: RecordContext
) -> Kpi:
    """Time from `at` (ms) on that was charged as `was` is charged as `now`, which ends where `was` does."""
    remembered = Remembered(kpi, context)
    while at < now.until:
        until = min(now.until, remembered.end_of(at))
        before, after = (_charged_as(interval, at, until, context) for interval in (was, now))
        sums = {name: getattr(after, name) - getattr(before, name) for name in RECHARGED}
        remembered.add(at, window_at.order_or(kpi, at, order), sums)
        at = until
    return remembered.kpi()


def _charged_as(interval: StateInterval, start: int, end: int, context: RecordContext) -> Window:
    window, at = Window(id="", start=start, end=end, created_at=0), start
    while at < end:
        window, at = windowing.charge(window, at, interval, context)
    return window
