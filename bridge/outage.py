"""Reports the broker's buffer: figures at `/metrics`, and sentences in the log while it fills."""

import math
import time
from collections.abc import Callable

from bridge.buffer import Buffer, Limits, Reading, limits
from runtime import metrics
from runtime.narrator import Narrator
from runtime.settings import Settings

EVERY_S = 60.0  # between two sentences while it fills
NOT_KNOWN = math.nan


class Outage:
    """Reports the broker's readings; `held` says whether the bridge reads nothing at present."""

    def __init__(self, settings: Settings, narrator: Narrator, held: Callable[[], bool]) -> None:
        self._settings = settings
        self._narrator = narrator
        self._held = held
        self._buffer = Buffer()
        self._dropped = 0.0
        self._usual = 0.0  # messages that waited when the bridge last read all
        self._most = 0.0  # the most messages that have waited since then
        self._reported_at = -math.inf

    def heard(self, reading: Reading | None, fresh: bool = True) -> None:
        """Report a reading; None: the broker is not connected. `fresh`: it was published just now."""
        if reading is None:
            self._show(None, Limits(None, None))
            return
        held = self._held()
        if fresh:
            self._buffer.take(reading, held)
        most = limits(self._settings, reading)
        self._show(reading, most)
        self._report_drops(reading)
        if fresh and reading.waiting is not None:
            self._report_filling(reading, reading.waiting, most, held)

    def _show(self, reading: Reading | None, most: Limits) -> None:
        filling = self._buffer.filling if reading else None
        left = filling.seconds_left(reading, most) if filling and reading else None
        for gauge, value in (
            (metrics.BROKER_WAITING, reading and reading.waiting),
            (metrics.BROKER_PAYLOAD_BYTES, reading and reading.payload_bytes),
            (metrics.BROKER_MEMORY_BYTES, reading and reading.memory_bytes),
            (metrics.BROKER_DROPPED, reading and reading.dropped),
            (metrics.BROKER_FILLING, filling and filling.messages),
            (metrics.BUDGET_MESSAGES, most.messages),
            (metrics.BUDGET_BYTES, most.memory_bytes),
            (metrics.BUDGET_SECONDS, left),
        ):
            gauge.set(NOT_KNOWN if value is None else value)
        if reading:
            metrics.BROKER_REPORTED_AT.set(time.time())

    def _report_drops(self, reading: Reading) -> None:
        if reading.dropped is None:
            return
        if reading.dropped < self._dropped:
            self._dropped = 0.0  # the broker was restarted, and counts from 0
        if reading.dropped > self._dropped:
            self._narrator.say(
                "bridge.broker_drops",
                count=round(reading.dropped - self._dropped),
                total=round(reading.dropped),
            )
        self._dropped = reading.dropped

    def _report_filling(self, reading: Reading, waiting: float, most: Limits, held: bool) -> None:
        little = self._usual + self._settings.mqtt_receive_maximum
        if not held and waiting <= little:
            if self._most:
                self._narrator.say("bridge.buffer_drained", count=round(self._most))
            self._usual, self._most, self._reported_at = waiting, 0.0, -math.inf
        elif held and waiting > self._usual:
            self._most = max(self._most, waiting)
            if reading.at - self._reported_at >= EVERY_S:
                self._reported_at = reading.at
                self._say_filling(reading, waiting, most)

    def _say_filling(self, reading: Reading, waiting: float, most: Limits) -> None:
        filling = self._buffer.filling
        left = filling.seconds_left(reading, most) if filling else None
        self._narrator.say(
            "bridge.buffer_filling" if left is None else "bridge.buffer_lasts",
            count=round(waiting),
            rate=f"{filling.messages:.0f}" if filling else "?",
            left=None if left is None else in_words(left),
        )


def in_words(seconds: float) -> str:
    """A duration for people, the same in French and English: 40 s, 12 min, 5 h."""
    if math.isinf(seconds):
        return "∞"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"
