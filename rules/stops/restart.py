"""Restarts: what ends a stop that a status message began, when the data do not say whether the line runs.

The last pieces leave a line that stands already. So pieces alone do not end such a stop; the machine does,
with `running`, or pieces that go on for `trailing_s`: then the line has run since the first of these, and
what was charged to the stop meanwhile is charged to running time.
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

PIECES = 2  # at its target rate; a line that counts none for so long has paused
MAX_COUNTED = 64


def hold(draft: LineState, at: int) -> None:
    """A status says at `at` (ms) that the line stands: from now on, pieces alone do not end its stop."""
    if draft.stop is not None:
        draft.stop = replace(draft.stop, status_at=at, counting=None)


def is_held(stop: Stop | None) -> bool:
    """Whether pieces alone do not end the open stop."""
    return stop is not None and stop.status_at > 0


def on_data(draft: LineState, data: Data, at: int, context: RecordContext) -> list[RowUpdate]:
    """A data message, not late: if it shows that a line that a status stopped runs again, its stop ends."""
    stop = draft.stop
    if stop is None or not is_held(stop) or data.running is not None or not data.count:
        return []
    counting = _going_on(stop, at, data.count, data.target_rate, context)
    since = at if counting is None else counting.messages[0].at
    if at - since < context.line_rules.trailing_s * SECOND:
        return []
    if counting is None:
        draft.stop = replace(stop, status_at=0)  # this very message ends it
        return []
    return _runs_since(draft, since, context)


def on_late_running(draft: LineState, at: int, context: RecordContext) -> list[RowUpdate]:
    """A status `running` that comes after later data: MQTT keeps order within a topic only."""
    if draft.stop is None or not 0 < draft.stop.status_at <= at:
        return []
    return _runs_since(draft, at, context)


def count(draft: LineState, order: Of, sample: Sample, context: RecordContext) -> None:
    """Count the pieces of a line that stands, as those of the time before, until more of them show otherwise.

    Args:
        draft: the line, in a stop that a status message began; its windows are charged up to the message.
        order: what the pieces are counted in. If another one ran before the stop, or that time's window is no
            longer remembered, they are counted at their message.
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
    if not sample.tells_running:
        counting = _going_on(stop, sample.at, sample.pieces, sample.target_rate, context)
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
            counting = Counting(made_at, _fewer((*earlier, counted)))
    if counting is not stop.counting:
        draft.stop = replace(stop, counting=counting)


def on_order_start(draft: LineState, order: Order, sample: Sample, context: RecordContext) -> None:
    """An order starts; where the line may run again, the time since its last message is that order's."""
    assert draft.kpi is not None
    counting = None if draft.stop is None else draft.stop.counting
    if counting is None:
        draft.kpi = charging.starts(draft.kpi, order.number, order.product, context)
        return
    made_in = ProductionInterval(counting.messages[-1].at, sample.at, True)
    windows = charging.starts(replace(draft.kpi, production=(made_in,)), order.number, order.product, context)
    draft.kpi = replace(windows, production=())


def _going_on(
    stop: Stop, at: int, pieces: int, target: float | None, context: RecordContext
) -> Counting | None:
    """What the line counted up to the message, if it has not paused since."""
    counting = stop.counting
    if counting is None or at - counting.messages[-1].at > context.line_rules.silence:
        return None
    if pieces:
        return counting
    due = (target or 0) * (at - counting.made_at)
    return counting if target is not None and target > 0 and due < PIECES * MINUTE else None


def _runs_since(draft: LineState, since: int, context: RecordContext) -> list[RowUpdate]:
    """The line runs since its first message from `since` (ms) on that counted; if none did, from now on."""
    stop, at = draft.stop, draft.clock
    assert stop is not None
    assert at is not None
    counted = [] if stop.counting is None else [each for each in stop.counting.messages if each.at >= since]
    updates = state_change.runs(draft, counted[0].at if counted else at, context)
    before: Counted | None = None
    for each in counted:
        if before is not None:
            _run(draft, stop, before, each.at, context)
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
        _run(draft, stop, before, at, context)
    return updates


def _run(draft: LineState, stop: Stop, since: Counted, until: int, context: RecordContext) -> None:
    """Time that was charged to the stop was the line's running time."""
    assert draft.kpi is not None
    stood = StateInterval(until, "stopped", planned=draft.stop_history.planned)
    ran = StateInterval(until, "running", since.target_rate, draft.rate, ruled=since.ruled)
    draft.kpi = stop_windows.recharge(draft.kpi, since.at, stood, ran, history.order_of(stop), context)
    draft.alerts = alerts.on_running_time(draft.alerts, until - since.at, draft.rate)


def _fewer(messages: tuple[Counted, ...]) -> tuple[Counted, ...]:
    """Of a machine that speaks very often, two messages that follow each other in one window become one."""
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
    return (*messages[: n - 2], _lasting(before, one, other.at), _both(one, other), *messages[n + 1 :])


def _both(one: Counted, other: Counted) -> Counted:
    return replace(
        other,
        known=one.known and other.known,
        pieces=one.pieces + other.pieces,
        defects=one.defects + other.defects,
        rate=None if one.rate is None else other.rate,
    )


def _lasting(before: Counted, one: Counted, until: int) -> Counted:
    """What holds from `before` on holds up to `until`: on average, what held."""
    first, second, all_of_it = one.at - before.at, until - one.at, until - before.at

    def mean(early: float | None, late: float | None) -> float | None:
        if early is None or late is None or early == late or not all_of_it:
            return late
        return (early * first + late * second) / all_of_it

    return replace(
        before, rate=mean(before.rate, one.rate), target_rate=mean(before.target_rate, one.target_rate)
    )
