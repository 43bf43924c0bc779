"""The whole way, from publish to row: latency at a plant's pace, and the highest rate that holds.

`python -m benchmarks.pipeline [--seconds 20]` prints one JSON object: Mosquitto, Apache Kafka, PostgreSQL,
one worker of each role and the publisher, all on this machine. A row's latency is its commit, as PostgreSQL
noted it, less the time that the message was made. A rate holds if, over `--seconds`, no message takes longer
than two seconds.
"""

import argparse
import json
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.gauge import cpu_seconds, peak_mib
from benchmarks.publisher import Publisher
from runtime.settings import Settings
from tests.commands import Running, environment, linepulse, running
from tests.eventually import wait_until
from tests.services import Services

ROLES = ("bridge", "streams", "sinks")
PACE = 500
RATES = (1000, 2000, 4000, 5000, 6000, 8000, 10_000, 12_000, 14_000, 16_000)
HOLDS_MS = 2000
LATENCY = """
    SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ms),
           percentile_disc(0.99) WITHIN GROUP (ORDER BY ms), max(ms)
    FROM (SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - timestamp) * 1000 AS ms
          FROM "ProductionData" WHERE timestamp >= to_timestamp(%s)) AS latency
"""


def note_commit_times(services: Services) -> None:
    """Have PostgreSQL note when each transaction was committed, from now on."""
    with psycopg.connect(services.postgres.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    services.postgres.stop()
    services.postgres.start()


def rows(settings: Settings) -> int:
    with psycopg.connect(settings.database_url) as connection:
        found = connection.execute('SELECT count(*) FROM "ProductionData"').fetchone()
    assert found is not None
    return int(found[0])


def publish(settings: Settings, roles: dict[str, Running], rate: int, seconds: float) -> dict[str, Any]:
    """Publish at a rate, wait for the last row, and tell how long they took."""
    before, began = rows(settings), time.time()
    cpu = {name: cpu_seconds(role.process.pid) for name, role in roles.items()}
    publisher = Publisher(settings.mqtt_broker_url)
    sent = publisher.publish(rate, seconds)
    wait_until(lambda: publisher.acknowledged >= sent, "the broker's acknowledgements", 60)
    publisher.close()
    wait_until(lambda: rows(settings) >= before + sent, "the last row", 120)
    assert rows(settings) == before + sent
    with psycopg.connect(settings.database_url) as connection:
        found = connection.execute(LATENCY, [began]).fetchone()
    assert found is not None
    cost = {name: cpu_seconds(role.process.pid) - cpu[name] for name, role in roles.items()}
    return {
        "messages_per_s": rate,
        "messages": sent,
        "p50_ms": round(float(found[0]), 1),
        "p99_ms": round(float(found[1]), 1),
        "max_ms": round(float(found[2]), 1),
        "cpu_us_per_message": {name: round(used / sent * 1e6, 1) for name, used in cost.items()},
    }


def measure(seconds: float) -> dict[str, Any]:
    """At a plant's pace, then faster and faster."""
    folder = Path(tempfile.mkdtemp(prefix="linepulse-bench-"))
    services = Services("native", folder)
    try:
        note_commit_times(services)
        settings = services.settings(topics=False, partitions=6)
        env = environment(settings)
        done = linepulse(env, "setup")
        assert done.returncode == 0, done.stderr
        with ExitStack() as stack:
            roles = {role: stack.enter_context(running(env, folder / role, role)) for role in ROLES}
            roles["bridge"].says("📡 En écoute")
            publish(settings, roles, PACE, 5)  # every partition assigned, every line known
            pace = publish(settings, roles, PACE, seconds)
            held = []
            for rate in RATES:
                held.append(publish(settings, roles, rate, seconds))
                if held[-1]["max_ms"] > HOLDS_MS:
                    break
            memory = {name: round(peak_mib(role.process.pid), 1) for name, role in roles.items()}
    finally:
        services.stop()
        shutil.rmtree(folder, ignore_errors=True)
    best = [step["messages_per_s"] for step in held if step["max_ms"] <= HOLDS_MS]
    return {
        "benchmark": "pipeline",
        "at_a_plants_pace": pace,
        "highest_rate_that_holds": max(best, default=None),
        "steps": held,
        "peak_mib": memory,
    }


def main() -> None:
    """Measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=20)
    print(json.dumps(measure(arguments.parse_args().seconds), indent=2))


if __name__ == "__main__":
    main()
