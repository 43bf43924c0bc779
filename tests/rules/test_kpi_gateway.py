"""A gateway that was offline and then sends its stored messages gives the figures of one that was online."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instant import MINUTE, SECOND
from schemas.raw import Kind
from tests.rules.line import Line, at

START = at("13:40")
QUIET = 10 * MINUTE  # after the last message: the same silence for both
FIGURES = (
    "window_start", "window_end", "day", "hour", "order_number", "product_type", "shift_id", "shift_date",
    "trs", "availability", "performance", "quality", "do", "tp", "running_seconds", "slow_seconds",
    "stopped_seconds", "micro_seconds", "planned_seconds", "no_signal_seconds", "closed_seconds",
    "unknown_seconds", "pieces", "timed_pieces", "defects", "stops", "micro_stops",
)  # fmt: skip
PLANT = "[line]\nmicro_stop_s = 90\n"


def figures(line: Line) -> list[dict[str, Any]]:
    """The figures of every window, with outputs rounded to a millionth of a piece."""
    rows = []
    for window in line.windows:
        row = {name: getattr(window, name) for name in FIGURES}
        outputs = round(window.theoretical_output, 6), round(window.reported_output, 6)
        rows.append({**row, "outputs": outputs})
    return [{**row, "order_number": None} for row in rows]  # its number tells when it came


Story = list[tuple[int, dict[str, Any]]]


def online(story: Story, plant: str = PLANT) -> Line:
    """Every message comes as it is made."""
    line = Line(START, plant)
    for moment, fields in story:
        line._until(START + moment)
        line.says(timestamp=line.now, **fields)
    line._until(START + story[-1][0] + QUIET)
    return line


def offline(story: Story, gone: range, back: int, plant: str = PLANT) -> Line:
    """The messages of `gone` (indices) come in a burst at `back`, in their order, then the others."""
    line = Line(START, plant)
    for index, (moment, fields) in enumerate(story):
        line._until(max(START + moment, line.now) if index not in gone else max(START + back, line.now))
        line.says(timestamp=START + moment, **fields)
    line._until(max(line.now, START + story[-1][0] + QUIET))
    return line


def running(moments: Iterable[int], **fields: Any) -> Story:
    return [
        (moment * SECOND, {"count": 20, "targetRate": 120, "rate": 120, "running": True, **fields})
        for moment in moments
    ]


def test_an_hour_without_a_network_is_no_hour_without_signal():
    """Time is shown as no signal while it lasts, and corrected when the stored messages come."""
    #  13:40     13:50                    14:20     14:30
    #  ─────────────(no network)────────────sends all──
    story = running(range(0, 3000, 10))
    gone = range(60, 240)
    line = offline(story, gone, 2400 * SECOND)
    assert figures(line) == figures(online(story))
    burst = [e for e in line.events if getattr(e, "no_signal_seconds", 0) == 60]
    assert burst  # people saw it while it lasted
    assert sum(window.no_signal_seconds for window in line.windows[:48]) == 0


def test_a_stop_that_nobody_saw_is_there_afterwards():
    """With its category, its minutes and its shift."""
    story = running(range(0, 600, 10))
    story += [
        ((600 + s) * SECOND, {"count": 0, "running": False, "targetRate": 120}) for s in range(0, 40, 10)
    ]
    story += running(range(640, 1500, 10))
    line = offline(story, range(30, 100), 1400 * SECOND)
    assert figures(line) == figures(online(story))
    assert sum(window.micro_stops for window in line.windows) == 1
    [stop] = [row for row in line.stopped if row.category != "no_signal"]
    assert (stop.category, stop.duration) == ("micro", 40)


@pytest.mark.parametrize("after", [1, 9, 60])
def test_a_will_that_the_broker_sends_for_a_gateway_takes_nothing_from_its_past(after):
    """`offline` comes seconds or a minute after the last message, and has no time of its own."""
    story = running(range(0, 1200, 10))
    line = Line(START, PLANT)
    for index, (moment, fields) in enumerate(story):
        if index == 50:
            line._until(START + story[49][0] + after * SECOND)
            line.says(Kind.STATUS, bare=b"offline")
        line._until(max(line.now, START + (moment if not 50 <= index < 100 else 1000 * SECOND)))
        line.says(timestamp=START + moment, **fields)
    line._until(START + story[-1][0] + QUIET)
    assert figures(line) == figures(online(story))


message = st.fixed_dictionaries(
    {"count": st.integers(0, 30), "targetRate": st.sampled_from([60, 120]), "running": st.booleans()},
    optional={"defects": st.integers(0, 3), "rate": st.sampled_from([0, 40, 90, 130])},
)
stories = st.lists(st.tuples(st.integers(1, 90), message), min_size=2, max_size=40)


@settings(max_examples=200, deadline=None)
@given(stories, st.data())
def test_online_or_offline_is_the_same_to_the_figures(drawn, data):
    """Whatever the line did meanwhile, and whenever its network was gone, if all messages arrive."""
    story: Story = []
    moment = 0
    for passed, fields in drawn:
        moment += passed * SECOND
        story.append((moment, fields))
    first = data.draw(st.integers(1, len(story) - 1))
    last = data.draw(st.integers(first, len(story) - 1))
    back = story[last][0] + data.draw(st.integers(0, 2000)) * SECOND
    story.append((max(back, moment) + MINUTE, {"count": 0, "running": False}))
    plant = PLANT + "[line.order]\nquantity = 100000\n"
    assert figures(offline(story, range(first, last + 1), back, plant)) == figures(online(story, plant))
