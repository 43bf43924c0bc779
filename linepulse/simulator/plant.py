"""One simulated bottling line: a seeded random process in simulated time. No clock, no I/O.

`advance(to)` returns what its machine sends up to a moment. The pieces follow from the rate: over any
interval their sum is the integral of the rate over running time, to the piece.
"""

import math
from random import Random
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from linepulse.simulator.stoppages import Stoppages
from linepulse.simulator.wander import Episodes, Strikes, Wander
from schemas.instant import DAY, HOUR, MINUTE, SECOND, text_of

PLANT_ZONE = ZoneInfo("Europe/Paris")
TARGET_RATES = (110.0, 115.0, 120.0, 125.0)  # pieces per minute
USUAL_SPEED = 0.965  # of the target rate
BASE_DEFECTS = 0.008  # of the pieces
SLOW_BEFORE_SHIFT = 2 * MINUTE
WARM_UP_S = 600.0  # seconds in which the machine's temperature follows two thirds of a change


class Message(NamedTuple):
    """What a machine publishes at one moment of its line."""

    kind: Literal["data", "status"]
    at: int  # ms since 1970
    payload: dict[str, Any]


class Line:
    """A line's machine from `start` (ms since 1970) on, the same for the same seed and the same calls."""

    def __init__(self, line_id: str, seed: int, start: int, zone: ZoneInfo = PLANT_ZONE) -> None:
        rng = Random(f"{seed}/{line_id}")
        self.line_id = line_id
        self.target_rate = rng.choice(TARGET_RATES)
        self._now = start
        self._speed = Wander(rng, 0.035, 180.0)
        self._slow = Episodes(rng, 2.5 * 3600.0, (90.0, 360.0), (0.22, 0.38))
        self._burst = Episodes(rng, 50 * 60.0, (60.0, 240.0), (0.06, 0.13))
        self._strikes = Strikes(rng)
        self._heat_noise = Wander(rng, 0.25, 90.0)
        self._pressure = Wander(rng, 0.05, 60.0)
        self._temperature = 27.0 + rng.uniform(-1.0, 1.5)
        self._made = 0.0  # pieces since the start, the unfinished one included
        self._sent = 0  # whole pieces of them that messages reported
        self._running = True
        self._stoppages = Stoppages(rng, zone, start)
        self._stoppage = self._stoppages.following(start)

    def advance(self, to: int) -> list[Message]:
        """What the machine sends until `to`: a status at each stop and start, then one data message."""
        seconds = (to - self._now) / SECOND
        speed = self._speed_after(seconds)
        messages, ran_ms = self._stops_and_starts(to)
        rate = round(self.target_rate * speed, 1)
        self._made += rate * ran_ms / MINUTE
        count = math.floor(self._made + 1e-6) - self._sent
        self._sent += count
        self._now = to
        payload = {
            "count": count,
            "targetRate": self.target_rate,
            "rate": rate if self._running else 0.0,
            "defects": self._strikes.among(count, BASE_DEFECTS + self._burst.after(seconds)),
            "running": self._running,
            "temperature": self._temperature_after(seconds, speed),
            "pressure": round((2.5 if self._running else 1.9) + self._pressure.after(seconds), 2),
            "timestamp": text_of(to),
        }
        messages.append(Message("data", to, payload))
        return messages

    def _speed_after(self, seconds: float) -> float:
        """The speed as a ratio of the target, between 0.4 and 1.08."""
        speed = USUAL_SPEED + self._speed.after(seconds) - self._slow.after(seconds)
        if self._stoppage.planned and self._stoppage.start - self._now <= SLOW_BEFORE_SHIFT:
            speed -= 0.12
        return min(1.08, max(0.4, speed))

    def _stops_and_starts(self, to: int) -> tuple[list[Message], int]:
        """The status messages until `to`, and the milliseconds of it in which the line ran."""
        messages: list[Message] = []
        ran, at = 0, self._now
        while True:
            if self._running:
                if self._stoppage.start > to:
                    return messages, ran + to - at
                ran, at = ran + self._stoppage.start - at, self._stoppage.start
                self._running = False
                fields = {"running": False, "status": "stopped", "reason": self._stoppage.reason}
            else:
                if self._stoppage.end > to:
                    return messages, ran
                at = self._stoppage.end
                self._running = True
                self._speed.value = min(self._speed.value, -0.08)  # it starts slowly
                self._stoppage = self._stoppages.following(at)
                fields = {"running": True, "status": "running"}
            messages.append(Message("status", at, {**fields, "timestamp": text_of(at)}))

    def _temperature_after(self, seconds: float, speed: float) -> float:
        """°C: the hall (warmest after noon) and the machine's own heat, which grows fast with speed."""
        hall = 21.5 + 1.8 * math.sin(2 * math.pi * (self._now % DAY - 9 * HOUR) / DAY)
        settled = hall + (7.0 * (speed / USUAL_SPEED) ** 5 if self._running else 0.0)
        self._temperature += (settled - self._temperature) * (1.0 - math.exp(-seconds / WARM_UP_S))
        return round(self._temperature + self._heat_noise.after(seconds), 1)
