"""The stream stage's speed, beside an empty plain Faust agent and a batch consumer that only parses.

`python -m benchmarks.streams [--records 120000]` prints one JSON object. The records wait in the raw log
(Apache Kafka) when a worker starts; its time runs from its first record to its last.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import faust
import uvloop
from aiokafka import AIOKafkaProducer
from faust.types import TP

from benchmarks.gauge import cpu_seconds, figures, metric, peak_mib
from linepulse.embedded.ports import free_port
from runtime.batches import Batch, Stage
from runtime.narrator import Narrator
from runtime.settings import Settings
from runtime.worker import make_app
from schemas.instant import text_of
from schemas.payloads import parse_data
from schemas.raw import Kind, RawHeaders
from tests.commands import environment, with_repository
from tests.eventually import wait_until
from tests.services import Services
from tests.streams.raw import RawLog, Worker

LINES = 20
PLAIN_RECORDS = 20_000


async def fill(settings: Settings, records: int) -> None:
    """Put messages of LINES lines, 2 s apart, and rules into the log."""
    async with RawLog(settings) as log:
        await log.rules()
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, linger_ms=20, max_batch_size=200_000
    )
    await producer.start()
    start = int(time.time() * 1000) - records // LINES * 2000
    for number in range(records):
        line, at = f"ligne{number % LINES}", start + number // LINES * 2000
        await producer.send(
            settings.topics.raw,
            b'{"count":4,"targetRate":120,"rate":115.5,"defects":0,"running":true,"temperature":24.5,'
            b'"pressure":2.1,"timestamp":"%s"}' % text_of(at).encode(),
            key=line.encode(),
            timestamp_ms=at + 40,
            headers=RawHeaders(Kind.DATA, f"production/{line}/data", 1, False, False, 1, "bench").encode(),
        )
    await producer.stop()


class Nowhere:
    """A store that holds nothing."""

    async def positions(self, partitions: Sequence[TP]) -> Mapping[TP, int]:
        return dict.fromkeys(partitions, 0)

    def lost(self, _tp: TP, /, position: int, begin: int) -> int:
        return begin - position


class Counted:
    """Counts records, and prints the figures when it has seen enough."""

    def __init__(self, records: int) -> None:
        self._records = records
        self._seen = 0
        self.done = asyncio.Event()
        self._began: tuple[int, float, float] | None = None

    def add(self, count: int) -> None:
        self._seen += count
        if self._began is None:
            self._began = (self._seen, time.monotonic(), cpu_seconds())
        if self._seen >= self._records and not self.done.is_set():
            seen, began, cpu = self._began
            found = figures(
                self._seen - seen, time.monotonic() - began, cpu_seconds() - cpu, peak_mib(), "records"
            )
            print(json.dumps(found), flush=True)
            self.done.set()


async def plain(records: int) -> None:
    """An agent that does nothing, in an app as Faust makes it."""
    settings = Settings.read()
    app = faust.App(
        "plain",
        broker=f"kafka://{settings.kafka_bootstrap_servers}",
        topic_disable_leader=True,
        datadir=tempfile.mkdtemp(prefix="linepulse-bench-"),
    )
    counted = Counted(records)

    async def empty(stream: faust.StreamT[Any]) -> None:
        async for _ in stream:
            counted.add(1)

    app.agent(app.topic(settings.topics.raw, value_type=bytes, value_serializer="raw"))(empty)
    await until_done(app, counted)


async def parse(records: int) -> None:
    """The product's batch consumer, with an agent that parses each payload and keeps nothing."""
    settings = Settings.read()
    app = make_app(settings, "parse")
    counted = Counted(records)
    stage = Stage(app, [settings.topics.raw], Nowhere(), Narrator("en"))

    async def apply(batch: Batch) -> None:
        for record in batch.records:
            parse_data(record.value)
        stage.advance(batch)
        counted.add(len(batch.records))

    async def agent(stream: faust.StreamT[Any]) -> None:
        await stage.each(stream, apply)

    app.agent(app.topic(settings.topics.raw, value_type=bytes, value_serializer="raw"))(agent)
    await until_done(app, counted)


async def until_done(app: faust.App, counted: Counted) -> None:
    app.finalize()
    await app.start()
    await counted.done.wait()
    await app.stop()


def run_reference(settings: Settings, name: str, records: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.streams", "--reference", name, "--records", str(records)],
        env=with_repository(environment(settings)),
        capture_output=True,
        timeout=120,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_streams(settings: Settings, records: int) -> dict[str, float]:
    """The product's own worker, watched from outside."""
    assert settings.http_port is not None
    port, applied = settings.http_port, "linepulse_records_applied_total"
    with Worker(settings) as worker:
        already = wait_until(lambda: metric(port, applied), "the first batch", 60)
        began, cpu = time.monotonic(), cpu_seconds(worker.pid)
        wait_until(lambda: metric(port, applied) >= records, "the last batch", 120)
        return figures(
            records - already,
            time.monotonic() - began,
            cpu_seconds(worker.pid) - cpu,
            peak_mib(worker.pid),
            "records",
        )


def measure(records: int) -> dict[str, Any]:
    """All three, one after the other, on the same log."""
    folder = Path(tempfile.mkdtemp(prefix="linepulse-bench-"))
    services = Services("native", folder)
    try:
        settings = services.settings(
            http_port=free_port(), partitions=6, database_url="postgresql://none/none"
        )
        asyncio.run(fill(settings, records))
        plain = run_reference(settings, "plain", min(records, PLAIN_RECORDS))
        parse = run_reference(settings, "parse", records)
        streams = run_streams(settings, records)
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "benchmark": "streams",
        "records": records,
        "streams": streams,
        "plain_faust_agent": plain,
        "batch_consumer_that_parses": parse,
        "ratio_to_plain": round(streams["records_per_s"] / plain["records_per_s"], 2),
        "ratio_to_parse": round(streams["records_per_s"] / parse["records_per_s"], 2),
    }


def main() -> None:
    """Measure, or be a reference."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, default=120_000)
    arguments.add_argument("--reference", choices=["plain", "parse"])
    chosen = arguments.parse_args()
    if chosen.reference == "plain":
        asyncio.run(plain(chosen.records))
    elif chosen.reference == "parse":
        uvloop.run(parse(chosen.records))
    else:
        print(json.dumps(measure(chosen.records), indent=2))


if __name__ == "__main__":
    main()
