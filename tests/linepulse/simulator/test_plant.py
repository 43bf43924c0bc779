"""The simulated plant: the same for the same seed, and believable for any."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from linepulse.simulator.plant import Line, Message
from linepulse.simulator.stoppages import SHIFT_CHANGE, next_shift
from schemas.instant import DAY, HOUR, MINUTE, SECOND, ms_of, text_of

PARIS = ZoneInfo("Europe/Paris")
NOON = ms_of(datetime(2025, 1, 17, 12, tzinfo=PARIS))

seeds = st.integers(0, 10_000)


def messages(seed: int, hours: float, every: int = 5 * SECOND, start: int = NOON) -> list[Message]:
    line = Line("ligne1", seed, start)
    return [m for at in range(start + every, start + int(hours * HOUR) + 1, every) for m in line.advance(at)]


def data(sent: list[Message]) -> list[dict[str, Any]]:
    return [m.payload for m in sent if m.kind == "data"]


def running_ms(sent: list[Message], start: int = NOON) -> int:
    """Milliseconds between starts and stops, as the status messages tell it."""
    ran, since = 0, start
    for message in sent:
        if message.kind == "status" and not message.payload["running"]:
            ran, since = ran + message.at - since, -1
        elif message.kind == "status":
            since = message.at
    return ran + (sent[-1].at - since if since >= 0 else 0)


def test_the_same_seed_gives_the_same_plant():
    """Two lines of one seed send the same bytes; another seed and another line send others."""
    assert messages(7, 2) == messages(7, 2)
    assert messages(7, 2) != messages(8, 2)
    other = Line("ligne2", 7, NOON)
    assert [m for at in range(1, 100) for m in other.advance(NOON + at * 5000)] != messages(7, 0.1375)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, every=st.sampled_from([100, 777, 5000, 60_000]))
def test_pieces_follow_from_the_rate(seed: int, every: int):
    """Over any stretch the pieces are the reported rate times the running time, to the piece."""
    line, expected, counted, before = Line("ligne1", seed, NOON), 0.0, 0, NOON
    unseen = 0  # messages whose running time can't be seen from outside
    for at in range(NOON + every, NOON + 400 * every, every):
        sent = line.advance(at)
        *statuses, last = sent
        counted += last.payload["count"]
        if not statuses and last.payload["running"]:
            expected += last.payload["rate"] * (at - before) / MINUTE
            assert last.payload["count"] <= last.payload["rate"] * every / MINUTE + 1
        elif not statuses:
            assert last.payload["count"] == 0
        else:  # it stopped or started in between
            expected += last.payload["count"]
            unseen += 1
        before = at
    assert abs(counted - expected) <= 1 + unseen


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_a_day_of_it_is_believable(seed: int):
    """A day has stops of every kind, defects around one percent, and heat that passes 30 °C but seldom."""
    sent = messages(seed, 24)
    told = data(sent)
    pieces = sum(p["count"] for p in told)
    stops = [m.payload["reason"] for m in sent if m.kind == "status" and not m.payload["running"]]
    assert all(p["temperature"] is not None and 15 < p["temperature"] < 36 for p in told)
    assert all(0 <= p["defects"] <= p["count"] for p in told)
    assert all(p["rate"] <= 1.08 * p["targetRate"] + 0.1 and 1 < p["pressure"] < 3 for p in told)
    assert all((p["rate"] > 0) == p["running"] for p in told)
    assert 0.003 < sum(p["defects"] for p in told) / pieces < 0.05
    assert 0.70 < running_ms(sent) / DAY < 0.99
    assert 1 <= stops.count(SHIFT_CHANGE) <= 3  # a breakdown may cover one
    assert 90 < len(stops) < 250


def test_heat_passes_thirty_degrees_when_it_runs_fast():
    """In a week every line has been over 30 °C and back under 29 °C."""
    told = [p["temperature"] for p in data(messages(1, 7 * 24, every=60 * SECOND))]
    assert max(told) > 30.2
    assert told.index(max(told)) < len(told) - 1
    assert min(told[told.index(max(told)) :]) < 29


def test_defects_come_in_bursts():
    """Some hundred pieces in a row hold more than 5 % defects, others none."""
    told = data(messages(3, 24, every=60 * SECOND))
    shares = [p["defects"] / p["count"] for p in told if p["count"] > 90]
    assert max(shares) > 0.05
    assert min(shares) == 0


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_stops_and_starts_take_turns_in_time(seed: int):
    """Moments never run backwards, statuses alternate, and a stop lasts between 4 s and 25 min."""
    sent = messages(seed, 12)
    moments = [m.at for m in sent]
    assert moments == sorted(moments)
    assert [m.payload["timestamp"] for m in sent] == [text_of(at) for at in moments]
    statuses = [m for m in sent if m.kind == "status"]
    assert all(m.payload["running"] is bool(i % 2) for i, m in enumerate(statuses))
    for stop, start in zip(statuses[::2], statuses[1::2], strict=False):
        assert 4 * SECOND <= start.at - stop.at <= 25 * MINUTE
        assert stop.payload["reason"]


def test_shift_changes_follow_the_plants_clock():
    """The next shift begins at 6, 14 or 22 h in Paris, also on the days when the clock changes."""
    #  2025-03-30: 02:00 becomes 03:00        2025-10-26: 03:00 becomes 02:00
    for day, month in ((17, 1), (30, 3), (26, 10)):
        at = ms_of(datetime(2025, month, day, 0, 30, tzinfo=PARIS))
        changes = []
        for _ in range(4):
            at = next_shift(PARIS, at)
            changes.append(datetime.fromtimestamp(at / SECOND, PARIS))
        assert [(c.hour, c.minute) for c in changes] == [(6, 0), (14, 0), (22, 0), (6, 0)]
        assert [c.day - day for c in changes] == [0, 0, 0, 1]


def test_every_shift_change_stops_the_line_for_a_few_minutes():
    """Around 14 h the line stands still for one to four minutes, and says why."""
    #  13:30 ─────────── 14:00 ■■■ ─────────── 14:30
    start = ms_of(datetime(2025, 1, 17, 13, 30, tzinfo=PARIS))
    for seed in range(5):
        sent = messages(seed, 1, start=start)
        statuses = [m for m in sent if m.kind == "status"]
        [i] = [i for i, m in enumerate(statuses) if m.payload.get("reason") == SHIFT_CHANGE]
        assert abs(statuses[i].at - (start + 30 * MINUTE)) <= 4 * MINUTE
        assert MINUTE <= statuses[i + 1].at - statuses[i].at <= 4 * MINUTE
