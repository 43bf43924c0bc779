"""`python -m chaos.clocked_bridge FILE`: the bridge on a computer whose clock is set by a file.

The file holds the seconds by which the clock is off; without a file it is right.
"""

import runpy
import sys
import time
from pathlib import Path


def set_clock_by(file: Path) -> None:
    """From now on `time.time()` is off by the seconds in the file at that moment."""
    right = time.time

    def shifted() -> float:
        try:
            return right() + float(file.read_text())
        except (OSError, ValueError):  # there is none, or it is being written
            return right()

    time.time = shifted


if __name__ == "__main__":
    set_clock_by(Path(sys.argv[1]))
    runpy.run_module("bridge", run_name="__main__")
