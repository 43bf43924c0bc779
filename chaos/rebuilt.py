"""After a campaign the log is read again: what a rebuild would change, and may not."""

import asyncio
from collections.abc import Iterator

from aiokafka.partitioner import DefaultPartitioner

from linepulse.rebuild.run import Asked, Found, rebuild_tables
from runtime.kafka import rules_in_force
from runtime.settings import Settings

SHOWN = 10


async def differing(settings: Settings) -> list[str]:
    """A sentence for each line, day and table in which a rebuild gives other rows than there are.

    Where retention deleted a partition's beginning, what its lines were then is not known: they are left out.
    """
    plant = (await rules_in_force(settings)).plant
    found = await asyncio.to_thread(rebuild_tables, settings, Asked(plant, quiet=True))
    wrong = list(_wrong(found, settings.partitions))
    if len(wrong) > SHOWN:
        wrong = [*wrong[:SHOWN], f"a rebuild changes rows in {len(wrong) - SHOWN} more places"]
    return wrong


def _wrong(found: Found, partitions: int) -> Iterator[str]:
    place, every = DefaultPartitioner(), list(range(partitions))
    for (table, line, day), difference in found.comparison.places.items():
        # What can't be routed has no line: it depends on nothing that came before.
        if line and place(line.encode(), every, every) in found.seams:
            continue
        yield (
            f"a rebuild changes {difference.changed}, adds {difference.added} and removes"
            f" {difference.removed} rows of {table}, {line or 'no line'}, {day}"
        )
