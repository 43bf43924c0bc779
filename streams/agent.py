"""The shell around the fold: a batch in, events out, then the state that implies them."""

import asyncio
import contextlib
import time
from typing import Any

import faust
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from runtime import metrics
from runtime.batches import BACK_OFF_S, Batch, Stage
from runtime.narrator import Narrator
from schemas.errors import Unavailable
from schemas.events import DeadLetterEvent, Event
from schemas.plant import Rules
from schemas.raw import Kind, RawHeaders, RawRecord
from streams.change import Change, last_forms
from streams.outbox import Outbox
from streams.partition import Lines
from streams.store import LineStore

# Partitions worked on at once: while Kafka stores what one gave, the next is folded.
LANES = 2
FINISH_S = 3.0


class LineAgent:
    """Folds the raw log into derived events and line states."""

    def __init__(self, app: faust.App, rules: Rules, topic: str, partitions: int, outbox: Outbox) -> None:
        self._table = app.Table("lines", partitions=partitions, key_type=bytes, value_type=bytes)
        self._store = LineStore(rules, topic, self._table)
        self._outbox = outbox
        self._partitions = partitions
        self._app = app
        self._topic = topic
        self.stage: Stage
        self._finishing = False
        self._in_hand: set[asyncio.Task[Any]] = set()

    def attach(self, narrator: Narrator) -> Stage:
        """Give the app its agent."""
        self.stage = Stage(self._app, [self._topic], self._store, narrator)
        source = self._app.topic(
            self._topic, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw"
        )

        async def fold(stream: faust.StreamT[Any]) -> None:
            await self.stage.each(stream, self.apply)

        self._app.agent(source, name="fold", concurrency=LANES)(fold)
        return self.stage

    async def apply(self, batch: Batch) -> None:
        """Apply a batch: nothing is written unless the partition is still ours."""
        if self._finishing:
            await asyncio.Future()  # for the successor; the app is about to stop
        applying = asyncio.create_task(self._apply(batch))
        self._in_hand.add(applying)
        applying.add_done_callback(self._in_hand.discard)
        await applying

    async def finish(self) -> None:
        """Bring what is in hand to its end, states included, so that a successor redoes none of it."""
        self._finishing = True
        with contextlib.suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(FINISH_S):
                if self._in_hand:
                    await asyncio.wait(self._in_hand)
                await asyncio.gather(*map(self._store.settled, range(self._partitions)))
        await self._outbox.stop()

    async def _apply(self, batch: Batch) -> None:
        began = time.perf_counter()
        lines = self._store.lines(batch.tp.partition)
        events = fold_batch(lines, batch)
        if not await self._send(batch, events):
            return
        await self._store.settled(batch.tp.partition)
        if not self.stage.holds(batch):
            return
        self._store.save(batch.tp.partition)
        self.stage.advance(batch)
        metrics.BATCH_SECONDS.labels(batch.tp.topic).observe(time.perf_counter() - began)
        for event in events:
            if isinstance(event, DeadLetterEvent):
                metrics.DEAD_LETTERS.labels(event.reason).inc()

    async def _send(self, batch: Batch, events: list[Event]) -> bool:
        """Send events until they are durable; give up where the partition is no longer ours."""
        attempt = 0
        while self.stage.holds(batch):
            try:
                await self._outbox.send(batch.tp.partition, events)
                return self.stage.holds(batch)
            except Unavailable as why:
                self.stage.waiting(str(why), attempt)
                await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])
                attempt += 1
        return False


def fold_batch(lines: Lines, batch: Batch) -> list[Event]:
    """The events of a batch, each row in its last form."""
    changes = last_forms(change for record in batch.records for change in _apply(lines, record))
    return [change.form() for change in changes]


def _apply(lines: Lines, record: ConsumerRecord) -> list[Change]:
    try:
        headers = RawHeaders.decode(record.headers)
        key = None if record.key is None else record.key.decode()
    except (ValueError, KeyError) as error:
        headers, key = RawHeaders(Kind.UNROUTABLE), None
        return lines.foreign(_record(record, key, headers), repr(error))
    return lines.apply(_record(record, key, headers))


def _record(record: ConsumerRecord, key: str | None, headers: RawHeaders) -> RawRecord:
    return RawRecord(record.partition, record.offset, record.timestamp, key, headers, record.value or b"")
