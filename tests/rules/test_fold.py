"""The fold: the same log gives the same rows, whatever its batches; no message breaks it."""

import json
from itertools import pairwise

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.rules import Rules, read_plant
from rules.partition import Lines
from runtime.batches import Batch
from schemas.events import (
    AlertEvent,
    DeadLetterEvent,
    DowntimeEvent,
    Event,
    KpiEvent,
    OrderEvent,
    SampleEvent,
)
from schemas.instant import DAY, HOUR
from schemas.raw import Kind, RawHeaders, RawRecord
from schemas.state import MAX_WAITING, LineState, decode, encode
from streams.agent import fold_batch
from tests.rules.line import Line, at, rows_of

PLANT = """
[line.order]
quantity = 50
[lines.c]
count_mode = "counter"
counter_max = 29
stopped_after_s = 20
running_words = ["true"]
"""
RULES = Rules(1, read_plant(PLANT))
START = at("13:58")


def consumer_record(record: RawRecord) -> ConsumerRecord:
    key = None if record.line_id is None else record.line_id.encode()
    return ConsumerRecord(
        "production.raw",
        0,
        record.offset,
        record.received_at,
        0,
        key,
        record.payload,
        None,
        0,
        0,
        tuple(record.headers.encode()),
    )


payloads = st.one_of(
    st.builds(
        lambda **fields: json.dumps({k: v for k, v in fields.items() if v is not None}).encode(),
        count=st.integers(0, 30),
        defects=st.integers(0, 3) | st.none(),
        targetRate=st.sampled_from([None, 0, 60, 120]),
        rate=st.sampled_from([None, 0, 80, 118.5, 140]),
        running=st.sampled_from([None, True, True, False]),
        temperature=st.sampled_from([None, 22.5, 31.5]),
        timestamp=st.none()
        | st.integers(START - 120_000, START + 600_000)
        | st.sampled_from([1, START - 8 * DAY, START - HOUR, START + DAY]),
    ),
    st.sampled_from([b"", b"{", b'{"count":-1}', b'{"count":1e308}', b"\xff", b'{"count":2}']),
)
SAID = [
    b'{"action":"reason","reason":"y"}',
    b'{"action":"reason","planned":true,"requestId":"r"}',
    b'{"action":"reason","planned":false}',
    b'{"action":"plan","start":"2026-01-15T13:59","end":"2026-01-15T14:02","requestId":"p"}',
    b'{"action":"unplan","requestId":"p"}',
    b'{"action":"retire"}',
    b'{"action":"?"}',
]
statuses = st.sampled_from(
    [b"running", b"stopped", b"offline", b"online", b"?", b'{"running":false,"reason":"x"}', *SAID]
)
orders = st.sampled_from(
    [
        b'{"productType":"A","quantity":20,"orderNumber":"A"}',
        b'{"productType":"B","quantity":5}',
        b'{"action":"close"}',
        b'{"action":"cancel","orderNumber":"A"}',
        b'{"action":"close","orderNumber":"?"}',
        b'{"action":"correct","orderNumber":"A","quantity":3}',
        b'{"action":"correct","orderNumber":"A","quantity":30}',
    ]
)
messages = st.one_of(
    st.tuples(st.just(Kind.DATA), payloads),
    st.tuples(st.just(Kind.STATUS), statuses),
    st.tuples(st.just(Kind.ORDER), orders),
    st.tuples(st.just(Kind.TICK), st.just(b"")),
    st.tuples(st.just(Kind.UNROUTABLE), st.just(b"x")),
)
steps = st.lists(
    st.tuples(messages, st.sampled_from(["a", "b", "c"]), st.integers(-2_000, 45_000), st.booleans()),
    max_size=60,
)


def log_of(drawn: list[tuple[tuple[Kind, bytes], str, int, bool]]) -> list[RawRecord]:
    now, records = START, []
    for offset, ((kind, payload), line, passed, retain) in enumerate(drawn):
        now += passed
        keyed = kind not in (Kind.TICK, Kind.UNROUTABLE)
        headers = RawHeaders(kind, f"production/{line}/{kind}", 1, retain and kind is Kind.STATUS)
        records.append(RawRecord(0, offset, now, line if keyed else None, headers, payload))
    return records


def applied(lines: Lines, records: list[RawRecord]) -> list[Event]:
    return [change.form() for record in records for change in lines.apply(record)]


def fold_in_batches(records: list[RawRecord], size: int) -> tuple[list[Event], dict[str, LineState]]:
    """As the stream stage does it, its state through JSON between any two batches."""
    events: list[Event] = []
    states: dict[str, LineState] = {}
    for first in range(0, len(records), size):
        lines = Lines(RULES, "production.raw", 0, [decode(encode(state)) for state in states.values()])
        batch = [consumer_record(record) for record in records[first : first + size]]
        events += fold_batch(lines, Batch(("production.raw", 0), batch, 0))
        states = lines.states
    return events, states


@settings(max_examples=150, deadline=None)
@given(steps, st.integers(2, 20))
def test_the_rows_do_not_depend_on_the_batches(drawn, size):
    """Batches of one, of a few, of all: identical rows and states."""
    records = log_of(drawn)
    one, states = fold_in_batches(records, 1)
    few, few_states = fold_in_batches(records, size)
    most, most_states = fold_in_batches(records, 500)
    assert rows_of(one) == rows_of(few) == rows_of(most)
    assert states == few_states == most_states


@settings(max_examples=150, deadline=None)
@given(steps, st.data())
def test_reading_again_from_an_earlier_state_gives_the_same_rows(drawn, data):
    """A worker dies after its events are sent and before its state is saved: the next one repeats it."""
    records = log_of(drawn)
    crash = data.draw(st.integers(0, len(records)))
    kept = data.draw(st.integers(0, crash))
    before, states = fold_in_batches(records[:kept] or [], 7)
    lines = Lines(RULES, "production.raw", 0, [decode(encode(state)) for state in states.values()])
    lost = applied(lines, records[kept:crash])
    lines = Lines(RULES, "production.raw", 0, [decode(encode(state)) for state in states.values()])
    again = applied(lines, records[kept:])
    straight, _ = fold_in_batches(records, 500)
    assert rows_of([*before, *lost, *again]) == rows_of(straight)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_what_must_hold_of_every_log(drawn):
    """Each data message is one sample or one dead letter; pieces, stops and alerts add up."""
    last_tick = ((Kind.TICK, b""), "", 200_000, False)  # after it, every window is published
    records = log_of([*drawn, last_tick])
    events, _ = fold_in_batches(records, 500)
    rows = list(rows_of(events).values())
    data = sum(record.headers.kind is Kind.DATA for record in records)
    samples = [row for row in rows if isinstance(row, SampleEvent)]
    refused = [
        r for r in rows if isinstance(r, DeadLetterEvent) and records[r.offset].headers.kind is Kind.DATA
    ]
    assert len(samples) + len(refused) == data
    for line in "abc":
        made = sum(row.bottles_produced for row in samples if row.line_id == line)
        assert made == sum(r.produced for r in rows if isinstance(r, OrderEvent) and r.line_id == line)
        stops = sorted(
            (r.start_time, r.end_time or "z")
            for r in rows
            if isinstance(r, DowntimeEvent) and r.line_id == line
        )
        assert all(end <= start for (_, end), (start, _) in pairwise(stops))
        open_alerts = [
            r.type for r in rows if isinstance(r, AlertEvent) and r.status == "open" and r.line_id == line
        ]
        assert len(open_alerts) == len(set(open_alerts))
        windows = [r for r in rows if isinstance(r, KpiEvent) and r.line_id == line]
        assert sum(window.pieces for window in windows) == made


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(Kind)), st.binary(max_size=60), st.text(max_size=5) | st.none()),
        max_size=8,
    )
)
def test_no_bytes_break_the_fold(drawn):
    """Any payload, any key: a row or a dead letter, never an exception."""
    lines = Lines(RULES, "production.raw", 0)
    for offset, (kind, payload, key) in enumerate(drawn):
        headers = RawHeaders(kind, "production/x/data")
        applied(lines, [RawRecord(0, offset, START + offset, key, headers, payload)])


POISON = {
    b"": "empty",
    b"nonsense": "not_json",
    b'{"count": 2, "rat': "not_json",
    b'{"count": -1}': "bad_field",
    b'{"count": "2"}': "bad_field",
    b'{"count": null}': "bad_field",
    b'{"count": 1e308}': "bad_field",
    b'{"count": NaN}': "bad_field",
    b'{"rate": 3}': "missing",
    b" " * 900_000: "blank",
    b"\xff\xfe\x00": "not_utf8",
    b'{"count":1,"x":' + b"[" * 3000 + b"]" * 3000 + b"}": "too_deep",
    b"[1]": "not_object",
}


@pytest.mark.parametrize("payload", POISON, ids=[f"{p[:16]!r}" for p in POISON])
def test_a_poison_message_is_one_dead_letter_and_its_neighbours_are_unharmed(payload):
    """Its bytes, a code, and a sentence in the plant's language."""
    line = Line.at("10:00").data(count=2).says(bare=payload).data(count=3)
    [letter] = line.dead_letters
    assert (letter.reason, letter.payload) == (POISON[payload], payload)
    assert "{" not in letter.detail.replace("{...}", "")
    assert line.orders[0].produced == 5


def test_a_dead_letter_says_what_is_wrong_and_what_is_expected():
    """For a plant engineer, in French first."""
    [letter] = Line.at("10:00").says(count="douze").dead_letters
    assert letter.detail == "champ count refusé: douze (attendu: un nombre entier de 0 à 1 000 000)"
    assert (letter.mqtt_topic, letter.line_id, letter.topic) == (
        "production/ligne1/data",
        "ligne1",
        "production.raw",
    )


def test_a_poison_message_is_no_silence():
    """The machine is sending, even if nothing readable."""
    line = Line.at("10:00").runs(seconds=2)
    for _ in range(6):
        line.says(bare=b"?").silent(seconds=20)
    assert not line.stopped


def test_a_rate_that_is_not_sent_is_of_the_time_since_the_last_data_message():
    """Not since the statuses in between; time of a stop does not count."""
    #  :00  ·    ·    ·   :20   ■■■■■■■■ :40 :50
    #  data                data  stopped     data
    line = Line.at("10:00").says(count=0, running=True)
    for _ in range(3):
        line.silent(seconds=5).says(Kind.STATUS, bare=b"running")
    line.silent(seconds=5).says(count=40)
    line.says(Kind.STATUS, bare=b"stopped").silent(seconds=20).says(Kind.STATUS, bare=b"running")
    line.silent(seconds=10).says(Kind.STATUS, bare=b"running").says(count=20)
    assert [sample.actual_rate for sample in line.samples] == [None, 120, 120]


def test_a_bridge_that_another_one_replaced_changes_nothing_any_more():
    """Its records are void once a higher run has been seen in the partition."""
    lines = Lines(RULES, "production.raw", 0)

    def data(offset: int, run: int) -> list[Event]:
        headers = RawHeaders(Kind.DATA, "production/a/data", run=run)
        return applied(lines, [RawRecord(0, offset, START, "a", headers, b'{"count":1}')])

    fence = RawRecord(0, 1, START, None, RawHeaders(Kind.TICK, run=2), b"")
    assert data(0, run=1)
    lines.apply(fence)
    assert not data(2, run=1)
    assert data(3, run=2)
    again = Lines(RULES, "production.raw", 0, [decode(encode(state)) for state in lines.states.values()])
    assert not again.apply(RawRecord(0, 4, START, "a", RawHeaders(Kind.DATA, "", run=1), b'{"count":1}'))


def test_a_state_stays_under_256_kib_whatever_texts_fill_it():
    """As much of everything as may be remembered, of the widest texts."""
    text = "\x01" * 200
    line = Line.at("10:00", "[line.order]\nquantity = 1")
    line.ticks = False
    for n in range(MAX_WAITING + 700):
        number = f"{n:04d}" + text[4:]
        line.says(
            Kind.ORDER, orderNumber=number, productType=text, quantity=1, operator=text, requestId=number
        )
        line.data(count=1).silent(seconds=35).data(count=0, running=False)
        line.says(Kind.STATUS, action="reason", reason=text, planned=True).silent(seconds=35)
        start = line.now + 2000 * n
        line.says(
            Kind.STATUS, action="plan", start=start, end=start + 1000, reason=text[:50], requestId=number
        )
    for n in range(MAX_WAITING):
        line.says(Kind.ORDER, orderNumber=f"W{n:03d}" + text[4:], productType=text, quantity=1, operator=text)
    assert len(line.state.orders.waiting) > 20
    assert len(line.state.stop_history.stops) > 10
    assert len(line.state.stop_history.plans) > 30
    assert len(line.state.orders.latest) > 3
    assert len(encode(line.state)) < 256 * 1024


def test_a_record_of_a_time_that_no_calendar_knows_is_a_dead_letter():
    """Any client may write any time to Kafka; later records are read as if it were not there."""
    lines = Lines(RULES, "production.raw", 0)
    headers = RawHeaders(Kind.DATA, "production/a/data")
    strange = [
        RawRecord(0, offset, time, "a", headers, b'{"count":1}')
        for offset, time in enumerate((2**62, -1, START))
    ]
    batch = Batch(("production.raw", 0), [consumer_record(record) for record in strange], 0)
    events = fold_batch(lines, batch)
    assert [event.reason for event in events if isinstance(event, DeadLetterEvent)] == ["foreign", "foreign"]
    assert [event.bottles_produced for event in events if isinstance(event, SampleEvent)] == [1]
    assert max(event.version[0] for event in events) == START
