"""How a run begins: whose fence it finds before its own, and what it reads back."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

import bridge.run
from bridge.clock import LogClock
from bridge.kafka import Tail
from bridge.known import KnownLog
from bridge.run import Run
from runtime.narrator import Narrator
from runtime.settings import Settings
from schemas.errors import Unavailable

AHEAD = 4_000_000_000_000


class Kafka:
    """A log whose highest run is 6; once our fence stands in it, `before` is the highest run before that."""

    def __init__(self, before: int) -> None:
        self.before = before
        self.done: list[str] = []
        self.fenced_at = 0

    async def read_tail(
        self, _settings: Settings, fence: Mapping[Any, int] | None = None, **_: object
    ) -> Tail:
        return Tail(AHEAD, 6 if fence is None else self.before)

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
    """A connection that finds its session."""

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
    monkeypatch.setattr(bridge.run, "Connection", Broker)
    for name in ("read_tail", "open_producer", "write_fence", "read_back", "close_producer"):
        monkeypatch.setattr(bridge.run, name, getattr(kafka, name))
    run = Run(Settings(_env_file=None), Narrator("en"), LogClock(lambda _: None), KnownLog(), lambda: None)
    with pytest.raises(Unavailable, match=why):
        await run.go(asyncio.Event())
    assert kafka.done == done
    assert kafka.fenced_at >= AHEAD  # the log's time never runs backwards
