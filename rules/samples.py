"""Samples: what a data message says once the line's past is taken into account."""

from functools import partial

from rules.kpi.production import ran
from rules.record_context import RecordContext, Sample
from rules.row_update import RowUpdate
from rules.stops import restart
from schemas.events import SampleEvent
from schemas.instant import MINUTE, text_of
from schemas.payloads import Data
from schemas.state import LineState, Mode

_DECIDED = {"target_rate", "timestamp"}  # by the rules, not as the message says
AS_SENT = [
    name for name in Data.__struct_fields__ if name in SampleEvent.__struct_fields__ and name not in _DECIDED
]
"""What a sample's row says as the message does: what `Data` and `SampleEvent` call the same."""


def decide(state: LineState, data: Data, at: int, late: bool, known: bool, context: RecordContext) -> Sample:
    """Fill in what the message leaves out.

    Without `running`, a line runs if pieces came, else it keeps its state; where a status message began
    a stop, pieces may be the last from before it. Without a target rate, the plant's
    rules or the running order give one. Without a rate, the pieces since the line's last data message do.
    """
    return Sample(
        data=data,
        at=at,
        late=late,
        pieces=data.count,
        defects=data.defects or 0,
        target_rate=_target(state, data, context),
        rate=data.rate if data.rate is not None else _rate(state, data.count, at, context),
        mode=_mode(state, data),
        known=known,
        ruled=data.target_rate is None and context.line_rules.target_rate is not None,
        reports_mode=data.running is not None,
    )


def _mode(state: LineState, data: Data) -> Mode:
    if data.running is not None:
        return "running" if data.running else "stopped"
    if data.count > 0:
        return "stopped" if restart.is_held(state.stop) else "running"
    # `no_signal` opens only from running, and the signal is back.
    return "running" if state.mode == "no_signal" else state.mode


def _target(state: LineState, data: Data, context: RecordContext) -> float | None:
    if data.target_rate is not None:
        return data.target_rate
    if context.line_rules.target_rate is not None:
        return context.line_rules.target_rate
    running = state.orders.running
    return running.target_rate if running is not None else None


def _rate(state: LineState, pieces: int, at: int, context: RecordContext) -> float | None:
    """Over the time since the last data message, whatever statuses came in between; not that of stops."""
    production = state.kpi.production if state.kpi is not None else None
    if state.clock is None or production is None or not 0 <= at - state.clock <= context.line_rules.silence:
        return None
    passed = ran(production)
    if passed is None:
        return None
    if state.mode != "stopped" or not passed:  # of a line that stood all the while, it is the best guess
        passed += at - state.clock
    return round(pieces * MINUTE / passed, 3) if passed else None


def hold(draft: LineState, sample: Sample) -> None:
    """From its message on, and until its next, the line is what the message says.

    A rate that a line tells while it stands says nothing of how it runs: the rate from before holds when it
    runs again.
    """
    draft.clock = sample.at
    if sample.mode != "stopped":
        draft.rate = sample.rate
    elif sample.target_rate is None or sample.target_rate <= 0:
        return  # nor does a target of 0, or none
    draft.target_rate, draft.ruled = sample.target_rate, sample.ruled
    if sample.target_rate is not None and sample.target_rate > 0:
        draft.positive_target = sample.target_rate


def row(sample: Sample, context: RecordContext) -> RowUpdate:
    """The row of a data message."""
    event_id = context.event_id
    return RowUpdate(SampleEvent, event_id, partial(_row, event_id, sample, context))


def _row(event_id: str, sample: Sample, context: RecordContext) -> SampleEvent:
    shift = context.calendar.shift(sample.at)
    return SampleEvent(
        # As `RecordContext.stamp` says it; of these events there is one a message.
        generation=context.rules.generation,
        version=(context.received_at, context.offset),
        id=event_id,
        line_id=context.line_id,
        line=context.line_name,
        timestamp=text_of(sample.at),
        bottles_produced=sample.pieces,
        target_rate=sample.target_rate,
        actual_rate=sample.rate,
        defect_count=sample.defects,
        is_running=sample.mode == "running",
        shift_id=shift.id,
        shift_date=shift.date,
        received_at=text_of(context.received_at),
        **{name: getattr(sample.data, name) for name in AS_SENT},
    )
