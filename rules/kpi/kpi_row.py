"""The row of a KPI window: its sums, and the figures that follow from them."""

from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any

from rules.kpi.figures import Figures, Sums, figures
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.events import SUMMED, KpiEvent, PerformanceFrom
from schemas.instant import HOUR, SECOND, text_of
from schemas.kpi_state import TIMES, Window

# The sums of a row that a window does not hold under the same name; `x_seconds` is its `x` in seconds.
_OTHERWISE: Mapping[str, Callable[[Window], Any]] = {
    "running_seconds": lambda window: (window.producing + window.slow) / SECOND,
    "stopped_seconds": lambda window: (window.micro + window.unplanned) / SECOND,
    "timed_pieces": attrgetter("timed"),
    "theoretical_output": attrgetter("theoretical"),
    "reported_output": attrgetter("reported"),
}


def _value(name: str) -> Callable[[Window], Any]:
    if name in _OTHERWISE:
        return _OTHERWISE[name]
    time = name.removesuffix("_seconds")
    if time in TIMES:
        return lambda window: getattr(window, time) / SECOND
    if name in Window.__struct_fields__:
        return attrgetter(name)
    raise TypeError(
        f"schemas/events.py: KpiEvent sums {name}, and schemas/kpi_state.py: Window has no such sum"
    )


SUMS = {name: _value(name) for name in SUMMED}


def row(window: Window, context: RecordContext) -> RowUpdate:
    """The row of a window as it stands."""
    return RowUpdate(KpiEvent, window.id, partial(_row, window, context))


def sums_of(window: Window, performance_from: PerformanceFrom) -> Sums:
    """What the figures of a window are ratios of."""
    return Sums(
        running=window.producing + window.slow,
        micro=window.micro,
        unplanned=window.unplanned,
        planned=window.planned,
        closed=window.closed,
        pieces=window.pieces,
        defects=window.defects,
        theoretical=window.theoretical,
        real=window.timed if performance_from == "pieces" else window.reported,
        stops=window.stops,
    )


def _row(window: Window, context: RecordContext) -> KpiEvent:
    rules = context.rules.line(context.line_id, window.start)
    if window.no_signal < 0 or window.unknown < 0 or window.micro_stops < 0:  # in no figure's sums
        found = Figures(reason="correction")
    else:
        found = figures(sums_of(window, rules.performance_from))
    return KpiEvent(
        **context.stamp(window.id),
        window_start=text_of(window.start),
        window_end=text_of(window.end),
        day=window.day,
        hour=text_of(window.start - (window.start + context.shift(window.start).offset) % HOUR),
        time_zone=rules.time_zone,
        order_number=window.order_number,
        product_type=window.product,
        shift_id=window.shift_id,
        shift_date=window.shift_date,
        trs=found.trs,
        availability=found.availability,
        performance=found.performance,
        quality=found.quality,
        oee=found.oee,
        do=found.do,
        tp=found.tp,
        tq=found.tq,
        reason=found.reason,
        performance_from=rules.performance_from,
        **{name: value(window) for name, value in SUMS.items()},
        created_at=text_of(window.created_at),
        updated_at=context.seen_at,
    )
