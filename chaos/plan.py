"""The plan of a campaign: which faults, when, for how long. The same seed gives the same plan.

Consecutive seeds go through the targets in turn: if a campaign has at least as many faults as there are
kinds, then `seeds_for_all_pairs(kinds)` consecutive seeds cover every pair of a kind and one of its targets.
CI takes its seed from the date, so a week covers all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

PAUSE_S = (0.5, 2.5)  # in addition to the 4 s for which it has worked
SOON = 0.2  # the share of faults that come while the pipeline is still recovering from the one before
SOON_S = (0.0, 3.0)
WHOLE_LOG = ("rebuild", "retention")  # what reads all of the log is drawn before what deletes some of it


class Drawable(Protocol):
    """What the plan needs to know about a kind of fault."""

    @property
    def targets(self) -> tuple[str, ...]: ...
    @property
    def lasts(self) -> tuple[float, float]: ...
    @property
    def weight(self) -> float: ...


@dataclass(frozen=True)
class Planned:
    """A planned fault.

    Attributes:
        soon: it begins before the pipeline has recovered from the fault before.
        pause_s: seconds before it begins.
        lasts_s: seconds from its begin to its end.
        seed: for everything else that is drawn.
    """

    number: int
    kind: str
    target: str
    soon: bool
    pause_s: float
    lasts_s: float
    seed: int

    @property
    def name(self) -> str:
        """Its kind and target."""
        return f"{self.kind} {self.target}".strip()

    def __str__(self) -> str:
        when = "while recovering, after" if self.soon else "after"
        lasts = f", for {self.lasts_s:.1f} s" if self.lasts_s else ""
        return f"{self.number:>3}  {self.name:<32} {when} {self.pause_s:.1f} s{lasts}"


def pairs(kinds: Mapping[str, Drawable]) -> set[tuple[str, str]]:
    """Every kind with each of its targets."""
    return {(kind, target) for kind, drawable in kinds.items() for target in drawable.targets}


def seeds_for_all_pairs(kinds: Mapping[str, Drawable]) -> int:
    """How many consecutive seeds it takes to cover every pair."""
    return max(len(drawable.targets) for drawable in kinds.values())


def draw_plan(seed: int, count: int, kinds: Mapping[str, Drawable]) -> list[Planned]:
    """Draw `count` faults: each kind at least once if they suffice, the targets of a kind in turn."""
    draw = Random(seed)
    # Kinds with the same targets start at different ones, so that a campaign does not break one link only.
    turns = {kind: seed + place for place, kind in enumerate(kinds)}
    planned = []
    for number, kind in enumerate(_kinds(draw, count, kinds), 1):
        targets = kinds[kind].targets
        target, turns[kind] = targets[turns[kind] % len(targets)], turns[kind] + 1
        soon = number > 1 and draw.random() < SOON
        pause = draw.uniform(*(SOON_S if soon else PAUSE_S))
        lasts = draw.uniform(*kinds[kind].lasts)
        planned.append(
            Planned(number, kind, target, soon, round(pause, 2), round(lasts, 2), draw.getrandbits(32))
        )
    return planned


def _kinds(draw: Random, count: int, kinds: Mapping[str, Drawable]) -> Sequence[str]:
    names = list(kinds)
    each = draw.sample(names, min(count, len(names)))
    more = draw.choices(names, [kinds[name].weight for name in names], k=count - len(each))
    chosen = [*each, *more]
    draw.shuffle(chosen)
    for place, kind in zip(
        [place for place, kind in enumerate(chosen) if kind in WHOLE_LOG],
        sorted((kind for kind in chosen if kind in WHOLE_LOG), key=WHOLE_LOG.index),
        strict=True,
    ):
        chosen[place] = kind
    return chosen
