"""After a campaign the log is rebuilt: it must not change a row."""

import asyncio
from collections.abc import Iterator

from aiokafka.partitioner import DefaultPartitioner

from chaos.tape import Tape
from rebuild.steps import RebuildRequest, RebuildResult, rebuild_tables
from runtime.kafka import rules_in_force
from runtime.settings import Settings

SHOWN = 10


async def differing(settings: Settings, tape: Tape) -> list[str]:
    """A sentence for each line, day and table in which a rebuild gives other rows than the live ones.

    Partitions in which retention deleted records are left out. Either their log begins later now, and the
    earlier state of their lines is not known; or the records are back: Kafka saves once a minute what it
    deleted, and if it is killed before, it starts with records that the stream stage has never seen.
    """
    plant = (await rules_in_force(settings)).plant
    found = await asyncio.to_thread(rebuild_tables, settings, RebuildRequest(plant, quiet=True))
    whole = {number for number in tape.partitions if not tape.left_out(number)} - found.seams.keys()
    wrong = list(_wrong(found, whole, settings.partitions))
    if len(wrong) > SHOWN:
        wrong = [*wrong[:SHOWN], f"a rebuild changes rows in {len(wrong) - SHOWN} more places"]
    return wrong


def _wrong(found: RebuildResult, whole: set[int], partitions: int) -> Iterator[str]:
    partition_of, every = DefaultPartitioner(), list(range(partitions))
    for (table, line, day), difference in found.comparison.places.items():
        if line and partition_of(line.encode(), every, every) not in whole:
            continue
        # Unroutable messages have no line and no state: at most, some of them are back.
        back = len(whole) < partitions and not difference.changed and not difference.removed
        if not line and back:
            continue
        yield (
            f"a rebuild changes {difference.changed}, adds {difference.added} and removes"
            f" {difference.removed} rows of {table}, {line or 'no line'}, {day}"
        )
