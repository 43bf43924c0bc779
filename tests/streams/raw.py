"""The raw log for tests: written as a bridge writes it, and the stream stage's topics read back."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any, Self

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from plant.rules import RulesRecord
from runtime.progress import progress
from runtime.settings import Settings
from schemas.raw import Kind, RawHeaders
from tests.commands import environment, with_repository
from tests.eventually import eventually
from tests.processes import start


def partition_of(settings: Settings, line_id: str) -> int:
    """The partition of a line."""
    every = list(range(settings.partitions))
    return int(DefaultPartitioner()(line_id.encode(), every, every))


class Worker:
    """A role in a process of its own."""

    def __init__(self, settings: Settings, *words: str, module: str = "linepulse") -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed at exit
        self._process = start(
            [sys.executable, "-m", module, *(words or ("streams",))],
            env=with_repository(environment(settings)),
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def said(self) -> str:
        """All output so far."""
        return os.pread(self._said.fileno(), 1 << 20, 0).decode()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """SIGSTOP."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def ended(self, seconds: float) -> tuple[int, str]:
        """Wait until it has ended by itself; return the exit code and its output."""
        return self._process.wait(seconds), self.said

    def end(self) -> tuple[int, str]:
        """SIGTERM; return the exit code and its output."""
        self._process.terminate()
        return self._process.wait(timeout=15), self.said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        print(f"worker {self.pid}:\n{self.said}")  # shown where a test fails
        self._said.close()


class RawLog:
    """Writes `production.raw`, and a generation of rules."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer = AIOKafkaProducer(
            bootstrap_servers=settings.kafka_bootstrap_servers, acks="all", linger_ms=2
        )
        self._ends: dict[int, int] = {}

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def rules(self, plant: str = "", generation: int = 1) -> None:
        """Put rules into force."""
        record = msgspec.json.encode(RulesRecord(generation, plant, "2026-01-01T00:00:00.000Z"))
        await self._producer.send_and_wait(
            self._settings.topics.rules, record, key=str(generation).encode(), partition=0
        )

    async def write(self, records: Iterable[tuple[str, int, dict[str, Any] | bytes]], run: int = 0) -> None:
        """Data messages: (line, received_at, payload)."""
        sent = []
        for line_id, received_at, payload in records:
            headers = RawHeaders(Kind.DATA, f"production/{line_id}/data", qos=1, run=run)
            value = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            sent.append(
                await self._producer.send(
                    self._settings.topics.raw,
                    value,
                    key=line_id.encode(),
                    timestamp_ms=received_at,
                    headers=headers.encode(),
                )
            )
        for record in await asyncio.gather(*sent):
            self._ends[record.partition] = record.offset + 1

    async def tick(self, received_at: int, run: int = 0) -> None:
        """A tick to every partition."""
        for partition in range(self._settings.partitions):
            record = await self._producer.send_and_wait(
                self._settings.topics.raw,
                b"",
                partition=partition,
                timestamp_ms=received_at,
                headers=RawHeaders(Kind.TICK, run=run).encode(),
            )
            self._ends[partition] = record.offset + 1

    async def applied(self, generation: int = 1) -> None:
        """Wait until the stream stage has applied all that was written here.

        Its events do not tell: most ticks have none, and each partition is read at its own pace.
        """

        async def done() -> bool:
            found = (await progress(self._settings, generation)).applied
            return all(found.get(partition, 0) >= end for partition, end in self._ends.items())

        await eventually(done, "the stream stage at the end of the raw log")


class Derived:
    """Reads derived topics to their present ends."""

    def __init__(self, settings: Settings, topics: Sequence[str]) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap_servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        self._where = [TopicPartition(t, p) for t in topics for p in range(settings.partitions)]
        self.events: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(self._where)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def read(self) -> list[dict[str, Any]]:
        """All events so far."""
        for records in (await self._consumer.getmany(timeout_ms=50)).values():
            self.events += [json.loads(record.value) for record in records]
        return self.events

    def rows(self) -> dict[str, dict[str, Any]]:
        """The highest version of each row."""
        rows: dict[str, dict[str, Any]] = {}
        for event in self.events:
            known = rows.get(event["id"])
            if known is None or event["version"] >= known["version"]:
                rows[event["id"]] = event
        return rows
