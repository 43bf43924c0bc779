"""Belief: whether a machine's timestamps can be believed, by how they advance.

A message's lag is its arrival time less its timestamp. If a machine with a wrong clock reports what happens
now, the lag is constant. If a gateway sends messages that it had stored, the lag shrinks, because their
timestamps advance faster than their arrival times. One message does not show which of the two it is. A
message is treated by its timestamp:

    timestamp                         the message is
    more than 60 s ahead              of a wrong clock: counted at arrival, and the line has an alert
    of a clock that was never set     the same
    older than `accept_past_s`        a dead letter; once the lag is known to be constant, of a wrong clock
    behind the line's clock           late, like a gateway's; once the lag is known to be constant, of a
                                      wrong clock
    other                             believed
"""

from typing import NamedTuple

from plant.line_rules import LineRules
from rules.line_clock import ACCEPT_FUTURE, arrival
from schemas.errors import Poison
from schemas.instant import DAY, HOUR, MINUTE, SECOND, text_of
from schemas.state import Belief, Pace

NEVER_SET = 946_684_800_000  # 2000-01-01: a clock that shows an earlier time lost its battery
OLDEST = 400 * DAY  # the raw log's default retention: no gateway is expected to send anything older

SAME = 5 * SECOND  # lags that differ by no more count as equal: transport times vary
PROVEN_MS, PROVEN_MESSAGES = MINUTE, 3  # with equal lags, over this time, prove a wrong clock
MAX_PACES = 3  # lags that are remembered: a batch sent now and then has many, and must prove none of them
DELAYED = MINUTE  # a message that waited in the machine for less still counts for its wrong clock
FORGOTTEN = DAY  # a lag that was not seen again for so long is forgotten

# A clock is right again if no message was disbelieved for a minute, or for three times the usual interval
# between two such messages: of two machines on one line, one may be wrong.
RECOVERY, RECOVERY_MOST, RECOVERY_INTERVALS = MINUTE, HOUR, 3


class Assessment(NamedTuple):
    """A message's event time, and the belief about its line after it. All times in ms."""

    at: int
    belief: Belief | None
    off: int | None = None  # how far its clock is ahead (negative: behind); None: its timestamp is believed
    since: int = 0  # when the clock was first seen to be off


class TooOld(Poison):
    """A timestamp is older than the line's rules accept, and no wrong clock is known that explains it.

    Attributes:
        belief: the belief about the line after the message.
    """

    def __init__(self, belief: Belief | None, timestamp: int, received_at: int, rules: LineRules) -> None:
        super().__init__(
            "timestamp",
            value=text_of(timestamp),
            received=text_of(received_at),
            limit=round(rules.accept_past_s),
        )
        self.belief = belief


def assess(
    belief: Belief | None,
    timestamp: int,
    received_at: int,
    line_clock: int | None,
    rules: LineRules,
    *,
    waited: bool = False,
) -> Assessment:
    """Decide when a message with a timestamp was made.

    Args:
        belief: the belief about the line's timestamps; None if there is no doubt.
        timestamp: the message's, ms.
        received_at: when it reached the bridge, ms.
        line_clock: the highest event time of the line so far, ms; None before the first.
        rules: how old a timestamp may be.
        waited: the message waited for the bridge: its lag proves nothing about the machine's clock.

    Raises:
        TooOld: it is not known when the message was made.
    """
    now, lag, at = received_at, received_at - timestamp, arrival(received_at, line_clock)
    if lag < -ACCEPT_FUTURE or lag > OLDEST or timestamp < NEVER_SET:
        return Assessment(at, _after_disbelieved(belief, now), -lag, at)
    belief = belief or Belief()
    belief, pace = _known_wrong_clock(belief, lag, now, waited=waited)
    late = line_clock is not None and timestamp < line_clock
    if pace is None and late and belief.count and lag <= ACCEPT_FUTURE:
        # Another machine of the line, or the same with its clock set right: late only because messages of
        # the wrong clock are counted at their arrival. It is counted at its own, too.
        return Assessment(at, _after_believed(belief, now))
    doubtful = lag > rules.past or (late and (lag > ACCEPT_FUTURE or belief.paces != ()))
    if pace is None and doubtful and not waited:
        belief, pace = _with_lag(belief, lag, now)
    if pace is not None:
        return Assessment(at, _after_disbelieved(belief, now, pace), -lag, pace.since)
    if lag > rules.past:
        raise TooOld(_or_none(belief), timestamp, now, rules)
    return Assessment(timestamp, _or_none(belief) if late else _after_believed(belief, now))


def _is_proven(pace: Pace) -> bool:
    return (
        pace.count >= PROVEN_MESSAGES
        and pace.latest - pace.since >= PROVEN_MS
        and pace.lag > ACCEPT_FUTURE  # a smaller lag is no wrong clock
    )


def _known_wrong_clock(belief: Belief, lag: int, now: int, *, waited: bool) -> tuple[Belief, Pace | None]:
    """The belief, and the known wrong clock that explains the message, if any; that clock may drift."""
    for pace in belief.paces:
        if _is_proven(pace) and lag - pace.lag >= -SAME and (waited or lag - pace.lag <= DELAYED):
            drifted = not waited and lag - pace.lag <= SAME
            seen = Pace(lag if drifted else pace.lag, pace.since, now, pace.count + 1)
            return _with_pace(belief, pace, seen), seen
    return belief, None


def _with_lag(belief: Belief, lag: int, now: int) -> tuple[Belief, Pace | None]:
    """The belief with the lag remembered; and the wrong clock, once the lag was constant for long enough."""
    for pace in belief.paces:
        if abs(lag - pace.lag) <= SAME and now - pace.latest <= FORGOTTEN:
            seen = Pace(pace.lag, pace.since, now, pace.count + 1)
            return _with_pace(belief, pace, seen), seen if _is_proven(seen) else None
    dropped = None
    if len(belief.paces) == MAX_PACES:
        dropped = next((pace for pace in belief.paces if not _is_proven(pace)), belief.paces[0])
    return _with_pace(belief, dropped, Pace(lag, now, now)), None


def _with_pace(belief: Belief, gone: Pace | None, seen: Pace) -> Belief:
    paces = (*[pace for pace in belief.paces if pace is not gone], seen)
    return Belief(paces, belief.since, belief.latest, belief.count)


def _after_disbelieved(belief: Belief | None, now: int, pace: Pace | None = None) -> Belief:
    """The belief after a message that is not believed; `pace` if its wrong clock has been proven."""
    if belief is None or not belief.count:
        paces = () if belief is None else belief.paces
        return Belief(paces, now, now, 1) if pace is None else Belief(paces, pace.since, now, pace.count)
    return Belief(belief.paces, belief.since, now, belief.count + 1)


def _after_believed(belief: Belief, now: int) -> Belief | None:
    """The belief after a message that is believed and not late; None once no doubt is left."""
    if belief.count:
        usual = (belief.latest - belief.since) // max(belief.count - 1, 1)
        recovery = min(max(RECOVERY, RECOVERY_INTERVALS * usual), RECOVERY_MOST)
        return belief if now - belief.latest <= recovery else None
    if belief.paces and now - belief.paces[-1].latest <= FORGOTTEN:
        return belief
    return None


def _or_none(belief: Belief) -> Belief | None:
    return belief if belief.paces or belief.count else None
