"""A streams worker whose Kafka client hands over what a test says: too early, too late, or not at all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from aiokafka import ConsumerRecord
from faust.types import TP

import streams.agent
from runtime.batches import Stage
from runtime.narrator import Narrator
from runtime.settings import Settings
from schemas.events import Event
from schemas.raw import RawRecord
from streams.sent import Sent
from tests.eventually import eventually
from tests.streams.changelog import RULES, WHERE, Changelog, Log


class Gate:
    """Holds up whoever passes while it is shut."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._waiting = 0

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    @property
    def is_shut(self) -> bool:
        return not self._open.is_set()

    async def passed(self) -> None:
        self._waiting += 1
        await self._open.wait()
        self._waiting -= 1

    async def holds_somebody_up(self) -> None:
        """Wait until somebody stands before it."""

        async def held_up() -> bool:
            return self._waiting > 0

        await eventually(held_up, "somebody at the gate")


class Client:
    """Stands in for Faust's consumer, of one partition and where it reads."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.reads_at = 0
        self.gate = Gate()
        self.seek_gate = Gate()
        self.seeks: Counter[TP] = Counter()
        self._committed_offset: dict[TP, int] = {}

    def assignment(self) -> set[TP]:
        return {WHERE}

    async def earliest_offsets(self, *partitions: TP) -> dict[TP, int]:
        await self.gate.passed()
        return dict.fromkeys(partitions, 0)

    async def seek_wait(self, offsets: Mapping[TP, int]) -> None:
        await self.seek_gate.passed()
        self.seeks.update(offsets.keys())
        self.reads_at = offsets[WHERE]

    def highwater(self, _tp: TP) -> int:
        return len(self.log.records)


class Fetched:
    """Stands in for Faust's stream: what was fetched and is not taken yet."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Any] = asyncio.Queue()
        self._untaken = 0

    def put(self, message: Any) -> None:
        self._untaken += 1
        self._waiting.put_nowait(SimpleNamespace(message=message, ack=self._taken))

    def _taken(self) -> None:
        self._untaken -= 1

    def noack(self) -> "Fetched":
        return self

    async def events(self) -> AsyncIterator[Any]:
        while True:
            yield await self._waiting.get()

    async def all_taken(self) -> bool:
        return self._untaken == 0


class Outbox:
    """Keeps the events that were sent."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.gate = Gate()
        self.sent = Sent()

    async def send(self, _partition: int, events: Iterable[Event], _instead: object) -> None:
        await self.gate.passed()
        self.events += events


class Worker:
    """The agent and its stage as a process runs them, on one partition."""

    def __init__(self, log: Log, stage: type[Stage], monkeypatch: Any) -> None:
        self.client = Client(log)
        self.outbox = Outbox()
        self.log = log
        self.table = Changelog([])
        self._fetched = Fetched()
        self._app = SimpleNamespace(
            consumer=self.client,
            transport=SimpleNamespace(),
            on_partitions_revoked=SimpleNamespace(connect=self._on_revoked),
            should_stop=False,
            crash=self._crash,
            Table=lambda *_, **__: self.table,
            topic=lambda *_, **__: None,
            agent=lambda *_, **__: lambda _: None,
        )
        settings = Settings(_env_file=None, topic_prefix="production", partitions=1)
        monkeypatch.setattr(streams.agent, "Logs", lambda _: log)
        monkeypatch.setattr(streams.agent, "Stage", stage)
        monkeypatch.setattr(streams.agent, "StateLog", lambda *_: self.table)
        agent = streams.agent.LineAgent(self._app, RULES, settings, self.outbox, Narrator("en"))  # type: ignore[arg-type]
        self.stage = agent.attach()
        self.client.seeks = self.stage.seeks
        self.crashed: BaseException | None = None
        self._works = asyncio.create_task(self.stage.each(self._fetched, agent.apply))

    async def assigned(self) -> None:
        """The partition is the worker's."""
        self.stage.locate()
        assert self.stage._locating is not None
        await self.stage._locating

    async def revoked(self) -> None:
        """The partition is nobody's: a rebalance begins."""
        await self._forget()

    def hands_over(self, first: int, after: int, seeks_ago: int = 0) -> None:
        """The client hands over the records from `first` to before `after`, and will read on from there.

        `seeks_ago`: how often it was sought since they were fetched.
        """
        records = [_as_consumed(record) for record in self.log.records[first:after]]
        seeks = self.client.seeks[WHERE] - seeks_ago
        consumer = self._app.transport.Consumer
        self._fetched.put(consumer._batch(SimpleNamespace(), WHERE, records, seeks, 1))
        self.client.reads_at = after

    async def takes(self, first: int, after: int) -> None:
        """The client hands these over, and the worker does with them what it wants."""
        self.hands_over(first, after)
        await self.is_idle()

    async def reads_on(self) -> None:
        """The client hands over all that there is from where it reads, after every seek."""
        await self.is_idle()
        while self.client.reads_at < len(self.log.records):
            await self.takes(self.client.reads_at, len(self.log.records))

    async def is_idle(self) -> None:
        """Wait until it has taken all that was handed over."""
        await eventually(self._fetched.all_taken, "the worker to take what it was handed")
        assert not self._works.done(), self._works

    async def end(self) -> None:
        self._works.cancel()
        await asyncio.wait({self._works})

    async def has_crashed(self) -> bool:
        """Whether its process would have ended."""
        return self.crashed is not None

    async def _crash(self, error: BaseException) -> None:
        self.crashed = error
        raise error

    def _on_revoked(self, forget: Callable[..., Awaitable[None]], *, weak: bool) -> None:
        assert not weak  # nobody else holds it
        self._forget = forget


def _as_consumed(record: RawRecord) -> ConsumerRecord:
    return ConsumerRecord(
        topic=WHERE.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.received_at,
        timestamp_type=0,
        key=record.line_id and record.line_id.encode(),
        value=record.payload,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=len(record.payload),
        headers=tuple(record.headers.encode()),
    )
