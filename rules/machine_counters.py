"""Counters: how many pieces were made between two readings of a machine's counter.

A counter starts again at 0 after its highest value (rollover) or when it is set back (reset). A rollover is
assumed if the line can have made that many pieces since the last reading: in the time in which it did not
stand still, or in `silence_s`, since it may just have started. Otherwise a reset is assumed, and the reading
counts as the pieces made since, if that is plausible. If it is not, the number of pieces is unknown: the
message is a dead letter and counts no piece, and counting goes on from the new reading.
"""

from typing import Any

from msgspec.structs import replace

from rules.record_context import RecordContext
from rules.stops import history
from schemas.bounds import MAX_COUNT
from schemas.errors import Poison
from schemas.instant import MINUTE, SECOND
from schemas.payloads import Data
from schemas.state import Counters, LineState, Reading

TARGETS = 2  # a line makes at most this many times its target rate
SLACK = SECOND  # timestamps may be rounded to whole seconds


class ImplausibleReading(Poison):
    """A reading that no plausible production explains.

    Attributes:
        counters: the line's latest readings, including this one.
    """

    def __init__(self, reason: str, counters: Counters, **facts: Any) -> None:
        super().__init__(reason, **facts)
        self.counters = counters


def increments(draft: LineState, data: Data, at: int, late: bool, context: RecordContext) -> Data:
    """The message with readings in `count` and `defects`, if the rules say so, replaced by increments.

    The first reading counts no pieces: counting begins there. A late message counts none either: its pieces
    are in the reading that arrived before it.

    Raises:
        ImplausibleReading: no plausible production explains the reading.
    """
    rules = context.line_rules
    if rules.as_counted:
        return data
    known, counted = draft.counters, dict[str, int]()
    limit = _limit(draft, data, context)
    for field, highest in _counters(context):
        value: int | None = getattr(data, field)
        counted[field] = 0
        if value is None or late:
            continue
        last, reading = getattr(known, field), Reading(value, at)
        passed = (
            0 if last is None or value >= last.value else _possible_running_time(draft, last.at, at, context)
        )
        pieces = _pieces_since(last, reading, highest, passed, limit)
        if pieces is None:
            raise _implausible(field, known, reading, context)
        counted[field] = pieces
        known = replace(known, **{field: reading})
    data = replace(data, **counted)
    if rules.stopped_after_s is not None and not late:
        known, data = _idle(known, data, at, rules.stopped_after_s)
    draft.counters = known
    return data


def _idle(known: Counters, data: Data, at: int, stopped_after_s: float) -> tuple[Counters, Data]:
    """A machine that never says whether it runs is stopped once it has made nothing for `stopped_after_s`."""
    if data.count > 0 or not known.made_at:
        return replace(known, made_at=at), data
    if data.running is None and at - known.made_at >= stopped_after_s * SECOND:
        data = replace(data, running=False)
    return known, data


def _counters(context: RecordContext) -> list[tuple[str, int]]:
    rules = context.line_rules
    modes = (("count", rules.counter_max), ("defects", rules.defects_max))
    return [(field, highest) for field, highest in modes if highest is not None]


def _pieces_since(
    last: Reading | None, now: Reading, highest: int, passed: int, limit: float | None
) -> int | None:
    """Pieces since the last reading; None if unknown. `passed`: the longest possible running time, ms.
    `limit`: the most pieces a minute, None if unknown."""
    if last is None:
        return 0
    if now.value >= last.value:
        made = now.value - last.value
        # Pieces beyond the limit are kept. More pieces than a message may count mean another counter.
        return made if made <= MAX_COUNT else None
    most = highest // 2 if limit is None else limit * passed / MINUTE + 1
    for made in (highest + 1 - last.value + now.value, now.value):  # rollover, reset
        if made <= min(most, MAX_COUNT):
            return made
    return None


def _possible_running_time(state: LineState, since: int, at: int, context: RecordContext) -> int:
    """For how long (ms) the line may have run in [since, at)."""
    lately = max(at - context.line_rules.silence, since)
    return max(at - since, 0) - history.stopped_time(state, since, lately) + SLACK


def _limit(state: LineState, data: Data, context: RecordContext) -> float | None:
    """The most pieces a minute that the line can make, by its rules or its target rate; None if unknown."""
    rules = context.line_rules
    if rules.counter_max_rate is not None:
        return rules.counter_max_rate
    target = data.target_rate or state.positive_target or rules.target_rate or 0.0
    return TARGETS * target if target > 0 else None


def _implausible(field: str, known: Counters, now: Reading, context: RecordContext) -> ImplausibleReading:
    last: Reading = getattr(known, field)
    return ImplausibleReading(
        "counter_jump" if now.value > last.value else "counter_reset",
        replace(known, **{field: now}),
        field=context.line_rules.names.get(field, field),
        before=last.value,
        after=now.value,
    )
