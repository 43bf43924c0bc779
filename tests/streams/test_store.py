"""What is read back from the changelog after a crash between any two of its writes."""

import asyncio
from collections.abc import Awaitable

from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Event
from schemas.plant import Rules, read_plant
from schemas.raw import Kind, RawHeaders, RawRecord
from streams.partition import Lines
from streams.store import LineStore
from tests.streams.line import at, rows_of

RULES = Rules(1, read_plant("[line.order]\nquantity = 7"))
WHERE = TP("production.raw", 0)


class Changelog:
    """A table that keeps every write, in order."""

    def __init__(self, writes: list[tuple[bytes, bytes]]) -> None:
        self.writes = writes
        self.data = dict(writes)

    def values(self) -> list[bytes]:
        return list(self.data.values())

    def send_changelog(self, partition: int, key: bytes, value: bytes) -> Awaitable[None]:
        assert partition == WHERE.partition
        self.writes.append((key, value))
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(None)
        return answer


def log_of(lines: str) -> list[RawRecord]:
    """One message a letter, of the line of that name; a tick for each dot. Ten seconds lie between two."""
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


@settings(max_examples=60, deadline=None)
@given(st.text("abc.", min_size=1, max_size=30), st.integers(1, 8))
def test_a_crash_between_any_two_writes_loses_no_line(letters: str, size: int):
    """Newborn lines among the missing: the partition starts again before their birth, every row is right."""
    #  save 1     save 2          crash after each of them, or between
    #  a b │ own │ a c b │ own │ ...
    records = log_of(letters)
    straight = rows_of(fold(Lines(RULES, "production.raw", 0), records))

    async def crash_everywhere() -> None:
        changelog = Changelog([])
        store = LineStore(RULES, "production.raw", changelog)
        await store.positions([WHERE])
        sent: list[Event] = []
        durable = [(0, 0)]  # (writes, events) after each save
        for first in range(0, len(records), size):
            sent += fold(store.lines(0), records[first : first + size])
            await store.settled(0)
            store.save(0)
            durable.append((len(changelog.writes), len(sent)))
        for writes in range(len(changelog.writes) + 1):
            after = LineStore(RULES, "production.raw", Changelog(changelog.writes[:writes]))
            start = (await after.positions([WHERE]))[WHERE]
            events = next(events for held, events in durable if held >= writes)
            again = fold(after.lines(0), records[start:])
            assert rows_of([*sent[:events], *again]) == straight, f"after {writes} writes"

    asyncio.run(crash_everywhere())


def test_a_line_that_only_time_touches_is_written_once_a_minute():
    """A thousand quiet lines cost nothing."""

    async def write() -> list[bytes]:
        changelog = Changelog([])
        store = LineStore(RULES, "production.raw", changelog)
        await store.positions([WHERE])
        for record in log_of("a" + "." * 18):
            fold(store.lines(0), [record])
            await store.settled(0)
            store.save(0)
        return [key for key, _ in changelog.writes]

    assert asyncio.run(write()).count(b"a") == 4
