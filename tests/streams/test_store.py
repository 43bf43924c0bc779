"""What is read back from the changelog after a crash between any two of its writes."""

import asyncio
from collections.abc import Awaitable, Collection, Mapping
from itertools import count

import pytest
from aiokafka.errors import KafkaError, KafkaTimeoutError
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.partition import PARTITION, Lines
from runtime.log_end import Applied
from runtime.narrator import Narrator
from schemas.events import (
    DeadLetterEvent,
    Event,
    OpenAlerts,
    OpenDowntimes,
    OpenOrders,
    OpenRowsEvent,
    OrderEvent,
)
from schemas.raw import Kind, RawHeaders, RawRecord
from schemas.state import decode
from streams.changelog import key_of
from streams.sent import Sent
from streams.store import LineStore
from tests.rules.line import rows_of
from tests.streams.changelog import RULES, WHERE, Changelog, Log, fill, fold, later, log_of, store_of


@settings(max_examples=60, deadline=None)
@given(st.text("abc.", min_size=1, max_size=30), st.integers(1, 8))
def test_a_crash_between_any_two_writes_loses_no_line(letters: str, size: int):
    """New lines may be missing: then the partition restarts before their birth, and every row is right."""
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
    """A thousand quiet lines cost no write; a change that time alone causes is written at once."""

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


def test_what_people_said_of_a_quiet_line_is_written_at_once():
    """The command that announced a stop or retired a line waits to see it in the state."""
    said = [
        b'{"action": "plan", "start": "2026-01-15T14:00Z", "end": "2026-01-15T15:00Z", "requestId": "n"}',
        b'{"action": "unplan", "requestId": "n"}',
        b'{"action": "retire"}',
    ]

    async def write() -> list[tuple[int, bool]]:
        records = log_of("a...")
        for place, payload in enumerate(said, 1):
            headers = RawHeaders(Kind.STATUS, "production/a/status", 1)
            received_at = records[0].received_at + 100 * place  # no machine spoke, and no time passed
            records[place] = RawRecord(0, place, received_at, "a", headers, payload)
        changelog = Changelog([])
        await fill(store_of(changelog, records), records, size=1)
        states = [decode(value) for key, value in changelog.writes if key == b"a" and value]
        return [(len(state.stop_history.plans), state.retired) for state in states]

    assert asyncio.run(write()) == [(0, False), (1, False), (0, False), (0, True)]


@settings(max_examples=40, deadline=None)
@given(st.text("abc.", min_size=3, max_size=20), st.text("bcd.", min_size=1, max_size=20), st.integers(0, 20))
def test_a_log_made_anew_is_read_from_its_start_wherever_the_stage_dies(old: str, new: str, seen: int):
    """No line continues its state of the lost log, whatever a crash left in the table."""
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
            states = {
                name: replace(state, open_rows_due=None) for name, state in after.lines(0).states.items()
            }
            assert states == straight.states, f"after {writes} writes"

    asyncio.run(crash_everywhere())


def test_a_lost_log_is_told_once_and_what_it_left_open_is_counted():
    """A dead letter says how far it was applied; the open rows are listed at the present end of the log."""
    before, records = log_of("ab.ab"), later(log_of("bb"))
    changelog = Changelog([])
    asyncio.run(fill(store_of(changelog, before), before))
    first = asyncio.run(fill(store_of(changelog, records), records, size=1))
    letters = [event for event in first if isinstance(event, DeadLetterEvent)]
    assert [(letter.reason, letter.offset, letter.topic) for letter in letters] == [
        ("log_lost", 0, "production.raw")
    ]
    censuses = {type(event): event for event in first if isinstance(event, OpenRowsEvent)}
    order = next(event for event in first if isinstance(event, OrderEvent))
    assert {kind: census.open for kind, census in censuses.items()} == {
        OpenOrders: (order.id,),
        OpenDowntimes: (),
        OpenAlerts: (),
    }
    assert {census.version[1] for census in censuses.values()} == {1}
    start = asyncio.run(store_of(Changelog(changelog.writes), records).positions([WHERE]))[WHERE]
    assert start > 0  # nothing of the lost log is left in the table
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
    for begin in (1, 2):  # some line has seen what is deleted
        assert store.lost(WHERE, start, begin) == 0
        assert store.lines(0).loss is None
    assert store.lost(WHERE, start, 4) == 2
    events = fold(store.lines(0), records[4:])
    letters = [event for event in events if isinstance(event, DeadLetterEvent)]
    assert [(letter.reason, letter.offset, letter.detail) for letter in letters] == [
        ("expired", 2, "messages 2 à 3 effacés par la rétention avant d'avoir été traités")
    ]
    running = store.lines(0).states["a"].orders.running
    assert running is not None
    assert running.produced == 4


def test_between_two_saves_nothing_is_written_and_a_clean_end_writes_all_of_it():
    """The next worker continues after the last record applied."""
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
    """The partition's own entry is then behind its lines: these skip what they have seen."""
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
    """Kafka has not acknowledged the writes yet."""

    def __init__(self) -> None:
        super().__init__([])
        self.answers: list[asyncio.Future[None]] = []

    def send_changelog(self, partition: int, key: bytes, value: bytes | None) -> asyncio.Future[None]:
        super().send_changelog(partition, key, value)
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]


def test_what_one_waits_for_is_not_durable_for_another():
    """A batch waits for the last save when a rebalance begins: reading the states then waits, too."""

    async def read() -> list[bool]:
        changelog, records = Unanswered(), log_of("ab")
        store = store_of(changelog, records)
        await store.positions([WHERE])
        fold(store.lines(0), records)
        store.save(0)
        overtaken, batch = (asyncio.create_task(store.settled(0)) for _ in range(2))
        await asyncio.wait({overtaken, batch}, timeout=0.05)
        overtaken.cancel()
        rebalance = asyncio.create_task(store.positions([WHERE]))
        await asyncio.wait({rebalance}, timeout=0.05)
        too_soon = rebalance.done()
        for answer in changelog.answers:
            answer.set_result(None)
        await asyncio.wait_for(asyncio.gather(batch, rebalance), 5)
        return [too_soon, rebalance.done()]

    assert asyncio.run(read()) == [False, True]


def test_an_end_before_the_first_record_is_no_lost_log():
    """A store that has applied nothing can't distinguish logs, and need not."""
    #  log   (nothing) │ clean end │ a b a
    records = log_of("aba")

    async def end_at_once() -> list[Event]:
        changelog = Changelog([])
        store = store_of(changelog, [])
        assert await store.positions([WHERE]) == {WHERE: 0}
        await store.flush(0)
        assert [key for key, _ in changelog.writes] == [key_of(store.lines(0).states[PARTITION])]
        return await fill(store_of(Changelog(changelog.writes), records), records)

    events = asyncio.run(end_at_once())
    assert rows_of(events) == rows_of(fold(Lines(RULES, "production.raw", 0), records))


class Refusing(Changelog):
    """Kafka refuses the write of that number, and answers later."""

    def __init__(self, refused: int) -> None:
        super().__init__([])
        self.refused = refused

    def send_changelog(self, partition: int, key: bytes, value: bytes | None) -> Awaitable[None]:
        answer = super().send_changelog(partition, key, value)
        if len(self.writes) - 1 == self.refused:
            answer = asyncio.get_running_loop().create_future()
            answer.set_exception(KafkaTimeoutError())
        return answer


async def applied(changelog: Changelog) -> LineStore:
    """A store that has applied two lines' records, and saved nothing."""
    records = log_of("aba")
    store = store_of(changelog, records)
    await store.positions([WHERE])
    fold(store.lines(0), records)
    return store


@pytest.mark.parametrize("refused", [0, 1])
def test_a_save_that_did_not_get_through_is_never_built_upon(refused: int):
    """The table holds what the changelog does not: asking for the partition's position raises the error."""

    async def save_then_ask() -> None:
        store = await applied(Refusing(refused))
        store.save(0)
        with pytest.raises(KafkaError):
            await store.positions([WHERE])

    asyncio.run(save_then_ask())


@pytest.mark.parametrize("refused", [0, 1, 2])
def test_an_end_that_did_not_get_through_is_told(refused: int):
    """Whichever write failed: that of two lines, or of the partition's own entry."""

    async def end() -> None:
        store = await applied(changelog := Refusing(refused))
        with pytest.raises(KafkaError):
            await store.flush(0)
        assert len(changelog.writes) > refused

    asyncio.run(end())


class LosesSamples(Log):
    """The raw log is whole; of the derived topics, that of the samples was made anew, as long as `lost`."""

    lost = False
    begin = 0

    async def begins(self, partitions: Collection[TP]) -> dict[TP, int]:
        return dict.fromkeys(partitions, self.begin)

    async def others(self, applied: Mapping[TP, Applied]) -> set[TP]:
        raw = {tp: place for tp, place in applied.items() if tp == WHERE}
        derived = {tp for tp in applied if tp != WHERE and self.lost}
        return derived | await super().others(raw)


def test_what_a_derived_topic_lost_is_sent_again_once():
    """The raw log is read from its start, but only once; if nothing is lost, not at all."""
    #  sent   samples 5 │ clean end │ start: there │ start: lost │ read, clean end │ start │ told of it: lost
    records, changelog, logs = log_of("ab.ab"), Changelog([]), LosesSamples([])
    logs.records = records

    async def stands(store: LineStore) -> int:
        return (await store.positions([WHERE]))[WHERE]

    def started() -> tuple[LineStore, Sent]:
        sent = Sent()
        again = Changelog(changelog.writes)
        return LineStore(RULES, WHERE.topic, again, logs, Narrator("en"), sent, count(0, 2).__next__), sent

    async def lose() -> None:
        store, sent = started()
        await fill(store, records)
        sent.begin(0, {"production.samples": (5, None)})
        await store.flush(0)
        store, sent = started()
        assert (await stands(store), sent.places(0)) == (5, {"production.samples": (5, None)})
        logs.lost = True
        logs.begin = 1  # the raw log can't tell all of it again: what its lines were is kept
        store, sent = started()
        stood = await stands(store)
        running = store.lines(0).states["a"].orders.running
        assert running is not None
        assert (stood, running.produced) == (5, 2)
        logs.begin = 0
        store, sent = started()
        assert (await stands(store), sent.places(0)) == (0, {})
        logs.lost = False
        await fill(store, records)
        await store.flush(0)
        assert await stands(store) == 5
        store.read_again(0, "production.samples")
        assert len(await fill(store, records)) > 0
        await store.flush(0)
        assert await stands(store) == 5

    asyncio.run(lose())
