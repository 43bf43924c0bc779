"""Counts records on which a rule fails, and logs them with their traceback."""

import logging
import time
from collections.abc import Callable

from rules.failures import Failure
from runtime import metrics

TRACEBACK_S = 60.0  # between two logs of the same failure, which may occur with every message
_log = logging.getLogger(__name__)


class Reporter:
    """Counts failures, and logs them with their traceback."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logged_at: dict[tuple[object, ...], float] = {}

    def __call__(self, failure: Failure) -> None:
        """Count a failure; log it, at most once in TRACEBACK_S for the same line of code."""
        metrics.INTERNAL_ERRORS.inc()
        now, origin = self._clock(), _origin(failure.error)
        if now - self._logged_at.get(origin, now - TRACEBACK_S) < TRACEBACK_S:
            return
        self._logged_at[origin] = now
        _log.error(
            "line %r: the raw record at partition %d, offset %d can't be applied: a defect of linepulse."
            " It is kept as a dead letter (internal); please report what follows",
            failure.line_id,
            failure.partition,
            failure.offset,
            exc_info=failure.error,
        )


def _origin(error: Exception) -> tuple[object, ...]:
    """The exception's type and the line of code that raised it: their number is bounded by the code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return type(error), trace and trace.tb_frame.f_code.co_filename, trace and trace.tb_lineno


report = Reporter()
