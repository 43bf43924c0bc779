"""The seeded random processes that a simulated line is made of: drifting values, episodes, rare events.

They are exact for any step, so that a line looks the same whether it is advanced every 10 ms or every minute.
"""

import math
from random import Random


class Wander:
    """A value that drifts around zero and is drawn back to it (Ornstein-Uhlenbeck process).

    Args:
        spread: its standard deviation in the long run.
        memory_s: its time constant: seconds after which about a third of a deviation is left.
    """

    def __init__(self, rng: Random, spread: float, memory_s: float) -> None:
        self._rng = rng
        self._spread = spread
        self._memory_s = memory_s
        self.value = rng.gauss(0.0, spread)

    def after(self, seconds: float) -> float:
        """The value `seconds` later."""
        kept = math.exp(-seconds / self._memory_s)
        self.value = self.value * kept + self._rng.gauss(0.0, self._spread) * math.sqrt(1.0 - kept * kept)
        return self.value


class Episodes:
    """Spells that come now and then and last a while: defect bursts, slow spells.

    Args:
        every_s: mean seconds from the end of one to the start of the next.
        lasts_s: shortest and longest spell, in seconds.
        strength: weakest and strongest spell.
    """

    def __init__(
        self, rng: Random, every_s: float, lasts_s: tuple[float, float], strength: tuple[float, float]
    ) -> None:
        self._rng = rng
        self._every_s = every_s
        self._lasts_s = lasts_s
        self._strength = strength
        self._left = rng.expovariate(1.0 / every_s)
        self.now = 0.0

    def after(self, seconds: float) -> float:
        """The strength of the spell going on `seconds` later; 0 between spells."""
        self._left -= seconds
        while self._left <= 0.0:
            if self.now:
                self.now = 0.0
                self._left += self._rng.expovariate(1.0 / self._every_s)
            else:
                self.now = self._rng.uniform(*self._strength)
                self._left += self._rng.uniform(*self._lasts_s)
        return self.now


class Strikes:
    """Counts rare events against their accumulated hazard: defects among pieces."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._left = rng.expovariate(1.0)

    def among(self, pieces: int, probability: float) -> int:
        """How many of `pieces` have the event, never more than all."""
        self._left -= pieces * probability
        struck = 0
        while self._left <= 0.0 and struck < pieces:
            struck += 1
            self._left += self._rng.expovariate(1.0)
        return struck
