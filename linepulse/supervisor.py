"""Roles as child processes: started again when they die, ended together, never left running."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from linepulse.embedded.ports import free_port
from linepulse.embedded.server import start_child
from linepulse.liveness import EVERY_S, LivenessCheck
from runtime.narrator import Narrator

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 10.0  # a role whose servers are away must be back soon after them
HEALTHY_S = 30.0  # a child that ran this long is started again with the shortest delay
STOP_S = 9.0
POLL_S = 0.1
SETUP_S = 60.0
LACKS_SETUP = 2  # the exit code of a role whose servers are not as `setup` makes them


def linepulse(*arguments: str) -> list[str]:
    """The command line that runs a linepulse command with this Python."""
    return [sys.executable, "-P", "-m", "linepulse", *arguments]


class Child:
    """One process that is kept running.

    `once`: it is not started again when it ends. `orphan_signal`: the signal that it gets when we die.
    `port`: where it serves its health; if that port is busy, on another one. There, on the address that it
    listens on (`host`), it is asked whether it is alive.
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
        port: int | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self.port = port
        self.check: LivenessCheck | None = None
        self._command = list(command)
        self._env = env
        self._log = log
        self._once = once
        self._orphan_signal = orphan_signal
        self._host = host
        self._begun = 0.0
        self._delay = 0.0
        self._not_before = 0.0

    def keep_up(self, narrator: Narrator) -> int | None:
        """Start it if it is due, kill it if it is not alive; return its exit code if it has just ended."""
        if self.process is None:
            if time.monotonic() >= self._not_before:
                self._try_to_start(narrator)
            return None
        code = self.process.poll()
        if code is None:
            if self.check is not None and (why := self.check.dead):
                narrator.say("run.unwell", name=self.name, why=why)
                self.check = None
                self.process.kill()
            return None
        self._ended(code, narrator)
        return code

    def _try_to_start(self, narrator: Narrator) -> None:
        try:
            self._start()
        except OSError as error:  # no memory or processes are left: the other children must go on
            self.process = self.check = None
            self._not_before = time.monotonic() + LONGEST_DELAY_S
            narrator.say("run.not_started", name=self.name, why=str(error), delay=LONGEST_DELAY_S)

    def _start(self) -> None:
        env = dict(self._env)
        if self.port is not None:
            self.port = free_port(self.port)
            env["LINEPULSE_HTTP_PORT"] = str(self.port)
            self.check = LivenessCheck(self._host, self.port)
        self._begun = time.monotonic()
        self.process = start_child(self._command, self._log, self._orphan_signal, env)

    def _ended(self, code: int, narrator: Narrator) -> None:
        now = time.monotonic()
        lived = now - self._begun
        self._delay = (
            FIRST_DELAY_S if lived > HEALTHY_S else min(LONGEST_DELAY_S, max(FIRST_DELAY_S, self._delay * 2))
        )
        if self._once:
            self._delay = float("inf")
        self._not_before = now + self._delay
        self.process = None
        self.check = None
        narrator.say(
            "run.ended_once" if self._once else "run.died", name=self.name, code=code, delay=self._delay
        )


class Setup:
    """`linepulse setup`, run again when a child needs what it makes; meanwhile no child is started."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._command = list(command)
        self._env = env
        self._begun = 0.0

    def begin(self) -> None:
        """Start it, unless it is running."""
        if self.process is None:
            self._begun = time.monotonic()
            with contextlib.suppress(OSError):  # a child that needs it will end again
                self.process = start_child(self._command, None, env=self._env)

    def under_way(self) -> bool:
        """Whether it still runs. After SETUP_S it is killed; a child that needs it will end again."""
        if self.process is not None and self.process.poll() is not None:
            self.process = None
        if self.process is not None and time.monotonic() - self._begun > SETUP_S:
            self.process.kill()
        return self.process is not None


async def supervise(
    children: Sequence[Child], narrator: Narrator, stop: asyncio.Event, setup: Setup | None = None
) -> None:
    """Keep the children running until `stop`, then end them all within STOP_S.

    `setup` is run before a child that ended with LACKS_SETUP starts again.
    """
    asking = asyncio.create_task(_ask(children))
    try:
        while not stop.is_set():
            for child in children:
                if child.process is None and setup is not None and setup.under_way():
                    continue
                if child.keep_up(narrator) == LACKS_SETUP and setup is not None:
                    narrator.say("run.setup", name=child.name)
                    setup.begin()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POLL_S)
    finally:
        asking.cancel()
        processes = [child.process for child in children] + ([] if setup is None else [setup.process])
        await end([process for process in processes if process is not None])


async def _ask(children: Sequence[Child]) -> None:
    """Ask each child that serves its health, every EVERY_S."""
    while True:
        checks = [child.check for child in children if child.check is not None]
        await asyncio.gather(asyncio.sleep(EVERY_S), *(check.ask() for check in checks))


async def end(processes: Sequence["subprocess.Popen[bytes]"], seconds: float = STOP_S) -> None:
    """Send SIGTERM to all, and SIGKILL to those that still run after `seconds`."""
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
