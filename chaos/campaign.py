"""A campaign: the pipeline under load, one fault after the other, and the verdict."""

import asyncio
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from chaos.faults import FAULTS
from chaos.judge import judge
from chaos.ledger import Ledger
from chaos.losses import unreported
from chaos.plan import Planned
from chaos.plant import ROLES, Plant
from chaos.pressure import Waited
from chaos.prober import Prober
from chaos.rebuilt import differing
from chaos.recovery import MUST_S, Recovery
from chaos.report import Report
from chaos.settled import NotSettled, delivered, settled, ticked
from linepulse.embedded.server import start_child
from tests.commands import with_repository
from tests.eventually import eventually

READY_S = 90.0
GIVE_UP_S = 2 * MUST_S
SETTLE_S = 300.0
A_FAULT_S = 18.0  # what a fault takes on average, with its recovery and the pause before it


@dataclass(frozen=True)
class Options:
    """What a campaign is asked to do.

    Attributes:
        rate: messages a second; 0: as fast as acknowledgements allow; None: so that they last as long as the
            faults do.
        seconds: the limit for all of it, judging included.
    """

    seed: int
    messages: int
    lines: int
    seconds: float
    rate: float | None = None
    rules: str = ""

    def pace(self, faults: int) -> float:
        """Messages a second."""
        return self.messages / (max(1, faults) * A_FAULT_S) if self.rate is None else self.rate


@dataclass
class Campaign:
    """Runs a plan in a folder; `log` is called with what happens, a line at a time."""

    options: Options
    plan: list[Planned]
    folder: Path
    log: Callable[[str], None]
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        self.report = Report(self.options.seed, self.options.messages, len(self.plan))
        self._began = time.monotonic()
        self._waited = Waited()
        self._over: tuple[Planned, str, float] | None = None  # the last fault, until the pipeline recovered
        self._sent, self._probed = self.folder / "ledger.jsonl", self.folder / "probes.jsonl"

    async def run(self) -> Report:
        """Run all of it; when this returns or raises, all that it started has ended."""
        try:
            async with asyncio.timeout(self.options.seconds):
                await self._run()
        except TimeoutError:
            self.report.failures.append(f"not done within {self.options.seconds:g} s")
        except Exception as error:
            traceback.print_exc()
            self.report.failures.append(f"the campaign itself failed: {error!r}")
        self.report.seconds = time.monotonic() - self._began
        self.report.waited_percent = self._waited.percent()
        return self.report

    async def _run(self) -> None:
        rules = self.options.rules
        async with AsyncExitStack() as ending:
            plant = await ending.enter_async_context(Plant(self.folder, rules, self.options.messages))
            ending.callback(self._note_usage, plant)
            prober = ending.enter_context(Prober(plant.settings, self._probed))
            await self._first_probe(prober)
            publisher = self._publish(plant)
            ending.callback(end_process, publisher)
            calm = await prober.calm(READY_S)
            self._say(f"a probe takes {calm:.1f} s; one of more than {prober.pause_s:.1f} s is a pause")
            for planned in self.plan:
                await self._fault(plant, prober, planned)
            await self._recover(prober)
            self._say("the faults are over; publishing goes on until all messages are acknowledged")
            code = await asyncio.to_thread(publisher.wait)
            if code:
                raise RuntimeError(f"the publisher ended with code {code}: see {self.folder}/publisher.log")
            await self._judge(plant)

    async def _first_probe(self, prober: Prober) -> None:
        """Wait until the pipeline works: before the bridge first subscribes, the broker keeps nothing."""
        log = self.folder / "logs" / "bridge-1.log"

        async def listening() -> bool:
            return log.exists() and "bridge.listening" in log.read_text("utf-8", "replace")

        await eventually(listening, f"the bridge; see {log}", READY_S)
        seconds = await prober.works(READY_S)
        if seconds is None:
            raise RuntimeError(f"the pipeline does not work, {READY_S:g} s after its start; see {log.parent}")
        self._say(f"the pipeline works, after {seconds:.1f} s")

    def _publish(self, plant: Plant) -> "subprocess.Popen[bytes]":
        rate = self.options.pace(len(self.plan))
        pace = f"{rate:.4g}" if rate else "as many as go"
        self._say(f"publishing {self.options.messages} messages, {pace} a second")
        options = {
            "url": plant.settings.mqtt_broker_url,
            "ledger": self._sent,
            "seed": self.options.seed,
            "messages": self.options.messages,
            "lines": self.options.lines,
            "rate": rate,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = [sys.executable, "-P", "-m", "chaos.publisher", *words, "--clock-scenarios"]
        return start_child(command, self.folder / "publisher.log", env=with_repository(os.environ))

    async def _fault(self, plant: Plant, prober: Prober, planned: Planned) -> None:
        if not planned.soon:
            await self._recover(prober)
        await asyncio.sleep(planned.pause_s)
        fault = FAULTS[planned.kind](plant, planned.target, Random(planned.seed))
        if why := fault.why_not():
            self.report.skipped.append(f"{planned.name}: {why}")
            self._say(f"{planned.number:>3}  {planned.name}: SKIPPED: {why}")
            return
        self._say(f"{planned.number:>3}  {planned.name} begins")
        await fault.begin()
        await asyncio.sleep(planned.lasts_s)
        await fault.end()
        if fault.vain:
            self.report.skipped.append(f"{planned.name}: {fault.vain}")
        self._over = (planned, fault.detail, time.monotonic())
        self.report.signals += fault.signals
        what = fault.vain or fault.detail
        self._say(f"{planned.number:>3}  {planned.name} is over{f' ({what})' if what else ''}")

    async def _recover(self, prober: Prober) -> None:
        """Measure how long the pipeline takes to recover from the last fault."""
        if self._over is None:
            return
        (planned, detail, ended), self._over = self._over, None
        before = time.monotonic() - ended
        seconds = await prober.steady(GIVE_UP_S)
        seconds = None if seconds is None else seconds + before
        self.report.recoveries.append(Recovery(planned.number, planned.kind, planned.target, detail, seconds))
        took = f"not within {GIVE_UP_S:g} s" if seconds is None else f"after {seconds:.1f} s"
        self._say(f"     works again {took}")

    async def _judge(self, plant: Plant) -> None:
        ledger = Ledger.read(self._sent, self._probed)
        self._say(f"{ledger.acked} messages are acknowledged; waiting until all are in the log")
        await self._unless_unsettled(delivered(ledger, plant.tape, SETTLE_S))
        await self._unless_unsettled(ticked(plant.tape, SETTLE_S))
        for bridge in plant.roles.of("bridge"):
            await plant.roles.stop(bridge, for_good=True)
        await self._unless_unsettled(settled(plant.settings, plant.tape, SETTLE_S))
        for role in ROLES[1:]:
            for worker in plant.roles.of(role):
                await plant.roles.stop(worker, for_good=True)
        self._say("judging")
        self.report.verdict = await judge(plant.settings, ledger, plant.tape)
        self.report.failures += await unreported(plant.settings, plant.tape)
        self._say("reading the log again")
        self.report.failures += await differing(plant.settings, plant.tape)

    async def _unless_unsettled(self, waiting: Awaitable[None]) -> None:
        """Wait; if it is in vain, note a failure and go on: the verdict shows more about it."""
        try:
            await waiting
        except NotSettled as error:
            self.report.failures.append(str(error))
            self._say(f"still unsettled after {SETTLE_S:g} s: {error}")

    def _note_usage(self, plant: Plant) -> None:
        """Note memory and ends of processes, before the plant is gone."""
        self.report.peak_mib = dict(plant.roles.peak_mib)
        self.report.stops = list(plant.roles.stops)

    def _say(self, text: str) -> None:
        self.log(f"{time.monotonic() - self._began:7.1f} s  {text}")


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """Kill it if it runs, and wait for it."""
    if process.poll() is None:
        process.kill()
    process.wait()
