"""What a restart of the streams worker costs, however long the log and however old the changelog.

`python -m benchmarks.restart [--records 20000 200000] [--changelog-mib 400]` prints JSON objects, measured on
Apache Kafka. A restart: the seconds from the process's start to the first new event, and how many records
the worker reads again. For each length of the log: after SIGKILL when it had caught up, after SIGTERM, and
after SIGKILL amid 80 s of live messages. Then as many MiB of states that were written over are put into the
changelog by hand, as hours at a plant would: what is left to read, and a restart, beside a changelog that has
Kafka's own settings.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.gauge import metric, peak_mib
from benchmarks.streams import LINES, fill
from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from streams.changelog import SEGMENT_BYTES, changelog
from tests.eventually import eventually, wait_until
from tests.services import Services
from tests.streams.raw import RawLog, Worker

APPLIED = "linepulse_records_applied_total"
MIB = 1 << 20
QUIET_S = 3.0
LOAD = 20_000
CLEANED_S = 120
RATE, LIVE_S, TICK_S, PAUSE_S = 3000, 80.0, 5.0, 0.05
DATA = {"count": 2, "targetRate": 120, "rate": 115.5, "defects": 0, "running": True, "temperature": 24.5}


class Log:
    """The topics of an installation, read from their start as a worker does."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.states: dict[TopicPartition, dict[bytes, bytes]] = {}
        self.mib = 0.0  # of the changelog

    async def read(self) -> "Log":
        """Read the changelog."""
        where = self._where(changelog(self._settings.topic_prefix, 1))
        self.states, size = {tp: {} for tp in where}, 0
        async with self._consumer() as consumer:
            consumer.assign(where)
            for tp, end in (await consumer.end_offsets(where)).items():
                while await consumer.position(tp) < end:
                    for record in (await consumer.getmany(tp, timeout_ms=500)).get(tp, []):
                        self.states[tp][record.key] = record.value
                        size += len(record.value)
        self.mib = size / MIB
        return self

    def _where(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(self._settings.partitions)]

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap_servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )


def applied(settings: Settings) -> int:
    assert settings.http_port is not None
    return int(metric(settings.http_port, APPLIED))


async def restart(settings: Settings, name: str, *, ahead: int = 0) -> dict[str, float]:
    """Start a worker before a message of a line of its own, wait for its sample, and stop it cleanly.

    Args:
        ahead: records that the worker before had not applied.
    """
    async with RawLog(settings) as log:
        await log.write([(name, int(time.time() * 1000), {"count": 1})])
    where = [TopicPartition(settings.topics.samples, number) for number in range(settings.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers) as consumer:
        consumer.assign(where)
        await consumer.seek_to_end(*where)
        began = time.monotonic()
        with Worker(settings) as worker:

            async def there() -> bool:
                found = (await consumer.getmany(timeout_ms=50)).values()
                return any(record.key == name.encode() for records in found for record in records)

            await eventually(there, "the first new event", 300)
            seconds = time.monotonic() - began
            await asyncio.sleep(QUIET_S)
            again, peak = applied(settings) - 1 - ahead, peak_mib(worker.pid)
            assert worker.end()[0] == 0
    return {
        "seconds_to_the_first_new_event": round(seconds, 1),
        "records_read_again": again,
        "peak_mib": round(peak, 1),
    }


async def after_records(settings: Settings, records: int) -> dict[str, Any]:
    """Restarts of a worker that has applied so many records."""
    await fill(settings, records)
    with Worker(settings):
        wait_until(lambda: applied(settings) >= records, "the last record", 300)
    killed = await restart(settings, "killed")
    stopped = await restart(settings, "stopped")
    with Worker(settings):
        sent = await live(settings)
        seen = applied(settings)
    under_load = await restart(settings, "loaded", ahead=sent - seen)
    found = Log(settings)
    await found.read()
    return {
        "records": records,
        "after_sigkill": killed,
        "after_sigterm": stopped,
        "after_sigkill_under_load": under_load,
        "changelog_mib": round(found.mib, 1),
    }


async def live(settings: Settings) -> int:
    """Write messages at RATE for LIVE_S, each at its time, with ticks, as the bridge does; how many."""
    began, sent = time.monotonic(), 0
    async with RawLog(settings) as log:
        while (passed := time.monotonic() - began) < LIVE_S:
            now, due = int(time.time() * 1000), int(passed * RATE)
            if int(passed / TICK_S) > int((passed - PAUSE_S) / TICK_S):
                await log.tick(now)
                sent += settings.partitions
            count = due - sent
            await log.write((f"ligne{n % LINES}", now, DATA) for n in range(max(count, 0)))
            sent += max(count, 0)
            await asyncio.sleep(PAUSE_S)
    return sent


async def age(settings: Settings, mib: int) -> int:
    """Write every state again and again; how often."""
    found = await Log(settings).read()
    once = sum(len(value) for states in found.states.values() for value in states.values())
    times = mib * MIB // once
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, linger_ms=20, max_batch_size=MIB // 2
    )
    await producer.start()
    for _ in range(times):
        for (topic, partition), states in found.states.items():
            for key, value in states.items():
                await producer.send(topic, value, key=key, partition=partition)
    await producer.stop()
    return times


async def after_hours(settings: Settings, mib: int, *, cleaned: bool) -> dict[str, Any]:
    """A restart with a changelog into which so much was written."""
    await fill(settings, LOAD)
    with Worker(settings) as worker:
        wait_until(lambda: applied(settings) >= LOAD, "the last record", 300)
        assert worker.end()[0] == 0
    times, began = await age(settings, mib), time.monotonic()
    found = await Log(settings).read()
    while cleaned and time.monotonic() - began < CLEANED_S:
        if found.mib < 2 * settings.partitions * SEGMENT_BYTES / MIB:
            break
        await asyncio.sleep(1)
        await found.read()
    return {
        "states_written": times,
        "mib_written": mib,
        "mib_left": round(found.mib, 1),
        "seconds_until_cleaned": round(time.monotonic() - began, 1),
        **await restart(settings, "aged"),
    }


async def plain_changelog(settings: Settings) -> None:
    """Make the changelog as Faust would by default."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    topic = changelog(settings.topic_prefix, 1)
    await admin.create_topics(
        [NewTopic(topic, settings.partitions, 1, topic_configs={"cleanup.policy": "compact"})]
    )
    await admin.close()


def print_figures(what: str, figures: dict[str, Any]) -> None:
    print(json.dumps({what: figures}, indent=2), flush=True)


def measure(lengths: list[int], mib: int) -> None:
    """All of it, one after the other, each with topics of its own."""
    folder = Path(tempfile.mkdtemp(prefix="linepulse-bench-"))
    services = Services("native", folder)

    def installation() -> Settings:
        return services.settings(http_port=free_port(), partitions=6, database_url="postgresql://none/none")

    try:
        for records in lengths:
            print_figures("restart", asyncio.run(after_records(installation(), records)))
        if mib:
            print_figures("aged_changelog", asyncio.run(after_hours(installation(), mib, cleaned=True)))
            plain = installation()
            asyncio.run(plain_changelog(plain))
            print_figures("with_kafkas_own_settings", asyncio.run(after_hours(plain, mib, cleaned=False)))
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, nargs="*", default=[20_000, 200_000])
    options.add_argument("--changelog-mib", type=int, default=400)
    chosen = options.parse_args()
    measure(chosen.records, chosen.changelog_mib)


if __name__ == "__main__":
    main()
