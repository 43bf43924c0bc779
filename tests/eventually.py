"""Waiting in tests: for a condition, with a deadline, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
EVERY_S = 0.02


def wait_until(condition: Callable[[], T], what: str = "the condition", seconds: float = 60) -> T:
    """The condition's first true value.

    Raises:
        AssertionError: it did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(EVERY_S)
    return found


async def eventually(
    condition: Callable[[], Awaitable[T]], what: str = "the condition", seconds: float = 60
) -> T:
    """As `wait_until`, for a coroutine, on the event loop."""
    deadline = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        await asyncio.sleep(EVERY_S)
    return found
