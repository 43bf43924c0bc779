"""Roles as child processes: started again when they die, ended together, never left behind."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from linepulse.embedded.server import start_tied
from runtime.narrator import Narrator

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
HEALTHY_S = 30.0  # who lived this long starts again without delay
STOP_S = 9.0
POLL_S = 0.1


def linepulse(*arguments: str) -> list[str]:
    """The command that runs a part of linepulse with this Python."""
    return [sys.executable, "-P", "-m", "linepulse", *arguments]


class Child:
    """One process that shall run.

    `once`: it is not started again when it ends. `orphan_signal`: what it gets when we die.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        log: Path | None = None,
        *,
        once: bool = False,
        orphan_signal: int = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self._command = list(command)
        self._env = env
        self._log = log
        self._once = once
        self._orphan_signal = orphan_signal
        self._begun = 0.0
        self._delay = 0.0
        self._not_before = 0.0

    def keep_up(self, narrator: Narrator) -> None:
        """Start it if it is due; take note if it died."""
        now = time.monotonic()
        if self.process is None:
            if now >= self._not_before:
                self._begun = now
                self.process = start_tied(self._command, self._log, self._orphan_signal, self._env)
            return
        code = self.process.poll()
        if code is None:
            return
        lived = now - self._begun
        self._delay = (
            FIRST_DELAY_S if lived > HEALTHY_S else min(LONGEST_DELAY_S, max(FIRST_DELAY_S, self._delay * 2))
        )
        if self._once:
            self._delay = float("inf")
        self._not_before = now + self._delay
        self.process = None
        narrator.say(
            "run.ended_once" if self._once else "run.died", name=self.name, code=code, delay=self._delay
        )


async def supervise(children: Sequence[Child], narrator: Narrator, stop: asyncio.Event) -> None:
    """Keep the children running until `stop`, then end them all within STOP_S."""
    try:
        while not stop.is_set():
            for child in children:
                child.keep_up(narrator)
            try:
                await asyncio.wait_for(stop.wait(), POLL_S)
            except TimeoutError:
                continue
    finally:
        await end([child.process for child in children if child.process is not None])


async def end(processes: Sequence["subprocess.Popen[bytes]"], seconds: float = STOP_S) -> None:
    """SIGTERM to all, and SIGKILL to who is left after a while."""
    for process in processes:
        process.terminate()
        process.send_signal(signal.SIGCONT)
    await asyncio.gather(*(asyncio.to_thread(_wait_or_kill, process, seconds) for process in processes))


def _wait_or_kill(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
