"""The event loop's watchdog: a process whose loop stands still ends; its supervisor starts it again."""

import asyncio
import faulthandler
import os
import sys
import threading

from runtime.narrator import Narrator

LIMIT_S = 40.0
BEAT_S = 1.0
LAST_WORDS_S = 2.0


class LoopWatchdog:
    """Asks the loop for an answer again and again, from a thread.

    Only beats of that thread count: a process that was frozen, or slept with its machine, has missed none,
    and its loop gets its chance. Who holds Python's lock for good stops the thread as well: only a supervisor
    that asks /healthz from outside can tell.
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
        """Watch from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
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
        # What holds the loop may be the log itself: a pipe that nobody reads. Nothing here waits for it.
        words = threading.Thread(target=self._last_words, args=(missed,), daemon=True)
        words.start()
        words.join(LAST_WORDS_S)
        os._exit(1)

    def _last_words(self, missed: int) -> None:
        self._narrator.say("watchdog.hangs", seconds=round(missed * self._beat_s))
        faulthandler.dump_traceback(sys.stderr)
