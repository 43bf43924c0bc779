"""A bridge as its own process, machines that publish to it, and the log that it writes."""

import asyncio
import json
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import unquote
from urllib.request import urlopen

import paho.mqtt.client as mqtt
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from paho.mqtt.enums import CallbackAPIVersion

from runtime.settings import Settings
from schemas.raw import Kind, RawHeaders
from tests.commands import environment, with_repository
from tests.eventually import eventually, wait_until
from tests.processes import start

# A connection that Kafka's client opens while it is being closed stays open until the process ends. Where
# telling of it raises, uvloop's loop never closes.
WARNINGS = "error,default::ResourceWarning"
ACKNOWLEDGED = "linepulse_mqtt_acked_total"


class BridgeProcess:
    """`python -m bridge`, or another module that runs one, with the lines of its log. `begin` starts it."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        module: str = "bridge",
        begin: Callable[..., "subprocess.Popen[str]"] = start,
    ) -> None:
        self.lines: list[dict[str, Any]] = []
        self._errors = folder / "stderr.log"
        with self._errors.open("ab") as errors:
            self._process = begin(
                [sys.executable, "-m", module],
                env=with_repository(environment(settings, LINEPULSE_LOG="json", PYTHONWARNINGS=WARNINGS)),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = settings.http_port

    def _read(self) -> None:
        for line in cast(Iterable[str], self._process.stdout):
            self.lines.append(json.loads(line))

    @property
    def pid(self) -> int:
        return self._process.pid

    def logged(self) -> list[str]:
        return [line["key"] for line in self.lines]

    def last_facts(self, key: str) -> dict[str, Any]:
        """The facts of the last line with this key."""
        return [line for line in self.lines if line["key"] == key][-1]

    def wait_for(self, key: str, times: int = 1) -> Self:
        """Wait until it has logged so many lines with this key."""

        def enough() -> bool:
            assert self._process.poll() is None or self.logged().count(key) >= times, self.errors()
            return self.logged().count(key) >= times

        wait_until(enough, f"the bridge to say {key}")
        return self

    def listening(self, times: int = 1) -> Self:
        """Wait until it listens, for the nth time."""
        return self.wait_for("bridge.listening", times)

    def send(self, signum: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(signum)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self.ended()

    def terminate(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """SIGTERM; return its exit code, within the 10 s that it has."""
        self._process.send_signal(signum)
        return self.ended(10)

    def ended(self, seconds: float = 20) -> int:
        code = self._process.wait(seconds)
        self._reader.join(5)
        if self._process.stdout:
            self._process.stdout.close()
        return code

    def running(self) -> bool:
        return self._process.poll() is None

    def errors(self) -> str:
        """What it wrote to standard error."""
        return self._errors.read_text("utf-8", "replace")

    def metric(self, name: str) -> float:
        """A figure from `/metrics`."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics") as page:
            for line in page.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        raise KeyError(name)

    async def acknowledges(self, more: int) -> None:
        """Wait until it has acknowledged so many messages more."""
        before = self.metric(ACKNOWLEDGED)

        async def enough() -> bool:
            return self.metric(ACKNOWLEDGED) - before >= more

        await eventually(enough, f"{more} acknowledgements")

    def settled(self, name: str, seconds: float = 0.5) -> float:
        """A figure, once it has been the same for so long."""
        value, since = self.metric(name), time.monotonic()

        def settled() -> bool:
            nonlocal value, since
            if (now := self.metric(name)) != value:
                value, since = now, time.monotonic()
            return time.monotonic() - since >= seconds

        wait_until(settled, f"{name} to settle")
        return value

    def peak_bytes(self) -> int:
        """Its peak of resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024


class Machine:
    """A client that publishes, in the background."""

    def __init__(self, settings: Settings, in_flight: int = 100) -> None:
        url = settings.mqtt
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        if url.username:
            self._client.username_pw_set(unquote(url.username), unquote(url.password or ""))
        if url.scheme == "mqtts":
            self._client.tls_set_context(ssl.create_default_context(cafile=settings.mqtt_ca_file))
        self._client.max_inflight_messages_set(in_flight)
        self._client.connect(url.hostname or "", url.port or 1883)
        self._client.loop_start()

    def publish(
        self, topic: str, payloads: Iterable[bytes], qos: int = 1, retain: bool = False
    ) -> list[mqtt.MQTTMessageInfo]:
        """Hand payloads to the client, in order; the broker may not have them yet."""
        return [self._client.publish(topic, payload, qos, retain) for payload in payloads]

    def deliver(self, topic: str, payloads: Iterable[bytes], qos: int = 1, retain: bool = False) -> None:
        """Publish, and wait until the broker has them all."""
        for info in self.publish(topic, payloads, qos, retain):
            info.wait_for_publish(60)
            assert info.is_published()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Log:
    """The records of `production.raw`, read as it grows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: Any = None
        self.records: list[ConsumerRecord] = []

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap_servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await self._consumer.start()
        partitions = [
            TopicPartition(self._settings.topics.raw, number) for number in range(self._settings.partitions)
        ]
        self._consumer.assign(partitions)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def read(self) -> None:
        """Read what is new."""
        for records in (await self._consumer.getmany(timeout_ms=50)).values():
            self.records += records

    async def holds(self, count: int, *lines: str) -> list[ConsumerRecord]:
        """Wait until `count` different payloads of these lines are there; all their records, in log order."""

        async def enough() -> bool:
            await self.read()
            return len(self.records) >= count <= len({record.value for record in self.of(*lines)})

        await eventually(enough, f"{count} payloads of {lines} in the log")
        return self.of(*lines)

    def of(self, *lines: str) -> list[ConsumerRecord]:
        """The records of some lines."""
        keys = {line.encode() for line in lines}
        return sorted((r for r in self.records if r.key in keys), key=lambda r: (r.partition, r.offset))

    def of_kind(self, kind: Kind) -> list[ConsumerRecord]:
        """The records of a kind."""
        return [record for record in self.records if headers(record).kind is kind]

    async def settled(self) -> None:
        """Wait until nothing but ticks arrives for a second."""

        async def nothing_new() -> bool:
            before = len(self.records)
            async with asyncio.timeout(20):
                for records in (await self._consumer.getmany(timeout_ms=1000)).values():
                    self.records += records
            return all(headers(record).kind is Kind.TICK for record in self.records[before:])

        await eventually(nothing_new, "the log to come to rest")


def headers(record: ConsumerRecord) -> RawHeaders:
    """The headers of a raw record."""
    return RawHeaders.decode(record.headers)


def by_line(records: list[ConsumerRecord]) -> dict[str, list[bytes]]:
    """Each line's payloads, in log order."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for record in records:
        found[record.key.decode()].append(record.value)
    return found


def first_times(payloads: list[bytes]) -> list[bytes]:
    """Payloads without repetitions, each at its first place."""
    return list(dict.fromkeys(payloads))
