"""Records on which a rule fails: a defect of ours. It costs the record, and neither its line nor the stage.

The fold passes each failure to an observer, and continues; `streams.failures` counts and logs them.
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
    """The reason for the record's dead letter; it holds only what is the same whenever the log is read.

    Raises:
        MemoryError: a failure of this machine, not of the record: another process will apply the record.
    """
    if isinstance(error, MemoryError):
        raise error
    return Poison("internal", error=type(error).__name__)


def raise_failure(failure: Failure) -> None:
    """The default observer: it raises the failure's exception.

    Raises:
        Exception: the one with which the rule failed.
    """
    raise failure.error
