"""How far a rebuild reads: where each partition of the raw log begins and ends, asked once."""

from typing import NamedTuple

from aiokafka import TopicPartition

from runtime.log_end import Logs
from runtime.settings import Settings


class Extent(NamedTuple):
    """The records [begin, end) of a partition."""

    begin: int
    end: int


async def extents(settings: Settings) -> dict[int, Extent]:
    """What the raw log holds now, by partition; later records lie at or beyond these ends.

    Raises:
        Unavailable: Kafka does not answer.
    """
    logs = Logs(settings.kafka_bootstrap_servers)
    partitions = [TopicPartition(settings.topics.raw, number) for number in range(settings.partitions)]
    # The beginnings first: an end can only be higher by then, whatever expires in between.
    begins, ends = await logs.begins(partitions), await logs.ends(partitions)
    return {tp.partition: Extent(min(begins[tp], ends[tp]), ends[tp]) for tp in partitions}
