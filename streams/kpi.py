"""KPI windows: time charged to what the line was, pieces counted, and the figures that follow.

Windows are tumbling, cut where a shift or an order changes. What the line was holds until its next message,
a running line's for `silence_s` at most.
"""

from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from schemas.events import KpiEvent
from schemas.figures import Figures, PerformanceFrom, figures
from schemas.ids import uuid_of
from schemas.instant import DAY, MINUTE, SECOND, text_of
from schemas.state import MAX_WINDOWS, Kpi, Mode, Window
from streams.cause import Cause
from streams.change import Change

SILENT_FOR_GOOD = DAY  # a line silent for so long writes no more windows
REFRESH = SECOND


class Held(NamedTuple):
    """What the line is over a stretch of time. Rates in pieces per minute."""

    mode: Mode
    target_rate: float | None
    rate: float | None


def begin(at: int, order_number: str | None, cause: Cause) -> Kpi:
    """The first window of a line: the time before its first message, at `at`, is unknown."""
    window = _window(at, order_number, cause)
    window = replace(window, id=uuid_of("kpi", cause.line_id, window.start, "first"))
    return charge(Kpi(charged=window.start, open=window), at, at, Held("unknown", None, None), cause)[0]


def charge(kpi: Kpi, until: int, heard: int, held: Held, cause: Cause) -> tuple[Kpi, list[Window]]:
    """Charge the time up to `until` (ms) to what the line was, last heard at `heard` (ms).

    Returns:
        The windows after it, and those that it closed.
    """
    at, window = kpi.charged, kpi.open
    closed: list[Window] = []
    if until <= at:
        return kpi, closed
    end = min(until, max(at, heard + SILENT_FOR_GOOD))
    while at < end:
        part = min(end, window.end) - at
        window = _charged(window, part, held)
        at += part
        if at == window.end:
            closed.append(window)
            window = _window(at, window.order_number, cause)
    if at < until:  # nobody knows what the line was in between
        closed.append(replace(window, end=at))
        window = replace(_window(until, window.order_number, cause), start=until)
    remembered = (*kpi.closed, *closed)[-MAX_WINDOWS:] if closed else kpi.closed
    return replace(kpi, charged=until, open=window, closed=remembered, dirty=True), closed


def cut(kpi: Kpi, order_number: str | None, cause: Cause) -> tuple[Kpi, list[Window]]:
    """Begin a new window where the order changes, at the point up to which time is charged."""
    if _unknown_only(kpi.open):  # the line's first order: no need to set its past apart
        return replace(kpi, open=replace(kpi.open, order_number=order_number), dirty=True), []
    window = replace(_window(kpi.charged, order_number, cause), start=kpi.charged)
    closed = [] if _empty(kpi) else [replace(kpi.open, end=kpi.charged)]
    remembered = (*kpi.closed, *closed)[-MAX_WINDOWS:]
    return replace(kpi, open=window, closed=remembered, dirty=True), closed


def count(kpi: Kpi, at: int, pieces: int, defects: int, cause: Cause) -> tuple[Kpi, list[Window]]:
    """Count pieces in the window that `at` (ms) belongs to.

    A message so late that its window is no longer remembered opens one beside it, with pieces and no time:
    sums over windows stay right.

    Returns:
        The windows after it, and the closed one that it revised, if any.
    """
    if at >= kpi.open.start:
        return replace(kpi, open=_counted(kpi.open, pieces, defects), dirty=True), []
    for index in range(len(kpi.closed) - 1, -1, -1):
        window = kpi.closed[index]
        if window.start <= at < window.end:
            window = _counted(window, pieces, defects)
            return replace(kpi, closed=(*kpi.closed[:index], window, *kpi.closed[index + 1 :])), [window]
    window = replace(_window(at, kpi.open.order_number, cause), id=uuid_of("kpi", cause.event_id))
    window = _counted(window, pieces, defects)
    return replace(kpi, closed=(*kpi.closed, window)[-MAX_WINDOWS:]), [window]


def publish(kpi: Kpi, cause: Cause) -> tuple[Kpi, list[Window]]:
    """The open window, if it changed and was not published within the last second."""
    if not kpi.dirty or cause.received_at - kpi.published < REFRESH or _empty(kpi):
        return kpi, []
    return replace(kpi, published=cause.received_at, dirty=False), [kpi.open]


def _unknown_only(window: Window) -> bool:
    sums = (window.running, window.stopped, window.no_signal, window.pieces, window.defects)
    return window.unknown > 0 and not any(sums)


def _empty(kpi: Kpi) -> bool:
    return kpi.charged == kpi.open.start and kpi.open.pieces == 0 and kpi.open.defects == 0


def _window(at: int, order_number: str | None, cause: Cause) -> Window:
    length = cause.line_rules.window_s * SECOND
    shift = cause.shift(at)
    start = max(at - at % length, shift.start)
    return Window(
        id=uuid_of("kpi", cause.line_id, start if at == start else at, order_number or ""),
        start=start,
        end=min(at - at % length + length, shift.end),
        created_at=cause.received_at,
        order_number=order_number,
        shift_id=shift.id,
        shift_date=shift.date,
    )


def _charged(window: Window, part: int, held: Held) -> Window:
    if held.mode == "running":
        target = held.target_rate or 0.0
        if target <= 0:  # neither output counts: a real one without a possible one would flatter the rest
            return replace(window, running=window.running + part)
        return replace(
            window,
            running=window.running + part,
            theoretical=window.theoretical + target * part / MINUTE,
            reported=window.reported + max(held.rate or 0.0, 0.0) * part / MINUTE,
        )
    if held.mode == "stopped":
        return replace(window, stopped=window.stopped + part)
    if held.mode == "no_signal":
        return replace(window, no_signal=window.no_signal + part)
    return replace(window, unknown=window.unknown + part)


def _counted(window: Window, pieces: int, defects: int) -> Window:
    return replace(window, pieces=window.pieces + pieces, defects=window.defects + defects)


def figures_of(window: Window, performance_from: PerformanceFrom) -> Figures:
    """The figures of a window's sums."""
    return figures(
        window.running,
        window.stopped,
        window.pieces,
        window.defects,
        window.theoretical,
        window.reported,
        performance_from,
    )


def row(window: Window, cause: Cause) -> Change:
    """The row of a window as it stands."""
    return Change(KpiEvent, window.id, partial(_row, window, cause))


def _row(window: Window, cause: Cause) -> KpiEvent:
    found = figures_of(window, cause.line_rules.performance_from)
    return KpiEvent(
        **cause.stamp(window.id),
        window_start=text_of(window.start),
        window_end=text_of(window.end),
        order_number=window.order_number,
        shift_id=window.shift_id,
        shift_date=window.shift_date,
        trs=found.trs,
        availability=found.availability,
        performance=found.performance,
        quality=found.quality,
        oee=found.trs,
        reason=found.reason,
        running_seconds=window.running / SECOND,
        stopped_seconds=window.stopped / SECOND,
        planned_seconds=0.0,
        no_signal_seconds=window.no_signal / SECOND,
        unknown_seconds=window.unknown / SECOND,
        pieces=window.pieces,
        defects=window.defects,
        theoretical_output=window.theoretical,
        reported_output=window.reported,
        created_at=text_of(window.created_at),
        updated_at=cause.seen_at,
    )
