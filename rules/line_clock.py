"""Event time: when a message was made, by its timestamp or its arrival, and whether it comes late."""

from plant.line_rules import LineRules
from schemas.instant import SECOND

ACCEPT_FUTURE = 60 * SECOND
TICKS_MISSING = 15 * SECOND  # three ticks: nobody was listening


def arrival(received_at: int, line_clock: int | None) -> int:
    """The event time of a message without a timestamp that can be believed: never before the line's last one.

    Where a machine's clock is some seconds ahead of the bridge's, a bare `stopped` would else be late, and
    no stop.
    """
    return received_at if line_clock is None else max(received_at, line_clock)


def is_usual(timestamp: int, received_at: int, line_clock: int | None, rules: LineRules) -> bool:
    """Whether a timestamp can be believed and is in the line's order: all that is seen of a right clock."""
    return (line_clock is None or timestamp >= line_clock) and (
        received_at - rules.past <= timestamp <= received_at + ACCEPT_FUTURE
    )


def of_order(timestamp: int | None, received_at: int, line_clock: int | None, rules: LineRules) -> int:
    """The time (ms) of an order's message: its timestamp if that can be believed, never behind the line's."""
    if timestamp is None or not received_at - rules.past <= timestamp <= received_at + ACCEPT_FUTURE:
        return arrival(received_at, line_clock)
    return arrival(timestamp, line_clock)


def of_line(now: int, line_clock: int, heard_at: int) -> int:
    """What a line's clock shows at `now` (ms) of the plant; `now` while the line sends its past."""
    lag = heard_at - line_clock
    return max(line_clock, now - lag if abs(lag) <= ACCEPT_FUTURE else now)
