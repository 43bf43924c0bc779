"""Examines the end of the log for `linepulse doctor`: its owner, its time, and how much of it is void."""

from collections import Counter
from typing import NamedTuple

from bridge.kafka import AS_RECORDED, client_of, depth_of, last_records, log_consumer, run_of
from bridge.log_owner import LogOwner
from plant.log_clock import TrueTime
from runtime.partitions import Misplaced, misplaced
from runtime.settings import Settings
from schemas.instant import LATEST

UNAWARE_TICKS = 2
"""A bridge that checks its gaps writes at most one batch behind another's fence, with one tick in it."""


class Examined(NamedTuple):
    """The last records of all partitions."""

    received_at: int = 0  # highest record time, ms; 0: there are none
    run: int = 0
    client: str = ""
    void: int = 0  # records that readers skip
    unaware: tuple[int, str] | None = None  # run and client id of a bridge that went on writing such records
    misplaced: Misplaced | None = None


class Examination:
    """Goes through the last records, those of each partition in order, as readers do."""

    def __init__(self, true_time: TrueTime = AS_RECORDED) -> None:
        self._true_time = true_time
        self._received_at = self._void = 0
        self._owner = LogOwner()
        self._highest: Counter[int] = Counter()
        self._ticks: Counter[tuple[int, int, str]] = Counter()

    def take(self, partition: int, at: int, run: int, client: str, tick: bool) -> None:
        """Note a record."""
        if at <= LATEST:
            self._received_at = max(self._received_at, self._true_time.of(at, run))
        self._owner.take(partition, run, client)
        if 0 < run < self._highest[partition]:
            self._void += 1
            self._ticks[partition, run, client] += tick
        self._highest[partition] = max(self._highest[partition], run)

    @property
    def found(self) -> Examined:
        """The result."""
        unaware = max(
            ((run, client) for (_, run, client), ticks in self._ticks.items() if ticks >= UNAWARE_TICKS),
            default=None,
        )
        return Examined(self._received_at, self._owner.run, self._owner.client, self._void, unaware)


async def examine(settings: Settings, true_time: TrueTime = AS_RECORDED) -> Examined:
    """Read the last records of each partition.

    Raises:
        Unavailable: Kafka does not answer.
    """
    found, elsewhere = Examination(true_time), None
    async with log_consumer(settings) as (consumer, deadline):
        ends = await consumer.end_offsets(consumer.assignment())
        async for record in last_records(consumer, deadline, ends, depth_of(settings)):
            tick = record.key is None and not record.value
            found.take(record.partition, record.timestamp, run_of(record), client_of(record), tick)
            elsewhere = elsewhere or misplaced(record, settings.partitions)
    return found.found._replace(misplaced=elsewhere)
