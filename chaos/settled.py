"""Waits until nothing is on its way any more, so that PostgreSQL can be judged.

First `delivered`: every acknowledged message is in the raw log. Then `ticked`: so is a tick after each of
them. Then the bridge is stopped (its ticks change rows for ever). Then `settled`: PostgreSQL has everything
that follows from the log.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chaos.ledger import Ledger
from chaos.message import number_of
from chaos.partition_tape import mqtt_topic_of
from chaos.tape import Tape
from runtime.producer import close_producer, open_producer
from runtime.settings import Settings
from schemas.errors import Unavailable

MARKER = b"the judge was here"
EVERY_S = 0.2
LAST = 1000  # records of a partition's end in which its last message is, unless it was long ago
SENT_S = 2.0  # after which an open window was sent: that is done once a second at most
SHOWN = 10


class NotSettled(Exception):  # noqa: N818
    """Something is still on its way after the time is over; the text says what."""


async def delivered(ledger: Ledger, tape: Tape, seconds: float) -> None:
    """Wait until the tape holds every message that the broker acknowledged.

    Raises:
        NotSettled: some are missing; the text has their number and a few of them.
    """
    missing = {n for n, sent in ledger.sent.items() if sent.numbered and sent.acked}
    unnumbered = Counter(sent.topic for sent in ledger.sent.values() if not sent.numbered and sent.acked)
    read = dict.fromkeys(tape.partitions, 0)

    async def all_there() -> str | None:
        for partition in tape.partitions:
            end = tape.end(partition)
            for record in tape.messages(partition, read[partition]):
                topic = mqtt_topic_of(record)
                if (n := number_of(topic, record.value or b"")) is not None:
                    missing.discard(n)
                elif unnumbered[topic]:
                    unnumbered[topic] -= 1
            read[partition] = end
        if missing or unnumbered.total():
            few = sorted(missing)[:SHOWN] or list(+unnumbered)[:SHOWN]
            return f"{len(missing) + unnumbered.total()} messages are not in {tape.topic}: {few}"
        return None

    await _until(all_there, seconds)


async def ticked(tape: Tape, seconds: float) -> None:
    """Wait until each partition of the tape has a tick well after its last message.

    A window is sent once a second at most: without the tick, a line's last pieces may be in no window.

    Raises:
        NotSettled: some have no such tick; the text names them.
    """

    async def all_have() -> str | None:
        quiet = [number for number in tape.partitions if not _has_ticked(tape, number)]
        return f"no tick behind the last message of {tape.topic}{quiet}" if quiet else None

    await _until(all_have, seconds)


def _has_ticked(tape: Tape, partition: int) -> bool:
    last, ticked_at = None, 0
    for record in tape.all_records(partition, max(0, tape.end(partition) - LAST)):
        if mqtt_topic_of(record):
            last = record.timestamp
        elif not record.superseded:
            ticked_at = record.timestamp
    return last is None or ticked_at >= last + SENT_S * 1000


async def settled(settings: Settings, tape: Tape, seconds: float) -> None:
    """Wait until streams and sinks have applied all that the log holds. The bridge must not run.

    Writes two records to each partition, the second after the effect of the first is seen: they become dead
    letters (`foreign`), on the tape and in PostgreSQL. When the second one has its row, everything that
    follows from the records before the first is durable.

    Raises:
        NotSettled: the text says how far each partition is.
    """
    deadline = time.monotonic() + seconds
    for _ in range(2):
        marks = await _mark(settings, tape, deadline)
        await _until(lambda marks=marks: _marks_seen(settings, marks), deadline - time.monotonic())  # type: ignore[misc]
    await _until(lambda: _sinks_at_the_ends(settings), deadline - time.monotonic())
    await tape.caught_up(max(1.0, deadline - time.monotonic()))


async def _until(wrong: Callable[[], Awaitable[str | None]], seconds: float) -> None:
    """Call `wrong` until it returns None.

    Raises:
        NotSettled: it did not in time.
    """
    deadline = time.monotonic() + seconds
    while (why := await wrong()) is not None:
        if time.monotonic() > deadline:
            raise NotSettled(why)
        await asyncio.sleep(EVERY_S)


async def _mark(settings: Settings, tape: Tape, deadline: float) -> dict[int, int]:
    """Write a record that is not a bridge's to each partition; return their offsets."""
    while True:
        try:
            producer = await open_producer(settings, 16_384)
            break
        except Unavailable as why:
            if time.monotonic() > deadline:
                raise NotSettled(str(why)) from why
    try:
        marks = {}
        for partition in tape.partitions:
            stored = await producer.send_and_wait(
                tape.topic, MARKER, partition=partition, timestamp_ms=tape.last_time(partition) or None
            )
            marks[partition] = stored.offset
        return marks
    finally:
        await close_producer(producer)


async def _marks_seen(settings: Settings, marks: dict[int, int]) -> str | None:
    try:
        async with await psycopg.AsyncConnection.connect(settings.database_url) as connection:
            found = await connection.execute(
                'SELECT "partition", "offset" FROM "DeadLetter" WHERE "topic" = %s AND "offset" = ANY(%s)',
                [settings.topics.raw, list(marks.values())],
            )
            seen = set(await found.fetchall())
    except psycopg.OperationalError as error:
        return f"PostgreSQL: {error}"
    unseen = [
        f"{settings.topics.raw}[{p}] {offset}" for p, offset in marks.items() if (p, offset) not in seen
    ]
    return f"no row yet of {', '.join(unseen)}" if unseen else None


async def _sinks_at_the_ends(settings: Settings) -> str | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, enable_auto_commit=False)
    try:
        await consumer.start()
        ends = await consumer.end_offsets(
            [
                TopicPartition(topic, n)
                for topic in settings.topics.derived
                for n in range(settings.partitions)
            ]
        )
        async with await psycopg.AsyncConnection.connect(settings.database_url) as connection:
            found = await connection.execute('SELECT "topic", "partition", "nextOffset" FROM "SinkCursor"')
            cursors = {TopicPartition(topic, n): offset for topic, n, offset in await found.fetchall()}
    except (KafkaError, psycopg.OperationalError) as error:
        return repr(error)
    finally:
        await consumer.stop()
    behind = [
        f"{tp.topic}[{tp.partition}] at {cursors.get(tp, 0)} of {end}"
        for tp, end in ends.items()
        if cursors.get(tp, 0) < end
    ]
    return f"the sinks stand behind: {', '.join(behind)}" if behind else None
