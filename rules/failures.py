"""Records that a rule fails on: a defect of ours. It costs the record, and neither its line nor the stage.

The fold hands each failure to an observer, and goes on; `streams.failures` counts and logs them.
"""

from collections.abc import Callable
from typing import NamedTuple

from schemas.errors import Poison


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


def raised(failure: Failure) -> None:
    """Whoever names no observer hears of a failure by its exception.

    Raises:
        Exception: what the rule failed with.
    """
    raise failure.error
