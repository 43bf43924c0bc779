"""A log and the changelog of its lines' states, without Kafka: a test decides when a worker dies."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from itertools import count

from faust.types import TP
from msgspec.structs import replace

from plant.rules import Rules, read_plant
from rules.partition import Lines
from runtime.log_end import Applied, Logs
from runtime.narrator import Narrator
from schemas.events import Event
from schemas.raw import Kind, RawHeaders, RawRecord
from streams.sent import Sent
from streams.store import LineStore
from tests.rules.line import at

RULES = Rules(1, read_plant("[line.order]\nquantity = 7"))
WHERE = TP("production.raw", 0)


class Changelog:
    """A table that keeps every write, in order."""

    def __init__(self, writes: list[tuple[bytes, bytes | None]]) -> None:
        self.writes = writes
        self.data = {key: value for key, value in dict(writes).items() if value is not None}

    def values(self) -> list[bytes]:
        return list(self.data.values())

    def send_changelog(self, partition: int, key: bytes, value: bytes | None) -> Awaitable[None]:
        assert partition == WHERE.partition
        self.writes.append((key, value))
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(None)
        return answer


class Log(Logs):
    """The raw log, as `Logs` reads it from Kafka."""

    def __init__(self, records: list[RawRecord]) -> None:
        super().__init__("nowhere")
        self.records = records

    async def ends(self, partitions: Collection[TP]) -> dict[TP, int]:
        return dict.fromkeys(partitions, len(self.records))

    async def others(self, applied: Mapping[TP, Applied]) -> set[TP]:
        times = {record.offset: record.received_at for record in self.records}
        return {tp for tp, last in applied.items() if times.get(last.offset) != last.time}

    async def begins(self, partitions: Collection[TP]) -> dict[TP, int]:
        return dict.fromkeys(partitions, 0)


def store_of(
    changelog: Changelog,
    records: list[RawRecord],
    clock: Callable[[], float] | None = None,
    kind: type[LineStore] = LineStore,
    logs: type[Log] = Log,
) -> LineStore:
    """A store that saves whenever it is asked to, unless its clock is stopped."""
    clock = clock or count(0.0, 2.0).__next__
    return kind(RULES, "production.raw", changelog, logs(records), Narrator("en"), Sent(), clock)


def log_of(lines: str) -> list[RawRecord]:
    """A message of line `a` for each letter a, and so on; a tick for each dot; ten seconds apart."""
    records = []
    for offset, line in enumerate(lines):
        kind = Kind.TICK if line == "." else Kind.DATA
        headers = RawHeaders(kind, f"production/{line}/data", 1)
        payload = b"" if line == "." else b'{"count":1,"running":true}'
        records.append(
            RawRecord(0, offset, at("10:00") + offset * 10_000, line if payload else None, headers, payload)
        )
    return records


def fold(lines: Lines, records: list[RawRecord]) -> list[Event]:
    return [change.form() for record in records for change in lines.apply(record)]


async def fill(store: LineStore, records: list[RawRecord], size: int = 3) -> list[Event]:
    """Apply the records that the store has not seen; return their rows."""
    start = (await store.positions([WHERE]))[WHERE]
    events: list[Event] = []
    for first in range(start, len(records), size):
        events += fold(store.lines(0), records[first : first + size])
        await store.settled(0)
        store.save(0)
    return events


def later(records: list[RawRecord]) -> list[RawRecord]:
    """The same lines in a log made anew, an hour later."""
    return [replace(record, received_at=record.received_at + 3_600_000) for record in records]
