"""How long the pipeline took to work again, by kind of fault.

Measured from the end of the fault (for a server: when it accepts connections again) to the moment from which
probes of every partition have their rows, without a pause for 4 s. What counts as a pause depends on how long
a probe takes on this machine before anything is broken (`chaos/prober.py`). The figure includes the start of
processes that the fault ended (the import of a role takes 1 to 3 s of CPU), the delay before they are started
again, and, if a member of a group died, Kafka's session timeout (6 s here).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

MUST_S = 60.0  # after any fault
MOST_S = 20.0  # 95 of 100 times
ENOUGH = 10  # recoveries: of fewer, p95 is little more than the longest


@dataclass(frozen=True)
class Recovery:
    """The recovery from one fault.

    `seconds`: until probes of every partition had their rows without a pause; None: the campaign gave up
    waiting.
    """

    number: int
    kind: str
    target: str
    detail: str
    seconds: float | None

    @property
    def in_time(self) -> bool:
        """Whether it took MUST_S at most, as it must after any fault."""
        return self.seconds is not None and self.seconds <= MUST_S


@dataclass(frozen=True)
class Figures:
    """Figures of several recoveries; seconds are None (for ever) if too many never ended."""

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
    """The 95th percentile, interpolated linearly between the two nearest values.

    Of 18 values it is 0.85 of the second largest and 0.15 of the largest: a single late one is tolerated, two
    are not.
    """
    ordered = sorted(values)
    rank = 0.95 * (len(ordered) - 1)
    lower, part = int(rank), rank - int(rank)
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
