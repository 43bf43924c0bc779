"""What keeps rows from being written: said once, shown in health, and waited for ever longer."""

import asyncio

from runtime import metrics
from runtime.batches import BACK_OFF_S
from runtime.narrator import Narrator


class Outage:
    """What the sinks know together about PostgreSQL's absence, and about events that wait for a rebuild."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._waiting: dict[object, str] = {}
        self._held: dict[object, str] = {}
        self.waits = 0  # grows with every wait: who counts them lives

    @property
    def why(self) -> str | None:
        """What keeps rows from being written, None if nothing does."""
        return next(iter((*self._waiting.values(), *self._held.values())), None)

    async def wait(self, who: object, why: str, attempt: int) -> None:
        """Sleep as long as the attempt's number is worth."""
        metrics.POSTGRES_WAITS.inc()
        self.waits += 1
        if not self._waiting:
            self._narrator.say("runtime.waiting", why=why)
        self._waiting[who] = why
        await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])

    def over(self, who: object) -> None:
        """PostgreSQL took something, or nobody waits there any more."""
        if self._waiting.pop(who, None) is not None and not self._waiting:
            self._narrator.say("sinks.back")

    def hold(self, who: object, why: str) -> None:
        """Events wait until somebody does something."""
        self._held[who] = why

    def release(self, who: object) -> None:
        """They are applied, or are not ours any more."""
        self._held.pop(who, None)
