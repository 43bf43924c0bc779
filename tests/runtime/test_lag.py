"""The metrics of a worker's progress, and a stage that does not answer."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

import runtime.watchdog
from runtime import metrics
from runtime.batches import Stage
from runtime.group_status import GroupStatus
from runtime.narrator import Narrator
from runtime.settings import Settings
from runtime.watchdog import Watchdog

A, B = TP("raw", 0), TP("raw", 1)


def stage_at(positions: dict[TP, int]) -> Stage:
    """A stage at this position."""
    app: Any = SimpleNamespace(
        transport=SimpleNamespace(),
        on_partitions_revoked=SimpleNamespace(connect=lambda *_, **__: None),
    )
    stage = Stage(app, ["raw"], SimpleNamespace(), Narrator("en"))
    stage._expected = positions
    return stage


def shown() -> dict[int, float]:
    [family] = metrics.LAG.collect()
    return {
        int(sample.labels["partition"]): sample.value
        for sample in family.samples
        if sample.labels["topic"] == "raw"
    }


async def test_lag_grows_while_nothing_is_applied_and_goes_with_its_partition() -> None:
    """Such as while PostgreSQL is away: the log grows. After a rebalance another worker shows it."""
    stage = stage_at({A: 40, B: 100})
    stage.show_lag({A: 70, B: 90})  # the embedded broker lists an end too low
    assert shown() == {0: 30, 1: 0}
    await stage._forget()
    assert shown() == {}


async def test_a_stage_that_does_not_answer_keeps_nobody_from_judging_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its log ends earlier than before, so the stage is asked for its position; it hangs."""
    monkeypatch.setattr(runtime.watchdog, "ANSWER_S", 0.1)
    stage: Any = SimpleNamespace(sources={"raw"}, look_again=lambda _: asyncio.Event().wait())
    watchdog = Watchdog(stage, Settings(_env_file=None, partitions=2), Narrator("en"))
    for end in (10, 5, 5):
        seen = GroupStatus({A: end, B: 10}, True, None, frozenset())
        await asyncio.wait_for(watchdog._check_log(seen), 5)
    for question in watchdog._questions:
        question.cancel()
