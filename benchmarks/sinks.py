"""Rows of `ProductionData` a second through the sinks, beside a bare COPY of the same rows.

`python -m benchmarks.sinks [--rows 100000] [--services native|embedded]` prints one JSON object. The samples
wait in Kafka when the sinks start; their time runs from the first batch stored to the last. The reference is
one COPY, of rows that are ready as text, into the same table with the same indexes in another database.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from aiokafka import AIOKafkaProducer

from benchmarks.gauge import cpu_seconds, figures, peak_mib
from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from schemas.events import SampleEvent
from schemas.ids import uuid_of
from schemas.instant import text_of
from sinks.copy_text import copy_text
from sinks.tables import PRODUCTION_DATA
from tests.eventually import wait_until
from tests.services import Services
from tests.sinks.conftest import make_plant
from tests.sinks.worker import Worker

LINES = 12
PARTITIONS = 6
BEGIN = 1_737_123_456_789
CHUNK = 1 << 16


def samples(rows: int) -> Iterator[SampleEvent]:
    """One sample a second from each line."""
    for number in range(rows):
        line, at = number % LINES, BEGIN + number // LINES * 1000
        yield SampleEvent(
            generation=1,
            version=(at, number),
            id=uuid_of("bench", number),
            line_id=f"ligne{line}",
            line=f"Ligne {line}",
            timestamp=text_of(at),
            bottles_produced=2,
            target_rate=120.0,
            actual_rate=115.0 + number % 10 / 10,
            defect_count=0,
            is_running=True,
            shift_id="APRES_MIDI",
            shift_date="2025-01-17",
            temperature=24.5 + number % 7 / 10,
            pressure=2.1,
            received_at=text_of(at + 12),
        )


async def preload(settings: Settings, rows: int) -> None:
    """Put the samples on their topic."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, linger_ms=5, max_batch_size=1 << 17
    )
    await producer.start()
    for number, event in enumerate(samples(rows)):
        line = number % LINES
        await producer.send(
            settings.topics.samples,
            msgspec.json.encode(event),
            key=event.line_id.encode(),
            partition=line % PARTITIONS,
        )
    await producer.stop()


def bare_copy(url: str, rows: int) -> dict[str, float]:
    """The reference, in one transaction; the server's time, for the text was ready before."""
    plant = make_plant(url)
    text = copy_text(map(PRODUCTION_DATA.line, samples(rows)))
    with psycopg.connect(plant.url) as connection:
        pid = connection.info.backend_pid
        began = time.monotonic()
        with connection.cursor().copy(PRODUCTION_DATA.copy_statement) as copy:
            for start in range(0, len(text), CHUNK):
                copy.write(text[start : start + CHUNK])
        connection.commit()
        seconds = time.monotonic() - began
        cost = round(cpu_seconds(pid) / rows * 1e6, 1)
        return {"rows_per_s": round(rows / seconds), "postgres_us_per_row": cost}


def through_the_sinks(settings: Settings, rows: int, folder: Path) -> dict[str, float]:
    """Start the sinks before a full topic, and time them."""
    plant = make_plant(settings.database_url)
    asyncio.run(preload(settings, rows))
    worker = Worker(settings, folder).start()
    try:
        with psycopg.connect(plant.url, autocommit=True) as reader:
            first = wait_until(lambda: applied(reader), "the first rows", 60)
            began, cpu = time.monotonic(), cpu_seconds(worker.pid)
            wait_until(lambda: applied(reader) == rows, "the last row", 120)
            seconds = time.monotonic() - began
            cpu = cpu_seconds(worker.pid) - cpu
        stored = plant.rows('SELECT count(*) AS n FROM "ProductionData"')[0]["n"]
        assert stored == rows, f"{stored} rows of {rows}"
        return figures(rows - first, seconds, cpu, peak_mib(worker.pid), "rows")
    finally:
        worker.kill()


def applied(reader: psycopg.Connection) -> int:
    """Records that the cursors have passed."""
    found = reader.execute('SELECT coalesce(sum("nextOffset"), 0) FROM "SinkCursor"').fetchone()
    return int(found[0]) if found else 0


def measure(kind: Any, rows: int) -> dict[str, Any]:
    """The reference before and after, for the machine's mood changes."""
    folder = Path(tempfile.mkdtemp(prefix="linepulse-bench-"))
    services = Services(kind, folder)
    try:
        settings = services.settings(partitions=PARTITIONS, http_port=free_port())
        before = bare_copy(services.database(), rows)
        sinks = through_the_sinks(settings, rows, folder)
        after = bare_copy(services.database(), rows)
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)
    copied = (before["rows_per_s"] + after["rows_per_s"]) / 2
    return {
        "benchmark": "sinks",
        "services": kind,
        "rows": rows,
        "sinks": sinks,
        "bare_copy_before": before,
        "bare_copy_after": after,
        "ratio_of_rates": round(sinks["rows_per_s"] / copied, 2),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--services", choices=["native", "embedded"], default="native")
    chosen = arguments.parse_args()
    print(json.dumps(measure(chosen.services, chosen.rows), indent=2))


if __name__ == "__main__":
    main()
