"""Restarts: what ends a stop that a status message began, if the data do not say whether the line runs.

The last pieces may leave a line that has stopped already. So pieces alone do not end such a stop. It ends by
a message that says `running`, or once pieces have been counted for `trailing_s`: then the line has run since
the first of these pieces, and the time charged to the stop since then is moved to running time.
"""

from msgspec.structs import replace

from rules import alerts
from rules.kpi import charging, pieces, window_at
from rules.kpi.remembered import Of
from rules.kpi.windowing import StateInterval
from rules.record_context import RecordContext, Sample
from rules.row_update import RowUpdate
from rules.stops import history, state_change, stop_windows
from schemas.instant import MINUTE, SECOND
from schemas.kpi_state import ProductionInterval
from schemas.payloads import Data
from schemas.state import Counted, Counting, LineState, Order, Stop

PIECES = 2  # a line that counts none for the time that so many take at its target rate has paused
MAX_COUNTED = 64  # messages that are remembered until it is known whether the line runs


def hold(draft: LineState, at: int) -> None:
    """Note a status message of `at` (ms) that the line is stopped: pieces alone then do not end its stop."""
    if draft.stop is not None:
        draft.stop = replace(draft.stop, status_at=at, counting=None)


def is_held(stop: Stop | None) -> bool:
    """Whether pieces alone do not end the open stop."""
    return stop is not None and stop.status_at > 0


def on_data(draft: LineState, data: Data, at: int, context: RecordContext) -> list[RowUpdate]:
    """End a stop that a status message began, if a data message, not late, shows that the line runs again."""
    stop = draft.stop
    if stop is None or not is_held(stop) or data.running is not None or not data.count:
        return []
    counting = _uninterrupted(stop, at, data.count, data.target_rate, context)
    since = at if counting is None else counting.messages[0].at
    if at - since < context.line_rules.trailing_s * SECOND:
        return []
    if counting is None:
        draft.stop = replace(stop, status_at=0)  # the change of mode by this very message ends the stop
        return []
    return _runs_since(draft, since, context)


def on_late_running(draft: LineState, at: int, context: RecordContext) -> list[RowUpdate]:
    """Apply a late `running` status: MQTT keeps order within a topic only, so later data may arrive first."""
    if draft.stop is None or not 0 < draft.stop.status_at <= at:
        return []
    return _runs_since(draft, at, context)


def count(draft: LineState, order: Of, sample: Sample, context: RecordContext) -> None:
    """Count the pieces of a stopped line as made before the stop, until more of them show that it runs.

    Args:
        draft: the line, in a stop that a status message began; its windows are charged up to the message.
        order: the order of the pieces. If another one ran before the stop, or the window of that time is no
            longer remembered, they are counted at the time of their message.
        sample: the message.
        context: the record.
    """
    stop, windows = draft.stop, draft.kpi
    assert stop is not None
    assert windows is not None
    production, place = windows.production, sample.at
    shared, known = bool(production), sample.known and production is not None
    before = None if shared or windows.production is None else window_at.window_of(windows, stop.start - 1)
    if before is not None and (before.order_number, before.product) == order:
        place = stop.start - 1
    else:
        before = None
    timed = known and (before is None or before.producing + before.slow > 0)
    stands_in = place if before is not None else windows.open.start
    draft.kpi = pieces.count(windows, place, sample.pieces, sample.defects, known=timed, context=context)
    counting = None
    if not sample.reports_mode:
        counting = _uninterrupted(stop, sample.at, sample.pieces, sample.target_rate, context)
        if counting is not None or sample.pieces:
            counted = Counted(
                at=sample.at,
                pieces=sample.pieces,
                defects=sample.defects,
                known=known,
                place=None if shared else stands_in,
                timed=timed,
                target_rate=sample.target_rate,
                ruled=sample.ruled,
                rate=sample.rate,
            )
            made_at = sample.at if sample.pieces or counting is None else counting.made_at
            earlier = () if counting is None else counting.messages
            counting = Counting(made_at, _bounded((*earlier, counted)))
    if counting is not stop.counting:
        draft.stop = replace(stop, counting=counting)


def on_order_start(draft: LineState, order: Order, sample: Sample, context: RecordContext) -> None:
    """Start an order's windows; if the line may run again, time since its last message is that order's."""
    assert draft.kpi is not None
    counting = None if draft.stop is None else draft.stop.counting
    if counting is None:
        draft.kpi = charging.starts(draft.kpi, order.number, order.product, context)
        return
    made_in = ProductionInterval(counting.messages[-1].at, sample.at, True)
    windows = charging.starts(replace(draft.kpi, production=(made_in,)), order.number, order.product, context)
    draft.kpi = replace(windows, production=())


def _uninterrupted(
    stop: Stop, at: int, pieces: int, target: float | None, context: RecordContext
) -> Counting | None:
    """What the line has counted in its stop, if it has not paused before the message at `at` (ms)."""
    counting = stop.counting
    if counting is None or at - counting.messages[-1].at > context.line_rules.silence:
        return None
    if pieces:
        return counting
    due = (target or 0) * (at - counting.made_at)
    return counting if target is not None and target > 0 and due < PIECES * MINUTE else None


def _runs_since(draft: LineState, since: int, context: RecordContext) -> list[RowUpdate]:
    """End the stop: the line runs since its first counted message from `since` (ms) on; if none, from now."""
    stop, at = draft.stop, draft.clock
    assert stop is not None
    assert at is not None
    counted = [] if stop.counting is None else [each for each in stop.counting.messages if each.at >= since]
    updates = state_change.runs(draft, counted[0].at if counted else at, context)
    before: Counted | None = None
    for each in counted:
        if before is not None:
            _recharge_as_running(draft, stop, before, each.at, context)
        windows = draft.kpi
        assert windows is not None
        if each.place is not None:
            windows = pieces.count_late(
                windows, each.place, -each.pieces, -each.defects, known=each.timed, context=context
            )
            made_in = (each.at if before is None else before.at, each.at)
            windows = pieces.count_in(
                windows, made_in, each.pieces, each.defects, known=each.known, context=context
            )
        if each.rate is not None:
            draft.rate = each.rate
        elif before is not None and each.at > before.at:
            draft.rate = round(each.pieces * MINUTE / (each.at - before.at), 3)
        draft.kpi, draft.target_rate, draft.ruled, before = windows, each.target_rate, each.ruled, each
    if before is not None:
        _recharge_as_running(draft, stop, before, at, context)
    return updates


def _recharge_as_running(
    draft: LineState, stop: Stop, since: Counted, until: int, context: RecordContext
) -> None:
    """Move time that was charged to the stop to running time."""
    assert draft.kpi is not None
    stood = StateInterval(until, "stopped", planned=draft.stop_history.planned)
    ran = StateInterval(until, "running", since.target_rate, draft.rate, ruled=since.ruled)
    draft.kpi = stop_windows.recharge(draft.kpi, since.at, stood, ran, history.order_of(stop), context)
    draft.alerts = alerts.on_running_time(draft.alerts, until - since.at, draft.rate)


def _bounded(messages: tuple[Counted, ...]) -> tuple[Counted, ...]:
    """At most MAX_COUNTED messages: of more, two that follow each other in one window are merged."""
    if len(messages) <= MAX_COUNTED:
        return messages
    pairs = [
        n
        for n in range(2, len(messages))
        if (messages[n - 1].place, messages[n - 1].timed) == (messages[n].place, messages[n].timed)
    ]
    if not pairs:
        return messages[1:]
    n = min(pairs, key=lambda n: (messages[n].at - messages[n - 2].at, n))
    before, one, other = messages[n - 2 : n + 1]
    return (*messages[: n - 2], _extended(before, one, other.at), _merged(one, other), *messages[n + 1 :])


def _merged(one: Counted, other: Counted) -> Counted:
    return replace(
        other,
        known=one.known and other.known,
        pieces=one.pieces + other.pieces,
        defects=one.defects + other.defects,
        rate=None if one.rate is None else other.rate,
    )


def _extended(before: Counted, one: Counted, until: int) -> Counted:
    """`before`, extended over `one` up to `until` (ms): its rates become the averages over that time."""
    first, second, all_of_it = one.at - before.at, until - one.at, until - before.at

    def mean(early: float | None, late: float | None) -> float | None:
        if early is None or late is None or early == late or not all_of_it:
            return late
        return (early * first + late * second) / all_of_it

    return replace(
        before, rate=mean(before.rate, one.rate), target_rate=mean(before.target_rate, one.target_rate)
    )
