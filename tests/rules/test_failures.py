"""A rule that fails: the record is a dead letter, and has no other effect."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from plant.rules import Rules, read_plant
from rebuild.latest import LatestUpdates, formed_row
from rules import fold, samples
from rules.failures import Failure
from rules.partition import PARTITION, Lines
from runtime import metrics
from runtime.batches import Batch
from schemas.events import DeadLetterEvent, Event, OrderEvent, SampleEvent
from schemas.instant import SECOND
from schemas.raw import Kind, RawHeaders, RawRecord
from schemas.state import LineState, decode, encode
from sinks.tables import line_of
from streams import agent
from streams.failures import Reporter
from tests.rules.line import at, rows_of
from tests.rules.test_fold import consumer_record

START = at("10:00")
BROKEN = 13  # pieces: of the message that the broken rule fails on
RULES = Rules(1, read_plant(""))
Broken = Callable[[str, Callable[..., bool]], None]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Broken:
    """Makes a step of the fold fail on the records that a condition picks."""

    def break_(name: str, picks: Callable[..., bool]) -> None:
        rule = getattr(fold, name)

        def fails(*args: Any, **kwargs: Any) -> Any:
            done = rule(*args, **kwargs)  # all that it does is done: nothing of it may be left
            if picks(*args):
                raise ZeroDivisionError("a defect")
            return done

        monkeypatch.setattr(fold, name, fails)

    return break_


def log(*, broken: bool) -> list[RawRecord]:
    """Two lines that run, and ticks; at 10:00:20 line a sends, or does not, what the rule fails on."""
    found: list[RawRecord] = []
    for second in range(0, 90, 2):
        now = START + second * SECOND
        for line in "ab":
            fails = second == 20 and line == "a"
            if fails and not broken:
                found.append(record(len(found), now, None, Kind.UNROUTABLE, b""))
                continue
            payload = b'{"count":%d,"rate":120,"targetRate":120}' % (BROKEN if fails else 4)
            found.append(record(len(found), now, line, Kind.DATA, payload))
        if second % 10 == 0:
            found.append(record(len(found), now, None, Kind.TICK, b""))
    return found


def record(offset: int, now: int, line: str | None, kind: Kind, payload: bytes) -> RawRecord:
    return RawRecord(0, offset, now, line, RawHeaders(kind, f"production/{line}/{kind}"), payload)


def folded(
    records: list[RawRecord], size: int = 1, failed: Callable[[Failure], None] = lambda _: None
) -> tuple[dict[Any, Event], dict[str, LineState]]:
    events: list[Event] = []
    states: dict[str, LineState] = {}
    for first in range(0, len(records), size):
        kept = [decode(encode(state)) for state in states.values()]
        lines = Lines(RULES, "production.raw", 0, kept, failed=failed)
        batch = [consumer_record(each) for each in records[first : first + size]]
        events += agent.fold_batch(lines, Batch(("production.raw", 0), batch, 0))
        states = lines.states
    return rows_of(events), states


def letters(rows: dict[Any, Event]) -> list[DeadLetterEvent]:
    return [row for row in rows.values() if isinstance(row, DeadLetterEvent)]


def test_a_record_on_which_a_rule_fails_is_a_dead_letter_and_the_line_as_if_it_had_not_come(broken: Broken):
    """Every other row of it and of its neighbours is the same, whatever the batches."""
    broken("on_data", lambda _state, data, *_: data.count == BROKEN)
    failures: list[Failure] = []
    records = log(broken=True)
    rows, states = folded(records, failed=failures.append)
    [letter] = letters(rows)
    [failure] = failures
    at_fault = records[failure.offset]
    assert (letter.reason, letter.line_id, letter.payload) == ("internal", "a", at_fault.payload)
    assert (letter.offset, letter.partition, letter.mqtt_topic) == (failure.offset, 0, "production/a/data")
    assert "ZeroDivisionError" in letter.detail
    assert isinstance(failure.error, ZeroDivisionError)

    without, states_without = folded(log(broken=False))
    del rows[DeadLetterEvent, letter.id]
    for left_out in letters(without):
        del without[DeadLetterEvent, left_out.id]
    assert rows == without
    assert states == states_without
    assert folded(records, size=500) == folded(records, size=7) == folded(records)


def test_a_record_that_fails_moves_the_line_on_by_its_offset_and_its_time(broken: Broken):
    """When it is read again after a crash, it is skipped."""
    broken("on_data", lambda _state, data, *_: data.count == BROKEN)
    lines = Lines(RULES, "production.raw", 0, failed=lambda _: None)
    lines.apply(record(0, START, "a", Kind.DATA, b'{"count":4}'))
    before = lines.states["a"]
    lines.apply(record(1, START + 7, "a", Kind.DATA, b'{"count":13}'))
    after = lines.states["a"]
    assert (after.offset, after.received_at, after.heard_at) == (1, START + 7, START)
    assert before.offset == 0


def test_a_line_whose_first_record_fails_is_not_born(broken: Broken):
    """Its next record begins it."""
    broken("on_data", lambda _state, data, *_: data.count == BROKEN)
    rows, states = folded([record(0, START, "a", Kind.DATA, b'{"count":13}')])
    assert [letter.reason for letter in letters(rows)] == ["internal"]
    assert list(states) == [PARTITION]


@pytest.mark.parametrize(
    ("rule", "kind", "payload"),
    [
        ("on_status", Kind.STATUS, b"stopped"),
        ("on_order", Kind.ORDER, b'{"productType":"A","quantity":5}'),
        ("on_operator_message", Kind.STATUS, b'{"action":"retire"}'),
    ],
)
def test_every_kind_of_message_has_the_net_under_it(broken: Broken, rule: str, kind: Kind, payload: bytes):
    """Statuses, orders, operator messages."""
    broken(rule, lambda *_: True)
    first = record(0, START, "a", Kind.DATA, b'{"count":4}')
    rows, states = folded([first, record(1, START + 5, "a", kind, payload)])
    [letter] = letters(rows)
    assert (letter.reason, letter.payload) == ("internal", payload)
    assert states["a"].mode == "running"


def test_a_tick_that_fails_on_one_line_fails_for_it_alone_and_is_told_once_an_hour(broken: Broken):
    """Line b falls silent meanwhile, as usual."""
    broken("on_tick", lambda state, *_: state.line_id == "a")
    records = [record(n, START, line, Kind.DATA, b'{"count":4}') for n, line in enumerate("ab")]
    for n in range(1, 2 * 720 + 2):  # two hours and a tick
        records.append(record(1 + n, START + n * 5 * SECOND, None, Kind.TICK, b""))
    failures: list[Failure] = []
    rows, states = folded(records, size=100, failed=failures.append)
    found = letters(rows)
    assert [letter.line_id for letter in found] == ["a", "a", "a"]
    assert [letter.received_at[11:16] for letter in found] == ["09:00", "10:00", "11:00"]
    assert len(failures) == 2 * 720 + 1
    assert (states["a"].mode, states["b"].mode) == ("running", "no_signal")
    assert folded(records, size=500)[0] == rows


def test_a_tick_that_fails_on_two_lines_is_told_of_both(broken: Broken):
    """A tick is applied to all lines of its partition."""
    broken("on_tick", lambda *_: True)
    records = [record(n, START, line, Kind.DATA, b'{"count":4}') for n, line in enumerate("ab")]
    rows, _ = folded([*records, record(2, START + 5 * SECOND, None, Kind.TICK, b"")])
    assert sorted(letter.line_id for letter in letters(rows)) == ["a", "b"]


def test_a_rebuild_makes_the_same_rows(broken: Broken):
    """By the same fold, formed at its checkpoints: line by line what the stream stage's rows would be."""
    broken("on_data", lambda _state, data, *_: data.count == BROKEN)
    records = log(broken=True)
    rows, _ = folded(records)
    lines = Lines(RULES, "production.raw", 0, failed=lambda _: None)
    latest, found = LatestUpdates(None), list[str]()
    for each in records:
        for change in agent.changes(lines, consumer_record(each)):
            if change.kind in (SampleEvent, DeadLetterEvent):
                found.append(formed_row(lines, change, consumer_record(each))[1])
            else:
                latest.put(change, consumer_record(each))
    formed = latest.take(lines)
    assert not formed.upserts
    found += [line for table in formed.new.values() for line in table]
    assert sorted(found) == sorted(line_of(event) for event in rows.values())


def test_a_lack_of_memory_is_this_machines_failure_and_no_records(monkeypatch: pytest.MonkeyPatch):
    """The worker ends, and another one applies the record."""

    def fails(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(fold, "on_data", fails)
    with pytest.raises(MemoryError):
        folded([record(0, START, "a", Kind.DATA, b'{"count":4}')])


@pytest.fixture
def unformable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of samples of 13 pieces can't be formed."""
    form = samples._row

    def fails(event_id: str, sample: Any, context: Any) -> SampleEvent:
        if sample.pieces == BROKEN:
            raise OverflowError("a defect")
        return form(event_id, sample, context)

    monkeypatch.setattr(samples, "_row", fails)


@pytest.mark.usefixtures("unformable")
@pytest.mark.parametrize("size", [1, 500])
def test_a_row_that_cannot_be_formed_is_a_dead_letter_of_its_record(size: int):
    """All others are formed, and the stage continues."""
    rows, _ = folded(log(broken=True), size)
    [letter] = letters(rows)
    assert (letter.reason, letter.line_id) == ("internal", "a")
    assert letter.payload.startswith(b'{"count":13')
    assert sum(isinstance(row, SampleEvent) for row in rows.values()) == 89
    [made] = [row.produced for row in rows.values() if isinstance(row, OrderEvent) and row.line_id == "a"]
    assert made == 44 * 4 + BROKEN


@pytest.mark.usefixtures("unformable")
def test_a_rebuild_goes_on_where_a_row_cannot_be_formed():
    """With the same dead letter."""
    records = log(broken=True)
    [expected] = letters(folded(records)[0])
    lines = Lines(RULES, "production.raw", 0, failed=lambda _: None)
    events = [
        formed_row(lines, change, consumer_record(each))[0]
        for each in records
        for change in agent.changes(lines, consumer_record(each))
    ]
    assert [event for event in events if isinstance(event, DeadLetterEvent)] == [expected]


def test_the_traceback_is_logged_once_a_minute_and_every_failure_counted(caplog: pytest.LogCaptureFixture):
    """A rule that fails on each message must not fill the disk."""
    times = iter((0.0, 1.0, 59.0, 60.0))
    report = Reporter(lambda: next(times))

    def fail() -> None:
        try:
            raise ZeroDivisionError("a defect")
        except ZeroDivisionError as error:
            report(Failure("ligne1", 3, 4211, error))

    def counted() -> float:
        return metrics.INTERNAL_ERRORS._value.get()

    before = counted()
    with caplog.at_level(logging.ERROR):
        for _ in range(4):
            fail()
    assert counted() - before == 4
    assert len(caplog.records) == 2
    assert "'ligne1'" in caplog.text
    assert "offset 4211" in caplog.text
    assert "ZeroDivisionError: a defect" in caplog.text


def test_an_event_that_cannot_be_encoded_is_replaced_by_the_dead_letter_of_its_record():
    """The record is found by the offset in the event's version."""
    lines = Lines(RULES, "production.raw", 0, failed=lambda _: None)
    records = [consumer_record(each) for each in log(broken=False)[:3]]
    batch = Batch(("production.raw", 0), records, 0)
    events = agent.fold_batch(lines, batch)
    [sample] = [e for e in events if isinstance(e, SampleEvent) and e.version[1] == 1]
    letter = agent._replacement(lines, batch, sample, OverflowError("too large"))
    assert isinstance(letter, DeadLetterEvent)
    assert (letter.offset, letter.reason, letter.line_id) == (1, "internal", "b")
