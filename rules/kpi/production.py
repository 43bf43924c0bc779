"""When the pieces of the next data message may have been made: since the last one, except during stops.

A machine may stop and restart any number of times between two counts; a line remembers at most `MOST` such
intervals. If there are more, the two neighbours with the shortest common span are merged. The merged interval
has the weight of both and the place of the one in which the line ran (of two, the longer), so that its pieces
still count in running time, within the span of the two. Of so many neighbours, the shortest span is at most a
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
    """The share of the pieces made in [start, end): `weight` (ms) of all weights; `known`: the line ran."""

    start: int
    end: int
    known: bool
    weight: int


def longer(
    production: tuple[ProductionInterval, ...], start: int, end: int, known: bool
) -> tuple[ProductionInterval, ...]:
    """The intervals with [start, end), which follows all of them."""
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
    """How long (ms) the line ran in all; None if that is not known of every interval."""
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
    """One interval for two: preferably the one in which the line is known to have run."""
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
