"""The plan of a campaign is drawn, and drawn again the same."""

import argparse
import re
import shlex
import sys
from collections import Counter
from datetime import UTC, date, datetime
from typing import NamedTuple

import pytest

from chaos import __main__ as command
from chaos.faults import FAULTS
from chaos.plan import Planned, draw_plan, pairs, seeds_for_all_pairs
from tests.commands import ROOT


def test_the_same_seed_gives_the_same_plan() -> None:
    """And another seed another one."""
    assert draw_plan(7, 40, FAULTS) == draw_plan(7, 40, FAULTS)
    assert draw_plan(7, 40, FAULTS) != draw_plan(8, 40, FAULTS)


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_comes_if_there_are_enough_faults(seed: int) -> None:
    """As many faults as kinds: each once."""
    plan = draw_plan(seed, len(FAULTS), FAULTS)
    assert sorted(planned.kind for planned in plan) == sorted(FAULTS)


@pytest.fixture
def in_ci(monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """The options that CI gives a campaign."""
    asked = re.search(r'make chaos CHAOS_ARGS="(.*)"', (ROOT / ".ci" / "run").read_text("utf-8"))
    assert asked is not None
    monkeypatch.setattr(sys, "argv", ["chaos", *shlex.split(asked[1])])
    return command.arguments()


def test_the_campaign_of_every_commit_has_every_kind(in_ci: argparse.Namespace) -> None:
    """A new kind of fault is in it, too; it takes less than ten minutes."""
    assert {fault.kind for fault in command.planned(in_ci)} == set(FAULTS)
    assert in_ci.seconds < 600


def test_the_campaigns_of_any_week_meet_every_kind_with_each_of_its_targets(
    in_ci: argparse.Namespace,
) -> None:
    """Whatever the day on which it begins; none but these pairs is drawn."""
    offered = {(kind, target) for kind, fault in FAULTS.items() for target in fault.targets}
    assert {("kill", "bridge"), ("server-killed", "postgres"), ("link-cut", "sinks-postgres")} < offered
    today = date(2026, 11, 29).toordinal()
    for first in [*range(400), *range(today, today + 400)]:
        week = [draw_plan(seed, in_ci.faults, FAULTS) for seed in range(first, first + 7)]
        assert {(fault.kind, fault.target) for plan in week for fault in plan} == offered, first


class Kind(NamedTuple):
    """A kind of fault for the plan only."""

    targets: tuple[str, ...]
    lasts: tuple[float, float] = (0.0, 0.0)
    weight: float = 1.0


def test_as_many_seeds_as_a_kind_has_targets_meet_every_pair() -> None:
    """With fewer, the kind with most targets has some of them left."""
    kinds = {"one": Kind(("a",)), "two": Kind(("a", "b")), "five": Kind(tuple("abcde"))}
    assert (len(pairs(kinds)), seeds_for_all_pairs(kinds)) == (8, 5)
    for first in range(50):
        met = [
            {(fault.kind, fault.target) for fault in draw_plan(seed, 3, kinds)}
            for seed in range(first, first + 5)
        ]
        assert set.union(*met) == pairs(kinds)
        assert len({target for kind, target in set.union(*met[:-1]) if kind == "five"}) == 4


def test_the_seed_of_today_is_that_of_the_date() -> None:
    """A day later it is the next one, so that a week has seven in a row; any number is taken as it is."""
    before = datetime.now(UTC).date()
    seed = command.seed_of("today")
    assert before.toordinal() <= seed <= datetime.now(UTC).date().toordinal()
    assert command.seed_of("3") == 3


@pytest.mark.parametrize("asked", [["--seed", "today"], ["--seed=today"], ["--seed", "739000"]])
def test_the_command_that_repeats_a_campaign_has_its_seed(
    monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    """In words that a shell takes: the plan is the same on another day."""
    line = command.repeated([*asked, "--faults", "3", "--kinds", "kill,stop"], 739_000)
    make, target, words = shlex.split(line)
    assert (make, target) == ("make", "chaos")
    monkeypatch.setattr(sys, "argv", ["chaos", *shlex.split(words.removeprefix("CHAOS_ARGS="))])
    again = command.arguments()
    assert (again.seed, again.faults, again.kinds) == (739_000, 3, "kill,stop")


@pytest.mark.parametrize("seed", range(5))
def test_the_log_is_read_again_before_retention_takes_of_it(seed: int) -> None:
    """The rows of deleted records can't be made again."""
    kinds = [planned.kind for planned in draw_plan(seed, 100, FAULTS)]
    assert kinds.count("rebuild") > 1
    assert max(at for at, kind in enumerate(kinds) if kind == "rebuild") < kinds.index("retention")


def test_every_target_of_a_kind_has_its_turn() -> None:
    """Three kills kill three roles."""
    kill = {"kill": FAULTS["kill"]}
    for seed in range(10):
        targets = Counter(planned.target for planned in draw_plan(seed, 6, kill))
        assert targets == {"bridge": 2, "streams": 2, "sinks": 2}


def test_a_fault_lasts_as_long_as_its_kind_says() -> None:
    """A freeze outlasts the session timeout of 6 s."""
    plan = draw_plan(3, 200, FAULTS)
    for planned in plan:
        shortest, longest = FAULTS[planned.kind].lasts
        assert shortest <= planned.lasts_s <= longest
    assert min(planned.lasts_s for planned in plan if planned.kind == "freeze") > 6


def test_some_faults_come_while_the_pipeline_recovers() -> None:
    """About a fifth, never the first; these follow within 3 s."""
    plan = draw_plan(5, 500, FAULTS)
    soon = [planned for planned in plan if planned.soon]
    assert not plan[0].soon
    assert 60 <= len(soon) <= 140
    assert max(planned.pause_s for planned in soon) <= 3


def test_the_plan_can_be_read() -> None:
    """A line a fault."""
    planned = Planned(3, "kill", "sinks", soon=True, pause_s=1.5, lasts_s=0.0, seed=1)
    assert str(planned) == f"  3  {'kill sinks':<32} while recovering, after 1.5 s"
