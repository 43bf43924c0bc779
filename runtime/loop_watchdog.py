"""The event loop's watchdog: ends a process whose loop is blocked; its supervisor starts it again."""

import asyncio
import faulthandler
import os
import sys
import threading

from runtime.narrator import Narrator

LIMIT_S = 40.0
BEAT_S = 1.0
REPORT_S = 2.0


class LoopWatchdog:
    """Asks the loop for an answer every `beat_s`, from a thread.

    It counts beats of that thread, not time: a process that was frozen, or whose machine was asleep, has
    missed none, and its loop gets its chance. Code that never releases Python's lock stops the thread as
    well: only a supervisor that asks /healthz from outside can detect that.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        narrator: Narrator,
        *,
        limit_s: float = LIMIT_S,
        beat_s: float = BEAT_S,
    ) -> None:
        self._loop = loop
        self._narrator = narrator
        self._beat_s = beat_s
        self._most = round(limit_s / beat_s)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop-watchdog", daemon=True)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        answered = threading.Event()
        answered.set()
        missed = 0
        while not self._over.wait(self._beat_s):
            if not answered.is_set():
                missed += 1
                if missed >= self._most:
                    self._end(missed)
                continue
            missed = 0
            answered.clear()
            try:
                self._loop.call_soon_threadsafe(answered.set)
            except RuntimeError:
                return  # the loop is closed

    def _end(self, missed: int) -> None:
        # Writing the log may be what blocks the loop (a full pipe), so the report has a time limit.
        report = threading.Thread(target=self._report, args=(missed,), daemon=True)
        report.start()
        report.join(REPORT_S)
        os._exit(1)

    def _report(self, missed: int) -> None:
        self._narrator.say("watchdog.hangs", seconds=round(missed * self._beat_s))
        faulthandler.dump_traceback(sys.stderr)
