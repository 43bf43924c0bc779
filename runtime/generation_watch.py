"""Ends a worker whose generation was superseded; the same process starts again with the new one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import NoReturn

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from plant.rules import RulesRecord
from runtime.settings import Settings

WAIT_MS = 2000  # Kafka answers at once where there is something new
RETRY_S = 2.0


async def until_newer(settings: Settings, generation: int) -> int:
    """Wait until `production.rules` holds a newer generation, also while Kafka is away; return it."""
    while True:
        try:
            async for found in _records(settings):
                if found.generation > generation:
                    return found.generation
        except (KafkaError, OSError):
            await asyncio.sleep(RETRY_S)


def restart_process() -> NoReturn:
    """Replace this process by itself, started with the same command line: no supervisor needs to start it.

    For its supervisor it stays the same process; threads, sockets and all that libraries left behind end.

    Raises:
        OSError: the executable is gone.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


async def _records(settings: Settings) -> AsyncIterator[RulesRecord]:
    """All records of the topic, then each new one as it arrives: one fetch in WAIT_MS while there is none."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=WAIT_MS,
    )
    try:
        await consumer.start()
        consumer.assign([TopicPartition(settings.topics.rules, 0)])
        while True:
            for records in (await consumer.getmany(timeout_ms=WAIT_MS)).values():
                for record in records:
                    try:
                        yield msgspec.json.decode(record.value or b"", type=RulesRecord)
                    except msgspec.DecodeError:
                        continue  # the role that starts reports it
    finally:
        await consumer.stop()
