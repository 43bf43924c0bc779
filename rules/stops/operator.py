"""Operator messages about a line's stops: reasons, stops declared planned, planned stops announced.

They come through the log, so a rebuild keeps their effect. A request that was applied before (known by its
`requestId`) changes nothing.
"""

from hashlib import blake2b

from msgspec.structs import replace

from plant.timestamps import event_time
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import history, lifecycle, planned, reclassification, stop_row
from schemas.errors import Poison
from schemas.frozen import latest
from schemas.operator_message import OperatorMessage
from schemas.refusals import shown
from schemas.state import MAX_PLANS, MAX_REMEMBERED, MAX_SIZE, LineState, Plan, Stop


def on_operator_message(
    draft: LineState, message: OperatorMessage, context: RecordContext
) -> list[RowUpdate]:
    """Apply a reason, a declaration, a plan or its withdrawal; reclassify stops if planned time changes.

    Raises:
        Poison: there is no such stop or plan, or too many plans.
    """
    # Plans that are long past are forgotten, not withdrawn: stops that they made planned remain planned.
    now = context.received_at
    charged = now if draft.retired or draft.clock is None else draft.clock
    draft.stop_history = planned.forgotten(draft.stop_history, draft.stop, now, charged)
    before = draft.stop_history.planned
    updates = _apply(draft, message, context)
    if draft.stop_history.planned != before:
        updates += reclassification.replanned(draft, before, draft.stop_history.planned, context)
    return updates


def _apply(draft: LineState, message: OperatorMessage, context: RecordContext) -> list[RowUpdate]:
    updates: list[RowUpdate] = []
    digest = None if message.request_id is None else digest_of(message.request_id)
    if message.action == "unplan":
        _unplan(draft, digest)
    elif digest is not None and digest in draft.stop_history.requests:
        return []
    else:
        if digest is not None:
            requests = (*draft.stop_history.requests, digest)[-MAX_REMEMBERED:]
            draft.stop_history = replace(draft.stop_history, requests=requests)
        if message.action == "plan":
            assert digest is not None
            _plan(draft, message, digest, context)
        else:
            updates = _reason(draft, message, context)
    planned_time = planned.planned_time(draft.stop_history, draft.stop)
    draft.stop_history = replace(draft.stop_history, planned=planned_time)
    return updates


def on_late_reason(draft: LineState, at: int, reason: str, context: RecordContext) -> list[RowUpdate]:
    """Give a stop the reason of a late `stopped` message.

    MQTT keeps order within a topic only: data from the stop, or from after it, may arrive before its status.

    Args:
        at: the message's event time, ms. The stop begins at most `silence_s` after it.
    """
    earliest = at + context.line_rules.silence
    for index, past in enumerate(draft.stop_history.stops):
        if at < past.end and past.stop.category != "no_signal":
            if past.stop.start > earliest or past.stop.reason is not None:
                return []
            known = replace(past, stop=replace(past.stop, reason=reason))
            history.replace_past_stop(draft, index, known)
            return [stop_row.past_row(known, context)]
    if draft.stop is None or draft.stop.start > earliest:
        return []
    draft.stop, updates = lifecycle.with_reason(draft.stop, reason, context)
    return updates


def _plan(draft: LineState, message: OperatorMessage, digest: str, context: RecordContext) -> None:
    start = event_time(message.start, context.line_rules.time_zone, "start")
    end = event_time(message.end, context.line_rules.time_zone, "end")
    assert start is not None
    assert end is not None
    if not max(start, context.received_at - planned.REMEMBERED) < end:
        raise Poison("bad_field", field="end", value=shown(message.end))
    plans = (*draft.stop_history.plans, Plan(digest, start, end, message.reason))
    if plans != latest(plans, MAX_PLANS, MAX_SIZE):
        raise Poison("too_many_plans", limit=MAX_PLANS)
    draft.stop_history = replace(draft.stop_history, plans=plans)


def _unplan(draft: LineState, digest: str | None) -> None:
    plans = tuple(plan for plan in draft.stop_history.plans if plan.request != digest)
    if len(plans) == len(draft.stop_history.plans) and digest not in draft.stop_history.requests:
        raise Poison("unknown_plan")
    draft.stop_history = replace(draft.stop_history, plans=plans)


def _reason(draft: LineState, message: OperatorMessage, context: RecordContext) -> list[RowUpdate]:
    """Give a stop its reason, or declare it planned or not: the open stop, or one that has ended."""
    at = event_time(message.at, context.line_rules.time_zone, "at")
    stop = draft.stop
    if stop is not None and _is_meant(stop, None, message.stop, at):
        draft.stop = stop = _declared(stop, message)
        return [stop_row.row(stop, context)]
    known = draft.stop_history.stops
    for index in range(len(known) - 1, -1, -1):
        past = known[index]
        if _is_meant(past.stop, past.end, message.stop, at):
            past = replace(past, stop=_declared(past.stop, message))
            history.replace_past_stop(draft, index, past)
            return [stop_row.past_row(past, context)]
    raise Poison("unknown_stop", value=shown(message.stop or message.at or "-"))


def _is_meant(stop: Stop, end: int | None, stop_id: str | None, at: int | None) -> bool:
    if stop_id is not None:
        return stop.id == stop_id
    return at is None or (stop.start <= at and (end is None or at < end))


def _declared(stop: Stop, message: OperatorMessage) -> Stop:
    return replace(
        stop,
        reason=stop.reason if message.reason is None else message.reason,
        planned=stop.planned if message.planned is None else message.planned,
    )


def digest_of(text: str) -> str:
    """The digest by which a request's identifier is remembered."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
