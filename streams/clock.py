"""Time, as the log tells it: when a message was made, and whether it comes late."""

from schemas.instant import SECOND
from schemas.line_rules import LineRules

ACCEPT_FUTURE = 60 * SECOND
TICKS_MISSING = 15 * SECOND  # three ticks: nobody was listening


def decide(
    told: int | None, received_at: int, line_clock: int | None, rules: LineRules
) -> tuple[int, int | None]:
    """The event time of a message, and by how much (ms) its own clock is off if it can't be believed.

    A message that tells no time that can be believed comes behind those before it: where the machine's clock
    is some seconds ahead of the bridge's, a bare `stopped` would else be late, and no stop.

    Args:
        told: the message's timestamp, ms; None where it has none.
        received_at: when it reached the bridge, ms.
        line_clock: the highest event time of the line so far, ms; None before the first.
        rules: how old a timestamp may be.
    """
    if told is not None and received_at - rules.past <= told <= received_at + ACCEPT_FUTURE:
        return told, None
    at = received_at if line_clock is None else max(received_at, line_clock)
    return at, None if told is None else told - received_at


def of_line(now: int, line_clock: int, heard_at: int) -> int:
    """What a line's clock shows at `now` (ms) of the plant; of a line that tells its past, nobody knows."""
    lag = heard_at - line_clock
    return max(line_clock, now - lag if abs(lag) <= ACCEPT_FUTURE else now)
