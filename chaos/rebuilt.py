"""After a campaign the log is read again: what a rebuild would change, and may not."""

import asyncio
from collections.abc import Iterator

from aiokafka.partitioner import DefaultPartitioner

from chaos.tape import Tape
from rebuild.steps import RebuildRequest, RebuildResult, rebuild_tables
from runtime.kafka import rules_in_force
from runtime.settings import Settings

SHOWN = 10


async def differing(settings: Settings, tape: Tape) -> list[str]:
    """A sentence for each line, day and table in which a rebuild gives other rows than there are.

    Partitions of which retention took records are left out. Their log begins later now, and what their lines
    were then is not known; or it does not: Kafka writes down once a minute what it deleted, and one that is
    killed before comes back with records that the stream stage has never seen.
    """
    plant = (await rules_in_force(settings)).plant
    found = await asyncio.to_thread(rebuild_tables, settings, RebuildRequest(plant, quiet=True))
    whole = {number for number in tape.partitions if not tape.left_out(number)} - found.seams.keys()
    wrong = list(_wrong(found, whole, settings.partitions))
    if len(wrong) > SHOWN:
        wrong = [*wrong[:SHOWN], f"a rebuild changes rows in {len(wrong) - SHOWN} more places"]
    return wrong


def _wrong(found: RebuildResult, whole: set[int], partitions: int) -> Iterator[str]:
    place, every = DefaultPartitioner(), list(range(partitions))
    for (table, line, day), difference in found.comparison.places.items():
        if line and place(line.encode(), every, every) not in whole:
            continue
        # What can't be routed has no line and no past: at most it comes back.
        back = len(whole) < partitions and not difference.changed and not difference.removed
        if not line and back:
            continue
        yield (
            f"a rebuild changes {difference.changed}, adds {difference.added} and removes"
            f" {difference.removed} rows of {table}, {line or 'no line'}, {day}"
        )
