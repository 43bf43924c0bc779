"""Any record is a row or a dead letter, and a row is the same live and rebuilt, whatever the payloads hold.

A thousand logs of up to 25 records run each time; the long form, on one's own machine:

    LINEPULSE_NIGHTLY=1 .venv/bin/python -m pytest -n 0 tests/rules/test_every_payload.py
"""

import gc
import math
import weakref
from typing import Any

import msgspec
import pytest
from hypothesis import given

from plant.rules import Rules, read_plant
from rules.failures import Failure
from rules.partition import Lines
from runtime.batches import Batch
from schemas.events import DeadLetterEvent, Event, SampleEvent
from schemas.raw import Kind, RawRecord
from schemas.state import LineState, decode, encode
from sinks.tables import line_of
from streams import agent
from tests.rules.line import rows_of
from tests.rules.payloads import examples, logs
from tests.rules.test_fold import consumer_record

PLANT = """
[line]
planned = [{ name = "pause", start = 14:00:00, end = 14:10:00 }]
micro_stop_s = 20
[line.order]
quantity = 50
[lines.b]
performance_from = "pieces"
target_rate = 1e-300
running_words = ["RUN"]
stopped_words = ["STOP"]
scale = { temperature = 1e9 }
units = { temperature = "F", rate = "per_hour" }
[lines.c]
count_mode = "counter"
counter_max = 65535
stopped_after_s = 20
time_zone = "Pacific/Kiritimati"
fields = { count = "n" }
"""
RULES = Rules(1, read_plant(PLANT))


def failed(failure: Failure) -> None:
    """The observer of failures: no rule may fail."""
    raise AssertionError(f"offset {failure.offset}") from failure.error


def batches(records: list[RawRecord], size: int) -> tuple[list[Event], dict[str, LineState]]:
    """As the stream stage does it, its state through JSON between any two batches."""
    events: list[Event] = []
    states: dict[str, LineState] = {}
    for first in range(0, len(records), size):
        kept = [decode(encode(state)) for state in states.values()]
        lines = Lines(RULES, "production.raw", 0, kept, failed=failed)
        batch = [consumer_record(each) for each in records[first : first + size]]
        events += agent.fold_batch(lines, Batch(("production.raw", 0), batch, 0))
        states = lines.states
    return events, states


@pytest.mark.slow
def test_every_record_is_a_row_or_a_dead_letter_and_a_row_is_the_same_live_and_rebuilt():
    """Nothing fails, batches make no difference, Kafka's JSON holds what COPY writes; every kind is seen."""
    seen: set[tuple[str, str]] = set()

    @examples(1000, 100_000)
    @given(logs)
    def holds(records: list[RawRecord]) -> None:
        events, states = batches(records, 1)
        rows = rows_of(events)
        some, some_states = batches(records, 500)
        assert (rows, states) == (rows_of(some), some_states)
        offsets = {row.version[1] for row in rows.values() if isinstance(row, SampleEvent | DeadLetterEvent)}
        assert offsets >= {each.offset for each in records if each.headers.kind is Kind.DATA}
        for row in rows.values():
            holds_what_postgresql_takes(row)
            is_the_same_rebuilt(row)
        assert all(len(encode(state)) < 256 * 1024 for state in states.values())
        seen.update((type(row).__name__, row.line_id) for row in rows.values())

    holds()
    kinds = ("SampleEvent", "OrderEvent", "DowntimeEvent", "AlertEvent", "KpiEvent", "DeadLetterEvent")
    assert {(kind, line) for kind in kinds for line in "abc"} <= seen


def test_no_record_leaves_anything_behind_in_memory():
    """Whatever a batch holds, only its events and its lines' states remain in memory."""
    held: weakref.WeakSet[Lines] = weakref.WeakSet()
    letters: list[str] = []

    @examples(100, 1000)
    @given(logs)
    def holds(records: list[RawRecord]) -> None:
        lines = Lines(RULES, "production.raw", 0, failed=failed)
        held.add(lines)
        batch = [consumer_record(each) for each in records]
        events = agent.fold_batch(lines, Batch(("production.raw", 0), batch, 0))
        letters.extend(event.reason for event in events if isinstance(event, DeadLetterEvent))

    holds()
    gc.collect()
    assert letters
    assert not held


def is_the_same_rebuilt(event: Event) -> None:
    """Through Kafka, as it is sent and read back, and as the text of COPY that sinks and rebuild write."""
    read = msgspec.json.decode(msgspec.json.encode(event), type=type(event))
    assert read == event
    assert line_of(read) == line_of(event)


def holds_what_postgresql_takes(row: Event) -> None:
    """Finite numbers, of which none is -0.0 or next to nothing; text; times of four digits' years."""
    for name, value in msgspec.structs.asdict(row).items():
        if isinstance(value, float):
            assert math.isfinite(value), (name, value)
            assert math.copysign(1, value) == 1 or value < 0, (name, value)
        elif isinstance(value, int):
            assert -(2**63) <= value < 2**63, (name, value)
        elif isinstance(value, str):
            assert "\0" not in value, (name, value)
            value.encode()
    for name in ("timestamp", "start_time", "end_time", "estimated_end_time", "window_start", "window_end"):
        value = getattr(row, name, None)
        assert value is None or "1959" <= value < f"{3000 + 11}", (name, value)


@pytest.fixture(autouse=True)
def _unlogged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that can't be formed is a failure here, too."""

    def unformed(_lines: Lines, _record: Any, error: Exception) -> Event:
        raise error

    monkeypatch.setattr(agent, "unformed", unformed)
