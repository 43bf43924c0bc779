"""Detects that a worker is stalled: it applies nothing although there is work, or is not in its group."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from faust.types import TP

from runtime.group_status import GroupStatus


class Stalled(NamedTuple):
    """Why a worker is taken for dead: a sentence of the catalogue, and the values of its blanks."""

    key: str
    facts: dict[str, object]


@dataclass(frozen=True)
class _Still:
    position: int | None
    seconds: float = 0.0


class StallDetector:
    """Adds up for how long a worker has not moved, from one status to the next; it has no clock of its own.

    It is reset by a position that moves, and by any change of `signs` (the worker tried its store again
    without success, or restores its states: it is alive and waits for something known). A partition that is
    revoked in a rebalance and assigned again at the same position counts as not moved all that time.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._signs: Hashable = None
        self._still: dict[TP, _Still] = {}
        self._outside = 0.0

    def reset(self) -> None:
        """Start counting again: Kafka did not answer, so what was counted before is not conclusive."""
        self._still.clear()
        self._outside = 0.0

    def after(
        self, seconds: float, status: GroupStatus, positions: Mapping[TP, int | None], signs: Hashable
    ) -> Stalled | None:
        """Add a status, `seconds` after the one before; return why the worker is stalled, if it is.

        Args:
            positions: the next offset to apply in each partition that is this worker's; None if it is
                assigned to it and it has not begun.
        """
        if signs != self._signs:
            self._signs = signs
            self.reset()
        return self._of_partitions(seconds, status, positions) or self._of_group(seconds, status, positions)

    def _of_partitions(
        self, seconds: float, status: GroupStatus, positions: Mapping[TP, int | None]
    ) -> Stalled | None:
        lagging = {
            tp: position
            for tp, position in positions.items()
            if position is None or status.ends.get(tp, 0) > position
        }
        if not status.member:  # during a rebalance, a revoked partition may be assigned again
            lagging |= dict.fromkeys(self._still.keys() - positions.keys())
        self._still = {tp: _after(self._still.get(tp), position, seconds) for tp, position in lagging.items()}
        for tp, still in self._still.items():
            if still.seconds >= self._limit_s:
                where = {"topic": tp.topic, "partition": tp.partition}
                stood = {"position": "?" if still.position is None else still.position}
                end = {"end": status.ends.get(tp, 0), "seconds": round(still.seconds)}
                return Stalled("watchdog.still", {**where, **stood, **end})
        return None

    def _of_group(
        self, seconds: float, status: GroupStatus, positions: Mapping[TP, int | None]
    ) -> Stalled | None:
        # With more workers than partitions, some have nothing to do; that is no fault.
        if status.member and (positions or not status.free):
            self._outside = 0.0
            return None
        self._outside += seconds
        if self._outside < self._limit_s:
            return None
        return Stalled("watchdog.outside", {"free": len(status.free), "seconds": round(self._outside)})


def _after(before: _Still | None, position: int | None, seconds: float) -> _Still:
    if before is None:
        return _Still(position)
    if position is None or position == before.position:
        return _Still(before.position, before.seconds + seconds)
    return _Still(position)
