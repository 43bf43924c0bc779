"""The roles of the pipeline as processes; each is started again when it ends, as by `linepulse run`."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from linepulse.supervisor import POLL_S, STOP_S, Child
from runtime.narrator import Narrator

CLEAN_S = 10.0


@dataclass
class Stop:
    """How a role ended after SIGTERM."""

    role: str
    seconds: float
    code: int
    began: bool = True  # it had started far enough to handle SIGTERM

    @property
    def clean(self) -> bool:
        """Whether it ended as every role must; before it handles SIGTERM it has nothing to tidy up."""
        allowed = {0} if self.began else {0, -signal.SIGTERM}
        return self.code in allowed and self.seconds <= CLEAN_S


def catches(pid: int, signum: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) & 1 << signum - 1)


class Worker:
    """A worker of a role, in one process after the other."""

    def __init__(self, role: str, number: int, command: list[str], env: Mapping[str, str], log: Path) -> None:
        self.role = role
        self.name = f"{role}-{number}"
        self.held = False  # not started again
        self._child = Child(self.name, command, env, log, orphan_signal=signal.SIGKILL)

    @property
    def pid(self) -> int | None:
        """The id of its running process; None if there is none."""
        process = self._child.process
        return process.pid if process is not None and process.poll() is None else None

    def keep_up(self, narrator: Narrator) -> None:
        """Start it if it is due."""
        if not self.held:
            self._child.keep_up(narrator)

    def send(self, signum: signal.Signals) -> bool:
        """Send it a signal; False if it does not run."""
        pid = self.pid
        if pid is None:
            return False
        os.kill(pid, signum)
        return True

    async def runs(self, seconds: float = 60) -> int:
        """Wait until it runs; return its process id."""
        deadline = time.monotonic() + seconds
        while (pid := self.pid) is None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} was not started in {seconds:g} s")
            await asyncio.sleep(POLL_S)
        return pid

    async def stop(self) -> Stop | None:
        """SIGTERM, and SIGKILL if it does not end; return how it ended, None if it did not run."""
        process = self._child.process
        if process is None or process.poll() is not None:
            return None
        listens, began = catches(process.pid, signal.SIGTERM), time.monotonic()
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, CLEAN_S + STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        return Stop(self.role, time.monotonic() - began, process.returncode, listens)

    def kill(self) -> None:
        """SIGKILL it, and start it no more."""
        self.held = True
        process = self._child.process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()


class Roles:
    """All workers. `async with Roles(...)` supervises them until the block ends."""

    def __init__(self, commands: Mapping[str, list[str]], env: Mapping[str, Mapping[str, str]], logs: Path):
        self._commands, self._env, self._logs = commands, env, logs
        self.workers: list[Worker] = []
        self.stops: list[Stop] = []
        self.peak_mib: dict[str, float] = {}
        self._numbers: dict[str, int] = {}
        self._log: TextIO = (logs / "supervisor.log").open("a", encoding="utf-8")
        self._narrator = Narrator("en", "json", "supervisor", out=self._log)
        self._supervising: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Roles":
        self._supervising = asyncio.create_task(self._supervise())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._supervising is not None:
            self._supervising.cancel()
            await asyncio.wait({self._supervising})
        for worker in self.workers:
            worker.kill()
        self._log.close()

    def add(self, role: str) -> Worker:
        """One more worker of a role."""
        number = self._numbers[role] = self._numbers.get(role, 0) + 1
        worker = Worker(
            role, number, self._commands[role], self._env[role], self._logs / f"{role}-{number}.log"
        )
        self.workers.append(worker)
        return worker

    def of(self, role: str) -> list[Worker]:
        """The workers of a role, the oldest first."""
        return [worker for worker in self.workers if worker.role == role]

    async def stop(self, worker: Worker, *, for_good: bool = False) -> Stop | None:
        """SIGTERM a worker; it is started again, unless it is held or stopped for good."""
        if for_good:
            worker.held = True
        stop = await worker.stop()
        if stop is not None:
            self.stops.append(stop)
        if for_good:
            self.workers.remove(worker)
        return stop

    async def _supervise(self) -> None:
        rounds = 0
        while True:
            for worker in list(self.workers):
                worker.keep_up(self._narrator)
            rounds += 1
            if rounds % 5 == 0:
                self._measure_memory()
            await asyncio.sleep(POLL_S)

    def _measure_memory(self) -> None:
        for worker in self.workers:
            pid = worker.pid
            if pid is None:
                continue
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            if "VmHWM:" in status:
                peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
                self.peak_mib[worker.role] = max(peak, self.peak_mib.get(worker.role, 0))
