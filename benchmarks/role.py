"""A role as its supervisor runs it, and the memory that it takes in each phase of a measurement."""

import subprocess
import sys
from pathlib import Path

from benchmarks.gauge import metric, peak_mib
from linepulse.embedded.ports import free_port
from runtime.settings import Settings
from tests.commands import environment


class Role:
    """A process that is started again when it ends."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.port = free_port()
        self.restarts = 0
        self._name = name
        self._environment = environment(settings, LINEPULSE_HTTP_PORT=str(self.port))
        self._peak = 0.0
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The process as it is now."""
        return self._process.pid

    def watch(self) -> None:
        """Note the memory, and start it again if it has ended: call it every second or so."""
        if self._process.poll() is None:
            self._peak = max(self._peak, peak_mib(self._process.pid))
        else:
            self.restarts += 1
            self._process = self._start()

    def metric(self, name: str) -> float:
        return metric(self.port, name)

    def peak(self) -> float:
        """The most MiB since the last call."""
        self.watch()
        peak, self._peak = self._peak, 0.0
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")  # the kernel's own peak begins anew
        return round(peak, 1)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "linepulse", self._name],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
