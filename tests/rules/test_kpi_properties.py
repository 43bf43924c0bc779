"""Properties of the windows of any log."""

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import example, given, settings

from plant.rules import Rules, read_plant
from rules.partition import Lines
from schemas.events import KpiEvent, SampleEvent
from schemas.instant import SECOND
from schemas.raw import Kind
from tests.rules.line import rows_of
from tests.rules.test_fold import applied, log_of, steps

PLANT = "[line]\nwindow_s = {}\nmicro_stop_s = 60\n[line.order]\nquantity = 50\n"
SUMS = (
    "running_seconds", "slow_seconds", "stopped_seconds", "micro_seconds", "planned_seconds",
    "no_signal_seconds", "closed_seconds", "unknown_seconds", "pieces", "timed_pieces", "defects",
    "theoretical_output", "reported_output", "stops", "micro_stops",
)  # fmt: skip
NOTHING = 1e-6  # outputs are floats
STATES = (
    "running_seconds", "stopped_seconds", "planned_seconds", "no_signal_seconds", "closed_seconds",
    "unknown_seconds",
)  # fmt: skip
LAST = ((Kind.TICK, b""), "", 200_000, False)  # after it, every window is published


def windows_of(drawn, window_s: int = 60, lines: frozenset[str] = frozenset("abc")) -> list[KpiEvent]:
    """The windows of the lines, as a database holds them."""
    rules = Rules(1, read_plant(PLANT.format(window_s)))
    records = [r for r in log_of([*drawn, LAST]) if r.line_id is None or r.line_id in lines]
    rows = rows_of(applied(Lines(rules, "production.raw", 0), records)).values()
    return sorted(
        (row for row in rows if isinstance(row, KpiEvent)), key=lambda r: (r.line_id, r.window_start, r.id)
    )


def seconds(window: KpiEvent) -> float:
    return sum(getattr(window, state) for state in STATES)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_the_states_partition_time(drawn):
    """Windows follow each other without a gap; their states add up to their length, to the millisecond."""
    from datetime import datetime  # noqa: PLC0415

    # A line that is retired has no time until it returns.
    retires = any(b"retire" in payload for (_, payload), *_ in drawn)
    by_line = defaultdict(list)
    for window in windows_of(drawn):
        if seconds(window):  # not one of pieces alone, beside the others
            by_line[window.line_id].append(window)
    for windows in by_line.values():
        for window, following in pairwise(windows if not retires else ()):
            assert window.window_end == following.window_start
        for window in windows[:-1]:
            start, end = (datetime.fromisoformat(t) for t in (window.window_start, window.window_end))
            assert round(seconds(window) * SECOND) == round((end - start).total_seconds() * SECOND)


CLOSED_AT_ONCE = [
    ((Kind.DATA, b'{"count":0,"defects":1}'), "a", 0, False),
    ((Kind.ORDER, b'{"action":"close"}'), "a", 0, False),
]


@settings(max_examples=200, deadline=None)
@given(steps)
@example(CLOSED_AT_ONCE)
def test_any_windows_give_the_same_sums(drawn):
    """Sixty minutes, six times ten, an hour in one go: by shift, order and product."""

    def sums(window_s: int) -> dict[tuple[object, ...], list[float]]:
        found: dict[tuple[object, ...], list[float]] = defaultdict(lambda: [0.0] * len(SUMS))
        for window in windows_of(drawn, window_s):
            key = (window.line_id, window.day, window.shift_date, window.shift_id)
            found[key] = [known + getattr(window, name) for known, name in zip(found[key], SUMS, strict=True)]
        for row in found.values():
            row[SUMS.index("unknown_seconds")] = 0  # the first window's past is as long as the window
        return {key: row for key, row in found.items() if any(value > NOTHING for value in row)}

    minutes = sums(60)
    for others in (sums(600), sums(3600)):
        assert minutes.keys() == others.keys()
        for key, row in minutes.items():
            assert row == pytest.approx(others[key], abs=NOTHING)


@settings(max_examples=100, deadline=None)
@given(steps)
def test_lines_do_not_notice_each_other(drawn):
    """One line's windows are the same with and without its neighbours."""
    together = windows_of(drawn)
    alone = [window for line in "abc" for window in windows_of(drawn, lines=frozenset(line))]

    def content(windows: list[KpiEvent]) -> list[tuple[object, ...]]:
        return [(w.line_id, w.window_start, w.trs, *(getattr(w, name) for name in SUMS)) for w in windows]

    assert content(together) == content(alone)


@settings(max_examples=100, deadline=None)
@given(steps)
def test_every_piece_is_in_one_window(drawn):
    """And so is every defect."""
    records = log_of([*drawn, LAST])
    rules = Rules(1, read_plant(PLANT.format(60)))
    rows = list(rows_of(applied(Lines(rules, "production.raw", 0), records)).values())
    samples = [row for row in rows if isinstance(row, SampleEvent)]
    windows = [row for row in rows if isinstance(row, KpiEvent)]
    assert sum(w.pieces for w in windows) == sum(s.bottles_produced for s in samples)
    assert sum(w.defects for w in windows) == sum(s.defect_count for s in samples)
    assert all(w.timed_pieces <= w.pieces for w in windows)
