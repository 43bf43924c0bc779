"""The memory of the streams and the sinks worker while what they write to is away, on real servers.

`python -m benchmarks.away [--stage streams|sinks] [--how frozen|stopped] [--seconds 300] [--rate 3000]`
prints one JSON object: MiB at worst before, while it is away, and while catching up, how often a process had
to be started again, and the seconds until all is caught up. Streams: Kafka goes away in the middle of a
backlog. Sinks: PostgreSQL goes away, and machines, bridge and streams go on.
"""

import argparse
import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.publisher import Publisher
from benchmarks.role import Role
from benchmarks.streams import fill
from runtime.settings import Settings
from tests.eventually import wait_until
from tests.services import AnyServer, Services
from tests.sinks.conftest import make_plant
from tests.streams.raw import RawLog

WARM_UP_S = 10.0
EVERY_S = 0.5  # counting rows more often would be a load of its own
BACKLOG = 400_000
APPLIED = "linepulse_records_applied_total"
LEAVE: Mapping[str, tuple[Callable[[AnyServer], None], Callable[[AnyServer], None]]] = {
    "frozen": (lambda server: server.freeze(), lambda server: server.thaw()),
    "stopped": (lambda server: server.stop(), lambda server: server.start()),
}


class Outage:
    """A server that goes away and comes back, and roles that live through it."""

    def __init__(self, server: AnyServer, how: str, roles: Mapping[str, Role]) -> None:
        self._server = server
        self._leave, self._come_back = LEAVE[how]
        self._roles = roles
        self._peaks: dict[str, dict[str, float]] = {name: {} for name in roles}

    def last(self, seconds: float, back: Callable[[], bool]) -> dict[str, Any]:
        """Let it last so long; then wait until `back` is true. The figures of each role."""
        self._note("mib_before")
        self._leave(self._server)
        began = time.monotonic()
        self._until(lambda: time.monotonic() - began >= seconds, seconds + 60)
        self._note("mib_at_worst_while_away")
        self._come_back(self._server)
        began = time.monotonic()
        self._until(back, 1200)
        self._note("mib_at_worst_catching_up")
        restarts = {name: {"restarts": role.restarts} for name, role in self._roles.items()}
        return {
            "seconds_to_catch_up": round(time.monotonic() - began, 1),
            **{name: {**peaks, **restarts[name]} for name, peaks in self._peaks.items()},
        }

    def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited {seconds:g} s for the end of a phase"
            for role in self._roles.values():
                role.watch()
            time.sleep(EVERY_S)

    def _note(self, phase: str) -> None:
        for name, role in self._roles.items():
            self._peaks[name][phase] = role.peak()


def streams(services: Services, how: str, _rate: int, seconds: float) -> dict[str, Any]:
    """Kafka goes away when a tenth of the backlog is done."""
    settings = services.settings(partitions=6, database_url="postgresql://none/none")
    asyncio.run(fill(settings, BACKLOG))
    role = Role(settings, "streams")
    try:
        wait_until(lambda: role.metric(APPLIED) > BACKLOG // 10, "a tenth of the backlog", 120)
        done = role.metric(APPLIED)
        # A worker that was started again counts from nought.
        figures = Outage(services.kafka, how, {"streams": role}).last(
            seconds, lambda: role.metric(APPLIED) >= BACKLOG - (done if role.restarts else 0)
        )
        return {"backlog": BACKLOG, **figures}
    finally:
        role.kill()


def sinks(services: Services, how: str, rate: int, seconds: float) -> dict[str, Any]:
    """PostgreSQL goes away; everything else goes on at a steady rate."""
    settings = services.settings(partitions=6)
    make_plant(settings.database_url)
    asyncio.run(_rules(settings))
    roles = {name: Role(settings, name) for name in ("bridge", "streams", "sinks")}
    publisher = Publisher(settings.mqtt_broker_url)
    try:
        wait_until(lambda: roles["bridge"].metric("linepulse_mqtt_connected") == 1, "the bridge", 60)
        publisher.publish(rate, WARM_UP_S)
        wait_until(lambda: rows(settings) == publisher.acknowledged, "the first rows", 120)
        load = threading.Thread(target=publisher.publish, args=(rate, seconds), daemon=True)
        load.start()
        figures = Outage(services.postgres, how, roles).last(
            seconds, lambda: not load.is_alive() and rows(settings) == publisher.acknowledged
        )
        return {"rate": rate, "messages": publisher.acknowledged, **figures}
    finally:
        publisher.close()
        for role in roles.values():
            role.kill()


async def _rules(settings: Settings) -> None:
    async with RawLog(settings) as log:
        await log.rules()


def rows(settings: Settings) -> int:
    """Rows of samples; -1 while PostgreSQL is not yet back."""
    try:
        with psycopg.connect(settings.database_url) as connection:
            found = connection.execute('SELECT count(*) FROM "ProductionData"').fetchone()
    except psycopg.OperationalError:
        return -1
    return int(found[0]) if found else 0


def main() -> None:
    """Start the servers and the roles, measure, end them all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--stage", choices=["streams", "sinks"], default="sinks")
    options.add_argument("--how", choices=list(LEAVE), default="frozen")
    options.add_argument("--seconds", type=float, default=300)
    options.add_argument("--rate", type=int, default=3000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        services = Services("native", Path(folder))
        try:
            measure = {"streams": streams, "sinks": sinks}[chosen.stage]
            figures = measure(services, chosen.how, chosen.rate, chosen.seconds)
            about = {"stage": chosen.stage, "how": chosen.how, "seconds": chosen.seconds}
            print(json.dumps({"away": {**about, **figures}}, indent=2))
        finally:
            services.stop()


if __name__ == "__main__":
    main()
