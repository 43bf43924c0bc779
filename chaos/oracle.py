"""What rows must add up to, by line: arithmetic on what was published, without any rule of the product.

The judge also compares rows with the fold, but that is the product's own code: a rule that is wrong there is
wrong in the fold, in the rows and in a rebuild alike. What is here follows from the ledger alone: how many
pieces each message counted and when, and from when to when a line said that it stood. The tape tells only how
often a message is in the log.

It holds for the built-in rules as far as it goes: increments, days of Paris, no planned stops.
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
    """Pieces of a line by day. Of some it is certain; others are of any day from one to another."""

    total: int = 0
    certain: Counter[str] = field(default_factory=Counter)
    possible: Counter[str] = field(default_factory=Counter)

    def add(self, pieces: int, since: int, until: int) -> None:
        """Pieces that count at some time between two (ms since 1970)."""
        self.total += pieces
        days = list(_days(min(since, until), until))
        (self.certain if len(days) == 1 else self.possible).update(dict.fromkeys(days, pieces))

    def bounds(self, day: str) -> tuple[int, int]:
        """At least and at most how many are of a day."""
        return self.certain[day], self.certain[day] + self.possible[day]


@dataclass
class Stood:
    """How long a line stood: stops that ended, and since when it stands; ms."""

    stops: int = 0
    ms: int = 0
    since: int | None = None
    heard: int = 0

    @classmethod
    def of(cls, messages: Iterable[Applied]) -> "Stood":
        """What the messages of a line say, in the order of their timestamps."""
        stood = cls()
        for at, running in ((sent.at, sent.running) for sent, _ in messages):
            assert at is not None
            stood.heard = at
            if running is False and stood.since is None:
                stood.since = at
            elif running and stood.since is not None:
                stood.stops, stood.ms, stood.since = stood.stops + 1, stood.ms + at - stood.since, None
        return stood

    def bounds(self, end: int) -> tuple[int, int]:
        """At least and at most how long (ms) it stood in all, if the log ends at `end`."""
        if self.since is None:
            return self.ms, self.ms
        return self.ms + self.heard - self.since, self.ms + max(end, self.heard) - self.since


class OfLine(NamedTuple):
    """What the rows of a line must add up to.

    `stood` is None where some of its messages have no timestamp that counts: when these arrived decides.
    """

    messages: Output  # each at its own time
    made: Output  # each since the one before it
    stood: Stood | None


def of_lines(ledger: Ledger, applied: Mapping[int, int], end: int) -> dict[str, OfLine | None]:
    """What the rows of each line must add up to; None where rules say which messages count.

    Args:
        ledger: what was published.
        applied: how often each number is in the log, as `Count.applied` says.
        end: when the log ended, ms since 1970: what has no timestamp arrived before.
    """
    lines: defaultdict[str, list[Applied]] = defaultdict(list)
    for n, sent in ledger.sent.items():
        if applied[n] and sent.kind in ("data", "status"):
            lines[sent.line].append(Applied(sent, applied[n]))
    return {line: _of_line(messages, end) for line, messages in lines.items()}


def _of_line(messages: list[Applied], end: int) -> OfLine | None:
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
    return OfLine(at_own_time, since_last, Stood.of(messages) if timed else None)


def _times(messages: Sequence[Applied]) -> list[tuple[Applied, int]]:
    """Each with its time; the first one twice, for nothing came before it."""
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
