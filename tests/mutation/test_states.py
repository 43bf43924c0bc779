"""Line states without one of their protections: the same story, and wrong rows."""

import asyncio
from itertools import chain, combinations
from typing import Any

import pytest
from msgspec.structs import replace

from rules.partition import PARTITION, Lines
from schemas.events import Event, SampleEvent
from schemas.raw import Kind, RawHeaders, RawRecord
from streams.store import LineStore
from tests.rules.line import at, rows_of
from tests.streams.changelog import RULES, WHERE, Changelog, Log, fill, fold, later, log_of, store_of

Rows = dict[tuple[type[Event], str], Event]


def straight(records: list[RawRecord]) -> Rows:
    """What the log says, folded in one go."""
    return rows_of(fold(Lines(RULES, "production.raw", 0), records))


class FromOwn(Lines):
    """Goes on from where the partition's own entry stands."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.next_offset = self.states[PARTITION].offset + 1


class FromHighest(Lines):
    """Goes on behind the last record that any line has seen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.next_offset = self.applied


@pytest.mark.parametrize("without", [FromOwn, FromHighest])
def test_lowest_offset(monkeypatch: pytest.MonkeyPatch, without: type[Lines]) -> None:
    """What a line saw after the state that a frozen worker put back over its newer one would be lost."""
    #  a b a b a b a b . a │ a as it was after the first record, put back │ b a b
    records = log_of("abababab.abab")

    async def go_on() -> Rows:
        changelog = Changelog([])
        events = await fill(store_of(changelog, records[:10]), records[:10], size=1)
        stale = next(write for write in changelog.writes if write[0] == b"a")
        return rows_of(events + await fill(store_of(Changelog([*changelog.writes, stale]), records), records))

    assert asyncio.run(go_on()) == straight(records)
    monkeypatch.setattr("streams.store.Lines", without)
    assert asyncio.run(go_on()) != straight(records)


class OwnAtOnce(LineStore):
    """Writes the partition's own entry in the save that it tells of."""

    def _save(self, partition: int, *, every: bool) -> None:
        self._durable[partition] = self._lines[partition].states[PARTITION]
        super()._save(partition, every=every)


def test_newborn_lines_before_the_partitions_own_entry() -> None:
    """A line born in a save of which only the own entry got through would lose its first records."""
    #  save    a b │ a .  │ c b │ a
    #  crash   any of a save's writes are there, the others not
    records = log_of("aba.cba")

    async def wrong_after_a_crash(kind: type[LineStore]) -> int:
        changelog, events, wrong = Changelog([]), list[Event](), 0
        store = store_of(changelog, records, kind=kind)
        await store.positions([WHERE])
        for first in range(0, len(records), 2):
            before = changelog.writes.copy()
            events += fold(store.lines(0), records[first : first + 2])
            await store.settled(0)
            store.save(0)
            for through in subsets(changelog.writes[len(before) :]):
                again = store_of(Changelog([*before, *through]), records, kind=kind)
                wrong += rows_of([*events, *await fill(again, records)]) != straight(records)
        return wrong

    assert asyncio.run(wrong_after_a_crash(LineStore)) == 0
    assert asyncio.run(wrong_after_a_crash(OwnAtOnce)) > 0


def subsets(writes: list[tuple[bytes, bytes | None]]) -> chain[tuple[tuple[bytes, bytes | None], ...]]:
    return chain.from_iterable(combinations(writes, size) for size in range(len(writes) + 1))


class Unfenced(Lines):
    """Takes a record of any run."""

    def apply(self, record: RawRecord) -> Any:
        self._run = 0
        return super().apply(record)


def test_run_fence() -> None:
    """What a thawed bridge writes late would count beside what its successor wrote of it."""
    #  run       1 1 │2 2 2│ 1 1      2 is the successor: its fence, and what the broker sent it again
    #  message   1 2 │  3 4│ 3 4
    said = [(1, 1), (1, 2), (2, None), (2, 3), (2, 4), (1, 3), (1, 4)]
    records = [
        RawRecord(
            0,
            offset,
            at("10:00") + offset * 1000,
            "a" if message else None,
            RawHeaders(
                Kind.DATA if message else Kind.TICK, "production/a/data", 1, mid=message or 0, run=run
            ),
            b'{"count":1}' if message else b"",
        )
        for offset, (run, message) in enumerate(said)
    ]

    def pieces(kind: type[Lines]) -> int | None:
        lines = kind(RULES, "production.raw", 0)
        fold(lines, records)
        running = lines.states["a"].orders.running
        return None if running is None else running.produced

    assert pieces(Lines) == 4
    assert pieces(Unfenced) == 6


class Levelling(Lines):
    """Sets every line to the partition's own entry, back as well as forth."""

    def catch_up(self) -> None:
        own = self.states[PARTITION]
        self.states = {
            name: replace(state, offset=own.offset, run=own.run) for name, state in self.states.items()
        }


def test_catching_up_only_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean end soon after a crash would set a line back, and its last records would count twice."""
    #  a b . a │ crash: own entry behind a │ clean end at once │ goes on
    records = log_of("ab.a")

    async def crash_then_end() -> Rows:
        changelog = Changelog([])
        events = await fill(store_of(changelog, records), records, size=1)
        ended = store_of(Changelog(changelog.writes), records)
        await ended.positions([WHERE])
        await ended.flush(0)
        return rows_of(events + await fill(store_of(Changelog(changelog.writes), records), records))

    assert asyncio.run(crash_then_end()) == straight(records)
    monkeypatch.setattr("streams.store.Lines", Levelling)
    assert asyncio.run(crash_then_end()) != straight(records)


class AnyLog(Log):
    """Takes every log for the one that was applied."""

    async def others(self, applied: Any) -> set[Any]:
        return set(applied) - set(applied)


def test_log_identity() -> None:
    """Of a log made anew, and already longer, the first records would be taken for applied."""
    #  lost log   a b . a b
    #  this log   a b a b a b a
    before, records = log_of("ab.ab"), later(log_of("abababa"))

    async def samples(logs: type[Log]) -> int:
        changelog = Changelog([])
        await fill(store_of(changelog, before), before, size=1)
        events = await fill(store_of(changelog, records, logs=logs), records)
        return sum(isinstance(event, SampleEvent) for event in events)

    assert asyncio.run(samples(Log)) == 7
    assert asyncio.run(samples(AnyLog)) < 7
