"""The tape holds what the raw log held, whatever happened to it there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from chaos.ledger import Entry, Ledger
from chaos.partition_tape import TapeError
from chaos.settled import NotSettled, delivered, settled
from chaos.tape import Tape
from runtime.producer import close_producer, open_producer
from runtime.settings import Settings
from schemas.raw import Kind, RawHeaders
from sinks.schema import migrate
from tests.services import OwnServers, Services

AT = 1_800_000_000_000


@asynccontextmanager
async def writing(settings: Settings) -> AsyncIterator[Any]:
    """A producer to the raw log."""
    producer = await open_producer(settings, 65_536)
    try:
        yield producer
    finally:
        await close_producer(producer)


async def write(producer: Any, settings: Settings, first: int, last: int, run: int = 1) -> None:
    """Data messages of these numbers, in partition 0."""
    headers = RawHeaders(Kind.DATA, "production/ligne1/data", run=run).encode()
    stored = [
        await producer.send(
            settings.topics.raw, b'{"count":1,"pressure":%d}' % n,
            key=b"ligne1", partition=0, timestamp_ms=AT + n, headers=headers,
        )
        for n in range(first, last + 1)
    ]  # fmt: skip
    await asyncio.gather(*stored)


def numbers(tape: Tape, first: int = 0) -> list[int]:
    """The numbers in partition 0, by their time."""
    return [record.timestamp - AT for record in tape.records(0, first)]


async def delete(settings: Settings, before: int) -> None:
    """What retention does to partition 0."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(settings.topics.raw, 0): RecordsToDelete(before)})
    finally:
        await admin.close()


async def test_records_are_kept_as_they_are(services: Services, tmp_path: Path):
    """Every field of them; from any offset on; those left out apart."""
    settings = services.settings()
    async with Tape(settings, tmp_path / "tape") as tape, writing(settings) as producer:
        await write(producer, settings, 0, 2499)
        await tape.caught_up()
        assert len(tape) == tape.end(0) == 2500
        assert numbers(tape) == list(range(2500))
        assert numbers(tape, 1999) == list(range(1999, 2500))
        assert numbers(tape, 2500) == []
        record = next(tape.records(0))
        assert (record.topic, record.partition, record.offset) == (settings.topics.raw, 0, 0)
        assert (record.key, record.value) == (b"ligne1", b'{"count":1,"pressure":0}')
        assert RawHeaders.decode(record.headers).topic == "production/ligne1/data"
        tape.without(0, 10, 19)
        tape.without(0, 30, 30)
        assert set(range(2500)) - set(numbers(tape)) == {*range(10, 20), 30}


async def test_kafka_goes_away_and_the_tape_goes_on(own: OwnServers, services: Services, tmp_path: Path):
    """From where it was, without a gap and nothing twice; also one that begins while Kafka is away."""
    if services.kind == "embedded":
        pytest.skip("the embedded Kafka forgets everything")
    kafka = own.kafka()
    settings = own.settings(kafka=kafka)
    async with Tape(settings, tmp_path / "tape") as tape:
        async with writing(settings) as producer:
            await write(producer, settings, 0, 99)
        kafka.kill()
        async with Tape(settings, tmp_path / "late") as late:
            await asyncio.to_thread(kafka.start)
            async with writing(settings) as producer:
                await write(producer, settings, 100, 149)
            await tape.caught_up()
            await late.caught_up()
        assert numbers(tape) == numbers(late) == list(range(150))


async def test_what_retention_deletes_later_is_still_known(services: Services, tmp_path: Path):
    """It was on the tape before."""
    if services.kind == "embedded":
        pytest.skip("the embedded Kafka deletes nothing")
    settings = services.settings()
    async with Tape(settings, tmp_path / "tape") as tape, writing(settings) as producer:
        await write(producer, settings, 0, 49)
        await tape.caught_up()
        await delete(settings, 40)
        await write(producer, settings, 50, 59)
        await tape.caught_up()
        assert numbers(tape) == list(range(60))


async def test_what_was_deleted_before_is_a_hole_and_said_so(services: Services, tmp_path: Path):
    """A tape with a gap proves nothing."""
    if services.kind == "embedded":
        pytest.skip("the embedded Kafka deletes nothing")
    settings = services.settings()
    async with writing(settings) as producer:
        await write(producer, settings, 0, 49)
    await delete(settings, 40)
    async with Tape(settings, tmp_path / "tape") as tape:
        with pytest.raises(TapeError, match="0 to 39 are deleted"):
            await tape.caught_up()


async def test_a_stopped_tape_does_not_pretend(services: Services, tmp_path: Path):
    """What came after its end is not on it."""
    settings = services.settings()
    async with writing(settings) as producer:
        await write(producer, settings, 0, 9)
        async with Tape(settings, tmp_path / "tape") as tape:
            await tape.caught_up()
        await tape.caught_up()
        assert numbers(tape) == list(range(10))
        await write(producer, settings, 10, 10)
    with pytest.raises(TapeError, match="stopped"):
        await tape.caught_up()


async def test_what_a_superseded_bridge_wrote_is_no_message(services: Services, tmp_path: Path):
    """Its run is below one that came before it in the partition; such a message was not delivered."""
    settings = services.settings()
    ledger = Ledger()
    async with Tape(settings, tmp_path / "tape") as tape, writing(settings) as producer:
        for n in (1, 2):
            ledger.add(Entry(n, "sent", "ligne1", "data", "production/ligne1/data"))
            ledger.add(Entry(n, "acked"))
        fence = RawHeaders(Kind.TICK, run=2).encode()
        await write(producer, settings, 1, 1)
        await producer.send_and_wait(settings.topics.raw, b"", partition=0, timestamp_ms=AT, headers=fence)
        await write(producer, settings, 2, 2)
        await tape.caught_up()
        assert [record.timestamp - AT for record in tape.messages(0)] == [1]
        with pytest.raises(NotSettled, match=r"1 messages are not in .*\[2\]"):
            await delivered(ledger, tape, 0)
        await write(producer, settings, 2, 2, run=2)
        await delivered(ledger, tape, 30)


async def test_what_is_not_settled_is_told(services: Services, tmp_path: Path):
    """No role runs: the records of the judge get no rows."""
    settings = services.settings()
    migrate(settings.database_url)
    async with Tape(settings, tmp_path / "tape") as tape:
        with pytest.raises(NotSettled, match=r"no row yet of .*\[0\] 0"):
            await settled(settings, tape, 1)
