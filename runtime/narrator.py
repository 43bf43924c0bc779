"""The narrated log: one plain line an event at a plant's pace, a summary a second when it becomes a flood."""

import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

from plant.catalogue import tell
from runtime.redact import redacted
from runtime.text import PlainFormatter, json_text, plain

LINES_A_SECOND = 20


class Narrator:
    """Tells people what happens, in their language.

    `say` is for what must be seen; `event` is for what happens at every message, and is summed up past
    LINES_A_SECOND. With `form="json"` each line is an object with `time`, `role`, `key` and the facts.
    """

    def __init__(
        self,
        lang: str,
        form: str = "pretty",
        role: str = "",
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lang = lang
        self._form = form
        self._role = role
        self._out = out
        self._clock = clock
        self._second = clock()
        self._told = 0
        self._untold = 0

    def say(self, key: str, **facts: Any) -> None:
        """Write one line."""
        out = self._out or sys.stdout
        if self._form == "json":
            moment = datetime.now(UTC).isoformat(timespec="milliseconds")
            shown = {name: redacted(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
            line = json_text({"time": moment, "role": self._role, "key": key, **shown})
        else:
            line = plain(redacted(tell(self.lang, key, **facts)))
        print(line, file=out, flush=True)

    def wants(self) -> bool:
        """Whether an event would be logged now; spares the caller the work of forming it."""
        return self._told < LINES_A_SECOND or self._clock() - self._second >= 1.0

    def event(self, key: str, **facts: Any) -> None:
        """Write one line, or count it towards the second's summary."""
        now = self._clock()
        if now - self._second >= 1.0:
            self.sum_up(now)
        if self._told < LINES_A_SECOND:
            self._told += 1
            self.say(key, **facts)
        else:
            self._untold += 1

    def skip(self, count: int = 1) -> None:
        """Count events that nobody formed a line for."""
        self._untold += count

    def sum_up(self, now: float | None = None) -> None:
        """End the current second: say how much was left out of it."""
        now = self._clock() if now is None else now
        if self._untold:
            self.say("many.lines", count=self._untold, seconds=max(1, round(now - self._second)))
        self._second, self._told, self._untold = now, 0, 0


class OnceASecond(logging.Filter):
    """Lets a library say the same thing once a second: a refused connection it tells a thousand times."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged; what comes with a traceback always is."""
        now, what = self._clock(), (record.name, str(record.msg))
        if record.exc_info is None and now - self._told.get(what, -1.0) < 1.0:
            return False
        self._told[what] = now
        return True


def quiet_libraries(level: int = logging.WARNING) -> None:
    """Send what libraries log from `level` up to standard error, in one plain form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(OnceASecond())
    logging.basicConfig(level=level, handlers=[handler], force=True)
