"""Waiting in tests: for a condition, with a deadline, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")
SOONEST_S, LATEST_S, LATER = 0.02, 0.1, 1.1


def _pauses() -> Iterator[float]:
    """What is soon there is seen soon; for what takes its time, looking shall not be a load of its own."""
    pause = SOONEST_S
    while True:
        yield pause
        pause = min(pause * LATER, LATEST_S)


def wait_until(condition: Callable[[], T], what: str = "the condition", seconds: float = 60) -> T:
    """The condition's first true value.

    Raises:
        AssertionError: it did not become true in time.
    """
    deadline, pauses = time.monotonic() + seconds, _pauses()
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(next(pauses))
    return found


async def eventually(
    condition: Callable[[], Awaitable[T]], what: str = "the condition", seconds: float = 60
) -> T:
    """As `wait_until`, for a coroutine, on the event loop."""
    deadline, pauses = time.monotonic() + seconds, _pauses()
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        await asyncio.sleep(next(pauses))
    return found
