"""A plant of many lines, a message a second each: CPU of a message, age of the newest rows, bytes a day.

`python -m benchmarks.lines [--lines 10 100 300 1000] [--seconds 60] [--gather 50 100 100]` prints one JSON
object: Mosquitto, Apache Kafka, PostgreSQL, one worker of each role, the page without a visitor, and the
publisher, all on this machine. The reference is a loop of additions on the same machine, before and after.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.gauge import cpu_seconds, peak_mib
from benchmarks.pipeline import LATENCY, note_commit_times, rows
from benchmarks.publisher import Publisher
from linepulse.embedded.server import children_of
from runtime.settings import Settings
from tests.commands import Running, environment, linepulse, running
from tests.eventually import wait_until
from tests.services import Services

ROLES = ("bridge", "streams", "sinks", "dashboard")
LINES = (10, 100, 300, 1000)
PARTITIONS = 6
WARM_UP_S = 15.0
DAY_S = 86_400
ADDITIONS = 20_000_000
# How old a line's newest row had become each time that a newer one took its place.
AGE = """
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ms),
           percentile_disc(0.99) WITHIN GROUP (ORDER BY ms), max(ms)
    FROM (
        SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)
                       - lag(timestamp) OVER (PARTITION BY "lineId" ORDER BY timestamp)) * 1000 AS ms
        FROM "ProductionData" WHERE timestamp >= to_timestamp(%s)
    ) AS age WHERE ms IS NOT NULL
"""


def additions_s() -> float:
    """Seconds of a loop of ADDITIONS, as in a script outside of functions: a measure of the machine."""
    loop = compile(f"total = 0\nfor number in range({ADDITIONS}):\n    total += number", "additions", "exec")
    began = time.perf_counter()
    exec(loop, {})
    return round(time.perf_counter() - began, 2)


def tree_seconds(pid: int) -> float:
    """CPU time of a process and of all of its children, those that have ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return cpu_seconds(pid) + ended + sum(cpu_seconds(child) for child in children_of(pid))


class Plant:
    """The servers and the roles, and what they have used so far."""

    def __init__(self, services: Services, settings: Settings, roles: Mapping[str, Running]) -> None:
        self.settings = settings
        self._services = services
        self._roles = roles

    def cpu(self) -> dict[str, float]:
        """CPU seconds by process; `publisher` is this one."""
        servers = {
            "kafka": self._services.kafka,
            "mosquitto": self._services.mqtt,
            "postgres": self._services.postgres,
        }
        used = {name: cpu_seconds(role.process.pid) for name, role in self._roles.items()}
        used |= {name: tree_seconds(server.pid) for name, server in servers.items()}  # type: ignore[attr-defined]
        return {**used, "publisher": time.process_time()}

    def stored(self, kafka: Path) -> dict[str, int]:
        """Bytes written so far: raw log, derived topics, changelog, PostgreSQL's WAL and tables."""
        prefix = self.settings.topic_prefix
        sizes: dict[str, int] = {"raw_log": 0, "derived": 0, "changelog": 0}
        for segment in kafka.rglob("*.log"):
            folder = segment.parent.name
            if folder.startswith(f"{prefix}.raw-"):
                sizes["raw_log"] += segment.stat().st_size
            elif folder.startswith(f"{prefix}-streams") and "changelog" in folder:
                sizes["changelog"] += segment.stat().st_size
            elif folder.startswith(f"{prefix}."):
                sizes["derived"] += segment.stat().st_size
        with psycopg.connect(self.settings.database_url) as connection:
            found = connection.execute(
                "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn, pg_database_size(current_database())"
            ).fetchone()
        assert found is not None
        return {**sizes, "postgres_wal": int(found[0]), "postgres_tables": int(found[1])}

    def mib(self) -> dict[str, float]:
        """The most memory that each role has held."""
        return {name: round(peak_mib(role.process.pid), 1) for name, role in self._roles.items()}


def at(plant: Plant, kafka: Path, lines: int, seconds: float) -> dict[str, Any]:
    """A plant of so many lines for so many seconds, after a time in which all of them became known."""
    publisher = Publisher(plant.settings.mqtt_broker_url, lambda number: b"ligne%d" % (number % lines + 1))
    publisher.publish(lines, WARM_UP_S)
    before, stored, began, clock = plant.cpu(), plant.stored(kafka), time.time(), time.monotonic()
    there = rows(plant.settings)
    sent = publisher.publish(lines, seconds)
    after, took = plant.cpu(), time.monotonic() - clock
    behind = sent - (rows(plant.settings) - there)
    wait_until(lambda: rows(plant.settings) >= there + sent, "the last row", 300)
    written = plant.stored(kafka)
    publisher.close()
    with psycopg.connect(plant.settings.database_url) as connection:
        latency = connection.execute(LATENCY, [began]).fetchone()
        age = connection.execute(AGE, [began]).fetchone()
    assert latency is not None
    assert age is not None
    used = {name: after[name] - before[name] for name in before}
    counted = sum(used.values()) - used["publisher"]
    return {
        "lines": lines,
        "messages": sent,
        "cpu_ms_per_message": round(counted / sent * 1000, 2),
        "cpu_percent": {name: round(seconds_used / took * 100, 1) for name, seconds_used in used.items()},
        "rows_behind_at_the_end": behind,
        "publish_to_row_ms": quantiles(latency),
        "age_of_newest_row_ms": quantiles(age),
        "mib_a_day": {name: round((written[name] - stored[name]) / took * DAY_S / 2**20) for name in stored},
    }


def quantiles(found: tuple[Any, ...]) -> dict[str, float]:
    return {name: round(float(value)) for name, value in zip(("p50", "p99", "max"), found, strict=True)}


def idle(plant: Plant, seconds: float) -> dict[str, float]:
    """CPU of each process while no line sends anything, in per cent of a core."""
    before, clock = plant.cpu(), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - clock
    return {name: round((used - before[name]) / took * 100, 1) for name, used in plant.cpu().items()}


def measure(counts: list[int], seconds: float, gather: list[int]) -> dict[str, Any]:
    """An idle plant, then one of more and more lines."""
    reference = additions_s()
    folder = Path(tempfile.mkdtemp(prefix="linepulse-bench-"))
    services = Services("native", folder)
    try:
        note_commit_times(services)
        times: dict[str, Any] = dict(
            zip(("bridge_gather_ms", "streams_gather_ms", "sinks_gather_ms"), gather, strict=False)
        )
        settings = services.settings(topics=False, partitions=PARTITIONS, dashboard_port=0, **times)
        env = environment(settings)
        done = linepulse(env, "setup")
        assert done.returncode == 0, done.stderr
        with ExitStack() as stack:
            roles = {role: stack.enter_context(running(env, folder / role, role)) for role in ROLES}
            roles["bridge"].says("📡 En écoute")
            plant = Plant(services, settings, roles)
            time.sleep(WARM_UP_S)
            quiet = idle(plant, min(seconds, 20))
            steps = [at(plant, folder, lines, seconds) for lines in counts]
            memory = plant.mib()
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "benchmark": "lines",
        "additions_s": [reference, additions_s()],
        "idle_cpu_percent": quiet,
        "steps": steps,
        "peak_mib": memory,
    }


def main() -> None:
    """Measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lines", type=int, nargs="+", default=list(LINES))
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument(
        "--gather", type=int, nargs=3, default=[], metavar="MS", help="bridge, streams, sinks"
    )
    chosen = arguments.parse_args()
    print(json.dumps(measure(chosen.lines, chosen.seconds, chosen.gather), indent=2))


if __name__ == "__main__":
    main()
