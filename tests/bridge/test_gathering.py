"""What has gathered goes to Kafka after a time, or when a part of the broker's window has gathered."""

import heapq
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bridge.gathering import Gathering


class Loop:
    """A loop whose time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self._calls: list[tuple[float, int, Any, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> Any:
        handle = SimpleNamespace(cancelled=False)
        handle.cancel = lambda: setattr(handle, "cancelled", True)
        heapq.heappush(self._calls, (when, len(self._calls), handle, call))
        return handle

    def until(self, when: float) -> None:
        while self._calls and self._calls[0][0] <= when:
            self.now, _, handle, call = heapq.heappop(self._calls)
            if not handle.cancelled:
                call()
        self.now = when


class Bridge:
    """Messages that arrive, and when they were sent on; 50 ms, and a window of 40 at most."""

    def __init__(self, receive_maximum: int = 40) -> None:
        self.loop = Loop()
        self.start = self.loop.now
        self.waiting = 0
        self.in_flight = 0
        self.sent: list[tuple[int, int]] = []  # ms since the start, and how many messages
        self.gathering = Gathering(
            0.05, receive_maximum, lambda: self.in_flight, self._send, cast(Any, self.loop)
        )

    def _send(self) -> None:
        if self.waiting:
            self.sent.append((round((self.loop.now - self.start) * 1000), self.waiting))
            self.waiting = 0

    def at(self, ms: float, messages: int = 1) -> None:
        self.loop.until(self.start + ms / 1000)
        for _ in range(messages):
            self.waiting += 1
            self.in_flight += 1
            self.gathering.arrived()

    def stored(self) -> None:
        """All that was sent is acknowledged."""
        self.in_flight = self.waiting


def test_a_single_message_waits_for_nothing() -> None:
    """As long as there was a pause before it."""
    #  0 ms     200      900
    #  │        │        │
    bridge = Bridge()
    for ms in (0, 200, 900):
        bridge.at(ms)
        bridge.stored()
    assert bridge.sent == [(0, 1), (200, 1), (900, 1)]


def test_messages_of_many_lines_share_a_request() -> None:
    """One every 10 ms: the first goes at once, then five together every 50 ms."""
    bridge = Bridge()
    for ms in range(0, 160, 10):
        bridge.at(ms)
        bridge.stored()
    assert bridge.sent == [(0, 1), (50, 4), (100, 5), (150, 5)]


def test_a_flood_does_not_wait_for_the_time() -> None:
    """A quarter of the window is sent as soon as it has gathered; the rest can arrive meanwhile."""
    bridge = Bridge()
    bridge.at(0)
    bridge.at(1, messages=25)
    assert bridge.sent == [(0, 1), (1, 10), (1, 10)]
    bridge.at(60, messages=0)
    assert bridge.sent[3:] == [(51, 5)]


def test_a_broker_whose_window_is_smaller_is_not_made_to_wait_twice() -> None:
    """It sends 20 and waits: seen once, then a quarter of 20 is sent at once."""
    #  0 ms           50        51        52
    #  1 │ 19 ─ waits │ 5 5 5 5 │ 5 5 5 5 │
    bridge = Bridge(receive_maximum=400)
    bridge.at(0)
    bridge.at(1, messages=19)
    bridge.at(50, messages=0)
    assert bridge.sent == [(0, 1), (50, 19)]
    assert bridge.gathering.window == 20
    bridge.stored()
    bridge.at(51, messages=20)
    assert bridge.sent[2:] == [(51, 5)] * 4


def test_a_window_that_was_none_is_forgotten() -> None:
    """Lines that speak at the same moment look like a full window, until more of them do."""
    bridge = Bridge(receive_maximum=400)
    bridge.at(0)
    bridge.at(1, messages=19)
    bridge.at(50, messages=0)
    bridge.stored()
    bridge.at(100, messages=21)
    assert bridge.gathering.window == 400


@pytest.mark.parametrize("messages", [1, 7])
def test_a_few_messages_say_nothing_about_the_window(messages: int) -> None:
    """A plant of a few lines is quiet most of the time."""
    bridge = Bridge(receive_maximum=400)
    bridge.at(0)
    bridge.stored()
    bridge.at(1, messages=messages)
    bridge.at(60, messages=0)
    assert bridge.sent == [(0, 1), (50, messages)]
    assert bridge.gathering.window == 400


def test_the_end_of_a_run_waits_for_nothing() -> None:
    """What has gathered goes at once, and what comes after it, too."""
    bridge = Bridge()
    bridge.at(0)
    bridge.at(10, messages=3)
    bridge.gathering.stop()
    bridge.at(11)
    assert bridge.sent == [(0, 1), (10, 3), (11, 1)]
