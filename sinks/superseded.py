"""Events of a generation that is no longer live: ignored, counted, and reported if they keep coming."""

import time
from collections.abc import Callable

from runtime import metrics
from runtime.narrator import Narrator

SWITCH_S = 30.0  # workers take much less to restart with newer rules


class Superseded:
    """Watches one topic. Superseded events for longer than SWITCH_S: the workers missed the new rules."""

    def __init__(self, narrator: Narrator, clock: Callable[[], float] = time.monotonic) -> None:
        self._narrator = narrator
        self._clock = clock
        self._since: float | None = None
        self._reported = False

    def note(self, topic: str, ignored: int, applied: int) -> None:
        """Count the events of a batch that were ignored, and those that were applied."""
        metrics.SUPERSEDED.labels(topic).inc(ignored)
        if applied:
            self._since, self._reported = None, False
        if not ignored:
            return
        now = self._clock()
        self._since = now if self._since is None else self._since
        if now - self._since >= SWITCH_S and not self._reported:
            self._reported = True
            self._narrator.say("sinks.superseded", topic=topic, seconds=round(now - self._since))
