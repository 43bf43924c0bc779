"""Events of a generation that is not live any more: ignored, counted, and reported if they do not end."""

import time
from collections.abc import Callable

from runtime import metrics
from runtime.narrator import Narrator

SWITCH_S = 30.0  # workers begin again with newer rules well within it


class Superseded:
    """Watches one topic. Older events for longer than a switch takes: the workers do not know of it."""

    def __init__(self, narrator: Narrator, clock: Callable[[], float] = time.monotonic) -> None:
        self._narrator = narrator
        self._clock = clock
        self._since: float | None = None
        self._told = False

    def note(self, topic: str, ignored: int, applied: int) -> None:
        """Of the events that were just looked at, how many were ignored, and how many were not."""
        metrics.SUPERSEDED.labels(topic).inc(ignored)
        if applied:
            self._since, self._told = None, False
        if not ignored:
            return
        now = self._clock()
        self._since = now if self._since is None else self._since
        if now - self._since >= SWITCH_S and not self._told:
            self._told = True
            self._narrator.say("sinks.superseded", topic=topic, seconds=round(now - self._since))
