"""Faust's consumer, with a fetched batch as one message.

All that a fetch returns counts as read. So no record may be dropped here unless a seek follows: without one,
the loss shows only when later records arrive, and a recovery waits for its last records for ever.
"""

import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

if TYPE_CHECKING:
    from runtime.batches import Stage

# Waiting for records leaves out partitions whose stream buffer is full, also when the buffer drains during
# the wait. With Faust's 1 s such a worker was idle for most of that time. Where no buffer is full, waiting
# longer costs less.
RECORDS_WAIT_S = 0.05
QUIET_WAIT_S = 0.5
# One fetch at a time is under way, for the partitions whose records are used up. While it waits for quiet
# partitions, the others run out of records and are not fetched: for 1.5 s, with Faust's default.
FETCH_WAIT_MS = 200
PAUSE = 2  # times that records gather for, without a record: the next one is not to wait
FULL_BYTES = 256 * 1024  # with so much to bring, a fetch waits for no more


class Fetched(NamedTuple):
    """The records that a fetch returned for a partition, and how many seeks were done there before it."""

    records: list[ConsumerRecord]
    seeks: int


class PromptThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's Kafka client, with short waits for records.

    It counts seeks in the thread that fetches: the stage can learn that a seek is done after the first
    records from the new offset arrive. It would take these for earlier ones and drop them, and they would not
    come again.
    """

    _fetched_at = 0.0

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # Faust has no setting for it
        return consumer

    async def _seek_wait(self, consumer: Any, partitions: Mapping[TP, int]) -> None:
        # Faust seeks before it waits for anything: no fetch ends in between.
        self.consumer.stage.seeks.update(partitions.keys())
        await super()._seek_wait(consumer, partitions)

    async def _fetch_records(self, consumer: Any, *args: Any, **kwargs: Any) -> dict[TP, Fetched]:
        fetched = await super()._fetch_records(consumer, *args, **kwargs)
        self._let_gather(consumer._fetcher, some=bool(fetched))
        wanted: dict[TP, Fetched] = {}
        for tp, records in fetched.items():
            if self.consumer.wants(tp):
                wanted[tp] = Fetched(records, self.consumer.stage.seeks[tp])
            else:
                # A fetch that is under way at a rebalance returns after it, with what was requested since:
                # such as records of a changelog to which Faust's recovery has sought, and which is paused.
                consumer.seek(tp, records[0].offset)
        return wanted

    def _let_gather(self, fetcher: Any, *, some: bool) -> None:
        """Have Kafka answer the next fetches when their time is over; after a pause, with the first record.

        A batch costs as much as dozens of records. If we waited instead, what arrives meanwhile would be left
        to the fetch after it.
        """
        gather_ms, now = self.consumer.stage.gather_ms, time.monotonic()
        if some:
            self._fetched_at = now
        gathers = (now - self._fetched_at) * 1000 <= PAUSE * gather_ms
        fetcher._fetch_max_wait_ms = gather_ms if gathers else FETCH_WAIT_MS
        fetcher._fetch_min_bytes = FULL_BYTES if gathers else 1


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer; all records that a fetch returned for a source partition are one message."""

    stage: "Stage"
    _recovered: int | None = None  # the generation of the group whose positions are to be located

    def _new_consumer_thread(self) -> PromptThread:
        return PromptThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(
        self,
        timeout: float,  # noqa: ASYNC109 - Faust's signature
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        if self.flow_active and not self._active_partitions:
            await self.sleep(RECORDS_WAIT_S)  # all buffers are full: Faust would sleep for 1 s
            return
        wait_s = RECORDS_WAIT_S if self._buffered_partitions else QUIET_WAIT_S
        fetched, _ = await self._wait_next_records(min(timeout, wait_s))
        generation = self.app.consumer_generation_id
        if fetched is None or self.should_stop:
            return
        # If a rebalance begins now, its seeks bring back the records that are dropped here. Faust would seek
        # here, in the middle of a recovery, when the table does not hold all states yet.
        for tp, (records, seeks) in fetched.items():
            if tp.topic in self.stage.sources:
                messages = [self._batch(tp, records, seeks, generation)]
                # Faust would drop what it takes for read already; only the stage decides that.
                self._read_offset[tp] = None
            else:  # a changelog, as Faust wants it
                messages = [self._to_message(tp, record) for record in records]
            for message in messages:
                if not self.wants(tp) or generation != self.app.consumer_generation_id:
                    break
                yield tp, message

    def wants(self, tp: TP) -> bool:
        """Whether records of a partition that are fetched now are to be handed over."""
        return self.flow_active and (tp in self._active_partitions or tp in self._buffered_partitions)

    def _batch(self, tp: TP, records: list[ConsumerRecord], seeks: int, generation: int) -> ConsumerMessage:
        last = records[-1]
        message = ConsumerMessage(
            last.topic,
            last.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            [],
            None,
            b"",
            None,
            0,
            0,
            tp,
            generation_id=generation,
        )
        message.records = records
        message.seeks = seeks
        return message

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The ends of partitions; of a changelog, at least the offset after what was read of it.

        With a broker that lists offsets by batch (the embedded one does), Faust would take its changelog for
        another one after a rebalance, and end the worker.
        """
        listed = await super().highwaters(*partitions)
        read = self.app.tables.recovery.active_offsets
        return {
            tp: end if read.get(tp) is None else max(end or 0, read[tp] + 1) for tp, end in listed.items()
        }

    async def perform_seek(self) -> None:
        # Only note that it is due: when Faust resumes the flow, just after this, it empties the agents'
        # queues. Records fetched since the seek would be lost, and only a later record would show it.
        self._recovered = self.app.consumer_generation_id

    def resume_flow(self) -> None:
        super().resume_flow()
        recovered, self._recovered = self._recovered, None
        if recovered == self.app.consumer_generation_id:
            self.stage.locate()

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in self.stage.sources:
            return super()._new_offset(tp)  # type: ignore[no-any-return]
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.stage.committable(tp)
