"""Records the progress of all stages every few seconds: by it the page detects one that stands still.

It uses connections of its own and does not depend on the agents: progress is recorded also while no machine
sends anything and no rule makes a row.
"""

import asyncio
import logging
from typing import NamedTuple

from runtime.progress import Progress, progress
from runtime.settings import Settings
from runtime.sql import statement
from schemas.errors import Unavailable
from sinks.database import Database

EVERY_S = 5.0
log = logging.getLogger("sinks")


class Row(NamedTuple):
    """A stage's progress in a partition; `time` of its newest record in ms, `idle`: nothing is left to do."""

    stage: str
    partition: int
    position: int | None
    time: int | None
    idle: bool


class Stages:
    """Records the progress of the stages, as long as the sinks run."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.database_url)

    async def keep(self) -> None:
        """Record progress for ever. A server that is away is reported by the roles that need it."""
        try:
            while True:
                await asyncio.gather(self.note(), asyncio.sleep(EVERY_S))
        finally:
            await self._database.close()

    async def note(self) -> None:
        """Record progress once. That the sinks are alive is recorded also while Kafka does not answer."""
        try:
            generation = await self._generation()
            try:
                seen = await progress(self._settings, generation)
            except Unavailable:
                await self._write(rows(None))
            else:
                await self._write(rows(seen))
        except Unavailable:
            return  # PostgreSQL is away: the page detects that by itself
        except Exception:  # no reason to stop writing rows; the page reports that the sinks record nothing
            log.exception("the progress of the stages could not be recorded")

    async def _generation(self) -> int:
        async with self._database.transaction() as connection:
            row = await (await connection.execute(statement("generation.live"))).fetchone()
        return 0 if row is None else int(row[0])

    async def _write(self, noted: list[Row]) -> None:
        values = {
            "stages": [row.stage for row in noted],
            "partitions": [row.partition for row in noted],
            "positions": [row.position for row in noted],
            "times": [row.time for row in noted],
            "idle_stages": [row.stage for row in noted if row.idle],
            "idle_partitions": [row.partition for row in noted if row.idle],
        }
        async with self._database.transaction() as connection:
            await connection.execute(statement("stages.note"), values)
            await connection.commit()


def rows(seen: Progress | None) -> list[Row]:
    """The rows to record; `seen` None: Kafka did not answer."""
    noted = [Row("sinks", 0, None, None, True)]
    if seen is None:
        return noted
    noted.append(Row("kafka", 0, None, None, True))
    for partition, end in sorted(seen.ends.items()):
        noted.append(Row("bridge", partition, end, seen.times.get(partition), False))
        applied = seen.applied.get(partition)
        noted.append(Row("streams", partition, applied, None, seen.has_read_all(partition)))
    return noted
