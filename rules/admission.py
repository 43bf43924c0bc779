"""Admission: which undeclared lines a partition accepts, and how long it keeps them.

Anybody may publish under any name, and each line costs memory, windows and time at every tick. The decision
depends only on the rules and on the partition's records, in the order of the log. Everything that it needs is
in the partition's own entry: a record that is read again after a crash is decided as it was the first time.
"""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from plant.file import About
from schemas.errors import Poison
from schemas.instant import DAY, HOUR
from schemas.operator_message import Action, parse_operator_message
from schemas.raw import DATA, ORDER, STATUS, RawRecord
from schemas.state import Guest, LineState, Undeclared

ENOUGH = 10  # messages of a machine: a line that has sent so many is permanent
SILENT_FOR = DAY  # a line that sent fewer, and then nothing for so long, is dropped
RETIRED = -1  # in place of a number of messages
RETIRED_FOR = 30 * DAY  # a retired line that sent nothing for so long is dropped
AT_ONCE = 100  # lines that are dropped at a tick, at most

PERMANENT = Guest(ENOUGH)


def refusal(lines: Undeclared, line_id: str, now: int, rules: About) -> Poison | None:
    """Why an unknown line is not admitted at `now` (ms, log time); None if it is."""
    if rules.lines_only:
        return Poison("undeclared_line", line=line_id)
    if len(lines.lines) >= rules.max_lines:
        return Poison("too_many_lines", line=line_id, setting="max_lines", limit=rules.max_lines)
    few = len(lines.lines) < rules.max_lines // 2  # no hourly limit while a plant starts up
    if not few and lines.hour == now // HOUR and lines.new >= rules.new_lines_per_hour:
        limit = rules.new_lines_per_hour
        return Poison("too_many_lines", line=line_id, setting="new_lines_per_hour", limit=limit)
    return None


def admit(lines: Undeclared, record: RawRecord, now: int, rules: About) -> Undeclared:
    """The undeclared lines after admitting the record's line."""
    assert record.line_id is not None
    hour = now // HOUR
    new = lines.new if lines.hour == hour else 0
    if len(lines.lines) >= rules.max_lines // 2:
        new += 1
    by_operator = record.headers.kind is ORDER or action_of(record) is not None
    guest = PERMANENT if by_operator else Guest(1, now)
    return Undeclared({**lines.lines, record.line_id: guest}, hour, new)


def after_message(lines: Undeclared, record: RawRecord, now: int) -> Undeclared:
    """The undeclared lines after another record of one. Operators make it permanent, retire or forget it."""
    line_id, kind = record.line_id, record.headers.kind
    assert line_id is not None
    guest = lines.lines[line_id]
    if (guest.messages == ENOUGH and kind is DATA) or record.headers.retain:
        return lines  # the usual case
    action = action_of(record)
    if action == "forget":
        return without(lines, [line_id])
    if action == "retire":
        after = Guest(RETIRED, now)
    elif action is not None or kind is ORDER:
        after = PERMANENT
    elif guest.messages == ENOUGH:
        return lines
    elif guest.messages == RETIRED:
        after = PERMANENT if kind is DATA else Guest(RETIRED, now)
    else:
        after = PERMANENT if guest.messages + 1 == ENOUGH else Guest(guest.messages + 1, now)
    return replace(lines, lines={**lines.lines, line_id: after})


def action_of(record: RawRecord) -> Action | None:
    """The action of an operator message; None if the record is no such message, or can't be read."""
    if record.headers.kind is not STATUS or b'"action"' not in record.payload:
        return None
    try:
        message = parse_operator_message(record.payload)
    except Poison:
        return None
    return None if message is None else message.action


def due_for_removal(lines: Undeclared, now: int) -> list[str]:
    """The lines to be dropped now, at most AT_ONCE of them."""
    names = [
        name
        for name, guest in lines.lines.items()
        if guest.messages != ENOUGH
        and now - guest.heard_at >= (RETIRED_FOR if guest.messages == RETIRED else SILENT_FOR)
    ]
    return names[:AT_ONCE]


def without(lines: Undeclared, names: Collection[str]) -> Undeclared:
    """The undeclared lines without some of them."""
    return replace(lines, lines={name: guest for name, guest in lines.lines.items() if name not in names})


def from_older_release(
    states: Iterable[LineState], own: LineState, most: int
) -> tuple[Undeclared, list[str]]:
    """The undeclared lines among the states of an older release, which admitted every line.

    Returns:
        The `most` lines that were heard last; and the names of the others.
    """
    latest = sorted(states, key=lambda state: (-state.heard_at, state.line_id))
    lines = {state.line_id: _guest_of(state, own.received_at) for state in latest[:most]}
    return Undeclared(lines), [state.line_id for state in latest[most:]]


def _guest_of(state: LineState, now: int) -> Guest:
    if state.retired:
        return Guest(RETIRED, now)
    if state.orders.waiting or state.orders.done or (state.kpi is not None and state.kpi.closed):
        return PERMANENT  # it has had orders, or sent messages in more than one window
    return Guest(1, state.heard_at)
