"""What Faust does not do by itself: exact progress, and a fetched batch as one event.

Faust alone loses and doubles records: it trusts the group's committed offset, goes on with records fetched
before a rebalance, lets a batch that began before a rebalance write after it, and spends 200 µs on each
event. Here a stage's own store says how far the stage has come (`Store`), every batch of a source partition
must begin exactly there (`Stage.batches`), and a batch begun under another assignment writes nothing
(`Stage.holds`).

Use:
    stage = Stage(app, sources, store, narrator)

    async def apply(batch):
        effect = decide(batch.records)
        ...                          # outputs durable first
        if stage.holds(batch):       # still ours: write the effect together with batch.next_offset
            ...
            stage.advance(batch)

    @app.agent(topic)
    async def agent(stream):
        await stage.each(stream, apply)
"""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import faust
from aiokafka import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from runtime import metrics
from runtime.fetching import BatchConsumer
from runtime.narrator import Narrator
from schemas.errors import Unavailable

QUIESCE_S = 4.0
BACK_OFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class Store(Protocol):
    """The store that holds a stage's effect, and with it how far the stage has come."""

    async def positions(self, partitions: Sequence[TP]) -> Mapping[TP, int]:
        """The next offset to apply in each partition.

        0 (the start of the log) if the store holds nothing, or if the log is not the one that was applied:
        the store reports this, and is ready to begin with the present log.

        Raises:
            Unavailable: the store does not answer now.
        """
        ...

    def lost(self, tp: TP, /, position: int, begin: int) -> int:
        """How many of the records from `position` up to `begin`, which are deleted, were never applied."""
        ...


@dataclass(frozen=True)
class Batch:
    """Records of one partition, contiguous, the first of them the next to apply."""

    tp: TP
    records: Sequence[ConsumerRecord]
    epoch: int

    @property
    def next_offset(self) -> int:
        """The next offset to apply once this batch is applied."""
        return int(self.records[-1].offset) + 1


class Stage:
    """A worker's position in each partition that it owns, and the batches that continue from there."""

    def __init__(
        self,
        app: faust.App,
        sources: Iterable[str],
        store: Store,
        narrator: Narrator,
        gather_ms: int = 0,
    ) -> None:
        """`gather_ms`: for so long Kafka gathers records for a fetch; 0: it answers with the first."""
        self.app = app
        self.sources = frozenset(sources)
        self.gather_ms = gather_ms
        self.epoch = 0
        self.waits = 0  # how often a server was found away: a worker that still counts is alive
        self._store = store
        self._narrator = narrator
        self._expected: dict[TP, int] = {}  # the only offset that may be applied next
        self.seeks: Counter[TP] = Counter()  # done; what was fetched before the last one is fetched again
        self._awaited: Counter[TP] = Counter()  # seeks that must be done before a batch is accepted
        self._locks: defaultdict[TP, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._locating: asyncio.Task[None] | None = None
        self._asking = asyncio.Lock()  # one question to the store at a time
        self._ending = False
        app.transport.Consumer = type("StageConsumer", (BatchConsumer,), {"stage": self})
        # A rebalance begins: recovery may take a while, and nothing may be written meanwhile.
        app.on_partitions_revoked.connect(self._forget, weak=False)

    async def each(self, stream: faust.StreamT[Any], apply: Callable[[Batch], Awaitable[None]]) -> None:
        """Apply batch after batch; an exception in `apply` ends the process, and the batch is not acked.

        Faust would count the failed event of an agent as done, and go on.
        """
        try:
            async with contextlib.aclosing(self.batches(stream)) as batches:
                async for batch in batches:
                    await apply(batch)
        except Exception as error:
            await self.app.crash(error)
            raise

    async def batches(self, stream: faust.StreamT[Any]) -> AsyncGenerator[Batch, None]:
        """Yield the batches to apply next; skip what was applied; seek back if Faust left records out."""
        async for event in stream.noack().events():
            message = event.message
            # An agent with several actors works on several partitions at once, but never twice on the same.
            async with self._locks[message.tp]:
                if self._comes_once(message) and not self._ending:
                    batch = await self._next(message.tp, message.records)
                    if batch is not None:
                        yield batch
            # Only a hint, so that Kafka's own tools can show the lag.
            event.ack()

    def _comes_once(self, message: Any) -> bool:
        # What was fetched before a seek is fetched again after it, and would look like a log made anew.
        return bool(message.seeks == self.seeks[message.tp] >= self._awaited[message.tp])

    async def _next(self, tp: TP, records: Sequence[ConsumerRecord]) -> Batch | None:
        expected, epoch = self._expected.get(tp), self.epoch
        if expected is None:
            return None  # not ours any more, or not located yet: it will be fetched again
        first = records[0].offset
        if first > expected:
            # Faust went on with records fetched before a seek, or retention overtook us.
            await self._go_back(tp, expected)
            return None
        if first < expected:
            # It seems to be applied already; but a log that was made anew also counts from 0.
            metrics.SKIPPED.labels(tp.topic).inc(len(records))
            await self._seek_to_positions([tp], epoch)
            return None
        return Batch(tp, records, epoch)

    def holds(self, batch: Batch) -> bool:
        """Whether the batch's partition is still ours, at the position at which the batch began."""
        return batch.epoch == self.epoch and self._expected.get(batch.tp) == batch.records[0].offset

    def advance(self, batch: Batch) -> None:
        """Move the position: the batch is applied, its effect and its position are in the store."""
        self._expected[batch.tp] = batch.next_offset
        metrics.APPLIED.labels(batch.tp.topic).inc(len(batch.records))
        self._show(batch.tp, self.app.consumer.highwater(batch.tp) or 0)

    async def relocate(self, tp: TP, position: int) -> None:
        """Continue from a position that the store returned (another worker had moved it)."""
        if tp in self._expected:
            self._expected[tp] = position
            await self._seek(tp, position)

    def position(self, tp: TP) -> int | None:
        """The next offset to apply; None if the partition is not ours or not located yet."""
        return self._expected.get(tp)

    def show_lag(self, ends: Mapping[TP, int]) -> None:
        """Update the lag metrics of the partitions, also while nothing is applied."""
        for tp in self._expected:
            self._show(tp, ends.get(tp, 0))

    async def look_again(self, tp: TP) -> None:
        """Ask the store for a partition's position again, because its log may have been made anew."""
        async with self._locks[tp]:
            if tp in self._expected:
                await self._seek_to_positions([tp], self.epoch)

    async def start_again(self, batch: Batch) -> None:
        """Ask the store for the position of the batch's partition again; the batch is not applied."""
        if self.holds(batch):
            await self._seek_to_positions([batch.tp], batch.epoch)

    async def quiesce(self) -> dict[TP, int]:
        """Wait for the batches in hand, for QUIESCE_S at most, and begin no other.

        Returns:
            The positions of those of our partitions on which no batch is in hand any more.
        """
        self._ending = True
        positions: dict[TP, int] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUIESCE_S):
                for tp in list(self._expected):
                    async with self._locks[tp]:
                        if tp in self._expected:
                            positions[tp] = self._expected[tp]
        return positions

    def not_ready(self) -> str | None:
        """Why the stage does not work at present; None if it does."""
        if self.app.rebalancing or not self.app.tables.recovery.completed.is_set():
            return "waiting for Kafka to assign partitions"
        if self._locating is not None and not self._locating.done():
            return "waiting for the store's positions"
        return None

    def waiting(self, why: str, attempt: int) -> None:
        """Count a wait for a server; report it to people at the first attempt."""
        self.waits += 1
        if attempt == 0:
            self._narrator.say("runtime.waiting", why=why)

    # -- called by the consumer

    def locate(self) -> None:
        """After recovery: continue at the store's positions. Until these are known every batch is dropped."""
        self._abandon()
        partitions = [tp for tp in self.app.consumer.assignment() if tp.topic in self.sources]
        self._locating = asyncio.create_task(self._locate(partitions, self.epoch))

    def committable(self, tp: TP) -> int | None:
        """The offset to commit to the group, for Kafka's own tools."""
        return self._expected.get(tp)

    async def _locate(self, partitions: Sequence[TP], epoch: int) -> None:
        try:
            await self._seek_to_positions(partitions, epoch)
        except asyncio.CancelledError:
            # If the epoch is the same, we did not cancel it: aiokafka leaks its own cancellation when stopped
            # early.
            if epoch == self.epoch and not self.app.should_stop:
                await self.app.crash(RuntimeError("cancelled while asking the store for positions"))
            raise
        except Exception as error:
            await self.app.crash(error)  # ends the process; started again, it continues from its store

    async def _seek_to_positions(self, partitions: Sequence[TP], epoch: int) -> None:
        # A store begins with the positions that it returns, so answers must not overtake each other at a
        # rebalance.
        async with self._asking:
            positions = await self._positions(partitions, epoch)
            if epoch != self.epoch:
                return
            begins = await self.app.consumer.earliest_offsets(*partitions)
            for tp in partitions:
                if epoch != self.epoch:
                    return
                start = self._skip_deleted(tp, positions.get(tp, 0), begins[tp] or 0)
                self._expected[tp] = start
                await self._seek(tp, start)

    async def _positions(self, partitions: Sequence[TP], epoch: int) -> Mapping[TP, int]:
        attempt = 0
        while epoch == self.epoch:
            try:
                return await self._store.positions(partitions)
            except Unavailable as why:
                self.waiting(str(why), attempt)
                await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])
                attempt += 1
        return {}

    async def _go_back(self, tp: TP, expected: int) -> None:
        begins = await self.app.consumer.earliest_offsets(tp)
        if self._expected.get(tp) != expected:
            return
        start = self._skip_deleted(tp, expected, begins[tp] or 0)
        self._expected[tp] = start
        metrics.SEEKS.labels(tp.topic).inc()
        await self._seek(tp, start)

    def _skip_deleted(self, tp: TP, position: int, begin: int) -> int:
        if position == 0 or begin <= position:
            return max(position, begin)
        if lost := self._store.lost(tp, position, begin):
            metrics.LOST.labels(tp.topic).inc(lost)
            self._narrator.say(
                "runtime.lost", topic=tp.topic, partition=tp.partition, first=begin - lost, last=begin - 1
            )
        return begin

    async def _seek(self, tp: TP, offset: int) -> None:
        consumer = self.app.consumer
        self._awaited[tp] = self.seeks[tp] + 1
        with contextlib.suppress(driver.IllegalStateError):  # revoked meanwhile: no seek is needed
            # Not `seek`: Faust would use its client from this thread while the client's own thread reads.
            await consumer.seek_wait({tp: offset})
            consumer._committed_offset[tp] = offset

    async def _forget(self, *_args: Any, **_kwargs: Any) -> None:
        self._abandon()

    def _show(self, tp: TP, end: int) -> None:
        position = self._expected[tp]
        metrics.CURSOR.labels(tp.topic, tp.partition).set(position)
        metrics.LAG.labels(tp.topic, tp.partition).set(max(0, end - position))

    def _abandon(self) -> None:
        # A batch begun before this line must not write after it.
        self.epoch += 1
        for tp in self._expected:  # they belong to another worker from now on
            metrics.CURSOR.remove(tp.topic, tp.partition)
            metrics.LAG.remove(tp.topic, tp.partition)
        self._expected.clear()
        if self._locating is not None:
            self._locating.cancel()
