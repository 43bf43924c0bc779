"""Rules of the fold, each broken on purpose: fold and rebuild agree on the wrong rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from rules import orders, samples
from rules.kpi import pieces
from rules.stops import lifecycle, state_change

Rule = Callable[..., Any]


class Wrong(NamedTuple):
    """A rule of a module, how it is broken, and the sum that is then wrong."""

    module: Any
    rule: str
    broken: Callable[[Rule], Rule]
    sums: str

    def break_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Until the test ends."""
        monkeypatch.setattr(self.module, self.rule, self.broken(getattr(self.module, self.rule)))


def doubled(real: Rule) -> Rule:
    """Each message counts twice what it says."""

    def wrong(*arguments: Any) -> Any:
        sample = real(*arguments)
        return replace(sample, pieces=2 * sample.pieces)

    return wrong


def of_hot_lines(real: Rule) -> Rule:
    """The order counts a piece too many in every message of a line that is hot."""

    def wrong(before: Any, sample: Any, *arguments: Any) -> Any:
        more = sample.data.temperature is not None and sample.data.temperature > 30
        return real(before, replace(sample, pieces=sample.pieces + more), *arguments)

    return wrong


def one_less(real: Rule) -> Rule:
    """A window gets a piece less of each message that brings several."""

    def wrong(windows: Any, at: int, pieces: int, *arguments: Any, **named: Any) -> Any:
        return real(windows, at, pieces - (pieces > 2), *arguments, **named)

    return wrong


def later(real: Rule) -> Rule:
    """A stop ends a millisecond late."""
    return lambda stop, at, *arguments: real(stop, at + 1, *arguments)


def forgiving(real: Rule) -> Rule:
    """Windows charge half of each stretch of a stop to nobody; rows of stops have all of it."""

    def wrong(state: Any, until: int, context: Any) -> Any:
        intervals = real(state, until, context)
        if state.mode != "stopped":
            return intervals
        half = (state.clock + until) // 2
        return [replace(intervals[0], until=half, mode="unknown"), *intervals]

    return wrong


WRONG = (
    Wrong(samples, "decide", doubled, "pieces in ProductionData"),
    Wrong(orders, "on_sample", of_hot_lines, "pieces in ProductionOrder"),
    Wrong(pieces, "count", one_less, "pieces in KPISnapshot"),
    Wrong(lifecycle, "_ended", later, "ms of stops in Downtime"),
    Wrong(state_change, "passed", forgiving, "ms stopped in KPISnapshot"),
)
