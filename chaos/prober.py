"""Probes: messages on a line of each partition, whose rows show when the pipeline works."""

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from uuid import uuid4

import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from bridge.record import destinations
from chaos.ledger import LedgerFile
from chaos.message import PROBES, Message
from runtime.settings import Settings

POLL_S = 0.25
STEADY_S = 4.0
PAUSE_S, MOST_PAUSE_S = 1.5, 6.0
CALM_PROBES, TIMES_CALM = 5, 3
FOUND = 'SELECT count(*) FROM "ProductionData" WHERE "lineId" = ANY(%s) AND "pressure" = ANY(%s)'


class Prober:
    """Publishes probes straight to the broker, and looks for their rows straight in PostgreSQL.

    They are in a ledger of their own, and judged as every other message. Their lines send nothing else, so
    they are without signal most of the time.
    """

    def __init__(self, settings: Settings, ledger: Path) -> None:
        self._settings = settings
        self._ledger = LedgerFile(ledger)
        self._lock = threading.Lock()  # paho calls from a thread of its own
        self._waiting: dict[int, int] = {}  # packet id -> number
        self._early: set[int] = set()  # acknowledged before `publish` had returned the packet id
        self._next = PROBES
        self.lines = lines_of_partitions(settings.partitions)
        self.pause_s = PAUSE_S
        client_id = f"probe-{uuid4().hex[:12]}"
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv311)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish

    def __enter__(self) -> "Prober":
        url = self._settings.mqtt
        self._client.connect(url.hostname or "localhost", url.port or 1883, keepalive=60)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._ledger.close()

    async def steady(self, seconds: float) -> float | None:
        """Probe until the pipeline has worked without a pause for STEADY_S; return the seconds until it did.

        One probe is not enough: a worker that comes back late makes all others of its group stop once more.
        None: not within `seconds`.
        """
        began = time.monotonic()
        steady = Steady(self.pause_s)
        while (now := time.monotonic()) - began < seconds:
            took = await self.works(seconds - (now - began))
            if took is None:
                return None
            since = steady.probed(now, took)
            if time.monotonic() - since >= STEADY_S:
                return since - began
            await asyncio.sleep(POLL_S)
        return None

    async def calm(self, seconds: float) -> float:
        """Before any fault: measure how long a probe takes on this machine; this sets what counts as a pause.

        Raises:
            TimeoutError: the pipeline does not work.
        """
        took = [await self.works(seconds) for _ in range(CALM_PROBES)]
        known = [each for each in took if each is not None]
        if len(known) < len(took):
            raise TimeoutError(f"a probe was on its way for {seconds:g} s, and nothing was broken")
        self.pause_s = pause_of(known)
        return median(known)

    async def works(self, seconds: float) -> float | None:
        """Send a probe to each partition; seconds until all have their rows, None if not in time."""
        began = time.monotonic()
        numbers = [self._publish(line) for line in self.lines]
        while (now := time.monotonic()) - began < seconds:
            try:
                if await self._rows(numbers) == len(numbers):
                    return time.monotonic() - began
            except (psycopg.Error, TimeoutError):
                pass
            await asyncio.sleep(min(POLL_S, began + seconds - now))
        return None

    async def acknowledged(self) -> bool:
        """Whether the broker has all of them."""
        with self._lock:
            return not self._waiting

    async def _rows(self, numbers: list[int]) -> int:
        async with asyncio.timeout(5):
            url = self._settings.database_url
            async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as connection:
                found = await connection.execute(FOUND, [self.lines, [float(number) for number in numbers]])
                row = await found.fetchone()
        return int(row[0]) if row else 0

    def _publish(self, line: str) -> int:
        number, self._next = self._next, self._next + 1
        payload = b'{"count": 1, "running": true, "pressure": %d}' % number
        topic = f"production/{line}/data"
        message = Message(number, line, "data", topic, payload, pieces=1, running=True)
        with self._lock:
            self._ledger.sent(message)
            self._ledger.flush()
        # Without our lock: paho holds its own here, and also when it calls `_on_publish`.
        mid = self._client.publish(message.topic, message.payload, qos=1).mid
        with self._lock:
            if mid in self._early:
                self._early.discard(mid)
                self._ledger.acked(number)
                self._ledger.flush()
            else:
                self._waiting[mid] = number
        return number

    def _on_connect(self, *_: object) -> None:
        with self._lock:
            for number in self._waiting.values():  # the client sends them again
                self._ledger.again(number)
            self._ledger.flush()

    def _on_publish(self, _client: object, _data: object, mid: int, *_: object) -> None:
        with self._lock:
            number = self._waiting.pop(mid, None)
            if number is None:
                self._early.add(mid)
            else:
                self._ledger.acked(number)
                self._ledger.flush()


class Steady:
    """Tracks since when probes have had their rows without a pause."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._since: float | None = None

    def probed(self, sent: float, took: float) -> float:
        """Add a probe; return since when there has been no pause."""
        if self._since is None or took > self._pause_s:
            self._since = sent + took
        return self._since


def pause_of(calm: Sequence[float]) -> float:
    """From how many seconds on a probe shows a pause, given how long probes take without any fault.

    On a machine so busy that each takes 2 s, 2 s are no pause.
    """
    return min(MOST_PAUSE_S, max(PAUSE_S, TIMES_CALM * median(calm)))


def lines_of_partitions(partitions: int) -> list[str]:
    """A line's name for each partition of the log."""
    place = destinations(partitions)
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        number += 1
        line = f"probe{number}"
        found.setdefault(place(f"production/{line}/data").partition, line)
    return [found[partition] for partition in sorted(found)]
