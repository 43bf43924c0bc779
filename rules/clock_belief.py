"""Belief: whether a machine's timestamps can be believed, judged by how they advance.

A message's lag is its arrival less its timestamp. When a machine with a wrong clock sends what happens now,
the lag stays the same; when a gateway sends its past, it shrinks, for the timestamps advance faster than
arrival does. One message does not show which of the two it is. Until several have:

    timestamp                         the message is
    more than 60 s ahead              of a clock that is wrong: counted at arrival, and the line is flagged
    of a clock never set              the same
    older than `accept_past_s`        a dead letter; once the lag has stayed the same, of a wrong clock
    behind the line's clock           late, as of a gateway's past; once the lag has stayed the same, of a
                                      wrong clock
    other                             believed
"""

from typing import NamedTuple

from plant.line_rules import LineRules
from rules.line_clock import ACCEPT_FUTURE, arrival
from schemas.errors import Poison
from schemas.instant import DAY, HOUR, MINUTE, SECOND, text_of
from schemas.state import Belief, Pace

NEVER_SET = 946_684_800_000  # 2000-01-01: a clock that says less lost its battery
OLDEST = 400 * DAY  # as long as the raw log is kept by default: a past that is older is none worth pouring

SAME = 5 * SECOND  # lags no further apart are the same: transport takes its time
PROVEN_MS, PROVEN_MESSAGES = MINUTE, 3  # of the same lag
MAX_PACES = 3  # a batch sent now and then has many lags, again and again: it must not prove any of them
DELAYED = MINUTE  # what waited in the machine for less is still of its wrong clock
FORGOTTEN = DAY  # a doubt that was not confirmed for so long

# A clock is right again when nothing was disbelieved for a minute, or three times the usual time between two
# such messages: of two machines on one line, one may be wrong.
HELD, HELD_MOST, HELD_MESSAGES = MINUTE, HOUR, 3


class Judged(NamedTuple):
    """A message's time, and what is believed of its line after it. All in ms."""

    at: int
    belief: Belief | None
    off: int | None = None  # by how much its clock is ahead, negative: behind; None: it is believed
    since: int = 0  # when it was first seen to be off


class TooOld(Poison):
    """A timestamp older than the line's rules accept, and nothing shows that it was made now.

    Attributes:
        belief: what is believed of the line after it.
    """

    def __init__(self, belief: Belief | None, timestamp: int, received_at: int, rules: LineRules) -> None:
        super().__init__(
            "timestamp",
            value=text_of(timestamp),
            received=text_of(received_at),
            limit=round(rules.accept_past_s),
        )
        self.belief = belief


def judge(
    belief: Belief | None,
    timestamp: int,
    received_at: int,
    line_clock: int | None,
    rules: LineRules,
    *,
    waited: bool = False,
) -> Judged:
    """Decide when a message with a timestamp was made.

    Args:
        belief: what is believed of the line's timestamps.
        timestamp: the message's, ms.
        received_at: when it reached the bridge, ms.
        line_clock: the highest event time of the line so far, ms; None before the first.
        rules: how old a timestamp may be.
        waited: it had waited for the bridge: how long it took proves nothing of the machine's clock.

    Raises:
        TooOld: nobody knows when it was made.
    """
    now, lag, at = received_at, received_at - timestamp, arrival(received_at, line_clock)
    if lag < -ACCEPT_FUTURE or lag > OLDEST or timestamp < NEVER_SET:
        return Judged(at, _disbelieved(belief, now), -lag, at)
    belief = belief or Belief()
    belief, pace = _confirmed(belief, lag, now, waited=waited)
    late = line_clock is not None and timestamp < line_clock
    if pace is None and late and belief.count and lag <= ACCEPT_FUTURE:
        # Another machine of the line, or the same, right again: beside what is counted at arrival.
        return Judged(at, _settled(belief, now))
    doubtful = lag > rules.past or (late and (lag > ACCEPT_FUTURE or belief.paces != ()))
    if pace is None and doubtful and not waited:
        belief, pace = _noted(belief, lag, now)
    if pace is not None:
        return Judged(at, _disbelieved(belief, now, pace), -lag, pace.since)
    if lag > rules.past:
        raise TooOld(_if_any(belief), timestamp, now, rules)
    return Judged(timestamp, _if_any(belief) if late else _settled(belief, now))


def _is_proven(pace: Pace) -> bool:
    return (
        pace.count >= PROVEN_MESSAGES
        and pace.latest - pace.since >= PROVEN_MS
        and pace.lag > ACCEPT_FUTURE  # less is no wrong clock
    )


def _confirmed(belief: Belief, lag: int, now: int, *, waited: bool) -> tuple[Belief, Pace | None]:
    """The wrong clock that is known and that the message is of, if any; it may drift."""
    for pace in belief.paces:
        if _is_proven(pace) and lag - pace.lag >= -SAME and (waited or lag - pace.lag <= DELAYED):
            drifted = not waited and lag - pace.lag <= SAME
            seen = Pace(lag if drifted else pace.lag, pace.since, now, pace.count + 1)
            return _with(belief, pace, seen), seen
    return belief, None


def _noted(belief: Belief, lag: int, now: int) -> tuple[Belief, Pace | None]:
    """The lag is remembered; it is of a wrong clock once it has stayed the same for long enough."""
    for pace in belief.paces:
        if abs(lag - pace.lag) <= SAME and now - pace.latest <= FORGOTTEN:
            seen = Pace(pace.lag, pace.since, now, pace.count + 1)
            return _with(belief, pace, seen), seen if _is_proven(seen) else None
    dropped = None
    if len(belief.paces) == MAX_PACES:
        dropped = next((pace for pace in belief.paces if not _is_proven(pace)), belief.paces[0])
    return _with(belief, dropped, Pace(lag, now, now)), None


def _with(belief: Belief, gone: Pace | None, seen: Pace) -> Belief:
    paces = (*[pace for pace in belief.paces if pace is not gone], seen)
    return Belief(paces, belief.since, belief.latest, belief.count)


def _disbelieved(belief: Belief | None, now: int, pace: Pace | None = None) -> Belief:
    """After a message that is not believed; `pace` of that many, if it is not the first of its clock."""
    if belief is None or not belief.count:
        paces = () if belief is None else belief.paces
        return Belief(paces, now, now, 1) if pace is None else Belief(paces, pace.since, now, pace.count)
    return Belief(belief.paces, belief.since, now, belief.count + 1)


def _settled(belief: Belief, now: int) -> Belief | None:
    """After a message that is believed, in the line's order: what is left of doubt."""
    if belief.count:
        usual = (belief.latest - belief.since) // max(belief.count - 1, 1)
        held = min(max(HELD, HELD_MESSAGES * usual), HELD_MOST)
        return belief if now - belief.latest <= held else None
    if belief.paces and now - belief.paces[-1].latest <= FORGOTTEN:
        return belief
    return None


def _if_any(belief: Belief) -> Belief | None:
    return belief if belief.paces or belief.count else None
