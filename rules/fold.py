"""The fold: a line's state and its next record give the line's next state and the rows that change.

Pure: no clock, no random number, no environment. The same records and rules give the same rows, whatever
the batches that they come in.

A rule takes a draft of the line's state (a copy that belongs to this step), and the context of the record. It
sets the draft, and returns the rows that change. The handlers below list the rules in their order.
"""

from plant.calendar import Calendars
from plant.rules import Rules, display_name
from rules import (
    clock_belief,
    counters,
    counting,
    line_clock,
    message_time,
    orders,
    reading,
    removal,
    samples,
)
from rules.dead_letters import dead_letter
from rules.failures import Failure, Observer, internal, raised
from rules.kpi.publishing import publish
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import operator, reclassification, restart, silence, state_change
from rules.stops.lifecycle import StateChange
from schemas.errors import Poison
from schemas.instant import HOUR
from schemas.operator_message import OperatorMessage
from schemas.payloads import Data, OrderMessage, Status
from schemas.raw import TICK, RawRecord
from schemas.state import LineState, Mode

TICKS_TOLD = HOUR  # of log time: a line whose ticks fail leaves a dead letter at most so often


class Fold:
    """The rules of one generation, applied to one line's records in the order of the log.

    A record on which a rule fails is a dead letter, `internal`, and the line is as if it had not come.
    """

    def __init__(self, rules: Rules, failed: Observer = raised) -> None:
        """`failed` is called with each such record; it changes nothing."""
        self._failed = failed
        self.rules = rules
        self.calendars = Calendars(rules)

    def __call__(
        self, state: LineState | None, record: RawRecord, topic: str
    ) -> tuple[LineState | None, list[RowUpdate]]:
        """Apply a record of the line (or a tick) to the line's state.

        Args:
            state: the line before the record; None if it was never heard.
            record: the line's next record.
            topic: the raw log's name, for dead letters.
        Returns:
            The line after it, and the rows that change; of a row, the last change counts.
        """
        received_at, run = record.received_at, record.headers.run
        if state is not None and state.received_at > received_at:
            received_at = state.received_at
        assert state is not None or record.line_id is not None
        line_id = state.line_id if state is not None else record.line_id or ""
        line_rules = self.rules.line(line_id, received_at)
        context = RecordContext(
            self.rules,
            line_rules,
            self.calendars.of(line_id),
            line_id,
            line_rules.name or display_name(line_id),
            record.partition,
            record.offset,
            received_at,
        )
        try:
            if record.headers.kind is not TICK:
                draft, updates = self._message(state, record, topic, context)
            elif state is not None:
                draft = state.copy()
                updates = on_tick(draft, context)
            else:
                return None, []
        except Exception as error:  # whatever it is: the lines of a plant don't stand still for one record
            draft, updates = self._without(state, record, topic, context, error)
        if draft is not None:
            draft.offset, draft.received_at = record.offset, received_at
            draft.run = max(draft.run, run)
        return draft, updates

    def _without(
        self, state: LineState | None, record: RawRecord, topic: str, context: RecordContext, error: Exception
    ) -> tuple[LineState | None, list[RowUpdate]]:
        """As if the record had not come, but for its dead letter; of ticks, one an hour."""
        letter = dead_letter(record, internal(error), topic, context)
        self._failed(Failure(context.line_id, record.partition, record.offset, error))
        if state is None:
            return None, [letter]
        draft = state.copy()
        if record.headers.kind is TICK:
            if draft.failed_at and context.received_at - draft.failed_at < TICKS_TOLD:
                return draft, []
            draft.failed_at = context.received_at
        return draft, [letter]

    def let_go(self, state: LineState, record: RawRecord, topic: str) -> list[RowUpdate]:
        """The rows that end what is open on a line that is silent for long, and known no more after that."""
        received_at = max(state.received_at, record.received_at)
        line_rules = self.rules.line(state.line_id, received_at)
        context = RecordContext(
            self.rules,
            line_rules,
            self.calendars.of(state.line_id),
            state.line_id,
            line_rules.name or display_name(state.line_id),
            record.partition,
            record.offset,
            received_at,
        )
        try:
            return removal.let_go(state.copy(), context)
        except Exception as error:
            return self._without(state, record, topic, context, error)[1]

    def _message(
        self, state: LineState | None, record: RawRecord, topic: str, context: RecordContext
    ) -> tuple[LineState | None, list[RowUpdate]]:
        """The line after a message, and its rows.

        When a rule refuses the message, its draft is dropped with all that was set in it: the line is as it
        was, and the row is a dead letter.
        """
        draft = _draft(state, context)
        try:
            return draft, on_message(draft, record, context)
        # Each handler forms the row: an exception that outlived it would hold the frames it came through.
        except counters.Restarted as restarted:
            letter = dead_letter(record, restarted, topic, context)
            draft = _draft(state, context)
            draft.counters = restarted.counters
            draft.heard_at = context.received_at
        except clock_belief.TooOld as too_old:
            letter = dead_letter(record, too_old, topic, context)
            draft = _draft(state, context)
            draft.belief = too_old.belief
            draft.heard_at = context.received_at
        except Poison as poison:
            letter = dead_letter(record, poison, topic, context)
            if state is None:
                return None, [letter]
            draft = _draft(state, context)
            if not reading.is_from_operator(record):
                draft.heard_at = context.received_at  # a machine that sends nonsense is not silent
        return draft, [letter]


def _draft(state: LineState | None, context: RecordContext) -> LineState:
    if state is None:
        return LineState(line_id=context.line_id, partition=context.partition)
    return state.copy()


def on_message(draft: LineState, record: RawRecord, context: RecordContext) -> list[RowUpdate]:
    """Any record but a tick.

    Raises:
        Poison: it can't be applied. What was set in the draft until then counts for nothing.
    """
    message = reading.read(record, draft, context)
    body, timestamp = message.body, message.timestamp
    if isinstance(body, Data):
        return on_data(draft, body, timestamp, context, waited=message.waited)
    if isinstance(body, Status):
        return on_status(draft, body, timestamp, context, waited=message.waited)
    if isinstance(body, OrderMessage):
        return on_order(draft, body, timestamp, context)
    return on_operator_message(draft, body, context)


def on_data(
    draft: LineState, data: Data, timestamp: int | None, context: RecordContext, *, waited: bool = False
) -> list[RowUpdate]:
    """A data message: count it, and if it is not late, let the line be what it says."""
    windows = draft.kpi
    at, judged = message_time.decide(draft, timestamp, context, waited=waited)
    # What waited somewhere without a right time of its own: nobody knows when it was made.
    known = at == timestamp or not waited
    late = draft.clock is not None and at < draft.clock
    updates = message_time.on_judged(draft, judged, context)
    context = context.at(at)
    data = counters.increments(draft, data, at, late, context)
    if not late:
        updates += restart.on_data(draft, data, at, context)
    sample = samples.decide(draft, data, at, late, known, context)
    if not late:
        updates += state_change.take(draft, StateChange(sample.mode, at), context)
        samples.hold(draft, sample)
        updates += reclassification.overdue(draft, at, context)
    updates += counting.count(draft, sample, context)
    updates.append(samples.row(sample, context))
    updates += publish(draft, windows, context)
    draft.heard_at = context.received_at
    return updates


def on_status(
    draft: LineState, status: Status, timestamp: int | None, context: RecordContext, *, waited: bool = False
) -> list[RowUpdate]:
    """A status message: running, stopped, offline, or online."""
    if status.status == "online":
        return []  # the word of the line's gateway: it changes nothing, and ends no silence of the machine
    windows = draft.kpi
    at, judged = message_time.decide(draft, timestamp, context, waited=waited)
    late = draft.clock is not None and at < draft.clock
    updates = message_time.on_judged(draft, judged, context)
    context = context.at(at)
    if late and status.status == "stopped" and status.reason is not None:
        updates += operator.on_late_reason(draft, at, status.reason, context)
    elif late and status.status == "running":
        updates += restart.on_late_running(draft, at, context)
    elif not late and status.status == "offline" and draft.clock is not None:
        # Often a will, sent long after the last message: the line's own past may still come.
        updates += state_change.fall_silent(draft, at, status.reason or silence.OFFLINE, context)
        draft.heard_at = context.received_at
        return updates
    elif not late:
        mode: Mode = draft.mode if status.status == "offline" else status.status
        updates += state_change.take(draft, StateChange(mode, at, status.reason), context)
        if status.status == "stopped":
            restart.hold(draft, at)
    updates += publish(draft, windows, context)
    draft.heard_at = context.received_at
    return updates


def on_order(
    draft: LineState, message: OrderMessage, timestamp: int | None, context: RecordContext
) -> list[RowUpdate]:
    """An order is planned, corrected, closed or cancelled: a window ends where the running order does."""
    windows, running = draft.kpi, draft.orders.running
    at = line_clock.of_order(timestamp, context.received_at, draft.clock, context.line_rules)
    if message.action != "add" and timestamp is None and draft.clock is not None:
        # By the line's clock, or its stop would end before or after its order does.
        at = line_clock.of_line(context.received_at, draft.clock, draft.heard_at)
    draft.orders, updates = orders.on_message(draft.orders, message, at, context)
    if updates and message.action == "correct":
        counting.recount(draft, message, context)
    if running is not None and draft.orders.running is None:
        counting.end_order(draft, at, context)
    updates += publish(draft, windows, context)
    return updates


def on_operator_message(
    draft: LineState, message: OperatorMessage, context: RecordContext
) -> list[RowUpdate]:
    """An operator's message about stops, or the end of the line; it ends no silence of the machine."""
    if message.action in ("retire", "forget") and draft.offset < 0:
        raise Poison("unknown_line")
    if message.action == "forget":
        return removal.forget(draft, context)
    windows = draft.kpi
    if message.action == "retire":
        updates = removal.retire(draft, context)
    else:
        updates = operator.on_operator_message(draft, message, context)
    updates += publish(draft, windows, context)
    return updates


def on_tick(draft: LineState, context: RecordContext) -> list[RowUpdate]:
    """Time passes: a running line may have fallen silent, and what its last word means is shown meanwhile."""
    windows, updates = draft.kpi, list[RowUpdate]()
    silence.on_tick(draft, context)
    if draft.retired:
        return []
    silent = silence.is_noticed(draft, context)
    if silent:
        updates += silence.begin(draft, context)
        updates += reclassification.overdue(draft, silence.clock(draft, context), context)
    updates += publish(draft, windows, context)
    if silent:
        updates += silence.show(draft, context)
    return updates
