"""A rebuild while the pipeline runs; its tables replace the live ones."""

import asyncio
import signal
import subprocess
import time

from chaos.faults.fault import Fault
from chaos.plant import in_thread
from linepulse.embedded.server import start_child
from linepulse.supervisor import linepulse
from tests.commands import environment

WITHIN_S = 150.0
KILL_S = (0.5, 4.0)  # seconds after its start


class Reread(Fault):
    kind = "rebuild"
    what = (
        "linepulse rebuild takes the place of the live tables; half of the times it is killed once on its way"
    )

    def why_not(self) -> str | None:
        if any(self.plant.tape.left_out(number) for number in self.plant.tape.partitions):
            return "retention has taken records: their rows can't be made again"
        return None

    async def begin(self) -> None:
        if self.draw.random() < 0.5:
            after = self.draw.uniform(*KILL_S)
            process = self._start()
            await asyncio.sleep(after)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                self.signals += 1
                self.detail = f"killed after {after:.1f} s"
            await in_thread(process.wait)
        deadline = time.monotonic() + WITHIN_S
        while await asyncio.to_thread(
            self._start().wait
        ):  # a server was away: run it again, as a person would
            if time.monotonic() > deadline:
                raise RuntimeError(f"linepulse rebuild did not succeed within {WITHIN_S:g} s")
            await asyncio.sleep(1)

    def _start(self) -> "subprocess.Popen[bytes]":
        log = self.plant.folder / "logs" / "rebuild.log"
        return start_child([*linepulse("rebuild"), "--json"], log, env=environment(self.plant.settings))
