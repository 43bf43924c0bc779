"""The room that is left, computed from the broker's own figures."""

import math
from typing import Any

import pytest

from bridge.buffer import Buffer, Filling, Limits, Reading, limits, predicted, reading
from bridge.outage import in_words
from runtime.settings import Settings

QUIET = {
    "uptime": b"46 seconds",
    "store/messages/count": b"153",
    "retained messages/count": b"53",
    "store/messages/bytes": b"20295",
    "heap/current": b"90000",
    "publish/messages/dropped": b"7",
    "load/publish/received/1min": b"120.00",
    "load/bytes/received/1min": b"24000.00",
}


def at(seconds: float, waiting: float, memory: float | None = None, **more: Any) -> Reading:
    """A reading of a broker that has run for an hour at one message a second."""
    told = Reading(seconds, 3600 + seconds, waiting, None, memory, 0, 1.0, 200.0)
    return told._replace(**more)


def test_the_brokers_figures_as_mosquitto_writes_them() -> None:
    """Retained messages don't count as waiting; the rate is per second; 200 bytes a message."""
    assert reading(QUIET, 5.0) == Reading(5.0, 46, 100, 20295, 90000, 7, 2.0, 200.0)


def test_a_broker_that_says_nothing_or_something_else() -> None:
    """A figure that is not known is None, not 0."""
    assert reading({"uptime": b"", "store/messages/count": b"many"}, 5.0) == Reading(5.0, *[None] * 7)


def test_while_the_bridge_reads_the_filling_is_foreseen() -> None:
    """One message a second of 200 bytes, and the 300 that the broker needs in addition."""
    buffer = Buffer()
    buffer.take(at(0, waiting=3), held=False)
    assert buffer.filling == Filling(1.0, 500.0)
    assert predicted(at(0, 3, rate=None)) is None


def test_while_it_does_not_the_filling_is_measured_over_a_minute() -> None:
    """10/s for a minute, then 2/s for a minute: 2/s."""
    buffer = Buffer()
    buffer.take(at(0, waiting=0, memory=0), held=False)
    for second in range(61):
        buffer.take(at(second, 10 * second, 1000 * second), held=True)
    assert buffer.filling == Filling(10.0, 1000.0)
    for second in range(61, 121):
        buffer.take(at(second, 600 + 2 * (second - 60), 60_000 + 100 * (second - 60)), held=True)
    assert buffer.filling == Filling(2.0, 100.0)


def test_a_broker_that_started_anew_is_measured_anew() -> None:
    """What it held before its restart does not count as filling."""
    buffer = Buffer()
    buffer.take(at(0, 500), held=True)
    buffer.take(at(10, 0, uptime=1.0), held=True)
    assert buffer.filling == Filling(1.0, 500.0)
    buffer.take(at(20, 30, uptime=11.0), held=True)
    assert buffer.filling == Filling(3.0, None)


@pytest.mark.parametrize(
    ("most", "left"),
    [
        (Limits(None, None), None),
        (Limits(1000, None), 90.0),  # 900 messages at 10/s
        (Limits(None, 51_000), 50.0),  # 50 000 bytes at 1000/s
        (Limits(1000, 51_000), 50.0),
        (Limits(50, None), 0.0),  # full
    ],
)
def test_the_first_limit_counts(most: Limits, left: float | None) -> None:
    """Of messages, of memory, or of both; without a limit there is no time."""
    assert Filling(10.0, 1000.0).seconds_left(at(0, waiting=100, memory=1000), most) == left


def test_nothing_comes_nothing_fills() -> None:
    """The time left is infinite, also while the buffer empties."""
    assert Filling(0.0, 0.0).seconds_left(at(0, 100), Limits(1000, None)) == math.inf
    assert Filling(-5.0, -1.0).seconds_left(at(0, 100, 1000), Limits(1000, 10_000)) == math.inf


def test_limits_are_those_of_the_settings_or_of_this_machine() -> None:
    """A broker on another machine without settings for it: its limits are not known."""

    def settings(url: str, **more: Any) -> Settings:
        return Settings(_env_file=None, mqtt_broker_url=url, **more)

    told = at(0, 0, memory=1_000_000)
    assert limits(settings("mqtt://elsewhere"), told) == Limits(None, None)
    assert limits(settings("mqtt://elsewhere", mqtt_budget_bytes=5, mqtt_budget_messages=6), told) == (6, 5)
    here = limits(settings("mqtt://127.0.0.1"), told).memory_bytes
    assert here is not None
    assert here > 1_000_000


def test_times_in_words() -> None:
    """Rounded to the unit that fits."""
    assert [in_words(s) for s in (45, 600, 7 * 3600, math.inf)] == ["45 s", "10 min", "7 h", "∞"]
