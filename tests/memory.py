"""How much memory a process has taken."""

import time

from benchmarks.gauge import peak_mib
from tests.eventually import wait_until

QUIET_S = 2.0


def full(pid: int) -> float:
    """The most MiB that it ever took, once that has not changed for a while: its buffers are full."""
    peak, since = 0.0, time.monotonic()

    def stands() -> bool:
        nonlocal peak, since
        if peak_mib(pid) > peak:
            peak, since = peak_mib(pid), time.monotonic()
        return time.monotonic() - since > QUIET_S

    wait_until(stands, "its memory to stand still")
    return peak
