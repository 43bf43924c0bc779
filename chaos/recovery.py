"""How long it took until the pipeline worked again, by kind of fault.

Measured from the end of the fault (of a server: when it takes connections again) to the moment from which
probes of every partition have their rows, without a pause for 4 s. What is a pause depends on how long a
probe takes on this machine before anything is broken (`chaos/prober.py`). The figure includes the start of
whatever process the fault ended (the import of a role takes 1 to 3 s of CPU), the pause before it is started
again, and the session timeout of Kafka (6 s here) where a member of a group died.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

MUST_S = 60.0  # after any fault
MOST_S = 20.0  # 95 of 100 times
ENOUGH = 10  # recoveries: of fewer, p95 is little else than the longest


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
    p95_s: float | None
    longest_s: float | None
    share_within_20_s: float


def figures(recoveries: Iterable[Recovery]) -> Figures:
    """Their median, their p95, the longest, and the share within MOST_S."""
    seconds = [r.seconds if r.seconds is not None else float("inf") for r in recoveries]
    if not seconds:
        return Figures(0, None, None, None, 1.0)
    within = sum(s <= MOST_S for s in seconds) / len(seconds)
    return Figures(
        len(seconds), _known(median(seconds)), _known(p95(seconds)), _known(max(seconds)), round(within, 3)
    )


def p95(values: Sequence[float]) -> float:
    """The 95th percentile, between the two values around it by its distance to them.

    Of 18 values it is 0.85 of the second largest and 0.15 of the largest: one that is late by itself is
    borne, two are not.
    """
    ordered = sorted(values)
    place = 0.95 * (len(ordered) - 1)
    lower, part = int(place), place - int(place)
    return ordered[lower] if not part else ordered[lower] * (1 - part) + ordered[lower + 1] * part


def by_kind(recoveries: Iterable[Recovery]) -> dict[str, Figures]:
    """The figures of each kind of fault, and of all."""
    recoveries = list(recoveries)
    kinds: defaultdict[str, list[Recovery]] = defaultdict(list)
    for recovery in recoveries:
        kinds[recovery.kind].append(recovery)
    return {**{kind: figures(kinds[kind]) for kind in sorted(kinds)}, "all": figures(recoveries)}


def _known(seconds: float) -> float | None:
    return None if seconds == float("inf") else round(seconds, 1)
