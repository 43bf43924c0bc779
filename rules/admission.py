"""Admission: which lines a partition takes that `plant.toml` does not name, and how long it keeps them.

Anybody may publish under any name, and each line costs memory, windows and time at every tick. Decided from
the partition's records in the order of the log, and from the rules: a record that is read again after a crash
is decided as it was the first time, since all that counts stands in the partition's own entry.
"""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from plant.file import About
from schemas.errors import Poison
from schemas.instant import DAY, HOUR
from schemas.operator_message import Action, parse_operator_message
from schemas.raw import DATA, ORDER, STATUS, RawRecord
from schemas.state import Guest, LineState, Undeclared

ENOUGH = 10  # messages of a machine: a line that has sent so many stays
SILENT = DAY  # a line that sent fewer, and then nothing for so long, is let go
RETIRED = -1  # in place of a number of messages
RETIRED_FOR = 30 * DAY
AT_ONCE = 100  # are let go at a tick

STAYS = Guest(ENOUGH)


def refusal(lines: Undeclared, line_id: str, now: int, rules: About) -> Poison | None:
    """Why a line that is not known yet is not admitted at `now` (ms, the log's time); None: it is."""
    if rules.lines_only:
        return Poison("undeclared_line", line=line_id)
    if len(lines.lines) >= rules.max_lines:
        return Poison("too_many_lines", line=line_id, setting="max_lines", limit=rules.max_lines)
    few = len(lines.lines) < rules.max_lines // 2  # so that a plant that starts is not held up
    if not few and lines.hour == now // HOUR and lines.new >= rules.new_lines_per_hour:
        limit = rules.new_lines_per_hour
        return Poison("too_many_lines", line=line_id, setting="new_lines_per_hour", limit=limit)
    return None


def admitted(lines: Undeclared, record: RawRecord, now: int, rules: About) -> Undeclared:
    """With the line that the record is of."""
    assert record.line_id is not None
    hour = now // HOUR
    new = lines.new if lines.hour == hour else 0
    if len(lines.lines) >= rules.max_lines // 2:
        new += 1
    by_operator = record.headers.kind is ORDER or action_of(record) is not None
    guest = STAYS if by_operator else Guest(1, now)
    return Undeclared({**lines.lines, record.line_id: guest}, hour, new)


def heard(lines: Undeclared, record: RawRecord, now: int) -> Undeclared:
    """After another record of a line that was admitted: one that operators speak of stays."""
    line_id, kind = record.line_id, record.headers.kind
    assert line_id is not None
    guest = lines.lines[line_id]
    if (guest.messages == ENOUGH and kind is DATA) or record.headers.retain:
        return lines  # the usual message
    action = action_of(record)
    if action == "forget":
        return without(lines, [line_id])
    if action == "retire":
        after = Guest(RETIRED, now)
    elif action is not None or kind is ORDER:
        after = STAYS
    elif guest.messages == ENOUGH:
        return lines
    elif guest.messages == RETIRED:
        after = STAYS if kind is DATA else Guest(RETIRED, now)
    else:
        after = STAYS if guest.messages + 1 == ENOUGH else Guest(guest.messages + 1, now)
    return replace(lines, lines={**lines.lines, line_id: after})


def action_of(record: RawRecord) -> Action | None:
    """What an operator asks for, if the record is theirs and can be read."""
    if record.headers.kind is not STATUS or b'"action"' not in record.payload:
        return None
    try:
        message = parse_operator_message(record.payload)
    except Poison:
        return None
    return None if message is None else message.action


def due(lines: Undeclared, now: int) -> list[str]:
    """The lines that are let go now, the first AT_ONCE of them."""
    names = [
        name
        for name, guest in lines.lines.items()
        if guest.messages != ENOUGH
        and now - guest.heard_at >= (RETIRED_FOR if guest.messages == RETIRED else SILENT)
    ]
    return names[:AT_ONCE]


def without(lines: Undeclared, names: Collection[str]) -> Undeclared:
    """Without some of them."""
    return replace(lines, lines={name: guest for name, guest in lines.lines.items() if name not in names})


def taken_over(states: Iterable[LineState], own: LineState, most: int) -> tuple[Undeclared, list[str]]:
    """The undeclared lines among the states of an older release, which admitted everyone.

    Returns:
        Those that were heard last, as many as may be; and the names of the others.
    """
    latest = sorted(states, key=lambda state: (-state.heard_at, state.line_id))
    lines = {state.line_id: _taken_over(state, own.received_at) for state in latest[:most]}
    return Undeclared(lines), [state.line_id for state in latest[most:]]


def _taken_over(state: LineState, now: int) -> Guest:
    if state.retired:
        return Guest(RETIRED, now)
    if state.orders.waiting or state.orders.done or (state.kpi is not None and state.kpi.closed):
        return STAYS  # operators spoke of it, or it spoke in more than one window
    return Guest(1, state.heard_at)
