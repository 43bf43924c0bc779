"""Silence: by ticks a running line falls silent, and its windows are shown until its next message."""

from rules import line_clock
from rules.kpi import kpi_row
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import silence_windows, state_change
from schemas.instant import SECOND
from schemas.state import LineState

OFFLINE = "offline"  # the reason of a silence that a status message announced without giving one
QUIET = 30 * SECOND  # the windows of a line that sends more often are published by its messages


def on_tick(draft: LineState, context: RecordContext) -> None:
    """Note the tick, and since when ticks have come without a gap: in a gap no bridge received anything."""
    now = context.received_at
    if now - draft.ticked_at > line_clock.TICKS_MISSING:
        draft.ticking_since = now
    draft.ticked_at = now


def is_noticed(line: LineState, context: RecordContext) -> bool:
    """Whether the line has been quiet for so long that its windows are shown without a message from it.

    Up to `silence_s`, not while it runs and counts pieces: those of this time are still to be reported.
    """
    if line.clock is None or line.kpi is None or line.retired:
        return False
    quiet = _quiet(line, context)
    counts = line.mode == "running" and line.kpi.production is not None
    return quiet > context.line_rules.silence or (quiet > QUIET and not counts)


def begin(draft: LineState, context: RecordContext) -> list[RowUpdate]:
    """A running line that has been quiet for `silence_s` falls silent."""
    silence = context.line_rules.silence
    if draft.clock is None or _quiet(draft, context) <= silence:
        return []
    # No bridge listened when the line fell silent: the cause may be the pipeline, not the line.
    reason = state_change.PIPELINE if draft.ticking_since > draft.heard_at + silence else None
    return state_change.fall_silent(draft, draft.clock + silence, reason, context)


def show(draft: LineState, context: RecordContext) -> list[RowUpdate]:
    """The rows of the line's windows as they are if its silence continues; nothing is charged."""
    assert draft.kpi is not None
    assert draft.clock is not None
    passed = state_change.passed(draft, clock(draft, context), context)
    draft.kpi, windows = silence_windows.shown(draft.kpi, passed, draft.clock, context)
    return [kpi_row.row(window, context) for window in windows]


def clock(line: LineState, context: RecordContext) -> int:
    """What the clock of a silent line shows by now, ms; not before the end of the windows that were shown.

    It can be behind that end: an `offline` that the broker sent as a will is heard now, and does not move the
    line's clock.
    """
    assert line.clock is not None
    shown = 0 if line.kpi is None else line.kpi.shown
    return max(line.clock + context.received_at - line.heard_at, shown)


def _quiet(line: LineState, context: RecordContext) -> int:
    """For how long (ms) the line has sent nothing while a bridge was listening."""
    return context.received_at - max(line.heard_at, line.ticking_since)
