"""Records that a rule fails on, counted and logged with their traceback."""

import logging
import time
from collections.abc import Callable

from rules.failures import Failure
from runtime import metrics

TRACEBACK_S = 60.0  # the same failure is logged at most so often: it may come with every message
_log = logging.getLogger(__name__)


class Reporter:
    """Counts failures, and logs them with their traceback."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[tuple[object, ...], float] = {}

    def __call__(self, failure: Failure) -> None:
        """Tell of one; the traceback of the same place in the code comes once in TRACEBACK_S."""
        metrics.INTERNAL_ERRORS.inc()
        now, place = self._clock(), _place(failure.error)
        if now - self._told.get(place, now - TRACEBACK_S) < TRACEBACK_S:
            return
        self._told[place] = now
        _log.error(
            "line %r: the raw record at partition %d, offset %d can't be applied: a defect of linepulse."
            " It is kept as a dead letter (internal); please report what follows",
            failure.line_id,
            failure.partition,
            failure.offset,
            exc_info=failure.error,
        )


def _place(error: Exception) -> tuple[object, ...]:
    """What was raised, and where: there are not more of them than lines of code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return type(error), trace and trace.tb_frame.f_code.co_filename, trace and trace.tb_lineno


report = Reporter()
