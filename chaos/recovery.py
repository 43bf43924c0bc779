"""How long it took until the pipeline worked again, by kind of fault."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

MUST_S = 60.0
MOST_S = 20.0


@dataclass(frozen=True)
class Recovery:
    """A fault's end, and what came after.

    `seconds`: until probes of every partition had their rows without a pause; None: they had not when nobody
    waited any longer.
    """

    number: int
    kind: str
    target: str
    detail: str
    seconds: float | None

    @property
    def in_time(self) -> bool:
        """As it must be after any fault."""
        return self.seconds is not None and self.seconds <= MUST_S


@dataclass(frozen=True)
class Figures:
    """Recoveries together; seconds are None where one never came to an end."""

    count: int
    median_s: float | None
    longest_s: float | None
    share_within_20_s: float


def figures(recoveries: Iterable[Recovery]) -> Figures:
    """Their median, the longest, and the share within MOST_S."""
    seconds = [r.seconds if r.seconds is not None else float("inf") for r in recoveries]
    if not seconds:
        return Figures(0, None, None, 1.0)
    within = sum(s <= MOST_S for s in seconds) / len(seconds)
    return Figures(len(seconds), _known(median(seconds)), _known(max(seconds)), round(within, 3))


def by_kind(recoveries: Iterable[Recovery]) -> dict[str, Figures]:
    """The figures of each kind of fault, and of all."""
    recoveries = list(recoveries)
    kinds: defaultdict[str, list[Recovery]] = defaultdict(list)
    for recovery in recoveries:
        kinds[recovery.kind].append(recovery)
    return {**{kind: figures(kinds[kind]) for kind in sorted(kinds)}, "all": figures(recoveries)}


def _known(seconds: float) -> float | None:
    return None if seconds == float("inf") else round(seconds, 1)
