"""Applies a partition's records to its lines, and writes the rows to the shadow tables."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from plant.rules import Rules, read_plant
from rebuild.checkpoint import Checkpoint
from rebuild.ends import Extent
from rebuild.latest import LatestUpdates, formed_row
from rebuild.reader import RawLog, raw_log
from rebuild.writer import Writer
from rules.partition import PARTITION, Lines
from runtime.settings import Settings
from sinks.tables import TABLE_OF, TABLES, Table
from streams.agent import changes
from streams.failures import report

CHECKPOINT_S = 5.0
UNCHANGING = {table.event for table in TABLES if not table.versioned}
MOST_CHANGED = 20_000  # rows whose updates are held between two checkpoints


@dataclass(frozen=True)
class Job:
    """The generation to be made: its rules, and the schema of its tables."""

    settings: Settings
    generation: int
    plant_text: str
    schema: str

    @cached_property
    def rules(self) -> Rules:
        """Its rules."""
        return Rules(self.generation, read_plant(self.plant_text))


async def apply_partitions(
    job: Job, extents: Mapping[int, Extent], on_applied: Callable[[int], None]
) -> None:
    """Bring the shadow tables up to the ends of partitions, one after the other, in this process.

    Args:
        on_applied: called with the number of records of each batch applied.
    Raises:
        Unavailable: Kafka or PostgreSQL went away.
    """
    async with raw_log(job.settings) as log, Writer(job.settings.database_url, job.schema) as writer:
        for partition, extent in extents.items():
            await apply_partition(job, log, writer, partition, extent, on_applied)


async def apply_partition(
    job: Job,
    log: RawLog,
    writer: Writer,
    partition: int,
    extent: Extent,
    on_applied: Callable[[int], None],
) -> None:
    """Bring the shadow tables' rows of a partition up to the end of its extent.

    It continues from the partition's checkpoint, or begins where the extent does.
    """
    found = await writer.acquire(partition)
    topic, rules = job.settings.topics.raw, job.rules
    at = found or Checkpoint(partition, extent.begin, None, extent.begin, 0)
    lines = Lines(rules, topic, partition, at.states, failed=report)
    lines.next_offset = at.next_offset
    latest = LatestUpdates(lines.states[PARTITION].received_at if found else None)
    begin, begin_time, last_time, saved = at.begin, at.begin_time, at.last_time, time.monotonic()

    async def commit() -> None:
        formed = latest.take(lines)
        await writer.commit(formed, Checkpoint.of(lines, partition, begin, begin_time, last_time))

    async for records in log.records(partition, at.next_offset, extent.end, fresh=found is None):
        rows: defaultdict[Table, list[str]] = defaultdict(list)
        for record in records:
            for change in changes(lines, record):
                if change.kind not in UNCHANGING:
                    latest.put(change, record)
                else:
                    event, line = formed_row(lines, change, record)
                    rows[TABLE_OF[type(event)]].append(line)
            if begin_time is None:
                begin, begin_time = record.offset, record.timestamp
            last_time = record.timestamp
            if len(latest) >= MOST_CHANGED:  # a record that ends a long silence changes thousands of rows
                await writer.put(rows)
                rows = defaultdict(list)
                saved = time.monotonic()
                await commit()
        await writer.put(rows)
        on_applied(len(records))
        if time.monotonic() - saved >= CHECKPOINT_S:
            saved = time.monotonic()
            await commit()
    lines.next_offset = max(lines.next_offset, extent.end)
    await commit()
    await writer.release(partition)
