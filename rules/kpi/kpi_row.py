"""The row of a KPI window: its sums, and the figures that follow from them."""

from functools import partial

from rules.kpi.figures import Figures, Sums, figures
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.events import KpiEvent, PerformanceFrom
from schemas.instant import HOUR, SECOND, text_of
from schemas.state import Window


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
        running_seconds=(window.producing + window.slow) / SECOND,
        slow_seconds=window.slow / SECOND,
        stopped_seconds=(window.micro + window.unplanned) / SECOND,
        micro_seconds=window.micro / SECOND,
        planned_seconds=window.planned / SECOND,
        no_signal_seconds=window.no_signal / SECOND,
        closed_seconds=window.closed / SECOND,
        unknown_seconds=window.unknown / SECOND,
        pieces=window.pieces,
        timed_pieces=window.timed,
        defects=window.defects,
        theoretical_output=window.theoretical,
        reported_output=window.reported,
        stops=window.stops,
        micro_stops=window.micro_stops,
        created_at=text_of(window.created_at),
        updated_at=context.seen_at,
    )
