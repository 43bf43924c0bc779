"""When the simulated lines publish."""

from itertools import islice

import pytest

from linepulse.simulator import schedule
from linepulse.simulator.plant import Line
from schemas.instant import DAY, HOUR, MINUTE, SECOND

NOW = 1_737_115_200_000


def lines(count: int, start: int = NOW) -> list[Line]:
    return [Line(f"ligne{k}", 1, start) for k in range(1, count + 1)]


def test_a_count_ends_now_and_is_exact():
    """Each line has exactly so many moments, increasing, the last one now."""
    dues = list(schedule.evenly(lines(2), NOW - schedule.span_of(3), NOW, 3))
    assert [at for at, line in dues if line.line_id == "ligne2"] == [NOW - 20_000, NOW - 10_000, NOW]
    assert len(dues) == 6


@pytest.mark.parametrize(("count", "span"), [(1, 10 * SECOND), (2000, 20_000 * SECOND), (10**7, 6 * DAY)])
def test_a_count_never_goes_further_back_than_the_pipeline_takes(count: int, span: int):
    """Few messages are ten seconds apart, many are closer: all within six days."""
    assert schedule.span_of(count) == span


def test_a_past_has_a_message_every_five_seconds():
    """A minute of history is twelve messages of each line, in the order of time."""
    dues = [at for at, _ in schedule.past(lines(3), NOW - MINUTE, NOW)]
    assert len(dues) == 36
    assert dues == sorted(dues)
    assert dues[-1] == NOW


def test_live_lines_take_turns():
    """Two lines at two messages a second share out the second."""
    dues = [(at - NOW, line.line_id) for at, line in schedule.live(lines(2), NOW, 2, 1)]
    assert dues == [(250, "ligne1"), (500, "ligne2"), (750, "ligne1"), (1000, "ligne2")]


def test_live_goes_on_without_an_end():
    """Without a duration the lines never fall silent."""
    assert len(list(islice(schedule.live(lines(1), NOW, 1000, None), 5000))) == 5000


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90 * SECOND), ("30m", 30 * MINUTE), ("8h", 8 * HOUR), ("2d", 2 * DAY)]
)
def test_durations(text: str, expected: int):
    """A duration is a number and one letter."""
    assert schedule.milliseconds(text) == expected


@pytest.mark.parametrize("text", ["", "8", "h", "8 h", "-1h", "0h", "1.5h", "8w", "7d", "999999h"])
def test_what_is_no_duration_is_said(text: str):
    """What can't be read or is too long is refused, with the words to write instead."""
    with pytest.raises(ValueError, match=r"no duration|too long"):
        schedule.milliseconds(text)
