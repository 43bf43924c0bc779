"""How busy the machine was: the share of time in which some process waited for a core (Linux)."""

import re
import time
from collections.abc import Callable
from pathlib import Path

PRESSURE = Path("/proc/pressure/cpu")


def waited_s(pressure: Path = PRESSURE) -> float | None:
    """Seconds since the machine's start in which a process waited for a core; None if not reported."""
    try:
        found = re.search(r"^some .*total=(\d+)", pressure.read_text("ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) / 1e6 if found else None


class Waited:
    """Measures from when it is made."""

    def __init__(self, pressure: Path = PRESSURE, clock: Callable[[], float] = time.monotonic) -> None:
        self._pressure, self._clock = pressure, clock
        self._began, self._before = clock(), waited_s(pressure)

    def percent(self) -> float | None:
        """The share of the time since then, in percent; None if the machine does not report it."""
        now, passed = waited_s(self._pressure), self._clock() - self._began
        if now is None or self._before is None or not passed:
            return None
        return min(100.0, 100 * (now - self._before) / passed)
