"""Waiting in tests: for a condition, with a deadline, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 120.0  # only a test that fails waits so long: a busy machine is no reason to fail
EVERY_S = 0.02
# A new connection to PostgreSQL costs 12 ms of CPU: looks that cost as much come less often, or several tests
# that only wait would keep a core busy.
REST = 5
LONGEST_REST_S = 0.1


def wait_until(
    condition: Callable[[], T], what: str = "the condition", seconds: float = PATIENCE_S, rest: float = REST
) -> T:
    """The condition's first true value.

    `rest`: the pause after a look, in times of what the look took; 0 where the look itself does something.

    Raises:
        AssertionError: it did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if found := condition():
            return found
        looked = time.monotonic()
        assert looked < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(_pause(looked - began, rest))


async def eventually(
    condition: Callable[[], Awaitable[T]], what: str = "the condition", seconds: float = PATIENCE_S
) -> T:
    """As `wait_until`, for a coroutine, on the event loop."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if found := await condition():
            return found
        looked = time.monotonic()
        assert looked < deadline, f"waited {seconds:g} s for {what}"
        await asyncio.sleep(_pause(looked - began, REST))


def _pause(look_s: float, rest: float) -> float:
    return min(max(EVERY_S, rest * look_s), LONGEST_REST_S)
