"""A flood of line names on the whole pipeline: what it costs the plant's own lines, and what it leaves.

`python -m benchmarks.flood [--names 100000]` prints one JSON object: Mosquitto, Apache Kafka, PostgreSQL, one
worker of each role and the page, all on this machine. Five lines that `plant.toml` names speak twice a second
each. Beside them so many other names say one message each, as fast as the bridge takes them. Phases: before;
the flood, until all that it sent is in PostgreSQL; the minute after it, in which the lines that were admitted
fall silent; and the minute after that. The reference of each figure is the first phase.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg

from benchmarks.gauge import cpu_seconds
from benchmarks.pipeline import note_commit_times
from benchmarks.publisher import Publisher
from benchmarks.role import Role
from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from schemas.raw import TICK_SECONDS
from tests.commands import environment, linepulse
from tests.eventually import wait_until
from tests.services import Services

LINES = 5
PACE = 10  # messages/s of all lines
AT_ONCE = 500  # names that are published together
AHEAD = 5000  # messages that the bridge may have yet to take
PHASE_S = 60.0
GETS = 5
PLANT = "".join(f"[lines.ligne{number}]\n" for number in range(1, LINES + 1))
ROLES = ("bridge", "streams", "sinks", "dashboard")
LATENCY = """
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ms), percentile_disc(0.99) WITHIN GROUP (ORDER BY ms),
        max(ms), count(*)
    FROM (SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - timestamp) * 1000 AS ms
          FROM "ProductionData"
          WHERE "lineId" LIKE 'ligne%%' AND timestamp >= to_timestamp(%s) AND timestamp < to_timestamp(%s)) t
"""
SETTLED = """
    SELECT (SELECT count(*) FROM "ProductionData" WHERE "lineId" NOT LIKE 'ligne%')
        + (SELECT count(*) FROM "DeadLetter")
"""
LEFT = """
    SELECT json_build_object(
        'rows', (SELECT count(*) FROM "ProductionData" WHERE "lineId" NOT LIKE 'ligne%'),
        'dead_letters', (SELECT coalesce(json_object_agg(reason, n), '{}')
            FROM (SELECT reason, count(*) AS n FROM "DeadLetter" GROUP BY 1) r),
        'alerts', (SELECT count(*) FROM "Alert" WHERE "lineId" NOT LIKE 'ligne%'),
        'stops', (SELECT count(*) FROM "Downtime" WHERE "lineId" NOT LIKE 'ligne%'),
        'windows', (SELECT count(*) FROM "KPISnapshot" WHERE "lineId" NOT LIKE 'ligne%'),
        'database_mib', pg_database_size(current_database()) / 1048576)
"""


class Bench:
    """The plant, its machines, and what is read off it."""

    def __init__(self, services: Services, folder: Path) -> None:
        plant = folder / "plant.toml"
        plant.write_text(PLANT)
        self._port = free_port()
        self.settings: Settings = services.settings(
            topics=False, partitions=6, plant=plant, dashboard_port=self._port
        )
        self.folder = folder
        self._env = environment(self.settings)
        done = linepulse(self._env, "setup")
        assert done.returncode == 0, done.stderr
        self.roles = {name: Role(self.settings, name) for name in ROLES}
        wait_until(lambda: self.roles["bridge"].metric("linepulse_mqtt_connected") == 1, "the bridge", 60)
        self._told: dict[str, float] = {}

    def ask(self, query: str, values: tuple[float, ...] | None = None) -> tuple[Any, ...]:
        """The only row of an answer."""
        with psycopg.connect(self.settings.database_url) as connection:
            found = connection.execute(query, values).fetchone()
        assert found is not None
        return tuple(found)

    @contextmanager
    def machines(self) -> Iterator[None]:
        """The plant's own lines speak all the while."""
        publisher = Publisher(self.settings.mqtt_broker_url, lambda n: b"ligne%d" % (n % LINES + 1), b"plant")
        ended = threading.Event()

        def speak() -> None:
            while not ended.is_set():
                publisher.publish(PACE, 1)

        thread = threading.Thread(target=speak)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            publisher.close()

    def phase(self, until: Callable[[float], bool], seconds: float = 1200) -> dict[str, Any]:
        """The figures of the time until `until` is true; it gets the duration so far."""
        cpu = {name: cpu_seconds(role.pid) for name, role in self.roles.items()}
        for role in self.roles.values():
            role.peak()
        began = time.time()
        while not until(time.time() - began):
            assert time.time() - began < seconds, f"waited {seconds:g} s for the end of a phase"
            for role in self.roles.values():
                role.watch()
            time.sleep(0.5)
        ended = time.time()
        time.sleep(5)  # the last messages get their rows, or they would not count
        p50, p99, slowest, rows = self.ask(LATENCY, (began, ended))
        return {
            "seconds": round(ended - began, 1),
            "rows_of_the_plant": rows,
            "p50_ms": round(float(p50), 1),
            "p99_ms": round(float(p99), 1),
            "max_ms": round(float(slowest), 1),
            "peak_mib": {name: role.peak() for name, role in self.roles.items()},
            "page": self._readings(),
            "cpu_ms_between_ticks": {
                name: round((cpu_seconds(role.pid) - cpu[name]) / (time.time() - began) * TICK_SECONDS * 1000)
                for name, role in self.roles.items()
            },
        }

    def flood(self, names: int) -> None:
        """Each name once, as fast as the bridge takes them."""
        publisher = Publisher(self.settings.mqtt_broker_url, lambda n: b"x%d" % n, b"flood")
        bridge, rate = self.roles["bridge"], 20 * AT_ONCE
        before, sent = bridge.metric("linepulse_mqtt_acked_total"), 0

        def keeps_up() -> bool:
            return bridge.metric("linepulse_mqtt_acked_total") - before > sent - AHEAD

        while sent < names:
            sent += publisher.publish(rate, min(AT_ONCE, names - sent) / rate)
            wait_until(keeps_up, "the bridge", 300, rest=0)
        wait_until(lambda: publisher.acknowledged >= names, "the broker", 60)
        publisher.close()

    def looks(self) -> dict[str, Any]:
        """How the page and the doctor answer, and what the log holds on disk."""
        return {"get": self._get(), "doctor": self._doctor(), "disk_mib": self._disk()}

    def _get(self) -> dict[str, Any]:
        taken, size = list[float](), 0
        for _ in range(GETS):
            began = time.monotonic()
            with urlopen(f"http://127.0.0.1:{self._port}/", timeout=120) as answer:
                size = len(answer.read())
            taken.append((time.monotonic() - began) * 1000)
        return {
            "ms": round(statistics.median(taken), 1),
            "slowest_ms": round(max(taken), 1),
            "kib": round(size / 1024),
        }

    def _readings(self) -> dict[str, float]:
        """Of the database, by the page, since this was asked last."""
        names = ("page_reading_seconds_sum", "page_reading_seconds_count", "page_failures_total")
        now = {name: self.roles["dashboard"].metric(f"linepulse_{name}") for name in names}
        seconds, readings, failed = (now[name] - self._told.get(name, 0) for name in names)
        self._told = now
        return {
            "reading_ms": round(seconds / max(1, readings) * 1000, 1),
            "readings": readings,
            "failed": failed,
        }

    def _doctor(self) -> dict[str, Any]:
        began = time.monotonic()
        done = linepulse(self._env, "doctor")
        wrong = done.stdout.split("❌")[1:]
        return {
            "seconds": round(time.monotonic() - began, 1),
            "exit_code": done.returncode,
            "wrong": [" ".join(line.split("✅")[0].split())[:300] for line in wrong],
        }

    def _disk(self) -> dict[str, float]:
        found = {"state_changelog": 0.0, "all_of_kafka": 0.0}
        for file in self.folder.glob("kafka-*/data/*/*.log"):
            mib = file.stat().st_blocks * 512 / 2**20
            found["all_of_kafka"] += mib
            found["state_changelog"] += mib if "changelog" in file.parent.name else 0
        return {name: round(mib, 1) for name, mib in found.items()}

    def close(self) -> None:
        """End the roles."""
        for role in self.roles.values():
            role.kill()


def measure(services: Services, folder: Path, names: int) -> dict[str, Any]:
    """Before, during and after."""
    note_commit_times(services)
    bench, found = Bench(services, folder), dict[str, Any]()
    try:
        with bench.machines():
            seen = 'SELECT count(DISTINCT "lineId") FROM "ProductionData"'
            wait_until(lambda: bench.ask(seen)[0] == LINES, "a row of each line", 60)
            time.sleep(10)
            found["before"] = bench.phase(lambda lasted: lasted >= PHASE_S)
            found["before"] |= bench.looks()
            flood = threading.Thread(target=bench.flood, args=(names,), daemon=True)
            flood.start()
            found["flood"] = bench.phase(
                lambda _: not flood.is_alive() and int(bench.ask(SETTLED)[0]) >= names, 1800
            )
            found["flood"]["names_per_s"] = round(names / found["flood"]["seconds"])
            found["minute_after"] = bench.phase(lambda lasted: lasted >= PHASE_S)
            found["later"] = bench.phase(lambda lasted: lasted >= PHASE_S)
            found["later"] |= bench.looks()
            found["left"] = bench.ask(LEFT)[0]
    finally:
        bench.close()
    restarts = {name: role.restarts for name, role in bench.roles.items()}
    return {"benchmark": "flood", "names": names, **found, "restarts": restarts, "ratios": ratios(found)}


def ratios(found: Mapping[str, Any]) -> dict[str, Any]:
    """Each phase to the first."""
    before = found["before"]
    of_phases = {
        phase: {
            "p50": round(found[phase]["p50_ms"] / before["p50_ms"], 2),
            "p99": round(found[phase]["p99_ms"] / before["p99_ms"], 2),
            "peak": {
                name: round(found[phase]["peak_mib"][name] / mib, 2)
                for name, mib in before["peak_mib"].items()
            },
        }
        for phase in ("flood", "minute_after", "later")
    }
    return {**of_phases, "get": round(found["later"]["get"]["ms"] / before["get"]["ms"], 2)}


def main() -> None:
    """Start all, measure, end all."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--names", type=int, default=100_000)
    chosen = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="linepulse-flood-"))
    services = Services("native", folder)
    try:
        print(json.dumps(measure(services, folder, chosen.names), indent=2))
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
