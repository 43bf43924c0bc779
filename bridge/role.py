"""The bridge as a role: one run after the other until SIGTERM or SIGINT."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine
from typing import Any

import uvloop

from bridge.backoff import LONGEST_S, Backoff
from bridge.clock import ClockNotice, LogClock
from bridge.log_continuity import LogContinuity
from bridge.log_owner import OtherClientError
from bridge.outage import Outage
from bridge.run import Run
from bridge.standby import stand_by
from bridge.watch import Watch
from runtime import metrics
from runtime.health import Health
from runtime.kafka import require_topics
from runtime.narrator import Narrator, quiet_libraries
from runtime.settings import Settings, SettingsError
from schemas.errors import Unavailable

TOPICS_MISSED = 3  # failed checks in a row: then the topics are gone, and `setup` must make them again
FENCED_S = 2.0
"""How long a new run may take to write its fence. A bridge whose MQTT connection was closed may have been
replaced by another one, and only that one's fence shows it: reconnecting sooner would disconnect the other
during its start."""


class Bridge:
    """Keeps a run going: after one that failed it waits, then begins the next."""

    def __init__(self, settings: Settings, narrator: Narrator) -> None:
        self._settings = settings
        self._narrator = narrator
        self._clock = LogClock(self._report_clock)
        self._known = LogContinuity()
        self._run = self._new_run()
        self._started = False
        self._wrong: str | None = "starting"
        self._standing_by = False
        self.stop = asyncio.Event()

    def ready(self) -> str | None:
        """None while MQTT is subscribed and Kafka stores records, else what is wrong."""
        return self._wrong or self._run.wrong()

    def reads_nothing(self) -> bool:
        """Whether no bridge reads what machines send, as far as this one knows."""
        return self.ready() is not None and not self._standing_by

    async def go(self) -> None:
        """Bridge until `stop` is set.

        Raises:
            SettingsError: the log is not as `setup` makes it (before the first run: at one check, later: at
                TOPICS_MISSED in a row), or a bridge with another client id owns it.
        """
        backoff = Backoff()
        received = missed = 0
        while not self.stop.is_set():
            self._run = self._new_run()
            began = time.monotonic()
            try:
                await self._until_stop(self._attempt())
            except (Unavailable, SettingsError) as error:
                if isinstance(error, OtherClientError):
                    raise
                missed = missed + 1 if isinstance(error, SettingsError) else 0
                # If the log was right before, Kafka may just have started, without all topics yet.
                if missed and (missed == TOPICS_MISSED or not self._started):
                    raise
                if time.monotonic() - began > LONGEST_S:
                    backoff.reset()
                await self._wait(max(backoff.wait_s(), self._run.cut_off * FENCED_S), str(error))
            received += self._run.received
        self._narrator.say("bridge.stopped", count=received)

    async def _attempt(self) -> None:
        await require_topics(self._settings, [self._settings.topics.raw])
        if self._known.run:
            await self._stand_by()
        await self._run.go(self.stop)

    async def _stand_by(self) -> None:
        """Stand by while a bridge that took the session from this one is alive."""
        try:
            await stand_by(self._settings, self._known.run, self._on_standby)
        finally:
            self._standing_by = False
            metrics.MQTT_STANDBY.set(0)

    def _on_standby(self) -> None:
        self._standing_by = True
        metrics.MQTT_STANDBY.set(1)
        self._wrong = "standing by: another bridge has the session"
        self._narrator.say("bridge.stands_by", client=self._settings.mqtt_client_id)

    async def _until_stop(self, work: Coroutine[None, None, None]) -> None:
        """Await `work` until `stop` is set; a run that is not subscribed by then is cancelled."""
        working, stopping = asyncio.create_task(work), asyncio.create_task(self.stop.wait())
        tasks: set[asyncio.Task[Any]] = {working, stopping}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not self._run.subscribed:
            working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working

    def _new_run(self) -> Run:
        return Run(self._settings, self._narrator, self._clock, self._known, self._is_ready)

    def _is_ready(self) -> None:
        if not self._started:
            self._narrator.say("bridge.started")
        self._started = True
        self._wrong = None
        self._narrator.say("bridge.listening")

    async def _wait(self, seconds: float, why: str) -> None:
        self._wrong = why
        if not self.stop.is_set():
            self._narrator.say("bridge.again", why=why, seconds=f"{seconds:.1f}")
        stopping = asyncio.create_task(self.stop.wait())
        await asyncio.wait({stopping}, timeout=seconds)
        stopping.cancel()

    def _report_clock(self, notice: ClockNotice) -> None:
        if notice.what == "clock_jump":
            metrics.CLOCK_JUMPS.inc()
        self._narrator.say(f"bridge.{notice.what}", seconds=round(notice.ms / 1000))


async def run(settings: Settings) -> None:
    """Bridge until SIGTERM or SIGINT.

    Raises:
        SettingsError: the log is not as `setup` makes it; the text says what to do.
        OSError: the health port that was asked for is busy.
    """
    narrator = Narrator(settings.lang, settings.log, "bridge")
    narrator.say("bridge.starting")
    bridge = Bridge(settings, narrator)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, bridge.stop.set)
    outage = Outage(settings, narrator, bridge.reads_nothing)
    watch = Watch(settings, outage.heard)
    async with Health(narrator, "bridge", settings.http_host, settings.http_port, bridge.ready):
        watch.start()
        try:
            await bridge.go()
        finally:
            watch.stop()


def main(settings: Settings) -> None:
    """`run` on uvloop, which saves a fifth of the time per message.

    Raises: as `run`.
    """
    quiet_libraries()
    uvloop.run(run(settings))
