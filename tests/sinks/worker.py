"""A sinks process, as a plant runs it."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaProducer

from runtime.settings import Settings
from schemas.events import Event
from tests.commands import environment
from tests.eventually import PATIENCE_S, wait_until
from tests.processes import start

COMMAND = (
    "import uvloop; from runtime.narrator import quiet_libraries; from runtime.settings import Settings; "
    "from sinks.role import run; quiet_libraries(); uvloop.run(run(Settings.read()))"
)


class Worker:
    """One `sinks` process; what it writes goes to a file. `begin` is what starts it."""

    def __init__(
        self, settings: Settings, folder: Path, begin: Callable[..., "subprocess.Popen[bytes]"] = start
    ) -> None:
        self._begin = begin
        self._environment = environment(settings, LINEPULSE_LANG="fr")
        folder.mkdir(parents=True, exist_ok=True)
        self._output = folder / f"sinks-{id(self)}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Worker":
        with self._output.open("ab") as output:
            self._process = self._begin(
                [sys.executable, "-c", COMMAND], env=self._environment, stdout=output, stderr=output
            )
        return self

    def said(self) -> str:
        """Its output so far."""
        return self._output.read_text("utf-8")

    def says(self, text: str, seconds: float = PATIENCE_S) -> None:
        """Wait until it wrote a text."""
        wait_until(lambda: text in self.said(), f"{text!r} in\n{self.said()}", seconds)

    def send(self, sign: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(sign)

    def ends(self, seconds: float = 12) -> int:
        """Wait for its end: the exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        if self.runs:
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            self.ends()


async def send(settings: Settings, topic: str, events: list[Event | bytes], lines: int = 1) -> None:
    """Put events on a topic, line after line, as the stream stage does."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, acks="all")
    await producer.start()
    try:
        for number, event in enumerate(events):
            value = event if isinstance(event, bytes) else msgspec.json.encode(event)
            line = number % lines
            await producer.send(topic, value, key=b"ligne%d" % line, partition=line % settings.partitions)
    finally:
        await producer.stop()
