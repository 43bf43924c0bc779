"""Messages a second from the raw log to shadow tables, beside a bare read and a bare COPY of the same data.

`python -m benchmarks.rebuild [--records 300000]` prints one JSON object. The log waits in Apache Kafka; each
part runs in a process of its own. `cpu_us_per_message` is what the process itself used: PostgreSQL and Kafka
work on the other core. Memory is measured on a tenth of the log, too: it must not grow with it.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.gauge import cpu_seconds, figures, peak_mib
from benchmarks.machines import fill
from linepulse.commands.setup import prepare_database
from rebuild.table_builder import TableBuilder
from rebuild.workers import OBJECTS
from runtime.rules_in_force import settle_rules
from runtime.settings import Settings
from runtime.worker import spare_the_collector
from tests.commands import environment
from tests.services import Services

PARTITIONS = 6
SHADOW = "generation_2"
CHUNK = 1 << 16


async def read(settings: Settings) -> int:
    """All records, partition by partition, with aiokafka and nothing else."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 << 20,
    )
    await consumer.start()
    count = 0
    for number in range(settings.partitions):
        where = TopicPartition(settings.topics.raw, number)
        end = (await consumer.end_offsets([where]))[where]
        consumer.assign([where])
        consumer.seek(where, 0)
        while await consumer.position(where) < end:
            for records in (await consumer.getmany(where, timeout_ms=500, max_records=5000)).values():
                count += len(records)
    await consumer.stop()
    return count


def copy(settings: Settings) -> int:
    """One COPY of rows that are ready as text, into a table with the same key and indexes."""
    with psycopg.connect(settings.database_url) as connection, tempfile.TemporaryFile() as rows:
        with connection.cursor().copy(f'COPY {SHADOW}."ProductionData" TO STDOUT') as out:
            for data in out:
                rows.write(data)
        connection.execute('CREATE TABLE copied (LIKE "ProductionData" INCLUDING ALL)')
        rows.seek(0)
        began, cpu = time.monotonic(), cpu_seconds()
        with connection.cursor().copy("COPY copied FROM STDIN") as into:
            while data := rows.read(CHUNK):
                into.write(data)
        connection.commit()
        count = connection.execute("SELECT count(*) FROM copied").fetchone()
        connection.execute("DROP TABLE copied")
    assert count is not None
    print_figures(int(count[0]), began, cpu)
    return 0


def rebuild(settings: Settings, workers: int) -> int:
    """From the log to tables, before indexes; then with them."""
    spare_the_collector(OBJECTS)
    with TableBuilder(settings, "", workers) as made:
        extents = made.extents()
        began, cpu = time.monotonic(), cpu_seconds()
        made.apply(extents, lambda _: None)
        print_figures(made.applied(), began, cpu)
        began = time.monotonic()
        made.finish()
        print(json.dumps({"indexes_s": round(time.monotonic() - began, 1)}), flush=True)
    return 0


def print_figures(count: int, began: float, cpu: float) -> None:
    found = figures(count, time.monotonic() - began, max(cpu_seconds() - cpu, 0.001), peak_mib())
    print(json.dumps(found), flush=True)


def part(name: str, workers: int) -> None:
    """Be one part, in this process."""
    settings = Settings.read()
    if name == "read":
        began, cpu = time.monotonic(), cpu_seconds()
        print_figures(asyncio.run(read(settings)), began, cpu)
    elif name == "copy":
        copy(settings)
    else:
        rebuild(settings, workers)


def run_part(settings: Settings, name: str, workers: int = 1) -> dict[str, float]:
    """Run a part in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.rebuild", "--part", name, "--workers", str(workers)],
        env=environment(settings),
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, float] = {}
    for line in done.stdout.splitlines():
        found |= json.loads(line)
    return found


def forget(settings: Settings) -> None:
    """The tables that a part made."""
    with TableBuilder(settings, "") as made:
        made.drop()


def set_up(services: Services, records: int) -> Settings:
    """A plant with a log of so many messages."""
    settings = services.settings(partitions=PARTITIONS, http_port=0)
    prepare_database(settings.database_url)
    asyncio.run(settle_rules(settings, ""))
    asyncio.run(fill(settings, records))
    return settings


def measure(records: int) -> dict[str, Any]:
    """All parts, one after the other, on the same log."""
    folder = Path(tempfile.mkdtemp(prefix="linepulse-bench-"))
    services = Services("native", folder)
    try:
        small = set_up(services, records // 10)
        tenth = run_part(small, "rebuild")
        settings = set_up(services, records)
        bare_read = run_part(settings, "read")
        one = run_part(settings, "rebuild")
        bare_copy = run_part(settings, "copy")
        forget(settings)
        two = run_part(settings, "rebuild", workers=2)
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "benchmark": "rebuild",
        "records": records,
        "rebuild": one,
        "bare_aiokafka_read": bare_read,
        "bare_copy_of_its_rows": bare_copy,
        "ratio_to_read": round(one["messages_per_s"] / bare_read["messages_per_s"], 2),
        "ratio_to_copy": round(one["messages_per_s"] / bare_copy["messages_per_s"], 2),
        "two_workers_messages_per_s": two["messages_per_s"],
        "ratio_of_two_workers": round(two["messages_per_s"] / one["messages_per_s"], 2),
        "peak_mib_of_a_tenth_of_the_log": tenth["peak_mib"],
        "peak_mib": one["peak_mib"],
    }


def main() -> None:
    """Measure, or be a part."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, default=300_000)
    arguments.add_argument("--part", choices=["read", "copy", "rebuild"])
    arguments.add_argument("--workers", type=int, default=1)
    chosen = arguments.parse_args()
    if chosen.part:
        part(chosen.part, chosen.workers)
    else:
        print(json.dumps(measure(chosen.records), indent=2))


if __name__ == "__main__":
    main()
