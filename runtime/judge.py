"""Whether a worker is dead: it stands still although there is work, or has no part in its group."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from faust.types import TP

from runtime.group_status import GroupStatus


class Dead(NamedTuple):
    """A sentence of the catalogue, and what it is filled in with."""

    key: str
    facts: dict[str, object]


@dataclass(frozen=True)
class _Still:
    position: int | None
    seconds: float = 0.0


class Judge:
    """Adds up how long a worker has stood still, look by look; no clock of its own.

    What resets it: a position that moves, and any change of `signs` (the worker tried its store in vain
    again, or reads its states: it lives, and knows what it waits for). A partition that goes away in a
    rebalance and comes back at the same place has stood still all the while.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._signs: Hashable = None
        self._still: dict[TP, _Still] = {}
        self._outside = 0.0

    def begin_again(self) -> None:
        """Kafka did not answer: what was before says nothing about what comes."""
        self._still.clear()
        self._outside = 0.0

    def after(
        self, seconds: float, look: GroupStatus, positions: Mapping[TP, int | None], signs: Hashable
    ) -> Dead | None:
        """Judge, `seconds` after the look before.

        Args:
            positions: the next offset to apply in each partition that is this worker's; None where it is
                given to it and it has not begun.
        """
        if signs != self._signs:
            self._signs = signs
            self.begin_again()
        return self._of_partitions(seconds, look, positions) or self._of_group(seconds, look, positions)

    def _of_partitions(
        self, seconds: float, look: GroupStatus, positions: Mapping[TP, int | None]
    ) -> Dead | None:
        lagging = {
            tp: position
            for tp, position in positions.items()
            if position is None or look.ends.get(tp, 0) > position
        }
        if not look.member:  # a rebalance is under way, and what went may come back
            lagging |= dict.fromkeys(self._still.keys() - positions.keys())
        self._still = {tp: _after(self._still.get(tp), position, seconds) for tp, position in lagging.items()}
        for tp, still in self._still.items():
            if still.seconds >= self._limit_s:
                where = {"topic": tp.topic, "partition": tp.partition}
                stood = {"position": "?" if still.position is None else still.position}
                end = {"end": look.ends.get(tp, 0), "seconds": round(still.seconds)}
                return Dead("watchdog.still", {**where, **stood, **end})
        return None

    def _of_group(self, seconds: float, look: GroupStatus, positions: Mapping[TP, int | None]) -> Dead | None:
        # More workers than partitions: some have nothing to do, and are well.
        if look.member and (positions or not look.free):
            self._outside = 0.0
            return None
        self._outside += seconds
        if self._outside < self._limit_s:
            return None
        return Dead("watchdog.outside", {"free": len(look.free), "seconds": round(self._outside)})


def _after(before: _Still | None, position: int | None, seconds: float) -> _Still:
    if before is None:
        return _Still(position)
    if position is None or position == before.position:
        return _Still(before.position, before.seconds + seconds)
    return _Still(position)
