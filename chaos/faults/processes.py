"""Faults of the roles' own processes."""

import asyncio
import signal
from typing import ClassVar

from chaos.faults.fault import Fault
from chaos.plant import ROLES, SESSION_S
from chaos.roles import Worker

FREEZE_S = (SESSION_S + 2.0, SESSION_S + 8.0)
MOST_WORKERS = 4


class OfWorkers(Fault):
    """Does something to the processes of roles."""

    def one(self, role: str) -> Worker:
        """Any worker of a role."""
        return self.draw.choice(self.plant.roles.of(role))

    async def send(self, worker: Worker, signum: signal.Signals) -> None:
        """Send a signal to a worker, as soon as it runs."""
        await worker.runs()
        while not worker.send(signum):  # it has just ended
            await worker.runs()
        self.signals += signum in (signal.SIGKILL, signal.SIGSTOP)
        self.detail += f"{' ' if self.detail else ''}{worker.name}"


class Kill(OfWorkers):
    kind = "kill"
    what = "SIGKILL of a role"
    targets = ROLES
    weight = 4.0

    async def begin(self) -> None:
        await self.send(self.one(self.target), signal.SIGKILL)


class KillRecovering(OfWorkers):
    kind = "kill-recovering"
    what = "SIGKILL of a role, and again 0 to 3 s after it was started again"
    targets = ROLES
    weight = 2.0

    async def begin(self) -> None:
        worker = self.one(self.target)
        await self.send(worker, signal.SIGKILL)
        delay = self.draw.uniform(0, 3)
        await worker.runs()
        await asyncio.sleep(delay)
        await self.send(worker, signal.SIGKILL)
        self.detail += f" after {delay:.1f} s"


class Freeze(OfWorkers):
    kind = "freeze"
    what = "SIGSTOP of a role for longer than the session timeout, then SIGCONT"
    targets = ROLES
    lasts = FREEZE_S
    weight = 4.0

    async def begin(self) -> None:
        self._worker = self.one(self.target)
        await self.send(self._worker, signal.SIGSTOP)

    async def end(self) -> None:
        self._worker.send(signal.SIGCONT)


class TwoAtOnce(OfWorkers):
    kind = "two-at-once"
    what = "two processes of any roles at once, each killed or frozen"
    lasts = FREEZE_S
    weight = 3.0

    async def begin(self) -> None:
        self._workers = self.draw.sample(self.plant.roles.workers, 2)
        for worker in self._workers:
            signum = self.draw.choice((signal.SIGKILL, signal.SIGSTOP))
            await self.send(worker, signum)
            self.detail += f" {signum.name}"

    async def end(self) -> None:
        for worker in self._workers:
            worker.send(signal.SIGCONT)


class BridgeDoubled(OfWorkers):
    kind = "bridge-doubled"
    what = "the bridge frozen while its successor runs, then thawed beside it; one of the two ends"
    lasts = FREEZE_S

    async def begin(self) -> None:
        self._frozen = self.one("bridge")
        await self.send(self._frozen, signal.SIGSTOP)
        self._successor = self.plant.roles.add("bridge")

    async def end(self) -> None:
        self._frozen.send(signal.SIGCONT)
        await asyncio.sleep(self.draw.uniform(0, 4))
        ending = self.draw.choice((self._frozen, self._successor))
        self.detail += f", {ending.name} ends"
        await self.plant.roles.stop(ending, for_good=True)


class WorkerAdded(OfWorkers):
    kind = "worker-added"
    what = "one more worker of a role"
    lasts = (1.0, 4.0)  # until it joins its group
    targets: ClassVar[tuple[str, ...]] = ("streams", "sinks")

    async def begin(self) -> None:
        if len(self.plant.roles.of(self.target)) >= MOST_WORKERS:
            await self.plant.roles.stop(self.one(self.target), for_good=True)
            self.detail = "in the place of another: "
        self.detail += self.plant.roles.add(self.target).name


class WorkerRemoved(OfWorkers):
    kind = "worker-removed"
    what = "a worker of a role ends by SIGTERM and does not come back"
    targets: ClassVar[tuple[str, ...]] = ("streams", "sinks")

    async def begin(self) -> None:
        leaving = self.one(self.target)
        if len(self.plant.roles.of(self.target)) == 1:
            self.detail = f"{self.plant.roles.add(self.target).name} in the place of "
        self.detail += leaving.name
        await self.plant.roles.stop(leaving, for_good=True)


class Stop(OfWorkers):
    kind = "stop"
    what = "SIGTERM of a role, which must end cleanly within 10 s; it is started again"
    targets = ROLES

    async def begin(self) -> None:
        worker = self.one(self.target)
        await worker.runs()
        stop = await self.plant.roles.stop(worker)
        self.detail = f"{worker.name}, {stop.seconds:.1f} s" if stop else worker.name
