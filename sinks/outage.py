"""What keeps rows from being written: logged once, shown in health, and waited for at growing intervals."""

import asyncio

from runtime import metrics
from runtime.batches import BACK_OFF_S
from runtime.narrator import Narrator


class Outage:
    """Which writers wait for PostgreSQL, or hold events until a rebuild; shared by all writers."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._waiting: dict[object, str] = {}
        self._held: dict[object, str] = {}
        self.waits = 0  # grows with every wait: a sign of life for the watchdog

    @property
    def why(self) -> str | None:
        """What keeps rows from being written, None if nothing does."""
        return next(iter((*self._waiting.values(), *self._held.values())), None)

    async def wait(self, writer: object, why: str, attempt: int) -> None:
        """Sleep before the next attempt, longer after each one."""
        metrics.POSTGRES_WAITS.inc()
        self.waits += 1
        if not self._waiting:
            self._narrator.say("runtime.waiting", why=why)
        self._waiting[writer] = why
        await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])

    def over(self, writer: object) -> None:
        """PostgreSQL took the writer's rows, or the writer gave up the batch."""
        if self._waiting.pop(writer, None) is not None and not self._waiting:
            self._narrator.say("sinks.back")

    def hold(self, writer: object, why: str) -> None:
        """The writer's next events wait until a person acts."""
        self._held[writer] = why

    def release(self, writer: object) -> None:
        """These events are applied, or their partition is not ours any more."""
        self._held.pop(writer, None)
