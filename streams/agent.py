"""The shell around the fold: it takes a batch, sends its events, then saves the states that imply them."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import faust
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from plant.rules import Rules
from rules.partition import Lines
from rules.row_update import RowUpdate
from runtime import metrics
from runtime.batches import BACK_OFF_S, Batch, Stage
from runtime.log_end import Logs
from runtime.narrator import Narrator
from runtime.settings import Settings
from schemas.errors import Unavailable
from schemas.events import DeadLetterEvent, Event
from schemas.instant import END
from schemas.raw import Kind, RawHeaders, RawRecord
from streams.changelog import CONFIG, TABLE, changelog
from streams.outbox import Outbox
from streams.state_log import StateLog
from streams.store import LineStore

# Partitions worked on at the same time: while Kafka stores the events of some, the next is folded.
CONCURRENCY = 6
AT_ONCE = 20_000  # rows that are formed and sent together, at most
FOREIGN = (ValueError, KeyError, TypeError, AttributeError)
UNREADABLE = (None, RawHeaders(Kind.UNROUTABLE))


class LineAgent:
    """Folds the raw log into derived events and line states."""

    def __init__(
        self,
        app: faust.App,
        rules: Rules,
        settings: Settings,
        outbox: Outbox,
        narrator: Narrator,
    ) -> None:
        topic = settings.topics.raw
        table = app.Table(
            TABLE,
            partitions=settings.partitions,
            key_type=bytes,
            value_type=bytes,
            extra_topic_configs=CONFIG,
        )
        logs = Logs(settings.kafka_bootstrap_servers)
        self._states = StateLog(settings, changelog(settings.topic_prefix, rules.generation), table)
        self._store = LineStore(rules, topic, self._states, logs, narrator, outbox.sent)
        self._narrator = narrator
        self._outbox = outbox
        self._app = app
        self._topic = topic
        self._gather_ms = settings.streams_gather_ms
        self.stage: Stage

    def attach(self) -> Stage:
        """Register the agent with the app; return its stage."""
        self.stage = Stage(self._app, [self._topic], self._store, self._narrator, self._gather_ms)
        source = self._app.topic(
            self._topic, key_type=bytes, key_serializer="raw", value_type=bytes, value_serializer="raw"
        )

        async def fold(stream: faust.StreamT[Any]) -> None:
            await self.stage.each(stream, self.apply)

        self._app.agent(source, name="fold", concurrency=CONCURRENCY)(fold)
        return self.stage

    async def apply(self, batch: Batch) -> None:
        """Apply a batch. The state is written only if the partition is still ours."""
        began = time.perf_counter()
        lines = self._store.lines(batch.tp.partition)
        refused: list[str] = []
        for events in folded(lines, batch):
            if not await self._send(batch, events):
                return
            refused += [event.reason for event in events if isinstance(event, DeadLetterEvent)]
        await self._store.settled(batch.tp.partition)
        if not self.stage.holds(batch):
            return
        self._store.save(batch.tp.partition)
        self.stage.advance(batch)
        metrics.BATCH_SECONDS.labels(batch.tp.topic).observe(time.perf_counter() - began)
        report_void(lines, batch.tp.partition, self._narrator)
        for reason in refused:
            metrics.DEAD_LETTERS.labels(reason).inc()

    async def stop(self) -> None:
        """Finish the batches in hand and make all that was applied durable, so that nothing is folded again.

        If Kafka does not store it, the next worker reads about a second of records again.
        """
        for tp, position in (await self.stage.quiesce()).items():
            if self._store.lines(tp.partition).next_offset == position:
                with contextlib.suppress(KafkaError):
                    await self._store.flush(tp.partition)
        await self._states.stop()

    async def _send(self, batch: Batch, events: list[Event]) -> bool:
        """Send events until they are durable (True); give up if the partition is no longer ours (False)."""
        attempt, lines = 0, self._store.lines(batch.tp.partition)
        while self.stage.holds(batch):
            try:
                lost = await self._outbox.send(
                    batch.tp.partition, events, partial(_replacement, lines, batch)
                )
                if lost is not None:
                    self._store.read_again(batch.tp.partition, lost)
                    await self.stage.start_again(batch)
                    return False
                return self.stage.holds(batch)
            except Unavailable as why:
                self.stage.waiting(str(why), attempt)
                await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])
                attempt += 1
        return False


def fold_batch(lines: Lines, batch: Batch) -> list[Event]:
    """The events of a batch, each row in its last form.

    Earlier forms of a row in the batch are never formed, so which forms exist depends on the batches. The
    final rows don't, because forming can't fail: it only writes down what a rule has decided, within bounds
    (tests/rules/test_every_payload.py). If it fails nevertheless, that row is not written, its record becomes
    a dead letter, and the stage goes on. Until a later message forms the row again, it may then lack a form
    that it would have with other batches.
    """
    return [event for events in folded(lines, batch) for event in events]


def folded(lines: Lines, batch: Batch) -> Iterator[list[Event]]:
    """The same in portions of at most AT_ONCE: the end of a long silence can change thousands of rows.

    The state that implies them is written after all are sent: a crash in between makes all be sent again.
    """
    last: dict[tuple[type[Event], str], tuple[RowUpdate, ConsumerRecord]] = {}
    for record in batch.records:
        for change in changes(lines, record):
            last[change.kind, change.id] = change, record
        if len(last) >= AT_ONCE:
            yield from _all_formed(lines, last.values())
            last = {}
    yield from _all_formed(lines, last.values())


def _all_formed(lines: Lines, last: Iterable[tuple[RowUpdate, ConsumerRecord]]) -> Iterator[list[Event]]:
    some: list[Event] = []
    for change, record in last:
        try:
            some.append(change.form())
        except Exception as error:
            some.append(unformed(lines, record, error))
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def unformed(lines: Lines, record: ConsumerRecord, error: Exception) -> Event:
    """The dead letter of a record whose row can't be formed or written."""
    return lines.unformed(_record(record, *_read(record)), error)


def _replacement(lines: Lines, batch: Batch, event: Event, error: Exception) -> Event:
    """Replaces an event that can't be encoded by the dead letter of the record behind it."""
    record = next(record for record in batch.records if record.offset == event.version[1])
    return unformed(lines, record, error)


def report_void(lines: Lines, partition: int, narrator: Narrator) -> None:
    """Report how many void records were skipped since the last call, if any were."""
    if lines.void:
        metrics.VOID.inc(lines.void)
        narrator.event("streams.void", topic=lines.topic, partition=partition, count=lines.void)
        lines.void = 0


def changes(lines: Lines, record: ConsumerRecord) -> list[RowUpdate]:
    """The rows that a record of the log changes."""
    try:
        key, headers = _read(record)
    except FOREIGN as error:
        return lines.foreign(_record(record, *UNREADABLE), repr(error))
    return lines.apply(_record(record, key, headers))


def _read(record: ConsumerRecord) -> tuple[str | None, RawHeaders]:
    """A record's key and headers.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: no bridge wrote it.
    """
    headers = RawHeaders.decode(record.headers)
    key = None if record.key is None else record.key.decode()
    if not 0 <= record.timestamp < END:
        raise ValueError(f"time {record.timestamp} ms")
    return key, headers


def _record(record: ConsumerRecord, key: str | None, headers: RawHeaders) -> RawRecord:
    return RawRecord(record.partition, record.offset, record.timestamp, key, headers, record.value or b"")
