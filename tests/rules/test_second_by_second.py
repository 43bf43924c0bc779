"""The windows compared with a second computation: docs/kpi.md, literally, second by second.

It knows no windows, intervals or line state: only a list of seconds, each with the line's mode.
"""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instant import HOUR, MINUTE, SECOND
from schemas.raw import Kind
from tests.rules.line import Line, at

#  13:50      13:55   13:58  14:00        14:02
#    MATIN      │ break │      │ APRES_MIDI │ closed
ORDERS = "[line.order]\nquantity = 150\n"
PLANT = """
[line]
micro_stop_s = 60
trailing_s = 25
{orders}
[[opening]]
start = 06:00:00
end = 14:02:00
[[planned]]
name = "Pause"
start = 13:55:00
end = 13:58:00
"""
START = at("13:50")
CLOSED, BREAK, SILENCE, MICRO, TRAILING = 720, (300, 480), 30, 60, 25  # seconds since START
REMEMBERED = 20  # minutes
SUMS = (
    "running", "slow", "stopped", "micro", "planned", "no_signal", "closed", "unknown",
    "pieces", "timed", "defects", "stops", "micro_stops", "theoretical", "reported",
)  # fmt: skip
COLUMNS = {
    "timed": "timed_pieces", "theoretical": "theoretical_output", "reported": "reported_output",
    **{name: name for name in ("pieces", "defects", "stops", "micro_stops")},
}  # fmt: skip

Story = list[tuple[int, dict[str, Any] | str]]
Sums = dict[int, dict[str, float]]


def kinds(story: Story, end: int) -> list[tuple[str, float, float | None]]:
    """(what the line is, target, rate) of each second."""
    messages, seconds = dict(story), []
    mode, target, rate, until, by_word = "unknown", 0.0, None, 0, False
    for second in range(end):
        said = messages.get(second)
        if isinstance(said, dict):
            if "running" in said:
                mode = "running" if said["running"] else "stopped"
            elif by_word:
                mode = "running" if counts_on(story, second) else "stopped"
            elif said["count"] or mode == "no_signal":
                mode = "running"
            target = said["targetRate"] if mode != "stopped" else said["targetRate"] or target
            rate = said["rate"] if mode != "stopped" else rate
        elif said == "offline":
            mode = "no_signal" if mode == "running" else mode
        elif said in ("running", "stopped"):
            mode = str(said)
        by_word = mode == "stopped" and (by_word or said == "stopped")
        if said not in (None, "offline", "online"):
            until = second + SILENCE
        if mode == "running" and second >= until:
            mode = "no_signal"
        seconds.append((mode, target, rate))
    return seconds


def counts_on(story: Story, since: int) -> bool:
    """Whether pieces continue for long enough, from this message on, to end a stop that a status began."""
    before = made = since
    for second, said in story:
        if second < since or said in ("online", "offline"):
            continue
        if not isinstance(said, dict) or "running" in said or second - before > SILENCE:
            return False
        if said["count"]:
            made = second
            if second - since >= TRAILING:
                return True
        elif second == since or said["targetRate"] * (second - made) >= 2 * 60 or not said["targetRate"]:
            return False
        before = second
    return False


def demand(second: int, plans: list[tuple[int, int]]) -> str:
    if second >= CLOSED:
        return "closed"
    planned = [BREAK, *plans]
    return "planned" if any(begin <= second < end for begin, end in planned) else "stopped"


def by_seconds(story: Story, plans: list[tuple[int, int]], end: int) -> Sums:
    """The sums of each minute."""
    sums: Sums = defaultdict(lambda: dict.fromkeys(SUMS, 0.0))
    seconds = kinds(story, end)
    for second, (mode, target, rate) in enumerate(seconds):
        minute, asked = sums[second // 60], demand(second, plans)
        if mode == "running":
            minute["running"] += 1
            minute["slow"] += target > 0 and rate is not None and rate < 0.8 * target
            minute["theoretical"] += target / 60
            minute["reported"] += rate / 60 if target and rate else 0
        elif mode == "unknown" or asked == "stopped":
            minute[mode] += 1
        else:
            minute[asked] += 1
    begin = None
    for second in range(end + 1):
        stands = second < end and seconds[second][0] == "stopped"
        if stands and begin is None:
            begin = second
        elif not stands and begin is not None:
            required = [each for each in range(begin, second) if demand(each, plans) == "stopped"]
            if required and second - begin < MICRO:
                sums[begin // 60]["micro_stops"] += 1
                for each in required:
                    sums[each // 60]["micro"] += 1
            elif required:
                sums[begin // 60]["stops"] += 1
            begin = None
    share(story, seconds, sums)
    return sums


def share(story: Story, seconds: list[tuple[str, float, float | None]], sums: Sums) -> None:
    """Share whole pieces, by cumulative floor, over the seconds since the last data message, except stops."""
    before, heard, began, by_word = None, 0, 0, False
    first = next((second for second, said in story if isinstance(said, dict)), 0)
    known = any(mode != "unknown" for mode, *_ in seconds[first // 60 * 60 : first])
    ordered = first if known or first % 60 == 0 else first - 1  # from then on, windows are the first order's
    for second, said in story:
        if seconds[min(second, len(seconds) - 1)][0] != "stopped":
            began, by_word = 0, False
        else:
            began, by_word = began or second, by_word or said == "stopped"
        if not isinstance(said, dict):
            heard = heard if said in ("online", "offline") else second
            continue
        making: list[int] = (
            [] if before is None else [s for s in range(before, second) if seconds[s][0] != "stopped"]
        )
        if not making:  # made in a stop, or before the line's first message: there is no time for them
            place, timed = second, before is not None
            if by_word and timed and ordered < began and (began - 1) // 60 >= heard // 60 - REMEMBERED:
                place = began - 1  # the last ones before a stop that a status began
                timed = any(seconds[s][0] == "running" for s in range(place // 60 * 60, began))
            sums[place // 60]["timed"] += said["count"] if timed else 0
            sums[place // 60]["pieces"] += said["count"]
            sums[place // 60]["defects"] += said["defects"]
        for n, each in enumerate(making, 1):
            here, bad = (
                said[name] * n // len(making) - said[name] * (n - 1) // len(making)
                for name in ("count", "defects")
            )
            sums[each // 60]["pieces"] += here
            sums[each // 60]["defects"] += bad
            sums[each // 60]["timed"] += here if seconds[each][0] == "running" else 0
        before = heard = second


def by_windows(story: Story, plans: list[tuple[int, int]], orders: str) -> tuple[Sums, Line]:
    """The same from the rows of windows."""
    line = Line(START, PLANT.replace("{orders}", orders))
    for n, (begin, end) in enumerate(plans):
        when: dict[str, Any] = {"start": START + begin * SECOND, "end": START + end * SECOND}
        line.says(Kind.STATUS, action="plan", requestId=str(n), **when)
    for second, said in story:
        line._until(START + second * SECOND)
        if isinstance(said, str):
            line.says(Kind.STATUS, bare=said.encode())
        else:
            line.says(timestamp=line.now, **said)
    sums: Sums = defaultdict(lambda: dict.fromkeys(SUMS, 0.0))
    for window in line.windows:
        minute = (at(window.window_start[11:16]) + HOUR - START) // MINUTE  # Paris is an hour ahead
        for name in SUMS:
            sums[minute][name] += getattr(window, COLUMNS.get(name, f"{name}_seconds"))
    return sums, line


data = st.fixed_dictionaries(
    {"count": st.integers(0, 60), "defects": st.integers(0, 3), "targetRate": st.sampled_from([0, 60, 120]),
     "rate": st.sampled_from([0, 47, 48, 100])},
    optional={"running": st.booleans()},
)  # fmt: skip
words = st.sampled_from(["running", "stopped", "offline", "online"])
steps = st.lists(st.tuples(st.integers(1, 100), st.one_of(data, data, words)), min_size=8, max_size=40)
# Where orders change, the last pieces of a stop may be of another one than the time before it.
no_stops = steps.map(lambda drawn: [(passed, said) for passed, said in drawn if said != "stopped"])
spans = st.lists(st.tuples(st.integers(0, 900), st.integers(1, 200)), max_size=3)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.tuples(st.just(""), steps), st.tuples(st.just(ORDERS), no_stops)), spans)
def test_each_minute_is_what_its_seconds_were(drawn, spans):
    """Every sum of every minute, whatever the line says, over a break, a shift's end and closing time."""
    orders, steps_drawn = drawn
    story: Story = []
    moment = 0
    for passed, said in steps_drawn:
        moment += passed
        story.append((moment, said))
    begin = next((second for second, said in story if said != "online"), moment)
    end = (moment // 60 + 2) * 60
    story.append((end, {"count": 0, "defects": 0, "targetRate": 60, "rate": 60, "running": True}))
    plans = [(start, start + length) for start, length in spans]
    found, line = by_windows(story, plans, orders)
    expected = by_seconds(story, plans, end)
    for minute in range(begin // 60, end // 60):
        assert found[minute] == pytest.approx(expected[minute]), minute
    total = {name: sum(found[minute][name] for minute in range(begin // 60, end // 60)) for name in SUMS}
    asked: dict[str, float] = defaultdict(float)
    for stop in line.stopped:
        asked[stop.category] += stop.required_seconds or 0
    assert asked["no_signal"] == pytest.approx(total["no_signal"])
    assert asked["unplanned"] + asked["micro"] == pytest.approx(total["stopped"])
    made = sum(said["count"] for _, said in story if isinstance(said, dict))
    assert sum(order.produced for order in line.orders) == made
