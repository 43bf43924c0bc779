"""KPI windows of a line: time charged to what it was, pieces to when they were made.

What a line was holds until its next message, a running line's for `silence_s` at most. A message's pieces are
those made since the message before it: they are shared over that time.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from rules.kpi import long_silence, windowing
from rules.kpi.production import longer, shares, span
from rules.kpi.remembered import Of, Remembered, plus, time_of
from rules.kpi.windowing import Intervals, StateInterval
from rules.record_context import RecordContext
from rules.stops.planned import without
from schemas.ids import uuid_of
from schemas.instant import SECOND
from schemas.state import (
    MAX_SIZE,
    MAX_WINDOWS,
    Interval,
    Kpi,
    ProductionInterval,
    Window,
    WindowOrder,
    latest,
)

REFRESH = SECOND
MAX_GAPS = 100
MAX_WINDOW_ORDERS = 100
TIMES = ("producing", "slow", "unplanned", "planned", "no_signal", "closed", "unknown")  # micro is told later
OUTPUTS = ("theoretical", "reported")


def begin(at: int, order_number: str | None, product: str | None, context: RecordContext) -> Kpi:
    """The first window of a line: the time before its first message, at `at`, is unknown.

    Where a log begins again in the middle of a window, it stands beside the one that an older log told.
    """
    window = windowing.begin(at, order_number, product, context)
    window = replace(window, id=uuid_of("kpi", context.line_id, window.start, "first"))
    return charge(Kpi(charged=window.start, open=window), [StateInterval(at, "unknown")], at, context)


def charge(kpi: Kpi, intervals: Iterable[StateInterval], heard: int, context: RecordContext) -> Kpi:
    """Charge time to what the line was, stretch by stretch; last heard at `heard` (ms)."""
    for interval in intervals:
        if interval.until > kpi.charged:
            kpi = _charge(kpi, interval, heard, context)
    return kpi


def _charge(kpi: Kpi, interval: StateInterval, heard: int, context: RecordContext) -> Kpi:
    at, window, until = kpi.charged, kpi.open, interval.until
    if until > heard + long_silence.LONGEST:
        interval = replace(interval, until=max(at, heard + long_silence.LONGEST))
    closed, gaps = list[Window](), kpi.gaps
    while at < interval.until:
        window, at = windowing.charge(window, at, interval, context)
        if at == window.end:
            closed.append(window)
            window = long_silence.following(window, heard, interval.until, context)
    if at < until:  # in no window
        if at > window.start:
            closed.append(replace(window, end=at))
        window = windowing.begin_at(until, window.order_number, window.product, context)
        gaps = (*gaps, (at, until))[-MAX_GAPS:]
    remembered = (*kpi.closed, *closed) if closed else kpi.closed
    making = kpi.making
    if making is not None and interval.mode != "stopped":
        making = longer(making, kpi.charged, at, interval.mode == "running")
    kpi = replace(kpi, charged=until, open=window, closed=remembered, gaps=gaps)
    return replace(kpi, making=making, shown=0, dirty=True)


def starts(kpi: Kpi, order_number: str, product: str, context: RecordContext) -> Kpi:
    """An order starts with the data message up to which time is charged: what it tells of was made before.

    So the time in which its pieces were made, since no other order has run, is the order's.
    """
    if _unknown_only(kpi.open):  # the line's first order: no need to set its past apart
        return replace(kpi, open=replace(kpi.open, order_number=order_number, product=product), dirty=True)
    if not kpi.making:
        return cut(kpi, order_number, product, context)
    since, until = span(kpi.making)
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
    making = kpi.making
    return replace(cut(kpi, order_number, product, context), making=making)


def cut(kpi: Kpi, order_number: str | None, product: str | None, context: RecordContext) -> Kpi:
    """Begin a new window where the order changes, at the point up to which time is charged.

    What is made from here on is not the order's that ran before.
    """
    making = None if kpi.making is None else ()
    before = kpi.open
    if kpi.charged == before.start and not (before.pieces or before.defects):
        window = replace(before, order_number=order_number, product=product)
        return replace(kpi, open=window, making=making, ends=0, shown=0, dirty=True)
    window = windowing.begin_at(kpi.charged, order_number, product, context)
    if window.start == before.start:  # the one before has pieces and no time: where it starts tells neither
        window = replace(window, id=uuid_of("kpi", before.id))
    closed = (*kpi.closed, replace(before, end=kpi.charged))
    return replace(kpi, open=window, closed=closed, making=making, ends=0, shown=0, dirty=True)


def ends(kpi: Kpi, at: int) -> Kpi:
    """The order ends at `at` (ms), up to which time is not charged yet: a window ends there once it is.

    What the line was until then may still be told by it.
    """
    return replace(kpi, ends=at, shown=0, dirty=True)


def count(kpi: Kpi, at: int, pieces: int, defects: int, *, known: bool, context: RecordContext) -> Kpi:
    """Share a data message's pieces over the time since the line's data message before it.

    Whole pieces, by cumulative floor over all time but stops. What was made while there was no signal, or
    nobody knew what the line was, counts as production, not for performance; so does all of it where `known`
    is False (nobody can tell when it was made) or there was no data message before.

    Args:
        kpi: the windows, charged up to the message.
        at: the message's time, ms: pieces that no running time could have made are counted there.
        pieces, defects: counted since the message before.
        known: whether the message's time is the machine's own, or it came as it was made.
        context: the record.
    """
    making, timed = kpi.making, known and kpi.making is not None
    if making and making[0].start >= kpi.open.start and len(making) == 1 and making[0].known:
        return _into_open(kpi, pieces, defects, pieces if timed else 0)
    kpi = replace(kpi, making=())
    if not pieces and not defects:
        return kpi
    if not making:
        return _change(kpi, at, context, pieces=pieces, defects=defects, timed=pieces if timed else 0)
    parts = list(shares(making))
    total = sum(part.weight for part in parts)
    before = told_pieces = told_defects = 0
    remembered = Remembered(kpi, context)
    for part in parts:
        start = part.start
        while start < part.end:
            end = min(part.end, remembered.end_of(start))
            passed = before + part.weight * (end - part.start) // (part.end - part.start)
            here, bad = pieces * passed // total - told_pieces, defects * passed // total - told_defects
            made = {"pieces": here, "defects": bad, "timed": here if timed and part.known else 0}
            remembered.add(start, None, made)
            told_pieces, told_defects, start = told_pieces + here, told_defects + bad, end
        before += part.weight
    return remembered.kpi()


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
    """Count what is told behind the line's clock in the window of its time, or beside it.

    Args:
        kpi: the windows.
        at: when it was made, ms.
        pieces, defects: what was made.
        known: the line had a signal then, so what was made counts for performance.
        context: the record.
        order: what it counts in. Where the window is another order's, or none's, it stands beside that.
    """
    sums = {"pieces": pieces, "defects": defects, "timed": pieces if known else 0}
    if order is not None and order_of(kpi, at) != order and any(sums.values()):
        return _beside(kpi, at, order, context, sums)
    return _change(kpi, at, context, order, **sums)


def order_of(kpi: Kpi, at: int) -> Of | None:
    """Whose the time of `at` was, as far as that is known."""
    window = window_of(kpi, at)
    if window is not None:
        return window.order_number, window.product
    return next(
        ((owner.number, owner.product) for owner in reversed(kpi.window_orders) if owner.since <= at), None
    )


def count_in(
    kpi: Kpi, made: Interval, pieces: int, defects: int, *, known: bool, context: RecordContext
) -> Kpi:
    """Count pieces that are known to have been made in a stretch of time: shared over it."""
    start, end = made
    making = kpi.making
    kpi = replace(kpi, making=(ProductionInterval(start, end, True),) if start < end else ())
    return replace(count(kpi, end, pieces, defects, known=known, context=context), making=making)


def reject(kpi: Kpi, at: int | None, ended: int, defects: int, order: Of, context: RecordContext) -> Kpi:
    """Count defects of an order, found later or taken back, in a window of that order, or one beside it.

    Args:
        kpi: the windows.
        at: when they were made, ms; None: in the order's last window that is remembered.
        ended: the order's last moment, ms, if it has no such window any more.
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
    return _beside(kpi, ended if at is None else at, order, context, {"defects": defects})


def count_stops(kpi: Kpi, at: int, stops: int, micro_stops: int, order: Of, context: RecordContext) -> Kpi:
    """Count stops that began at `at` (ms), or count them no more."""
    return _change(kpi, at, context, _window_order(kpi, at, order), stops=stops, micro_stops=micro_stops)


def reclassify(
    kpi: Kpi, parts: Intervals, source: str, target: str, order: Of, context: RecordContext
) -> Kpi:
    """Time that was charged to one state was of another: its windows are revised.

    Where they are no longer remembered, a correction stands beside them: its sums are what changes. It is of
    the order that they were of; `order` where that is no longer known either.
    """
    if not parts:
        return kpi
    remembered = Remembered(kpi, context)
    for start, end in without(parts, kpi.gaps):
        at = start
        while at < end:
            until = min(end, remembered.end_of(at))
            remembered.add(at, _window_order(kpi, at, order), {source: at - until, target: until - at})
            at = until
    return remembered.kpi()


def recharge(
    kpi: Kpi, at: int, was: StateInterval, now: StateInterval, order: Of, context: RecordContext
) -> Kpi:
    """Time from `at` (ms) on that was charged as one stretch is charged as another one of the same end."""
    remembered = Remembered(kpi, context)
    while at < now.until:
        until = min(now.until, remembered.end_of(at))
        before, after = (_charged_as(interval, at, until, context) for interval in (was, now))
        sums = {name: getattr(after, name) - getattr(before, name) for name in (*TIMES, *OUTPUTS)}
        remembered.add(at, _window_order(kpi, at, order), sums)
        at = until
    return remembered.kpi()


def _charged_as(interval: StateInterval, start: int, end: int, context: RecordContext) -> Window:
    window, at = Window(id="", start=start, end=end, created_at=0), start
    while at < end:
        window, at = windowing.charge(window, at, interval, context)
    return window


def shown(
    kpi: Kpi, intervals: Sequence[StateInterval], heard: int, context: RecordContext
) -> tuple[Kpi, list[Window]]:
    """What windows look like if silence goes on as the stretches say, as far as that was not shown yet.

    Nothing is charged: a message may still tell what the line was. So many windows at once; the next ticks
    show the rest. An hour of a long silence is shown when it is over.

    Args:
        kpi: the windows.
        stretches: what the line was since it is charged.
        heard: the line's last message, ms.
        context: the tick.
    """
    until = min(intervals[-1].until, heard + long_silence.LONGEST)
    if kpi.shown >= until:
        return kpi, []
    at, window = kpi.charged, kpi.open
    if kpi.ends:
        window = _until_order_ends(kpi, window)
    if kpi.shown >= window.end:
        window = _next(kpi, kpi.shown, window, heard, context)
        at = window.start
    told: list[Window] = []
    for interval in intervals:
        seen = replace(interval, until=min(interval.until, until))
        while at < seen.until and len(told) < long_silence.SHOWN_AT_ONCE:
            window, at = windowing.charge(window, at, seen, context)
            if at == window.end:
                told.append(window)
                window = _next(kpi, at, window, heard, context)
    if window.start < at and window.start < heard + long_silence.AS_EVER:
        told.append(window)
    elif window.start < at:
        at = window.start
    return (replace(kpi, shown=at) if at > kpi.shown else kpi), told


def _next(kpi: Kpi, at: int, window: Window, heard: int, context: RecordContext) -> Window:
    """The window of `at`, after another one: not the order's any more that has ended meanwhile."""
    of = (window.order_number, window.product)
    if not kpi.ends:
        return long_silence.around(at, of, heard, None, context)
    if at < kpi.ends:
        return _until_order_ends(kpi, long_silence.around(at, of, heard, kpi.ends, context))
    window = long_silence.around(at, (None, None), heard, None, context)
    return window if window.start >= kpi.ends else windowing.begin_at(kpi.ends, None, None, context)


def _until_order_ends(kpi: Kpi, window: Window) -> Window:
    return replace(window, end=kpi.ends) if window.start < kpi.ends < window.end else window


def publish(before: Kpi | None, kpi: Kpi, context: RecordContext) -> tuple[Kpi, list[Window]]:
    """The windows that changed since `before`; the open one at most once a second."""
    told: list[Window] = []
    if before is None or kpi.closed is not before.closed:
        known = set() if before is None else {id(window) for window in before.closed}
        told = [window for window in kpi.closed if id(window) not in known]
        if len(kpi.closed) > MAX_WINDOWS:
            kpi = replace(kpi, closed=kpi.closed[-MAX_WINDOWS:], window_orders=_window_orders(kpi))
    if kpi.dirty and context.received_at - kpi.published >= REFRESH and not _empty(kpi):
        told.append(kpi.open)
        kpi = replace(kpi, published=context.received_at, dirty=False)
    return kpi, told


def window_of(kpi: Kpi, at: int) -> Window | None:
    """The window of `at`, if it is remembered."""
    if at >= kpi.open.start:
        return kpi.open
    return next((window for window in reversed(kpi.closed) if _holds(window, at)), None)


def _holds(window: Window, at: int) -> bool:
    """Whether `at` is time of the window; one that stands beside it has none."""
    return window.start <= at < window.end and time_of(window) != 0


def _window_orders(kpi: Kpi) -> tuple[WindowOrder, ...]:
    """Whose the windows were, those among them that are being forgotten."""
    window_orders = kpi.window_orders
    for window in kpi.closed[:-MAX_WINDOWS]:
        if not 0 < time_of(window) == window.end - window.start:  # it stands beside another, and is older
            continue
        owner = WindowOrder(window.start, window.order_number, window.product)
        if not window_orders or replace(owner, since=window_orders[-1].since) != window_orders[-1]:
            window_orders = (*window_orders, owner)
    return (
        window_orders
        if window_orders is kpi.window_orders
        else latest(window_orders, MAX_WINDOW_ORDERS, MAX_SIZE)
    )


def _window_order(kpi: Kpi, at: int, order: Of) -> Of:
    """Whose the window of `at` was, if that is known; else `order`."""
    for owner in reversed(kpi.window_orders):
        if owner.since <= at:
            return owner.number, owner.product
    return order


def _into_open(kpi: Kpi, pieces: int, defects: int, timed: int) -> Kpi:
    """All that was made, was made in the open window: the usual message."""
    window = kpi.open
    window = replace(
        window, pieces=window.pieces + pieces, defects=window.defects + defects, timed=window.timed + timed
    )
    return replace(kpi, open=window, making=(), shown=0, dirty=True)


def _change(kpi: Kpi, at: int, context: RecordContext, order: Of | None = None, **sums: float) -> Kpi:
    """Add to the window that `at` belongs to; to one beside it where it is no longer remembered."""
    if not any(sums.values()):
        return kpi
    if at >= kpi.open.start:
        return replace(kpi, open=plus(kpi.open, sums), shown=0, dirty=True)
    for index in range(len(kpi.closed) - 1, -1, -1):
        window = kpi.closed[index]
        if _holds(window, at):
            return replace(kpi, closed=(*kpi.closed[:index], plus(window, sums), *kpi.closed[index + 1 :]))
    return _beside(kpi, at, order or (kpi.open.order_number, kpi.open.product), context, sums)


def _beside(kpi: Kpi, at: int, order: Of, context: RecordContext, sums: Mapping[str, float]) -> Kpi:
    remembered = Remembered(kpi, context)
    remembered.add_beside(at, order, sums)
    return remembered.kpi()


def _unknown_only(window: Window) -> bool:
    return window.unknown > 0 and window.unknown == time_of(window) and not (window.pieces or window.defects)


def _empty(kpi: Kpi) -> bool:
    window = kpi.open
    return kpi.charged == window.start and not (window.pieces or window.defects or window.stops)
