"""Checks that a derived topic is still the log that the rows came from: one made anew counts from 0 again."""

from collections.abc import Mapping, Sequence

from faust.types import TP

from runtime import metrics
from runtime.log_end import Applied, Logs
from runtime.narrator import Narrator
from schemas.errors import Unavailable
from sinks.cursors import Cursors
from sinks.decode import loss


class LogIdentity:
    """Returns positions as `Cursors` does, after checking the last applied record of each partition.

    If another record is in its place, the log is another one and is read from its start. Events in it of
    rows that exist already change nothing.
    """

    def __init__(self, cursors: Cursors, logs: Logs, narrator: Narrator) -> None:
        self._cursors = cursors
        self._logs = logs
        self._narrator = narrator

    async def positions(self, partitions: Sequence[TP]) -> Mapping[TP, int]:
        """The next offset to apply in each partition.

        Raises:
            Unavailable: PostgreSQL or Kafka does not answer now.
        """
        positions = await self._cursors.positions(partitions)
        times = await self._cursors.last_times(partitions)
        applied = {tp: Applied(positions[tp] - 1, times.get(tp)) for tp in partitions if positions[tp]}
        others = await self._logs.others(applied)
        for tp in others:
            await self._start_over(tp, positions[tp])
        return {tp: 0 if tp in others else position for tp, position in positions.items()}

    async def _start_over(self, tp: TP, position: int) -> None:
        letter = loss(tp, "log_lost", 0, position - 1, self._narrator.lang)
        if not await self._cursors.jump(tp, position, 0, letter):
            raise Unavailable(f"another worker moved the cursor of {tp.topic}[{tp.partition}]")
        metrics.LOGS_LOST.labels(tp.topic).inc()
        self._narrator.say("runtime.log_lost", topic=tp.topic, partition=tp.partition, last=position - 1)

    def lost(self, _tp: TP, position: int, begin: int) -> int:
        """All events that retention deleted from the cursor on; it moves with the next batch."""
        return begin - position
