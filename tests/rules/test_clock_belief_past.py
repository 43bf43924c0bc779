"""Two machines on one line, batches, stored messages that arrive late: which clock is wrong."""

import pytest

from schemas.instant import DAY, HOUR, MINUTE, SECOND, text_of
from schemas.raw import Kind
from tests.rules.line import Line, at
from tests.rules.test_alerts import alert_times
from tests.rules.test_clock_belief import SKEW, stops
from tests.rules.test_kpi_gateway import figures

# -- two machines on one line


def test_a_right_and_a_wrong_clock_on_one_line_are_one_alert():
    """Messages of the wrong one count at arrival, those of the right one are believed, while both send."""
    line = Line.at("10:00")
    for n in range(300):
        line.data(timestamp=line.now - 200).silent(seconds=1)
        line.data(timestamp=line.now - HOUR - 200, count=0, rate=None).silent(seconds=1)
        assert n < 35 or line.samples[-1].timestamp > text_of(line.now - MINUTE)
    assert alert_times(line, SKEW) == [("00:01", None)]
    assert line.state.belief is not None
    line.runs(minutes=2)
    assert [row.status for row in line.alerts(SKEW)] == ["resolved"]


def test_two_wrong_clocks_on_one_line_are_both_counted_as_they_arrive():
    """Each has its own lag."""
    line = Line.at("10:00").runs(minutes=1)
    for _ in range(60):
        for behind in (HOUR, 3 * HOUR):
            line.data(timestamp=line.now - behind).silent(seconds=1)
    assert {row.timestamp[:16] for row in line.samples[-20:]} == {"2026-01-15T09:02"}
    assert alert_times(line, SKEW) == [("01:00", None)]


def test_a_wrong_clock_that_speaks_rarely_beside_a_right_one_does_not_flap():
    """The alert stays for three times the interval between two of its messages."""
    line = Line.at("08:00")
    line.every = 20
    for _ in range(12):
        line.data(count=0, timestamp=line.now - 2 * HOUR).silent(seconds=1).runs(seconds=599)
    assert [row.status for row in line.alerts(SKEW)] == ["open"]
    line.runs(minutes=35)
    assert [row.status for row in line.alerts(SKEW)] == ["resolved"]


def test_a_gateway_that_sends_a_batch_every_two_minutes_beside_live_messages_is_believed():
    """Its lags repeat from batch to batch, but none is constant."""
    line = Line.at("10:00", "[line]\nsilence_s = 60\n")
    made = []
    for _ in range(20):
        since = line.now
        for _ in range(12):
            line.says(Kind.STATUS, status="running", timestamp=line.now).silent(seconds=10)
        for moment in range(since, line.now, 2 * SECOND):
            line.data(timestamp=moment)
            made.append(text_of(moment))
    assert [sample.timestamp for sample in line.samples] == made
    assert not line.alerts(SKEW)


# -- a past that is poured in


@pytest.mark.parametrize("beside", [False, True])
def test_a_past_beyond_the_limit_is_dead_letters_and_no_pieces_of_now(beside):
    """Two days from ten days ago, a message every ten minutes, alone or between live messages."""
    line = Line.at("10:00").runs(minutes=2)
    since = line.now - 10 * DAY
    for moment in range(since, since + 2 * DAY, 10 * MINUTE):
        line.data(count=20, timestamp=moment).silent(seconds=0.5)
        if beside:
            line.data(count=1)
    line.silent(seconds=1).runs(minutes=1)
    assert len(line.dead_letters) == 288
    assert {letter.reason for letter in line.dead_letters} == {"timestamp"}
    assert line.orders[0].produced == 3 * 120 + (288 if beside else 0)
    assert not line.alerts(SKEW)


def test_a_past_that_is_poured_in_at_twice_its_pace_is_one_too():
    """A slow link: two hours of messages take an hour."""
    line = Line.at("10:00")
    line.ticks = False
    since = line.now - 8 * DAY
    for n in range(1800):
        line.data(timestamp=since + n * 4 * SECOND).silent(seconds=2)
    assert len(line.dead_letters) == 1800
    assert not line.alerts(SKEW)


def test_a_backlog_longer_than_the_limit_leaves_the_days_within_it_right():
    """Messages of 9 to 4 days ago come at once: the rows are as if the first two days were never sent."""
    #  -10 d      -9 d       -7 d                     -4 d          now
    #  ──────(no network)═════|════════■■■════════════|──────(sends it all)──
    #                  dead letters     a stop
    plant = "[line]\nsilence_s = 900\nwindow_s = 3600\n"
    now = at("10:00")
    limit = now - 7 * DAY

    def told_from(since: int) -> Line:
        line = Line(now - 10 * DAY, plant)
        line.every = 600
        line.ticks = False
        line.runs(minutes=60).bridge_down(minutes=(now - line.now) / MINUTE)
        for moment in range(since, now - 4 * DAY, 10 * MINUTE):
            stands = 0 <= moment - (now - 5 * DAY) < HOUR
            line.data(count=0 if stands else 1200, running=not stands, timestamp=moment)
        return line

    line, without = told_from(now - 9 * DAY), told_from(limit)
    assert len(line.dead_letters) == 2 * 144
    assert figures(line) == figures(without)
    assert [row.start_time for row in line.stopped] == [row.start_time for row in without.stopped]
    assert ("00:00", 3600) in stops(line)
    assert sum(
        w.running_seconds + w.slow_seconds for w in line.windows if w.window_start >= text_of(limit)
    ) == (
        (3 * 24 - 1) * 3600 - 600  # the last message holds on
    )
    assert line.state.clock == now - 4 * DAY - 10 * MINUTE


def test_a_past_within_the_limit_beside_live_messages_is_counted_in_its_time():
    """Its timestamps are not in doubt for long."""
    line = Line.at("10:00").runs(minutes=1)
    since = line.now - DAY
    for n in range(144):
        line.data(count=2).silent(seconds=1)
        line.data(count=20, timestamp=since + n * 10 * MINUTE).silent(seconds=1)
    assert not line.alerts(SKEW)
    assert not line.dead_letters
    assert sum(w.pieces for w in line.windows if w.window_start < text_of(at("09:55"))) == 144 * 20


def test_a_retained_status_holds_however_long_ago_it_was_said():
    """It is neither a wrong clock nor a stored message."""
    line = Line.at("10:00").says(Kind.STATUS, status="stopped", timestamp=at("10:00") - 30 * DAY, retain=True)
    assert stops(line) == [("00:00", None)]
    assert not line.alerts(SKEW)
    assert not line.dead_letters
