"""A machine with a wrong clock that reports what happens now."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instant import DAY, HOUR, MINUTE, SECOND, text_of
from schemas.raw import Kind
from schemas.state import decode, encode
from tests.rules.line import Line, at
from tests.rules.test_alerts import alert_times
from tests.rules.test_kpi_gateway import figures

SKEW = "CLOCK_SKEW"


def stops(line: Line, category: str = "unplanned") -> list[tuple[str, float | None]]:
    """(began, duration in s) of each stop; the beginning as minutes and seconds."""
    return [(row.start_time[14:19], row.duration) for row in line.stopped if row.category == category]


def set_back(line: Line, by: int) -> Line:
    """Set the machine's own clock back by this much, ms."""
    line.behind = by
    return line


# -- a clock that is wrong


def test_a_machine_whose_clock_is_set_back_is_flagged_and_its_stop_is_seen():
    """Its messages are late for a minute; after that, they count at their arrival."""
    #  10:00        :05              :10                    :30  :35
    #  ───────(right)|──(1 h behind)─■■■■■■■■■■■■■■■■■■■■■■■─────
    #                |late|
    line = set_back(Line.at("10:00").runs(minutes=5), HOUR).runs(minutes=5)
    [alert] = line.alerts(SKEW)
    assert (alert.status, alert.value, alert.threshold) == ("open", -3600, 60)
    assert alert.message == "horloge de la machine décalée de -3600 s"
    assert alert_times(line, SKEW) == [("05:00", None)]
    line.stops(minutes=20).runs(minutes=5)
    assert stops(line) == [("10:00", 1200)]
    assert alert_times(line, "MACHINE_STOP") == [("10:00", "30:00")]
    assert sum(window.stopped_seconds for window in line.windows) == 1200
    # 30 messages of 4 pieces came late, 58 minutes and more before the others' windows.
    assert sum(w.pieces for w in line.windows if w.window_start < text_of(at("09:59"))) == 120
    assert sum(window.pieces for window in line.windows) == 15 * 30 * 4
    assert sum(sample.bottles_produced for sample in line.samples) == line.orders[0].produced == 1800


def test_a_clock_that_is_right_again_is_believed_at_once_and_told_a_minute_later():
    """Its timestamps count again."""
    line = set_back(Line.at("10:00").runs(minutes=1), HOUR).runs(minutes=4)
    set_back(line, 0).silent(seconds=1)
    line.data(timestamp=line.now - 500).silent(seconds=1)
    assert line.samples[-1].timestamp[14:] == "05:00.500Z"
    line.runs(seconds=56)
    assert alert_times(line, SKEW) == [("01:00", None)]
    line.runs(seconds=4)
    assert alert_times(line, SKEW) == [("01:00", "06:00")]
    assert line.state.belief is None
    line.stops(seconds=30).runs(seconds=2)
    assert stops(line) == [("06:02", 30)]


def test_a_right_clock_that_is_some_seconds_behind_is_not_late_after_a_wrong_one():
    """The line clock followed arrival times meanwhile."""
    line = set_back(Line.at("10:00").runs(minutes=1), HOUR).runs(minutes=4)
    set_back(line, 20 * SECOND).runs(seconds=10).stops(seconds=30).runs(minutes=1)
    assert stops(line) == [("05:10", 30)]
    assert [row.status for row in line.alerts(SKEW)] == ["resolved"]


def test_a_clock_set_back_by_seconds_is_late_for_seconds_and_never_flagged():
    """A clock that is off by less than a minute is not wrong."""
    line = set_back(Line.at("10:00").runs(minutes=5), 50 * SECOND).runs(minutes=5)
    assert not line.alerts(SKEW)
    line.stops(minutes=1).runs(minutes=1)
    assert stops(line) == [("09:10", 60)]
    assert line.state.belief is None


def test_a_clock_that_drifts_is_not_flagged_before_it_is_late():
    """By 10 s an hour, for a day: its messages are in order, and the line clock follows it."""
    line = Line.at("10:00", "[line]\nsilence_s = 300\n")
    line.every, line.ticks = 120, False
    for n in range(24):
        set_back(line, n * 10 * SECOND).runs(minutes=60)
    assert line.state.clock == line.now - (120 + 230) * SECOND
    assert not line.alerts(SKEW)


def test_a_wrong_clock_may_drift():
    """By 3 s a minute, up and down, for an hour: it is recognised as the same wrong clock."""
    line = set_back(Line.at("10:00").runs(minutes=1), HOUR).runs(minutes=2)
    for n in range(60):
        set_back(line, HOUR + (n if n < 30 else 60 - n) * 3 * SECOND).runs(minutes=1)
    line.stops(minutes=1).runs(minutes=1)
    assert stops(line) == [("03:00", 60)]
    assert alert_times(line, SKEW) == [("01:00", None)]
    assert sum(sample.timestamp != sample.received_at for sample in line.samples) == 30  # the first minute's


def test_a_clock_that_is_wrong_by_another_time_is_judged_again():
    """Its messages are late for another minute; there is one alert."""
    line = set_back(Line.at("10:00").runs(minutes=1), HOUR).runs(minutes=4)
    set_back(line, 3 * HOUR).runs(minutes=5).stops(minutes=1).runs(minutes=1)
    assert stops(line) == [("10:00", 60)]
    assert alert_times(line, SKEW) == [("01:00", None)]


def test_clocks_that_know_no_summer_time_are_a_case_of_it():
    """29 March: a machine goes on in winter time and names no offset, so that 03:00 comes twice."""
    line = Line.at("00:00", day="2026-03-29")
    line.every = 10
    for n in range(6 * 60 * 4):  # in steps of 10 s, by its own clock
        line.data(
            running=n < 1200 or n >= 1320, timestamp=f"2026-03-29T{n // 360:02d}:{n // 6 % 60:02d}:{n % 6}0"
        )
        line.silent(seconds=10)
    assert [(row.start_time[11:16], row.duration) for row in line.stopped if row.category == "unplanned"] == [
        ("02:20", 1200)
    ]
    assert [row.value for row in line.alerts(SKEW)] == [-3600]


def test_statuses_count_as_they_arrive_while_their_clock_is_not_believed():
    """A machine that sends statuses only; while its clock is in doubt, they are late."""
    line = Line.at("10:00", "[line]\nsilence_s = 600\n")
    for n in range(12):
        behind = HOUR if n >= 4 else 0
        line.says(Kind.STATUS, status="running" if n != 8 else "stopped", timestamp=line.now - behind)
        line.silent(seconds=45)
    assert stops(line) == [("06:00", 45)]
    assert alert_times(line, SKEW) == [("03:00", None)]


def test_counters_lose_nothing_while_a_clock_is_doubted():
    """The pieces of a late reading are in the next one."""
    line = Line.at("10:00", '[line]\ncount_mode = "counter"\ncounter_max = 999999\n')
    for n in range(150):
        set_back(line, HOUR if n >= 30 else 0).data(count=4 * n).silent(seconds=2)
    assert line.orders[0].produced == 4 * 149


def test_a_line_that_speaks_every_ten_minutes_is_flagged_after_three_messages():
    """Three messages of the same lag, over at least a minute."""
    line = Line.at("08:00", "[line]\nsilence_s = 900\n")
    line.every = 600
    line.runs(minutes=60)
    set_back(line, HOUR).runs(minutes=20)
    assert not line.alerts(SKEW)
    line.runs(minutes=10)
    assert [row.started_at[11:16] for row in line.alerts(SKEW)] == ["08:00"]
    line.stops(minutes=30).runs(minutes=10)
    assert [(row.start_time[11:16], row.duration) for row in line.stopped if row.category == "unplanned"] == [
        ("08:30", 1800)
    ]


def test_messages_that_were_delayed_are_still_of_their_wrong_clock():
    """Messages of twenty seconds arrive at once."""
    line = set_back(Line.at("10:00").runs(minutes=1), HOUR).runs(minutes=4)
    start = line.now
    line.silent(seconds=20)
    for n in range(10):
        line.data(timestamp=start + n * 2 * SECOND - HOUR)
    line.stops(seconds=10).runs(seconds=10)
    assert stops(line) == [("05:20", 10)]
    assert line.samples[-15].timestamp[11:16] == "09:05"


def test_what_waited_for_the_bridge_proves_nothing_of_a_clock():
    """All messages are late by an hour, for two minutes, while the bridge reads its backlog."""
    line = Line.at("10:00").runs(minutes=5)
    for _ in range(60):
        line.says(backlog=True, count=4, timestamp=line.now - HOUR).silent(seconds=2)
    assert not line.alerts(SKEW)
    assert line.state.belief is None


def test_what_waited_for_the_bridge_is_still_of_its_wrong_clock():
    """They are counted at arrival, and not for performance: it is not known when the pieces were made."""
    line = set_back(Line.at("10:00").runs(minutes=1), HOUR).runs(minutes=4)
    since = line.now
    line.bridge_down(minutes=3)
    for n in range(90):
        line.says(backlog=True, count=4, running=n < 89, timestamp=since + n * 2 * SECOND - HOUR)
    assert line.state.mode == "stopped"
    last = line.silent(seconds=60).windows
    assert sum(w.pieces - w.timed_pieces for w in last if w.window_start >= text_of(at("10:05"))) == 360


def test_a_clock_never_set_counts_as_it_arrives_from_its_first_message_on():
    """Its battery is dead: it shows 1970, or the date of its firmware."""
    for behind in (at("10:00"), at("10:00") - 8_640_000_000, 500 * DAY):
        line = set_back(Line.at("10:00"), behind).runs(minutes=2).stops(minutes=1).runs(minutes=1)
        assert stops(line) == [("02:00", 60)]
        assert alert_times(line, SKEW) == [("00:00", None)]
        assert line.orders[0].produced == 360
        assert not line.dead_letters


@pytest.mark.parametrize("behind", [8 * DAY, 60 * DAY, 399 * DAY])
def test_a_clock_that_is_months_off_is_in_doubt_for_a_minute(behind):
    """Those messages are dead letters, kept with their bytes; later ones count at their arrival."""
    line = set_back(Line.at("10:00").runs(minutes=5), behind).runs(minutes=2).stops(minutes=1).runs(minutes=1)
    assert len(line.dead_letters) == 30
    assert {letter.reason for letter in line.dead_letters} == {"timestamp"}
    assert b'"count"' in line.dead_letters[0].payload
    assert line.orders[0].produced == (5 + 1 + 1) * 30 * 4
    assert stops(line) == [("07:00", 60)]
    [alert] = line.alerts(SKEW)
    assert (alert.started_at[14:19], alert.value) == ("05:00", -behind / SECOND)


def test_a_new_line_whose_clock_is_months_off_is_heard_after_a_minute():
    """The doubt is remembered, although no message has counted yet."""
    line = set_back(Line.at("10:00"), 60 * DAY).runs(minutes=2)
    assert len(line.dead_letters) == 30
    assert line.samples[0].timestamp[11:16] == "09:01"


def test_a_dead_letter_of_a_timestamp_says_what_is_accepted():
    """And names the rule."""
    line = Line.at("10:00").data(timestamp=at("10:00") - 9 * DAY)
    assert line.dead_letters[0].detail == (
        "horodatage trop ancien: 2026-01-06T09:00:00.000Z, reçu le 2026-01-15T09:00:00.000Z;"
        " au plus 604800 s d'écart sont admises (accept_past_s)"
    )


# -- states


def test_a_flag_that_an_older_release_left_is_taken_back_by_a_right_clock():
    """Its state holds the alert, and no belief."""
    line = Line.at("10:00").data(timestamp=1)
    line.state.belief = None
    line.silent(seconds=2).data()
    assert alert_times(line, SKEW) == [("00:00", "00:02")]


def test_what_is_believed_is_part_of_the_state():
    """It survives JSON; without a doubt, the JSON holds nothing about it."""
    line = Line.at("10:00").runs(minutes=1)
    assert b"belief" not in encode(line.state)
    set_back(line, HOUR).runs(minutes=2)
    assert decode(encode(line.state)) == line.state


# -- as a machine with a right clock

MARGIN = 2 * MINUTE
SPELL = {
    "runs": {},
    "stops": {"count": 0, "rate": 0, "running": False},
    "hot": {"temperature": 40},
}
spells = st.lists(st.tuples(st.sampled_from(list(SPELL)), st.integers(1, 30)), min_size=1, max_size=6)


def seen_since(line: Line, since: int) -> dict[str, Any]:
    """The line's rows that began after `since`, without its clock's alert."""
    began = text_of(since)
    held = sorted(line.alerts("MACHINE_STOP") + line.alerts("HIGH_TEMPERATURE"), key=lambda row: row.id)
    return {
        "stops": [(r.start_time, r.end_time, r.category) for r in line.stopped if r.start_time > began],
        "alerts": [(r.type, r.started_at, r.resolved_at, r.value) for r in held if r.started_at > began],
        "windows": [row for row in figures(line) if row["window_start"] > began],
        "samples": [row.timestamp for row in line.samples if row.received_at > began],
    }


@settings(max_examples=20, deadline=None)
@given(
    st.one_of(st.integers(100 * SECOND, 6 * DAY), st.integers(8 * DAY, 399 * DAY)),
    spells,
    st.sampled_from([2, 5, 14]),
    st.lists(st.integers(0, 1500), min_size=1, max_size=5),
)
def test_once_it_is_flagged_a_wrong_clock_gives_what_a_right_one_does(behind, drawn, every, jitter):
    """The same stops, alerts and pieces, at arrival, whatever the machine does and its clock shows."""
    seen = []
    for off in (0, behind):
        line = Line.at("10:00", "[line.order]\nquantity = 100000\n")
        line.every = every
        line.runs(minutes=1)
        since = line.now + MARGIN
        for name, length in [("runs", 150 // every), *drawn, ("runs", 5)]:
            for n in range(length):
                set_back(line, off + jitter[n % len(jitter)] if off else 0)
                line.runs(seconds=every, **{"temperature": 20, **SPELL[name]})
        line.silent(seconds=20)
        seen.append(seen_since(line, since))
        assert len(line.alerts(SKEW)) == (1 if off else 0)
    assert seen[0] == seen[1]
