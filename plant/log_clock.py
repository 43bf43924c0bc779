"""`[[log_clock]]` of `plant.toml`: corrects the time of a log that was ahead for a while."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from plant.strict import StrictRules
from schemas.instant import ms_of
from schemas.raw import MAX_RUN

CATCH_UP = 0.9
"""How fast the log's clock runs while it is ahead of the computer's: slower, never still, so that durations
and silences stay nearly right until both agree again."""


def _moment(value: object) -> object:
    if not isinstance(value, datetime):
        raise ValueError("not a time with its offset, as in 2026-11-28T10:00:00Z, without quotes")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


class LogClock(StrictRules):
    """From a moment of the log on, the records of some runs of the bridge have a time that is ahead."""

    first_run: int = Field(ge=1, le=MAX_RUN)
    last_run: int = Field(ge=1, le=MAX_RUN)
    since: Moment = Field(alias="from")  # the time, in the log, of the first record that is wrong
    true: Moment  # when that record was really received

    @model_validator(mode="after")
    def _is_ahead(self) -> "LogClock":
        if self.last_run < self.first_run:
            raise ValueError(f"last_run = {self.last_run} is below first_run = {self.first_run}")
        if self.true >= self.since:
            raise ValueError(f"true = {self.true} must be before from = {self.since}: the log was ahead")
        return self


class TrueTime:
    """Corrects the times of a log: when its records were really received."""

    def __init__(self, wrong: Iterable[LogClock] = ()) -> None:
        spans = [(ms_of(w.since), ms_of(w.true), w.first_run, w.last_run) for w in wrong]
        self._spans = sorted(spans, reverse=True)  # if several apply, the one that begins last counts

    def __bool__(self) -> bool:
        return bool(self._spans)

    def of(self, at: int, run: int) -> int:
        """The true time of a record of `run` whose time in the log is `at`; ms since 1970."""
        for since, true, first_run, last_run in self._spans:
            if at >= since and first_run <= run <= last_run:
                return min(at, true + round((at - since) / CATCH_UP))
        return at
