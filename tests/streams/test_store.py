"""What is read back from the changelog after a crash between any two of its writes."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from runtime.narrator import Narrator
from schemas.events import (
    AlertCensus,
    CensusEvent,
    DeadLetterEvent,
    DowntimeCensus,
    Event,
    OrderCensus,
    OrderEvent,
)
from schemas.state import decode
from streams.partition import Lines
from streams.sent import Sent
from streams.store import LineStore
from tests.streams.changelog import RULES, WHERE, Changelog, Log, fill, fold, later, log_of, store_of
from tests.streams.line import rows_of


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
        store = store_of(changelog, records)
        await store.positions([WHERE])
        sent: list[Event] = []
        durable = [(0, 0)]  # (writes, events) after each save
        for first in range(0, len(records), size):
            sent += fold(store.lines(0), records[first : first + size])
            await store.settled(0)
            store.save(0)
            durable.append((len(changelog.writes), len(sent)))
        for writes in range(len(changelog.writes) + 1):
            after = store_of(Changelog(changelog.writes[:writes]), records)
            start = (await after.positions([WHERE]))[WHERE]
            events = next(events for held, events in durable if held >= writes)
            again = fold(after.lines(0), records[start:])
            assert rows_of([*sent[:events], *again]) == straight, f"after {writes} writes"

    asyncio.run(crash_everywhere())


def test_a_line_that_only_time_touches_is_seldom_written():
    """A thousand quiet lines cost nothing; what time makes of them is written at once."""

    async def write() -> list[int]:
        changelog = Changelog([])
        records = log_of("a" + "." * 18)
        store = store_of(changelog, records)
        await store.positions([WHERE])
        for record in records:
            fold(store.lines(0), [record])
            await store.settled(0)
            store.save(0)
        return [decode(value).received_at for key, value in changelog.writes if key == b"a" and value]

    born, *later = asyncio.run(write())
    # Every 15 s, as far as ticks tell; and when, 30 s after they began, it is held silent.
    assert [(at - born) // 1000 for at in later] == [20, 40, 50, 70, 90, 110, 130, 150, 170]


@settings(max_examples=40, deadline=None)
@given(st.text("abc.", min_size=3, max_size=20), st.text("bcd.", min_size=1, max_size=20), st.integers(0, 20))
def test_a_log_made_anew_is_read_from_its_start_wherever_the_stage_dies(old: str, new: str, seen: int):
    """No line goes on from what it was in the lost log, whatever a crash left of it in the table."""
    #  lost log   a b . c
    #  this log   b . d      a crash after each write to the changelog
    before, records = log_of(old), later(log_of(new))
    straight = Lines(RULES, "production.raw", 0)
    fold(straight, records)

    async def crash_everywhere() -> None:
        changelog = Changelog([])
        await fill(store_of(changelog, before), before)
        first = len(changelog.writes)
        await fill(store_of(changelog, records[:seen]), records[:seen])
        await fill(store_of(changelog, records), records)
        for writes in range(first, len(changelog.writes) + 1):
            after = store_of(Changelog(changelog.writes[:writes]), records)
            await fill(after, records)
            states = {name: replace(state, census=None) for name, state in after.lines(0).states.items()}
            assert states == straight.states, f"after {writes} writes"

    asyncio.run(crash_everywhere())


def test_a_lost_log_is_told_once_and_what_it_left_open_is_counted():
    """A dead letter says how far it was applied; censuses name what is open at the end of what there is."""
    before, records = log_of("ab.ab"), later(log_of("bb"))
    changelog = Changelog([])
    asyncio.run(fill(store_of(changelog, before), before))
    first = asyncio.run(fill(store_of(changelog, records), records, size=1))
    letters = [event for event in first if isinstance(event, DeadLetterEvent)]
    assert [(letter.reason, letter.offset, letter.topic) for letter in letters] == [
        ("log_lost", 0, "production.raw")
    ]
    censuses = {type(event): event for event in first if isinstance(event, CensusEvent)}
    order = next(event for event in first if isinstance(event, OrderEvent))
    assert {kind: census.open for kind, census in censuses.items()} == {
        OrderCensus: (order.id,),
        DowntimeCensus: (),
        AlertCensus: (),
    }
    assert {census.version[1] for census in censuses.values()} == {1}
    again = asyncio.run(fill(store_of(changelog, records), records))
    assert not [event for event in again if isinstance(event, DeadLetterEvent)]


def test_a_state_of_a_lost_log_put_back_by_a_frozen_worker_is_noticed():
    """The partition is read from its start again: its line's own state is gone."""
    before, records = log_of("aab"), later(log_of("aab"))
    changelog = Changelog([])
    asyncio.run(fill(store_of(changelog, before), before))
    stale = dict(changelog.writes)[b"a"]
    asyncio.run(fill(store_of(changelog, records), records, size=1))
    again = store_of(Changelog([*changelog.writes, (b"a", stale)]), records)
    assert asyncio.run(again.positions([WHERE])) == {WHERE: 0}


def test_what_expired_before_it_was_applied_is_told_and_the_rest_goes_on():
    """From the first record that no line has seen to the last that is deleted."""
    records = log_of("aaaaaa")
    changelog = Changelog([])
    asyncio.run(fill(store_of(changelog, records), records[:2], size=1))
    store = store_of(changelog, records)
    start = asyncio.run(store.positions([WHERE]))[WHERE]
    assert store.lost(WHERE, start, 2) == 0
    assert store.lost(WHERE, start, 4) == 2
    events = fold(store.lines(0), records[4:])
    letters = [event for event in events if isinstance(event, DeadLetterEvent)]
    assert [(letter.reason, letter.offset, letter.detail) for letter in letters] == [
        ("expired", 2, "messages 2 à 3 effacés par la rétention avant d'avoir été traités")
    ]
    assert store.lines(0).states["a"].orders.running.produced == 4


def test_between_two_saves_nothing_is_written_and_a_clean_end_writes_all_of_it():
    """Whoever comes next goes on behind the last record applied."""
    records = log_of("ab.ab.ab")

    async def end() -> tuple[int, int, int]:
        changelog = Changelog([])
        store = LineStore(
            RULES, "production.raw", changelog, Log(records), Narrator("en"), Sent(), lambda: 0.0
        )
        await fill(store, records, size=1)
        written = len(changelog.writes)
        await store.flush(0)
        again = store_of(changelog, records)
        return written, len(changelog.writes), (await again.positions([WHERE]))[WHERE]

    assert asyncio.run(end()) == (1, 5, 8)


def test_an_end_before_a_crash_is_made_up_for_sets_no_line_back():
    """The partition's own entry stands behind its lines then: they keep what they have seen."""
    #  a b . a │ crash; own stands at 2, b at 1, a at 3 │ clean end at once │ goes on
    records = log_of("ab.a")

    async def crash_then_end() -> list[Event]:
        changelog = Changelog([])
        events = await fill(store_of(changelog, records), records, size=1)
        ended = store_of(Changelog(changelog.writes), records)
        await ended.positions([WHERE])
        await ended.flush(0)
        return events + await fill(store_of(Changelog(changelog.writes), records), records)

    straight = rows_of(fold(Lines(RULES, "production.raw", 0), records))
    assert rows_of(asyncio.run(crash_then_end())) == straight


class Unanswered(Changelog):
    """Kafka has not said yet that it has the writes."""

    def __init__(self) -> None:
        super().__init__([])
        self.answers: list[asyncio.Future[None]] = []

    def send_changelog(self, partition: int, key: bytes, value: bytes | None) -> asyncio.Future[None]:
        super().send_changelog(partition, key, value)
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]


def test_what_one_waits_for_is_not_durable_for_another():
    """A batch waits for the last save when a rebalance comes: whoever reads the states then waits, too."""

    async def read() -> list[bool]:
        changelog, records = Unanswered(), log_of("ab")
        store = store_of(changelog, records)
        await store.positions([WHERE])
        fold(store.lines(0), records)
        store.save(0)
        overtaken, batch = (asyncio.create_task(store.settled(0)) for _ in range(2))
        await asyncio.wait({overtaken, batch}, timeout=0.05)
        overtaken.cancel()
        rebalance = asyncio.create_task(store.positions([WHERE]))  # type: ignore[arg-type]
        await asyncio.wait({rebalance}, timeout=0.05)
        too_soon = rebalance.done()
        for answer in changelog.answers:
            answer.set_result(None)
        await asyncio.wait_for(asyncio.gather(batch, rebalance), 5)
        return [too_soon, rebalance.done()]

    assert asyncio.run(read()) == [False, True]
