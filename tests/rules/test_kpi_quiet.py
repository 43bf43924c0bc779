"""A line that sends messages only when something changes: its windows are shown as time passes."""

from schemas.instant import MINUTE
from schemas.raw import Kind
from tests.rules.line import Line

QUIET = "[line]\nsilence_s = 3600"


def shown(line: Line) -> list[tuple[str, float, float]]:
    """(start, running, stopped) of each window."""
    return [(w.window_start[11:16], w.running_seconds, w.stopped_seconds) for w in line.windows]


def test_a_line_that_said_once_that_it_runs_has_windows():
    """It may be silent for an hour: its last message counts as long, and its windows are shown."""
    #  10:00                10:10
    #  ─ running ─ (nothing) │
    line = Line.at("10:00", QUIET).says(Kind.STATUS, running=True).silent(minutes=10)
    assert shown(line) == [(f"09:{minute:02}", 60, 0) for minute in range(10)]
    assert {window.availability for window in line.windows} == {100}


def test_a_line_that_said_once_that_it_stands_has_windows():
    """A stopped line's as well, whether it sends data or its state alone."""
    #  10:00  10:01                 10:11
    #  ────── ■■ (nothing) ■■■■■■■■■■│
    for line in (
        Line.at("10:00", QUIET).says(Kind.STATUS, running=True),
        Line.at("10:00", QUIET).data(),
    ):
        line.silent(minutes=1).says(Kind.STATUS, running=False).silent(minutes=10)
        assert shown(line)[1:] == [(f"09:{minute:02}", 0, 60) for minute in range(1, 11)]


def test_a_gateway_that_says_online_hides_no_stop_of_its_machine():
    """The machine's last message says that it is stopped: that is shown, whatever the gateway sends."""
    #  10:00                     20:00
    #  ■■ o o o o o o o o o o o o o ────
    line = Line.at("10:00").stops(seconds=10)
    for _ in range(10 * 60 * 2):
        line.says(Kind.STATUS, bare=b"online").silent(seconds=30)
    assert sum(window.stopped_seconds for window in line.windows) > 10 * 60 * 60
    line.runs(seconds=10)
    assert sum(window.stopped_seconds for window in line.windows) == 10 * 60 * 60 + 10


def test_a_gateway_that_says_online_does_not_speak_for_its_machine():
    """What is shown while the machine is silent is what its windows will hold."""
    line = Line.at("10:00").runs(seconds=10)
    for _ in range(6):
        line.silent(seconds=10).says(Kind.STATUS, bare=b"online")
    line.silent(seconds=10)
    assert [(stop.category, stop.start_time[11:19]) for stop in line.stopped] == [("no_signal", "09:00:38")]


def test_the_minute_under_way_is_shown_as_far_as_it_is():
    """At each tick, once the line is quiet: a stop is seen before the minute ends."""
    #  10:00             :40
    #  ■■ (nothing) ■■■■■│
    line = Line.at("10:00", QUIET).says(Kind.STATUS, running=False).silent(seconds=40)
    assert shown(line) == [("09:00", 0, 40)]
    assert shown(line.silent(seconds=5)) == [("09:00", 0, 45)]


def test_what_was_shown_gives_way_to_what_the_line_says():
    """It counts as running until a message reports otherwise, which may come late."""
    #  10:00            10:05              10:10                 10:20
    #  ─ (nothing) ─────■■■■■ shown as running │ (reports 10:05) │ published again
    line = Line.at("10:00", QUIET).says(Kind.STATUS, running=True).silent(minutes=10)
    assert shown(line)[5:] == [(f"09:{minute:02}", 60, 0) for minute in range(5, 10)]
    line.says(Kind.STATUS, running=False, timestamp=line.now - 5 * MINUTE).silent(minutes=10)
    assert shown(line)[5:] == [(f"09:{minute:02}", 0, 60) for minute in range(5, 15)]


def test_a_line_that_counts_is_not_shown_without_its_pieces():
    """Its next message brings them, with the time in which they were made."""
    #  10:00      10:05          10:09
    #  4 ──────── 600 ─ (nothing) │
    line = Line.at("10:00", QUIET).data().silent(minutes=5).data(count=600).silent(minutes=4)
    assert shown(line) == [(f"09:{minute:02}", 60, 0) for minute in range(5)]
    assert all(window.pieces for window in line.windows)


def test_a_planned_stop_that_does_not_end_is_noticed_when_it_should():
    """And not only once the line has been silent for so long that its signal counts as lost."""
    #  10:00  10:10        10:25               10:30
    #  ────── ■ break, 15 min ┆ ■ overdue ■■■■■│
    plant = QUIET + '\n[[planned]]\nname = "Pause"\nstart = 10:10:00\nduration_min = 15'
    line = Line.at("10:00", plant).says(Kind.STATUS, running=True).silent(minutes=10)
    line.says(Kind.STATUS, running=False).silent(minutes=20)
    assert [stop.category for stop in line.stopped] == ["unplanned"]
    assert [alert.status for alert in line.alerts("MACHINE_STOP")] == ["open"]
    found = [(window.planned_seconds, window.stopped_seconds) for window in line.windows[10:]]
    assert found == [(60, 0)] * 15 + [(0, 60)] * 5


def test_after_an_outage_the_line_is_given_time_to_speak():
    """The bridge was down for twenty minutes: its message about the end of its break may be on its way."""
    #  10:00  10:10        10:25     10:30
    #  ────── ■ break ■ ░░░ nobody ░░░│
    plant = QUIET + '\n[[planned]]\nname = "Pause"\nstart = 10:10:00\nduration_min = 15'
    line = Line.at("10:00", plant).says(Kind.STATUS, running=True).silent(minutes=10)
    line.says(Kind.STATUS, running=False).bridge_down(minutes=20).silent(seconds=20)
    assert [stop.category for stop in line.stopped] == ["planned"]
    assert not line.alerts("MACHINE_STOP")
