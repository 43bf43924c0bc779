"""Event time and the line clock: the time of a message by its timestamp or its arrival."""

from plant.line_rules import LineRules
from schemas.instant import SECOND

ACCEPT_FUTURE = 60 * SECOND
TICKS_MISSING = 15 * SECOND  # without a tick for so long, three of them, no bridge was connected


def arrival(received_at: int, line_clock: int | None) -> int:
    """The event time of a message without a believable timestamp: its arrival, never behind the line clock.

    Otherwise, if a machine's clock is some seconds ahead of the bridge's, a `stopped` without timestamp would
    be late and open no stop.
    """
    return received_at if line_clock is None else max(received_at, line_clock)


def is_usual(timestamp: int, received_at: int, line_clock: int | None, rules: LineRules) -> bool:
    """Whether a timestamp can be believed and is not late, as all timestamps of a right clock."""
    return (line_clock is None or timestamp >= line_clock) and (
        received_at - rules.past <= timestamp <= received_at + ACCEPT_FUTURE
    )


def of_order(timestamp: int | None, received_at: int, line_clock: int | None, rules: LineRules) -> int:
    """The time (ms) of an order message: its timestamp if believable, never behind the line clock."""
    if timestamp is None or not received_at - rules.past <= timestamp <= received_at + ACCEPT_FUTURE:
        return arrival(received_at, line_clock)
    return arrival(timestamp, line_clock)


def of_line(now: int, line_clock: int, heard_at: int) -> int:
    """What the line's clock shows at arrival time `now` (ms); `now` itself while the line sends its past."""
    lag = heard_at - line_clock
    return max(line_clock, now - lag if abs(lag) <= ACCEPT_FUTURE else now)
