"""The plan of a campaign is drawn, and drawn again the same."""

import re
import shlex
import sys
from collections import Counter

import pytest

from chaos import __main__ as command
from chaos.faults import FAULTS
from chaos.plan import Planned, draw_plan
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


def test_the_campaign_of_every_commit_has_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new kind of fault is in it, too; it takes less than ten minutes."""
    asked = re.search(r'make chaos CHAOS_ARGS="(.*)"', (ROOT / ".ci" / "run").read_text("utf-8"))
    assert asked is not None
    monkeypatch.setattr(sys, "argv", ["chaos", *shlex.split(asked[1])])
    asked_for = command.arguments()
    assert {fault.kind for fault in command.planned(asked_for)} == set(FAULTS)
    assert asked_for.seconds < 600


@pytest.mark.parametrize("seed", range(5))
def test_the_log_is_read_again_before_retention_takes_of_it(seed: int) -> None:
    """What came of records that are gone can't be told again."""
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
