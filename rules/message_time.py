"""The time of a message: its machine's timestamp, or its arrival where that can't be believed."""

from rules import alerts, clock_belief, line_clock
from rules.clock_belief import Judged
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.state import LineState


def decide(
    line: LineState, timestamp: int | None, context: RecordContext, *, waited: bool
) -> tuple[int, Judged | None]:
    """When a message was made, ms; and what is believed of the line's clocks after it, if they were in doubt.

    Args:
        line: the line before the message.
        timestamp: what the message says, ms.
        context: the record.
        waited: the message had waited for the bridge.
    Raises:
        TooOld: nobody knows when it was made.
    """
    now, rules = context.received_at, context.line_rules
    if timestamp is None:
        return line_clock.arrival(now, line.clock), None
    in_doubt = line.belief is not None or "CLOCK_SKEW" in line.alerts.held
    if not in_doubt and line_clock.is_usual(timestamp, now, line.clock, rules):
        return timestamp, None
    judged = clock_belief.judge(line.belief, timestamp, now, line.clock, rules, waited=waited)
    return judged.at, judged


def on_judged(draft: LineState, judged: Judged | None, context: RecordContext) -> list[RowUpdate]:
    """Remember what is believed; the line has an alert while the clock of one of its machines is wrong."""
    if judged is None:
        return []
    draft.belief = judged.belief
    right = judged.belief is None or not judged.belief.count
    draft.alerts, updates = alerts.on_clock(draft.alerts, judged.at, judged.off, judged.since, right, context)
    return updates
