"""Pieces and defects into the windows of the time in which they were made.

A data message's pieces are those made since the message before it: they are shared over that time.
"""

from msgspec.structs import replace

from rules.kpi import window_at
from rules.kpi.production import shares
from rules.kpi.remembered import Of, Remembered, plus
from rules.record_context import RecordContext
from schemas.frozen import Interval
from schemas.kpi_state import Kpi, ProductionInterval


def count(kpi: Kpi, at: int, pieces: int, defects: int, *, known: bool, context: RecordContext) -> Kpi:
    """Share a data message's pieces over the time since the line's data message before it.

    Whole pieces, by cumulative floor over all time but stops. What was made while there was no signal, or
    the line's state was not known, counts as production, not for performance; so does all of it where `known`
    is False (it is not known when it was made) or there was no data message before.

    Args:
        kpi: the windows, charged up to the message.
        at: the message's time, ms: pieces that no running time could have made are counted there.
        pieces, defects: counted since the message before.
        known: whether the message's time is the machine's own, or it came as it was made.
        context: the record.
    """
    production, timed = kpi.production, known and kpi.production is not None
    if production and production[0].start >= kpi.open.start and len(production) == 1 and production[0].known:
        return _into_open(kpi, pieces, defects, pieces if timed else 0)
    kpi = replace(kpi, production=())
    if not pieces and not defects:
        return kpi
    if not production:
        return window_at.add(kpi, at, context, pieces=pieces, defects=defects, timed=pieces if timed else 0)
    parts = list(shares(production))
    total = sum(part.weight for part in parts)
    before = shared_pieces = shared_defects = 0
    remembered = Remembered(kpi, context)
    for part in parts:
        start = part.start
        while start < part.end:
            end = min(part.end, remembered.end_of(start))
            passed = before + part.weight * (end - part.start) // (part.end - part.start)
            here, bad = pieces * passed // total - shared_pieces, defects * passed // total - shared_defects
            made = {"pieces": here, "defects": bad, "timed": here if timed and part.known else 0}
            remembered.add(start, None, made)
            shared_pieces, shared_defects, start = shared_pieces + here, shared_defects + bad, end
        before += part.weight
    return remembered.kpi()


def _into_open(kpi: Kpi, pieces: int, defects: int, timed: int) -> Kpi:
    """All that was made, was made in the open window: the usual message."""
    window = kpi.open
    window = replace(
        window, pieces=window.pieces + pieces, defects=window.defects + defects, timed=window.timed + timed
    )
    return replace(kpi, open=window, production=(), shown=0, dirty=True)


def count_late(
    kpi: Kpi,
    at: int,
    pieces: int,
    defects: int,
    *,
    known: bool,
    context: RecordContext,
    order: Of | None = None,
) -> Kpi:
    """Count a late message's pieces in the window of its time, or in one beside it.

    Args:
        kpi: the windows.
        at: when it was made, ms.
        pieces, defects: what was made.
        known: the line had a signal then, so what was made counts for performance.
        context: the record.
        order: the order that it counts in. If the window is not that order's, a window beside it is.
    """
    sums = {"pieces": pieces, "defects": defects, "timed": pieces if known else 0}
    if order is not None and window_at.order_of(kpi, at) != order and any(sums.values()):
        return window_at.add_beside(kpi, at, order, context, sums)
    return window_at.add(kpi, at, context, order, **sums)


def count_in(
    kpi: Kpi, made: Interval, pieces: int, defects: int, *, known: bool, context: RecordContext
) -> Kpi:
    """Count pieces that are known to have been made in an interval: shared over it."""
    start, end = made
    production = kpi.production
    kpi = replace(kpi, production=(ProductionInterval(start, end, True),) if start < end else ())
    return replace(count(kpi, end, pieces, defects, known=known, context=context), production=production)


def reject(kpi: Kpi, at: int | None, ended: int, defects: int, order: Of, context: RecordContext) -> Kpi:
    """Count defects of an order, found later or taken back, in a window of that order, or one beside it.

    Args:
        kpi: the windows.
        at: when they were made, ms; None: in the order's last window that is remembered.
        ended: the order's last moment, ms, used if no window of it is remembered.
        defects: how many; negative: taken back.
        order: the order.
        context: the record.
    """
    every = (*kpi.closed, kpi.open)
    for window in reversed(every):
        if (window.order_number, window.product) != order:
            continue
        if at is None or window.start <= at < window.end:
            found = plus(window, {"defects": defects})
            if window is kpi.open:
                return replace(kpi, open=found, shown=0, dirty=True)
            return replace(kpi, closed=tuple(found if each is window else each for each in kpi.closed))
    return window_at.add_beside(kpi, ended if at is None else at, order, context, {"defects": defects})
