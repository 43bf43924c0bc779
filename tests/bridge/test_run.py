"""How a run begins: whose fence it finds before its own, and what it reads back."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import bridge.run
from bridge.clock import LogClock
from bridge.kafka import AS_RECORDED, Tail
from bridge.log_continuity import LogContinuity
from bridge.run import Run
from plant.log_clock import TrueTime
from runtime.narrator import Narrator
from runtime.settings import Settings
from schemas.errors import Unavailable

AHEAD = 4_000_000_000_000


class Kafka:
    """A log whose highest run is 6; after our fence is written, `before` is the highest run before it."""

    def __init__(self, before: int) -> None:
        self.before = before
        self.done: list[str] = []
        self.fenced_at = 0

    async def read_tail(
        self, _settings: Settings, fence: Mapping[Any, int] | None = None, true_time: TrueTime = AS_RECORDED
    ) -> Tail:
        return Tail(true_time.of(AHEAD, 6), 6 if fence is None else self.before)

    async def open_producer(self, *_: object) -> object:
        self.done.append("producer")
        return object()

    async def write_fence(self, _producer: object, _settings: Settings, run: int, now: int) -> dict[Any, int]:
        self.done.append(f"fence {run}")
        self.fenced_at = now
        return {}

    async def read_back(self, *_: object) -> list[Any]:
        self.done.append("read back")
        raise Unavailable("far enough")

    async def close_producer(self, _producer: object) -> None:
        self.done.append("closed")


class Broker:
    """A connection whose session the broker kept."""

    def __init__(self, *_: object, **__: object) -> None:
        self.dropped = False

    async def open(self) -> bool:
        return True

    def drop(self) -> None:
        self.dropped = True


@pytest.mark.parametrize(
    ("before", "why", "done"),
    [
        (6, "far enough", ["producer", "fence 7", "read back", "closed"]),
        (7, "another bridge began run 7, too", ["producer", "fence 7", "closed"]),
        (8, "another bridge began run 7, too", ["producer", "fence 7", "closed"]),
    ],
    ids=["first", "behind its twin", "behind its successor"],
)
async def test_who_finds_another_fence_of_its_run_begins_again(
    monkeypatch: pytest.MonkeyPatch, before: int, why: str, done: list[str]
) -> None:
    """Two bridges that read the same tail take the same number: readers could not void either's records."""
    kafka = Kafka(before)
    await begins(monkeypatch, kafka, Settings(_env_file=None), why)
    assert kafka.done == done
    assert kafka.fenced_at >= AHEAD  # the log's time never runs backwards


@pytest.mark.parametrize(("last_run", "goes_on_ahead"), [(6, False), (5, True)])
async def test_a_run_goes_on_from_the_true_time_of_a_log_that_is_ahead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, last_run: int, goes_on_ahead: bool
) -> None:
    """If the plant file names the runs whose time was wrong."""
    plant = tmp_path / "plant.toml"
    plant.write_text(
        f"[[log_clock]]\nfirst_run = 1\nlast_run = {last_run}\n"
        "from = 2096-10-02T07:00:00Z\ntrue = 2023-11-14T22:00:00Z\n"
    )
    kafka = Kafka(before=6)
    await begins(monkeypatch, kafka, Settings(_env_file=None, plant=plant), "far enough")
    assert (kafka.fenced_at >= AHEAD) is goes_on_ahead


async def begins(monkeypatch: pytest.MonkeyPatch, kafka: Kafka, settings: Settings, why: str) -> None:
    """Begin a run on a log, up to where it fails."""
    monkeypatch.setattr(bridge.run, "Connection", Broker)
    for name in ("read_tail", "open_producer", "write_fence", "read_back", "close_producer"):
        monkeypatch.setattr(bridge.run, name, getattr(kafka, name))
    run = Run(settings, Narrator("en"), LogClock(lambda _: None), LogContinuity(), lambda: None)
    with pytest.raises(Unavailable, match=why):
        await run.go(asyncio.Event())
