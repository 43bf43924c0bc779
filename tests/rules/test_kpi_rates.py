"""Rates: a rate that is reported while a line stands still does not count for its running time."""

from typing import Any

import pytest

from schemas.raw import Kind
from tests.rules.line import Line


def plant_of_restarts(every: int, **standing: float) -> Line:
    """118 of 120 a minute, a stop of 41 s in each 3 minutes, in words; data each `every` s throughout."""
    #  10:00               :01:50   :02:31     10:03
    #    118  118  118  118  ■■■■■■■■■  118  118     (data: 0 in it)
    line = Line.at("10:00")
    start = line.now
    runs = True
    for second in range(40 * 60):
        stands = second % 180 in range(110, 151)
        if stands == runs:
            line.says(Kind.STATUS, bare=b"stopped" if stands else b"running")
            runs = not stands
        if second % every == 0:
            rates: dict[str, Any] = {"targetRate": 120, "rate": 118}
            line.says(count=0, **rates | ({"rate": 0, **standing} if stands else {}))
        line._until(start + (second + 1) * 1000)
    return line


@pytest.mark.parametrize("every", [5, 10, 25])
@pytest.mark.parametrize("standing", [{}, {"targetRate": 0}])
def test_a_rate_of_a_line_that_stands_is_none_of_its_running_time(every, standing):
    """However often data come: until they report another rate, it runs at the rate that it had before."""
    windows = plant_of_restarts(every, **standing).windows
    theoretical = sum(window.theoretical_output for window in windows)
    reported = sum(window.reported_output for window in windows)
    assert 100 * reported / theoretical == pytest.approx(98.3333, abs=0.0001)
    running = sum(window.running_seconds for window in windows)
    assert theoretical == pytest.approx(running * 2)
    assert sum(window.slow_seconds for window in windows) == 0
    assert sum(window.stopped_seconds for window in windows) == 13 * 41


def test_the_rate_that_a_line_tells_as_it_runs_is_its_rate():
    """Also a rate of 0: it runs, and makes nothing."""
    line = Line.at("10:00").runs(minutes=1).stops(minutes=1)
    line.runs(minutes=1, rate=0)
    assert [window.reported_output for window in line.windows] == [120, 0, 0]
    assert line.windows[2].slow_seconds == pytest.approx(58)
