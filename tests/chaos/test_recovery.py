"""Recoveries become figures."""

import pytest

from chaos.plant import ROLES
from chaos.promises import MOST_MIB
from chaos.recovery import Recovery, by_kind, p95
from chaos.report import Report
from chaos.roles import Stop
from chaos.verdict import Verdict


def recovery(seconds: float | None, kind: str = "kill") -> Recovery:
    return Recovery(1, kind, "sinks", "", seconds)


def test_a_pipeline_that_never_came_back_is_the_longest() -> None:
    """It counts as late, also in the median."""
    found = by_kind([recovery(2.0), recovery(30.0), recovery(None), recovery(4.0, "freeze")])
    assert (found["kill"].median_s, found["kill"].p95_s, found["kill"].longest_s) == (30.0, None, None)
    assert found["kill"].share_within_20_s == 0.333
    assert found["all"].count == 4
    assert found["freeze"].longest_s == 4.0


def test_only_what_is_right_in_every_way_is_right() -> None:
    """An unclean end, a missing verdict, something lost, sums that are off: each is enough to fail."""
    right = Report(1, 10, 1, recoveries=[recovery(59.0)], stops=[Stop("sinks", 2.0, 0)], verdict=Verdict())
    assert right.right
    assert not Report(1, 10, 1).right
    assert not Report(1, 10, 1, stops=[Stop("sinks", 10.5, 0)], verdict=Verdict()).right
    assert not Report(1, 10, 1, stops=[Stop("sinks", 1.0, 1)], verdict=Verdict()).right
    lost = Verdict()
    lost.lost.add("number 7")
    assert not Report(1, 10, 1, verdict=lost).right
    summed = Verdict()
    summed.summed.add("ligne1: pieces in KPISnapshot: 7, and 6 published")
    assert Report(1, 10, 1, verdict=summed).outcome == "WRONG"


def outcome(*seconds: float | None, **peak_mib: float) -> str:
    """Of a campaign in which all rows are right."""
    recoveries = [recovery(each) for each in seconds]
    report = Report(1, 10, 1, recoveries=recoveries, peak_mib=peak_mib, verdict=Verdict())
    assert report.right == (report.outcome == "RIGHT") == (report.as_dict()["broken"] == [])
    assert report.outcome in report.text()
    return report.outcome


def test_p95_lies_between_the_two_values_around_it() -> None:
    """Of 21 it is the second largest, of 11 the middle between the two largest, of one itself."""
    assert p95([float(n) for n in range(1, 22)]) == 20.0
    assert p95([4.0, *[1.0] * 9, 2.0]) == 3.0
    assert p95([7.0]) == 7.0
    assert p95([*[1.0] * 20, float("inf")]) == 1.0
    assert p95([*[1.0] * 10, float("inf")]) == float("inf")


def test_p95_of_more_than_twenty_seconds_breaks_a_promise() -> None:
    """One in 21 may be late; where two are, they must not be; of fewer than ten, nobody says."""
    assert outcome(*[5.0] * 19, 20.0, 59.0) == "RIGHT"
    assert outcome(*[5.0] * 19, 20.1, 20.1) == "BROKEN PROMISE"
    assert outcome(*[5.0] * 8, 14.0, 24.0) == "RIGHT"  # 19.5
    assert outcome(*[5.0] * 8, 14.0, 26.0) == "BROKEN PROMISE"  # 20.6
    assert outcome(*[30.0] * 9) == "RIGHT"
    assert outcome(*[30.0] * 10) == "BROKEN PROMISE"


def test_one_recovery_of_more_than_a_minute_breaks_a_promise() -> None:
    """However many others were quick."""
    assert outcome(*[1.0] * 40, 60.0) == "RIGHT"
    assert outcome(*[1.0] * 40, 60.1) == "BROKEN PROMISE"
    assert outcome(*[1.0] * 40, None) == "BROKEN PROMISE"


@pytest.mark.parametrize("role", ROLES)
def test_too_much_memory_breaks_a_promise(role: str) -> None:
    """Each role has a ceiling of its own; the largest of its processes must be below it."""
    assert outcome(1.0, **{role: MOST_MIB[role]}) == "RIGHT"
    assert outcome(1.0, **{role: MOST_MIB[role] + 0.1}) == "BROKEN PROMISE"


def test_what_is_wrong_is_told_beside_broken_promises() -> None:
    """Wrong rows count more, and hide no broken promise."""
    report = Report(1, 10, 1, recoveries=[recovery(61.0)], peak_mib={"sinks": 500.0})
    assert report.outcome == "WRONG"
    told = (
        "nothing was judged",
        "(fault 1) the pipeline did not work again within 60 s",
        "sinks took 500.0 MiB",
    )
    assert all(text in report.text() for text in told)
