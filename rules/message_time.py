"""The event time of a message: its timestamp, or its arrival if that can't be believed."""

from rules import alerts, clock_belief, line_clock
from rules.clock_belief import Assessment
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from schemas.state import LineState


def decide(
    line: LineState, timestamp: int | None, context: RecordContext, *, waited: bool
) -> tuple[int, Assessment | None]:
    """When a message was made, ms; and the assessment of its timestamp, None if it is beyond doubt.

    Args:
        line: the line before the message.
        timestamp: the message's, ms.
        context: the record.
        waited: the message had waited for the bridge.
    Raises:
        TooOld: it is not known when the message was made.
    """
    now, rules = context.received_at, context.line_rules
    if timestamp is None:
        return line_clock.arrival(now, line.clock), None
    in_doubt = line.belief is not None or "CLOCK_SKEW" in line.alerts.held
    if not in_doubt and line_clock.is_usual(timestamp, now, line.clock, rules):
        return timestamp, None
    assessment = clock_belief.assess(line.belief, timestamp, now, line.clock, rules, waited=waited)
    return assessment.at, assessment


def on_assessment(draft: LineState, assessment: Assessment | None, context: RecordContext) -> list[RowUpdate]:
    """Remember the belief; the line has an alert while the clock of one of its machines is wrong."""
    if assessment is None:
        return []
    draft.belief = assessment.belief
    right = assessment.belief is None or not assessment.belief.count
    draft.alerts, updates = alerts.on_clock(
        draft.alerts, assessment.at, assessment.off, assessment.since, right, context
    )
    return updates
