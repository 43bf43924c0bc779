"""Whether the log is the one that the rows came from: a Kafka that was made anew counts from 0 again."""

from collections.abc import Mapping, Sequence

from faust.types import TP

from runtime.batches import WrongLog
from runtime.log_end import record_times
from sinks.cursors import Cursors


class SameLog:
    """Tells positions as `Cursors` does, after a look at the last applied record of each partition."""

    def __init__(self, cursors: Cursors, servers: str) -> None:
        self._cursors = cursors
        self._servers = servers
        self._seen: set[TP] = set()

    async def positions(self, partitions: Sequence[TP]) -> Mapping[TP, int]:
        """The next offset to apply in each partition.

        Raises:
            Unavailable: PostgreSQL or Kafka does not answer now.
            WrongLog: the last applied record is another one in this log.
        """
        positions = await self._cursors.positions(partitions)
        unseen = [tp for tp in partitions if tp not in self._seen]
        applied = await self._cursors.last_times(unseen)
        found = await record_times(self._servers, {tp: positions[tp] - 1 for tp in applied})
        for tp, time in found.items():
            if time != applied[tp]:
                where = f"{tp.topic}[{tp.partition}]: record {positions[tp] - 1}"
                raise WrongLog(
                    f"{where} is not the one that was applied: the log was made anew; "
                    "name the database that belongs to it (DATABASE_URL)"
                )
        self._seen.update(unseen)
        return positions
