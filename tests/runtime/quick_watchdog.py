"""A role whose watchdog has a short limit: `python -m tests.runtime.quick_watchdog ROLE SECONDS`.

SIGUSR1 silences its consumer, which goes on as a member of its group: it fetches, and hands nothing over.
SIGUSR2 blocks its event loop for good.
"""

import asyncio
import functools
import signal
import sys
import threading
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import runtime.batches
import runtime.fetching
import runtime.watchdog
from linepulse.commands import roles
from runtime.loop_watchdog import LoopWatchdog

LOOK_EVERY_S = 0.5
silenced = threading.Event()


class Silenced(runtime.fetching.BatchConsumer):
    """A consumer that can be made to die silently."""

    async def getmany(self, timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109
        if silenced.is_set():
            await asyncio.sleep(timeout)
            return
        async for fetched in super().getmany(timeout):
            if not silenced.is_set():
                yield fetched


def main() -> None:
    role, limit = sys.argv[1], float(sys.argv[2])
    runtime.batches.BatchConsumer = Silenced  # type: ignore[attr-defined]
    module = import_module(f"{role}.role")
    module.Watchdog = functools.partial(  # type: ignore[attr-defined]
        runtime.watchdog.Watchdog, limit_s=limit, look_every_s=LOOK_EVERY_S
    )
    roles.LoopWatchdog = functools.partial(LoopWatchdog, limit_s=limit, beat_s=0.1)  # type: ignore[attr-defined, assignment]
    signal.signal(signal.SIGUSR1, lambda *_: silenced.set())
    signal.signal(signal.SIGUSR2, lambda *_: threading.Event().wait())
    roles.run_role(role)


if __name__ == "__main__":
    main()
