"""The oracle agrees with the fold over a campaign's messages, and finds a fold whose rule is wrong."""

import copy
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from random import Random
from typing import Any

import pytest

from chaos.lines import PARIS, Same
from chaos.message import Message
from chaos.sums import Stops, Sums
from schemas.instant import SECOND, ms_of
from tests.chaos.published import Published, machines, published
from tests.chaos.wrong_rules import WRONG, Wrong
from tests.commands import ROOT

NOON = ms_of(datetime(2026, 3, 10, 12, tzinfo=PARIS))
MIDNIGHT = ms_of(datetime(2026, 3, 11, tzinfo=PARIS))
TODAY, TOMORROW = "2026-03-10", "2026-03-11"


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """Ten minutes of all machines, over midnight."""
    begins = MIDNIGHT - 300 * SECOND
    with published(tmp_path_factory.mktemp("tape"), machines(7, 5000, begins, 120)) as found:
        yield found


@pytest.fixture(scope="module")
def right(campaign: Published) -> Sums:
    """The sums of the fold."""
    return campaign.fold()


def test_the_rules_of_the_product_are_not_asked() -> None:
    """The oracle imports no rule: neither of the fold, nor of reading messages."""
    asked = "import sys, chaos.oracle, chaos.sums; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert {"chaos", "schemas"} <= imported
    assert not imported & {"streams", "rules", "sinks", "bridge", "runtime", "linepulse", "rebuild"}


def test_the_sums_of_the_fold_are_those_of_what_was_published(campaign: Published, right: Sums) -> None:
    """Of ordinary lines, of one that floods, of a gateway, of machines without a clock; on both days."""
    verdict = campaign.verdict(right)
    assert verdict.right, verdict.text()
    assert verdict.counts["lines whose pieces were added up"] == 11
    assert verdict.counts["lines whose stops were added up"] >= 5
    assert verdict.counts["stops published"] >= 10
    assert verdict.counts["lines for which only the rules can say what counts"] == 2
    for table in ("ProductionData", "KPISnapshot"):
        assert {TODAY, TOMORROW} <= right.pieces[table]["ligne1"].keys()


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.broken.__name__)
def test_a_rule_that_is_wrong_is_found(
    campaign: Published, monkeypatch: pytest.MonkeyPatch, wrong: Wrong
) -> None:
    """The rows of live workers and of a rebuild would be wrong in the same way: both use the fold."""
    wrong.break_it(monkeypatch)
    verdict = campaign.verdict(campaign.fold())
    assert not verdict.right
    assert any(wrong.sums in example for example in verdict.summed.examples), verdict.text()


def line(n: int, at: int, pieces: int, *, running: bool = True) -> tuple[int, Message]:
    """A message of ligne1 as it is made."""
    topic = "production/ligne1/data"
    said = "true" if running else "false"
    payload = f'{{"count":{pieces},"running":{said},"pressure":{n},"timestamp":{at}}}'.encode()
    return at, Message(n, "ligne1", "data", topic, payload, at=at, pieces=pieces, running=running)


@pytest.fixture(scope="module")
def stopped_twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """A line that is stopped for 4 s, runs for 6 s, and is stopped for the 5 s before its last message."""
    steps = [(0, 3, True), (5, 0, False), (9, 2, True), (15, 1, False), (20, 0, False)]
    messages = [
        line(n, NOON + at * SECOND, pieces, running=running)
        for n, (at, pieces, running) in enumerate(steps, 1)
    ]
    with published(tmp_path_factory.mktemp("tape"), messages) as found:
        yield found


def test_the_sums_of_a_line_can_be_checked_by_hand(stopped_twice: Published) -> None:
    """Six pieces on one day; a stop of 4 s, and one that lasts."""
    sums = stopped_twice.fold()
    assert sums.pieces["ProductionData"] == sums.pieces["KPISnapshot"] == {"ligne1": {TODAY: 6}}
    assert sums.produced == {"ligne1": 6}
    assert sums.stops == {"ligne1": Stops(1, 4000, 1)}
    assert sums.stopped_ms == {"ligne1": 9000}
    assert stopped_twice.verdict(sums).right


def changed(sums: Sums, change: Callable[[Sums], object]) -> Sums:
    other = copy.deepcopy(sums)
    change(other)
    return other


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s.pieces["ProductionData"]["ligne1"].update({TODAY: 7}), "ProductionData on .*: 7, and 6"),
        (lambda s: s.pieces["KPISnapshot"]["ligne1"].update({TODAY: 5}), "KPISnapshot on .*: 5, and 6"),
        (lambda s: s.pieces["KPISnapshot"].update(ligne1={TOMORROW: 6}), f"on {TOMORROW}: 6, and 0"),
        (lambda s: s.pieces["KPISnapshot"].clear(), "pieces in KPISnapshot: 0, and 6"),
        (lambda s: s.pieces["KPISnapshot"].update(ligne9={TODAY: 1}), "ligne9: .* none were published"),
        (lambda s: s.produced.update(ligne1=7), "ProductionOrder: 7, and 6"),
        (lambda s: s.stops.update(ligne1=Stops(1, 4001, 1)), "ms of stops in Downtime: 4001, and 4000"),
        (lambda s: s.stops.update(ligne1=Stops(2, 4000, 1)), "that ended: 2, and 1"),
        (lambda s: s.stops.update(ligne1=Stops(1, 4000, 0)), "that last: 0, and 1"),
        (lambda s: s.stopped_ms.update(ligne1=8999), "ms stopped in KPISnapshot: 8999, and 9000 to"),
        (lambda s: s.stopped_ms.update(ligne1=200_000), "ms stopped in KPISnapshot: 200000, and 9000 to"),
    ],
)
def test_each_sum_is_compared(stopped_twice: Published, change: Callable[[Sums], object], told: str) -> None:
    """A sum that is off by one is wrong, and shown with both figures."""
    verdict = stopped_twice.verdict(changed(stopped_twice.fold(), change))
    assert not verdict.right
    assert [text for text in verdict.summed.examples if re.search(told, text)], verdict.text()


def test_pieces_made_over_midnight_are_of_either_day(tmp_path: Any) -> None:
    """However those twelve are split over the two days, the total must be right."""
    around = [line(1, MIDNIGHT - 20 * SECOND, 1), line(2, MIDNIGHT + 10 * SECOND, 12)]
    with published(tmp_path, around) as log:
        sums = log.fold()
        assert sums.pieces["ProductionData"]["ligne1"] == {TODAY: 1, TOMORROW: 12}
        days = sums.pieces["KPISnapshot"]["ligne1"]
        assert days[TODAY] > 1
        assert days[TODAY] + days[TOMORROW] == 13
        assert log.verdict(sums).right
        for wrong in ({TODAY: 0, TOMORROW: 13}, {TODAY: 6, TOMORROW: 6}):
            sums.pieces["KPISnapshot"]["ligne1"] = wrong
            assert not log.verdict(sums).right


def test_what_was_sent_twice_counts_as_often_as_it_is_in_the_log(tmp_path: Any) -> None:
    """Late the second time; with a number of its own or without."""
    first, second = line(1, NOON, 3), line(2, NOON + SECOND, 4)
    same = Same("same", Random(1)).next(3, NOON)
    with published(
        tmp_path, [first, second, first, (NOON + 2 * SECOND, same), (NOON + 3 * SECOND, same)]
    ) as log:
        sums = log.fold()
        assert sums.produced == {"ligne1": 10, "same": 2}
        assert log.verdict(sums).right


def test_a_record_that_was_deleted_before_it_was_applied_counts_nowhere(tmp_path: Any) -> None:
    """The log has lost it; no rule is wrong."""
    with published(tmp_path, [line(1, NOON, 3), line(2, NOON + SECOND, 4)]) as log:
        (partition,) = (number for number in log.tape.partitions if any(log.tape.messages(number)))
        gone = next(log.tape.messages(partition)).offset
        log.tape.without(partition, gone, gone)
        sums = log.fold()
        assert sums.produced == {"ligne1": 4}
        assert log.verdict(sums).right
