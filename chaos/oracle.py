"""The sums that rows must have, by line: arithmetic on what was published, without any rule of the product.

The judge also compares rows with the fold, but that is the product's own code: a rule that is wrong there is
wrong in the fold, in the rows and in a rebuild alike. The sums here follow from the ledger alone: how many
pieces each message counted and when, and from when to when a line reported that it was stopped. The tape is
used only for how often a message is in the log.

It covers the built-in rules only: increments, days of Paris, no planned stops.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from chaos.ledger import Ledger, Sent
from chaos.lines import PARIS


class Applied(NamedTuple):
    """A message that is in the log so many times."""

    sent: Sent
    copies: int


@dataclass
class Output:
    """Pieces of a line by day. The day of some is certain, others may belong to any of several days."""

    total: int = 0
    certain: Counter[str] = field(default_factory=Counter)
    possible: Counter[str] = field(default_factory=Counter)

    def add(self, pieces: int, since: int, until: int) -> None:
        """Add pieces that count at some time between `since` and `until` (ms since 1970)."""
        self.total += pieces
        days = list(_days(min(since, until), until))
        (self.certain if len(days) == 1 else self.possible).update(dict.fromkeys(days, pieces))

    def bounds(self, day: str) -> tuple[int, int]:
        """The lowest and highest number of pieces of a day."""
        return self.certain[day], self.certain[day] + self.possible[day]


@dataclass
class StoppedTime:
    """How long a line was stopped: stops that ended, and since when it is stopped now; ms."""

    stops: int = 0
    ms: int = 0
    since: int | None = None
    heard: int = 0

    @classmethod
    def of(cls, messages: Iterable[Applied]) -> "StoppedTime":
        """Add up the messages of a line, in the order of their timestamps."""
        stopped = cls()
        for at, running in ((sent.at, sent.running) for sent, _ in messages):
            assert at is not None
            stopped.heard = at
            if running is False and stopped.since is None:
                stopped.since = at
            elif running and stopped.since is not None:
                stopped.stops += 1
                stopped.ms += at - stopped.since
                stopped.since = None
        return stopped

    def bounds(self, end: int) -> tuple[int, int]:
        """The lowest and highest stopped time (ms) in total, if the log ends at `end`."""
        if self.since is None:
            return self.ms, self.ms
        return self.ms + self.heard - self.since, self.ms + max(end, self.heard) - self.since


class LineSums(NamedTuple):
    """The sums that the rows of a line must have.

    `stopped` is None if some of its messages have no believed timestamp: then it depends on their arrival.
    """

    messages: Output  # each at its own time
    made: Output  # each since the one before it
    stopped: StoppedTime | None


def expected_sums(ledger: Ledger, applied: Mapping[int, int], end: int) -> dict[str, LineSums | None]:
    """The sums that the rows of each line must have; None if it depends on the rules which messages count.

    Args:
        ledger: what was published.
        applied: how often each number is in the log, as `Count.applied` says.
        end: when the log ended, ms since 1970: messages without timestamp arrived before.
    """
    lines: defaultdict[str, list[Applied]] = defaultdict(list)
    for n, sent in ledger.sent.items():
        if applied[n] and sent.kind in ("data", "status"):
            lines[sent.line].append(Applied(sent, applied[n]))
    return {line: _expected_sums_of(messages, end) for line, messages in lines.items()}


def _expected_sums_of(messages: list[Applied], end: int) -> LineSums | None:
    if any(sent.pieces is None for sent, _ in messages):
        return None
    timed = all(sent.at is not None for sent, _ in messages)
    messages.sort(key=_time)
    at_own_time, since_last = Output(), Output()
    for (_, before), (each, at) in pairwise(_times(messages)):
        pieces = (each.sent.pieces or 0) * each.copies
        until = at if each.sent.at is not None else end
        at_own_time.add(pieces, at, until)
        since_last.add(pieces, before, until)
    return LineSums(at_own_time, since_last, StoppedTime.of(messages) if timed else None)


def _times(messages: Sequence[Applied]) -> list[tuple[Applied, int]]:
    """Each with its time; the first one twice, because nothing was before it."""
    return [(each, _time(each)) for each in (*messages[:1], *messages)]


def _time(applied: Applied) -> int:
    return applied.sent.made if applied.sent.at is None else applied.sent.at


def _days(since: int, until: int) -> Iterable[str]:
    day, last = _day(since), _day(until)
    while day <= last:
        yield day.isoformat()
        day += timedelta(days=1)


def _day(ms: int) -> date:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(PARIS).date()
