"""How many messages wait at the MQTT broker while Kafka is away, and for how long it has room for more.

A broker reports nothing about a single session. What Mosquitto publishes under `$SYS` counts all sessions:
right for a broker that serves the plant and this bridge, too high for one that has other durable clients.
"""

import math
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from runtime.settings import Settings

SYS = "$SYS/broker/"
TOPICS = (
    "uptime",
    "store/messages/count",
    "store/messages/bytes",
    "retained messages/count",
    "heap/current",
    "publish/messages/dropped",
    "load/publish/received/1min",
    "load/bytes/received/1min",
)
WINDOW_S = 60.0  # over which the filling is measured
KEPT_BYTES = 300  # memory that Mosquitto 2.0 takes for a message beside its payload: 274 to 304 measured
HERE = ("localhost", "127.0.0.1", "::1")


class Reading(NamedTuple):
    """What the broker reported about itself at one moment; None for what it does not report."""

    at: float  # seconds of the monotonic clock
    uptime: float | None  # seconds
    waiting: float | None  # messages kept for sessions, without those that are only retained
    payload_bytes: float | None  # of these and of the retained ones
    memory_bytes: float | None
    dropped: float | None  # messages discarded since the broker started, of all clients
    rate: float | None  # messages a second that came in, on average over a minute
    size: float | None  # bytes that such a message took on the wire


class Limits(NamedTuple):
    """How much the broker may keep; None if that is not known."""

    messages: float | None
    memory_bytes: float | None


def reading(values: Mapping[str, bytes], at: float) -> Reading:
    """A reading from the last payloads of TOPICS."""
    found = {topic: _number(values.get(topic, b"")) for topic in TOPICS}
    stored, retained = found["store/messages/count"], found["retained messages/count"]
    publishes, received = found["load/publish/received/1min"], found["load/bytes/received/1min"]
    return Reading(
        at,
        found["uptime"],
        None if stored is None else max(0.0, stored - (retained or 0.0)),
        found["store/messages/bytes"],
        found["heap/current"],
        found["publish/messages/dropped"],
        None if publishes is None else publishes / 60,
        received / publishes if publishes and received else None,
    )


def limits(settings: Settings, now: Reading) -> Limits:
    """The limits in the settings; without them, the memory that is free here, if the broker runs here."""
    memory: float | None = settings.mqtt_budget_bytes
    if memory is None and settings.mqtt.hostname in HERE and now.memory_bytes is not None:
        free = _free_memory()
        memory = None if free is None else now.memory_bytes + free
    return Limits(settings.mqtt_budget_messages, memory)


class Filling(NamedTuple):
    """How fast the broker's buffer fills, or would fill if nothing were read."""

    messages: float  # a second
    memory_bytes: float | None  # a second

    def seconds_left(self, now: Reading, most: Limits) -> float | None:
        """Seconds until the first limit is reached: infinite if nothing arrives, None without a limit."""
        left = []
        if most.messages is not None and now.waiting is not None:
            left.append(_seconds(most.messages - now.waiting, self.messages))
        if None not in (most.memory_bytes, now.memory_bytes, self.memory_bytes):
            left.append(_seconds(most.memory_bytes - now.memory_bytes, self.memory_bytes))  # type: ignore[operator,arg-type]
        return min(left, default=None)


class Buffer:
    """Follows the broker's readings.

    While the bridge reads nothing, the filling is measured; while it reads, the filling is predicted.
    """

    def __init__(self) -> None:
        self._held: deque[Reading] = deque()
        self._predicted: Filling | None = None

    def take(self, now: Reading, held: bool) -> None:
        """Note a reading, and whether the bridge reads nothing at present (`held`)."""
        if not held:
            self._held.clear()
            self._predicted = predicted(now)
            return
        if self._held and (now.uptime or 0) < (self._held[-1].uptime or 0):
            self._held.clear()  # the broker was restarted
        self._held.append(now)
        while now.at - self._held[0].at > WINDOW_S:
            self._held.popleft()
        if self._predicted is None:
            self._predicted = predicted(now)

    @property
    def filling(self) -> Filling | None:
        """How fast the buffer fills; None while that is not known."""
        return (measured(self._held[0], self._held[-1]) if self._held else None) or self._predicted


def measured(first: Reading, last: Reading) -> Filling | None:
    """How fast the buffer filled between two readings; None if that is not known."""
    seconds = last.at - first.at
    if seconds <= 0 or first.waiting is None or last.waiting is None:
        return None
    memory = None
    if first.memory_bytes is not None and last.memory_bytes is not None:
        memory = (last.memory_bytes - first.memory_bytes) / seconds
    return Filling((last.waiting - first.waiting) / seconds, memory)


def predicted(now: Reading) -> Filling | None:
    """How fast the buffer would fill if nothing were read: by all that arrives."""
    if now.rate is None:
        return None
    return Filling(now.rate, now.rate * ((now.size or 0) + KEPT_BYTES))


def _seconds(room: float, rate: float) -> float:
    return max(0.0, room) / rate if rate > 0 else math.inf


def _number(text: bytes) -> float | None:
    try:
        return float(text.split()[0])  # uptime: b"46 seconds"
    except (ValueError, IndexError):
        return None


def _free_memory(path: Path = Path("/proc/meminfo")) -> float | None:
    try:
        fields = dict(line.split(":") for line in path.read_text("ascii").splitlines())
        return float(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
