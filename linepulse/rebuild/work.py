"""A partition's records, applied to its lines, into the shadow tables."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable

from linepulse.rebuild.checkpoint import Checkpoint, read_checkpoints
from linepulse.rebuild.ends import Extent
from linepulse.rebuild.latest import Latest
from linepulse.rebuild.reader import RawLog
from linepulse.rebuild.rows import TABLE_OF, line_of
from linepulse.rebuild.writer import Writer
from runtime.settings import Settings
from schemas.plant import Rules
from sinks.tables import Table
from streams.agent import changes
from streams.partition import PARTITION, Lines

CHECKPOINT_S = 5.0
MOST_CHANGED = 20_000  # rows that are remembered between two checkpoints


async def apply_partition(
    log: RawLog,
    writer: Writer,
    rules: Rules,
    settings: Settings,
    partition: int,
    extent: Extent,
    schema: str,
    tell: Callable[[int], None],
) -> None:
    """Bring the shadow tables' part of a partition up to the end of its extent.

    It goes on from the partition's checkpoint, or begins where the extent does.

    Args:
        tell: hears how many records were applied, again and again.
    """
    found = (await asyncio.to_thread(_checkpoint, writer, schema)).get(partition)
    topic = settings.topics.raw
    at = found or Checkpoint(partition, extent.begin, None, extent.begin, 0)
    lines = Lines(rules, topic, partition, at.states)
    lines.next_offset = at.next_offset
    latest = Latest(lines.states[PARTITION].received_at if found else None)
    begin, begin_time, last_time, saved = at.begin, at.begin_time, at.last_time, time.monotonic()
    async for records in log.records(partition, at.next_offset, extent.end, fresh=found is None):
        rows: defaultdict[Table, list[str]] = defaultdict(list)
        for record in records:
            for change in changes(lines, record):
                table = TABLE_OF.get(change.kind)
                if table is None or table.versioned:
                    latest.put(change)
                else:
                    rows[table].append(line_of(change.form()))
        if begin_time is None:
            begin, begin_time = records[0].offset, records[0].timestamp
        last_time = records[-1].timestamp
        await writer.put(rows)
        tell(len(records))
        if time.monotonic() - saved >= CHECKPOINT_S or len(latest) >= MOST_CHANGED:
            saved = time.monotonic()
            formed = latest.take(lines.states[PARTITION].received_at)
            await writer.settle(formed, Checkpoint.of(lines, partition, begin, begin_time, last_time))
    lines.next_offset = max(lines.next_offset, extent.end)
    formed = latest.take(lines.states[PARTITION].received_at)
    await writer.settle(formed, Checkpoint.of(lines, partition, begin, begin_time, last_time))
    await writer.done()


def _checkpoint(writer: Writer, schema: str) -> dict[int, Checkpoint]:
    checkpoints = read_checkpoints(writer.connection, schema)
    writer.connection.commit()
    return checkpoints
