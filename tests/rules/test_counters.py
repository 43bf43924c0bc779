"""Counters as machines send them: pieces are the difference of two readings."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.raw import Kind
from tests.rules.line import Line

# 120 pieces a minute are plausible: 2 a second, and as many more for a second of slack.
SMALL = 'line.count_mode = "counter"\nline.counter_max = 999\nline.counter_max_rate = 120'


def counted(line: Line, *readings: int, seconds: float = 2) -> list[int]:
    """The pieces of each row, for readings this far apart."""
    for reading in readings:
        line.says(count=reading, rate=60, targetRate=60, running=True).silent(seconds=seconds)
    return [sample.bottles_produced for sample in line.samples]


def test_the_first_reading_is_where_counting_begins():
    """What the counter showed before is not counted."""
    #  reading   400  404  404  409
    #  pieces      0   +4    0   +5
    line = Line.at("10:00", SMALL)
    assert counted(line, 400, 404, 404, 409) == [0, 4, 0, 5]
    assert line.orders[0].produced == 9
    assert sum(window.pieces for window in line.windows) == 9


def test_a_counter_that_passes_its_highest_value_goes_on_at_0():
    """999 is followed by 0."""
    #  reading   996  999    0    3
    #  pieces      0   +3   +1   +3
    assert counted(Line.at("10:00", SMALL), 996, 999, 0, 3) == [0, 3, 1, 3]


def test_a_counter_that_was_set_back_counts_what_it_shows():
    """From 500, a full turn would be 503 pieces in 2 s: it was reset, and 3 were made since."""
    #  reading   500 ×   3    7
    #  pieces      0    +3   +4
    line = Line.at("10:00", SMALL)
    assert counted(line, 500, 3, 7) == [0, 3, 4]
    assert not line.dead_letters


def test_what_is_plausible_follows_from_the_time_that_passed():
    """Five minutes at 120 a minute are 600 pieces: after so long, the same 503 are a full turn."""
    #  reading   500 ░░░ 5 min ░░░   3
    #  pieces      0              +503
    line = Line.at("10:00", SMALL)
    assert counted(line, 500, seconds=300) == [0]
    assert counted(line, 3) == [0, 503]


def test_a_counter_set_back_while_the_line_stood_still_is_no_full_turn():
    """Sixty hours would be enough for one, but the line said that it stood, by a status or in its data."""
    #  reading   400  404 ■■■■ 60 h ■■■■   0    4
    #  pieces      0   +4                  0   +4
    for says in ({"kind": Kind.STATUS, "running": False}, {"count": 404, "running": False}):
        line = Line.at("10:00", SMALL)
        counted(line, 400, 404)
        line.says(**says).ticks = False
        line.silent(minutes=60 * 60)
        assert [pieces for pieces in counted(line, 0, 4) if pieces] == [4, 4]


def test_a_reading_that_nothing_explains_is_a_dead_letter_and_counting_goes_on_from_it():
    """Neither a full turn (799 pieces) nor 300 since a reset is plausible in 2 s: no piece, a dead letter."""
    #  reading   500 ×  300  304
    #  pieces      0     ✉    +4
    line = Line.at("10:00", SMALL)
    assert counted(line, 500, 300, 304) == [0, 4]
    [letter] = line.dead_letters
    assert letter.reason == "counter_reset"
    assert "500" in letter.detail
    assert "300" in letter.detail


def test_a_jump_up_is_kept_however_fast_it_is():
    """Nothing is lost: the gateway may have slept."""
    assert counted(Line.at("10:00", SMALL), 100, 900) == [0, 800]


def test_a_jump_of_more_than_a_message_may_tell_is_another_counter():
    """A million is the most; counting goes on from the new reading."""
    line = Line.at("10:00", 'line.count_mode = "counter"\nline.counter_max = 9007199254740992')
    assert counted(line, 7, 2**52, 2**52 + 4) == [0, 4]
    assert [letter.reason for letter in line.dead_letters] == ["counter_jump"]


def test_without_a_stated_rate_twice_the_target_is_plausible():
    """60 a minute asked, 120 plausible: 503 in 2 s are not, in 5 minutes they are."""
    rules = 'line.count_mode = "counter"\nline.counter_max = 999'
    assert counted(Line.at("10:00", rules), 500, 3) == [0, 3]
    line = Line.at("10:00", rules)
    assert counted(line, 500, seconds=300) == [0]
    assert counted(line, 3) == [0, 503]


def test_without_any_rate_half_a_turn_is_plausible():
    """It is not known how fast the line can be."""
    line = Line.at("10:00", 'line.count_mode = "counter"\nline.counter_max = 999')
    for reading in (900, 100, 400, 100):
        line.says(count=reading).silent(seconds=2)
    assert [sample.bottles_produced for sample in line.samples] == [0, 200, 300, 100]


def test_a_late_reading_adds_nothing():
    """Its pieces are in the reading that arrived before it."""
    #  made at   :00  :02  :06  :04 (late)  :08
    #  reading   100  104  112  108         116
    #  pieces      0   +4   +8    0          +4
    line = Line.at("10:00", SMALL)
    counted(line, 100, 104)
    line.silent(seconds=2)
    counted(line, 112)
    line.says(count=108, timestamp=line.now - 4000)
    assert counted(line, 116) == [0, 4, 8, 0, 4]
    assert line.orders[0].produced == 16


def test_defects_may_be_counted_in_the_same_way_and_a_message_without_them_tells_nothing():
    """A missing reading is not 0."""
    line = Line.at("10:00", 'line.defects_mode = "counter"\nline.defects_max = 65535')
    messages: list[dict[str, Any]] = [{"defects": 7}, {}, {"defects": 9}, {"defects": 9}]
    for defects in messages:
        line.says(count=4, targetRate=120, **defects).silent(seconds=2)
    assert [sample.defect_count for sample in line.samples] == [0, 0, 2, 0]
    assert sum(window.defects for window in line.windows) == 2


def test_a_reading_above_the_highest_value_is_refused():
    """With what was expected, and without a trace in the count."""
    line = Line.at("10:00", SMALL)
    assert counted(line, 10, 1000, 14) == [0, 4]
    assert "de 0 à 999" in line.dead_letters[0].detail


def test_a_machine_that_sends_only_its_counter_runs_while_it_counts():
    """Its rate follows from its pieces; it stops when it has counted nothing for as long as its rules say."""
    #  10:00:00      :20              :32
    #  ──────────────┆·  ·  ·  ·  ·  ■■■■
    #   +4 every 2 s   repeated, 10 s    stopped
    line = Line.at("10:00", SMALL + "\nline.stopped_after_s = 10\nline.target_rate = 120")
    for n in range(17):
        line.says(count=100 + 4 * min(n, 10)).silent(seconds=2)
    assert [sample.is_running for sample in line.samples] == [False] + 14 * [True] + 2 * [False]
    assert [sample.actual_rate for sample in line.samples][1:11] == [120.0] * 10
    [stop] = line.stopped
    assert (stop.category, stop.start_time[11:19], stop.end_time) == ("unplanned", "09:00:30", None)
    assert line.says(count=144).stopped[0].end_time is not None


@settings(max_examples=200, deadline=None)
@given(
    st.integers(100, 2**20),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30)), min_size=1, max_size=40),
)
def test_readings_of_a_counter_add_up_to_the_pieces_made(highest, made):
    """However often it passes its highest value, wherever it begins: no piece more or less."""
    line = Line.at("10:00", f'line.count_mode = "counter"\nline.counter_max = {highest}')
    total = highest - 20
    line.says(count=total, targetRate=1200)
    for pieces, seconds in made:
        line.silent(seconds=seconds + 1)
        total += pieces
        line.says(count=total % (highest + 1), targetRate=1200)
    assert sum(sample.bottles_produced for sample in line.samples) == total - (highest - 20)
    assert sum(order.produced for order in line.orders) == total - (highest - 20)


@pytest.mark.parametrize("words", ["running", "stopped"])
def test_a_line_that_only_says_its_state_has_windows_and_no_figures_of_rate(words):
    """Time states, availability; performance is null for want of a target."""
    line = Line.at("10:00")
    for _ in range(12):
        line.says(Kind.STATUS, bare=words.encode()).silent(seconds=20)
    assert sum(window.running_seconds + window.stopped_seconds for window in line.windows) == 220
    full = line.windows[1]
    assert (full.availability, full.performance) == (100.0 if words == "running" else 0.0, None)
    assert full.reason == ("no_target" if words == "running" else "not_running")
    assert not line.samples
    assert not line.orders
