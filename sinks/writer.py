"""Writes batches as rows: retries until PostgreSQL takes them, and continues where the cursor is."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from runtime import metrics
from runtime.batches import BACK_OFF_S, Batch, Stage
from runtime.narrator import Narrator
from schemas.errors import Unavailable
from sinks.cursors import Cursors
from sinks.decode import loss
from sinks.group_commit import GroupCommit
from sinks.narrate import narrate
from sinks.outage import Outage
from sinks.sink import Sink
from sinks.superseded import Superseded
from sinks.transaction import Written

T = TypeVar("T")
NAMED = 4  # columns that fit into a sentence


class Writer:
    """Applies batches of one topic, one at a time."""

    def __init__(
        self,
        stage: Stage,
        sink: Sink,
        group: GroupCommit,
        cursors: Cursors,
        outage: Outage,
        narrator: Narrator,
    ) -> None:
        self._stage = stage
        self._sink = sink
        self._group = group
        self._cursors = cursors
        self._outage = outage
        self._narrator = narrator
        self._swap_waits = 0
        self._superseded = Superseded(narrator)

    async def apply(self, batch: Batch) -> None:
        """Write a batch, in more than one transaction where its end waits for a generation."""
        rest: Batch | None = batch
        try:
            while rest is not None and (written := await self._write(rest)) is not None:
                self._report(written)
                self._superseded.note(batch.tp.topic, written.ignored, written.applied)
                rest = await self._after(rest, written)
        finally:
            self._over()

    async def _write(self, batch: Batch) -> Written | None:
        """Write the batch once; None if its partition is not ours any more."""

        async def once() -> Written:
            with metrics.BATCH_SECONDS.labels(batch.tp.topic).time():
                return await self._group.write(self._sink, batch.records)

        return await self._until_taken(batch, once)

    async def _until_taken(self, batch: Batch, act: Callable[[], Awaitable[T]]) -> T | None:
        """Retry as long as the batch is ours; None if it is not. Nothing is read meanwhile."""
        attempt = 0
        try:
            while self._stage.holds(batch):
                try:
                    return await act()
                except Unavailable as why:
                    await self._outage.wait(self, str(why), attempt)
                attempt += 1
            return None
        finally:
            self._outage.over(self)

    async def _after(self, batch: Batch, written: Written) -> Batch | None:
        """Continue where the cursor is; the rest of the batch, None if nothing of it is left to write."""
        if not self._stage.holds(batch):
            return None
        first = batch.records[0].offset
        if first < written.cursor <= batch.next_offset:
            self._over()
            done = sum(record.offset < written.cursor for record in batch.records)
            self._stage.advance(replace(batch, records=batch.records[:done]))
            return replace(batch, records=batch.records[done:]) if done < len(batch.records) else None
        if written.cursor == first:
            await self._wait_for_swap(batch, written.lacks)
            return batch
        return await self._seek(batch, written.cursor)

    async def _seek(self, batch: Batch, cursor: int) -> Batch | None:
        """Read from the cursor on: another worker moved it, or a restored database has an older one."""
        first = batch.records[0].offset
        begins = await self._stage.app.consumer.earliest_offsets(batch.tp)
        start = min(begins[batch.tp] or 0, first)
        if cursor < start:  # events were deleted before they were applied: the stage has reported it
            letter = loss(batch.tp, "expired", cursor, start - 1, self._narrator.lang)
            await self._until_taken(batch, lambda: self._cursors.jump(batch.tp, cursor, start, letter))
        if max(cursor, start) == first:
            return batch
        await self._stage.relocate(batch.tp, max(cursor, start))
        return None

    async def _wait_for_swap(self, batch: Batch, lacks: tuple[str, ...]) -> None:
        """Wait: the next events are of a generation that is not live yet, or of an older release."""
        topic, partition = batch.tp
        if lacks:
            self._outage.hold(
                self, f"{topic}[{partition}]: events of an older release wait; run linepulse rebuild"
            )
        if self._swap_waits == 0 and lacks:
            columns = ", ".join([*lacks[:NAMED], "…"] if len(lacks) > NAMED else lacks)
            self._narrator.say("sinks.older_release", topic=topic, partition=partition, lacks=columns)
        elif self._swap_waits == 0:
            self._narrator.say("sinks.next_rules", topic=topic, partition=partition)
        await asyncio.sleep(BACK_OFF_S[min(self._swap_waits, len(BACK_OFF_S) - 1)])
        self._swap_waits += 1
        self._outage.waits += 1

    def _over(self) -> None:
        self._swap_waits = 0
        self._outage.release(self)

    def _report(self, written: Written) -> None:
        for letter in written.letters:
            metrics.DEAD_LETTERS.labels(letter.reason).inc()
        narrate(self._narrator, written.events, written.added)
        narrate(self._narrator, written.letters)
