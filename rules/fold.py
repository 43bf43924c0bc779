"""The fold: a line's state and its next record give the line's next state and the rows that change.

Pure: no clock, no random number, no environment. The same records and rules give the same rows, however the
records are batched.

A rule takes a draft of the line's state (a copy that belongs to this step), and the context of the record. It
changes the draft, and returns the rows that change. The handlers below list the rules in their order.
"""

from plant.calendar import Calendars
from plant.rules import Rules, display_name
from rules import (
    clock_belief,
    line_clock,
    machine_counters,
    message_time,
    orders,
    piece_counting,
    reading,
    removal,
    samples,
)
from rules.dead_letters import dead_letter
from rules.failures import Failure, Observer, internal, raise_failure
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

TICK_FAILURE_INTERVAL = HOUR  # of log time; a line on which ticks fail gets one dead letter in it, no more


class Fold:
    """The rules of one generation, applied to one line's records in the order of the log.

    A record on which a rule fails becomes a dead letter, `internal`, and leaves the line's state unchanged.
    """

    def __init__(self, rules: Rules, failed: Observer = raise_failure) -> None:
        """`failed` is called with each such failure; it does not influence the fold unless it raises."""
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
            The line after it, and the rows that change; of several updates of a row, the last counts.
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
        except Exception as error:  # whatever it is: one record must not stop the lines of a plant
            draft, updates = self._skipped(state, record, topic, context, error)
        if draft is not None:
            draft.offset, draft.received_at = record.offset, received_at
            draft.run = max(draft.run, run)
        return draft, updates

    def _skipped(
        self, state: LineState | None, record: RawRecord, topic: str, context: RecordContext, error: Exception
    ) -> tuple[LineState | None, list[RowUpdate]]:
        """The line without the record's effect, and its dead letter; for failing ticks, one an hour."""
        letter = dead_letter(record, internal(error), topic, context)
        self._failed(Failure(context.line_id, record.partition, record.offset, error))
        if state is None:
            return None, [letter]
        draft = state.copy()
        if record.headers.kind is TICK:
            if draft.failed_at and context.received_at - draft.failed_at < TICK_FAILURE_INTERVAL:
                return draft, []
            draft.failed_at = context.received_at
        return draft, [letter]

    def drop_line(self, state: LineState, record: RawRecord, topic: str) -> list[RowUpdate]:
        """The rows that close what is open on a line that was silent for long and is dropped."""
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
            return removal.drop(state.copy(), context)
        except Exception as error:
            return self._skipped(state, record, topic, context, error)[1]

    def _message(
        self, state: LineState | None, record: RawRecord, topic: str, context: RecordContext
    ) -> tuple[LineState | None, list[RowUpdate]]:
        """The line after a message, and its rows.

        If a rule refuses the message, the draft is dropped with all changes: the line is as it was before,
        and the only row is a dead letter.
        """
        draft = _draft(state, context)
        try:
            return draft, on_message(draft, record, context)
        # Each handler makes its dead letter: an exception kept beyond it would hold the frames it passed.
        except machine_counters.ImplausibleReading as implausible:
            letter = dead_letter(record, implausible, topic, context)
            draft = _draft(state, context)
            draft.counters = implausible.counters
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
    """Apply any record but a tick.

    Raises:
        Poison: it can't be applied. The draft must then be discarded.
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
    """Apply a data message: count its pieces, and unless it is late, take over the state that it reports."""
    windows = draft.kpi
    at, assessment = message_time.decide(draft, timestamp, context, waited=waited)
    # If a message waited and its timestamp is not believed, it is not known when it was made.
    known = at == timestamp or not waited
    late = draft.clock is not None and at < draft.clock
    updates = message_time.on_assessment(draft, assessment, context)
    context = context.at(at)
    data = machine_counters.increments(draft, data, at, late, context)
    if not late:
        updates += restart.on_data(draft, data, at, context)
    sample = samples.decide(draft, data, at, late, known, context)
    if not late:
        updates += state_change.apply(draft, StateChange(sample.mode, at), context)
        samples.hold(draft, sample)
        updates += reclassification.overdue(draft, at, context)
    updates += piece_counting.count(draft, sample, context)
    updates.append(samples.row(sample, context))
    updates += publish(draft, windows, context)
    draft.heard_at = context.received_at
    return updates


def on_status(
    draft: LineState, status: Status, timestamp: int | None, context: RecordContext, *, waited: bool = False
) -> list[RowUpdate]:
    """Apply a status message: running, stopped, offline, or online."""
    if status.status == "online":
        return []  # it comes from the line's gateway: it changes nothing, and does not end a silence
    windows = draft.kpi
    at, assessment = message_time.decide(draft, timestamp, context, waited=waited)
    late = draft.clock is not None and at < draft.clock
    updates = message_time.on_assessment(draft, assessment, context)
    context = context.at(at)
    if late and status.status == "stopped" and status.reason is not None:
        updates += operator.on_late_reason(draft, at, status.reason, context)
    elif late and status.status == "running":
        updates += restart.on_late_running(draft, at, context)
    elif not late and status.status == "offline" and draft.clock is not None:
        # Often an MQTT will, sent long after the last message: messages of the time between may still come.
        updates += state_change.fall_silent(draft, at, status.reason or silence.OFFLINE, context)
        draft.heard_at = context.received_at
        return updates
    elif not late:
        mode: Mode = draft.mode if status.status == "offline" else status.status
        updates += state_change.apply(draft, StateChange(mode, at, status.reason), context)
        if status.status == "stopped":
            restart.hold(draft, at)
    updates += publish(draft, windows, context)
    draft.heard_at = context.received_at
    return updates


def on_order(
    draft: LineState, message: OrderMessage, timestamp: int | None, context: RecordContext
) -> list[RowUpdate]:
    """Apply an order message: if it ends the running order, a window ends there, too."""
    windows, running = draft.kpi, draft.orders.running
    at = line_clock.of_order(timestamp, context.received_at, draft.clock, context.line_rules)
    if message.action != "add" and timestamp is None and draft.clock is not None:
        # By the line's clock: otherwise its stop would end before or after its order does.
        at = line_clock.of_line(context.received_at, draft.clock, draft.heard_at)
    draft.orders, updates = orders.on_message(draft.orders, message, at, context)
    if updates and message.action == "correct":
        piece_counting.recount(draft, message, context)
    if running is not None and draft.orders.running is None:
        piece_counting.end_order(draft, at, context)
    updates += publish(draft, windows, context)
    return updates


def on_operator_message(
    draft: LineState, message: OperatorMessage, context: RecordContext
) -> list[RowUpdate]:
    """Apply an operator message, about stops or the end of the line; it does not end a machine's silence."""
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
    """Apply a tick: a running line may have fallen silent; windows of a silence are shown provisionally."""
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
