"""Recoveries become figures."""

from chaos.recovery import Recovery, by_kind
from chaos.report import Report
from chaos.roles import Stop
from chaos.verdict import Verdict


def recovery(seconds: float | None, kind: str = "kill") -> Recovery:
    return Recovery(1, kind, "sinks", "", seconds)


def test_a_pipeline_that_never_came_back_is_the_longest() -> None:
    """It counts as late, and the median knows it."""
    found = by_kind([recovery(2.0), recovery(30.0), recovery(None), recovery(4.0, "freeze")])
    assert (found["kill"].median_s, found["kill"].longest_s) == (30.0, None)
    assert found["kill"].share_within_20_s == 0.333
    assert found["all"].count == 4
    assert found["freeze"].longest_s == 4.0


def test_only_what_is_right_in_every_way_is_right() -> None:
    """A late recovery, an unclean end and a missing verdict are each enough to fail."""
    right = Report(1, 10, 1, recoveries=[recovery(59.0)], stops=[Stop("sinks", 2.0, 0)], verdict=Verdict())
    assert right.right
    assert not Report(1, 10, 1).right
    assert not Report(1, 10, 1, recoveries=[recovery(61.0)], verdict=Verdict()).right
    assert not Report(1, 10, 1, recoveries=[recovery(None)], verdict=Verdict()).right
    assert not Report(1, 10, 1, stops=[Stop("sinks", 10.5, 0)], verdict=Verdict()).right
    assert not Report(1, 10, 1, stops=[Stop("sinks", 1.0, 1)], verdict=Verdict()).right
    lost = Verdict()
    lost.lost.add("number 7")
    assert not Report(1, 10, 1, verdict=lost).right
