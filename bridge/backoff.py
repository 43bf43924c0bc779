"""How long to wait before the next try: longer each time, with jitter to keep clients out of step."""

import random
from collections.abc import Callable

FIRST_S = 0.5
LONGEST_S = 30.0


class Backoff:
    """Doubles from FIRST_S to LONGEST_S; half of each wait is random."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._next = FIRST_S

    def wait_s(self) -> float:
        """Seconds to wait before the next try."""
        whole, self._next = self._next, min(self._next * 2, LONGEST_S)
        return whole * (0.5 + self._chance() / 2)

    def reset(self) -> None:
        """Begin again with short waits, because the last try succeeded."""
        self._next = FIRST_S
