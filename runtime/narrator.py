"""The narrated log: a plain line per event at a plant's pace, a summary per second in a flood."""

import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

from plant.catalogue import sentence
from runtime.redact import redacted
from runtime.text import PlainFormatter, json_text, plain

LINES_A_SECOND = 20


class Narrator:
    """Writes what happens for people, in their language.

    `say` always writes a line; `event`, for what happens at every message, is summed up beyond
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
        self._written = 0
        self._left_out = 0

    def say(self, key: str, **facts: Any) -> None:
        """Write one line."""
        out = self._out or sys.stdout
        if self._form == "json":
            moment = datetime.now(UTC).isoformat(timespec="milliseconds")
            shown = {name: redacted(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
            line = json_text({"time": moment, "role": self._role, "key": key, **shown})
        else:
            line = plain(redacted(sentence(self.lang, key, **facts)))
        print(line, file=out, flush=True)

    def wants(self) -> bool:
        """Whether an event would be written now; if not, the caller need not format it."""
        return self._written < LINES_A_SECOND or self._clock() - self._second >= 1.0

    def event(self, key: str, **facts: Any) -> None:
        """Write one line, or count it in the summary of the present second."""
        now = self._clock()
        if now - self._second >= 1.0:
            self.sum_up(now)
        if self._written < LINES_A_SECOND:
            self._written += 1
            self.say(key, **facts)
        else:
            self._left_out += 1

    def skip(self, count: int = 1) -> None:
        """Count events that the caller did not format."""
        self._left_out += count

    def sum_up(self, now: float | None = None) -> None:
        """End the present second: write how many lines were left out."""
        now = self._clock() if now is None else now
        if self._left_out:
            self.say("many.lines", count=self._left_out, seconds=max(1, round(now - self._second)))
        self._second, self._written, self._left_out = now, 0, 0


class OnceASecond(logging.Filter):
    """Lets a library log the same message once a second: it logs a refused connection a thousand times."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._logged_at: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged; one with a traceback always is."""
        now, source = self._clock(), (record.name, str(record.msg))
        if record.exc_info is None and now - self._logged_at.get(source, -1.0) < 1.0:
            return False
        self._logged_at[source] = now
        return True


def quiet_libraries(level: int = logging.WARNING) -> None:
    """Write what libraries log at `level` or above to standard error, in one plain format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(OnceASecond())
    logging.basicConfig(level=level, handlers=[handler], force=True)
