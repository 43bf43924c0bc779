"""Records that a rule fails on: a defect of ours. It costs the record, and neither its line nor the stage.

The fold takes no part in telling of them: it hands each failure to an observer, and goes on.
"""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from runtime import metrics
from schemas.errors import Poison
from schemas.instant import HOUR

TICKS_TOLD = HOUR  # of log time: a line whose ticks fail leaves a dead letter at most so often
TRACEBACK_S = 60.0  # the same failure is logged at most so often: it may come with every message
_log = logging.getLogger(__name__)


class Failure(NamedTuple):
    """A record of the raw log that could not be applied, or whose row could not be formed."""

    line_id: str
    partition: int
    offset: int
    error: Exception


Observer = Callable[[Failure], None]


def internal(error: Exception) -> Poison:
    """What the record's dead letter says: no more than is the same at every reading of the log.

    Raises:
        MemoryError: that is this machine's failure, and none of the record: it is applied again elsewhere.
    """
    if isinstance(error, MemoryError):
        raise error
    return Poison("internal", error=type(error).__name__)


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
