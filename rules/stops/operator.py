"""What is said of a line's stops afterwards: reasons, stops declared planned, planned stops announced.

All of it comes through the log, so a replay keeps it. What was said before (`requestId`) changes nothing.
"""

from hashlib import blake2b

from msgspec.structs import replace

from plant.timestamps import event_time
from rules.record_context import RecordContext
from rules.row_update import RowUpdate
from rules.stops import lifecycle, planned
from schemas.errors import Poison
from schemas.operator_message import OperatorMessage
from schemas.refusals import shown
from schemas.state import (
    MAX_PLANS,
    MAX_REMEMBERED,
    MAX_SIZE,
    MAX_STOPS,
    MAX_STOPS_SIZE,
    LineState,
    PastStop,
    Plan,
    Stop,
    StopHistory,
    latest,
)

Step = tuple[LineState, list[RowUpdate]]


def closed(people: StopHistory, past: PastStop, open_: Stop | None) -> StopHistory:
    """Remember a stop that ended."""
    people = replace(people, stops=latest((*people.stops, past), MAX_STOPS, MAX_STOPS_SIZE))
    if not past.stop.planned:
        return people
    return replace(people, planned=planned.planned_time(people, open_))


def on_operator_message(state: LineState, said: OperatorMessage, context: RecordContext) -> Step:
    """A reason, a declaration, an announcement, or the end of one.

    Raises:
        Poison: there is no such stop or plan, or too many plans.
    """
    digest = None if said.request_id is None else digest_of(said.request_id)
    if said.action == "unplan":
        after, changes = _unplan(state, digest), list[RowUpdate]()
    elif digest is not None and digest in state.people.requests:
        return state, []
    else:
        if digest is not None:
            requests = (*state.people.requests, digest)[-MAX_REMEMBERED:]
            state = replace(state, people=replace(state.people, requests=requests))
        if said.action == "plan":
            assert digest is not None
            after, changes = _plan(state, said, digest, context), []
        else:
            after, changes = _reason(state, said, context)
    now = planned.planned_time(after.people, after.stop)
    return replace(after, people=replace(after.people, planned=now)), changes


def on_late_reason(state: LineState, at: int, reason: str, context: RecordContext) -> Step:
    """A machine's `stopped` that comes behind the line's clock still tells the reason of its stop.

    MQTT keeps order within a topic only: the data that shows the stop may come first, or all of the stop.

    Args:
        at: when the machine stopped, as it says, ms: at most the line's silence before its data show it.
    """
    earliest = at + context.line_rules.silence
    for index, past in enumerate(state.people.stops):
        if at < past.end and past.stop.category != "no_signal":
            if past.stop.start > earliest or past.stop.reason is not None:
                return state, []
            told = replace(past, stop=replace(past.stop, reason=reason))
            return _known_anew(state, index, told), [lifecycle.past_row(told, context)]
    if state.stop is None or state.stop.start > earliest:
        return state, []
    stop, rows = lifecycle.with_reason(state.stop, reason, context)
    return replace(state, stop=stop), rows


def _known_anew(state: LineState, index: int, past: PastStop) -> LineState:
    known = state.people.stops
    told = latest((*known[:index], past, *known[index + 1 :]), MAX_STOPS, MAX_STOPS_SIZE)
    return replace(state, people=replace(state.people, stops=told))


def _plan(state: LineState, said: OperatorMessage, digest: str, context: RecordContext) -> LineState:
    start = event_time(said.start, context.line_rules.time_zone, "start")
    end = event_time(said.end, context.line_rules.time_zone, "end")
    assert start is not None
    assert end is not None
    if not max(start, context.received_at - planned.REMEMBERED) < end:
        raise Poison("bad_field", field="end", value=shown(said.end))
    plans = (*state.people.plans, Plan(digest, start, end, said.reason))
    if plans != latest(plans, MAX_PLANS, MAX_SIZE):
        raise Poison("too_many_plans", limit=MAX_PLANS)
    return replace(state, people=replace(state.people, plans=plans))


def _unplan(state: LineState, digest: str | None) -> LineState:
    plans = tuple(plan for plan in state.people.plans if plan.request != digest)
    if len(plans) == len(state.people.plans) and digest not in state.people.requests:
        raise Poison("unknown_plan")
    return replace(state, people=replace(state.people, plans=plans))


def _reason(state: LineState, said: OperatorMessage, context: RecordContext) -> Step:
    """Give a stop its reason: the open one, or one that ended."""
    at = event_time(said.at, context.line_rules.time_zone, "at")
    stop = state.stop
    if stop is not None and _meant(stop, None, said.stop, at):
        stop = _told(stop, said)
        return replace(state, stop=stop), [lifecycle.row(stop, context)]
    known = state.people.stops
    for index in range(len(known) - 1, -1, -1):
        past = known[index]
        if _meant(past.stop, past.end, said.stop, at):
            past = replace(past, stop=_told(past.stop, said))
            return _known_anew(state, index, past), [lifecycle.past_row(past, context)]
    raise Poison("unknown_stop", value=shown(said.stop or said.at or "-"))


def _meant(stop: Stop, end: int | None, stop_id: str | None, at: int | None) -> bool:
    if stop_id is not None:
        return stop.id == stop_id
    return at is None or (stop.start <= at and (end is None or at < end))


def _told(stop: Stop, said: OperatorMessage) -> Stop:
    return replace(
        stop,
        reason=stop.reason if said.reason is None else said.reason,
        planned=stop.planned if said.planned is None else said.planned,
    )


def digest_of(text: str) -> str:
    """A request's identifier as it is remembered."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
