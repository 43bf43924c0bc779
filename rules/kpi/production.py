"""When the pieces of the next data message may have been made: the time since the last one, but for stops.

A machine may stop and run any number of times between two counts; a line remembers `MOST` intervals of it.
Where there are more, the two neighbours that lie in the shortest time become one. It weighs what both
weighed, and stands where the line ran (the longer of the two), so that its pieces count in running time
still, and of time no further away than the two reach. Of so many neighbours, the shortest two lie within a
twentieth of the time since the last count: no piece counts further than that from when it was made.

  ├──┤      ├────┤ ├─┤          ├────────┤       1, 2, 1 and 4 minutes
  ├──┤      ├────┤              ├────────┤       1, 3       and 4
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from msgspec.structs import replace

from schemas.frozen import Interval
from schemas.kpi_state import Others, ProductionInterval

MOST = 40


class Share(NamedTuple):
    """What of the pieces was made in [start, end): `weight` (ms) of all weights; `known`: the line ran."""

    start: int
    end: int
    known: bool
    weight: int


def longer(
    production: tuple[ProductionInterval, ...], start: int, end: int, known: bool
) -> tuple[ProductionInterval, ...]:
    """With the interval [start, end), which follows on all of them."""
    if start >= end:
        return production
    if production and production[-1].end == start and production[-1].known == known:
        last = production[-1]
        others = last.others
        if others is not None:
            others = replace(others, until=end)
        return (*production[:-1], replace(last, end=end, others=others))
    production = (*production, ProductionInterval(start, end, known))
    return production if len(production) <= MOST else _fewer(production)


def span(production: tuple[ProductionInterval, ...]) -> Interval:
    """From the beginning of the first to the end of the last."""
    return _reach(production[0])[0], _reach(production[-1])[1]


def shares(production: Iterable[ProductionInterval]) -> Iterator[Share]:
    """Where pieces were made, in order, and how many of them."""
    for part in production:
        for known in (True, False):
            weight = _weight(part, known)
            if weight:
                yield Share(part.start, part.end, known, weight)


def ran(production: Iterable[ProductionInterval]) -> int | None:
    """How long (ms) the line ran in all; None if nobody knows that of some of it."""
    made = 0
    for part in production:
        if _weight(part, False):
            return None
        made += _weight(part, True)
    return made


def _fewer(production: tuple[ProductionInterval, ...]) -> tuple[ProductionInterval, ...]:
    spans = [_reach(after)[1] - _reach(part)[0] for part, after in pairwise(production)]
    at = spans.index(min(spans))
    return (*production[:at], _both(production[at], production[at + 1]), *production[at + 2 :])


def _both(one: ProductionInterval, other: ProductionInterval) -> ProductionInterval:
    """One that stands for two: where the line is known to have run, rather than where nobody knows."""
    place = max(one, other, key=lambda part: (part.known, part.end - part.start))
    gone = other if place is one else one
    others = place.others or Others(0, 0, 0, 0)
    return replace(
        place,
        others=Others(
            since=_reach(one)[0],
            until=_reach(other)[1],
            ran=others.ran + _weight(gone, True),
            unknown=others.unknown + _weight(gone, False),
        ),
    )


def _reach(part: ProductionInterval) -> Interval:
    return (part.start, part.end) if part.others is None else (part.others.since, part.others.until)


def _weight(part: ProductionInterval, known: bool) -> int:
    own = part.end - part.start if part.known == known else 0
    if part.others is None:
        return own
    return own + (part.others.ran if known else part.others.unknown)
