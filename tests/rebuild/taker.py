"""A take-over in a process of its own, that may die: `python -m tests.rebuild.taker PLANT [STEP]`.

STEP is where SIGKILL comes: seeding, seeded, moved, swapped, recorded.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from rebuild.takeover import finish, take_over
from runtime.narrator import Narrator
from runtime.settings import Settings
from tests.rebuild.small import rebuild


async def main(text: str, fatal: str) -> None:
    settings = Settings.read()

    def step(name: str) -> None:
        print(name, flush=True)
        if name == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    live = await finish(settings, text)
    await take_over(settings, await rebuild(settings, text, live + 1), Narrator("en"), step)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_text("utf-8"), sys.argv[2] if len(sys.argv) > 2 else ""))
