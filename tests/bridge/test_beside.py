"""What a run does in the background: it writes ticks, and checks a Kafka that stores nothing."""

import asyncio
from collections.abc import Callable

import pytest

import bridge.run
from bridge.clock import LogClock
from bridge.flow import Flow
from bridge.lanes import Lane
from bridge.log_continuity import LogContinuity
from bridge.run import Run
from runtime.narrator import Narrator
from runtime.settings import Settings
from schemas.errors import Unavailable
from schemas.raw import TICK_SECONDS

pytestmark = pytest.mark.both

SettingsFor = Callable[..., Settings]
ENDS_S = 60.0


async def run(settings: Settings) -> None:
    """One run that is not stopped."""
    one = Run(settings, Narrator("en"), LogClock(lambda _: None), LogContinuity(), lambda: None)
    await asyncio.wait_for(one.go(asyncio.Event()), ENDS_S)


async def test_a_run_does_not_outlive_its_ticks(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a full disk for its log: without ticks, time would stand still unnoticed."""

    def no_room(_: Flow) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Flow, "tick", no_room)
    with pytest.raises(OSError, match="No space left"):
        await run(settings_for())


async def test_a_producer_that_stores_nothing_is_given_up(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka answers and has the log, but stores nothing: the next run uses a new producer."""

    async def hang(_: Lane) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Lane, "run", hang)
    monkeypatch.setattr(bridge.run, "PATIENCE_S", 2.0 * TICK_SECONDS)
    with pytest.raises(Unavailable, match="answers, and stores nothing"):
        await run(settings_for())
