"""Time, as the log tells it: when a message was made, and whether it comes late."""

from schemas.instant import SECOND
from schemas.line_rules import LineRules

ACCEPT_FUTURE = 60 * SECOND
TICKS_MISSING = 15 * SECOND  # three ticks: nobody was listening


def decide(told: int | None, received_at: int, rules: LineRules) -> tuple[int, int | None]:
    """The event time of a message, and by how much (ms) its own clock is off if it can't be believed.

    Args:
        told: the message's timestamp, ms; None where it has none.
        received_at: when it reached the bridge, ms.
        rules: how old a timestamp may be.
    """
    if told is None:
        return received_at, None
    if received_at - rules.past <= told <= received_at + ACCEPT_FUTURE:
        return told, None
    return received_at, told - received_at
