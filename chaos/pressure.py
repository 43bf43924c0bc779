"""How busy the machine was: for what share of the time some process waited for a core (Linux)."""

import re
import time
from collections.abc import Callable
from pathlib import Path

PRESSURE = Path("/proc/pressure/cpu")


def waited_s(pressure: Path = PRESSURE) -> float | None:
    """For how many seconds since its start the machine had somebody waiting; None where it doesn't tell."""
    try:
        found = re.search(r"^some .*total=(\d+)", pressure.read_text("ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) / 1e6 if found else None


class Waited:
    """Counts from when it is made."""

    def __init__(self, pressure: Path = PRESSURE, clock: Callable[[], float] = time.monotonic) -> None:
        self._pressure, self._clock = pressure, clock
        self._began, self._before = clock(), waited_s(pressure)

    def percent(self) -> float | None:
        """The share of the time since then, None where the machine doesn't tell."""
        now, passed = waited_s(self._pressure), self._clock() - self._began
        if now is None or self._before is None or not passed:
            return None
        return min(100.0, 100 * (now - self._before) / passed)
